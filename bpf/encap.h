/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* From the access interface to the underlay. */
#ifndef PW_ENCAP_H
#define PW_ENCAP_H

#include "fragment.h"
#include "headers.h"
#include "icmp.h"
#include "maps.h"
#include "mss.h"
#include "parse.h"
#include "round.h"
#include "route.h"
#include "sequence.h"
#include "stats.h"
#include "vlan.h"

/*
 * Segmentation-offload frames that the kernel could not cut correctly once they are inside a packet: protocol 115 has
 * no segmentation handler, a UDP checksum or a sequence number would be one for all segments, and an outer length has
 * 16 bits. They take a turn through the splitter, a veth pair of ours without offloads, and come back as frames of wire
 * size.
 */
static __always_inline int needs_split(struct __sk_buff *skb, const struct pw_encap *encap) {
    if (!skb->gso_size)
        return 0;
    return !(encap->flags & PW_FLAG_UDP) ||
           (encap->flags & (PW_FLAG_UDP_CHECKSUM | PW_FLAG_FINISH | PW_FLAG_SEQUENCE_SEND)) ||
           skb->len + encap->header_length + 8 > 0xffff;
}

static __always_inline int may_split(const struct pw_encap *encap, const int is_round) {
    return encap->split_ifindex && !is_round;
}

static __always_inline int split(struct __sk_buff *skb, const struct pw_encap *encap, __u32 port, const int is_round) {
    if (!may_split(encap, is_round))
        return drop_tx(encap->slot, PW_DROP_NO_SEGMENTATION);
    /* The mark tells the other end of the splitter whose frame this is. */
    skb->mark = port;
    return bpf_redirect(encap->split_ifindex, 0);
}

/* Whether a frame goes round; with `must` it does. What comes from there has been, and is not asked. */
static __always_inline int in_order(struct __sk_buff *skb, const struct pw_encap *encap, const int is_round,
                                    const struct inner_packet *inner, int must) {
    return may_split(encap, is_round) && has_rounds(encap) ? goes_round(skb, inner, encap->slot, must) : must;
}

/* Tags as the peer is to see them: those of `taken`, the outermost one perhaps changed. */
static __always_inline void vlan_translate(const struct vlan_tags *taken, __u16 tag, struct vlan_tags *sent) {
    *sent = *taken;
    if (tag == PW_TAG_KEEP || !taken->count)
        return;
    if (tag == PW_TAG_STRIP) {
        sent->tag[0] = taken->tag[1];
        sent->count = taken->count - 1;
    } else {
        sent->tag[0].tci = (taken->tag[0].tci & bpf_htons(~PW_VLAN_ID)) | bpf_htons(tag);
    }
}

/* The pseudowire of a frame: that of its interface, or that of its VLAN there. */
static __always_inline struct pw_encap *find_encap(struct __sk_buff *skb, __u32 port) {
    struct pw_access_key key = {.ifindex = port, .vlan = PW_VLAN_ANY};
    struct pw_encap *encap = bpf_map_lookup_elem(&access, &key);
    if (encap)
        return encap;
    key.vlan = vlan_of(skb);
    return bpf_map_lookup_elem(&access, &key);
}

/* DSCP and ECN of the outer packet. */
static __always_inline __u8 outer_traffic_class(const struct pw_encap *encap, const struct inner_packet *inner) {
    __u8 traffic_class = encap->traffic_class;
    if (inner->is_ip) {
        if (encap->flags & PW_FLAG_DSCP_INHERIT)
            traffic_class = inner->traffic_class & 0xfc;
        if (encap->flags & PW_FLAG_ECN)
            traffic_class |= inner->traffic_class & 3;
    }
    return traffic_class;
}

static __always_inline int fragment_outer(struct __sk_buff *skb, __u32 limit, __u32 splitter, __u32 mark) {
    struct vlan_tags none = {};
    return skb->protocol == bpf_htons(ETH_P_IPV6) ? fragment_packet_v6(skb, limit, splitter, mark)
                                                  : fragment_packet(skb, limit, splitter, mark, &none);
}

/* `is_round`: it came out of the splitter, a constant at both calls. */
static __always_inline int encapsulate(struct __sk_buff *skb, __u32 port, const int is_round, int is_piece) {
    struct pw_encap *encap = find_encap(skb, port);
    if (!encap)
        return TC_ACT_UNSPEC;
    __u32 slot = encap->slot;

    struct vlan_tags tags;
    int taken = vlan_take(skb, &tags);
    if (taken)
        return drop_tx(slot, taken == TAGS_TOO_MANY ? PW_DROP_VLAN_DEPTH : PW_DROP_FRAME_TOO_SHORT);
    if (is_piece && trim_to_piece(skb))
        return drop_tx(slot, PW_DROP_NOT_FRAGMENTED);
    if (make_headers_linear(skb, 0))
        return drop_tx(slot, PW_DROP_NO_ROOM);

    void *data = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    if ((void *)(eth + 1) > end)
        return drop_tx(slot, PW_DROP_FRAME_TOO_SHORT);
    struct outgoing out = {};
    out.eth = *eth;
    __be16 ethertype = eth->h_proto;
    int is_ip = skb->protocol == ethertype && (ethertype == bpf_htons(ETH_P_IP) || ethertype == bpf_htons(ETH_P_IPV6));

    vlan_translate(&tags, encap->tag, &out.tags);
    __u32 tag_octets = out.tags.count * 4;
    __u32 outer_length = encap->header_length & 0x7f;
    __u32 overhead = outer_length + sizeof(struct ethhdr) + tag_octets; /* of an IP packet's */
    __u32 gso_size = skb->gso_size;

    struct inner_packet inner;
    inspect_inner(skb, sizeof(struct ethhdr), ethertype, &inner);
    __u32 longest = skb->len - sizeof(struct ethhdr); /* the longest packet that this will be on a wire */
    if (gso_size)
        longest = inner.headers + gso_size;
    /*
     * A veth hands frames over with checksums not filled in, which is fine among Linux stacks, until the frame is in a
     * tunnel whose other end, like the kernel's own L2TP, forgets the remark and finds the checksum wrong. An outer
     * checksum over what is not filled in would be wrong too, but for what the identity knows: not a frame with
     * padding.
     */
    if (inner.length + sizeof(struct ethhdr) != skb->len)
        inner.is_sum_known = 0;
    int wants_whole =
        ((encap->flags & PW_FLAG_FINISH) && (inner.is_partial || inner.may_be_partial)) ||
        ((encap->flags & PW_FLAG_UDP_CHECKSUM) && (inner.may_be_partial || (inner.is_partial && !inner.is_sum_known)));
    /* Not TCP or UDP over IP: the kernel will not cut it behind our headers, but the splitter will. */
    int must = needs_split(skb, encap) || (gso_size && (!is_ip || !inner.headers)) ||
               (wants_whole && may_split(encap, is_round));
    if (in_order(skb, encap, is_round, &inner, must)) {
        if (vlan_restore(skb, &tags))
            return drop_tx(slot, PW_DROP_NO_ROOM);
        return split(skb, encap, port, is_round);
    }

    struct way way;
    route_to_peer(skb, encap, longest + overhead, &way);
    __u32 limit = configured_limit(encap, overhead);
    if (way.reason == PW_DROP_TOO_BIG && way.mtu < limit)
        limit = way.mtu;
    if (way.reason == PW_DROP_REASON_COUNT && longest + overhead > limit)
        way.reason = PW_DROP_TOO_BIG;
    int is_cut = 0; /* the outer packet will be */
    if (way.reason == PW_DROP_TOO_BIG && limit > overhead) {
        /* What is cut goes round. */
        if (encap->flags & PW_FLAG_FRAGMENT_OUTER || !inner.dont_fragment)
            in_order(skb, encap, is_round, &inner, 1);
        if ((gso_size || inner.is_partial || inner.may_be_partial) && may_split(encap, is_round)) {
            /* Whatever becomes of it, first it must be whole frames with whole checksums. */
            if (vlan_restore(skb, &tags))
                return drop_tx(slot, PW_DROP_NO_ROOM);
            return split(skb, encap, port, is_round);
        }
        if (encap->flags & PW_FLAG_FRAGMENT_OUTER) {
            is_cut = 1;
        } else if (!is_ip || !inner.is_ip || gso_size) {
            return drop_tx(slot, PW_DROP_TOO_BIG);
        } else if (!inner.dont_fragment && (encap->flags & PW_FLAG_FRAGMENT_INNER)) {
            if (fragment_packet(skb, limit - overhead, encap->split_ifindex, port, &tags))
                return drop_tx(slot, PW_DROP_NOT_FRAGMENTED);
            return bpf_redirect(encap->split_ifindex, 0);
        } else if (inner.dont_fragment && (encap->flags & PW_FLAG_TOO_BIG_REPLY)) {
            int verdict = drop_tx(slot, PW_DROP_TOO_BIG);
            if (make_linear(skb, LINEAR_WANTED) ||
                reply_too_big(skb, slot, limit - overhead, ethertype == bpf_htons(ETH_P_IPV6)) ||
                vlan_restore(skb, &tags))
                return verdict;
            return bpf_redirect(port, 0);
        } else {
            return drop_tx(slot, PW_DROP_TOO_BIG);
        }
        /* The kernel names no interface to what does not fit. */
        route_to_peer(skb, encap, limit, &way);
        if (way.reason != PW_DROP_REASON_COUNT)
            return drop_tx(slot, way.reason);
    } else if (way.reason != PW_DROP_REASON_COUNT) {
        return drop_tx(slot, way.reason);
    }
    if (inner.is_syn && (encap->flags & PW_FLAG_MSS_CLAMP)) {
        __u32 mss = mss_for(path_limit(skb, encap, overhead), overhead, ethertype);
        if (mss)
            clamp_mss(skb, inner.l4_offset, mss, inner.is_partial);
    }

    __u32 length = skb->len; /* without tags */
    out.frame_length = length + tag_octets;
    if (encap->flags & (PW_FLAG_ENTROPY_SEND | PW_FLAG_FLOW_LABEL))
        out.hash = bpf_get_hash_recalc(skb);
    out.traffic_class = outer_traffic_class(encap, &inner);
    /*
     * The sum by identity counts the IP packet; an Ethernet frame padded to its minimum has more, and is short enough
     * to be summed the plain way, like everything else that the identity does not cover.
     */
    out.is_sum_known = inner.is_sum_known;
    out.sum = inner.sum;

    __u32 room = outer_length + sizeof(struct ethhdr) + tag_octets;
    /* A frame that is to be cut must not be marked as encapsulated: the kernel would refuse to shorten it. */
    int is_marked = is_ip && !is_cut;
    if (is_marked) {
        __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L2_ETH;
        if (out.tags.count == 0)
            flags |= BPF_F_ADJ_ROOM_ENCAP_L2(14);
        else if (out.tags.count == 1)
            flags |= BPF_F_ADJ_ROOM_ENCAP_L2(18);
        else
            flags |= BPF_F_ADJ_ROOM_ENCAP_L2(22);
        if (encap->flags & PW_FLAG_IPV6)
            flags |= BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
        else
            flags |= BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
        if (encap->flags & PW_FLAG_UDP)
            flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
        if (bpf_skb_adjust_room(skb, room, BPF_ADJ_ROOM_MAC, flags)) {
            /*
             * Refused before anything was changed: the kernel marks no packet twice, and this one was in a tunnel of
             * the customer's, or of ours, on this machine already. Unless it must be cut it needs no mark.
             */
            if (gso_size) {
                if (vlan_restore(skb, &tags))
                    return drop_tx(slot, PW_DROP_NO_ROOM);
                return split(skb, encap, port, is_round);
            }
            is_marked = 0;
        }
    }
    if (!is_marked && bpf_skb_change_head(skb, room, 0))
        return drop_tx(slot, PW_DROP_NO_ROOM);

    int reason = write_headers(skb, encap, &out);
    if (reason != PW_DROP_REASON_COUNT)
        return drop_tx(slot, reason);
    if (!is_marked && protocol_refresh(skb))
        return drop_tx(slot, PW_DROP_NO_ROOM);
    __u32 frames = wire_frames(out.frame_length, sizeof(struct ethhdr) + tag_octets + inner.headers, gso_size);
    count_tx(slot, frames, out.frame_length + (frames - 1) * (sizeof(struct ethhdr) + tag_octets + inner.headers));
    if (is_cut) {
        if (fragment_outer(skb, limit, encap->split_ifindex, MARK_OUTER | way.ifindex))
            return drop_tx(slot, PW_DROP_NOT_FRAGMENTED);
        return bpf_redirect(encap->split_ifindex, 0);
    }
    return send(skb, &way, is_marked);
}

/* A piece of an outer packet, come out of the splitter: sent by the way that was found for it, interface `out`. */
__noinline int send_outer_piece(struct __sk_buff *skb, __u32 out) {
    if ((skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6)) || trim_to_piece(skb))
        return drop_tx(0, PW_DROP_NOT_FRAGMENTED);
    __u32 length = skb->len - sizeof(struct ethhdr);
    __u32 mtu = length; /* in: the length to check instead of the frame's own; out: the device's MTU */
    if (bpf_check_mtu(skb, out, &mtu, 0, 0) < 0)
        return drop_tx(0, PW_DROP_NO_ROUTE);
    if (length > mtu)
        return drop_tx(0, PW_DROP_TOO_BIG);
    skb->mark = 0;
    return bpf_redirect_neigh(out, 0, 0, 0);
}

#endif
