/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Making TCP choose segments that fit: a SYN's MSS option is lowered to what the path takes. */
#ifndef PW_MSS_H
#define PW_MSS_H

#include "parse.h"

#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1
#define TCP_OPTION_MSS 2

struct mss_search {
    struct __sk_buff *skb;
    __u32 offset; /* of the option to look at */
    __u32 end;
    __u32 found; /* where the MSS lies */
};

static long next_option(__u32 index, struct mss_search *search) {
    (void)index;
    __u8 head[2];
    if (search->offset + 4 > search->end || bpf_skb_load_bytes(search->skb, search->offset, head, 2))
        return 1;
    if (head[0] == TCP_OPTION_END)
        return 1;
    if (head[0] == TCP_OPTION_NOP) {
        search->offset += 1;
        return 0;
    }
    if (head[0] == TCP_OPTION_MSS && head[1] == 4) {
        search->found = search->offset + 2;
        return 1;
    }
    if (head[1] < 2)
        return 1;
    search->offset += head[1];
    return 0;
}

/*
 * `tcp` is where the TCP header begins, `mss` the most that may stand in the option. The checksum is made to follow: by
 * hand, because the kernel's helper goes by the packet's remark, which may be about the checksum of the outer header;
 * by the helper where the checksum `is_partial` to all appearances, still to be filled in, which only the remark can
 * tell for sure. Packet pointers are void afterwards.
 */
__noinline int clamp_mss(struct __sk_buff *skb, __u32 tcp, __u32 mss, __u32 is_partial) {
    __u8 data_offset;
    if (bpf_skb_load_bytes(skb, tcp + 12, &data_offset, 1))
        return 0;
    struct mss_search search = {.skb = skb, .offset = tcp + 20, .end = tcp + (data_offset >> 4) * 4};
    bpf_loop(40, next_option, &search, 0);
    __be16 old;
    __u16 check;
    if (!search.found || bpf_skb_load_bytes(skb, search.found, &old, sizeof(old)) || bpf_ntohs(old) <= mss ||
        bpf_skb_load_bytes(skb, tcp + 16, &check, sizeof(check)))
        return 0;
    __be16 new = bpf_htons((__u16)mss);
    if (bpf_skb_store_bytes(skb, search.found, &new, sizeof(new), 0))
        return 0;
    /* A word at an odd offset counts with its octets exchanged, as NOPs before the option may have it. */
    __u32 is_odd = (search.found - tcp) & 1;
    __u16 from = is_odd ? __builtin_bswap16(old) : old;
    __u16 to = is_odd ? __builtin_bswap16(new) : new;
    if (is_partial) {
        bpf_l4_csum_replace(skb, tcp + 16, from, to, sizeof(new));
        return 1;
    }
    check = ~sum_fold((__u64)(__u16)~check + (__u16)~from + to); /* RFC 1624 */
    bpf_skb_store_bytes(skb, tcp + 16, &check, sizeof(check), 0);
    return 1;
}

/* What is left for a segment of the IP packet that `limit` octets of outer packet leave; 0 if nothing sensible is. */
static __always_inline __u32 mss_for(__u32 limit, __u32 overhead, __be16 ethertype) {
    __u32 headers = overhead + (ethertype == bpf_htons(ETH_P_IPV6) ? 60 : 40);
    return limit > headers + 64 ? limit - headers : 0;
}

#endif
