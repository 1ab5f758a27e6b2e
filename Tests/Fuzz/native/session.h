/* SPDX-License-Identifier: MIT */
/*
 * A pseudowire as its operator knows it, packets made for it, and what RFCs say of packets. Shares nothing with the
 * datapath but the flags' names: what is checked against this has not been checked against itself.
 */
#ifndef NATIVE_SESSION_H
#define NATIVE_SESSION_H

#include <abi/pseudowire_abi.h>
#include <linux/types.h>

struct session {
    __u32 flags; /* PW_FLAG_* */
    __u32 local_id, peer_id;
    __u8 local[16], peer[16];
    __u16 local_port, peer_port;
    __u8 send_cookie[8], send_length;
    __u8 expect_cookie[2][8], expect_length, expect_count;
    __u8 traffic_class;
    __u16 vlan, tag;
    __u16 mtu, path_mtu;
};

/* What is to be different about a packet from the peer. */
struct wrapping {
    __u32 link;          /* octets of Ethernet header: 14 or 0 */
    __u32 option_octets; /* of IPv4 */
    __u32 sublayer;
    __u32 padding;
    __u16 source_port;
    __u8 cookie; /* which one of those expected */
    __u8 traffic_class;
    __u8 is_summed;
    __u8 is_partial; /* the outer checksum is still to be filled in */
};

/* A frame or a packet under construction. */
struct octets {
    __u32 length;
    __u8 at[0x20000];
};

__u16 read16(const __u8 *at);
__u32 read32(const __u8 *at);
void write16(__u8 *at, __u32 value);
void write32(__u8 *at, __u32 value);
/* Ones' complement sum over big-endian words. */
__u16 sum16(const __u8 *at, __u32 length, __u32 sum);

/* What a frame is. Offsets are from its beginning; 0 where there is no such header, or not all of it. */
struct sketch {
    __u32 tags;
    __u16 ethertype; /* behind the tags */
    __u32 network;   /* of IPv4 or IPv6 whose header is there and has the right version */
    __u32 after;     /* where its header ends, if it is no fragment */
    __u32 transport; /* the same if by the IP header's length there is something */
    __u32 total;     /* octets that the IP header says there are */
    __u8 is_v6, protocol, is_fragment, traffic_class;
};
void sketch(const __u8 *frame, __u32 length, __u32 link, struct sketch *is);
/* Whether the checksums of a frame that is exactly a TCP or UDP packet are right; of others nothing is asked. */
int is_summed_right(const __u8 *frame, __u32 length, const struct sketch *is);
/* Makes lengths and checksums of a frame right. Only the pseudo header's sum with `is_partial`, which it tells. */
struct partial {
    __u32 start, offset;
    __u8 is;
};
#define PADDED_WITHIN 64 /* in padding: a UDP datagram is shorter than its packet */
void repair(__u8 *frame, __u32 length, __u32 padding, int is_partial, struct partial *partial);
/* As the card does last. */
void fill_checksum(__u8 *frame, __u32 length, const struct partial *partial);

/* The outer header of what is sent, from the IP header to the sublayer, as the control plane writes it down. */
__u32 template_of(const struct session *session, __u8 *header, __u32 *ip_sum, __u32 *udp_sum);
/* Makes of a frame the packet that carries it from the peer to us. */
void wrap(const struct session *session, const struct wrapping *how, const struct octets *frame, struct octets *packet);
/* What is to be different about an ICMP message that says of a packet that we sent that it is too big. */
struct quoting {
    __u32 link;
    __u32 mtu;
    __u32 missing; /* octets at the end that are not quoted */
    __u8 is_piece; /* the packet has been cut, and this is a piece of it */
    __u8 is_later; /* and not the first one */
};
void quote(const struct session *session, const struct quoting *how, const struct octets *rest, struct octets *packet);
/*
 * The MTU that such a message tells of the way to the peer, 0 if it must not be believed: RFC 1191, RFC 8201, and an
 * end of a pseudowire that wants to hear only of packets that are really its own.
 */
__u32 told_mtu(const struct session *session, const struct octets *packet, __u32 link);

#endif
