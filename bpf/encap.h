/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* From the access interface to the underlay. */
#ifndef PW_ENCAP_H
#define PW_ENCAP_H

#include "maps.h"
#include "parse.h"
#include "route.h"
#include "stats.h"
#include "vlan.h"

/*
 * Segmentation-offload frames that the kernel could not cut correctly once they are inside a packet: protocol 115 has
 * no segmentation handler, a UDP checksum would be one for all segments, and an outer length has 16 bits. They take a
 * turn through the splitter, a veth pair of ours without offloads, and come back as frames of wire size.
 */
static __always_inline int needs_split(struct __sk_buff *skb, const struct pw_encap *encap) {
    if (!skb->gso_size)
        return 0;
    return !(encap->flags & PW_FLAG_UDP) || (encap->flags & (PW_FLAG_UDP_CHECKSUM | PW_FLAG_FINISH)) ||
           skb->len + encap->header_length + 8 > 0xffff;
}

static __always_inline int split(struct __sk_buff *skb, const struct pw_encap *encap, __u32 port) {
    if (!encap->split_ifindex || port != skb->ifindex)
        return drop_tx(encap->slot, PW_DROP_NO_SEGMENTATION);
    /* The mark tells the other end of the splitter whose frame this is. */
    skb->mark = port;
    return bpf_redirect(encap->split_ifindex, 0);
}

/* Copies the header template; `start` is where the outer IP header goes. 0, or -1 if the frame has no such room. */
static __always_inline int write_template(void *start, void *end, const struct pw_encap *encap) {
    __u32 *to = start;
    const __u32 *from = encap->header;
    __u32 fixed;
    /* Fixed parts by constant length, which the compiler turns into plain stores; then cookie and sublayer by word. */
    switch (encap->flags & (PW_FLAG_IPV6 | PW_FLAG_UDP)) {
    case 0:
        fixed = 6;
        if ((void *)(to + 6) > end)
            return -1;
        __builtin_memcpy(to, from, 24);
        break;
    case PW_FLAG_UDP:
        fixed = 9;
        if ((void *)(to + 9) > end)
            return -1;
        __builtin_memcpy(to, from, 36);
        break;
    case PW_FLAG_IPV6:
        fixed = 11;
        if ((void *)(to + 11) > end)
            return -1;
        __builtin_memcpy(to, from, 44);
        break;
    default:
        fixed = 14;
        if ((void *)(to + 14) > end)
            return -1;
        __builtin_memcpy(to, from, 56);
        break;
    }
    __u32 total = encap->header_length / 4;
#pragma unroll
    for (__u32 i = 0; i < 3; i++) {
        __u32 word = fixed + i;
        if (word >= total)
            break;
        if ((void *)(to + word + 1) > end || word >= PW_HEADER_SIZE / 4)
            return -1;
        to[word] = from[word];
    }
    return 0;
}

static __always_inline int encapsulate(struct __sk_buff *skb, __u32 port) {
    const struct pw_encap *encap = bpf_map_lookup_elem(&access, &port);
    if (!encap)
        return TC_ACT_UNSPEC;
    __u32 slot = encap->slot;
    if (needs_split(skb, encap))
        return split(skb, encap, port);

    struct vlan_tags tags;
    if (vlan_take(skb, &tags))
        return drop_tx(slot, PW_DROP_VLAN_DEPTH);
    if (make_linear(skb, LINEAR_WANTED))
        return drop_tx(slot, PW_DROP_UNREADABLE);

    void *data = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    if ((void *)(eth + 1) > end)
        return drop_tx(slot, PW_DROP_FRAME_TOO_SHORT);
    __be16 ethertype = eth->h_proto;
    struct ethhdr addresses = *eth;
    int is_ip = skb->protocol == ethertype && (ethertype == bpf_htons(ETH_P_IP) || ethertype == bpf_htons(ETH_P_IPV6));

    __u32 tag_octets = tags.count * 4;
    __u32 frame_length = skb->len + tag_octets;
    __u32 outer_length = encap->header_length & 0x7f;
    __u32 gso_size = skb->gso_size;

    struct inner_packet inner;
    inspect_inner(skb, sizeof(struct ethhdr), ethertype, &inner);
    __u32 inner_headers = sizeof(struct ethhdr) + tag_octets + inner.headers;
    __u32 segment_length = frame_length;
    if (gso_size) {
        if (!is_ip || !inner.headers) {
            /* Not TCP or UDP over IP: the kernel will not cut it behind our headers, but the splitter will. */
            if (vlan_restore(skb, &tags))
                return drop_tx(slot, PW_DROP_NO_ROOM);
            return split(skb, encap, port);
        }
        segment_length = inner_headers + gso_size;
    }
    /*
     * A veth hands frames over with checksums not filled in, which is fine among Linux stacks, until the frame is in a
     * tunnel whose other end, like the kernel's own L2TP, forgets the remark and finds the checksum wrong.
     */
    if ((encap->flags & PW_FLAG_FINISH) && inner.is_partial && port == skb->ifindex && encap->split_ifindex) {
        if (vlan_restore(skb, &tags))
            return drop_tx(slot, PW_DROP_NO_ROOM);
        return split(skb, encap, port);
    }

    int way = route_to_peer(skb, encap, segment_length + outer_length);
    if (way < 0)
        return drop_tx(slot, -way);

    /*
     * The sum by identity counts the IP packet; an Ethernet frame padded to its minimum has more, and is short enough
     * to be summed the plain way, like everything else that the identity does not cover.
     */
    int is_udp6_summed = encap->flags & PW_FLAG_UDP_CHECKSUM;
    int by_identity = inner.is_sum_known && inner.length + sizeof(struct ethhdr) == skb->len;

    __u32 room = outer_length + sizeof(struct ethhdr) + tag_octets;
    if (is_ip) {
        __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |
                      BPF_F_ADJ_ROOM_ENCAP_L2(sizeof(struct ethhdr) + tag_octets);
        if (encap->flags & PW_FLAG_IPV6)
            flags |= BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
        else
            flags |= BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
        if (encap->flags & PW_FLAG_UDP)
            flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
        if (bpf_skb_adjust_room(skb, room, BPF_ADJ_ROOM_MAC, flags)) {
            /* Most likely a tunnelled super-frame of the customer's: refused before anything was changed. */
            if (!gso_size || vlan_restore(skb, &tags))
                return drop_tx(slot, PW_DROP_NO_ROOM);
            return split(skb, encap, port);
        }
    } else {
        if (bpf_skb_change_head(skb, room, 0))
            return drop_tx(slot, PW_DROP_NO_ROOM);
    }

    data = (void *)(long)skb->data;
    end = (void *)(long)skb->data_end;
    eth = data;
    if ((void *)(eth + 1) > end)
        return drop_tx(slot, PW_DROP_NO_ROOM);
    /* The kernel writes both addresses when it has resolved the next hop; until then they must not be multicast. */
    __builtin_memset(eth, 0, 12);
    eth->h_proto = encap->flags & PW_FLAG_IPV6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
    if (write_template(eth + 1, end, encap))
        return drop_tx(slot, PW_DROP_NO_ROOM);

    /* The customer's Ethernet header again, its tags in it. */
    void *front = data + sizeof(struct ethhdr) + outer_length;
    if (front + sizeof(struct ethhdr) > end)
        return drop_tx(slot, PW_DROP_NO_ROOM);
    struct ethhdr *inner_eth = front;
    __builtin_memcpy(inner_eth, &addresses, 12);
    __u64 front_sum = sum_words(inner_eth, 12) + ethertype;
    if (tags.count == 0) {
        inner_eth->h_proto = ethertype;
    } else if (tags.count == 1) {
        if (front + 18 > end)
            return drop_tx(slot, PW_DROP_NO_ROOM);
        *(struct vlan_tag *)(front + 12) = tags.tag[0];
        *(__be16 *)(front + 16) = ethertype;
        front_sum += tags.tag[0].tpid + tags.tag[0].tci;
    } else {
        if (front + 22 > end)
            return drop_tx(slot, PW_DROP_NO_ROOM);
        *(struct vlan_tag *)(front + 12) = tags.tag[0];
        *(struct vlan_tag *)(front + 16) = tags.tag[1];
        *(__be16 *)(front + 20) = ethertype;
        front_sum += tags.tag[0].tpid + tags.tag[0].tci + tags.tag[1].tpid + tags.tag[1].tci;
    }

    __u32 l3_length = outer_length + frame_length;
    struct udphdr *udp;
    __u16 udp_length;
    if (encap->flags & PW_FLAG_IPV6) {
        struct ipv6hdr *ip = (void *)(eth + 1);
        udp = (void *)(ip + 1);
        if ((void *)(udp + 1) > end)
            return drop_tx(slot, PW_DROP_NO_ROOM);
        udp_length = l3_length - sizeof(*ip);
        ip->payload_len = bpf_htons(udp_length);
    } else {
        struct iphdr *ip = (void *)(eth + 1);
        udp = (void *)(ip + 1);
        if ((void *)(udp + 1) > end)
            return drop_tx(slot, PW_DROP_NO_ROOM);
        udp_length = l3_length - sizeof(*ip);
        ip->tot_len = bpf_htons((__u16)l3_length);
        ip->check = ~sum_fold((__u64)encap->ip_sum + ip->tot_len);
    }
    if (encap->flags & PW_FLAG_UDP) {
        udp->len = bpf_htons(udp_length);
        if (is_udp6_summed) {
            __u64 sum = (__u64)encap->udp_sum + udp->len + udp->len;
            if (by_identity) {
                sum += front_sum + inner.sum;
            } else {
                int frame_sum = sum_packet(skb, sizeof(struct ethhdr) + outer_length, frame_length);
                if (frame_sum < 0)
                    return drop_tx(slot, PW_DROP_UNREADABLE);
                sum += frame_sum;
            }
            __u16 check = ~sum_fold(sum);
            udp->check = check ? check : 0xffff; /* zero would say: no checksum */
        }
    }

    if (!is_ip && protocol_refresh(skb))
        return drop_tx(slot, PW_DROP_NO_ROOM);
    __u32 frames = wire_frames(frame_length, inner_headers, gso_size);
    count_tx(slot, frames, frame_length + (frames - 1) * inner_headers);
    return bpf_redirect_neigh(way, 0, 0, 0);
}

#endif
