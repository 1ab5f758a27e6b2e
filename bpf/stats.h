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

static __always_inline void count_session_reason(__u32 slot, __u32 reason, __u32 count) {
    struct pw_drop_key key = {.slot = slot, .reason = reason};
    struct pw_drop *drop = bpf_map_lookup_elem(&session_drops, &key);
    if (!drop) {
        struct pw_drop none = {};
        /* Two CPUs may meet here: whichever comes second counts in the first one's entry. */
        bpf_map_update_elem(&session_drops, &key, &none, BPF_NOEXIST);
        drop = bpf_map_lookup_elem(&session_drops, &key);
    }
    if (drop) {
        __sync_fetch_and_add(&drop->count, count);
        drop->last = bpf_ktime_get_ns();
    }
}

/* What was noticed of a pseudowire's packet without dropping it. */
__noinline int note(__u32 slot, __u32 reason, __u32 count) {
    __u64 *total = bpf_map_lookup_elem(&drops, &reason);
    if (total)
        *total += count;
    count_session_reason(slot, reason, count);
    return 0;
}

/* Not inlined: every way out of a program ends here once, which keeps the programs small. */
__noinline int drop_tx(__u32 slot, __u32 reason) {
    count_reason(reason);
    count_session_reason(slot, reason, 1);
    struct pw_counters *counter = bpf_map_lookup_elem(&counters, &slot);
    if (counter)
        counter->tx_dropped += 1;
    return TC_ACT_SHOT;
}

__noinline int drop_rx(__u32 slot, __u32 reason) {
    count_reason(reason);
    count_session_reason(slot, reason, 1);
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

/*
 * Whether the last word on the peer was ICMP's, that packets do not reach it: so from such a message on until a frame
 * of the peer's comes. It lies in the session's own entry, which every frame reads anyhow.
 */
static __always_inline void doubt_peer(__u32 session_id) {
    struct pw_decap *decap = bpf_map_lookup_elem(&sessions, &session_id);
    if (decap)
        decap->is_unheard = 1;
}

static __always_inline void hear_peer(struct pw_decap *decap) {
    if (decap->is_unheard)
        decap->is_unheard = 0;
}

#endif
