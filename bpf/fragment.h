/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Cutting IP packets. A program has one frame and no way to make two, but for a clone that is sent at once: so the
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

/*
 * Sends the frame, as it is, round through `splitter` once more, with `mark`; this one stays as it was. The path's
 * limit goes along, since who cuts again has no way to find out what the pseudowire knew: as tc_index, which is left
 * alone across a veth, unlike the priority, and has sixteen bits.
 */
static __always_inline int send_round(struct __sk_buff *skb, __u32 splitter, __u32 mark, __u32 limit) {
    __u32 mark_before = skb->mark, index_before = skb->tc_index;
    skb->mark = mark | MARK_REST;
    skb->tc_index = limit;
    if (bpf_clone_redirect(skb, splitter, 0))
        return -1;
    skb->mark = mark_before;
    skb->tc_index = index_before;
    return 0;
}

/* Takes octets away from behind the IP header until the frame has `wanted`: 65,535 at most, in steps of 4,000. */
static __always_inline int remove_behind_header(struct __sk_buff *skb, __u32 wanted) {
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

struct move {
    struct __sk_buff *skb;
    __u32 start;     /* of what moves */
    __u32 remaining; /* octets of it that have not moved yet: its first ones */
    __u32 distance;
};

static long move_last_chunk(__u32 index, struct move *move) {
    (void)index;
    __u32 first = 0;
    struct sum_chunk *chunk = bpf_map_lookup_elem(&scratch, &first);
    __u32 length = move->remaining;
    if (!chunk || !length)
        return 1;
    if (length > SUM_CHUNK)
        length = SUM_CHUNK;
    __u32 last = length - 1;
    asm volatile("" : "+r"(last));
    __u32 offset = move->start + move->remaining - length;
    if (last >= SUM_CHUNK || bpf_skb_load_bytes(move->skb, offset, chunk->octets, last + 1) ||
        bpf_skb_store_bytes(move->skb, offset + move->distance, chunk->octets, last + 1, 0))
        return 1;
    move->remaining -= length;
    return 0;
}

/*
 * Leaves a frame's first `wanted` octets. The kernel takes nothing from the end of a packet that it knows to be in a
 * tunnel of its own; but it does from behind the IP header of any. So there what is to stay is moved to the end, over
 * what is to go, and as much is taken away before it. `network` is where the kernel thinks that the IP header begins.
 * Packet pointers are void afterwards.
 */
__noinline int shorten(struct __sk_buff *skb, __u32 wanted, __u32 network) {
    long refusal = bpf_skb_change_tail(skb, wanted, 0);
    if (refusal != -KERNEL_ENOTSUPP)
        return refusal ? -1 : 0;
    struct move move = {.skb = skb, .start = network + sizeof(struct iphdr)};
    if (skb->protocol == bpf_htons(ETH_P_IPV6))
        move.start = network + sizeof(struct ipv6hdr);
    __u64 found, expected;
    if (bpf_skb_load_bytes_relative(skb, 0, &found, sizeof(found), BPF_HDR_START_NET) ||
        bpf_skb_load_bytes(skb, network, &expected, sizeof(expected)) || found != expected)
        return -1;
    if (wanted < move.start || wanted > skb->len)
        return -1;
    move.remaining = wanted - move.start;
    move.distance = skb->len - wanted;
    if (move.distance)
        bpf_loop(0x10000 / SUM_CHUNK + 1, move_last_chunk, &move, 0);
    else
        move.remaining = 0;
    return move.remaining ? -1 : remove_behind_header(skb, wanted);
}

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
    /* What Ethernet padded is not the packet's. And if it cannot be shortened, that must be known before the rest goes.
     */
    if (shorten(skb, sizeof(struct ethhdr) + total, sizeof(struct ethhdr)))
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
    if (send_round(skb, splitter, mark, limit))
        return -1;
    struct vlan_tags again;
    if (vlan_take(skb, &again))
        return -1;

    header = whole;
    header.tot_len = bpf_htons((__u16)(sizeof(whole) + cut));
    header.frag_off = bpf_htons(offset_field | IP_MORE_FRAGMENTS);
    ipv4_refresh(&header);
    if (shorten(skb, sizeof(struct ethhdr) + sizeof(whole) + cut, sizeof(struct ethhdr)))
        return -1;
    return bpf_skb_store_bytes(skb, sizeof(struct ethhdr), &header, sizeof(header), 0) ? -1 : 0;
}

/* RFC 8200, section 4.5. */
struct fragment_header {
    __u8 next;
    __u8 reserved;
    __be16 offset; /* octets, a multiple of eight; the lowest bit: more follow */
    __be32 id;
};

#define FRAGMENT_MORE 1
#define V6_FRAGMENT_OFFSET (sizeof(struct ethhdr) + sizeof(struct ipv6hdr))
#define V6_HEADERS (sizeof(struct ipv6hdr) + sizeof(struct fragment_header))

/*
 * Makes an IPv6 packet one that consists of a single fragment. The room is made in front, because the kernel does not
 * know where the network layer of a packet begins that got its headers from us.
 */
static __always_inline int fragment_begin_v6(struct __sk_buff *skb) {
    struct ethhdr eth;
    struct ipv6hdr ip;
    struct fragment_header fragment = {};
    if (bpf_skb_change_head(skb, sizeof(fragment), 0) || bpf_skb_load_bytes(skb, sizeof(fragment), &eth, sizeof(eth)) ||
        bpf_skb_load_bytes(skb, sizeof(fragment) + sizeof(eth), &ip, sizeof(ip)))
        return -1;
    fragment.next = ip.nexthdr;
    fragment.id = bpf_get_prandom_u32();
    ip.nexthdr = NEXT_HEADER_FRAGMENT;
    ip.payload_len = bpf_htons((__u16)(bpf_ntohs(ip.payload_len) + sizeof(fragment)));
    if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0) || bpf_skb_store_bytes(skb, sizeof(eth), &ip, sizeof(ip), 0))
        return -1;
    return bpf_skb_store_bytes(skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment), 0) ? -1 : 0;
}

static __always_inline int store_fragment_v6(struct __sk_buff *skb, struct ipv6hdr ip, struct fragment_header fragment,
                                             __u32 payload, __u32 offset) {
    ip.payload_len = bpf_htons((__u16)(sizeof(fragment) + payload));
    fragment.offset = bpf_htons((__u16)offset);
    return bpf_skb_store_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip), 0) ||
           bpf_skb_store_bytes(skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment), 0);
}

/* The same as fragment_packet() for an outer IPv6 packet, which gets its fragment header unless it has it. */
__noinline int fragment_packet_v6(struct __sk_buff *skb, __u32 limit, __u32 splitter, __u32 mark) {
    struct ipv6hdr ip;
    struct fragment_header fragment;
    if (limit < V6_HEADERS + 8 || !splitter)
        return -1;
    if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)))
        return -1;
    __u32 network = sizeof(struct ethhdr);
    if (ip.nexthdr != NEXT_HEADER_FRAGMENT) {
        network += sizeof(fragment); /* room was made before it */
        if (fragment_begin_v6(skb) || bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)))
            return -1;
    }
    if (bpf_skb_load_bytes(skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment)))
        return -1;
    __u32 total = sizeof(ip) + bpf_ntohs(ip.payload_len);
    __u32 cut = (limit - V6_HEADERS) & ~7u;
    if (total <= V6_HEADERS + cut || sizeof(struct ethhdr) + total > skb->len)
        return -1;
    __u32 offset = bpf_ntohs(fragment.offset);

    if (store_fragment_v6(skb, ip, fragment, total - V6_HEADERS - cut, offset + cut))
        return -1;
    if (send_round(skb, splitter, mark, limit))
        return -1;

    if (shorten(skb, sizeof(struct ethhdr) + V6_HEADERS + cut, network))
        return -1;
    return store_fragment_v6(skb, ip, fragment, cut, offset | FRAGMENT_MORE) ? -1 : 0;
}

/* What MARK_REST asks for, of a frame without tags. Packet pointers are void afterwards. */
__noinline int trim_to_rest(struct __sk_buff *skb) {
    struct fragment_header fragment = {};
    __u32 wanted = sizeof(struct ethhdr);
    int is_v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
    if (is_v6) {
        struct ipv6hdr ip;
        if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)) ||
            bpf_skb_load_bytes(skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment)))
            return -1;
        wanted += sizeof(ip) + bpf_ntohs(ip.payload_len);
    } else {
        struct iphdr ip;
        if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)))
            return -1;
        wanted += bpf_ntohs(ip.tot_len);
    }
    if (remove_behind_header(skb, wanted))
        return -1;
    /* What is taken away begins behind the IPv6 header; of what is left the first octets make room again. */
    return is_v6 && bpf_skb_store_bytes(skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment), 0) ? -1 : 0;
}

#endif
