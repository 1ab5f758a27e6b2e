/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Cutting IPv4 packets. A program has one frame and no way to make two, but for a clone that is sent at once: so the
 * frame becomes the first fragment, and a clone of it, whose IP header already says what the rest will be, goes into
 * the splitter. Whoever comes out there takes away what its header does not count (trim_to_rest), and is cut again if
 * it is still too long.
 */
#ifndef PW_FRAGMENT_H
#define PW_FRAGMENT_H

#include "icmp.h"
#include "maps.h"
#include "parse.h"
#include "vlan.h"

/* In skb->mark, across the splitter, beside an interface's index: the access one's, or the way out. */
#define MARK_REST 0x80000000  /* the IP header's length is less than the frame's: take away what is too much */
#define MARK_OUTER 0x40000000 /* an outer packet, encapsulated already */
#define MARK_PORT 0x3fffffff

static __always_inline void ipv4_refresh(struct iphdr *ip) {
    ip->check = 0;
    ip->check = ~sum_fold(sum_words(ip, sizeof(*ip)));
}

/*
 * Cuts the IPv4 packet of a frame without tags, which has neither DF nor options, to at most `limit` octets, and sends
 * the rest on its way round through `splitter` with `mark`. `tags` are those that the rest has to have. 0, or -1 if it
 * cannot be. Packet pointers are void afterwards.
 */
__noinline int fragment_packet(struct __sk_buff *skb, __u32 limit, __u32 splitter, __u32 mark,
                               const struct vlan_tags *tags) {
    struct iphdr whole;
    if (limit < sizeof(whole) + 8 || !splitter || !tags)
        return -1;
    if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &whole, sizeof(whole)) || whole.ihl != 5)
        return -1;
    __u32 total = bpf_ntohs(whole.tot_len);
    __u32 cut = (limit - sizeof(whole)) & ~7u;
    if (total <= sizeof(whole) + cut || sizeof(struct ethhdr) + total > skb->len)
        return -1;
    /*
     * What Ethernet padded is not the packet's. And if the kernel refuses to shorten this packet at all, because it was
     * in a tunnel on this machine before, it must be known before the rest is on its way.
     */
    if (bpf_skb_change_tail(skb, sizeof(struct ethhdr) + total, 0))
        return -1;

    __u16 offset_field = bpf_ntohs(whole.frag_off);
    struct iphdr header = whole;
    header.tot_len = bpf_htons((__u16)(total - cut));
    header.frag_off = bpf_htons((__u16)(offset_field + cut / 8));
    ipv4_refresh(&header);
    if (bpf_skb_store_bytes(skb, sizeof(struct ethhdr), &header, sizeof(header), 0))
        return -1;
    if (vlan_restore(skb, tags))
        return -1;
    __u32 mark_before = skb->mark;
    skb->mark = mark | MARK_REST;
    if (bpf_clone_redirect(skb, splitter, 0))
        return -1;
    skb->mark = mark_before;
    struct vlan_tags again;
    if (vlan_take(skb, &again))
        return -1;

    header = whole;
    header.tot_len = bpf_htons((__u16)(sizeof(whole) + cut));
    header.frag_off = bpf_htons(offset_field | IP_MORE_FRAGMENTS);
    ipv4_refresh(&header);
    if (bpf_skb_change_tail(skb, sizeof(struct ethhdr) + sizeof(whole) + cut, 0))
        return -1;
    return bpf_skb_store_bytes(skb, sizeof(struct ethhdr), &header, sizeof(header), 0) ? -1 : 0;
}

/* What MARK_REST asks for, of a frame without tags. Packet pointers are void afterwards. */
__noinline int trim_to_rest(struct __sk_buff *skb) {
    struct iphdr ip;
    if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)))
        return -1;
    __u32 wanted = sizeof(struct ethhdr) + bpf_ntohs(ip.tot_len);
    /* 65,535 octets in steps of 4,000. */
    for (int i = 0; i < 17; i++) {
        if (skb->len <= wanted)
            break;
        __u32 surplus = skb->len - wanted;
        if (surplus > REMOVE_AT_ONCE)
            surplus = REMOVE_AT_ONCE;
        if (bpf_skb_adjust_room(skb, -(__s32)surplus, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO))
            return -1;
    }
    return skb->len == wanted ? 0 : -1;
}

#endif
