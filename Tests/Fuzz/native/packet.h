/* SPDX-License-Identifier: MIT */
/* What the parts of the model have in common: how a helper gets at a packet, and what it may do to it. */
#ifndef NATIVE_PACKET_H
#define NATIVE_PACKET_H

#include "kernel.h"

#define ENOTSUPP 524 /* the kernel's own, which user space has no name for */

/* Memory below 4 GiB, with poison around it, and poison itself again afterwards; `shift` octets after a multiple of 8.
 */
__u8 *lend(__u32 length, __u32 shift);
void take_back(__u8 *start, __u32 length, __u32 shift);

struct packet *packet_of(struct __sk_buff *skb);
/* Around whatever may move the packet. */
struct packet *begin(struct __sk_buff *skb);
long finish(struct packet *packet, const char *what, long result);
/* Takes over what the program wrote. */
void gather(const struct packet *packet);

/* Whether memory is short right now. */
int falls_short(void);
int pull(struct packet *packet, __u32 length);
/* Takes memory where something must be made linear, or where the octets may be a clone's as well. */
int make_writable(struct packet *packet, __u32 length);
/* Octets before `offset` stay in front, `length` zeros come behind them. */
void push(struct packet *packet, __u32 offset, __u32 length);
void pop(struct packet *packet, __u32 offset, __u32 length);

int is_tag(__u32 protocol);
/* Of what follows an Ethernet header or a tag whose type field is at `at`: a length field is none. */
__be16 protocol_at(const struct packet *packet, __u32 at);
void put_tag(struct packet *packet, __be16 protocol, __u16 tci);
/* __skb_vlan_pop() */
int take_tag(struct packet *packet, __u16 *tci);

void log_show(void);
void log_reset(void);
/* A record that was reserved from the ring buffer and not given back yet: whether there is one, and no longer. */
int record_is_open(void);
void record_forget(void);
void maps_reset(void);

#endif
