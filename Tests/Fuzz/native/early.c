/* SPDX-License-Identifier: MIT */
/*
 * The XDP program that stands before a filter. It has the frame as it was on the wire, and the maps as the filter finds
 * them. What it passes it must leave as it was; what it sends the filter must send as well, to the same interface and
 * with the same octets; what it drops the filter must drop, and say and count the same of it.
 *
 * Where the two may differ:
 *   - Caches of what the kernel said, and memory for sums: nobody counts on what is in there.
 *   - The identification of an outer IPv4 packet that may be cut, which each draws at random. The header's checksum
 *     must be that of what is there.
 *   - The UDP source port of entropy and the IPv6 flow label: the filter has the kernel's hash of the flow, the XDP
 *     program one of its own. Both must be of that and in range, and the UDP checksum must differ by the port alone.
 *   - A filter whose kernel refuses to cut a packet drops it, or if it is very short delivers the zeros behind it.
 *   - What floods for sessions that nobody has is dropped, where the filter counts it and leaves it to the stack.
 */
#include <string.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include "fuzz.h"

static const char *const nothing[] = {NULL};
static const char *const caches[] = {"&recent", "&recent_ports", "&scratch", NULL};
/* A filter looks whether it may report what XDP programs shed without a word. */
static const char *const limits[] = {"&recent", "&recent_ports", "&scratch", "&event_limits", NULL};

static struct {
    int was_run;
    int is_encap;
    int verdict;
    struct frame frame;
    struct octets original;
    struct snapshot before, after;
    struct kernel kernel; /* as the program left it */
    __u32 random;         /* before */
} early;

static __u32 missing_headroom(void) {
    return recipe.overwrite[1].xdp & ~7u;
}

static void fill(void) {
    frame_fill(&early.frame, early.original.at, early.original.length, missing_headroom());
    early.frame.view.ingress_ifindex = early.is_encap ? ACCESS : UNDERLAY;
    early.frame.is_misaligned = !!(recipe.kernel & KERNEL_MISALIGNED);
}

static void run_once(void) {
    fill();
    kernel.is_xdp = 1;
    kernel.fail_at = 0;
    kernel.redirect = TO_NOBODY;
    frame_expose(&early.frame);
    early.verdict = run_xdp(early.is_encap, &early.frame.view);
    frame_hide(&early.frame);
    if (kernel.sockets_held)
        fail("a socket was found and never given back");
}

/* Where a packet of UDP that came in is to go, and the socket that waits for it. */
static void set_up_addressee(void) {
    struct sketch is;
    const __u8 *frame = early.original.at;
    sketch(frame, early.original.length, ETH_HLEN, &is);
    if (early.is_encap || !is.after || is.protocol != IPPROTO_UDP)
        return;
    __u32 octets = is.is_v6 ? 16 : 4, addresses = is.network + (is.is_v6 ? 8 : 12);
    kernel.fib_octets = octets;
    memcpy(kernel.fib_destination, frame + addresses + octets, octets);
    kernel.has_socket = xdp_finds(XDP_SOCKET);
    kernel.socket_octets = 2 * octets + 4;
    memcpy(kernel.socket, frame + addresses, 2 * octets);
    memcpy(kernel.socket + 2 * octets, frame + is.after, 4);
}

/* The same frame before, in this tick or in an earlier one, when the next hop was another. Only caches know of it. */
static void warm_up(void) {
    struct kernel now = kernel;
    if (xdp_finds(XDP_LATER)) {
        kernel.now -= 8000000;
        kernel.fib_addresses[5] ^= 0xff;
        kernel.fib_mtu += 100;
    }
    run_once();
    kernel = now;
    maps_restore(&early.before, caches);
}

static void check_passed(void) {
    const char *differs = maps_differ(&early.before, &early.after, caches);
    if (differs)
        fail("the XDP program passed a frame, and changed %s", differs);
    if (early.frame.length != early.original.length || early.frame.headroom + missing_headroom() != XDP_HEADROOM ||
        memcmp(frame_octets_of(&early.frame), early.original.at, early.original.length))
        fail("the XDP program passed a frame that it had changed");
}

void early_run(int program, const struct packet *packet) {
    early.was_run = 0;
    on_wire(packet, &early.original);
    /* What is to be cut was put together behind where XDP programs are. */
    if ((program != RUN_ENCAP && program != RUN_DECAP) || packet->view.gso_size ||
        early.original.length > LONGEST_FRAME)
        return;
    struct kernel before = kernel;
    early.was_run = 1;
    early.random = kernel.random;
    early.is_encap = program == RUN_ENCAP;
    fill();
    kernel.are_maps_full = 0;
    kernel.fail_at = 0;
    set_up_ports(&early.frame, !packet->view.pkt_type);
    kernel = before;
    set_up_addressee();
    maps_save(&early.before);
    trace("%s: length %u\n", early.is_encap ? "pw_encap_xdp" : "pw_decap_xdp", early.original.length);
    if (xdp_finds(XDP_WARM))
        warm_up();
    run_once();
    trace("XDP verdict %d\n", early.verdict);
    early.kernel = kernel;
    maps_save(&early.after);
    kernel = before;
    maps_restore(&early.before, xdp_finds(XDP_CACHES_STAY) ? caches : nothing);
    switch (early.verdict) {
    case XDP_PASS:
        check_passed();
        /* fall through */
    case XDP_DROP:
    case XDP_REDIRECT:
        if (early.verdict != XDP_REDIRECT || early.kernel.redirect != TO_NOBODY)
            break;
        /* fall through */
    default:
        fail("XDP verdict %d", early.verdict);
    }
}

static void check_counted(const char *const *excepted) {
    struct snapshot now;
    maps_save(&now);
    const char *differs = maps_differ(&early.after, &now, excepted);
    if (differs)
        fail("the XDP program left another %s than the filter", differs);
    snapshot_free(&now);
    if (early.kernel.ring_records != kernel.ring_records || early.kernel.record_size != kernel.record_size ||
        memcmp(early.kernel.record, kernel.record, kernel.record_size))
        fail("the XDP program reported other events than the filter");
}

/* What floods: to the registered port of this host's, for a session that nobody here has, and nobody waits for it. */
static int may_be_shed(void) {
    struct sketch is;
    const __u8 *frame = early.original.at;
    __u8 how = recipe.overwrite[1].xdp;
    sketch(frame, early.original.length, ETH_HLEN, &is);
    if (!is.after || is.protocol != IPPROTO_UDP || is.tags || is.after + 16 > early.original.length)
        return 0;
    const __u8 *udp = frame + is.after;
    __u32 id = read32(udp + 12);
    int is_known = !(recipe.setup & SETUP_NOBODY) && id == session.local_id;
    int is_here = kernel.fib_result == BPF_FIB_LKUP_RET_NOT_FWDED || kernel.fib_result == BPF_FIB_LKUP_RET_FWD_DISABLED;
    int is_flood = xdp_finds(XDP_FLOOD) && (how & 3) >= 2 && !(how & 4);
    return read16(udp + 2) == 1701 && read16(udp + 8) == 3 && id && !is_known && is_here && is_flood &&
           xdp_finds(XDP_SHEDS) && !xdp_finds(XDP_STRANGE | XDP_SOCKET);
}

static void check_dropped(const struct outcome *outcome) {
    if (outcome->verdict == TC_ACT_SHOT) {
        check_counted(caches);
        return;
    }
    __u32 reason = PW_DROP_UNKNOWN_SESSION;
    if (outcome->verdict != TC_ACT_UNSPEC || !may_be_shed() ||
        outcome->after.drops[reason] != outcome->before.drops[reason] + 1)
        fail("the XDP program dropped what the filter does not, which says %d", outcome->verdict);
    check_counted(limits);
}

/* The filter's outer header as it would be if what is left to each had been chosen as in the frame. */
static void follow(__u8 *filters, const __u8 *frame) {
    __u8 *ip = filters + ETH_HLEN;
    const __u8 *ours = frame + ETH_HLEN;
    int is_v6 = !!(session.flags & PW_FLAG_IPV6);
    __u8 *udp = ip + (is_v6 ? 40 : 20);
    const __u8 *our_udp = ours + (is_v6 ? 40 : 20);
    __u32 label = read32(ours) & 0xfffff;
    if (!is_v6 && session.flags & (PW_FLAG_MAY_FRAGMENT | PW_FLAG_FRAGMENT_OUTER)) {
        memcpy(ip + 4, ours + 4, 2);
        write16(ip + 10, 0);
        write16(ip + 10, (__u16)~sum16(ip, 20, 0));
    }
    if (session.flags & PW_FLAG_FLOW_LABEL)
        write32(ip, (read32(ip) & ~0xfffffu) | label);
    if (!(session.flags & PW_FLAG_ENTROPY_SEND))
        return;
    __u16 port = read16(our_udp), check = read16(udp + 6);
    if (port < 0xc000)
        fail("UDP source port %u of the XDP program", port);
    if (session.flags & PW_FLAG_FLOW_LABEL && (label & 0x3fff) != (port & 0x3fff))
        fail("UDP source port %u and flow label %05x are not of one hash", port, label);
    if (check) {
        check = ~sum16(our_udp, 2, (__u32)(__u16)~check + (__u16)~read16(udp));
        write16(udp + 6, check ? check : 0xffff);
    }
    write16(udp, port);
}

static void check_same_octets(const struct octets *filters) {
    const __u8 *frame = frame_octets_of(&early.frame);
    trace_octets("sent by the filter", filters->at, filters->length);
    trace_octets("sent by the XDP program", frame, early.frame.length);
    for (__u32 i = 0; i < filters->length && i < early.frame.length; i++) {
        if (filters->at[i] != frame[i])
            fail("octet %u is %02x from the XDP program and %02x from the filter", i, frame[i], filters->at[i]);
    }
    if (filters->length != early.frame.length)
        fail("the XDP program sent %u octets and the filter %u", early.frame.length, filters->length);
}

/* Whether the kernel would not let the filter remove just what there was to remove. */
static int was_held_back(const struct packet *packet) {
    return !early.is_encap && (kernel.has_refused_tail || packet->is_encapsulated || packet->is_partial);
}

static void check_redirected(const struct packet *packet, const struct outcome *outcome) {
    static struct octets filters;
    if (xdp_finds(XDP_LOSES) || (!early.is_encap && xdp_finds(XDP_STRANGE)))
        fail("the XDP program redirected to a driver that does not send");
    if (early.is_encap && session.flags & PW_FLAG_SEQUENCE_SEND)
        fail("the XDP program sent a numbered frame, perhaps before one that the filter still has");
    if (early.is_encap && (kernel.fib_result != BPF_FIB_LKUP_RET_SUCCESS || !(recipe.setup & SETUP_ETHERNET)))
        fail("the XDP program sent to a next hop whose address nobody knows");
    if (was_held_back(packet) && outcome->verdict == TC_ACT_SHOT && outcome->reason == PW_DROP_NOT_REMOVED)
        return;
    if (outcome->verdict != TC_ACT_REDIRECT || kernel.clone_count)
        fail("the XDP program redirected what the filter did not, whose verdict is %d and reason %s", outcome->verdict,
             outcome->reason < PW_DROP_REASON_COUNT ? reason_names[outcome->reason] : "none");
    if (early.kernel.redirect_ifindex != kernel.redirect_ifindex)
        fail("the XDP program sent to interface %u, the filter to %u", early.kernel.redirect_ifindex,
             kernel.redirect_ifindex);
    on_wire(packet, &filters);
    finish_checksum(packet, &filters);
    if (kernel.redirect == TO_NEIGHBOUR) /* which writes the addresses */
        memcpy(filters.at, kernel.fib_addresses, sizeof(kernel.fib_addresses));
    if (early.is_encap)
        follow(filters.at, frame_octets_of(&early.frame));
    int may_be_padded = was_held_back(packet) && filters.length <= ETH_HLEN + 40 + 4;
    while (may_be_padded && filters.length > early.frame.length && !filters.at[filters.length - 1])
        filters.length -= 1;
    check_same_octets(&filters);
    check_counted(caches);
}

/* Whether a frame is TCP that asks for nothing: with a whole checksum, which does not look as if it were none. */
static int is_plain(const struct octets *frame) {
    struct sketch is;
    sketch(frame->at, frame->length, ETH_HLEN, &is);
    if (!is.transport || is.protocol != IPPROTO_TCP || is.tags > 2 || is.network + is.total != frame->length)
        return 0;
    const __u8 *tcp = frame->at + is.transport;
    __u32 length = frame->length - is.transport;
    if (length < 20 || tcp[12] >> 4 < 5 || (tcp[12] >> 4) * 4u > length || tcp[13] & 2)
        return 0;
    const __u8 *addresses = frame->at + is.network + (is.is_v6 ? 8 : 12);
    __u16 pseudo = sum16(addresses, is.is_v6 ? 32 : 8, IPPROTO_TCP + length);
    return read16(tcp + 16) != pseudo && is_summed_right(frame->at, frame->length, &is);
}

/* The same of the packet around it: nothing in it that the filter would have to look into. */
static int is_carried_plainly(void) {
    const __u8 *ip = early.original.at + ETH_HLEN;
    int is_v6 = !!(session.flags & PW_FLAG_IPV6), is_udp = !!(session.flags & PW_FLAG_UDP);
    __u32 network = is_v6 ? 40 : 20, sublayer = network + (is_udp ? 12 : 0) + 4 + session.expect_length;
    if (is_v6 ? ip[1] >> 4 & 1 : ip[0] != 0x45 || ip[1] & 1)
        return 0;
    if (is_udp && read16(ip + network + 8) != 3)
        return 0;
    return !(session.flags & PW_FLAG_SUBLAYER) || !read32(ip + sublayer);
}

/*
 * Programs that pass everything would be right, but to no purpose: what is plain they send, if it is not the filter's
 * turn to ask the neighbour table.
 */
static void check_left(const struct packet *packet, const struct outcome *outcome) {
    static struct octets filters;
    int is_turn = early.kernel.random != early.random && !(early.kernel.random >> 8 & 0xff);
    if (outcome->verdict != TC_ACT_REDIRECT || kernel.clone_count || packet->is_partial || is_turn ||
        xdp_finds(XDP_LOSES | XDP_STRANGE) || missing_headroom())
        return;
    on_wire(packet, &filters);
    int must_send = early.is_encap ? kernel.redirect_ifindex == ROUTED && recipe.setup & SETUP_ETHERNET &&
                                         kernel.fib_result == BPF_FIB_LKUP_RET_SUCCESS &&
                                         !(session.flags & PW_FLAG_SEQUENCE_SEND) && is_plain(&early.original)
                                   : !(recipe.setup & SETUP_JOINER) && !(session.flags & PW_FLAG_SEQUENCE_RECEIVE) &&
                                         is_plain(&filters) && is_carried_plainly();
    if (must_send)
        fail("the XDP program passed a plain frame, which it could have sent");
}

void early_check(const struct packet *packet, const struct outcome *outcome) {
    if (!early.was_run)
        return;
    early.was_run = 0;
    /* Memory that the filter did not get the XDP program never wanted. */
    if (!memory_was_short() && early.verdict == XDP_DROP)
        check_dropped(outcome);
    if (!memory_was_short() && early.verdict == XDP_REDIRECT)
        check_redirected(packet, outcome);
    if (!memory_was_short() && early.verdict == XDP_PASS)
        check_left(packet, outcome);
    snapshot_free(&early.before);
    snapshot_free(&early.after);
}
