/* SPDX-License-Identifier: MIT */
/* A frame from the access interface, through the splitter as often as need be, to the peer. */
#include <stdlib.h>
#include <string.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include "fuzz.h"

struct parcel {
    struct packet *packet;
    struct journey *journey;
};

static struct parcel queue[RUNS];
static __u32 queued;

/* Across the splitter: whole checksums, a metadata tag as before, one frame for one or many of wire size. */
static struct packet *cross(const struct packet *packet, const __u8 *octets, __u32 length) {
    struct packet *crossed = packet_new(octets, length);
    crossed->view.mark = packet->view.mark;
    crossed->view.hash = packet->view.hash;
    crossed->view.tc_index = packet->view.tc_index;
    crossed->view.ifindex = crossed->view.ingress_ifindex = SPLITTER_INNER;
    crossed->view.vlan_present = packet->view.vlan_present;
    crossed->view.vlan_proto = packet->view.vlan_proto;
    crossed->view.vlan_tci = packet->view.vlan_tci;
    crossed->is_encapsulated = packet->is_encapsulated;
    packet_receive(crossed, 1);
    /* Nobody sets it anew. */
    crossed->transport = packet->transport;
    choose_linear(crossed);
    return crossed;
}

static void enqueue(struct packet *packet, struct journey *journey) {
    if (queued < RUNS && runs + queued < RUNS) {
        queue[queued++] = (struct parcel){packet, journey};
        return;
    }
    journey->is_whole = 0;
    packet_free(packet);
}

static struct journey *new_journey(const struct packet *packet, int is_whole);

/* Frames of segmentation-offload, cut as the kernel would before it hands them to the splitter. */
static void segment(const struct packet *packet) {
    static struct octets piece;
    struct sketch is;
    sketch(packet->octets, packet->view.len, 14, &is);
    if (!is.transport || (is.protocol != IPPROTO_TCP && is.protocol != IPPROTO_UDP))
        return;
    __u32 headers = is.transport + (is.protocol == IPPROTO_UDP ? 8 : (packet->octets[is.transport + 12] >> 4) * 4u);
    if (is.transport + 20 > packet->view.len || headers < is.transport + 8 || headers >= packet->view.len)
        return;
    for (__u32 at = headers, index = 0; at < packet->view.len && index < 6; at += packet->view.gso_size, index++) {
        __u32 length = packet->view.len - at < packet->view.gso_size ? packet->view.len - at : packet->view.gso_size;
        struct partial none;
        memcpy(piece.at, packet->octets, headers);
        memcpy(piece.at + headers, packet->octets + at, length);
        if (is.protocol == IPPROTO_TCP)
            write32(piece.at + is.transport + 4, read32(piece.at + is.transport + 4) + at - headers);
        repair(piece.at, headers + length, 0, 0, &none);
        struct packet *crossed = cross(packet, piece.at, headers + length);
        enqueue(crossed, new_journey(crossed, 1));
    }
}

static void into_splitter(const struct packet *packet, struct journey *journey) {
    static struct octets frame;
    if (packet->view.gso_size) {
        segment(packet);
        return;
    }
    frame.length = packet->view.len;
    memcpy(frame.at, packet->octets, frame.length);
    struct partial partial = {(__u32)packet->checksum_start, packet->checksum_offset, packet->is_partial};
    fill_checksum(frame.at, frame.length, &partial);
    enqueue(cross(packet, frame.at, frame.length), journey);
}

static struct journey *journeys[RUNS];
static __u32 journey_count;

static struct journey *new_journey(const struct packet *packet, int is_whole) {
    struct journey *journey = malloc(sizeof(*journey));
    if (journey_count == RUNS)
        fail("more journeys than runs");
    journeys[journey_count++] = journey;
    journey_begin(journey, packet, is_whole);
    return journey;
}

/* Sent without asking the neighbour table: all that it would have done must have been done. */
static void check_addressed(const struct packet *packet) {
    if (!(recipe.setup & SETUP_ETHERNET) || kernel.fib_result != BPF_FIB_LKUP_RET_SUCCESS)
        fail("addressed, though nobody knows the next hop's address");
    if (memcmp(packet->octets, kernel.fib_addresses, sizeof(kernel.fib_addresses)))
        fail("sent to another address than the next hop's");
    if (packet->network != 14)
        fail("the kernel takes octet %d for the beginning of the IP header", packet->network);
}

/* Sends one frame through one program, and sees to what the program did with it. */
static void step(int program, struct packet *packet, struct journey *journey) {
    static struct octets before, after;
    struct outcome outcome;
    struct packet *original = packet_copy(packet);
    __u32 port = packet->view.ifindex;
    on_wire(packet, &before);
    finish_checksum(packet, &before);
    /* Marks that no program of ours has set: whoever did has to answer for what is sent. */
    int is_played = recipe.program % 4 == RUN_ENCAP_SPLIT && recipe.shape & SHAPE_REST;
    run(program, packet, &outcome);
    struct packet *clones[sizeof(kernel.clones) / sizeof(*kernel.clones)];
    __u32 clone_count = kernel.clone_count;
    memcpy(clones, kernel.clones, sizeof(clones));
    kernel.clone_count = 0;
    for (__u32 i = 0; i < clone_count; i++) {
        if (clones[i]->view.ifindex != SPLITTER_OUTER)
            fail("a clone was sent to interface %u", clones[i]->view.ifindex);
        into_splitter(clones[i], journey);
        packet_free(clones[i]);
    }
    __u64 sent = outcome.after.slot.tx_frames - outcome.before.slot.tx_frames;
    __u64 octets = outcome.after.slot.tx_octets - outcome.before.slot.tx_octets;

    if (outcome.verdict == TC_ACT_UNSPEC) {
        journey->is_whole = 0;
        if (program == RUN_ENCAP_SPLIT)
            fail("pw_encap_split left a frame to the stack");
        if (belongs(original))
            fail("a frame of the pseudowire was left to the stack");
    } else if (program == RUN_ENCAP && !belongs(original)) {
        fail("a frame of nobody's was not left to the stack");
    } else if (outcome.verdict == TC_ACT_SHOT) {
        journey->is_whole = 0;
        check_excuse(original, &outcome);
    } else if (kernel.redirect == TO_NEIGHBOUR || kernel.redirect_ifindex == ROUTED) {
        if (kernel.redirect == TO_DEVICE)
            check_addressed(packet);
        const struct pw_sequence *state = sequence_state();
        int sequence = state && session.flags & PW_FLAG_SEQUENCE_SEND ? (int)((state->send - 1) & 0xffffff) : -1;
        if (kernel.redirect_ifindex != ROUTED && kernel.redirect_ifindex != UNDERLAY)
            fail("sent out of interface %u", kernel.redirect_ifindex);
        __u32 mtu = kernel.redirect_ifindex == ROUTED ? kernel.fib_mtu : kernel.device_mtu;
        if (is_path_mtu_valid() && session.path_mtu < mtu)
            mtu = session.path_mtu;
        if (!is_played)
            check_sent(journey, &session, packet, mtu, sequence);
        if (!packet->view.gso_size && sent > 1)
            fail("one frame was counted as %llu", sent);
        if (sent && octets < 14 * sent)
            fail("%llu frames were counted with %llu octets", sent, octets);
    } else if (kernel.redirect == TO_DEVICE && outcome.reason == PW_DROP_TOO_BIG) {
        __u8 unused_header[128];
        __u32 unused, outer = template_of(&session, unused_header, &unused, &unused);
        if (kernel.redirect_ifindex != ACCESS)
            fail("a reply was sent to interface %u", kernel.redirect_ifindex);
        if (clone_count || sent)
            fail("a frame was sent and replied to");
        journey->is_whole = 0;
        /* What has its checksum still to be filled in gets here only without the splitter, and is quoted as it is. */
        if (!is_played && (!original->is_partial || !(recipe.setup & SETUP_NO_SPLITTER)))
            check_reply(&before, packet, 1, 0xffff - outer);
    } else if (kernel.redirect == TO_DEVICE && clone_count) {
        /* The last piece of a packet that was cut; its clones are the others. */
        __u32 mark = packet->view.mark, to = mark & PORT;
        if (kernel.redirect_ifindex != SPLITTER_OUTER || !(mark & PIECE))
            fail("a piece was sent to interface %u with mark %x", kernel.redirect_ifindex, mark);
        if (mark & OUTER ? !(session.flags & PW_FLAG_FRAGMENT_OUTER) || (to != ROUTED && to != UNDERLAY)
                         : !(session.flags & PW_FLAG_FRAGMENT_INNER) || to != ACCESS)
            fail("a packet was cut that should not be, mark %x", mark);
        if (sent != !!(mark & OUTER))
            fail("a packet that was cut was counted as %llu frames", sent);
        into_splitter(packet, journey);
    } else if (kernel.redirect == TO_DEVICE) {
        if (kernel.redirect_ifindex != SPLITTER_OUTER || port == SPLITTER_INNER)
            fail("a frame from interface %u was sent to interface %u", port, kernel.redirect_ifindex);
        if (sent || clone_count)
            fail("what goes into the splitter was counted as sent");
        if (packet->view.mark != port)
            fail("mark %x of a frame from interface %u", packet->view.mark, port);
        if (packet->view.gso_size != original->view.gso_size)
            fail("gso_size became %u", packet->view.gso_size);
        on_wire(packet, &after);
        finish_checksum(packet, &after);
        check_same(&session, &before, &after);
        into_splitter(packet, journey);
    } else {
        fail("sent in an unexpected way");
    }
    packet_free(original);
    packet_free(packet);
}

void travel(int program, struct packet *packet, int is_whole) {
    struct journey *journey = new_journey(packet, is_whole);
    step(program, packet, journey);
    for (__u32 next = 0; next < queued; next++) {
        struct parcel parcel = queue[next];
        if (runs < RUNS) {
            step(RUN_ENCAP_SPLIT, parcel.packet, parcel.journey);
        } else {
            parcel.journey->is_whole = 0;
            packet_free(parcel.packet);
        }
    }
    queued = 0;
    for (__u32 i = 0; i < journey_count; i++) {
        journey_end(journeys[i], &session);
        free(journeys[i]);
    }
    journey_count = 0;
}

void travel_forget(void) {
    queued = journey_count = 0;
}
