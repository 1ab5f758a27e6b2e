/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * An L2TPv3 Ethernet pseudowire (RFC 3931, RFC 4719) as tc programs. Entry points only; each header has one role.
 *
 * A frame that is not ours leaves with TC_ACT_UNSPEC, so that other programs on the hook still see it. A frame that is
 * ours leaves by a redirect, or is dropped and counted under a reason.
 */
#include "encap_xdp.h"
#include "decap_xdp.h"

/* Ingress of an access interface. */
SEC("tc")
int pw_encap(struct __sk_buff *skb) {
    return encapsulate(skb, skb->ifindex, 0, 0);
}

/* Ingress of the splitter's inner end: frames of wire size whose mark says from which access interface they came. */
SEC("tc")
int pw_encap_split(struct __sk_buff *skb) {
    __u32 mark = skb->mark;
    if (!mark || skb->gso_size)
        return drop_tx(0, PW_DROP_STRAY);
    if (mark & MARK_OUTER)
        return send_outer_piece(skb, mark & MARK_PORT);
    skb->mark = 0;
    int verdict = encapsulate(skb, mark & MARK_PORT, 1, !!(mark & MARK_PIECE));
    return verdict == TC_ACT_UNSPEC ? drop_tx(0, PW_DROP_STRAY) : verdict;
}

/* Ingress of an underlay interface with Ethernet headers. */
SEC("tc")
int pw_decap(struct __sk_buff *skb) {
    return decapsulate(skb, sizeof(struct ethhdr));
}

/*
 * Ingress of an underlay interface without Ethernet headers. A tun device's packets begin with the IP header; those of
 * an IPsec interface still have before it the Ethernet header that they came with.
 */
SEC("tc")
int pw_decap_l3(struct __sk_buff *skb) {
    return begins_with_ip(skb) ? decapsulate(skb, 0) : decapsulate(skb, sizeof(struct ethhdr));
}

/* Ingress of the joiner's inner end: TCP segments that the kernel has joined, whose mark says where they go. */
SEC("tc")
int pw_join(struct __sk_buff *skb) {
    return send_joined(skb);
}

/* Arrival on an access interface, before pw_encap: sends what is simple, and passes everything else to the filter. */
SEC("xdp")
int pw_encap_xdp(struct xdp_md *context) {
    return encapsulate_xdp(context);
}

/* Arrival on an underlay interface with Ethernet headers, before pw_decap. */
SEC("xdp")
int pw_decap_xdp(struct xdp_md *context) {
    return decapsulate_xdp(context);
}

/*
 * Does nothing, on the splitter's outer end, where nothing arrives. Its pinned link is how a later command learns
 * that the namespace is gone: the kernel then reports interface 0 for it.
 */
SEC("xdp")
int pw_alive(struct xdp_md *context) {
    (void)context;
    return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
