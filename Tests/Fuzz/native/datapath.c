/* SPDX-License-Identifier: MIT */
/*
 * The datapath's programs and maps, and one run of one program: what it counted must agree with how it ended. The only
 * file that is compiled with the datapath, and the only one whose coverage guides the fuzzer.
 */
#include <string.h>

#include "fuzz.h"
#include "datapath.h"

/* Inputs are to be kept for what they reach in the datapath, not for what they reach in here. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

const char *const reason_names[] = {
#define NAME(identifier, direction, sentence) #identifier,
    PW_DROP_REASONS(NAME)
#undef NAME
};
static const char *const reason_directions[] = {
#define DIRECTION(identifier, direction, sentence) direction,
    PW_DROP_REASONS(DIRECTION)
#undef DIRECTION
};

/* About as many events as may be reported in a second; or it was in the one before. */
static void set_up_flood(void) {
    __u8 how = recipe.overwrite[1].xdp;
    if (!xdp_finds(XDP_FLOOD))
        return;
    struct pw_event_limit limit = {.second = kernel.now / 1000000000 - (how >> 2 & 1),
                                   .count = REPORTED - 2 + (how & 3)};
    for (__u32 reason = 0; reason < PW_DROP_REASON_COUNT; reason++)
        bpf_map_update_elem(&event_limits, &reason, &limit, BPF_ANY);
}

/* Another interface's entry where that of `ifindex` goes. */
static void set_up_neighbour(__u32 ifindex, const struct pw_port *port) {
    struct recent_port recent = {.tick = bpf_jiffies64(), .ifindex = ifindex + RECENT_PORTS, .flags = ~0u};
    memcpy(recent.address, port->address, 6);
    bpf_map_update_elem(&recent_ports, &ifindex, &recent, BPF_ANY);
}

/* What XDP programs are told of interfaces, and filters never ask. */
void set_up_ports(const struct frame *frame, int is_for_us) {
    __u32 underlay_ifindex = UNDERLAY, access_ifindex = ACCESS;
    struct pw_port underlay = {.flags = PW_PORT_UNDERLAY | PW_PORT_UNDERLAY_XDP};
    struct pw_port port = {.flags = PW_PORT_ACCESS | PW_PORT_ACCESS_XDP};
    if (xdp_finds(XDP_SHEDS))
        underlay.flags |= PW_PORT_SHEDS;
    if (!xdp_finds(XDP_LOSES))
        port.flags |= PW_PORT_TRANSMITS;
    if (frame->length >= 6)
        memcpy(underlay.address, frame_octets_of(frame), 6);
    if (!is_for_us)
        underlay.address[recipe.hash % 6] ^= 1 << (recipe.hash >> 8) % 8;
    if (recipe.overwrite[2].xdp & XDP_NEIGHBOURED) {
        set_up_neighbour(underlay_ifindex, &underlay);
        set_up_neighbour(access_ifindex, &port);
    }
    if (xdp_finds(XDP_STRANGE))
        return;
    bpf_map_update_elem(&ports, &underlay_ifindex, &underlay, BPF_ANY);
    bpf_map_update_elem(&ports, &access_ifindex, &port, BPF_ANY);
}

int run_xdp(int is_encap, struct xdp_md *context) {
    return is_encap ? pw_encap_xdp(context) : pw_decap_xdp(context);
}

void set_up_maps(void) {
    has_decap_l3 = kernel.has_decap_l3;
    __u32 first = 0, slot = SLOT;
    struct pw_meta meta_value = {.magic = PW_MAGIC,
                                 .abi_version = PW_ABI_VERSION,
                                 .max_sessions = 16,
                                 .splitter_outer = recipe.setup & SETUP_NO_SPLITTER ? 0 : SPLITTER_OUTER,
                                 .splitter_inner = SPLITTER_INNER,
                                 .joiner_outer = recipe.setup & SETUP_JOINER ? JOINER : 0};
    bpf_map_update_elem(&meta, &first, &meta_value, BPF_ANY);
    if (recipe.setup & SETUP_ETHERNET) {
        __u32 routed = ROUTED;
        struct pw_port port = {.flags = PW_PORT_UNDERLAY | PW_PORT_ETHERNET};
        if (!xdp_finds(XDP_LOSES))
            port.flags |= PW_PORT_TRANSMITS;
        bpf_map_update_elem(&ports, &routed, &port, BPF_ANY);
    }
    set_up_flood();
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
                          .flags = session.flags | (recipe.setup & SETUP_JOINER ? PW_FLAG_COALESCE : 0),
                          .cookie_length = session.expect_length,
                          .cookie_count = session.expect_count,
                          .vlan = session.vlan,
                          .tag = session.tag,
                          .is_unheard = !!(recipe.overwrite[2].xdp & XDP_UNHEARD),
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

int memory_was_short(void) {
    return kernel.fail_at && kernel.fallible_calls >= kernel.fail_at;
}

void run(int program, struct packet *packet, struct outcome *outcome) {
    static const char *const names[] = {"pw_encap", "pw_encap_split", "pw_decap", "pw_decap_l3"};
    int is_encap = program <= RUN_ENCAP_SPLIT;
    struct packet *before = packet_copy(packet);
    early_run(program, packet);
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
    early_check(packet, outcome);
}

/* A program's own way to its state would make what is not there. */
const struct pw_sequence *sequence_state(void) {
    __u32 slot = SLOT;
    return map_peek(MAP(&sequences), &slot);
}

const struct pw_encap *encap_entry(void) {
    struct pw_access_key key = access_key();
    return map_peek(MAP(&access), &key);
}

_Static_assert(REPORTED == PW_EVENTS_PER_SECOND, "events");
_Static_assert(PIECE == MARK_PIECE && OUTER == MARK_OUTER && PORT == MARK_PORT, "marks");

#pragma clang attribute pop
