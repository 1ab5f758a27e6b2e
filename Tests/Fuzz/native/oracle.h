/* SPDX-License-Identifier: MIT */
/* What must be true of packets that the datapath sent. Whatever is not ends the process. */
#ifndef NATIVE_ORACLE_H
#define NATIVE_ORACLE_H

#include "kernel.h"
#include "session.h"

/* Octets of a frame as they would be on a wire: the tag in the metadata put where it belongs. */
void on_wire(const struct packet *packet, struct octets *frame);
/* And with the checksum that the card would fill in. */
void finish_checksum(const struct packet *packet, struct octets *frame);

/* A frame on its way from the access interface, and all that was sent because of it. */
struct journey {
    struct octets *origin;
    int is_whole; /* what comes out must be what went in: nothing was dropped, nothing is being played */
    __u32 count;
    struct octets *sent[64]; /* from the outer IP header */
};
void journey_begin(struct journey *journey, const struct packet *packet, int is_whole);
void journey_end(struct journey *journey, const struct session *session);

/* What bpf_redirect_neigh() was given. */
void check_sent(struct journey *journey, const struct session *session, const struct packet *packet, __u32 mtu,
                int sequence);
/* What goes into the splitter. `before` is changed as the datapath may have. */
void check_same(const struct session *session, struct octets *before, const struct octets *after);
/* What goes back to the sender of a frame that did not fit. */
void check_reply(const struct octets *origin, const struct packet *packet, __u32 least, __u32 most);

/* What the packet from the peer carries: its frame's place, or why it must not be delivered. */
struct delivery {
    const char *refusal;
    __u32 front, length;
    __u32 sublayer;
    __u8 traffic_class;
};
void inspect_received(const struct session *session, const struct octets *packet, __u32 link,
                      struct delivery *delivery);
void check_delivered(const struct session *session, const struct octets *received, const struct delivery *delivery,
                     const struct packet *packet, int may_be_padded);

#endif
