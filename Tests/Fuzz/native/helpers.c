/* SPDX-License-Identifier: MIT */
/*
 * Helpers that read, write and resize packets, with their refusals: net/core/filter.c of Linux 6.1 to 6.12. What the
 * verifier would not admit is a failure here.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf_endian.h>

#include "packet.h"

#define DECAP_L3_IPV4 (1ULL << 7)
#define DECAP_L3_IPV6 (1ULL << 8)
#define ENCAP_L3 (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6)
#define KNOWN_ROOM_FLAGS                                                                                               \
    (BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET | ENCAP_L3 | BPF_F_ADJ_ROOM_ENCAP_L4_GRE |                \
     BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_ENCAP_L2(0xffULL))

long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length) {
    const struct packet *packet = (const struct packet *)skb;
    if (!length)
        fail("bpf_skb_load_bytes() of nothing, which the verifier refuses");
    if (offset > 0x7fffffff || (__u64)offset + length > skb->len) {
        memset(to, 0, length);
        return -EFAULT;
    }
    gather(packet);
    memcpy(to, packet->octets + offset, length);
    return 0;
}

long bpf_skb_load_bytes_relative(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length, __u32 start) {
    const struct packet *packet = (const struct packet *)skb;
    __u32 from = start == BPF_HDR_START_NET ? (__u32)packet->network : 0;
    return offset > 0xffff ? -EFAULT : bpf_skb_load_bytes(skb, from + offset, to, length);
}

long bpf_skb_store_bytes(struct __sk_buff *skb, __u32 offset, const void *from, __u32 length, __u64 flags) {
    struct packet *packet = begin(skb);
    long result = 0;
    if (!length)
        fail("bpf_skb_store_bytes() of nothing, which the verifier refuses");
    if (flags & ~(__u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
        result = -EINVAL;
    else if (offset > 0x7fffffff || make_writable(packet, offset + length))
        result = -EFAULT;
    else
        memcpy(packet->octets + offset, from, length);
    if (!result && flags & BPF_F_INVALIDATE_HASH)
        skb->hash = 0;
    return finish(packet, "bpf_skb_store_bytes", result);
}

long bpf_skb_pull_data(struct __sk_buff *skb, __u32 length) {
    struct packet *packet = begin(skb);
    return finish(packet, "bpf_skb_pull_data", make_writable(packet, length ? length : packet->linear));
}

long bpf_skb_change_head(struct __sk_buff *skb, __u32 room, __u64 flags) {
    struct packet *packet = begin(skb);
    __u32 length = skb->len + room;
    long result = 0;
    if (flags || (!skb->gso_size && length > LONGEST_PACKET) || length < skb->len) {
        result = -EINVAL;
    } else if (falls_short()) {
        result = -ENOMEM;
    } else {
        push(packet, 0, room);
        packet->network += room;
        packet->transport += room;
    }
    return finish(packet, "bpf_skb_change_head", result);
}

/*
 * __bpf_skb_min_len(). Before Linux 6.13 (6.12.8, 6.1.123) a header that lies before the data, because what
 * it was in has been removed, makes no length long enough.
 */
static __u32 shortest_tail(const struct packet *packet) {
    __s32 shortest = packet->network;
    if (packet->transport > 0 || !kernel.is_recent)
        shortest = packet->transport;
    __s32 after_sum = packet->checksum_start + (__s32)packet->checksum_offset + 2;
    if (packet->is_partial && (after_sum > 0 || !kernel.is_recent))
        shortest = after_sum;
    return shortest < 0 && kernel.is_recent ? 0 : (__u32)shortest;
}

long bpf_skb_change_tail(struct __sk_buff *skb, __u32 length, __u64 flags) {
    struct packet *packet = begin(skb);
    __u32 shortest = shortest_tail(packet);
    long result = 0;
    kernel.has_refused_tail |= length < shortest;
    if (flags || length > LONGEST_PACKET || length < shortest) {
        result = -EINVAL;
    } else if (packet->is_encapsulated) {
        result = -ENOTSUPP;
    } else if (make_writable(packet, skb->len)) {
        result = -ENOMEM;
    } else {
        if (length > packet->capacity) {
            packet->capacity = length + 512;
            packet->octets = realloc(packet->octets, packet->capacity);
        }
        if (length > skb->len)
            memset(packet->octets + skb->len, 0, length - skb->len);
        skb->len = packet->linear = length;
        skb->gso_size = 0;
        packet->gso_kind = GSO_NONE;
    }
    return finish(packet, "bpf_skb_change_tail", result);
}

/* From IPv6 to IPv4 and back: 20 octets less or more behind the link-layer header, and another protocol. */
long bpf_skb_change_proto(struct __sk_buff *skb, __be16 protocol, __u64 flags) {
    struct packet *packet = begin(skb);
    int is_v4_wanted = protocol == bpf_htons(ETH_P_IP), is_v6_wanted = protocol == bpf_htons(ETH_P_IPV6);
    long result = 0;
    if (flags)
        result = -EINVAL;
    else if (!(is_v4_wanted && skb->protocol == bpf_htons(ETH_P_IPV6)) &&
             !(is_v6_wanted && skb->protocol == bpf_htons(ETH_P_IP)))
        result = -ENOTSUPP;
    else if (skb->gso_size && packet->gso_kind != GSO_TCP)
        result = -ENOTSUPP;
    else if (falls_short() || (is_v4_wanted && pull(packet, packet->network + 20)))
        result = -ENOMEM;
    if (!result) {
        int is_transport_same = packet->transport == packet->network;
        if (is_v4_wanted)
            pop(packet, packet->network, 20);
        else
            push(packet, packet->network, 20);
        packet->transport = is_transport_same ? packet->network : packet->transport + (is_v4_wanted ? -20 : 20);
        skb->protocol = protocol;
        skb->hash = 0;
    }
    return finish(packet, "bpf_skb_change_proto", result);
}

long bpf_skb_change_type(struct __sk_buff *skb, __u32 type) {
    if (skb->pkt_type > 3 || type > 3)
        return -EINVAL;
    skb->pkt_type = type;
    return 0;
}

static __u32 shortest_network(const struct packet *packet) {
    if (packet->view.protocol == bpf_htons(ETH_P_IP))
        return 20;
    return packet->view.protocol == bpf_htons(ETH_P_IPV6) ? 40 : 0;
}

/* bpf_skb_net_grow() */
static long grow(struct packet *packet, __u32 offset, __u32 length, __u64 flags) {
    __u32 inner_link = flags >> BPF_ADJ_ROOM_ENCAP_L2_SHIFT & BPF_ADJ_ROOM_ENCAP_L2_MASK;
    int link = packet->network;
    if (falls_short())
        return -ENOMEM;
    if (flags & ENCAP_L3) {
        if ((flags & ENCAP_L3) == ENCAP_L3)
            return -EINVAL;
        if (flags & BPF_F_ADJ_ROOM_ENCAP_L4_GRE && flags & BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
            return -EINVAL;
        if (flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH && inner_link < ETH_HLEN)
            return -EINVAL;
        if (packet->is_encapsulated)
            return -EALREADY;
        if (inner_link > length)
            return -EINVAL;
    }
    /* The kernel moves what comes before from where it expects it to be linear. */
    if (offset > packet->linear)
        fail("bpf_skb_adjust_room() behind what is linear");
    int is_transport_same = packet->transport == packet->network;
    push(packet, offset, length);
    /* Headers keep their distance from the data, which has moved as far as they have. */
    packet->transport = is_transport_same ? packet->network : packet->transport + (__s32)length;
    if (flags & ENCAP_L3) {
        packet->is_encapsulated = 1;
        packet->network = link;
        if (flags & (BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L4_GRE))
            packet->transport = link + (flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? 40 : 20);
        packet->view.protocol = flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
    }
    return 0;
}

/* bpf_skb_net_shrink() */
static long shrink(struct packet *packet, __u32 offset, __u32 length, __u64 flags) {
    if (flags & ~(__u64)(BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3_IPV4 | DECAP_L3_IPV6 | BPF_F_ADJ_ROOM_NO_CSUM_RESET))
        return -EINVAL;
    if (falls_short() || pull(packet, offset + length))
        return -ENOMEM;
    int is_transport_same = packet->transport == packet->network;
    pop(packet, offset, length);
    packet->transport = is_transport_same ? packet->network : packet->transport - (__s32)length;
    if (flags & DECAP_L3_IPV6)
        packet->view.protocol = bpf_htons(ETH_P_IPV6);
    else if (flags & DECAP_L3_IPV4)
        packet->view.protocol = bpf_htons(ETH_P_IP);
    return 0;
}

static long adjust_room(struct packet *packet, __s32 difference, __u32 mode, __u64 flags) {
    __u32 length = difference < 0 ? -(__u32)difference : (__u32)difference;
    __u32 shortest = shortest_network(packet), offset = packet->network;
    int is_shrinking = difference < 0;
    __u64 known = KNOWN_ROOM_FLAGS | (kernel.has_decap_l3 ? DECAP_L3_IPV4 | DECAP_L3_IPV6 : 0);
    if (flags & ~known)
        return -EINVAL;
    if (length > 0xfff)
        return -EFAULT;
    if (!shortest)
        return -ENOTSUPP;
    if (mode == BPF_ADJ_ROOM_NET)
        offset += shortest;
    else if (mode != BPF_ADJ_ROOM_MAC)
        return -ENOTSUPP;
    if (flags & (DECAP_L3_IPV4 | DECAP_L3_IPV6)) {
        if (!is_shrinking || (flags & DECAP_L3_IPV4 && flags & DECAP_L3_IPV6))
            return -EINVAL;
        shortest = flags & DECAP_L3_IPV4 ? 20 : 40;
    }
    __u32 now = packet->view.len - packet->network;
    if (is_shrinking ? length >= now || now - length < shortest
                     : packet->view.len + length > LONGEST_PACKET && !packet->view.gso_size)
        return -ENOTSUPP;
    if (packet->view.gso_size && packet->gso_kind != GSO_TCP &&
        (packet->gso_kind != GSO_UDP || !(flags & BPF_F_ADJ_ROOM_FIXED_GSO)))
        return -ENOTSUPP;
    long result = is_shrinking ? shrink(packet, offset, length, flags) : grow(packet, offset, length, flags);
    if (!result && packet->view.gso_size && !(flags & BPF_F_ADJ_ROOM_FIXED_GSO))
        packet->view.gso_size -= difference;
    return result;
}

long bpf_skb_adjust_room(struct __sk_buff *skb, __s32 difference, __u32 mode, __u64 flags) {
    struct packet *packet = begin(skb);
    trace("  bpf_skb_adjust_room(%d, %u, %#llx), network header at %d\n", difference, mode, flags, packet->network);
    return finish(packet, "bpf_skb_adjust_room", adjust_room(packet, difference, mode, flags));
}

long bpf_skb_vlan_push(struct __sk_buff *skb, __be16 protocol, __u16 tci) {
    struct packet *packet = begin(skb);
    if (!is_tag(protocol))
        protocol = bpf_htons(ETH_P_8021Q);
    if (skb->vlan_present) {
        if (falls_short() || pull(packet, 12))
            return finish(packet, "bpf_skb_vlan_push", -ENOMEM);
        push(packet, 12, 4);
        memcpy(packet->octets + 12, &skb->vlan_proto, 2);
        packet->octets[14] = skb->vlan_tci >> 8;
        packet->octets[15] = (__u8)skb->vlan_tci;
        skb->protocol = skb->vlan_proto;
        packet->transport += 4;
    }
    put_tag(packet, protocol, tci);
    return finish(packet, "bpf_skb_vlan_push", 0);
}

long bpf_skb_vlan_pop(struct __sk_buff *skb) {
    struct packet *packet = begin(skb);
    __u16 tci;
    long result = 0;
    if (skb->vlan_present)
        skb->vlan_present = skb->vlan_tci = skb->vlan_proto = 0;
    else if (is_tag(skb->protocol))
        result = take_tag(packet, &tci);
    if (!result && is_tag(skb->protocol)) {
        __be16 protocol = (__be16)skb->protocol;
        result = take_tag(packet, &tci);
        if (!result)
            put_tag(packet, protocol, tci);
    }
    return finish(packet, "bpf_skb_vlan_pop", result);
}
