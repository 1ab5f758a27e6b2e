/* SPDX-License-Identifier: MIT */
/* A packet from the peer. */
#include <string.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>

#include "fuzz.h"

void receive(int program, struct packet *packet) {
    static struct octets received;
    struct outcome outcome;
    struct delivery delivery;
    __u32 link = link_octets();
    received.length = packet->view.len;
    memcpy(received.at, packet->octets, received.length);
    finish_checksum(packet, &received);
    inspect_received(&session, &received, link, &delivery);
    int is_seen = !packet->view.vlan_present && !packet->view.pkt_type && !(recipe.setup & SETUP_NOBODY) &&
                  bpf_ntohs(packet->view.protocol) == (session.flags & PW_FLAG_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
    __u32 gso_size = packet->view.gso_size, mark = packet->view.mark;
    int is_encapsulated = packet->is_encapsulated, is_partial = packet->is_partial;
    run(program, packet, &outcome);

    struct sketch is = {};
    __u32 distance = (delivery.sublayer - recipe.sequence) & 0xffffff;
    /* The sixth in a row of those that are refused, each one after the other, is taken: the peer has begun anew. */
    int is_patience_over =
        recipe.refused % 8 >= 5 && (delivery.sublayer & 0xffffff) == ((recipe.sequence + recipe.step) & 0xffffff);
    int is_sequenced = session.flags & PW_FLAG_SEQUENCE_RECEIVE && delivery.sublayer & 0x40000000;
    if (delivery.front)
        sketch(received.at + delivery.front, delivery.length, 14, &is);
    if (outcome.verdict == TC_ACT_REDIRECT) {
        int is_joined = kernel.redirect_ifindex == JOINER;
        if (kernel.redirect != TO_DEVICE || (kernel.redirect_ifindex != ACCESS && !is_joined))
            fail("delivered to interface %u", kernel.redirect_ifindex);
        if (is_joined && (!(recipe.setup & SETUP_JOINER) || is.protocol != 6 || is.is_fragment))
            fail("sent to be joined, which is not to be");
        if (is_joined && packet->view.hash == recipe.hash)
            fail("sent to be joined with the hash of the outer addresses");
        if (is_joined)
            packet->view.hash = 0; /* which pw_join does */
        if (packet->view.mark != (is_joined ? ACCESS : mark))
            fail("delivered with mark %x", packet->view.mark);
        if (!is_seen)
            fail("delivered what should have been left to the stack");
        if (is_sequenced && distance >= 0x7fffff && !is_patience_over)
            fail("delivered number %u where %u was expected", delivery.sublayer & 0xffffff, recipe.sequence);
        check_delivered(&session, &received, &delivery, packet,
                        is_encapsulated || is_partial || kernel.has_refused_tail || memory_was_short());
        __u64 frames = outcome.after.slot.rx_frames - outcome.before.slot.rx_frames;
        __u64 octets = outcome.after.slot.rx_octets - outcome.before.slot.rx_octets;
        if (!gso_size && (frames != 1 || octets != delivery.length))
            fail("a frame of %u octets was counted as %llu of %llu", delivery.length, frames, octets);
    } else if (outcome.verdict == TC_ACT_UNSPEC) {
        if (is_seen && !delivery.refusal && !memory_was_short())
            fail("a packet of the pseudowire was left to the stack");
    } else {
        if (!is_seen)
            fail("dropped for %s what should have been left to the stack", reason_names[outcome.reason]);
        if (!delivery.refusal && !memory_was_short()) {
            int is_cut = delivery.front + delivery.length != received.length;
            int is_excused = 0;
            switch (outcome.reason) {
            case PW_DROP_SEQUENCE:
                is_excused = is_sequenced && distance >= 0x7fffff && !is_patience_over;
                break;
            case PW_DROP_COALESCED:
                is_excused = !!gso_size;
                break;
            case PW_DROP_SUBLAYER_MISMATCH:
            case PW_DROP_COOKIE_LENGTH:
                is_excused = !is.network || (delivery.sublayer && !(delivery.sublayer & 0x40000000));
                break;
            case PW_DROP_RUNT:
            case PW_DROP_VLAN:
                is_excused = delivery.length < 22;
                break;
            case PW_DROP_NOT_REMOVED:
                is_excused = (is_cut && (kernel.has_refused_tail || is_encapsulated || is_partial ||
                                         received.length > LONGEST_PACKET)) ||
                             received.length + 18 > LONGEST_PACKET || delivery.length < 18 ||
                             (is_encapsulated && is_partial && delivery.length < 34) ||
                             (gso_size && recipe.gso_kind % 4 != GSO_TCP &&
                              (recipe.gso_kind % 4 != GSO_UDP || delivery.length < 14 + 40));
                break;
            default:
                break;
            }
            if (!is_excused)
                fail("dropped for %s without an excuse", reason_names[outcome.reason]);
        }
    }
    if (is_sequenced && outcome.verdict == TC_ACT_REDIRECT) {
        const struct pw_sequence *state = sequence_state();
        if ((state->receive & 0xffffff) != ((delivery.sublayer + 1) & 0xffffff))
            fail("number %u was delivered, but %llu is expected next", delivery.sublayer & 0xffffff,
                 state->receive & 0xffffff);
    }
    const struct pw_encap *encap = encap_entry();
    __u32 told = is_seen ? told_mtu(&session, &received, link) : 0;
    int is_news = told && (!is_path_mtu_valid() || told <= session.path_mtu);
    if (encap && encap->path_mtu != session.path_mtu && (!is_news || encap->path_mtu != told))
        fail("a path MTU of %u was learned, where %u was told", encap->path_mtu, told);
    if (encap && is_news && encap->path_mtu != told && !memory_was_short())
        fail("a path MTU of %u was not learned", told);
    if (told && outcome.verdict != TC_ACT_UNSPEC)
        fail("an ICMP message was not left to the stack");
    packet_free(packet);
}
