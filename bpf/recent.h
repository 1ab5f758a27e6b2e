/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The way that was found last, kept for the rest of the timer tick (1 to 10 ms): asking the routing and the neighbour
 * table for each frame costs more than all else that encapsulation does. So a change of theirs takes effect within a
 * tick. A filter's first frame of a tick goes by the neighbour table, which keeps the entry there in use, probed and
 * refreshed; only then are its addresses written here. XDP programs cannot do that, and leave a frame to the filter now
 * and then.
 */
#ifndef PW_RECENT_H
#define PW_RECENT_H

#include "maps.h"

#define RECENT_WAYS 1024 /* a power of two */

/* What the kernel was asked. */
struct way_question {
    __u32 fib_ifindex;
    __u16 flags;
    __u8 traffic_class;
    __u8 reserved;
    __u64 addresses[4]; /* both, as they stand in the header; IPv4's are the first */
};

struct recent_way {
    __u64 tick;
    __u64 begun; /* when it was written, and again when that was done: else one writer has interrupted another */
    struct way_question question;
    __u32 ifindex;
    __u32 mtu;       /* of the path; at least this */
    __u32 header[3]; /* Ethernet addresses, destination first */
    struct bpf_redir_neigh next;
    __u16 transmits;   /* 1: an XDP program may redirect to the interface */
    __u16 wants_table; /* 1: an XDP program wants the next frame to go by the neighbour table */
    __u64 ended;
};

/* Each CPU's own; not pinned, since it outlives nothing. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, RECENT_WAYS);
    __type(key, __u32);
    __type(value, struct recent_way);
} recent SEC(".maps");

static __always_inline void ask(const struct pw_encap *encap, struct way_question *question) {
    question->fib_ifindex = encap->fib_ifindex;
    question->flags = encap->flags & (PW_FLAG_IPV6 | PW_FLAG_UDP);
    question->traffic_class = encap->traffic_class;
    question->reserved = 0;
    if (encap->flags & PW_FLAG_IPV6) {
        __builtin_memcpy(question->addresses, &encap->header[2], 32);
    } else {
        __builtin_memcpy(question->addresses, &encap->header[3], 8);
        question->addresses[1] = question->addresses[2] = question->addresses[3] = 0;
    }
}

/* Pseudowires to one peer share it: a million of them must not cost more each than one does. */
static __always_inline struct recent_way *recent_way(const struct way_question *question) {
    const __u64 *word = (const void *)question;
    __u64 mixed = word[0] + 3 * word[1] + 5 * word[2] + 7 * word[3] + 9 * word[4];
    __u32 index = (__u32)(mixed * 0x9e3779b97f4a7c15ULL >> 54) & (RECENT_WAYS - 1);
    return bpf_map_lookup_elem(&recent, &index);
}

/* Whether it answers the question for a packet of `length` octets. */
static __always_inline int still_holds(const struct recent_way *recent, const struct way_question *question,
                                       __u32 length) {
    const __u64 *asked = (const void *)&recent->question, *now = (const void *)question;
    return recent->tick == bpf_jiffies64() && recent->begun == recent->ended && length <= recent->mtu &&
           asked[0] == now[0] && asked[1] == now[1] && asked[2] == now[2] && asked[3] == now[3] && asked[4] == now[4];
}

/*
 * Keeps what the kernel has answered, if that is an Ethernet interface: only there are two addresses of six octets what
 * a packet begins with.
 */
static __always_inline void keep(struct recent_way *recent, const struct way_question *question,
                                 const struct bpf_fib_lookup *answer) {
    __u32 ifindex = answer->ifindex;
    const struct pw_port *port = bpf_map_lookup_elem(&ports, &ifindex);
    if (!port || !(port->flags & PW_PORT_ETHERNET))
        return;
    __u64 now = bpf_ktime_get_ns();
    recent->begun = now;
    asm volatile("" ::: "memory");
    recent->tick = bpf_jiffies64();
    recent->question = *question;
    recent->ifindex = ifindex;
    recent->mtu = answer->mtu_result;
    /* The look-up has put the gateway, if there is one, in the place of the destination. */
    recent->next.nh_family = answer->family;
    __builtin_memcpy(recent->next.ipv6_nh, answer->ipv6_dst, sizeof(answer->ipv6_dst));
    __builtin_memcpy(&recent->header[0], answer->dmac, 6);
    __builtin_memcpy((char *)recent->header + 6, answer->smac, 6);
    recent->transmits = !!(port->flags & PW_PORT_TRANSMITS);
    asm volatile("" ::: "memory");
    recent->ended = now;
}

/* What is known of an interface of ours, kept as long: it is asked for each frame. */
struct recent_port {
    __u64 tick;
    __u32 ifindex;
    __u32 flags; /* PW_PORT_* */
    __u8 address[6];
    __u16 reserved;
};

#define RECENT_PORTS 256 /* a power of two */

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, RECENT_PORTS);
    __type(key, __u32);
    __type(value, struct recent_port);
} recent_ports SEC(".maps");

static __always_inline const struct recent_port *recent_port(__u32 ifindex) {
    __u32 index = ifindex & (RECENT_PORTS - 1);
    struct recent_port *recent = bpf_map_lookup_elem(&recent_ports, &index);
    if (!recent)
        return 0;
    __u64 tick = bpf_jiffies64();
    if (recent->tick != tick || recent->ifindex != ifindex) {
        const struct pw_port *port = bpf_map_lookup_elem(&ports, &ifindex);
        if (!port)
            return 0;
        recent->ifindex = ifindex;
        recent->flags = port->flags;
        __builtin_memcpy(recent->address, port->address, sizeof(recent->address));
        recent->tick = tick;
    }
    return recent;
}

#endif
