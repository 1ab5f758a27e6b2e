/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The way to the peer, by the kernel's own tables, for every frame: a changed route or gateway needs no telling. */
#ifndef PW_ROUTE_H
#define PW_ROUTE_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "abi/pseudowire_abi.h"

#define PW_AF_INET 2
#define PW_AF_INET6 10

/*
 * Finds the interface towards the peer for an outer packet of `length` octets (for a segmentation-offload frame: of its
 * longest segment), which the path's MTU must admit. Returns the interface's index, or the negative drop reason.
 *
 * bpf_fib_lookup() answers only for an interface on which forwarding is on. Ours, the splitter's inner end, has it on,
 * so that nobody has to make their machine a router. Where it was turned off by a sysctl for all interfaces, the
 * interface that was right when the pseudowire was configured serves.
 */
static __always_inline int route_to_peer(struct __sk_buff *skb, const struct pw_encap *encap, __u32 length) {
    if (length > 0xffff)
        return -PW_DROP_TOO_BIG;
    struct bpf_fib_lookup fib = {};
    fib.ifindex = encap->fib_ifindex;
    fib.tot_len = length;
    if (encap->flags & PW_FLAG_UDP)
        fib.l4_protocol = IPPROTO_UDP;
    else
        fib.l4_protocol = IPPROTO_L2TP_DATA;
    if (encap->flags & PW_FLAG_IPV6) {
        fib.family = PW_AF_INET6;
        __builtin_memcpy(fib.ipv6_src, &encap->header[2], 16);
        __builtin_memcpy(fib.ipv6_dst, &encap->header[6], 16);
    } else {
        fib.family = PW_AF_INET;
        fib.tos = encap->traffic_class;
        fib.ipv4_src = encap->header[3];
        fib.ipv4_dst = encap->header[4];
    }
    int rc = encap->fib_ifindex ? (int)bpf_fib_lookup(skb, &fib, sizeof(fib), 0) : BPF_FIB_LKUP_RET_FWD_DISABLED;
    if (rc == BPF_FIB_LKUP_RET_SUCCESS || rc == BPF_FIB_LKUP_RET_NO_NEIGH)
        return fib.ifindex;
    if (rc == BPF_FIB_LKUP_RET_FRAG_NEEDED)
        return -PW_DROP_TOO_BIG;
    if ((rc == BPF_FIB_LKUP_RET_FWD_DISABLED || rc < 0) && encap->underlay) {
        __u32 mtu = length; /* in: the length to check instead of the frame's own */
        int fits = bpf_check_mtu(skb, encap->underlay, &mtu, 0, 0);
        if (fits == BPF_MTU_CHK_RET_FRAG_NEEDED)
            return -PW_DROP_TOO_BIG;
        if (!fits)
            return encap->underlay;
    }
    return -PW_DROP_NO_ROUTE;
}

#endif
