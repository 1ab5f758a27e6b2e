/* SPDX-License-Identifier: MIT */
/* The packets that an input asks for. */
#include <string.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>

#include "fuzz.h"

__u32 link_octets(void) {
    return recipe.program % 4 == RUN_DECAP_L3 ? 0 : 14;
}

void choose_linear(struct packet *packet) {
    if (recipe.linear)
        packet->linear = link_octets() + (recipe.linear - 1) * 2u;
    if (packet->linear > packet->view.len)
        packet->linear = packet->view.len;
    packet->is_misaligned = !!(recipe.kernel & KERNEL_MISALIGNED);
}

static void overwrite(struct octets *packet) {
    for (__u32 i = 0; i < recipe.overwrites % 5u && packet->length; i++)
        packet->at[recipe.overwrite[i].offset % (packet->length < 160 ? packet->length : 160)] =
            recipe.overwrite[i].value;
}

struct packet *from_customer(const struct octets *input, int is_split) {
    static struct octets frame;
    struct partial partial = {};
    frame.length = input->length;
    memcpy(frame.at, input->at, input->length);
    overwrite(&frame);
    if (recipe.shape & SHAPE_REPAIR) {
        int is_partial = recipe.shape & SHAPE_PARTIAL && !is_split;
        /* Without the splitter nobody fills in a checksum before the outer one is made. */
        __u32 padding = is_partial && recipe.setup & SETUP_NO_SPLITTER ? 0 : recipe.padding & (63 | PADDED_WITHIN);
        repair(frame.at, frame.length, padding, is_partial, &partial);
    }
    struct packet *packet = packet_new(frame.at, frame.length);
    packet->is_partial = partial.is;
    packet->checksum_start = (__s32)partial.start;
    packet->checksum_offset = partial.offset;
    packet->gso_kind = recipe.gso_kind % 4;
    if (packet->gso_kind != GSO_NONE && !(is_split && recipe.shape & SHAPE_REPAIR))
        packet->view.gso_size = recipe.gso_size;
    packet->view.ifindex = packet->view.ingress_ifindex = is_split ? SPLITTER_INNER : ACCESS;
    packet->view.mark = recipe.hash & 1 ? recipe.hash >> 1 : 0;
    if (is_split)
        packet->view.mark = (recipe.hash & 0xf ? ACCESS : recipe.hash >> 4) | (recipe.shape & SHAPE_REST ? PIECE : 0);
    packet->view.tc_index = (__u16)(recipe.shape & SHAPE_REST ? recipe.hash >> (recipe.hash & 1 ? 24 : 16) : 0);
    if (is_split && recipe.shape & SHAPE_REST && recipe.shape & SHAPE_UNTAG && recipe.shape & SHAPE_SUMMED)
        packet->view.mark |= OUTER;
    if (recipe.tagged & 1) {
        packet->view.vlan_present = 1;
        packet->view.vlan_proto = bpf_htons(recipe.tagged & 2 ? ETH_P_8021AD : ETH_P_8021Q);
        packet->view.vlan_tci = recipe.tci;
    }
    packet_receive(packet, recipe.shape & SHAPE_UNTAG);
    struct sketch is;
    sketch(packet->octets, packet->view.len, 14, &is);
    if (recipe.tagged & 4 && is.after)
        packet->transport = (__s32)is.after;
    return packet;
}

struct packet *from_peer(const struct octets *input, __u32 link) {
    static struct octets frame, outer;
    struct partial partial = {};
    __u32 front = 0;
    int is_outer_partial = recipe.kernel & KERNEL_PARTIAL_OUTER && session.flags & PW_FLAG_UDP &&
                           recipe.shape & SHAPE_WRAP && !(recipe.shape & SHAPE_PARTIAL) && !(recipe.overwrites % 5);
    frame.length = input->length;
    memcpy(frame.at, input->at, input->length);
    if (recipe.shape & SHAPE_WRAP) {
        if (recipe.shape & SHAPE_REPAIR)
            repair(frame.at, frame.length, recipe.padding & 7, !!(recipe.shape & SHAPE_PARTIAL), &partial);
        __u32 number = (recipe.sequence + recipe.step) & 0xffffff;
        struct wrapping how = {.link = link,
                               .option_octets = recipe.options % 11u * 4,
                               .padding = recipe.padding >> 3,
                               .source_port = session.peer_port ^ recipe.source_port,
                               .cookie = !!(recipe.cookies & COOKIES_SECOND),
                               .traffic_class = recipe.outer_class,
                               .is_summed = !!(recipe.shape & SHAPE_SUMMED),
                               .is_partial = !!is_outer_partial};
        if (session.flags & PW_FLAG_SEQUENCE_RECEIVE)
            how.sublayer = 0x40000000 | number;
        how.sublayer ^= (__u32)recipe.sublayer << 24;
        wrap(&session, &how, &frame, &outer);
        front = outer.length - how.padding - frame.length;
    } else if (recipe.shape & SHAPE_QUOTE) {
        struct quoting how = {.link = link,
                              .mtu = recipe.mtu,
                              .missing = recipe.options & QUOTE_CUT ? recipe.padding + frame.length : 0,
                              .is_piece = !!(recipe.options & QUOTE_PIECE),
                              .is_later = !!(recipe.options & QUOTE_LATER)};
        quote(&session, &how, &frame, &outer);
    } else {
        outer.length = frame.length;
        memcpy(outer.at, frame.at, frame.length);
    }
    overwrite(&outer);
    struct packet *packet = packet_new(outer.at, outer.length);
    /* Lengths that say something else are none that a kernel would have left a checksum to be filled in for. */
    if (partial.is && !(recipe.overwrites % 5) && outer.length <= 0xffff) {
        packet->is_partial = 1;
        packet->checksum_start = (__s32)(front + partial.start);
        packet->checksum_offset = partial.offset;
    } else if (is_outer_partial) {
        packet->is_partial = 1;
        packet->checksum_start = (__s32)(link + (session.flags & PW_FLAG_IPV6 ? 40 : 20 + recipe.options % 11u * 4));
        packet->checksum_offset = 6;
    }
    packet->view.ifindex = packet->view.ingress_ifindex = UNDERLAY;
    packet->view.pkt_type = recipe.pkt_type;
    packet->gso_kind = recipe.gso_kind % 4;
    if (packet->gso_kind != GSO_NONE)
        packet->view.gso_size = recipe.gso_size;
    if (recipe.tagged & 1) {
        packet->view.vlan_present = 1;
        packet->view.vlan_proto = bpf_htons(recipe.tagged & 2 ? ETH_P_8021AD : ETH_P_8021Q);
        packet->view.vlan_tci = recipe.tci;
    }
    if (link) {
        packet_receive(packet, recipe.shape & SHAPE_UNTAG);
        if (recipe.tagged & 4)
            packet->transport = session.flags & PW_FLAG_IPV6 ? 54 : 34;
    } else {
        __u32 version = outer.length ? outer.at[0] >> 4 : 0;
        packet->view.protocol = version == 4 ? bpf_htons(ETH_P_IP) : version == 6 ? bpf_htons(ETH_P_IPV6) : 0;
    }
    return packet;
}
