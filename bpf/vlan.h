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

struct vlan_tag {
    __be16 tpid;
    __be16 tci;
};

struct vlan_tags {
    struct vlan_tag tag[2]; /* outermost first */
    __u32 count;
};

/*
 * Takes the frame's tags into `tags`, so that skb->protocol is the true ethertype: each pop moves the next tag from
 * the frame to the metadata. Returns -1 when there are more than two or the kernel refuses.
 */
static __always_inline int vlan_take(struct __sk_buff *skb, struct vlan_tags *tags) {
    *tags = (struct vlan_tags){};
    if (!skb->vlan_present)
        return 0;
    tags->tag[0].tpid = (__be16)skb->vlan_proto;
    tags->tag[0].tci = bpf_htons((__u16)skb->vlan_tci);
    if (bpf_skb_vlan_pop(skb))
        return -1;
    tags->count = 1;
    if (!skb->vlan_present)
        return 0;
    tags->tag[1].tpid = (__be16)skb->vlan_proto;
    tags->tag[1].tci = bpf_htons((__u16)skb->vlan_tci);
    if (bpf_skb_vlan_pop(skb))
        return -1;
    tags->count = 2;
    return skb->vlan_present ? -1 : 0;
}

/* The opposite of vlan_take(). */
static __always_inline int vlan_restore(struct __sk_buff *skb, const struct vlan_tags *tags) {
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
static __always_inline int protocol_refresh(struct __sk_buff *skb) {
    if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 1) || bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 1))
        return -1;
    return bpf_skb_vlan_pop(skb) || bpf_skb_vlan_pop(skb) ? -1 : 0;
}

#endif
