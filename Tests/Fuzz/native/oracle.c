/* SPDX-License-Identifier: MIT */
#include "oracle.h"

#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf_endian.h>

static void insert(struct octets *frame, __u32 at, const __u8 *octets, __u32 length) {
    memmove(frame->at + at + length, frame->at + at, frame->length - at);
    memcpy(frame->at + at, octets, length);
    frame->length += length;
}

static void copy_octets(struct octets *to, const __u8 *octets, __u32 length) {
    to->length = length;
    memcpy(to->at, octets, length);
}

void on_wire(const struct packet *packet, struct octets *frame) {
    copy_octets(frame, packet->octets, packet->view.len);
    if (packet->view.vlan_present && frame->length >= 12) {
        __u16 protocol = bpf_ntohs(packet->view.vlan_proto);
        __u8 tag[4];
        write16(tag, protocol);
        write16(tag + 2, packet->view.vlan_tci);
        insert(frame, 12, tag, 4);
    }
}

void finish_checksum(const struct packet *packet, struct octets *frame) {
    struct partial partial = {(__u32)packet->checksum_start, packet->checksum_offset, packet->is_partial};
    if (packet->view.vlan_present)
        partial.start += 4;
    fill_checksum(frame->at, frame->length, &partial);
}

/* ---- From the access interface ---- */

void journey_begin(struct journey *journey, const struct packet *packet, int is_whole) {
    static struct octets origin;
    on_wire(packet, &origin);
    finish_checksum(packet, &origin);
    journey->origin = malloc(sizeof(__u32) + origin.length);
    copy_octets(journey->origin, origin.at, origin.length);
    journey->is_whole = is_whole;
    journey->count = 0;
}

/* The frame as the peer is to see it. */
static void translate(const struct session *session, struct octets *frame) {
    __u16 ethertype = frame->length >= 18 ? read16(frame->at + 12) : 0;
    if (session->tag == PW_TAG_KEEP || (ethertype != ETH_P_8021Q && ethertype != ETH_P_8021AD))
        return;
    if (session->tag == PW_TAG_STRIP) {
        memmove(frame->at + 12, frame->at + 16, frame->length - 16);
        frame->length -= 4;
    } else {
        write16(frame->at + 14, (read16(frame->at + 14) & ~0x0fff) | session->tag);
    }
}

static __u32 address_octets(const struct session *session) {
    return session->flags & PW_FLAG_IPV6 ? 16 : 4;
}

/* UDP to sublayer of a whole outer packet; what is left is the frame. Returns its place. */
static __u32 check_transport(const struct session *session, const struct octets *packet, __u32 network,
                             int must_be_summed) {
    __u8 wanted[128];
    __u32 unused, size = address_octets(session);
    __u32 length = template_of(session, wanted, &unused, &unused);
    if (packet->length < length + 14 && session->tag != PW_TAG_STRIP)
        fail("outer packet of %u octets has no room for its headers and an Ethernet header", packet->length);
    const __u8 *at = packet->at + network;
    if (session->flags & PW_FLAG_UDP) {
        __u16 source = read16(at), check = read16(at + 6);
        if (session->flags & PW_FLAG_ENTROPY_SEND ? source < 0xc000 : source != session->local_port)
            fail("UDP source port %u", source);
        if (read16(at + 2) != session->peer_port)
            fail("UDP destination port %u", read16(at + 2));
        if (read16(at + 4) != packet->length - network)
            fail("UDP length %u of %u octets", read16(at + 4), packet->length - network);
        if (!check != !(session->flags & PW_FLAG_UDP_CHECKSUM))
            fail("UDP checksum %04x", check);
        if (check && must_be_summed) {
            __u32 pseudo = sum16(session->local, size, sum16(session->peer, size, 17 + packet->length - network));
            __u16 sum = sum16(at, packet->length - network, pseudo);
            if (sum != 0xffff)
                fail("UDP checksum is %04x, which makes the sum %04x", check, sum);
        }
    }
    __u32 l2tp = network + (session->flags & PW_FLAG_UDP ? 8 : 0);
    __u32 fixed = session->flags & PW_FLAG_SUBLAYER ? length - 4 : length;
    if (memcmp(packet->at + l2tp, wanted + l2tp, fixed - l2tp))
        fail("L2TP header is not the one configured");
    return length;
}

static void hand_over(struct journey *journey, const __u8 *octets, __u32 length) {
    if (journey->count == sizeof(journey->sent) / sizeof(*journey->sent))
        fail("one frame became more packets than are counted");
    struct octets *sent = malloc(sizeof(__u32) + length);
    copy_octets(sent, octets, length);
    journey->sent[journey->count++] = sent;
}

void check_sent(struct journey *journey, const struct session *session, const struct packet *packet, __u32 mtu,
                int sequence) {
    static struct octets frame;
    int is_v6 = !!(session->flags & PW_FLAG_IPV6);
    on_wire(packet, &frame);
    finish_checksum(packet, &frame);
    trace_octets("sent", frame.at, frame.length);
    if (packet->view.vlan_present)
        fail("the customer's tag would go on the outer frame");
    if (frame.length < 14 || read16(frame.at + 12) != (is_v6 ? ETH_P_IPV6 : ETH_P_IP))
        fail("outer ethertype is not the family's");
    if (packet->view.protocol != (is_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)))
        fail("skb->protocol is %04x: the kernel would not send it", bpf_ntohs(packet->view.protocol));
    if (packet->network <= 0)
        fail("no link-layer header by the kernel's reckoning: it would not send it");
    if (frame.at[0] & 1)
        fail("outer destination address is multicast: the kernel would not send it");

    const __u8 *ip = frame.at + 14;
    __u32 length = frame.length - 14, network = is_v6 ? 40 : 20, size = address_octets(session);
    if (length < network)
        fail("no outer IP header");
    int is_fragment = 0;
    if (is_v6) {
        if (ip[0] >> 4 != 6 || read16(ip + 4) != length - 40)
            fail("outer IPv6 header: version %u, payload length %u of %u", ip[0] >> 4, read16(ip + 4), length - 40);
        is_fragment = ip[6] == 44;
        __u8 next = is_fragment && length > 48 ? ip[40] : ip[6];
        if (next != (session->flags & PW_FLAG_UDP ? 17 : 115) || ip[7] != 64)
            fail("outer IPv6 header: next header %u, hop limit %u", next, ip[7]);
        if (is_fragment &&
            (!(session->flags & PW_FLAG_FRAGMENT_OUTER) || length <= 48 || ip[41] || (ip[43] & 1 && (length - 48) % 8)))
            fail("outer fragment header: %08x of a packet of %u octets", read32(ip + 40), length);
        if (!(session->flags & PW_FLAG_FLOW_LABEL) && read32(ip) & 0xfffff)
            fail("outer flow label %05x", read32(ip) & 0xfffff);
        if (memcmp(ip + 8, session->local, 16) || memcmp(ip + 24, session->peer, 16))
            fail("outer IPv6 addresses");
    } else {
        if (ip[0] != 0x45 || read16(ip + 2) != length)
            fail("outer IPv4 header: %02x, total length %u of %u", ip[0], read16(ip + 2), length);
        if (sum16(ip, 20, 0) != 0xffff)
            fail("outer IPv4 header checksum: the sum is %04x", sum16(ip, 20, 0));
        if (ip[8] != 64 || ip[9] != (session->flags & PW_FLAG_UDP ? 17 : 115))
            fail("outer IPv4 header: TTL %u, protocol %u", ip[8], ip[9]);
        if (memcmp(ip + 12, session->local, size) || memcmp(ip + 16, session->peer, size))
            fail("outer IPv4 addresses");
        __u16 fragment = read16(ip + 6),
              df = session->flags & (PW_FLAG_MAY_FRAGMENT | PW_FLAG_FRAGMENT_OUTER) ? 0 : 0x4000;
        is_fragment = (fragment & 0x3fff) != 0;
        if ((fragment & 0xc000) != df || (is_fragment && !(session->flags & PW_FLAG_FRAGMENT_OUTER)))
            fail("outer fragment field %04x", fragment);
    }
    if (packet->view.gso_size) {
        if (session->flags & PW_FLAG_UDP_CHECKSUM || !(session->flags & PW_FLAG_UDP) || sequence >= 0)
            fail("a frame that the kernel cannot cut was sent uncut");
    } else if (length > mtu) {
        fail("packet of %u octets sent where %u is the most", length, mtu);
    }

    struct octets *whole = &frame;
    memmove(whole->at, ip, length);
    whole->length = length;
    if (!is_fragment) {
        __u32 front = check_transport(session, whole, network, 0);
        if (session->flags & PW_FLAG_SUBLAYER) {
            __u32 word = read32(whole->at + front - 4), wanted = sequence < 0 ? 0 : 0x40000000u | (__u32)sequence;
            if (word != wanted)
                fail("sublayer word %08x instead of %08x", word, wanted);
        }
    }
    hand_over(journey, whole->at, length);
}

/* Where TCP's MSS option lies in a SYN, whatever the IP header's length; 0 if there is none. */
static __u32 find_mss(const __u8 *frame, const struct sketch *is, __u32 length) {
    __u32 tcp = is->after;
    if (!tcp || is->protocol != 6 || tcp + 20 > length || !(frame[tcp + 13] & 2))
        return 0;
    __u32 end = tcp + (frame[tcp + 12] >> 4) * 4;
    for (__u32 at = tcp + 20; at + 4 <= end && at + 4 <= length;) {
        if (frame[at] == 0)
            return 0;
        if (frame[at] == 1) {
            at += 1;
            continue;
        }
        if (frame[at] == 2 && frame[at + 1] == 4)
            return at + 2;
        if (frame[at + 1] < 2)
            return 0;
        at += frame[at + 1];
    }
    return 0;
}

/* Makes `frame`, which is expected, follow `other` where the datapath may have changed it: MSS. */
static void admit_clamp(const struct session *session, struct octets *frame, const struct octets *other) {
    struct sketch is;
    if (frame->length != other->length || !(session->flags & PW_FLAG_MSS_CLAMP))
        return;
    sketch(frame->at, frame->length, 14, &is);
    __u32 mss = find_mss(frame->at, &is, frame->length);
    if (!mss || read16(other->at + mss) >= read16(frame->at + mss))
        return;
    __u32 checksum = is.after + 16;
    /* What is right must have stayed so. What is wrong may look as if it were still to be filled in. */
    __u32 end = is.network + is.total, header = (frame->at[is.after + 12] >> 4) * 4;
    __u32 length = end <= frame->length && is.after + header <= end ? end - is.after : 0;
    __u16 before = sum16(frame->at + is.after, length, 0), after = sum16(other->at + is.after, length, 0);
    if (before % 0xffff != after % 0xffff && is_summed_right(frame->at, end, &is))
        fail("TCP checksum does not follow the MSS: the sum was %04x and is %04x", before, after);
    if (!read16(other->at + mss))
        fail("MSS of zero");
    memcpy(frame->at + mss, other->at + mss, 2);
    memcpy(frame->at + checksum, other->at + checksum, 2);
}

/* What RFC 6040, figure 4 makes of a frame: CE wins over all that is ECN-capable, ECT(1) over ECT(0). */
static void propagate_ecn(struct octets *frame, const struct octets *other, __u32 outer) {
    struct sketch is;
    sketch(frame->at, frame->length, 14, &is);
    __u32 ecn = is.traffic_class & 3;
    if (!is.network || !ecn || ecn == 3 || !(outer == 3 || (outer == 1 && ecn == 2)))
        return;
    __u8 *ip = frame->at + is.network;
    if (is.is_v6) {
        ip[1] = (__u8)((ip[1] & 0xcf) | outer << 4);
        return;
    }
    __u16 before = read16(ip);
    ip[1] = (__u8)((ip[1] & 0xfc) | outer);
    __u16 check = ~sum16(ip, 0, (__u16)~read16(ip + 10) + (__u16)~before + read16(ip));
    /* Zero has two names. */
    __u16 theirs = is.network + 12 <= other->length ? read16(other->at + is.network + 10) : 0;
    write16(ip + 10, (__u16)(check + 1) <= 1 && (__u16)(theirs + 1) <= 1 ? theirs : check);
}

static void compare(const struct octets *expected, const struct octets *found) {
    if (expected->length == found->length && !memcmp(expected->at, found->at, found->length))
        return;
    trace_octets("expected", expected->at, expected->length);
    trace_octets("found", found->at, found->length);
    for (__u32 i = 0; i < expected->length && i < found->length; i++) {
        if (expected->at[i] != found->at[i])
            fail("frame is not the one that was sent: octet %u is %02x instead of %02x", i, found->at[i],
                 expected->at[i]);
    }
    fail("frame has %u octets instead of %u", found->length, expected->length);
}

void check_same(const struct session *session, struct octets *before, const struct octets *after) {
    admit_clamp(session, before, after);
    compare(before, after);
}

/* Puts IPv4 fragments together again. `network` is where each one's IP header lies. */
static void reassemble(struct octets **parts, __u32 count, __u32 network, struct octets *whole) {
    static __u8 have[0x20000];
    memset(have, 0, sizeof(have));
    __u32 base = 0xffffffff, end = 0, first = 0, last = 0;
    for (__u32 i = 0; i < count; i++) {
        const __u8 *ip = parts[i]->at + network;
        __u32 offset = (read16(ip + 6) & 0x1fff) * 8u;
        if (offset < base) {
            base = offset;
            first = i;
        }
        if (offset >= end) {
            end = offset;
            last = i;
        }
        if (sum16(ip, 20, 0) != 0xffff)
            fail("fragment's header checksum");
        if (network + read16(ip + 2) != parts[i]->length)
            fail("fragment of %u octets says that it has %u", parts[i]->length - network, read16(ip + 2));
    }
    copy_octets(whole, parts[first]->at, network + 20);
    for (__u32 i = 0; i < count; i++) {
        const __u8 *ip = parts[i]->at + network;
        __u32 offset = (read16(ip + 6) & 0x1fff) * 8u - base, length = parts[i]->length - network - 20;
        if (memcmp(parts[i]->at, whole->at, network) || memcmp(ip + 12, whole->at + network + 12, 8) ||
            memcmp(ip + 4, whole->at + network + 4, 2) || memcmp(ip + 8, whole->at + network + 8, 2) ||
            ip[1] != whole->at[network + 1])
            fail("fragments differ in what they must not differ in");
        if (i != last && !(read16(ip + 6) & 0x2000))
            fail("a fragment that is not the last one says that it is");
        if (i && offset + base <= (read16(parts[i - 1]->at + network + 6) & 0x1fff) * 8u)
            fail("fragments come in another order than they were cut");
        if (i != last && length % 8)
            fail("a fragment that is not the last one has %u octets", length);
        for (__u32 octet = 0; octet < length; octet++) {
            if (have[offset + octet])
                fail("fragments overlap");
            have[offset + octet] = 1;
        }
        memcpy(whole->at + network + 20 + offset, ip + 20, length);
        if (network + 20 + offset + length > whole->length)
            whole->length = network + 20 + offset + length;
    }
    for (__u32 octet = 0; octet < whole->length - network - 20; octet++) {
        if (!have[octet])
            fail("fragments leave a hole at %u", octet);
    }
    __u8 *ip = whole->at + network;
    write16(ip + 2, whole->length - network);
    write16(ip + 6, (read16(parts[last]->at + network + 6) & 0x2000) | (read16(ip + 6) & ~0x2000));
    write16(ip + 10, 0);
    write16(ip + 10, (__u16)~sum16(ip, 20, 0));
}

/* The same for outer IPv6 packets, which are a fragment each: what comes out has no fragment header. */
static void reassemble_v6(struct octets **parts, __u32 count, struct octets *whole) {
    static __u8 have[0x20000];
    memset(have, 0, sizeof(have));
    const __u8 *first = parts[0]->at;
    __u32 end = 0;
    copy_octets(whole, first, 40);
    for (__u32 i = 0; i < count; i++) {
        const __u8 *ip = parts[i]->at;
        __u32 offset = read16(ip + 42) & 0xfff8, length = parts[i]->length - 48;
        if (memcmp(ip, first, 4) || memcmp(ip + 6, first + 6, 36) || memcmp(ip + 44, first + 44, 4))
            fail("fragments differ in what they must not differ in");
        if (i && offset <= (read16(parts[i - 1]->at + 42) & 0xfff8u))
            fail("fragments come in another order than they were cut");
        if (!(ip[43] & 1)) {
            if (end)
                fail("two fragments say that they are the last one");
            end = offset + length;
        }
        if (offset + length > 0xffff)
            fail("a fragment reaches to %u", offset + length);
        for (__u32 octet = 0; octet < length; octet++) {
            if (have[offset + octet])
                fail("fragments overlap");
            have[offset + octet] = 1;
        }
        memcpy(whole->at + 40 + offset, ip + 48, length);
        if (40 + offset + length > whole->length)
            whole->length = 40 + offset + length;
    }
    if (whole->length != 40 + end)
        fail("the last fragment ends at %u of %u", end, whole->length - 40);
    for (__u32 octet = 0; octet < end; octet++) {
        if (!have[octet])
            fail("fragments leave a hole at %u", octet);
    }
    whole->at[6] = first[40];
    write16(whole->at + 4, end);
}

void journey_end(struct journey *journey, const struct session *session) {
    static struct octets outer, expected;
    struct octets *inner[64];
    __u32 network = session->flags & PW_FLAG_IPV6 ? 40 : 20;
    if (!journey->is_whole || !journey->count)
        goto out;
    if (network == 40 ? journey->sent[0]->at[6] == 44 : read16(journey->sent[0]->at + 6) & 0x3fff) {
        if (network == 40)
            reassemble_v6(journey->sent, journey->count, &outer);
        else
            reassemble(journey->sent, journey->count, 0, &outer);
        if (network == 20 && read16(outer.at + 6) & 0x3fff)
            fail("fragments of an outer packet are not all there is of it");
        for (__u32 i = 0; i < journey->count; i++)
            free(journey->sent[i]);
        journey->count = 0;
        hand_over(journey, outer.at, outer.length);
    }
    struct sketch is;
    sketch(journey->origin->at, journey->origin->length, 14, &is);
    for (__u32 i = 0; i < journey->count; i++) {
        struct octets *packet = journey->sent[i];
        int is_known = journey->count > 1 || is_summed_right(journey->origin->at, journey->origin->length, &is);
        __u32 front = check_transport(session, packet, network, is_known);
        __u32 expected_class = session->traffic_class;
        if (is.network && session->flags & PW_FLAG_DSCP_INHERIT)
            expected_class = is.traffic_class & 0xfc;
        if (is.network && session->flags & PW_FLAG_ECN)
            expected_class |= is.traffic_class & 3;
        __u32 traffic_class = network == 20 ? packet->at[1] : read16(packet->at) >> 4 & 0xff;
        if (traffic_class != expected_class)
            fail("outer traffic class %02x instead of %02x", traffic_class, expected_class);
        packet->length -= front;
        memmove(packet->at, packet->at + front, packet->length);
        inner[i] = packet;
    }
    copy_octets(&expected, journey->origin->at, journey->origin->length);
    translate(session, &expected);
    sketch(expected.at, expected.length, 14, &is);
    if (journey->count > 1) {
        static struct octets whole;
        if (!is.network || is.is_v6 || is.network + is.total > expected.length)
            fail("%u packets for one frame that is not IPv4", journey->count);
        /* A fragment that reaches beyond the longest packet there is: its own fragments are as little sense. */
        if ((read16(expected.at + is.network + 6) & 0x1fff) * 8u + is.total > 0xffff)
            goto out;
        reassemble(inner, journey->count, is.network, &whole);
        /* The padding is gone, and the header was written anew, checksum included. */
        expected.length = is.network + is.total;
        write16(expected.at + is.network + 10, read16(whole.at + is.network + 10));
        compare(&expected, &whole);
    } else {
        admit_clamp(session, &expected, inner[0]);
        compare(&expected, inner[0]);
    }
out:
    for (__u32 i = 0; i < journey->count; i++)
        free(journey->sent[i]);
    journey->count = 0;
    free(journey->origin);
}

void check_reply(const struct octets *origin, const struct packet *packet, __u32 least, __u32 most) {
    static struct octets frame;
    struct sketch asked, is;
    on_wire(packet, &frame);
    finish_checksum(packet, &frame);
    trace_octets("reply", frame.at, frame.length);
    sketch(origin->at, origin->length, 14, &asked);
    sketch(frame.at, frame.length, 14, &is);
    if (!asked.network || !is.transport || is.network != asked.network || is.is_v6 != asked.is_v6)
        fail("reply is no IP packet behind the tags of the one that it is about");
    if (memcmp(frame.at, origin->at + 6, 6) || memcmp(frame.at + 6, origin->at, 6))
        fail("reply's Ethernet addresses");
    if (memcmp(frame.at + 12, origin->at + 12, is.network - 12))
        fail("reply's tags");
    if (is.network + is.total != frame.length)
        fail("reply's length %u of %u", is.total, frame.length - is.network);
    const __u8 *ip = frame.at + is.network, *cause = origin->at + asked.network, *message = frame.at + is.transport;
    __u32 size = is.is_v6 ? 16 : 4, addresses = is.is_v6 ? 8 : 12;
    if (memcmp(ip + addresses, cause + addresses + size, size) ||
        memcmp(ip + addresses + size, cause + addresses, size))
        fail("reply's IP addresses");
    if (!is.is_v6 && sum16(ip, 20, 0) != 0xffff)
        fail("reply's header checksum");
    if (is.protocol != (is.is_v6 ? 58 : 1) || message[0] != (is.is_v6 ? 2 : 3) || message[1] != (is.is_v6 ? 0 : 4))
        fail("reply is of another kind");
    __u32 length = frame.length - is.transport;
    __u32 pseudo = is.is_v6 ? sum16(ip + 8, 32, 58 + length) : 0;
    if (sum16(message, length, pseudo) != 0xffff)
        fail("reply's ICMP checksum: the sum is %04x", sum16(message, length, pseudo));
    __u32 mtu = read32(message + 4);
    if (mtu < least || mtu > most)
        fail("reply says %u, which is not between %u and %u", mtu, least, most);
    if (is.total > (is.is_v6 ? 1280u : 576u))
        fail("reply of %u octets", is.total);
    if (length < 8 + 28 || asked.network + length - 8 > origin->length || memcmp(message + 8, cause, length - 8))
        fail("reply does not quote the packet that it is about");
}

/* ---- From the peer ---- */

void inspect_received(const struct session *session, const struct octets *packet, __u32 link,
                      struct delivery *delivery) {
    int is_v6 = !!(session->flags & PW_FLAG_IPV6), is_udp = !!(session->flags & PW_FLAG_UDP);
    const __u8 *ip = packet->at + link;
    __u32 have = packet->length - link, header, total;
    *delivery = (struct delivery){};
#define REFUSE_UNLESS(condition)                                                                                       \
    if (!(condition)) {                                                                                                \
        delivery->refusal = #condition;                                                                                \
        return;                                                                                                        \
    }
    REFUSE_UNLESS(packet->length >= link + (is_v6 ? 40 : 20));
    REFUSE_UNLESS(ip[0] >> 4 == (is_v6 ? 6 : 4));
    REFUSE_UNLESS(ip[is_v6 ? 6 : 9] == (is_udp ? 17 : 115));
    if (is_v6) {
        header = 40;
        total = 40 + read16(ip + 4);
        delivery->traffic_class = (__u8)(read16(ip) >> 4);
        REFUSE_UNLESS(!memcmp(ip + 8, session->peer, 16) && !memcmp(ip + 24, session->local, 16));
    } else {
        header = (ip[0] & 15) * 4;
        total = read16(ip + 2);
        delivery->traffic_class = ip[1];
        REFUSE_UNLESS(header >= 20);
        REFUSE_UNLESS(!memcmp(ip + 12, session->peer, 4) && !memcmp(ip + 16, session->local, 4));
        REFUSE_UNLESS(!(read16(ip + 6) & 0x3fff));
    }
    REFUSE_UNLESS(total <= have && total >= header);
    __u32 at = header;
    if (is_udp) {
        REFUSE_UNLESS(total >= header + 12);
        __u32 length = read16(ip + at + 4);
        REFUSE_UNLESS(length >= 12 && length <= total - header);
        total = header + length;
        REFUSE_UNLESS(read16(ip + at + 2) == session->local_port);
        REFUSE_UNLESS(session->flags & PW_FLAG_ENTROPY_RECEIVE || read16(ip + at) == session->peer_port);
        REFUSE_UNLESS((read16(ip + at + 8) & 0x800f) == 3);
        at += 12;
    }
    __u32 l2tp = 4 + session->expect_length + (session->flags & PW_FLAG_SUBLAYER ? 4 : 0);
    REFUSE_UNLESS(total >= at + l2tp + 14);
    REFUSE_UNLESS(read32(ip + at) == session->local_id);
    int is_cookie_right = !session->expect_length;
    for (__u32 i = 0; i < session->expect_count; i++)
        is_cookie_right |= !memcmp(ip + at + 4, session->expect_cookie[i], session->expect_length);
    REFUSE_UNLESS(is_cookie_right);
    if (session->flags & PW_FLAG_SUBLAYER) {
        delivery->sublayer = read32(ip + at + 4 + session->expect_length);
        REFUSE_UNLESS(!(delivery->sublayer & 0x80000000));
        REFUSE_UNLESS(!(delivery->sublayer & 0x40000000 && delivery->sublayer & 0x30000000));
        REFUSE_UNLESS(!(session->flags & PW_FLAG_SEQUENCE_RECEIVE) || delivery->sublayer & 0x40000000);
    }
    delivery->front = link + at + l2tp;
    delivery->length = total - at - l2tp;

    const __u8 *frame = packet->at + delivery->front;
    __u16 ethertype = read16(frame + 12);
    int is_tagged = delivery->length >= 18 && (ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD);
    __u32 id = is_tagged ? read16(frame + 14) & 0x0fff : 0;
    if (session->vlan == PW_VLAN_NONE) {
        REFUSE_UNLESS(!id);
    } else if (session->vlan < PW_VLAN_NONE && session->tag != PW_TAG_STRIP) {
        __u32 wanted = session->tag == PW_TAG_KEEP ? session->vlan & PW_VLAN_ID : session->tag;
        REFUSE_UNLESS(is_tagged && id == wanted);
    }
    struct sketch is;
    sketch(frame, delivery->length, 14, &is);
    /* RFC 6040: what met congestion and cannot be told so must not arrive. */
    REFUSE_UNLESS(is.tags > 2 || !is.network || is.traffic_class & 3 || (delivery->traffic_class & 3) != 3);
#undef REFUSE_UNLESS
}

void check_delivered(const struct session *session, const struct octets *received, const struct delivery *delivery,
                     const struct packet *packet, int may_be_padded) {
    static struct octets expected, found;
    on_wire(packet, &found);
    finish_checksum(packet, &found);
    trace_octets("delivered", found.at, found.length);
    if (delivery->refusal)
        fail("delivered, although it is not true that %s", delivery->refusal);
    if (packet->view.len < 14)
        fail("a frame of %u octets was delivered", packet->view.len);
    if (packet->network <= 0)
        fail("no link-layer header by the kernel's reckoning: it would not deliver it");
    if (packet->view.hash)
        fail("the hash is still that of the outer addresses");
    __u16 ethertype = read16(packet->octets + 12), protocol = bpf_ntohs(packet->view.protocol);
    if (ethertype >= 0x600 && protocol != ethertype)
        fail("skb->protocol is %04x, but the frame's ethertype %04x", protocol, ethertype);

    copy_octets(&expected, received->at + delivery->front, delivery->length);
    if (session->vlan < PW_VLAN_NONE) {
        __u8 tag[4];
        write16(tag, session->vlan & PW_VLAN_SERVICE ? ETH_P_8021AD : ETH_P_8021Q);
        write16(tag + 2, session->vlan & PW_VLAN_ID);
        if (session->tag == PW_TAG_STRIP) {
            insert(&expected, 12, tag, 4);
        } else {
            memcpy(expected.at + 12, tag, 2);
            write16(expected.at + 14, (read16(expected.at + 14) & ~0x0fff) | (session->vlan & PW_VLAN_ID));
        }
    }
    /* Nobody looks behind a third tag. */
    struct sketch is;
    sketch(received->at + delivery->front, delivery->length, 14, &is);
    if (is.tags <= 2)
        propagate_ecn(&expected, &found, delivery->traffic_class & 3);
    /* What the kernel refused to cut off. */
    if (may_be_padded && found.length > expected.length && found.length <= 14 + 40 + 4) {
        memset(expected.at + expected.length, 0, found.length - expected.length);
        expected.length = found.length;
    }
    admit_clamp(session, &expected, &found);
    compare(&expected, &found);
}
