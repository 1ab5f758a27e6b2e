/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Telling user space of packets that somebody should look into: few enough that a flood of them costs nothing. */
#ifndef PW_EVENTS_H
#define PW_EVENTS_H

#include "maps.h"

/* `offset` is where the packet's IP header begins. */
__noinline int report(struct __sk_buff *skb, __u32 offset, __u32 session_id, __u32 reason) {
    struct pw_event_limit *limit = bpf_map_lookup_elem(&event_limits, &reason);
    if (!limit)
        return 0;
    __u64 now = bpf_ktime_get_ns();
    __u64 second = now / 1000000000;
    if (limit->second != second) {
        limit->second = second;
        limit->count = 0;
    }
    if (limit->count++ >= PW_EVENTS_PER_SECOND)
        return 0;
    struct pw_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event)
        return 0;
    event->time = now;
    event->reason = reason;
    event->session_id = session_id;
    event->ifindex = skb->ifindex;
    event->length = skb->len > offset ? skb->len - offset : 0;
    /* Whole quarters, since a length that only the packet knows is one that old verifiers do not. */
#pragma unroll
    for (int i = 0; i < PW_EVENT_OCTETS; i += 4) {
        if (bpf_skb_load_bytes(skb, offset + i, event->octets + i, 4))
            __builtin_memset(event->octets + i, 0, 4);
    }
    bpf_ringbuf_submit(event, 0);
    return 0;
}

#endif
