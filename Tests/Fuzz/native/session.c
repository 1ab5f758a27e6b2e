/* SPDX-License-Identifier: MIT */
/* Octet by octet and slowly, so that it may be believed. */
#include "session.h"

#include <string.h>

enum { ICMP = 1, TCP = 6, UDP = 17, FRAGMENT = 44, ICMP6 = 58, L2TP = 115, IPV4 = 0x0800, IPV6 = 0x86dd };

__u16 read16(const __u8 *at) {
    return at[0] << 8 | at[1];
}

__u32 read32(const __u8 *at) {
    return (__u32)read16(at) << 16 | read16(at + 2);
}

void write16(__u8 *at, __u32 value) {
    at[0] = (__u8)(value >> 8);
    at[1] = (__u8)value;
}

void write32(__u8 *at, __u32 value) {
    write16(at, value >> 16);
    write16(at + 2, value);
}

__u16 sum16(const __u8 *at, __u32 length, __u32 seed) {
    __u64 sum = seed;
    for (__u32 i = 0; i + 1 < length; i += 2)
        sum += read16(at + i);
    if (length & 1)
        sum += at[length - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (__u16)sum;
}

static int is_tag(__u16 ethertype) {
    return ethertype == 0x8100 || ethertype == 0x88a8;
}

void sketch(const __u8 *frame, __u32 length, __u32 link, struct sketch *is) {
    *is = (struct sketch){};
    if (length < link || link < 14)
        return;
    __u32 at = link - 2;
    while (at + 6 <= length && is_tag(read16(frame + at))) {
        is->tags += 1;
        at += 4;
    }
    is->ethertype = read16(frame + at);
    at += 2;
    const __u8 *ip = frame + at;
    __u32 header;
    if (is->ethertype == IPV4 && at + 20 <= length && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5) {
        header = (ip[0] & 15) * 4;
        is->total = read16(ip + 2);
        is->protocol = ip[9];
        is->traffic_class = ip[1];
        is->is_fragment = (read16(ip + 6) & 0x3fff) != 0;
    } else if (is->ethertype == IPV6 && at + 40 <= length && ip[0] >> 4 == 6) {
        header = 40;
        is->is_v6 = 1;
        is->total = 40 + read16(ip + 4);
        is->protocol = ip[6];
        is->traffic_class = (__u8)(read16(ip) >> 4);
    } else {
        return;
    }
    is->network = at;
    if (!is->is_fragment && at + header + 8 <= length)
        is->after = at + header;
    if (header + 8 <= is->total)
        is->transport = is->after;
}

static __u32 pseudo_sum(const __u8 *frame, const struct sketch *is, __u32 transport_length) {
    const __u8 *ip = frame + is->network;
    return sum16(is->is_v6 ? ip + 8 : ip + 12, is->is_v6 ? 32 : 8, is->protocol + transport_length);
}

int is_summed_right(const __u8 *frame, __u32 length, const struct sketch *is) {
    /* Of what is not exactly one TCP or UDP packet nobody derives a sum from its checksums. */
    if (!is->transport || is->network + is->total != length)
        return 1;
    const __u8 *transport = frame + is->transport;
    __u32 transport_length = length - is->transport;
    if (is->protocol == TCP
            ? transport_length < 20 || transport[12] < 0x50 || transport[12] / 16u * 4 > transport_length
            : is->protocol != UDP || !read16(transport + 6) || read16(transport + 4) != transport_length)
        return 1;
    if (!is->is_v6 && sum16(frame + is->network, is->transport - is->network, 0) != 0xffff)
        return 0;
    return sum16(transport, transport_length, pseudo_sum(frame, is, transport_length)) == 0xffff;
}

void repair(__u8 *frame, __u32 length, __u32 padding, int is_partial, struct partial *partial) {
    struct sketch is;
    *partial = (struct partial){};
    int is_short = !!(padding & PADDED_WITHIN);
    padding &= ~(__u32)PADDED_WITHIN;
    /* First the version, which decides whether there is anything to repair. */
    sketch(frame, length, 14, &is);
    __u32 network = 14 + is.tags * 4;
    if (network + 40 > length)
        padding = 0;
    if (is.ethertype == IPV4 && network + 20 <= length) {
        __u8 *ip = frame + network;
        __u32 words = ip[0] & 15;
        if (words < 5 || network + words * 4 > length)
            words = 5;
        ip[0] = (__u8)(0x40 | words);
        __u32 total = length - network;
        if (padding && total >= padding + words * 4)
            total -= padding;
        write16(ip + 2, total > 0xffff ? 0xffff : total);
        write16(ip + 10, 0);
        write16(ip + 10, (__u16)~sum16(ip, words * 4, 0));
    } else if (is.ethertype == IPV6 && network + 40 <= length) {
        __u8 *ip = frame + network;
        ip[0] = (__u8)(0x60 | (ip[0] & 15));
        __u32 total = length - network - 40;
        write16(ip + 4, total > 0xffff ? 0xffff : total);
    } else {
        return;
    }
    sketch(frame, length, 14, &is);
    if (!is.transport || is.network + is.total > length)
        return;
    __u8 *transport = frame + is.transport;
    __u32 transport_length = is.network + is.total - is.transport;
    __u32 offset;
    if (is.protocol == TCP && transport_length >= 20) {
        __u32 words = transport[12] >> 4;
        if (words < 5 || words * 4 > transport_length)
            transport[12] = (__u8)(0x50 | (transport[12] & 15));
        offset = 16;
    } else if (is.protocol == UDP) {
        if (is_short && transport_length >= 12)
            transport_length -= 4;
        write16(transport + 4, transport_length);
        offset = 6;
    } else if (is.protocol == ICMP || is.protocol == ICMP6) {
        write16(transport + 2, 0);
        __u32 seed = is.protocol == ICMP6 ? pseudo_sum(frame, &is, transport_length) : 0;
        write16(transport + 2, (__u16)~sum16(transport, transport_length, seed));
        return;
    } else {
        return;
    }
    __u32 pseudo = pseudo_sum(frame, &is, transport_length);
    write16(transport + offset, 0);
    if (is_partial) {
        write16(transport + offset, pseudo);
        *partial = (struct partial){is.transport, offset, 1};
        return;
    }
    __u16 check = ~sum16(transport, transport_length, pseudo);
    write16(transport + offset, check ? check : 0xffff);
}

void fill_checksum(__u8 *frame, __u32 length, const struct partial *partial) {
    if (!partial->is || partial->start + partial->offset + 2 > length)
        return;
    /* To the end of the packet, not of what Ethernet padded: there the padding is zero. */
    __u16 check = ~sum16(frame + partial->start, length - partial->start, 0);
    write16(frame + partial->start + partial->offset, check ? check : 0xffff);
}

static __u32 address_octets(const struct session *session) {
    return session->flags & PW_FLAG_IPV6 ? 16 : 4;
}

static int is_udp(const struct session *session) {
    return !!(session->flags & PW_FLAG_UDP);
}

/* IP to sublayer, with the lengths, sums and what else varies zero. */
static __u32 header(const struct session *session, int is_ours, const __u8 *cookie, __u32 cookie_length,
                    __u32 option_octets, __u8 *at) {
    __u32 size = address_octets(session), length;
    const __u8 *source = is_ours ? session->local : session->peer;
    const __u8 *destination = is_ours ? session->peer : session->local;
    memset(at, 0, 128);
    if (session->flags & PW_FLAG_IPV6) {
        at[0] = 0x60;
        at[6] = is_udp(session) ? UDP : L2TP;
        at[7] = 64;
        memcpy(at + 8, source, size);
        memcpy(at + 24, destination, size);
        length = 40;
    } else {
        at[0] = (__u8)(0x45 + option_octets / 4);
        if (!(session->flags & (PW_FLAG_MAY_FRAGMENT | PW_FLAG_FRAGMENT_OUTER)))
            at[6] = 0x40;
        at[8] = 64;
        at[9] = is_udp(session) ? UDP : L2TP;
        memcpy(at + 12, source, size);
        memcpy(at + 16, destination, size);
        memset(at + 20, 1, option_octets);
        length = 20 + option_octets;
    }
    if (is_udp(session)) {
        write16(at + length, is_ours ? session->local_port : session->peer_port);
        write16(at + length + 2, is_ours ? session->peer_port : session->local_port);
        write16(at + length + 8, 3);
        length += 12;
    }
    write32(at + length, is_ours ? session->peer_id : session->local_id);
    memcpy(at + length + 4, cookie, cookie_length);
    length += 4 + cookie_length;
    return session->flags & PW_FLAG_SUBLAYER ? length + 4 : length;
}

/* Sums as the datapath wants them: over words as they lie in memory. */
static __u32 swapped(__u16 sum) {
    return __builtin_bswap16(sum);
}

__u32 template_of(const struct session *session, __u8 *at, __u32 *ip_sum, __u32 *udp_sum) {
    __u32 length = header(session, 1, session->send_cookie, session->send_length, 0, at);
    __u32 network = session->flags & PW_FLAG_IPV6 ? 40 : 20, size = address_octets(session);
    if (is_udp(session) && session->flags & PW_FLAG_ENTROPY_SEND)
        write16(at + network, 0);
    *ip_sum = network == 20 ? swapped(sum16(at, 20, 0)) : 0;
    *udp_sum = 0;
    if (is_udp(session)) {
        __u32 addresses = sum16(session->local, size, sum16(session->peer, size, UDP));
        *udp_sum = swapped(sum16(at + network, length - network, addresses));
    }
    return length;
}

static void link_header(struct octets *packet, __u32 link, int is_v6) {
    static const __u8 addresses[12] = {2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x22};
    packet->length = link;
    if (!link)
        return;
    memcpy(packet->at, addresses, 12);
    write16(packet->at + 12, is_v6 ? IPV6 : IPV4);
}

static void append(struct octets *packet, const void *octets, __u32 length) {
    memcpy(packet->at + packet->length, octets, length);
    packet->length += length;
}

void wrap(const struct session *session, const struct wrapping *how, const struct octets *frame,
          struct octets *packet) {
    __u8 outer[128];
    int is_v6 = !!(session->flags & PW_FLAG_IPV6);
    __u32 options = is_v6 ? 0 : how->option_octets;
    __u32 length = header(session, 0, session->expect_cookie[how->cookie], session->expect_length, options, outer);
    __u32 network = is_v6 ? 40 : 20 + options, total = length + frame->length;
    if (session->flags & PW_FLAG_SUBLAYER)
        write32(outer + length - 4, how->sublayer);
    if (is_v6) {
        write32(outer, 6u << 28 | (__u32)how->traffic_class << 20);
        write16(outer + 4, total - 40);
    } else {
        outer[1] = how->traffic_class;
        write16(outer + 2, total);
        write16(outer + 10, (__u16)~sum16(outer, network, 0));
    }
    if (is_udp(session)) {
        write16(outer + network, how->source_port);
        write16(outer + network + 4, total - network);
    }
    link_header(packet, how->link, is_v6);
    append(packet, outer, length);
    append(packet, frame->at, frame->length);
    if (is_udp(session) && (how->is_summed || how->is_partial)) {
        __u32 size = address_octets(session);
        __u32 pseudo = sum16(session->local, size, sum16(session->peer, size, UDP + total - network));
        __u8 *udp = packet->at + how->link + network;
        __u16 check = ~sum16(udp, total - network, pseudo);
        write16(udp + 6, how->is_partial ? pseudo : check ? check : 0xffff);
    }
    memset(packet->at + packet->length, 0, how->padding);
    packet->length += how->padding;
}

void quote(const struct session *session, const struct quoting *how, const struct octets *rest, struct octets *packet) {
    static const __u8 router4[4] = {192, 0, 2, 1}, router6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    int is_v6 = !!(session->flags & PW_FLAG_IPV6);
    __u8 outer[128], ours[128] = {}, message[8] = {};
    __u32 unused, length = template_of(session, ours, &unused, &unused), network = is_v6 ? 40 : 20;
    if (is_udp(session) && session->flags & PW_FLAG_ENTROPY_SEND)
        write16(ours + network, 0xc123);
    memset(outer, 0, sizeof(outer));
    __u32 fragment = is_v6 && how->is_piece ? 8 : 0;
    if (fragment) {
        memmove(ours + network + fragment, ours + network, length - network);
        memset(ours + network, 0, fragment);
        ours[network] = ours[6];
        ours[6] = FRAGMENT;
        write16(ours + network + 2, (how->is_later ? 8 : 0) | 1);
        length += fragment;
    } else if (how->is_piece) {
        write16(ours + 6, 0x2000 | how->is_later);
    }
    __u32 total = network + 8 + length + rest->length;
    if (is_v6) {
        outer[0] = 0x60;
        write16(outer + 4, total - 40);
        outer[6] = ICMP6;
        outer[7] = 64;
        memcpy(outer + 8, router6, 16);
        memcpy(outer + 24, session->local, 16);
        message[0] = 2;
        write16(ours + 4, 1400);
    } else {
        outer[0] = 0x45;
        write16(outer + 2, total);
        outer[8] = 64;
        outer[9] = ICMP;
        memcpy(outer + 12, router4, 4);
        memcpy(outer + 16, session->local, 4);
        write16(outer + 10, (__u16)~sum16(outer, 20, 0));
        message[0] = 3;
        message[1] = 4;
        write16(ours + 2, 1400);
    }
    write32(message + 4, how->mtu);
    link_header(packet, how->link, is_v6);
    append(packet, outer, network);
    append(packet, message, 8);
    append(packet, ours, length);
    append(packet, rest->at, rest->length);
    length += rest->length;
    packet->length -= how->missing < length ? how->missing : length;
}

__u32 told_mtu(const struct session *session, const struct octets *packet, __u32 link) {
    int is_v6 = !!(session->flags & PW_FLAG_IPV6);
    const __u8 *ip = packet->at + link, *end = packet->at + packet->length;
    __u32 network = is_v6 ? 40 : 20, size = address_octets(session), sources = is_v6 ? 8 : 12;
    if (packet->length < link + network || ip[0] >> 4 != (is_v6 ? 6 : 4) || (!is_v6 && (ip[0] & 15) < 5))
        return 0;
    if (is_v6 ? ip[6] != ICMP6 : ip[9] != ICMP || read16(ip + 6) & 0x3fff)
        return 0;
    const __u8 *message = ip + (is_v6 ? network : (ip[0] & 15) * 4u);
    const __u8 *ours = message + 8, *at = ours + network;
    if (at > end || message[0] != (is_v6 ? 2 : 3) || (!is_v6 && message[1] != 4))
        return 0;
    __u32 mtu = is_v6 ? read32(message + 4) : read16(message + 6);
    if (is_v6 && (mtu < 1280 || mtu > 0xffff))
        return 0;
    if (!is_v6 && mtu < 552)
        mtu = 552;

    __u8 protocol = ours[is_v6 ? 6 : 9];
    if (memcmp(ours + sources, session->local, size) || memcmp(ours + sources + size, session->peer, size))
        return 0;
    if (!is_v6 && ((ours[0] & 15) != 5 || read16(ours + 6) & 0x1fff))
        return 0;
    if (is_v6 && protocol == FRAGMENT) {
        if (at + 8 > end || read16(at + 2) & 0xfff8)
            return 0;
        protocol = at[0];
        at += 8;
    }
    if (protocol != (is_udp(session) ? UDP : L2TP))
        return 0;
    if (is_udp(session)) {
        if (at + 4 > end || read16(at + 2) != session->peer_port)
            return 0;
        if (!(session->flags & PW_FLAG_ENTROPY_SEND) && read16(at) != session->local_port)
            return 0;
        at += 12;
    }
    if (at + 4 > end || read32(at) != session->peer_id)
        return 0;
    at += 4;
    __u32 quoted = at < end ? (__u32)(end - at) : 0;
    if (quoted > session->send_length)
        quoted = session->send_length;
    if (session->send_length && (quoted < 4 || memcmp(at, session->send_cookie, quoted)))
        return 0;
    return mtu;
}
