/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Telling flows apart by a number. */
#ifndef PW_FLOW_H
#define PW_FLOW_H

#include <linux/types.h>

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

#endif
