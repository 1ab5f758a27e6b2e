/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Writing the outer headers, and the customer's Ethernet header behind them, into the room that was made. */
#ifndef PW_HEADERS_H
#define PW_HEADERS_H

#include "maps.h"
#include "parse.h"
#include "sequence.h"
#include "vlan.h"

/* What of them changes from frame to frame. */
struct outgoing {
    struct ethhdr eth;     /* the customer's, with the ethertype behind all tags */
    __u16 sum;             /* of the frame behind its Ethernet header, if is_sum_known */
    struct vlan_tags tags; /* as the peer is to see them */
    __u32 frame_length;    /* with tags */
    __u32 hash;            /* of the inner flow */
    __u8 traffic_class;
    __u8 is_sum_known;
    __u16 reserved;
};

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

/*
 * PW_DROP_REASON_COUNT, or the reason why not. `sum` is that of the frame behind its Ethernet header and tags; it is
 * asked for only where the outer UDP checksum is filled in.
 */
static __always_inline int write_headers_at(void *data, void *end, const struct pw_encap *encap,
                                            const struct outgoing *out, __u16 sum) {
    __be16 ethertype = out->eth.h_proto;
    __u32 outer_length = encap->header_length & 0x7f;
    struct ethhdr *eth = data;
    if ((void *)(eth + 1) > end)
        return PW_DROP_NO_ROOM;
    /* The kernel writes both addresses when it has resolved the next hop; until then they must not be multicast. */
    __builtin_memset(eth, 0, 12);
    eth->h_proto = encap->flags & PW_FLAG_IPV6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
    if (write_template(eth + 1, end, encap))
        return PW_DROP_NO_ROOM;

    /* The customer's Ethernet header again, its tags in it. */
    void *front = data + sizeof(struct ethhdr) + outer_length;
    if (front + sizeof(struct ethhdr) > end)
        return PW_DROP_NO_ROOM;
    struct ethhdr *inner_eth = front;
    __builtin_memcpy(inner_eth, &out->eth, 12);
    __u64 front_sum = sum_words(inner_eth, 12) + ethertype;
    if (out->tags.count == 0) {
        inner_eth->h_proto = ethertype;
    } else if (out->tags.count == 1) {
        if (front + 18 > end)
            return PW_DROP_NO_ROOM;
        *(struct vlan_tag *)(front + 12) = out->tags.tag[0];
        *(__be16 *)(front + 16) = ethertype;
        front_sum += out->tags.tag[0].tpid + out->tags.tag[0].tci;
    } else {
        if (front + 22 > end)
            return PW_DROP_NO_ROOM;
        *(struct vlan_tag *)(front + 12) = out->tags.tag[0];
        *(struct vlan_tag *)(front + 16) = out->tags.tag[1];
        *(__be16 *)(front + 20) = ethertype;
        front_sum += out->tags.tag[0].tpid + out->tags.tag[0].tci + out->tags.tag[1].tpid + out->tags.tag[1].tci;
    }
    __u64 udp_sum = encap->udp_sum;
    if (encap->flags & PW_FLAG_SEQUENCE_SEND) {
        __be32 word = bpf_htonl(sequence_next(encap->slot));
        if (outer_length < 28 || front > end)
            return PW_DROP_NO_ROOM;
        __be32 *sublayer = front - 4;
        *sublayer = word;
        udp_sum += word;
    }

    __u32 l3_length = outer_length + out->frame_length;
    struct udphdr *udp;
    __u16 udp_length;
    if (encap->flags & PW_FLAG_IPV6) {
        struct ipv6hdr *ip = (void *)(eth + 1);
        udp = (void *)(ip + 1);
        if ((void *)(udp + 1) > end)
            return PW_DROP_NO_ROOM;
        udp_length = l3_length - sizeof(*ip);
        __u32 label = encap->flags & PW_FLAG_FLOW_LABEL ? out->hash & 0xfffff : 0;
        *(__be32 *)ip = bpf_htonl(6u << 28 | out->traffic_class << 20 | label);
        ip->payload_len = bpf_htons(udp_length);
    } else {
        struct iphdr *ip = (void *)(eth + 1);
        udp = (void *)(ip + 1);
        if ((void *)(udp + 1) > end)
            return PW_DROP_NO_ROOM;
        udp_length = l3_length - sizeof(*ip);
        ip->tos = out->traffic_class;
        ip->tot_len = bpf_htons((__u16)l3_length);
        /* Only what may be cut needs to be told apart (RFC 6864). */
        ip->id = encap->flags & (PW_FLAG_MAY_FRAGMENT | PW_FLAG_FRAGMENT_OUTER) ? (__u16)bpf_get_prandom_u32() : 0;
        ip->check = ~sum_fold((__u64)encap->ip_sum + ip->tot_len + ip->id + bpf_htons(out->traffic_class));
    }
    if (encap->flags & PW_FLAG_UDP) {
        if (encap->flags & PW_FLAG_ENTROPY_SEND) {
            /* The dynamic ports, RFC 6335. */
            udp->source = bpf_htons(0xc000 | (__u16)(out->hash & 0x3fff));
            udp_sum += udp->source;
        }
        udp->len = bpf_htons(udp_length);
        if (encap->flags & PW_FLAG_UDP_CHECKSUM) {
            __u16 check = ~sum_fold(udp_sum + udp->len + udp->len + front_sum + sum);
            udp->check = check ? check : 0xffff; /* zero would say: no checksum */
        }
    }
    return PW_DROP_REASON_COUNT;
}

/* Packet pointers are void afterwards. */
__noinline int write_headers(struct __sk_buff *skb, const struct pw_encap *encap, const struct outgoing *out) {
    if (!encap || !out)
        return PW_DROP_NO_ROOM;
    int sum = out->sum;
    if ((encap->flags & PW_FLAG_UDP_CHECKSUM) && !out->is_sum_known) {
        __u32 front = sizeof(struct ethhdr) + out->tags.count * 4;
        sum = sum_packet(skb, sizeof(struct ethhdr) + (encap->header_length & 0x7f) + front, out->frame_length - front);
        if (sum < 0)
            return PW_DROP_NO_ROOM;
    }
    return write_headers_at((void *)(long)skb->data, (void *)(long)skb->data_end, encap, out, sum);
}

/* For a frame whose sum is known, or that needs none. */
__noinline int write_headers_xdp(struct xdp_md *context, const struct pw_encap *encap, const struct outgoing *out) {
    if (!encap || !out)
        return PW_DROP_NO_ROOM;
    return write_headers_at((void *)(long)context->data, (void *)(long)context->data_end, encap, out, out->sum);
}

#endif
