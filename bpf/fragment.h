/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Cutting IP packets. A program has one frame and no way to make two, but for clones that are sent at once: so for each
 * piece the whole frame, with the IP header that the piece will have, goes into the splitter, and whoever comes out
 * there takes away what is not that piece's (trim_to_piece). All pieces go round, the first one too: would it go ahead,
 * those of other packets came between it and its rest, and Linux gives up a packet when 64 do (ipfrag_max_dist).
 */
#ifndef PW_FRAGMENT_H
#define PW_FRAGMENT_H

#include "icmp.h"
#include "maps.h"
#include "parse.h"
#include "vlan.h"

/*
 * In skb->mark, across the splitter, beside an interface's index: the access one's, or the way out. Where in the
 * payload a piece begins is in skb->tc_index, in units of eight octets: that has sixteen bits and is left alone across
 * a veth.
 */
#define MARK_PIECE 0x80000000 /* the frame is a whole packet's: take away what the IP header does not speak of */
#define MARK_OUTER 0x40000000 /* an outer packet, encapsulated already */
#define MARK_PORT 0x3fffffff

/* A packet of 9,000 octets across the smallest MTU that IPv4 admits has 188. */
#define PIECES 256

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

/* A packet that is being cut. */
struct cutting {
    struct __sk_buff *skb;
    __u32 begin;    /* where in the payload the next piece does */
    __u32 payload;  /* octets that there are to be cut */
    __u32 cut;      /* octets of each piece but the last */
    __u32 at;       /* where in the frame the IP header is */
    __u32 splitter; /* where to, and with which mark */
    __u32 mark;
    __u32 is_done;
};

/* Sends the frame round as the piece that its IP header says: all but the last as clones, that one by its caller. */
static __always_inline long send_piece(struct cutting *cutting, __u32 length) {
    struct __sk_buff *skb = cutting->skb;
    skb->mark = cutting->mark | MARK_PIECE;
    skb->tc_index = cutting->begin / 8;
    cutting->begin += length;
    if (cutting->begin >= cutting->payload) {
        cutting->is_done = 1;
        return 1;
    }
    return bpf_clone_redirect(skb, cutting->splitter, 0) ? 1 : 0;
}

static __always_inline __u32 next_length(const struct cutting *cutting) {
    __u32 left = cutting->payload - cutting->begin;
    return left > cutting->cut ? cutting->cut : left;
}

struct cutting_v4 {
    struct cutting common;
    struct iphdr whole;
};

static long next_piece(__u32 index, struct cutting_v4 *cutting) {
    (void)index;
    struct cutting *common = &cutting->common;
    __u32 length = next_length(common);
    struct iphdr header = cutting->whole;
    __u16 field = bpf_ntohs(header.frag_off);
    header.tot_len = bpf_htons((__u16)(sizeof(header) + length));
    field = (field & ~IP_FRAGMENT_OFFSET) | ((field + common->begin / 8) & IP_FRAGMENT_OFFSET);
    if (common->begin + length < common->payload)
        field |= IP_MORE_FRAGMENTS;
    header.frag_off = bpf_htons(field);
    ipv4_refresh(&header);
    if (bpf_skb_store_bytes(common->skb, common->at, &header, sizeof(header), 0))
        return 1;
    return send_piece(common, length);
}

/*
 * Cuts the IPv4 packet of a frame without tags, which has neither DF nor options, into pieces of at most `limit`
 * octets, and sends all but the last on their way round through `splitter` with `mark`; the last is the frame, for the
 * caller to send there. `tags` are those that they have to have. 0, or -1 if it cannot be. Packet pointers are void
 * afterwards.
 */
__noinline int fragment_packet(struct __sk_buff *skb, __u32 limit, __u32 splitter, __u32 mark,
                               const struct vlan_tags *tags) {
    struct cutting_v4 cutting = {.common = {.skb = skb, .splitter = splitter, .mark = mark}};
    struct iphdr *whole = &cutting.whole;
    if (limit < sizeof(*whole) + 8 || !splitter || !tags)
        return -1;
    if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), whole, sizeof(*whole)) || whole->ihl != 5)
        return -1;
    __u32 total = bpf_ntohs(whole->tot_len);
    __u32 cut = (limit - sizeof(*whole)) & ~7u;
    if (total <= sizeof(*whole) + cut || sizeof(struct ethhdr) + total > skb->len ||
        total - sizeof(*whole) > cut * PIECES)
        return -1;
    if (vlan_restore(skb, tags))
        return -1;
    cutting.common.payload = total - sizeof(*whole);
    cutting.common.cut = cut;
    /* The outer one of two tags is beside the frame, the inner one in it. */
    cutting.common.at = sizeof(struct ethhdr) + (tags->count == 2 ? sizeof(struct vlan_tag) : 0);
    bpf_loop(PIECES, next_piece, &cutting, 0);
    return cutting.common.is_done ? 0 : -1;
}

#define V6_FRAGMENT_OFFSET (sizeof(struct ethhdr) + sizeof(struct ipv6hdr))
#define V6_HEADERS (sizeof(struct ipv6hdr) + sizeof(struct fragment_header))

struct cutting_v6 {
    struct cutting common;
    struct ipv6hdr ip;
    struct fragment_header fragment;
};

static long next_piece_v6(__u32 index, struct cutting_v6 *cutting) {
    (void)index;
    struct cutting *common = &cutting->common;
    __u32 length = next_length(common);
    struct ipv6hdr ip = cutting->ip;
    struct fragment_header fragment = cutting->fragment;
    ip.payload_len = bpf_htons((__u16)(sizeof(fragment) + length));
    fragment.offset =
        bpf_htons((__u16)(common->begin | (common->begin + length < common->payload ? FRAGMENT_MORE : 0)));
    if (bpf_skb_store_bytes(common->skb, sizeof(struct ethhdr), &ip, sizeof(ip), 0) ||
        bpf_skb_store_bytes(common->skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment), 0))
        return 1;
    return send_piece(common, length);
}

/*
 * The same as fragment_packet() for an outer IPv6 packet. The room for its fragment header is made in front, because
 * the kernel does not know where the network layer of a packet begins that got its headers from us.
 */
__noinline int fragment_packet_v6(struct __sk_buff *skb, __u32 limit, __u32 splitter, __u32 mark) {
    struct cutting_v6 cutting = {.common = {.skb = skb, .splitter = splitter, .mark = mark}};
    struct ethhdr eth;
    struct ipv6hdr *ip = &cutting.ip;
    struct fragment_header *fragment = &cutting.fragment;
    if (limit < V6_HEADERS + 8 || !splitter)
        return -1;
    if (bpf_skb_load_bytes(skb, 0, &eth, sizeof(eth)) || bpf_skb_load_bytes(skb, sizeof(eth), ip, sizeof(*ip)))
        return -1;
    __u32 payload = bpf_ntohs(ip->payload_len);
    __u32 cut = (limit - V6_HEADERS) & ~7u;
    if (payload <= cut || sizeof(eth) + sizeof(*ip) + payload > skb->len || payload > cut * PIECES)
        return -1;
    if (bpf_skb_change_head(skb, sizeof(*fragment), 0) || bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0))
        return -1;
    fragment->next = ip->nexthdr;
    fragment->id = bpf_get_prandom_u32();
    ip->nexthdr = NEXT_HEADER_FRAGMENT;
    cutting.common.payload = payload;
    cutting.common.cut = cut;
    bpf_loop(PIECES, next_piece_v6, &cutting, 0);
    return cutting.common.is_done ? 0 : -1;
}

/* What MARK_PIECE asks for, of a frame without tags. Packet pointers are void afterwards. */
__noinline int trim_to_piece(struct __sk_buff *skb) {
    struct fragment_header fragment = {};
    __u32 begin = skb->tc_index * 8;
    __u32 wanted = sizeof(struct ethhdr);
    int is_v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
    skb->tc_index = 0;
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
    /* What follows the piece goes from the end, what precedes it from behind the IP header. */
    if (skb->len < wanted + begin)
        return -1;
    if (skb->len > wanted + begin && shorten(skb, wanted + begin, sizeof(struct ethhdr)))
        return -1;
    if (remove_behind_header(skb, wanted))
        return -1;
    return is_v6 && bpf_skb_store_bytes(skb, V6_FRAGMENT_OFFSET, &fragment, sizeof(fragment), 0) ? -1 : 0;
}

#endif
