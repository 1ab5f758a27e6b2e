/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sequence numbers of the default L2-specific sublayer (RFC 3931, 4.6): 24 bits, the first one is zero. */
#ifndef PW_SEQUENCE_H
#define PW_SEQUENCE_H

#include "maps.h"

#define SUBLAYER_V 0x80000000   /* control channel (RFC 5085) */
#define SUBLAYER_S 0x40000000   /* the number is one */
#define SUBLAYER_B_E 0x30000000 /* part of a frame (RFC 4623); only with S */

#define SEQUENCE_MASK 0xffffff
#define SEQUENCE_WINDOW (SEQUENCE_MASK / 2) /* as far ahead as Linux accepts, exclusive */
#define SEQUENCE_BEGUN (1ULL << 56)
#define SEQUENCE_PATIENCE 5 /* so many refused in a row, each one after the other: the peer restarted */

/* The sublayer's word for the next frame, in host order. */
static __always_inline __u32 sequence_next(__u32 slot) {
    struct pw_sequence *sequence = bpf_map_lookup_elem(&sequences, &slot);
    if (!sequence)
        return SUBLAYER_S;
    return SUBLAYER_S | (__sync_fetch_and_add(&sequence->send, 1) & SEQUENCE_MASK);
}

/*
 * Whether a frame with this number is taken: the expected one, or one of the half circle ahead of it, so that a loss
 * costs only what was lost. Duplicates and what comes late are refused. Returns how many numbers were skipped, or -1.
 */
static __always_inline int sequence_accepts(__u32 slot, __u32 number) {
    struct pw_sequence *sequence = bpf_map_lookup_elem(&sequences, &slot);
    if (!sequence)
        return 0;
        /* The state is one word, changed by compare-and-swap: packets of one pseudowire may arrive on several CPUs. */
#pragma unroll
    for (int attempt = 0; attempt < 4; attempt++) {
        __u64 old = *(volatile __u64 *)&sequence->receive;
        __u32 distance = (number - (__u32)old) & SEQUENCE_MASK;
        __u64 following = (number + 1) & SEQUENCE_MASK;
        __u64 new;
        int verdict;
        if (distance < SEQUENCE_WINDOW) {
            new = following | SEQUENCE_BEGUN;
            /* Whoever joins a peer that has been sending for long has missed nothing. */
            verdict = old & SEQUENCE_BEGUN ? distance : 0;
        } else {
            __u32 refused = (old >> 24) & SEQUENCE_MASK;
            __u64 in_a_row = (old >> 48) & 0xff;
            in_a_row = in_a_row && number == ((refused + 1) & SEQUENCE_MASK) ? in_a_row + 1 : 1;
            if (in_a_row > SEQUENCE_PATIENCE) {
                new = following | SEQUENCE_BEGUN;
                verdict = 0;
            } else {
                new = (old & (SEQUENCE_MASK | SEQUENCE_BEGUN)) | (__u64)number << 24 | in_a_row << 48;
                verdict = -1;
            }
        }
        if (__sync_val_compare_and_swap(&sequence->receive, old, new) == old)
            return verdict;
    }
    return -1;
}

#endif
