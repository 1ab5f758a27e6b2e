/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From the underlay to the access interface before the kernel has made a packet of the frame, and where floods end:
 * what is ours but wrong is dropped and counted here. Whatever wants the kernel's help (joining, numbers in order,
 * congestion marks, checksums), or is not plainly ours, passes unchanged and uncounted to the filter behind.
 */
#ifndef PW_DECAP_XDP_H
#define PW_DECAP_XDP_H

#include "decap.h"

static __always_inline int refuse_xdp(struct xdp_md *context, __u32 id, __u32 slot, __u32 reason) {
    report_xdp(context, sizeof(struct ethhdr), id, reason);
    drop_rx(slot, reason);
    return XDP_DROP;
}

/*
 * A session that nobody here has is the stack's to answer, and the filter's to report; but not without end. More than
 * are reported are dropped, if they are for this host and no socket of UDP takes them: what is left to say of them is
 * "port unreachable", which the kernel does not say any oftener.
 */
__noinline int shed_unknown(struct xdp_md *context, __u32 is_v6) {
    __u32 reason = PW_DROP_UNKNOWN_SESSION;
    const struct pw_event_limit *limit = bpf_map_lookup_elem(&event_limits, &reason);
    if (!limit || limit->second != bpf_ktime_get_ns() / 1000000000 || limit->count < PW_EVENTS_PER_SECOND)
        return XDP_PASS;
    void *data = (void *)(long)context->data;
    void *end = (void *)(long)context->data_end;
    struct bpf_fib_lookup fib = {.ifindex = context->ingress_ifindex, .l4_protocol = IPPROTO_UDP};
    struct bpf_sock_tuple tuple = {};
    __u32 size;
    if (is_v6) {
        struct ipv6hdr *ip = data + sizeof(struct ethhdr);
        struct udphdr *udp = (void *)(ip + 1);
        if ((void *)(udp + 1) > end)
            return XDP_PASS;
        fib.family = PW_AF_INET6;
        __builtin_memcpy(fib.ipv6_src, &ip->saddr, 16);
        __builtin_memcpy(fib.ipv6_dst, &ip->daddr, 16);
        __builtin_memcpy(tuple.ipv6.saddr, &ip->saddr, 16);
        __builtin_memcpy(tuple.ipv6.daddr, &ip->daddr, 16);
        tuple.ipv6.sport = udp->source;
        tuple.ipv6.dport = udp->dest;
        size = sizeof(tuple.ipv6);
    } else {
        struct iphdr *ip = data + sizeof(struct ethhdr);
        struct udphdr *udp = (void *)(ip + 1);
        if ((void *)(udp + 1) > end)
            return XDP_PASS;
        fib.family = PW_AF_INET;
        fib.ipv4_src = tuple.ipv4.saddr = ip->saddr;
        fib.ipv4_dst = tuple.ipv4.daddr = ip->daddr;
        tuple.ipv4.sport = udp->source;
        tuple.ipv4.dport = udp->dest;
        size = sizeof(tuple.ipv4);
    }
    /* What the kernel would forward is for somebody else; of its own addresses it says "not forwarded". */
    int rc = bpf_fib_lookup(context, &fib, sizeof(fib), 0);
    if (rc != BPF_FIB_LKUP_RET_NOT_FWDED && rc != BPF_FIB_LKUP_RET_FWD_DISABLED)
        return XDP_PASS;
    struct bpf_sock *socket = bpf_sk_lookup_udp(context, &tuple, size, BPF_F_CURRENT_NETNS, 0);
    if (socket) {
        bpf_sk_release(socket);
        return XDP_PASS;
    }
    count_reason(reason);
    return XDP_DROP;
}

static __always_inline int decapsulate_xdp(struct xdp_md *context) {
    void *data = (void *)(long)context->data;
    void *end = (void *)(long)context->data_end;
    struct ethhdr *eth = data;
    if ((void *)(eth + 1) > end)
        return XDP_PASS;
    int is_v6 = eth->h_proto == bpf_htons(ETH_P_IPV6);
    if (!is_v6 && eth->h_proto != bpf_htons(ETH_P_IP))
        return XDP_PASS;
    __u32 offset = sizeof(*eth); /* of what follows the IP header */
    __u32 l3_total;
    __u8 protocol, outer_ecn;
    __u32 source[4] = {}, destination[4] = {};
    if (is_v6) {
        struct ipv6hdr *ip = (void *)(eth + 1);
        if ((void *)(ip + 1) > end || ip->version != 6)
            return XDP_PASS;
        protocol = ip->nexthdr;
        outer_ecn = bpf_ntohs(*(__be16 *)ip) >> 4 & 3;
        offset += sizeof(*ip);
        l3_total = sizeof(*ip) + bpf_ntohs(ip->payload_len);
        __builtin_memcpy(source, &ip->saddr, 16);
        __builtin_memcpy(destination, &ip->daddr, 16);
    } else {
        struct iphdr *ip = (void *)(eth + 1);
        if ((void *)(ip + 1) > end || *(__u8 *)ip != IPV4_WITHOUT_OPTIONS || ip->frag_off & bpf_htons(IP_FRAGMENT))
            return XDP_PASS;
        protocol = ip->protocol;
        outer_ecn = ip->tos & 3;
        offset += sizeof(*ip);
        l3_total = bpf_ntohs(ip->tot_len);
        if (l3_total < sizeof(*ip))
            return XDP_PASS;
        source[0] = ip->saddr;
        destination[0] = ip->daddr;
    }
    __u32 payload_total = l3_total - (offset - sizeof(*eth));
    __u32 headers = 0; /* octets of payload_total that are not the frame */
    __be16 source_port = 0, destination_port = 0;
    if (protocol == IPPROTO_UDP) {
        struct udphdr *udp = data + offset;
        __be16 *word = (void *)(udp + 1);
        if ((void *)(word + 2) > end || *word != bpf_htons(3) || bpf_ntohs(udp->len) > payload_total)
            return XDP_PASS;
        source_port = udp->source;
        destination_port = udp->dest;
        payload_total = bpf_ntohs(udp->len);
        headers = sizeof(*udp) + 4;
        offset += headers;
    } else if (protocol != IPPROTO_L2TP_DATA) {
        return XDP_PASS;
    }
    __be32 *session = data + offset;
    if ((void *)(session + 1) > end)
        return XDP_PASS;
    __u32 id = bpf_ntohl(*session);
    if (!id)
        return XDP_PASS;
    /* For another station, or from a VLAN: nobody's here. */
    const struct recent_port *underlay = recent_port(context->ingress_ifindex);
    if (!underlay || __builtin_memcmp(eth->h_dest, underlay->address, 4) ||
        __builtin_memcmp(eth->h_dest + 4, underlay->address + 4, 2))
        return XDP_PASS;
    struct pw_decap *decap = bpf_map_lookup_elem(&sessions, &id);
    if (!decap)
        return protocol == IPPROTO_UDP && destination_port == bpf_htons(1701) && (underlay->flags & PW_PORT_SHEDS)
                   ? shed_unknown(context, is_v6)
                   : XDP_PASS;
    if (!!(decap->flags & PW_FLAG_IPV6) != is_v6 || !!(decap->flags & PW_FLAG_UDP) != (protocol == IPPROTO_UDP) ||
        !same_address(decap->local_be, destination, is_v6))
        return XDP_PASS;
    if (protocol == IPPROTO_UDP && destination_port != decap->local_port_be)
        return XDP_PASS;

    /* It is ours. What is wrong with it is told in the filter's words. */
    __u32 slot = decap->slot;
    if (!same_address(decap->peer_be, source, is_v6))
        return refuse_xdp(context, id, slot, PW_DROP_SOURCE_ADDRESS);
    if (protocol == IPPROTO_UDP && source_port != decap->peer_port_be && !(decap->flags & PW_FLAG_ENTROPY_RECEIVE))
        return refuse_xdp(context, id, slot, PW_DROP_SOURCE_PORT);
    __u32 layout = (decap->cookie_length & 12) + (decap->flags & PW_FLAG_SUBLAYER ? 4 : 0); /* behind the session id */
    __u32 front = offset + 4 + layout;
    asm volatile("" : "+r"(front));
    front &= 0x7f;
    headers += 4 + layout;
    __u32 length = frame_octets(data, end);
    int is_length_right = sizeof(*eth) + l3_total <= length && payload_total >= headers;
    struct layout here = {.after = offset + 4,
                          .end = front + payload_total - headers,
                          .expected = layout,
                          .has_sublayer = !!(decap->flags & PW_FLAG_SUBLAYER)};
    if (!cookie_matches(decap, session + 1, end)) {
        __u32 reason = PW_DROP_COOKIE;
        if (is_length_right) {
            int found = mismatch_xdp(context, &here);
            if (found != PW_DROP_REASON_COUNT)
                reason = found;
        }
        return refuse_xdp(context, id, slot, reason);
    }
    __u32 frame_length = payload_total - headers;
    if (!is_length_right || frame_length < sizeof(struct ethhdr))
        return XDP_PASS;
    /* In order, also beside what the filter takes. */
    if (outer_ecn & 1 || decap->flags & PW_FLAG_SEQUENCE_RECEIVE)
        return XDP_PASS;
    if (decap->flags & PW_FLAG_SUBLAYER) {
        __be32 *word = session + (layout / 4);
        if ((void *)(word + 1) > end || *word)
            return XDP_PASS;
    }
    struct ethhdr *inner_eth = data + front;
    if ((void *)(inner_eth + 1) > end)
        return XDP_PASS;
    struct ethhdr frame_eth = *inner_eth;
    __u32 l3_front = front + sizeof(struct ethhdr);
    __be16 ethertype = frame_eth.h_proto;
#pragma unroll
    for (int depth = 0; depth < 2; depth++) {
        if (!is_vlan(ethertype))
            break;
        __be16 *tag = data + l3_front;
        if ((void *)(tag + 2) > end)
            return XDP_PASS;
        ethertype = tag[1];
        l3_front += 4;
    }
    /* What begins in the outer padding is not the customer's. */
    __u32 least = ethertype == bpf_htons(ETH_P_IPV6) ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
    if (l3_front + least > here.end)
        return XDP_PASS;
    struct inner_packet inner;
    inspect_inner_xdp(context, l3_front, ethertype, &inner);
    if (!inner.is_ip && ethertype != bpf_htons(ETH_P_ARP))
        return XDP_PASS; /* worth a closer look, which the filter takes */
    if (inner.is_partial || inner.may_be_partial || (inner.is_syn && (decap->flags & PW_FLAG_MSS_CLAMP)) ||
        (inner.is_tcp && (decap->flags & PW_FLAG_COALESCE)))
        return XDP_PASS;
    const struct recent_port *access = recent_port(decap->access_ifindex);
    if (!access || !(access->flags & PW_PORT_TRANSMITS))
        return XDP_PASS;

    int has_tag = is_vlan(frame_eth.h_proto);
    struct vlan_tag ours = {
        .tpid = decap->vlan & PW_VLAN_SERVICE ? bpf_htons(ETH_P_8021AD) : bpf_htons(ETH_P_8021Q),
        .tci = bpf_htons(decap->vlan & PW_VLAN_ID),
    };
    int is_pushed = 0, is_changed = 0;
    if (decap->vlan != PW_VLAN_ANY) {
        struct vlan_tag *tag = data + front + 12;
        if (has_tag && (void *)(tag + 1) > end)
            return XDP_PASS;
        __u16 vlan = has_tag ? bpf_ntohs(tag->tci) & PW_VLAN_ID : 0;
        if (decap->vlan == PW_VLAN_NONE) {
            if (vlan)
                return XDP_PASS;
        } else if (decap->tag == PW_TAG_STRIP) {
            is_pushed = 1;
        } else {
            __u16 wanted = decap->tag == PW_TAG_KEEP ? decap->vlan & PW_VLAN_ID : decap->tag;
            if (!has_tag || vlan != wanted)
                return XDP_PASS;
            ours.tci |= tag->tci & bpf_htons(~PW_VLAN_ID);
            is_changed = 1;
        }
    }

    /* Outer padding, which Ethernet adds to short frames, is not the customer's. From here on nothing passes. */
    if (here.end < length && bpf_xdp_adjust_tail(context, (int)(here.end - length)))
        return XDP_PASS;
    if (bpf_xdp_adjust_head(context, (int)(front - (is_pushed ? sizeof(ours) : 0)))) {
        drop_rx(slot, PW_DROP_NOT_REMOVED);
        return XDP_DROP;
    }
    if (is_pushed || is_changed) {
        data = (void *)(long)context->data;
        end = (void *)(long)context->data_end;
        if (data + sizeof(frame_eth) + sizeof(ours) > end) {
            drop_rx(slot, PW_DROP_NOT_REMOVED);
            return XDP_DROP;
        }
        __builtin_memcpy(data, &frame_eth, 12);
        *(struct vlan_tag *)(data + 12) = ours;
    }
    count_rx(slot, 1, frame_length);
    hear_peer(decap);
    return bpf_redirect(decap->access_ifindex, 0);
}

#endif
