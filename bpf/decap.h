/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* From the underlay to the access interface. */
#ifndef PW_DECAP_H
#define PW_DECAP_H

#include "ecn.h"
#include "events.h"
#include "icmp.h"
#include "join.h"
#include "maps.h"
#include "mismatch.h"
#include "mss.h"
#include "parse.h"
#include "route.h"
#include "sequence.h"
#include "stats.h"
#include "vlan.h"

#define BPF_F_ADJ_ROOM_DECAP_L3_IPV4_63 (1ULL << 7) /* Linux 6.3; not in older headers */
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV6_63 (1ULL << 8)

/* Octets from an outer IP header without options to the end of the customer's Ethernet header, with all that can be. */
#define OUTER_WANTED_V4 (20 + 8 + 4 + 4 + 8 + 4 + 14)
#define OUTER_WANTED_V6 (OUTER_WANTED_V4 + 20)
#define IPV4_WITHOUT_OPTIONS 0x45

#define L2TP_T_BIT 0x8000
#define L2TP_VERSION 0x000f

static __always_inline int same_address(const __u32 *left, const __u32 *right, int is_v6) {
    if (left[0] != right[0])
        return 0;
    return !is_v6 || (left[1] == right[1] && left[2] == right[2] && left[3] == right[3]);
}

static __always_inline int cookie_matches(const struct pw_decap *decap, const __u32 *cookie, void *end) {
    if (!decap->cookie_length)
        return 1;
    if ((void *)(cookie + 1) > end)
        return 0;
    __u32 first = cookie[0], second = 0;
    if (decap->cookie_length == 8) {
        if ((void *)(cookie + 2) > end)
            return 0;
        second = cookie[1];
    }
    if (first == decap->cookie_be[0][0] && second == decap->cookie_be[0][1])
        return 1;
    return decap->cookie_count > 1 && first == decap->cookie_be[1][0] && second == decap->cookie_be[1][1];
}

/* Whether the outer UDP checksum is still to be filled in: the field holds the pseudo header's sum. */
static __always_inline int is_outer_sum_unfinished(struct __sk_buff *skb, __u32 offset, const __u32 *source,
                                                   const __u32 *destination) {
    struct udphdr udp;
    if (bpf_skb_load_bytes(skb, offset, &udp, sizeof(udp)) || !udp.check)
        return 0;
    return udp.check == sum_fold(sum_words(source, 16) + sum_words(destination, 16) + bpf_htons(IPPROTO_UDP) + udp.len);
}

/*
 * The kernel leaves no frame shorter than an IP header: a very short one is made longer first, and cut again. Its
 * octets stay where they are, and so does a checksum in it that is still to be filled in.
 *
 * Where the kernel refuses to make it longer, because it knows the packet to be encapsulated (one from a veth), fewer
 * octets are removed, and the frame is written anew over what remains. The zeros behind a frame that cannot be cut
 * stay: no more than what Ethernet pads such a frame with.
 */
static __always_inline int remove_from_short_frame(struct __sk_buff *skb, __u32 front, __u32 frame_length,
                                                   __u32 shortest, __u64 flags, const struct ethhdr *eth,
                                                   int is_sum_unfinished) {
    long refusal = bpf_skb_change_tail(skb, skb->len + shortest - frame_length, 0);
    if (!refusal) {
        if (bpf_skb_adjust_room(skb, -(__s32)front, BPF_ADJ_ROOM_MAC, flags) ||
            bpf_skb_store_bytes(skb, 0, eth, sizeof(*eth), 0))
            return -1;
        bpf_skb_change_tail(skb, frame_length, 0);
        return 0;
    }
    /* The kernel would fill in the outer checksum somewhere in the frame if its place were still there. */
    if (refusal != -KERNEL_ENOTSUPP || is_sum_unfinished)
        return -1;
    __u8 frame[sizeof(struct ethhdr) + 40] = {};
    /* The masks tell the verifier what the comparisons have told us. */
    __u64 length = frame_length;
    asm volatile("" : "+r"(length));
    length &= 63;
    if (length < sizeof(struct ethhdr) || length > sizeof(frame) || shortest > sizeof(frame))
        return -1;
    if (bpf_skb_load_bytes(skb, front, frame, length))
        return -1;
    if (bpf_skb_adjust_room(skb, -(__s32)(front - (shortest - frame_length)), BPF_ADJ_ROOM_MAC, flags))
        return -1;
    if (shortest == sizeof(frame) ? bpf_skb_store_bytes(skb, 0, frame, sizeof(frame), 0)
                                  : bpf_skb_store_bytes(skb, 0, frame, sizeof(struct ethhdr) + 20, 0))
        return -1;
    return 0;
}

/* Fragments of outer packets are left to the stack; those that are protocol 115 are counted, since nobody else will
 * want them. */
static __always_inline void count_outer_fragment_v6(struct __sk_buff *skb, __u32 offset) {
    __u8 next;
    if (!bpf_skb_load_bytes(skb, offset, &next, 1) && next == IPPROTO_L2TP_DATA)
        count_reason(PW_DROP_FRAGMENT);
}

/* A drop that somebody should hear of. */
static __always_inline int refuse(struct __sk_buff *skb, __u32 l2, __u32 id, __u32 slot, __u32 reason) {
    report(skb, l2, id, reason);
    return drop_rx(slot, reason);
}

/* Whether the link layer has no header: what lies where it should begin is what lies where IP begins. */
static __always_inline int begins_with_ip(struct __sk_buff *skb) {
    __u64 link[2], network[2];
    if (bpf_skb_load_bytes_relative(skb, 0, link, sizeof(link), BPF_HDR_START_MAC) ||
        bpf_skb_load_bytes_relative(skb, 0, network, sizeof(network), BPF_HDR_START_NET))
        return 1;
    return link[0] == network[0] && link[1] == network[1];
}

/* `l2` is how many octets precede the IP header: a constant at all calls, 14, or 0 where there is no Ethernet header.
 */
static __always_inline int decapsulate(struct __sk_buff *skb, const __u32 l2) {
    /* A tagged frame belongs to a VLAN device, which has its own hook; one for another station is nobody's here. */
    if (skb->vlan_present || skb->pkt_type)
        return TC_ACT_UNSPEC;
    int is_v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
    if (!is_v6 && skb->protocol != bpf_htons(ETH_P_IP))
        return TC_ACT_UNSPEC;
    if (make_linear(skb, l2 + (is_v6 ? OUTER_WANTED_V6 : OUTER_WANTED_V4)))
        return TC_ACT_UNSPEC;
    __u8 *first = (void *)(long)skb->data + l2;
    if ((void *)(first + 1) > (void *)(long)skb->data_end)
        return TC_ACT_UNSPEC;
    if (!is_v6 && *first != IPV4_WITHOUT_OPTIONS && make_linear(skb, LINEAR_WANTED))
        return TC_ACT_UNSPEC;

    void *data = (void *)(long)skb->data;
    void *end = (void *)(long)skb->data_end;
    __u32 source[4] = {}, destination[4] = {};
    __u32 l3_header, l3_total;
    __u16 fragment = 0;
    __u8 protocol, outer_ecn;
    if (is_v6) {
        struct ipv6hdr *ip = data + l2;
        if ((void *)(ip + 1) > end || ip->version != 6)
            return TC_ACT_UNSPEC;
        protocol = ip->nexthdr;
        l3_header = sizeof(*ip);
        l3_total = sizeof(*ip) + bpf_ntohs(ip->payload_len);
        outer_ecn = bpf_ntohs(*(__be16 *)ip) >> 4 & 3;
        __builtin_memcpy(source, &ip->saddr, 16);
        __builtin_memcpy(destination, &ip->daddr, 16);
    } else {
        struct iphdr *ip = data + l2;
        if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
            return TC_ACT_UNSPEC;
        protocol = ip->protocol;
        l3_header = ip->ihl * 4;
        l3_total = bpf_ntohs(ip->tot_len);
        outer_ecn = ip->tos & 3;
        source[0] = ip->saddr;
        destination[0] = ip->daddr;
        fragment = bpf_ntohs(ip->frag_off) & IP_FRAGMENT;
    }
    if (protocol == (is_v6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP) && !fragment) {
        heed_icmp(skb, l2, l2 + l3_header, is_v6);
        return TC_ACT_UNSPEC;
    }
    if (protocol == NEXT_HEADER_FRAGMENT && is_v6) {
        count_outer_fragment_v6(skb, l2 + l3_header);
        return TC_ACT_UNSPEC;
    }
    if (protocol != IPPROTO_UDP && protocol != IPPROTO_L2TP_DATA)
        return TC_ACT_UNSPEC;
    if (fragment & IP_FRAGMENT_OFFSET) {
        /* There is no header here to tell whose it is; the stack's reassembly will give it up. */
        if (protocol == IPPROTO_L2TP_DATA)
            count_reason(PW_DROP_FRAGMENT);
        return TC_ACT_UNSPEC;
    }

    __u32 offset = l2 + l3_header; /* of what follows the IP header */
    __u32 payload_total = l3_total - l3_header;
    __be16 source_port = 0, destination_port = 0;
    __u16 flags_word = 3; /* protocol 115 has none; it can be no other version */
    if (protocol == IPPROTO_UDP) {
        struct udphdr *udp = data + offset;
        __be16 *word = (void *)(udp + 1);
        if ((void *)(word + 2) > end)
            return TC_ACT_UNSPEC;
        source_port = udp->source;
        destination_port = udp->dest;
        flags_word = bpf_ntohs(*word);
        payload_total = bpf_ntohs(udp->len);
        if (payload_total > l3_total - l3_header)
            payload_total = 0; /* found wrong below, if the packet is ours at all */
        offset += sizeof(*udp) + 4;
    }
    __be32 *session = data + offset;
    if ((void *)(session + 1) > end)
        return TC_ACT_UNSPEC;
    __u32 id = bpf_ntohl(*session);
    if (!id || (flags_word & L2TP_T_BIT)) {
        if (protocol == IPPROTO_L2TP_DATA || (flags_word & (L2TP_T_BIT | L2TP_VERSION)) == (L2TP_T_BIT | 3))
            count_reason(PW_DROP_CONTROL);
        return TC_ACT_UNSPEC;
    }
    struct pw_decap *decap = bpf_map_lookup_elem(&sessions, &id);
    if (!decap) {
        /* Over UDP anything may look like this; only the registered port makes it likely to be L2TPv3. */
        if (protocol == IPPROTO_L2TP_DATA || (flags_word == 3 && destination_port == bpf_htons(1701))) {
            count_reason(PW_DROP_UNKNOWN_SESSION);
            report(skb, l2, id, PW_DROP_UNKNOWN_SESSION);
        }
        return TC_ACT_UNSPEC;
    }

    /* Addressed to our end of this pseudowire? If not, it is somebody else's and stays untouched. */
    if (!!(decap->flags & PW_FLAG_IPV6) != is_v6 || !!(decap->flags & PW_FLAG_UDP) != (protocol == IPPROTO_UDP) ||
        !same_address(decap->local_be, destination, is_v6))
        return TC_ACT_UNSPEC;
    if (protocol == IPPROTO_UDP && destination_port != decap->local_port_be)
        return TC_ACT_UNSPEC;
    if ((flags_word & L2TP_VERSION) != 3) {
        count_reason(PW_DROP_OTHER_VERSION);
        return TC_ACT_UNSPEC;
    }

    /* It is. From here on it is delivered or dropped, never left to the stack. */
    __u32 slot = decap->slot;
    if (!same_address(decap->peer_be, source, is_v6))
        return refuse(skb, l2, id, slot, PW_DROP_SOURCE_ADDRESS);
    if (protocol == IPPROTO_UDP && source_port != decap->peer_port_be && !(decap->flags & PW_FLAG_ENTROPY_RECEIVE))
        return refuse(skb, l2, id, slot, PW_DROP_SOURCE_PORT);
    if (fragment)
        return drop_rx(slot, PW_DROP_FRAGMENT);

    __u32 layout = (decap->cookie_length & 12) + (decap->flags & PW_FLAG_SUBLAYER ? 4 : 0); /* behind the session id */
    __u32 l2tp_header = 4 + layout;
    /* Where the customer's frame begins: at most 102. Older verifiers forget that between here and its use. */
    __u32 front = offset + l2tp_header;
    asm volatile("" : "+r"(front));
    front &= 0x7f;
    __u32 headers = l2tp_header; /* octets of payload_total that are not the frame */
    if (protocol == IPPROTO_UDP)
        headers += sizeof(struct udphdr) + 4;
    int is_length_right = l2 + l3_total <= skb->len && l3_total >= l3_header && payload_total >= headers;
    struct layout here = {.after = offset + 4,
                          .end = front + payload_total - headers,
                          .expected = layout,
                          .has_sublayer = !!(decap->flags & PW_FLAG_SUBLAYER)};
    if (make_headers_linear(skb, front))
        return drop_rx(slot, PW_DROP_NOT_REMOVED);
    data = (void *)(long)skb->data;
    end = (void *)(long)skb->data_end;
    session = data + offset;
    if ((void *)(session + 1) > end)
        return drop_rx(slot, PW_DROP_NOT_REMOVED);
    if (!cookie_matches(decap, session + 1, end)) {
        __u32 reason = PW_DROP_COOKIE;
        if (is_length_right) {
            int found = mismatch(skb, &here);
            if (found != PW_DROP_REASON_COUNT)
                reason = found;
        }
        return refuse(skb, l2, id, slot, reason);
    }
    if (!is_length_right)
        return drop_rx(slot, PW_DROP_LENGTH);
    __u32 frame_length = payload_total - headers;
    if (frame_length < sizeof(struct ethhdr))
        return drop_rx(slot, PW_DROP_RUNT);

    __u32 gso_size = skb->gso_size;
    if (!gso_size && here.end != skb->len) {
        /* Outer padding, which Ethernet adds to short frames, is not the customer's. */
        if (bpf_skb_change_tail(skb, here.end, 0))
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
        data = (void *)(long)skb->data;
        end = (void *)(long)skb->data_end;
        session = data + offset;
    }
    struct ethhdr *inner_eth = data + front;
    if ((void *)(inner_eth + 1) > end)
        return drop_rx(slot, PW_DROP_RUNT);
    struct ethhdr frame_eth = *inner_eth;
    __u32 sublayer = 0;
    if (decap->flags & PW_FLAG_SUBLAYER) {
        __be32 *word = session + (layout / 4);
        if ((void *)(word + 1) > end)
            return drop_rx(slot, PW_DROP_RUNT);
        sublayer = bpf_ntohl(*word);
    }

    /* What is inside, as far as it is IP. */
    __u32 l3_front = front + sizeof(struct ethhdr);
    __be16 ethertype = inner_eth->h_proto;
#pragma unroll
    for (int depth = 0; depth < 2; depth++) {
        if (!is_vlan(ethertype))
            break;
        __be16 *tag = data + l3_front;
        if ((void *)(tag + 2) > end)
            return drop_rx(slot, PW_DROP_RUNT);
        ethertype = tag[1];
        l3_front += 4;
    }
    struct inner_packet inner;
    inspect_inner(skb, l3_front, ethertype, &inner);

    /*
     * Does it look like a frame? What is not IP or ARP where it should be, or follows a sublayer that makes no sense,
     * is worth a closer look; a frame of some other protocol passes it.
     */
    here.looks_right = inner.is_ip || ethertype == bpf_htons(ETH_P_ARP) || is_any_tag(ethertype) ||
                       is_snap(ethertype, data + l3_front, end);
    if (!here.looks_right || (sublayer && !(sublayer & SUBLAYER_S))) {
        here.is_cookie_right = 1;
        int found = mismatch(skb, &here);
        if (found != PW_DROP_REASON_COUNT)
            return refuse(skb, l2, id, slot, found);
    }
    if (sublayer & SUBLAYER_V)
        return drop_rx(slot, PW_DROP_CONTROL_CHANNEL);
    if (sublayer & SUBLAYER_S) {
        if (sublayer & SUBLAYER_B_E)
            return drop_rx(slot, PW_DROP_PSEUDOWIRE_FRAGMENT);
        if (!(decap->flags & PW_FLAG_SEQUENCE_RECEIVE)) {
            /* Nobody's settings are changed by it: that is the operator's to do. */
            note(slot, PW_DROP_SEQUENCE_UNEXPECTED, 1);
        } else {
            int skipped = sequence_accepts(slot, sublayer & SEQUENCE_MASK);
            if (skipped < 0)
                return drop_rx(slot, PW_DROP_SEQUENCE);
            if (skipped)
                note(slot, PW_DROP_SEQUENCE_GAP, skipped);
        }
    } else if (decap->flags & PW_FLAG_SEQUENCE_RECEIVE) {
        return refuse(skb, l2, id, slot, PW_DROP_SEQUENCE_MISSING);
    }

    /* The tag by which our side knows the pseudowire. */
    if (decap->vlan != PW_VLAN_ANY) {
        struct vlan_tag *tag = data + front + 12;
        int has_tag = is_vlan(inner_eth->h_proto);
        if (has_tag && (void *)(tag + 1) > end)
            return drop_rx(slot, PW_DROP_RUNT);
        __u16 vlan = has_tag ? bpf_ntohs(tag->tci) & PW_VLAN_ID : 0;
        if (decap->vlan == PW_VLAN_NONE) {
            if (vlan)
                return drop_rx(slot, PW_DROP_VLAN);
        } else if (decap->tag != PW_TAG_STRIP) {
            __u16 wanted = decap->tag == PW_TAG_KEEP ? decap->vlan & PW_VLAN_ID : decap->tag;
            if (!has_tag || vlan != wanted)
                return drop_rx(slot, PW_DROP_VLAN);
            struct vlan_tag ours = {.tpid = decap->vlan & PW_VLAN_SERVICE ? bpf_htons(ETH_P_8021AD)
                                                                          : bpf_htons(ETH_P_8021Q),
                                    .tci = (tag->tci & bpf_htons(~PW_VLAN_ID)) | bpf_htons(decap->vlan & PW_VLAN_ID)};
            frame_eth.h_proto = ours.tpid;
            /* By a helper, which keeps the sum right that a card may have taken over the packet. */
            if ((ours.tpid != tag->tpid || ours.tci != tag->tci) &&
                bpf_skb_store_bytes(skb, front + 12, &ours, sizeof(ours), BPF_F_RECOMPUTE_CSUM))
                return drop_rx(slot, PW_DROP_NOT_REMOVED);
        }
    }

    __u32 frames = 1;
    __u32 inner_headers = 0;
    if (gso_size) {
        /*
         * Either one frame that somebody before us left uncut or put together again, whose inner lengths cover all of
         * it, or several of our packets glued together by UDP receive offload, whose inner lengths cover the first.
         */
        inner_headers = l3_front - front + inner.headers;
        if (!inner.headers || l3_front - front + inner.length != frame_length || front + frame_length != skb->len)
            return drop_rx(slot, PW_DROP_COALESCED);
        frames = wire_frames(frame_length, inner_headers, gso_size);
    }
    if (inner.is_syn && (decap->flags & PW_FLAG_MSS_CLAMP)) {
        /* What the far host is told here is what ours may send there. */
        struct pw_access_key key = {.ifindex = decap->access_ifindex, .vlan = decap->vlan};
        const struct pw_encap *encap = bpf_map_lookup_elem(&access, &key);
        if (encap) {
            __u32 tags = (l3_front - front - sizeof(struct ethhdr));
            __u32 overhead = (encap->header_length & 0x7f) + sizeof(struct ethhdr) + tags;
            __u32 mss = mss_for(path_limit(skb, encap, overhead), overhead, ethertype);
            if (mss)
                clamp_mss(skb, inner.l4_offset, mss, inner.is_partial);
        }
    }
    if (outer_ecn & 1 && inner.is_ip && propagate_congestion(skb, l3_front, outer_ecn, ethertype))
        return drop_rx(slot, PW_DROP_CONGESTION);

    __u64 join = decap->flags & PW_FLAG_COALESCE ? join_hash(skb, l3_front, &inner, slot) : 0;

    if (!l2) {
        /* Redirection to an Ethernet device wants a frame that has an Ethernet header to begin with. */
        if (bpf_skb_change_head(skb, sizeof(struct ethhdr), 0))
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
        front += sizeof(struct ethhdr);
        asm volatile("" : "+r"(front));
        front &= 0x7f;
    }
    __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
    __u32 shortest = sizeof(struct ethhdr) + (is_v6 ? 40 : 20);
    if (has_decap_l3) {
        /* Whatever is not IPv6: it is the smaller of the two lengths below which the kernel removes nothing. */
        int holds_v6 = frame_eth.h_proto == bpf_htons(ETH_P_IPV6) && inner.is_ip;
        if (is_v6 && !holds_v6) {
            flags |= BPF_F_ADJ_ROOM_DECAP_L3_IPV4_63;
            shortest = sizeof(struct ethhdr) + 20;
        } else if (!is_v6 && holds_v6) {
            flags |= BPF_F_ADJ_ROOM_DECAP_L3_IPV6_63;
            shortest = sizeof(struct ethhdr) + 40;
        }
    }
    int is_sum_unfinished =
        frame_length < shortest && protocol == IPPROTO_UDP &&
        is_outer_sum_unfinished(skb, offset - sizeof(struct udphdr) - 4 + (l2 ? 0 : sizeof(struct ethhdr)), source,
                                destination);
    if (is_v6 && !has_decap_l3 && frame_length < shortest) {
        /*
         * Too short to be the rest of an IPv6 packet, but perhaps not of an IPv4 packet, which this becomes: twenty
         * octets go at once, and nothing of the frame has to move, which a checksum that is to be filled in would not
         * follow.
         */
        if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0))
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
        shortest = sizeof(struct ethhdr) + 20;
        front -= 20;
        asm volatile("" : "+r"(front));
        front &= 0x7f;
    }
    if (frame_length < shortest) {
        if (remove_from_short_frame(skb, front, frame_length, shortest, flags, &frame_eth, is_sum_unfinished))
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
    } else {
        if (bpf_skb_adjust_room(skb, -(__s32)front, BPF_ADJ_ROOM_MAC, flags))
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
        data = (void *)(long)skb->data;
        end = (void *)(long)skb->data_end;
        struct ethhdr *eth = data;
        if ((void *)(eth + 1) > end)
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
        *eth = frame_eth;
    }
    if (skb->protocol != frame_eth.h_proto && protocol_refresh(skb))
        return drop_rx(slot, PW_DROP_NOT_REMOVED);
    if (decap->tag == PW_TAG_STRIP && decap->vlan < PW_VLAN_NONE) {
        __be16 tpid = decap->vlan & PW_VLAN_SERVICE ? bpf_htons(ETH_P_8021AD) : bpf_htons(ETH_P_8021Q);
        if (bpf_skb_vlan_push(skb, tpid, decap->vlan & PW_VLAN_ID))
            return drop_rx(slot, PW_DROP_NOT_REMOVED);
    }
    count_rx(slot, frames, frame_length + (frames - 1) * inner_headers);
    hear_peer(decap);
    if (join)
        return send_to_join(skb, join, decap->access_ifindex);
    /* The hash is of the outer addresses: left in place it would make all customers' flows one to fair queueing. */
    bpf_set_hash_invalid(skb);
    return bpf_redirect(decap->access_ifindex, 0);
}

#endif
