/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Congestion marks that the outer packet met on its way (RFC 6040, 4.2). */
#ifndef PW_ECN_H
#define PW_ECN_H

#include "parse.h"

#define ECN_NOT_CAPABLE 0
#define ECN_CAPABLE_1 1
#define ECN_CAPABLE_0 2
#define ECN_CONGESTION 3

/*
 * Hands an outer CE, or ECT(1), on to the IP packet at `offset`. -1 where that cannot be: a packet whose ends know
 * nothing of ECN has met congestion, and must be dropped for them to notice. Packet pointers are void afterwards.
 */
__noinline int propagate_congestion(struct __sk_buff *skb, __u32 offset, __u32 outer, __u32 ethertype) {
    __u8 octets[2];
    if (bpf_skb_load_bytes(skb, offset, octets, sizeof(octets)))
        return -1;
    int is_v6 = ethertype == bpf_htons(ETH_P_IPV6);
    __u8 inner = is_v6 ? octets[1] >> 4 & 3 : octets[1] & 3;
    if (inner == ECN_NOT_CAPABLE)
        return outer == ECN_CONGESTION ? -1 : 0;
    if (inner == ECN_CONGESTION || inner == outer)
        return 0;
    __be16 old, new;
    __builtin_memcpy(&old, octets, 2);
    octets[1] = is_v6 ? (octets[1] & 0xcf) | outer << 4 : (octets[1] & 0xfc) | outer;
    __builtin_memcpy(&new, octets, 2);
    if (!is_v6 && bpf_l3_csum_replace(skb, offset + 10, old, new, sizeof(new)))
        return -1;
    /* IPv6 has no header checksum that would take the change back out of the packet's sum. */
    return bpf_skb_store_bytes(skb, offset, octets, sizeof(octets), is_v6 ? BPF_F_RECOMPUTE_CSUM : 0) ? -1 : 0;
}

#endif
