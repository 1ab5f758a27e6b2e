/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Reading headers. Lengths are compared with the frame before anything is read. */
#ifndef PW_PARSE_H
#define PW_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "checksum.h"
#include "vlan.h"

#define PROTOCOL_ICMP 1
#define PROTOCOL_ICMP6 58
#define NEXT_HEADER_FRAGMENT 44
#define IPPROTO_L2TP_DATA 115 /* IPPROTO_L2TP is not in every libc's headers */
#define IP_FRAGMENT 0x3fff    /* more-fragments bit and offset */
#define IP_FRAGMENT_OFFSET 0x1fff
#define IP_DONT_FRAGMENT 0x4000
#define IP_MORE_FRAGMENTS 0x2000
#define KERNEL_ENOTSUPP 524 /* the kernel's own, in no header of user space */

/* Octets that our headers and the customer's may need to be linear: the longest of both with some IPv4 options. */
#define LINEAR_WANTED 192

/* Octets of the packet, of whichever kind the program is: `packet` is its context. Not 0 where they are not there. */
static __always_inline long load_octets(void *packet, const int is_xdp, __u32 offset, void *to, __u32 count) {
    return is_xdp ? bpf_xdp_load_bytes(packet, offset, to, count) : bpf_skb_load_bytes(packet, offset, to, count);
}

/* How long a frame is that an XDP program has before it. The compiler would subtract halves of pointers. */
static __always_inline __u32 frame_octets(void *data, void *end) {
    __u64 octets = end - data;
    asm volatile("" : "+r"(octets));
    return (__u32)octets;
}

static __always_inline __u32 linear_length(struct __sk_buff *skb) {
    return (__u32)(skb->data_end - skb->data);
}

/* Makes the first `wanted` octets (or the whole frame, if shorter) readable. Invalidates packet pointers. */
static __always_inline int make_linear(struct __sk_buff *skb, __u32 wanted) {
    if (wanted > skb->len)
        wanted = skb->len;
    if (linear_length(skb) >= wanted)
        return 0;
    return bpf_skb_pull_data(skb, wanted) ? -1 : 0;
}

/*
 * Whether the headers from the Ethernet header at `offset` to TCP's or UDP's can be read where they are. What the
 * kernel has cut has just these in one piece, and its payload elsewhere: to move octets of that here would cost more
 * than all the rest, and whoever joins or cuts it afterwards a piece more for each frame.
 */
__noinline int headers_are_linear(struct __sk_buff *skb, __u32 offset) {
    asm volatile("" : "+r"(offset));
    offset &= 0x7f;
    void *data = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data + offset;
    if ((void *)(eth + 1) > end)
        return 0;
    __be16 ethertype = eth->h_proto;
    offset += sizeof(*eth);
#pragma unroll
    for (int depth = 0; depth < 2; depth++) {
        if (!is_vlan(ethertype))
            break;
        __be16 *tag = data + offset;
        if ((void *)(tag + 2) > end)
            return 0;
        ethertype = tag[1];
        offset += 4;
    }
    __u8 protocol;
    if (ethertype == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = data + offset;
        if ((void *)(ip + 1) > end || ip->ihl != 5)
            return 0;
        protocol = ip->protocol;
        offset += sizeof(*ip);
    } else if (ethertype == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = data + offset;
        if ((void *)(ip + 1) > end)
            return 0;
        protocol = ip->nexthdr;
        offset += sizeof(*ip);
    } else {
        return 0;
    }
    if (protocol == IPPROTO_TCP)
        return data + offset + sizeof(struct tcphdr) <= end;
    return protocol == IPPROTO_UDP && data + offset + sizeof(struct udphdr) <= end;
}

/* Makes the headers of the frame at `offset` readable. Invalidates packet pointers. */
static __always_inline int make_headers_linear(struct __sk_buff *skb, __u32 offset) {
    if (linear_length(skb) < LINEAR_WANTED && linear_length(skb) < skb->len && headers_are_linear(skb, offset))
        return 0;
    return make_linear(skb, LINEAR_WANTED);
}

/* RFC 8200, section 4.5. */
struct fragment_header {
    __u8 next;
    __u8 reserved;
    __be16 offset; /* octets, a multiple of eight; the lowest bit: more follow */
    __be32 id;
};

#define FRAGMENT_MORE 1
#define FRAGMENT_OFFSET 0xfff8

/* What an IP packet behind an Ethernet header is, as far as a tunnel cares. */
struct inner_packet {
    __u16 headers; /* octets from the start of the IP header to the end of the TCP or UDP header; 0: not such */
    __u16 length;  /* octets the IP header says the packet has */
    __u8 is_sum_known;
    __u8 is_partial;     /* the checksum is still to be filled in: the field holds the pseudo header's sum */
    __u8 may_be_partial; /* the same perhaps, somewhere inside a packet of some other kind */
    __u8 is_ip;          /* whether the octets are the IP packet that the ethertype announces */
    __u8 is_tcp;
    __u8 is_syn;        /* TCP that negotiates its segment size; the TCP header is at l4_offset */
    __u8 traffic_class; /* of an IP packet */
    __u8 dont_fragment; /* IPv4's DF, set as well for IPv6, where nobody fragments on the way */
    __u16 l4_offset;    /* from the frame's beginning */
    __u16 sum;          /* ones' complement sum of all `length` octets, if is_sum_known */
    __u32 ports;        /* TCP's or UDP's, as they stand there, where there are `headers` */
};

/*
 * Looks at the IP packet at `offset`; `ethertype` is what the Ethernet header calls it.
 *
 * The sum needs no look at the payload: a valid IPv4 header adds up to zero (0xffff), and a valid TCP or UDP segment
 * to the complement of its pseudo header. It also holds where the checksum is still to be filled in by hardware,
 * because that is the value which hardware will make true.
 */
static __always_inline int inspect(void *data, void *end, __u32 offset, __u32 ethertype, struct inner_packet *inner) {
    /* No header of ours and theirs reaches further; the mask is for older verifiers. */
    asm volatile("" : "+r"(offset));
    offset &= 0xff;
    *inner = (struct inner_packet){};

    __u64 addresses;
    __u64 header_sum = 0;
    __u32 l3_length;
    __u8 protocol;
    if (ethertype == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = data + offset;
        if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
            return 0;
        inner->length = bpf_ntohs(ip->tot_len);
        inner->is_ip = 1;
        inner->traffic_class = ip->tos;
        inner->dont_fragment = !!(ip->frag_off & bpf_htons(IP_DONT_FRAGMENT));
        if (ip->frag_off & bpf_htons(IP_FRAGMENT))
            return 0;
        l3_length = ip->ihl * 4;
        protocol = ip->protocol;
        addresses = sum_words(&ip->saddr, 8);
    } else if (ethertype == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = data + offset;
        if ((void *)(ip + 1) > end || ip->version != 6)
            return 0;
        inner->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
        inner->is_ip = 1;
        inner->traffic_class = (__u8)(bpf_ntohs(*(__be16 *)ip) >> 4);
        inner->dont_fragment = 1;
        l3_length = sizeof(*ip);
        protocol = ip->nexthdr;
        addresses = sum_words(&ip->saddr, 32);
        header_sum = sum_words(ip, 8) + addresses;
    } else {
        return 0;
    }

    __u16 check;
    void *l4 = data + offset + l3_length;
    if (protocol == IPPROTO_TCP) {
        struct tcphdr *tcp = l4;
        if ((void *)(tcp + 1) > end || tcp->doff < 5)
            return 0;
        inner->headers = l3_length + tcp->doff * 4;
        inner->is_tcp = 1;
        inner->ports = *(__u32 *)tcp;
        inner->is_syn = tcp->syn;
        inner->l4_offset = offset + l3_length;
        check = tcp->check;
    } else if (protocol == IPPROTO_UDP) {
        struct udphdr *udp = l4;
        if ((void *)(udp + 1) > end)
            return 0;
        inner->headers = l3_length + sizeof(*udp);
        inner->ports = *(__u32 *)udp;
        check = udp->check;
        if (!check) {
            inner->may_be_partial = 1;
            return 0;
        }
        /* A datagram shorter than its packet has octets behind it that its checksum does not cover. */
        if (bpf_ntohs(udp->len) + l3_length != inner->length) {
            inner->may_be_partial = 1;
            return 0;
        }
    } else {
        /* A tunnel of the customer's, SCTP, extension headers. ICMP is always sent with its checksum. */
        inner->may_be_partial = protocol != PROTOCOL_ICMP && protocol != PROTOCOL_ICMP6;
        return 0;
    }
    if (inner->length < inner->headers)
        return 0;
    __u64 pseudo = addresses + bpf_htons(protocol) + bpf_htons((__u16)(inner->length - l3_length));
    inner->sum = sum_fold(header_sum + (__u16)~sum_fold(pseudo));
    inner->is_partial = check == sum_fold(pseudo);
    inner->is_sum_known = 1;
    return 0;
}

/* Global functions, which the verifier checks once and not anew on each way that leads there: one for each kind of
 * program. */
__noinline int inspect_inner(struct __sk_buff *skb, __u32 offset, __u32 ethertype, struct inner_packet *inner) {
    return inner ? inspect((void *)(long)skb->data, (void *)(long)skb->data_end, offset, ethertype, inner) : 0;
}

__noinline int inspect_inner_xdp(struct xdp_md *context, __u32 offset, __u32 ethertype, struct inner_packet *inner) {
    return inner ? inspect((void *)(long)context->data, (void *)(long)context->data_end, offset, ethertype, inner) : 0;
}

/* How many frames a wire would carry for one of `length` octets whose headers up to TCP or UDP are `headers` long. */
static __always_inline __u32 wire_frames(__u32 length, __u32 headers, __u32 gso_size) {
    if (!gso_size || length <= headers)
        return 1;
    return (length - headers + gso_size - 1) / gso_size;
}

#endif
