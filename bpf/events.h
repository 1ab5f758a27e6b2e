/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Telling user space of packets that somebody should look into: few enough that a flood of them costs nothing. */
#ifndef PW_EVENTS_H
#define PW_EVENTS_H

#include "maps.h"
#include "parse.h"

/* `packet` is the program's own context, of the kind that `is_xdp` says. */
static __always_inline int report_from(void *packet, const int is_xdp, __u32 offset, __u32 session_id, __u32 reason) {
    struct __sk_buff *skb = packet;
    struct xdp_md *context = packet;
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
    event->ifindex = is_xdp ? context->ingress_ifindex : skb->ifindex;
    __u32 length = is_xdp ? frame_octets((void *)(long)context->data, (void *)(long)context->data_end) : skb->len;
    event->length = length > offset ? length - offset : 0;
    /* Whole quarters, since a length that only the packet knows is one that old verifiers do not. */
#pragma unroll
    for (int i = 0; i < PW_EVENT_OCTETS; i += 4) {
        if (load_octets(packet, is_xdp, offset + i, event->octets + i, 4))
            __builtin_memset(event->octets + i, 0, 4);
    }
    bpf_ringbuf_submit(event, 0);
    return 0;
}

/* `offset` is where the packet's IP header begins. */
__noinline int report(struct __sk_buff *skb, __u32 offset, __u32 session_id, __u32 reason) {
    return report_from(skb, 0, offset, session_id, reason);
}

__noinline int report_xdp(struct xdp_md *context, __u32 offset, __u32 session_id, __u32 reason) {
    return report_from(context, 1, offset, session_id, reason);
}

#endif
