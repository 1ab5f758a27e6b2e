/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Telling flows apart by a number. */
#ifndef PW_FLOW_H
#define PW_FLOW_H

#include <linux/types.h>
#include "parse.h"

/*
 * Mixes a flow's addresses and ports, and then, by operations that can be undone, the slot: two slots never give one
 * hash to the same flow.
 */
static __always_inline __u32 flow_hash(const __u32 *addresses, __u32 words, __u32 ports, __u32 slot) {
    __u32 hash = ports;
#pragma unroll
    for (__u32 i = 0; i < 8; i++) {
        if (i == words)
            break;
        hash = (hash ^ addresses[i]) * 0x9e3779b1;
        hash ^= hash >> 15;
    }
    hash ^= slot * 0x85ebca6b;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35;
    return hash ^ hash >> 16;
}

/* The flow of any frame: of what is not IP, all that its Ethernet addresses have to say to each other. */
static __always_inline __u32 hash_of(const void *l3, void *end, __be16 ethertype, const struct inner_packet *inner,
                                     const struct ethhdr *eth, __u32 slot) {
    if (inner->is_ip && ethertype == bpf_htons(ETH_P_IP)) {
        const struct iphdr *ip = l3;
        if ((void *)(ip + 1) <= end)
            return flow_hash(&ip->saddr, 2, inner->ports, slot);
    } else if (inner->is_ip) {
        const struct ipv6hdr *ip = l3;
        if ((void *)(ip + 1) <= end)
            return flow_hash((const __u32 *)&ip->saddr, 8, inner->ports, slot);
    }
    return flow_hash((const __u32 *)eth, 3, 0, slot);
}

#endif
