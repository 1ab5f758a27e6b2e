/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * At tc ingress the kernel keeps a frame's outermost VLAN tag beside the frame, not in it. A tunnel that overlooks
 * this sends the customer's tag on the outer header and the frame without it.
 */
#ifndef PW_VLAN_H
#define PW_VLAN_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "abi/pseudowire_abi.h"

struct vlan_tag {
    __be16 tpid;
    __be16 tci;
};

struct vlan_tags {
    struct vlan_tag tag[2]; /* outermost first */
    __u32 count;
};

static __always_inline int is_vlan(__be16 ethertype) {
    return ethertype == bpf_htons(ETH_P_8021Q) || ethertype == bpf_htons(ETH_P_8021AD);
}

/* Whatever is known to stand between the addresses and the true ethertype, some octets before it. */
static __always_inline int is_any_tag(__be16 ethertype) {
    switch (bpf_ntohs(ethertype)) {
    case ETH_P_8021Q:
    case ETH_P_8021AD:
    case 0x9100: /* service tags before there was a standard */
    case 0x9200:
    case 0x9300:
    case 0x88e7: /* 802.1ah */
    case 0x893f: /* 802.1BR */
    case 0x8909: /* Cisco's metadata */
    case 0xdada: /* DSA switches' */
        return 1;
    default:
        return 0;
    }
}

/* The outermost tag, without touching the frame; 0 if there is none, -1 if it is not whole. */
static __always_inline int vlan_peek(struct __sk_buff *skb, struct vlan_tag *tag) {
    if (skb->vlan_present) {
        tag->tpid = (__be16)skb->vlan_proto;
        tag->tci = bpf_htons((__u16)skb->vlan_tci);
        return 1;
    }
    /* Nothing that was received by a device comes here with its tag in the frame; test runs do. */
    if (!is_vlan((__be16)skb->protocol))
        return 0;
    return bpf_skb_load_bytes(skb, 12, tag, sizeof(*tag)) ? -1 : 1;
}

/* PW_VLAN_* of a frame: which pseudowire of its interface it belongs to. */
static __always_inline __u16 vlan_of(struct __sk_buff *skb) {
    struct vlan_tag tag;
    if (vlan_peek(skb, &tag) <= 0)
        return PW_VLAN_NONE;
    __u16 id = bpf_ntohs(tag.tci) & PW_VLAN_ID;
    if (!id)
        return PW_VLAN_NONE; /* a priority tag names no VLAN */
    return tag.tpid == bpf_htons(ETH_P_8021AD) ? id | PW_VLAN_SERVICE : id;
}

/*
 * Takes the frame's tags into `tags`, so that skb->protocol is the true ethertype: each pop moves the next tag from
 * the frame to the metadata. Returns -1 when a tag is not whole, TAGS_TOO_MANY when there are more than two.
 */
#define TAGS_TOO_MANY (-2)

__noinline int vlan_take(struct __sk_buff *skb, struct vlan_tags *tags) {
    if (!tags)
        return -1;
    *tags = (struct vlan_tags){};
    int found = vlan_peek(skb, &tags->tag[0]);
    if (found <= 0)
        return found;
    if (bpf_skb_vlan_pop(skb))
        return -1;
    tags->count = 1;
    found = vlan_peek(skb, &tags->tag[1]);
    if (found <= 0)
        return found;
    if (bpf_skb_vlan_pop(skb))
        return -1;
    tags->count = 2;
    return skb->vlan_present || is_vlan((__be16)skb->protocol) ? TAGS_TOO_MANY : 0;
}

/* The opposite of vlan_take(). */
__noinline int vlan_restore(struct __sk_buff *skb, const struct vlan_tags *tags) {
    if (!tags)
        return -1;
    if (tags->count == 2 && bpf_skb_vlan_push(skb, tags->tag[1].tpid, bpf_ntohs(tags->tag[1].tci)))
        return -1;
    if (tags->count >= 1 && bpf_skb_vlan_push(skb, tags->tag[0].tpid, bpf_ntohs(tags->tag[0].tci)))
        return -1;
    return 0;
}

/*
 * Makes skb->protocol follow the Ethernet header that is now at the front of the frame, and a VLAN tag found there
 * move to the metadata, as if the frame had just been received. No helper does that, but two do as a side effect: the
 * second push writes the first tag into the frame, and the pops read the ethertype again as they take it out.
 */
__noinline int protocol_refresh(struct __sk_buff *skb) {
    if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 1) || bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 1))
        return -1;
    return bpf_skb_vlan_pop(skb) || bpf_skb_vlan_pop(skb) ? -1 : 0;
}

#endif
