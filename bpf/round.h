/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Keeping a flow's order around the splitter. What goes through it waits in the CPU's backlog, and the flow's next
 * frame, which need not be cut, would overtake it on the straight way. So once a frame of a flow has gone round, all
 * follow it, until the flow has paused for longer than a frame can be in there.
 */
#ifndef PW_ROUND_H
#define PW_ROUND_H

#include "flow.h"
#include "maps.h"
#include "parse.h"

#define ROUND_FLOWS 4096 /* a power of two */
/*
 * Milliseconds. The backlog is emptied in the same softirq, or where there was too much for that by ksoftirqd, when the
 * scheduler lets it: some of its slices, and of the coarse clock's steps, which are as long as ten.
 */
#define ROUND_PAUSE 20

/*
 * When a frame of a flow last went round, by the flow's hash and for all of them together (the last entry):
 * milliseconds by the coarse CLOCK_MONOTONIC. Flows that share an entry only take the round more often than they need.
 * Not pinned, since it outlives nothing.
 */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, ROUND_FLOWS + 1);
    __type(key, __u32);
    __type(value, __u32);
} rounds SEC(".maps");

/* Wires some of whose frames go round and others not. Of the others' none pays for this. */
static __always_inline int has_rounds(const struct pw_encap *encap) {
    return !(encap->flags & PW_FLAG_UDP) ||
           (encap->flags & (PW_FLAG_UDP_CHECKSUM | PW_FLAG_FINISH | PW_FLAG_SEQUENCE_SEND | PW_FLAG_FRAGMENT_OUTER));
}

/*
 * Whether a frame without tags goes round: if it must, which is kept in mind, or if one of its flow did just now.
 * Where nothing has gone round lately that is all that is asked.
 */
__noinline int goes_round(struct __sk_buff *skb, const struct inner_packet *inner, __u32 slot, __u32 must) {
    __u32 place = ROUND_FLOWS;
    __u32 *last = bpf_map_lookup_elem(&rounds, &place);
    if (!inner || !last)
        return must;
    __u32 now = bpf_ktime_get_coarse_ns() / 1000000;
    if (!must && now - *last > ROUND_PAUSE)
        return 0;
    struct ethhdr *eth = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    if ((void *)(eth + 1) > end)
        return must;
    place = hash_of(eth + 1, end, eth->h_proto, inner, eth, slot) & (ROUND_FLOWS - 1);
    __u32 *flow = bpf_map_lookup_elem(&rounds, &place);
    if (!flow || (!must && now - *flow > ROUND_PAUSE))
        return must;
    if (*flow != now)
        *flow = now;
    if (*last != now)
        *last = now;
    return 1;
}

#endif
