/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Joining TCP segments after decapsulation, as the kernel's tunnels do by gro_cells.
 *
 * No BPF program can join two frames, but a veth whose end polls gives all that it receives to GRO. So the segments
 * are redirected into the joiner, a pair of ours, and come out of its inner end joined, where pw_join sends them on to
 * the access interface that their mark names. GRO compares neither marks nor pseudowires, but hashes: that of a frame
 * here is a different one for each pseudowire that has the same addresses and ports inside, so nothing of two
 * customers is ever joined.
 *
 * What joining cannot gain anything from goes straight: pure acknowledgements, flows of small segments, and what comes
 * in joined already. A flow's frames keep their order all the same: once one has gone round, all that carry something
 * follow it, until the flow has paused for longer than a frame can be in there.
 */
#ifndef PW_JOIN_H
#define PW_JOIN_H

#include "flow.h"
#include "maps.h"
#include "parse.h"
#include "stats.h"

#define JOIN_WORTH 512      /* octets of payload from which on a segment is likely to be one of many */
#define JOIN_PAUSE 50       /* milliseconds */
#define JOIN_WHOLE_FOR 1000 /* milliseconds for which a flow that came in joined is taken to go on so */
#define JOIN_FOUND (1ULL << 32)
#define TCP_FLAGS_OFFSET 13
#define TCP_ACK_ALONE 0x10

static __always_inline __u32 joiner_outer(void) {
    __u32 first = 0;
    const struct pw_meta *state = bpf_map_lookup_elem(&meta, &first);
    return state ? state->joiner_outer : 0;
}

/*
 * Whether a frame goes through the joiner: 0, or its hash there with JOIN_FOUND set. `offset` is where its IP header
 * is, before decapsulation.
 */
__noinline __u64 join_hash(struct __sk_buff *skb, __u32 offset, const struct inner_packet *inner, __u32 slot) {
    if (!inner || !inner->headers || !inner->l4_offset || inner->length < inner->headers || !joiner_outer())
        return 0;
    void *data = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    /* No header of ours and theirs reaches further; the masks are for older verifiers. */
    asm volatile("" : "+r"(offset));
    offset &= 0xff;
    __u32 place = inner->l4_offset;
    asm volatile("" : "+r"(place));
    place &= 0xff;
    __u8 *tcp = data + place;
    if ((void *)(tcp + sizeof(struct tcphdr)) > end)
        return 0;
    __u32 payload = inner->length - inner->headers;
    if (!payload && tcp[TCP_FLAGS_OFFSET] == TCP_ACK_ALONE)
        return 0;

    __u32 ports = *(__u32 *)tcp;
    __u32 hash;
    struct ipv6hdr *v6 = data + offset;
    struct iphdr *v4 = data + offset;
    if ((void *)(v4 + 1) > end)
        return 0;
    if (v4->version == 4) {
        hash = flow_hash(&v4->saddr, 2, ports, slot);
    } else {
        if ((void *)(v6 + 1) > end)
            return 0;
        hash = flow_hash((const __u32 *)&v6->saddr, 8, ports, slot);
    }

    __u32 place_of_flow = hash & (PW_FLOWS - 1);
    struct pw_flow *flow = bpf_map_lookup_elem(&flows, &place_of_flow);
    if (!flow)
        return 0;
    __u32 now = bpf_ktime_get_coarse_ns() / 1000000;
    int goes = now - flow->joined <= JOIN_PAUSE;
    if (skb->gso_size) {
        if (flow->whole != now)
            flow->whole = now;
    } else if (payload >= JOIN_WORTH && now - flow->whole > JOIN_WHOLE_FOR) {
        goes = 1;
    }
    if (!goes)
        return 0;
    if (flow->joined != now)
        flow->joined = now;
    return JOIN_FOUND | hash;
}

static __always_inline int send_to_join(struct __sk_buff *skb, __u64 found, __u32 access) {
    skb->mark = access;
    bpf_set_hash(skb, (__u32)found);
    return bpf_redirect(joiner_outer(), 0);
}

/* What came out of the joiner, on to its access interface. */
static __always_inline int send_joined(struct __sk_buff *skb) {
    __u32 access = skb->mark;
    __u32 mtu = 0;
    /* A redirection to what is not there would be a loss that nobody counts. */
    if (!access || bpf_check_mtu(skb, access, &mtu, 0, 0) < 0)
        return drop_tx(0, PW_DROP_STRAY);
    skb->mark = 0;
    bpf_set_hash_invalid(skb);
    return bpf_redirect(access, 0);
}

#endif
