/* SPDX-License-Identifier: MIT */
/* Whether a frame of the access interface might be dropped, or left alone. */
#include <string.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>

#include "fuzz.h"

/* Is there a pseudowire for this frame of the access interface? */
int belongs(const struct packet *packet) {
    if (recipe.setup & SETUP_NOBODY)
        return 0;
    if (session.vlan == PW_VLAN_ANY)
        return 1;
    __u16 protocol = bpf_ntohs(packet->view.vlan_present ? packet->view.vlan_proto : packet->view.protocol);
    if (protocol != ETH_P_8021Q && protocol != ETH_P_8021AD)
        return session.vlan == PW_VLAN_NONE;
    if (!packet->view.vlan_present && packet->view.len < 16)
        return session.vlan == PW_VLAN_NONE;
    __u32 id = packet->view.vlan_present ? packet->view.vlan_tci & 0xfff : read16(packet->octets + 14) & 0xfff;
    if (session.vlan == PW_VLAN_NONE)
        return !id;
    return (session.vlan & PW_VLAN_ID) == id && !(session.vlan & PW_VLAN_SERVICE) == (protocol == ETH_P_8021Q);
}

/* What a packet with outer headers may have, if the route may be taken; 0 if not. */
static __u32 way_mtu(void) {
    int result = recipe.setup & SETUP_NO_FIB ? BPF_FIB_LKUP_RET_FWD_DISABLED : kernel.fib_result;
    if (result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH)
        return kernel.fib_mtu;
    if ((result == BPF_FIB_LKUP_RET_FWD_DISABLED || result < 0) && !(recipe.setup & SETUP_NO_UNDERLAY))
        return kernel.device_mtu;
    return 0;
}

/* A piece of an outer packet that was cut. Before the splitter a mark is whatever the customer set. */
int is_piece_of_outer(const struct packet *packet) {
    return packet->view.ifindex == SPLITTER_INNER && packet->view.mark & OUTER;
}

/* Whether it came into the splitter by somebody else's hand, with a mark that is none of ours. */
static int names_no_interface(const struct packet *packet) {
    __u32 port = packet->view.mark & PORT;
    return is_piece_of_outer(packet) && port != kernel.known_ifindex && port != kernel.fib_ifindex;
}

/* Whether there is no reason why the kernel should not cut this frame, or the packet around it. */
static int may_be_cut(const struct packet *packet, const struct octets *frame, const struct sketch *is, __u32 outer) {
    if (recipe.setup & SETUP_NO_SPLITTER || kernel.is_clone_lost || kernel.has_refused_tail || packet->is_partial)
        return 0;
    /*
     * Eight octets of payload behind all headers, tags included; and no packet becomes shorter than where the kernel
     * thinks that there is a transport header, which is never more than this far behind.
     */
    __u32 least = recipe.tagged & 4 ? 300 : outer + 14 + 8 + 20 + 8;
    /* Nor is it cut into more than 256 pieces. */
    least += (frame->length + outer) / 256;
    __u32 limit = way_mtu();
    if (is_path_mtu_valid() && session.path_mtu < limit)
        limit = session.path_mtu;
    if (session.mtu && session.mtu + outer + 14 < limit)
        limit = session.mtu + outer + 14;
    if (is_piece_of_outer(packet))
        return limit >= least;
    if (packet->view.gso_size || frame->length + outer + 14 > LONGEST_PACKET || limit < least)
        return 0;
    if (session.flags & PW_FLAG_FRAGMENT_OUTER)
        return 1;
    /* What is too long only because of its padding is not cut. */
    return session.flags & PW_FLAG_FRAGMENT_INNER && is->network && !is->is_v6 && frame->at[is->network] == 0x45 &&
           is->network + is->total <= frame->length && is->network + is->total + outer > limit;
}

/* Whether there is any excuse for this drop, memory being plentiful. */
void check_excuse(const struct packet *packet, const struct outcome *outcome) {
    static struct octets frame;
    struct sketch is;
    if (memory_was_short())
        return;
    on_wire(packet, &frame);
    sketch(frame.at, frame.length, 14, &is);
    __u8 unused_header[128];
    __u32 unused, outer = template_of(&session, unused_header, &unused, &unused);
    __u32 need = frame.length + outer;
    int is_excused = 1;
    switch (outcome->reason) {
    case PW_DROP_FRAME_TOO_SHORT:
        is_excused = packet->view.len < 14 + 3 * 4; /* its tags included */
        break;
    case PW_DROP_VLAN_DEPTH:
        is_excused = is.tags > 2 || packet->view.len < 22;
        break;
    case PW_DROP_TOO_BIG:
        is_excused = packet->view.gso_size || need > way_mtu() || (session.mtu && need > session.mtu + outer + 14) ||
                     (is_path_mtu_valid() && need > session.path_mtu);
        break;
    case PW_DROP_NO_ROUTE:
        is_excused = !way_mtu() || kernel.fib_result > 0 || names_no_interface(packet);
        break;
    case PW_DROP_NO_ROOM:
        is_excused = packet->view.gso_size || need + 14 > LONGEST_PACKET || packet->is_encapsulated;
        break;
    case PW_DROP_NO_SEGMENTATION:
        is_excused = packet->view.gso_size || recipe.setup & SETUP_NO_SPLITTER || runs > 1;
        break;
    case PW_DROP_NOT_FRAGMENTED:
        is_excused = recipe.program % 4 == RUN_ENCAP_SPLIT || !may_be_cut(packet, &frame, &is, outer);
        break;
    case PW_DROP_STRAY:
        is_excused = recipe.program % 4 == RUN_ENCAP_SPLIT;
        break;
    default:
        is_excused = 0;
    }
    if (!is_excused)
        fail("dropped for %s without an excuse", reason_names[outcome->reason]);
}
