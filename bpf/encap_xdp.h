/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From the access interface to the underlay before the kernel has made a packet of the frame: for whole frames that
 * need nothing but headers. Whatever wants the kernel's help (cutting, checksums, numbers in order, a reply, a
 * neighbour's address) passes, unchanged and uncounted, to the filter behind, which does the same and more.
 */
#ifndef PW_ENCAP_XDP_H
#define PW_ENCAP_XDP_H

#include "encap.h"
#include "flow.h"

static __always_inline int encapsulate_xdp(struct xdp_md *context) {
    void *data = (void *)(long)context->data;
    void *end = (void *)(long)context->data_end;
    struct ethhdr *eth = data;
    if ((void *)(eth + 1) > end)
        return XDP_PASS;
    struct vlan_tags tags = {};
    __be16 ethertype = eth->h_proto;
    __u32 l3_offset = sizeof(*eth);
    __u16 vlan = PW_VLAN_NONE;
    if (is_vlan(ethertype)) {
        struct vlan_tag *first = data + 12;
        if ((void *)(first + 1) + sizeof(ethertype) > end)
            return XDP_PASS;
        tags.tag[0] = *first;
        tags.count = 1;
        ethertype = *(__be16 *)(first + 1);
        l3_offset += 4;
        vlan = bpf_ntohs(tags.tag[0].tci) & PW_VLAN_ID;
        if (!vlan)
            vlan = PW_VLAN_NONE; /* a priority tag names no VLAN */
        else if (tags.tag[0].tpid == bpf_htons(ETH_P_8021AD))
            vlan |= PW_VLAN_SERVICE;
        if (is_vlan(ethertype)) {
            struct vlan_tag *second = data + 16;
            if ((void *)(second + 1) + sizeof(ethertype) > end)
                return XDP_PASS;
            tags.tag[1] = *second;
            tags.count = 2;
            ethertype = *(__be16 *)(second + 1);
            l3_offset += 4;
        }
    }
    struct pw_access_key key = {.ifindex = context->ingress_ifindex, .vlan = PW_VLAN_ANY};
    const struct pw_encap *encap = bpf_map_lookup_elem(&access, &key);
    if (!encap) {
        key.vlan = vlan;
        encap = bpf_map_lookup_elem(&access, &key);
    }
    /* Numbers must leave in order, also beside what the filter sends. */
    if (!encap || (encap->flags & PW_FLAG_SEQUENCE_SEND) || is_vlan(ethertype))
        return XDP_PASS;

    struct outgoing out = {};
    __builtin_memcpy(&out.eth, eth, 12);
    out.eth.h_proto = ethertype;
    vlan_translate(&tags, encap->tag, &out.tags);
    __u32 tag_octets = out.tags.count * 4;
    __u32 outer_length = encap->header_length & 0x7f;
    __u32 overhead = outer_length + sizeof(struct ethhdr) + tag_octets;
    __u32 length = frame_octets(data, end) - (l3_offset - sizeof(struct ethhdr)); /* without tags */

    struct inner_packet inner;
    inspect_inner_xdp(context, l3_offset, ethertype, &inner);
    /* From a stack of this machine's, a checksum may be unfinished. The kernel knows that of the packet; we do not. */
    if (inner.is_partial || inner.may_be_partial || (inner.is_syn && (encap->flags & PW_FLAG_MSS_CLAMP)))
        return XDP_PASS;
    out.is_sum_known = inner.is_sum_known && inner.length + sizeof(struct ethhdr) == length;
    out.sum = inner.sum;
    if ((encap->flags & PW_FLAG_UDP_CHECKSUM) && !out.is_sum_known)
        return XDP_PASS;
    __u32 l3_length = length - sizeof(struct ethhdr) + overhead;
    if (l3_length > configured_limit(encap, overhead))
        return XDP_PASS;
    const struct recent_way *way = way_for_xdp(context, encap, l3_length);
    if (!way)
        return XDP_PASS;

    out.frame_length = length + tag_octets;
    if (encap->flags & (PW_FLAG_ENTROPY_SEND | PW_FLAG_FLOW_LABEL)) {
        data = (void *)(long)context->data;
        end = (void *)(long)context->data_end;
        /* Takes the place of the kernel's flow hash, for source port and flow label. */
        out.hash = hash_of(data + l3_offset, end, ethertype, &inner, &out.eth, 0);
    }
    out.traffic_class = outer_traffic_class(encap, &inner);
    __s32 room = outer_length + sizeof(struct ethhdr) + tag_octets - tags.count * 4;
    if (bpf_xdp_adjust_head(context, -room))
        return XDP_PASS;
    __u32 slot = encap->slot;
    int reason = write_headers_xdp(context, encap, &out);
    data = (void *)(long)context->data;
    end = (void *)(long)context->data_end;
    if (reason != PW_DROP_REASON_COUNT || data + sizeof(struct ethhdr) > end) {
        drop_tx(slot, PW_DROP_NO_ROOM);
        return XDP_DROP;
    }
    __builtin_memcpy(data, way->header, sizeof(way->header));
    count_tx(slot, 1, out.frame_length);
    return bpf_redirect(way->ifindex, 0);
}

#endif
