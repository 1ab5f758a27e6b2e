/* SPDX-License-Identifier: MIT */
/*
 * The datapath, natively, under libFuzzer and the sanitizers. Each input sets up a pseudowire and a kernel, makes a
 * packet, and runs a program on it, and on what that sends through the splitter. Out-of-bounds accesses and undefined
 * behaviour end the process by themselves; what else must hold is checked here and in oracle.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel.h"
#include "known.h"
#include "oracle.h"
#include "recipe.h"
#include "session.h"
#include "datapath.h"

/* Inputs are to be kept for what they reach in the datapath, not for what they reach in here. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);
const char *__asan_default_options(void);

enum { SLOT = 1, ACCESS = 5, UNDERLAY = 7, SPLITTER_OUTER = 8, SPLITTER_INNER = 9, ROUTED = 11 };
enum { RUN_ENCAP, RUN_ENCAP_SPLIT, RUN_DECAP, RUN_DECAP_L3 };

/* So many runs of programs an input is worth. */
#define RUNS 60

static struct recipe recipe;
static struct session session;
static __u32 runs;

/* ---- What the input asks for ---- */

/* What no control plane would write is no use trying. */
static __u32 consistent(__u32 flags) {
    flags &= PW_FLAG_OWNS_ACCESS - 1;
    if (!(flags & PW_FLAG_UDP))
        flags &= ~(PW_FLAG_UDP_CHECKSUM | PW_FLAG_ENTROPY_SEND | PW_FLAG_ENTROPY_RECEIVE);
    if (!(flags & PW_FLAG_SUBLAYER))
        flags &= ~(PW_FLAG_SEQUENCE_SEND | PW_FLAG_SEQUENCE_RECEIVE);
    if (flags & PW_FLAG_IPV6)
        flags &= ~PW_FLAG_MAY_FRAGMENT;
    else
        flags &= ~PW_FLAG_FLOW_LABEL;
    if (flags & PW_FLAG_FRAGMENT_OUTER)
        flags &= ~PW_FLAG_FRAGMENT_INNER;
    return flags;
}

static void set_up_session(void) {
    static const __u8 cookies[3][8] = {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88},
                                       {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8},
                                       {0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8}};
    session = (struct session){.flags = consistent(recipe.flags),
                               .local_id = 0x3f4,
                               .peer_id = 0x3fd,
                               .local_port = 1701,
                               .peer_port = 1702,
                               .mtu = recipe.mtu};
    if (session.flags & PW_FLAG_IPV6) {
        static const __u8 prefix[4] = {0x20, 0x01, 0x0d, 0xb8};
        memcpy(session.local, prefix, 4);
        memcpy(session.peer, prefix, 4);
        session.local[15] = 0x21;
        session.peer[15] = 0x22;
    } else {
        memcpy(session.local, "\xc0\x00\x02\x15", 4);
        memcpy(session.peer, "\xc0\x00\x02\x16", 4);
    }
    session.expect_length = (__u8)((recipe.cookies & COOKIES_EXPECT) % 3 * 4);
    session.send_length = (__u8)(((recipe.cookies & COOKIES_SEND) >> 3) % 3 * 4);
    session.expect_count = !session.expect_length ? 0 : recipe.cookies & COOKIES_TWO ? 2 : 1;
    memcpy(session.expect_cookie[0], cookies[0], session.expect_length);
    memcpy(session.expect_cookie[1], cookies[1], session.expect_length);
    memcpy(session.send_cookie, cookies[2], session.send_length);
    session.traffic_class = session.flags & PW_FLAG_DSCP_INHERIT ? 0 : recipe.traffic_class & 0xfc;
    static const __u16 vlans[4] = {PW_VLAN_ANY, PW_VLAN_NONE, 42, 42 | PW_VLAN_SERVICE};
    static const __u16 tags[3] = {PW_TAG_KEEP, PW_TAG_STRIP, 99};
    session.vlan = vlans[recipe.vlan & 3];
    session.tag = session.vlan < PW_VLAN_NONE ? tags[recipe.tag % 3] : PW_TAG_KEEP;
    if (recipe.setup & SETUP_PATH_MTU)
        session.path_mtu = recipe.path_mtu < 552 ? 552 : recipe.path_mtu;
}

static void set_up_kernel(void) {
    kernel_reset();
    kernel.has_decap_l3 = !!(recipe.kernel & KERNEL_DECAP_L3);
    kernel.is_recent = !!(recipe.kernel & KERNEL_RECENT);
    kernel.is_ring_full = !!(recipe.kernel & KERNEL_RING_FULL);
    kernel.is_clone_lost = !!(recipe.kernel & KERNEL_CLONE_LOST);
    kernel.fib_result = recipe.fib >= -30 && recipe.fib <= BPF_FIB_LKUP_RET_FRAG_NEEDED - 1 ? recipe.fib : 0;
    kernel.fib_ifindex = ROUTED;
    kernel.fib_mtu = recipe.fib_mtu;
    kernel.known_ifindex = UNDERLAY;
    kernel.device_mtu = recipe.device_mtu;
    kernel.now = 1000ULL * 1000000000;
    kernel.random = recipe.hash;
    kernel.hash = recipe.hash;
    has_decap_l3 = kernel.has_decap_l3;
}

static int is_path_mtu_valid(void) {
    return session.path_mtu && !(recipe.setup & SETUP_PATH_EXPIRED);
}

static struct pw_access_key access_key(void) {
    return (struct pw_access_key){.ifindex = ACCESS, .vlan = session.vlan};
}

static void set_up_maps(void) {
    __u32 first = 0, slot = SLOT;
    struct pw_meta meta_value = {.magic = PW_MAGIC,
                                 .abi_version = PW_ABI_VERSION,
                                 .max_sessions = 16,
                                 .splitter_outer = recipe.setup & SETUP_NO_SPLITTER ? 0 : SPLITTER_OUTER,
                                 .splitter_inner = SPLITTER_INNER};
    bpf_map_update_elem(&meta, &first, &meta_value, BPF_ANY);
    if (recipe.setup & SETUP_NOBODY)
        return;

    __u8 header[128];
    struct pw_encap out = {.slot = SLOT,
                           .session_id = session.local_id,
                           .underlay = recipe.setup & SETUP_NO_UNDERLAY ? 0 : UNDERLAY,
                           .fib_ifindex = recipe.setup & SETUP_NO_FIB ? 0 : SPLITTER_INNER,
                           .split_ifindex = recipe.setup & SETUP_NO_SPLITTER ? 0 : SPLITTER_OUTER,
                           .flags = session.flags,
                           .traffic_class = session.traffic_class,
                           .tag = session.tag,
                           .mtu = session.mtu,
                           .path_mtu = session.path_mtu,
                           .path_mtu_until = kernel.now + (is_path_mtu_valid() ? 1 : 0)};
    out.header_length = (__u8)template_of(&session, header, &out.ip_sum, &out.udp_sum);
    memcpy(out.header, header, sizeof(out.header));
    struct pw_access_key key = access_key();
    bpf_map_update_elem(&access, &key, &out, BPF_ANY);

    struct pw_decap in = {.slot = SLOT,
                          .access_ifindex = ACCESS,
                          .flags = session.flags,
                          .cookie_length = session.expect_length,
                          .cookie_count = session.expect_count,
                          .vlan = session.vlan,
                          .tag = session.tag,
                          .local_port_be = bpf_htons(session.local_port),
                          .peer_port_be = bpf_htons(session.peer_port)};
    memcpy(in.local_be, session.local, 16);
    memcpy(in.peer_be, session.peer, 16);
    memcpy(in.cookie_be, session.expect_cookie, sizeof(in.cookie_be));
    bpf_map_update_elem(&sessions, &session.local_id, &in, BPF_ANY);

    struct pw_path_key path = {.peer_session_be = bpf_htonl(session.peer_id),
                               .protocol = session.flags & PW_FLAG_UDP ? 17 : 115};
    memcpy(path.peer_be, session.peer, 16);
    bpf_map_update_elem(&paths, &path, &key, BPF_ANY);

    struct pw_sequence sequence = {.send = recipe.sequence, .receive = recipe.sequence & 0xffffff};
    __u64 refused = (recipe.sequence + recipe.step - 1) & 0xffffff;
    sequence.receive |= refused << 24 | (__u64)(recipe.refused % 8) << 48;
    bpf_map_update_elem(&sequences, &slot, &sequence, BPF_ANY);
}

/* ---- Running ---- */

struct counted {
    __u64 drops[PW_DROP_REASON_COUNT];
    struct pw_counters slot;
};

static void count(struct counted *counted) {
    __u32 slot = SLOT;
    memset(counted, 0, sizeof(*counted));
    for (__u32 reason = 0; reason < PW_DROP_REASON_COUNT; reason++) {
        const __u64 *value = map_peek(MAP(&drops), &reason);
        counted->drops[reason] = value ? *value : 0;
    }
    const struct pw_counters *value = map_peek(MAP(&counters), &slot);
    if (value)
        counted->slot = *value;
}

static const char *const reason_names[] = {
#define NAME(identifier, direction, sentence) #identifier,
    PW_DROP_REASONS(NAME)
#undef NAME
};
static const char *const reason_directions[] = {
#define DIRECTION(identifier, direction, sentence) direction,
    PW_DROP_REASONS(DIRECTION)
#undef DIRECTION
};

/* How a run ended. */
struct outcome {
    int verdict;
    __u32 reason; /* of a drop; or PW_DROP_REASON_COUNT */
    struct counted before, after;
};

static int memory_was_short(void) {
    return kernel.fail_at && kernel.fallible_calls >= kernel.fail_at;
}

static void run(int program, struct packet *packet, struct outcome *outcome) {
    static const char *const names[] = {"pw_encap", "pw_encap_split", "pw_decap", "pw_decap_l3"};
    int is_encap = program <= RUN_ENCAP_SPLIT;
    struct packet *before = packet_copy(packet);
    count(&outcome->before);
    kernel.redirect = TO_NOBODY;
    runs += 1;
    trace("%s: length %u, linear %u, protocol %04x, tag %d %04x %04x, mark %x, gso %u, interface %u\n", names[program],
          packet->view.len, packet->linear, bpf_ntohs(packet->view.protocol), packet->view.vlan_present,
          bpf_ntohs(packet->view.vlan_proto), packet->view.vlan_tci, packet->view.mark, packet->view.gso_size,
          packet->view.ifindex);
    trace_octets("packet", packet->octets, packet->view.len);
    packet_expose(packet);
    static int (*const programs[])(struct __sk_buff *) = {pw_encap, pw_encap_split, pw_decap, pw_decap_l3};
    outcome->verdict = programs[program](&packet->view);
    packet_hide(packet);
    count(&outcome->after);

    outcome->reason = PW_DROP_REASON_COUNT;
    __u64 dropped = 0;
    for (__u32 reason = 0; reason < PW_DROP_REASON_COUNT; reason++) {
        __u64 times = outcome->after.drops[reason] - outcome->before.drops[reason];
        if (!times)
            continue;
        trace("  counted %s %llu times\n", reason_names[reason], times);
        /* What is neither is a remark. Fragments that are left to the stack are counted as if dropped. */
        int is_tx = !strcmp(reason_directions[reason], "tx"), is_rx = !strcmp(reason_directions[reason], "rx");
        if ((!is_tx && !is_rx) || (reason == PW_DROP_FRAGMENT && outcome->verdict == TC_ACT_UNSPEC))
            continue;
        if (is_encap ? is_rx : is_tx)
            fail("%s was counted in the other direction", reason_names[reason]);
        outcome->reason = reason;
        dropped += times;
    }
    trace("verdict %d\n", outcome->verdict);
    struct pw_counters *old = &outcome->before.slot, *new = &outcome->after.slot;
    __u64 slot_drops = new->tx_dropped - old->tx_dropped + new->rx_dropped - old->rx_dropped;
    __u64 frames = new->tx_frames - old->tx_frames + new->rx_frames - old->rx_frames;
    switch (outcome->verdict) {
    case TC_ACT_UNSPEC:
        if (dropped || frames || slot_drops || kernel.clone_count)
            fail("a packet that is left to the stack was counted or copied");
        if (packet->view.len != before->view.len || memcmp(packet->octets, before->octets, before->view.len))
            fail("a packet that is left to the stack was changed");
        if (memcmp(&packet->view, &before->view, sizeof(before->view)))
            fail("the metadata of a packet that is left to the stack were changed");
        break;
    case TC_ACT_SHOT:
        if (dropped != 1)
            fail("a drop was counted under %llu reasons", dropped);
        if (slot_drops > 1)
            fail("a drop was counted %llu times", slot_drops);
        break;
    case TC_ACT_REDIRECT:
        if (kernel.redirect == TO_NOBODY)
            fail("the verdict is a redirection, but there was none");
        if (dropped && !(is_encap && outcome->reason == PW_DROP_TOO_BIG))
            fail("what was sent was counted as dropped for %s", reason_names[outcome->reason]);
        break;
    default:
        fail("verdict %d", outcome->verdict);
    }
    packet_free(before);
}

/* ---- From the access interface ---- */

static __u32 link_octets(void) {
    return recipe.program % 4 == RUN_DECAP_L3 ? 0 : 14;
}

static void choose_linear(struct packet *packet) {
    if (recipe.linear)
        packet->linear = link_octets() + (recipe.linear - 1) * 2u;
    if (packet->linear > packet->view.len)
        packet->linear = packet->view.len;
    packet->is_misaligned = !!(recipe.kernel & KERNEL_MISALIGNED);
}

/* Is there a pseudowire for this frame of the access interface? */
static int belongs(const struct packet *packet) {
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

/* What is left of an outer packet that was cut. Before the splitter a mark is whatever the customer set. */
static int is_rest_of_outer(const struct packet *packet) {
    return packet->view.ifindex == SPLITTER_INNER && packet->view.mark & MARK_OUTER;
}

/* Whether it came into the splitter by somebody else's hand, with a mark that is none of ours. */
static int names_no_interface(const struct packet *packet) {
    __u32 port = packet->view.mark & MARK_PORT;
    return is_rest_of_outer(packet) && port != kernel.known_ifindex && port != kernel.fib_ifindex;
}

/* Whether there is no reason why the kernel should not cut this frame, or the packet around it. */
static int may_be_cut(const struct packet *packet, const struct octets *frame, const struct sketch *is, __u32 outer) {
    if (recipe.setup & SETUP_NO_SPLITTER || kernel.is_clone_lost || kernel.has_refused_tail ||
        packet->is_encapsulated || packet->is_partial)
        return 0;
    /*
     * Eight octets of payload behind all headers, tags included; and no packet becomes shorter than where the kernel
     * thinks that there is a transport header, which is never more than this far behind.
     */
    __u32 least = recipe.tagged & 4 ? 300 : outer + 14 + 8 + 20 + 8;
    __u32 limit = way_mtu();
    if (is_path_mtu_valid() && session.path_mtu < limit)
        limit = session.path_mtu;
    if (session.mtu && session.mtu + outer + 14 < limit)
        limit = session.mtu + outer + 14;
    /* What is left of an outer packet is cut to what its first piece was. */
    if (is_rest_of_outer(packet))
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
static void check_excuse(const struct packet *packet, const struct outcome *outcome) {
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
    struct packet *clones[8];
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
    } else if (kernel.redirect == TO_NEIGHBOUR) {
        __u32 slot = SLOT;
        struct pw_sequence *state = map_peek(MAP(&sequences), &slot);
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

static void travel(int program, struct packet *packet, int is_whole) {
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

/* ---- From the peer ---- */

static void receive(int program, struct packet *packet) {
    static struct octets received;
    struct outcome outcome;
    struct delivery delivery;
    struct pw_access_key key = access_key();
    __u32 link = link_octets(), slot = SLOT;
    received.length = packet->view.len;
    memcpy(received.at, packet->octets, received.length);
    finish_checksum(packet, &received);
    inspect_received(&session, &received, link, &delivery);
    int is_seen = !packet->view.vlan_present && !packet->view.pkt_type && !(recipe.setup & SETUP_NOBODY) &&
                  bpf_ntohs(packet->view.protocol) == (session.flags & PW_FLAG_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
    __u32 gso_size = packet->view.gso_size;
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
        if (kernel.redirect != TO_DEVICE || kernel.redirect_ifindex != ACCESS)
            fail("delivered to interface %u", kernel.redirect_ifindex);
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
        const struct pw_sequence *state = map_peek(MAP(&sequences), &slot);
        if ((state->receive & 0xffffff) != ((delivery.sublayer + 1) & 0xffffff))
            fail("number %u was delivered, but %llu is expected next", delivery.sublayer & 0xffffff,
                 state->receive & 0xffffff);
    }
    const struct pw_encap *encap = map_peek(MAP(&access), &key);
    if (encap && encap->path_mtu != session.path_mtu) {
        if (outcome.verdict != TC_ACT_UNSPEC || encap->path_mtu < (session.flags & PW_FLAG_IPV6 ? 1280 : 552))
            fail("a path MTU of %u was learned", encap->path_mtu);
        const __u8 *ip = received.at + link;
        __u32 quoted = session.flags & PW_FLAG_IPV6 ? 48 : (ip[0] & 15) * 4 + 8;
        __u32 size = session.flags & PW_FLAG_IPV6 ? 16 : 4, addresses = session.flags & PW_FLAG_IPV6 ? 8 : 12;
        if (link + quoted + addresses + 2 * size > received.length ||
            memcmp(ip + quoted + addresses, session.local, size) ||
            memcmp(ip + quoted + addresses + size, session.peer, size))
            fail("a path MTU was learned from a message about somebody else's packet");
    }
    packet_free(packet);
}

/* ---- Making packets ---- */

static void overwrite(struct octets *packet) {
    for (__u32 i = 0; i < recipe.overwrites % 5u && packet->length; i++)
        packet->at[recipe.overwrite[i].offset % (packet->length < 160 ? packet->length : 160)] =
            recipe.overwrite[i].value;
}

static struct packet *from_customer(const struct octets *input, int is_split) {
    static struct octets frame;
    struct partial partial = {};
    frame.length = input->length;
    memcpy(frame.at, input->at, input->length);
    overwrite(&frame);
    if (recipe.shape & SHAPE_REPAIR) {
        int is_partial = recipe.shape & SHAPE_PARTIAL && !is_split;
        repair(frame.at, frame.length, is_partial ? 0 : recipe.padding & 63, is_partial, &partial);
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
        packet->view.mark =
            (recipe.hash & 0xf ? ACCESS : recipe.hash >> 4) | (recipe.shape & SHAPE_REST ? MARK_REST : 0);
    if (is_split && recipe.shape & SHAPE_REST && recipe.shape & SHAPE_UNTAG && recipe.shape & SHAPE_SUMMED)
        packet->view.mark |= MARK_OUTER;
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

static struct packet *from_peer(const struct octets *input, __u32 link) {
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
        quote(&session, link, recipe.mtu, &frame, &outer);
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

static const __u8 *current;
static size_t current_size;

static void run_again(void) {
    queued = journey_count = 0;
    LLVMFuzzerTestOneInput(current, current_size);
}

/* Memory that was freed is looked at for a while after; this much is enough for packets. */
const char *__asan_default_options(void) {
    return "quarantine_size_mb=8";
}

/* An input that is given by name is one that somebody wants to look at. */
int LLVMFuzzerInitialize(int *count, char ***arguments) {
    struct stat status;
    for (int i = 1; i < *count; i++)
        is_tracing |= !stat((*arguments)[i], &status) && S_ISREG(status.st_mode);
    replay = run_again;
    return 0;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size) {
    static struct octets input;
    current = data;
    current_size = size;
    __u32 head = size < sizeof(recipe) ? (__u32)size : sizeof(recipe);
    memset(&recipe, 0, sizeof(recipe));
    memcpy(&recipe, data, head);
    input.length = (__u32)size - head;
    if (input.length > 0x8000)
        return -1;
    memcpy(input.at, data + head, input.length);
    __u32 stretch = recipe.shape & SHAPE_LONG ? recipe.stretch : recipe.stretch & 0x7ff;
    for (__u32 i = 0; i < stretch; i++)
        input.at[input.length++] = (__u8)(i * 7 + (i >> 8));

    set_up_session();
    set_up_kernel();
    set_up_maps();
    kernel.are_maps_full = !!(recipe.kernel & KERNEL_MAPS_FULL);
    kernel.fallible_calls = 0;
    kernel.fail_at = recipe.fail_at;
    runs = 0;
    int program = recipe.program % 4;
    struct packet *packet = program <= RUN_ENCAP_SPLIT ? from_customer(&input, program == RUN_ENCAP_SPLIT)
                                                       : from_peer(&input, link_octets());
    packet->is_encapsulated = !!(recipe.kernel & KERNEL_ENCAPSULATED);
    packet->view.hash = recipe.hash;
    choose_linear(packet);
    if (program <= RUN_ENCAP_SPLIT)
        travel(program, packet, program == RUN_ENCAP);
    else
        receive(program, packet);
    kernel_reset();
    return 0;
}

#pragma clang attribute pop
