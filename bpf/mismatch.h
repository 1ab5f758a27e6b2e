/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Telling what the peer does differently. Nothing on the wire says how long the cookie is or whether there is a
 * sublayer: with the wrong idea of it, what is delivered is garbage with invented addresses. So a frame that does not
 * look like one where it should begin is looked for where it would begin if the peer were set up otherwise.
 */
#ifndef PW_MISMATCH_H
#define PW_MISMATCH_H

#include "parse.h"
#include "sequence.h"
#include "vlan.h"

/*
 * Whether the octets from `offset` to `end` are, beyond doubt, an Ethernet frame: IP whose length is that of what there
 * is, but for padding, or ARP.
 */
static __always_inline int is_frame_at(void *packet, const int is_xdp, __u32 offset, __u32 end) {
    __be16 ethertype;
    __u32 at = offset + 12;
#pragma unroll
    for (int depth = 0; depth < 3; depth++) {
        if (load_octets(packet, is_xdp, at, &ethertype, 2))
            return 0;
        if (!is_vlan(ethertype))
            break;
        at += 4;
    }
    at += 2;
    __be16 word[4];
    if (at + sizeof(word) > end || load_octets(packet, is_xdp, at, word, sizeof(word)))
        return 0;
    __u32 length;
    if (ethertype == bpf_htons(ETH_P_IP) && (word[0] & bpf_htons(0xff00)) == bpf_htons(0x4500))
        length = bpf_ntohs(word[1]);
    else if (ethertype == bpf_htons(ETH_P_IPV6) && (word[0] & bpf_htons(0xf000)) == bpf_htons(0x6000))
        length = bpf_ntohs(word[2]) + 40;
    else
        return ethertype == bpf_htons(ETH_P_ARP) && word[0] == bpf_htons(1) && word[1] == bpf_htons(ETH_P_IP) &&
               word[2] == bpf_htons(0x0604);
    /* A packet has a whole header at least. */
    return length >= 20 && (at + length == end || (at + length < end && end - offset <= 64));
}

/* Whether an IEEE 802.3 frame with SNAP, in which IP may follow as it does in Ethernet, begins with this type and
 * `llc`. */
static __always_inline int is_snap(__be16 type, const __u8 *llc, void *end) {
    return bpf_ntohs(type) < 0x600 && (void *)(llc + 3) <= end && llc[0] == 0xaa && llc[1] == 0xaa && llc[2] == 0x03;
}

struct layout {
    __u32 after;    /* where the session id ends */
    __u32 end;      /* where the packet ends */
    __u32 expected; /* octets between the session id and the frame */
    __u8 has_sublayer;
    __u8 is_cookie_right;
    __u8 looks_right; /* what begins where it is expected might be a frame */
    __u8 reserved;
};

/*
 * Why the frame does not begin where it is expected: a drop reason, or PW_DROP_REASON_COUNT if nothing speaks for
 * another layout.
 */
static __always_inline int mismatch_in(void *packet, const int is_xdp, const struct layout *here) {
    __u32 after = here->after;
    if (!here->is_cookie_right && is_frame_at(packet, is_xdp, after + here->expected, here->end))
        return PW_DROP_REASON_COUNT;
#pragma unroll
    for (__u32 layout = 0; layout <= 12; layout += 4) {
        /* Four octets too far into a tagged frame lies what looks like an untagged one; four too few never do. */
        if (layout == here->expected || (here->looks_right && layout > here->expected) ||
            !is_frame_at(packet, is_xdp, after + layout, here->end))
            continue;
        if (!here->is_cookie_right)
            return PW_DROP_COOKIE_LENGTH;
        if (layout + 4 == here->expected && here->has_sublayer)
            return PW_DROP_SUBLAYER_MISMATCH;
        if (layout != here->expected + 4 || here->has_sublayer)
            return PW_DROP_COOKIE_LENGTH;
        /* Four octets of cookie, or a sublayer? One without a number is all zero, which is no secret. */
        __be32 word;
        if (load_octets(packet, is_xdp, after + here->expected, &word, sizeof(word)))
            return PW_DROP_REASON_COUNT;
        return !word || (bpf_ntohl(word) & 0xff000000) == SUBLAYER_S ? PW_DROP_SUBLAYER_MISMATCH
                                                                     : PW_DROP_COOKIE_LENGTH;
    }
    return PW_DROP_REASON_COUNT;
}

__noinline int mismatch(struct __sk_buff *skb, const struct layout *here) {
    return here ? mismatch_in(skb, 0, here) : PW_DROP_REASON_COUNT;
}

__noinline int mismatch_xdp(struct xdp_md *context, const struct layout *here) {
    return here ? mismatch_in(context, 1, here) : PW_DROP_REASON_COUNT;
}

#endif
