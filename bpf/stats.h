/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Counting. Nothing is dropped without a reason that an operator can read. */
#ifndef PW_STATS_H
#define PW_STATS_H

#include <linux/pkt_cls.h>
#include "maps.h"

static __always_inline void count_reason(__u32 reason) {
    __u64 *total = bpf_map_lookup_elem(&drops, &reason);
    if (total)
        *total += 1;
}

static __always_inline void count_session_reason(__u32 slot, __u32 reason) {
    struct pw_drop_key key = {.slot = slot, .reason = reason};
    __u64 *count = bpf_map_lookup_elem(&session_drops, &key);
    if (count) {
        __sync_fetch_and_add(count, 1);
        return;
    }
    __u64 one = 1;
    /* Two CPUs may meet here: the one that comes second adds to the first one's entry. */
    if (bpf_map_update_elem(&session_drops, &key, &one, BPF_NOEXIST)) {
        count = bpf_map_lookup_elem(&session_drops, &key);
        if (count)
            __sync_fetch_and_add(count, 1);
    }
}

/* Not inlined: every way out of a program ends here once, which keeps the programs small. */
static __noinline int drop_tx(__u32 slot, __u32 reason) {
    count_reason(reason);
    count_session_reason(slot, reason);
    struct pw_counters *counter = bpf_map_lookup_elem(&counters, &slot);
    if (counter)
        counter->tx_dropped += 1;
    return TC_ACT_SHOT;
}

static __noinline int drop_rx(__u32 slot, __u32 reason) {
    count_reason(reason);
    count_session_reason(slot, reason);
    struct pw_counters *counter = bpf_map_lookup_elem(&counters, &slot);
    if (counter)
        counter->rx_dropped += 1;
    return TC_ACT_SHOT;
}

static __always_inline void count_tx(__u32 slot, __u32 frames, __u32 octets) {
    struct pw_counters *counter = bpf_map_lookup_elem(&counters, &slot);
    if (counter) {
        counter->tx_frames += frames;
        counter->tx_octets += octets;
    }
}

static __always_inline void count_rx(__u32 slot, __u32 frames, __u32 octets) {
    struct pw_counters *counter = bpf_map_lookup_elem(&counters, &slot);
    if (counter) {
        counter->rx_frames += frames;
        counter->rx_octets += octets;
    }
}

#endif
