/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * ICMP's two jobs: telling a customer's host that its packet does not fit (RFC 792, RFC 4443), and learning from the
 * network that ours do not (RFC 1191, RFC 8201), or do not arrive at all.
 */
#ifndef PW_ICMP_H
#define PW_ICMP_H

#include "events.h"
#include "maps.h"
#include "parse.h"
#include "stats.h"

#define ICMP_UNREACHABLE 3
#define ICMP_FRAGMENTATION_NEEDED 4
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMP6_UNREACHABLE 1
#define ICMP6_TOO_BIG 2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER_PROBLEM 4

#define REPLIES_PER_SECOND 100 /* of each pseudowire, on each CPU */
#define IPV6_MINIMUM_MTU 1280
/* Quoted of the packet: so much that the message stays within 576 octets (IPv4) or 1,280 (IPv6). */
#define QUOTE_V4 548
#define QUOTE_V6 1232
#define REMOVE_AT_ONCE 4000 /* octets; the kernel's limit is 4,095 */
#define QUOTE_SHORT 28      /* an IPv4 header and eight octets: the least that RFC 792 asks for */

#define PATH_MTU_MINIMUM_V4 552 /* as Linux: below, it is more likely an attack than a path */
#define PATH_MTU_LIFETIME (600ULL * 1000000000)

struct icmp_message {
    __u8 type;
    __u8 code;
    __u16 check;
    __be32 mtu;
};

static __always_inline int may_reply(__u32 slot) {
    struct pw_counters *counter = bpf_map_lookup_elem(&counters, &slot);
    if (!counter)
        return 0;
    __u64 second = bpf_ktime_get_ns() / 1000000000;
    if (counter->reply_limit >> 16 != second)
        counter->reply_limit = second << 16;
    if ((counter->reply_limit & 0xffff) >= REPLIES_PER_SECOND)
        return 0;
    counter->reply_limit += 1;
    counter->replies += 1;
    return 1;
}

/* Whether an error may be sent about this packet at all: RFC 1122, 3.2.2 and RFC 4443, 2.4 (e). */
static __always_inline int deserves_reply(struct __sk_buff *skb, int is_v6) {
    void *data = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    if ((void *)(eth + 1) > end || eth->h_dest[0] & 1 || eth->h_source[0] & 1)
        return 0;
    if (is_v6) {
        struct ipv6hdr *ip = (void *)(eth + 1);
        __u8 *type = (void *)(ip + 1);
        if ((void *)(type + 1) > end || ip->daddr.s6_addr[0] == 0xff || ip->saddr.s6_addr[0] == 0xff)
            return 0;
        if (!ip->saddr.s6_addr32[0] && !ip->saddr.s6_addr32[1] && !ip->saddr.s6_addr32[2] && !ip->saddr.s6_addr32[3])
            return 0;
        return ip->nexthdr != PROTOCOL_ICMP6 || *type >= 128;
    }
    struct iphdr *ip = (void *)(eth + 1);
    __u8 *type = (void *)(ip + 1);
    if ((void *)(type + 1) > end || ip->ihl < 5 || ip->frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
        return 0;
    __u8 to = bpf_ntohl(ip->daddr) >> 24, from = bpf_ntohl(ip->saddr) >> 24;
    if (to >= 224 || !from || from >= 224 || from == 127)
        return 0;
    /* With options before it the type is not where it is looked for; an error message has none. */
    return ip->protocol != PROTOCOL_ICMP || ip->ihl > 5 || *type == 8 || *type == 0 || *type > 12;
}

/*
 * Leaves of a packet its IP header and the eight octets behind it, by taking away what is between those and its end,
 * over which they are then written: for packets that the kernel does not shorten. `ip_header` is 20 or 40.
 */
static __always_inline int shorten_from_within(struct __sk_buff *skb, __u32 ip_header) {
    __u64 first;
    __u8 version_and_length;
    __u32 start = sizeof(struct ethhdr) + ip_header;
    if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &version_and_length, 1) ||
        (ip_header == sizeof(struct iphdr) && version_and_length != 0x45))
        return -1;
    if (bpf_skb_load_bytes(skb, start, &first, sizeof(first)))
        return -1;
    for (int i = 0; i < 17; i++) {
        if (skb->len <= start + sizeof(first))
            break;
        __u32 surplus = skb->len - start - sizeof(first);
        if (surplus > REMOVE_AT_ONCE)
            surplus = REMOVE_AT_ONCE;
        if (bpf_skb_adjust_room(skb, -(__s32)surplus, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO))
            return -1;
    }
    return skb->len == start + sizeof(first) ? (int)bpf_skb_store_bytes(skb, start, &first, sizeof(first), 0) : -1;
}

/*
 * Turns a frame without tags, whose IP packet is longer than `mtu`, into the message that says so to its sender. In the
 * name of the packet's destination, because a pseudowire has no address of its own. 0, or -1 when there is to be none.
 * Packet pointers are void afterwards.
 */
__noinline int reply_too_big(struct __sk_buff *skb, __u32 slot, __u32 mtu, __u32 is_v6) {
    if (!deserves_reply(skb, is_v6) || (is_v6 && mtu < IPV6_MINIMUM_MTU))
        return -1;
    __u32 ip_octets = skb->len - sizeof(struct ethhdr);
    __u32 quote = QUOTE_SHORT;
    if (is_v6)
        quote = QUOTE_V6;
    else if (ip_octets >= QUOTE_V4)
        quote = QUOTE_V4;
    if (ip_octets < quote || !may_reply(slot))
        return -1;
    if (bpf_skb_change_tail(skb, sizeof(struct ethhdr) + quote, 0)) {
        __u32 ip_header = is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
        if (shorten_from_within(skb, ip_header))
            return -1;
        quote = ip_header + 8;
    }
    __u32 headers = (is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) + sizeof(struct icmp_message);
    if (bpf_skb_adjust_room(skb, headers, BPF_ADJ_ROOM_MAC, 0))
        return -1;

    struct icmp_message message = {};
    struct ethhdr eth;
    if (bpf_skb_load_bytes(skb, 0, &eth, sizeof(eth)))
        return -1;
    struct ethhdr back = {.h_proto = eth.h_proto};
    __builtin_memcpy(back.h_dest, eth.h_source, 6);
    __builtin_memcpy(back.h_source, eth.h_dest, 6);
    __u32 icmp_offset;
    __u64 sum = 0;
    if (is_v6) {
        struct ipv6hdr cause, ip = {};
        if (bpf_skb_load_bytes(skb, sizeof(eth) + headers, &cause, sizeof(cause)))
            return -1;
        ip.version = 6;
        ip.payload_len = bpf_htons((__u16)(sizeof(message) + quote));
        ip.nexthdr = PROTOCOL_ICMP6;
        ip.hop_limit = 64;
        ip.saddr = cause.daddr;
        ip.daddr = cause.saddr;
        message.type = ICMP6_TOO_BIG;
        message.mtu = bpf_htonl(mtu);
        sum = sum_words(&ip.saddr, 32) + bpf_htons(PROTOCOL_ICMP6) + ip.payload_len;
        if (bpf_skb_store_bytes(skb, sizeof(eth), &ip, sizeof(ip), 0))
            return -1;
        icmp_offset = sizeof(eth) + sizeof(ip);
    } else {
        struct iphdr cause, ip = {};
        if (bpf_skb_load_bytes(skb, sizeof(eth) + headers, &cause, sizeof(cause)))
            return -1;
        ip.version = 4;
        ip.ihl = 5;
        ip.tos = 0xc0; /* internetwork control, as routers send it */
        ip.tot_len = bpf_htons((__u16)(headers + quote));
        ip.frag_off = bpf_htons(IP_DONT_FRAGMENT);
        ip.ttl = 64;
        ip.protocol = PROTOCOL_ICMP;
        ip.saddr = cause.daddr;
        ip.daddr = cause.saddr;
        ip.check = ~sum_fold(sum_words(&ip, sizeof(ip)));
        message.type = ICMP_UNREACHABLE;
        message.code = ICMP_FRAGMENTATION_NEEDED;
        message.mtu = bpf_htonl(mtu > 0xffff ? 0xffff : mtu);
        if (bpf_skb_store_bytes(skb, sizeof(eth), &ip, sizeof(ip), 0))
            return -1;
        icmp_offset = sizeof(eth) + sizeof(ip);
    }
    if (bpf_skb_store_bytes(skb, 0, &back, sizeof(back), 0))
        return -1;
    int quoted = sum_packet(skb, icmp_offset + sizeof(message), quote);
    if (quoted < 0)
        return -1;
    message.check = ~sum_fold(sum + sum_words(&message, sizeof(message)) + quoted);
    return bpf_skb_store_bytes(skb, icmp_offset, &message, sizeof(message), 0) ? -1 : 0;
}

/* What an ICMP message, if it is an error at all, says of the packet that it quotes. */
static __always_inline int is_error(const struct icmp_message *message, int is_v6) {
    if (is_v6)
        return message->type >= ICMP6_UNREACHABLE && message->type <= ICMP6_PARAMETER_PROBLEM;
    return message->type == ICMP_UNREACHABLE || message->type == ICMP_TIME_EXCEEDED ||
           message->type == ICMP_PARAMETER_PROBLEM;
}

static __always_inline int says_too_big(const struct icmp_message *message, int is_v6) {
    if (is_v6)
        return message->type == ICMP6_TOO_BIG;
    return message->type == ICMP_UNREACHABLE && message->code == ICMP_FRAGMENTATION_NEEDED;
}

/*
 * Whether the quoted packet, whose octets behind the session id are at `offset`, has the cookie that we send: of eight
 * octets as many as are quoted, but never less than four, which the shortest quote of protocol 115 has (RFC 792).
 */
static __always_inline int is_cookie_quoted(struct __sk_buff *skb, __u32 offset, const struct pw_encap *encap) {
    __u32 ours = encap->flags & PW_FLAG_IPV6 ? 11 : 6; /* words of header[] before it */
    if (encap->flags & PW_FLAG_UDP)
        ours += 3;
    __u32 octets = encap->header_length - 4 * ours - (encap->flags & PW_FLAG_SUBLAYER ? 4 : 0);
    if (!octets)
        return 1;
    __u32 theirs;
    if (bpf_skb_load_bytes(skb, offset, &theirs, sizeof(theirs)) || theirs != encap->header[ours])
        return 0;
    const __u8 *rest = (const __u8 *)&encap->header[ours + 1];
#pragma unroll
    for (__u32 i = 0; i < 4; i++) {
        __u8 octet;
        if (octets != 8 || bpf_skb_load_bytes(skb, offset + 4 + i, &octet, 1))
            break;
        if (octet != rest[i])
            return 0;
    }
    return 1;
}

/*
 * Looks whether an ICMP message is about packets of a pseudowire of ours: that they are too big for the path, which is
 * remembered, or that they do not arrive, which is counted and reported. The quoted headers must be ours, session id
 * and cookie included: so whoever has not seen our packets must guess the cookie, as for a frame that is to be believed
 * by the peer. Without a cookie, addresses, ports and session id are all that there is to be known. `ip_header` is
 * where the outer IP header begins, `icmp` where the message does. The stack sees it as well.
 */
__noinline int heed_icmp(struct __sk_buff *skb, __u32 ip_header, __u32 icmp, __u32 is_v6) {
    struct icmp_message message;
    if (bpf_skb_load_bytes(skb, icmp, &message, sizeof(message)) || !is_error(&message, is_v6))
        return 0;
    int is_too_big = says_too_big(&message, is_v6);
    struct pw_path_key key = {};
    __u32 local[4] = {};
    __u32 quote = icmp + sizeof(message), mtu, rest;
    if (is_v6) {
        struct ipv6hdr ip;
        if (bpf_skb_load_bytes(skb, quote, &ip, sizeof(ip)))
            return 0;
        mtu = bpf_ntohl(message.mtu);
        /* No link of IPv6 takes less: RFC 8201, section 4. */
        if (is_too_big && mtu < IPV6_MINIMUM_MTU)
            return 0;
        key.protocol = ip.nexthdr;
        __builtin_memcpy(key.peer_be, &ip.daddr, 16);
        __builtin_memcpy(local, &ip.saddr, 16);
        rest = quote + sizeof(ip);
        if (key.protocol == NEXT_HEADER_FRAGMENT) {
            /* A piece of ours. Only the first has the headers. */
            struct fragment_header fragment;
            if (bpf_skb_load_bytes(skb, rest, &fragment, sizeof(fragment)) ||
                fragment.offset & bpf_htons(FRAGMENT_OFFSET))
                return 0;
            key.protocol = fragment.next;
            rest += sizeof(fragment);
        }
    } else {
        struct iphdr ip;
        if (bpf_skb_load_bytes(skb, quote, &ip, sizeof(ip)) || ip.ihl != 5 ||
            ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
            return 0;
        mtu = bpf_ntohl(message.mtu) & 0xffff;
        if (mtu < PATH_MTU_MINIMUM_V4)
            mtu = PATH_MTU_MINIMUM_V4;
        key.protocol = ip.protocol;
        key.peer_be[0] = ip.daddr;
        local[0] = ip.saddr;
        rest = quote + sizeof(ip);
    }
    if (is_too_big && mtu > 0xffff)
        return 0;
    __u32 ports = 0;
    if (key.protocol == IPPROTO_UDP) {
        if (bpf_skb_load_bytes(skb, rest, &ports, 4))
            return 0;
        rest += sizeof(struct udphdr) + 4;
    } else if (key.protocol != IPPROTO_L2TP_DATA) {
        return 0;
    }
    if (bpf_skb_load_bytes(skb, rest, &key.peer_session_be, 4))
        return 0;
    struct pw_access_key *access_key = bpf_map_lookup_elem(&paths, &key);
    if (!access_key)
        return 0;
    struct pw_encap *encap = bpf_map_lookup_elem(&access, access_key);
    if (!encap || !!(encap->flags & PW_FLAG_IPV6) != !!is_v6)
        return 0;
    if (is_v6) {
        if (local[0] != encap->header[2] || local[1] != encap->header[3] || local[2] != encap->header[4] ||
            local[3] != encap->header[5])
            return 0;
    } else if (local[0] != encap->header[3]) {
        return 0;
    }
    if (key.protocol == IPPROTO_UDP) {
        __u32 ours = is_v6 ? encap->header[10] : encap->header[5];
        /* With entropy the source port is any; the destination port lies in the upper half of the word. */
        if (encap->flags & PW_FLAG_ENTROPY_SEND ? (ports ^ ours) >> 16 : ports != ours)
            return 0;
    }
    if (!is_cookie_quoted(skb, rest + sizeof(key.peer_session_be), encap))
        return 0;
    if (!is_too_big) {
        note(encap->slot, PW_DROP_UNREACHABLE, 1);
        doubt_peer(encap->session_id);
        report(skb, ip_header, encap->session_id, PW_DROP_UNREACHABLE);
        return 1;
    }
    __u64 now = bpf_ktime_get_ns();
    if (!encap->path_mtu || mtu <= encap->path_mtu || now >= encap->path_mtu_until) {
        encap->path_mtu = mtu;
        encap->path_mtu_until = now + PATH_MTU_LIFETIME;
    }
    return 1;
}

#endif
