/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The way to the peer, by the kernel's own tables: a changed route or gateway needs no telling. */
#ifndef PW_ROUTE_H
#define PW_ROUTE_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "recent.h"

#define PW_AF_INET 2
#define PW_AF_INET6 10

/* What the kernel's tables say of the way to the peer. */
struct way {
    __u32 ifindex;               /* if it may be taken */
    __u32 reason;                /* why there is none, or none for so much: a drop reason; else PW_DROP_REASON_COUNT */
    __u32 mtu;                   /* of the path, outer packet, when the reason is PW_DROP_TOO_BIG; 0: too big for any */
    __u32 is_recent;             /* 1: the Ethernet addresses are known too */
    struct bpf_redir_neigh next; /* the next hop; without family: to be looked up again when the packet is sent */
    __u32 header[3];             /* Ethernet addresses, destination first */
};

/* Asks the routing and neighbour tables; `context` is the program's own, of either kind. BPF_FIB_LKUP_RET_* or less. */
static __always_inline int look_up(void *context, const struct pw_encap *encap, __u32 length,
                                   struct bpf_fib_lookup *fib) {
    fib->ifindex = encap->fib_ifindex;
    fib->tot_len = length;
    if (encap->flags & PW_FLAG_UDP)
        fib->l4_protocol = IPPROTO_UDP;
    else
        fib->l4_protocol = IPPROTO_L2TP_DATA;
    if (encap->flags & PW_FLAG_IPV6) {
        fib->family = PW_AF_INET6;
        __builtin_memcpy(fib->ipv6_src, &encap->header[2], 16);
        __builtin_memcpy(fib->ipv6_dst, &encap->header[6], 16);
    } else {
        fib->family = PW_AF_INET;
        fib->tos = encap->traffic_class;
        fib->ipv4_src = encap->header[3];
        fib->ipv4_dst = encap->header[4];
    }
    return encap->fib_ifindex ? (int)bpf_fib_lookup(context, fib, sizeof(*fib), 0) : BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/*
 * Finds the interface towards the peer for an outer packet of `length` octets (for a segmentation-offload frame: of its
 * longest segment), which the path's MTU must admit.
 *
 * bpf_fib_lookup() answers only for an interface on which forwarding is on. Ours, the splitter's inner end, has it on,
 * so that nobody has to make their machine a router. Where it was turned off by a sysctl for all interfaces, the
 * interface that was right when the pseudowire was configured serves.
 */
__noinline int route_to_peer(struct __sk_buff *skb, const struct pw_encap *encap, __u32 length, struct way *way) {
    if (!encap || !way)
        return 0;
    way->ifindex = 0;
    way->reason = PW_DROP_REASON_COUNT;
    way->mtu = 0;
    way->is_recent = 0;
    way->next.nh_family = 0;
    if (length > 0xffff) {
        way->reason = PW_DROP_TOO_BIG;
        return 0;
    }
    struct way_question question;
    ask(encap, &question);
    struct recent_way *recent = recent_way(&question);
    if (recent && still_holds(recent, &question, length) && !recent->wants_table) {
        way->ifindex = recent->ifindex;
        way->next = recent->next;
        __builtin_memcpy(way->header, recent->header, sizeof(way->header));
        way->is_recent = 1;
        return 0;
    }
    struct bpf_fib_lookup fib = {};
    int rc = look_up(skb, encap, length, &fib);
    if (rc == BPF_FIB_LKUP_RET_SUCCESS || rc == BPF_FIB_LKUP_RET_NO_NEIGH) {
        way->ifindex = fib.ifindex;
        /* The look-up has put the gateway, if there is one, in the place of the destination. */
        way->next.nh_family = fib.family;
        __builtin_memcpy(way->next.ipv6_nh, fib.ipv6_dst, sizeof(fib.ipv6_dst));
        if (rc == BPF_FIB_LKUP_RET_SUCCESS && recent) {
            keep(recent, &question, &fib);
            recent->wants_table = 0;
        }
        return 0;
    }
    if (rc == BPF_FIB_LKUP_RET_FRAG_NEEDED) {
        way->reason = PW_DROP_TOO_BIG;
        way->mtu = fib.mtu_result;
        return 0;
    }
    way->reason = PW_DROP_NO_ROUTE;
    if ((rc == BPF_FIB_LKUP_RET_FWD_DISABLED || rc < 0) && encap->underlay) {
        __u32 mtu = length; /* in: the length to check instead of the frame's own; out: the device's MTU */
        int fits = bpf_check_mtu(skb, encap->underlay, &mtu, 0, 0);
        /* Of a segmentation-offload frame the helper says that it fits, and yet tells the MTU. */
        if (fits == BPF_MTU_CHK_RET_FRAG_NEEDED || (!fits && length > mtu)) {
            way->reason = PW_DROP_TOO_BIG;
            way->mtu = mtu;
        } else if (!fits) {
            way->reason = PW_DROP_REASON_COUNT;
            way->ifindex = encap->underlay;
        }
    }
    return 0;
}

/*
 * The way for an outer packet of `length` octets if an XDP program can send it by itself; else null, and the filter
 * finds it. One look-up in NEIGHBOUR_TURN is left to the filter, whose frame goes by the neighbour table: that keeps
 * the entry there in use, probed and refreshed. Rarely, since that frame may be overtaken.
 */
#define NEIGHBOUR_TURN 256 /* where frames come all the time, about once a second */

static __always_inline const struct recent_way *way_for_xdp(struct xdp_md *context, const struct pw_encap *encap,
                                                            __u32 length) {
    struct way_question question;
    ask(encap, &question);
    struct recent_way *recent = recent_way(&question);
    if (!recent || length > 0xffff)
        return 0;
    if (!still_holds(recent, &question, length)) {
        if (bpf_get_prandom_u32() % NEIGHBOUR_TURN == 0) {
            recent->wants_table = 1;
            return 0;
        }
        struct bpf_fib_lookup fib = {};
        if (look_up(context, encap, length, &fib) != BPF_FIB_LKUP_RET_SUCCESS)
            return 0;
        keep(recent, &question, &fib);
        if (!still_holds(recent, &question, length))
            return 0;
    }
    return recent->transmits ? recent : 0;
}

/*
 * Sends a packet the way that was found. Telling the next hop spares the kernel a second look-up, which where there are
 * several ways might also choose another one. Where its address is known too, and the kernel knows where the packet's
 * IP header is (`is_marked`), nothing is left to look up.
 */
static __always_inline int send(struct __sk_buff *skb, struct way *way, int is_marked) {
    if (way->is_recent && is_marked) {
        void *data = (void *)(long)skb->data;
        if (data + sizeof(way->header) > (void *)(long)skb->data_end)
            return bpf_redirect_neigh(way->ifindex, 0, 0, 0);
        __builtin_memcpy(data, way->header, sizeof(way->header));
        return bpf_redirect(way->ifindex, 0);
    }
    if (way->next.nh_family)
        return bpf_redirect_neigh(way->ifindex, &way->next, sizeof(way->next), 0);
    return bpf_redirect_neigh(way->ifindex, 0, 0, 0);
}

/* The smaller of what ICMP and the operator say, outer packet; 0xffff if neither says anything. */
static __always_inline __u32 configured_limit(const struct pw_encap *encap, __u32 overhead) {
    __u32 limit = 0xffff;
    if (encap->mtu && encap->mtu + overhead < limit)
        limit = encap->mtu + overhead;
    if (encap->path_mtu && encap->path_mtu < limit && bpf_ktime_get_ns() < encap->path_mtu_until)
        limit = encap->path_mtu;
    return limit;
}

/*
 * What the path takes, outer packet, whatever the frame at hand. For SYNs only: a look-up for the longest packet there
 * is, which no path takes, is the one that is answered with the MTU on every kernel. 0 where nothing is known.
 */
static __always_inline int path_limit(struct __sk_buff *skb, const struct pw_encap *encap, __u32 overhead) {
    if (!encap)
        return 0;
    struct way way;
    route_to_peer(skb, encap, 0xffff, &way);
    __u32 limit = configured_limit(encap, overhead);
    if (way.reason == PW_DROP_TOO_BIG)
        return limit < way.mtu ? limit : way.mtu;
    return way.reason == PW_DROP_REASON_COUNT ? limit : 0;
}

#endif
