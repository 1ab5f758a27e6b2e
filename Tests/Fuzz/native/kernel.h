/* SPDX-License-Identifier: MIT */
/* The kernel, as far as a tc program can tell: packets, maps, helpers. Knows nothing of pseudowires. */
#ifndef NATIVE_KERNEL_H
#define NATIVE_KERNEL_H

#include <bpf/bpf_helpers.h>

/* Longest packet that the kernel lets helpers make, unless it is a segmentation-offload frame: SKB_MAX_ALLOC. */
#define LONGEST_PACKET 16064

enum gso_kind { GSO_NONE, GSO_TCP, GSO_UDP, GSO_OTHER };

/*
 * An sk_buff. Its linear part lies below 4 GiB, since a context has room for no more, with poison all around it. Each
 * helper that may move a packet does: what was a pointer into it points at poison afterwards.
 */
struct packet {
    struct __sk_buff view; /* first: a program's context leads back to its packet */
    __u8 *octets;          /* all; while a program runs, the linear part's are those at view.data */
    __u32 capacity;
    __u32 linear;  /* octets that are directly readable */
    __s32 network; /* the network header's distance from the data */
    __s32 transport;
    __s32 checksum_start; /* where the sum begins that is still to be filled in, if is_partial */
    __u32 checksum_offset;
    __u8 is_partial;
    __u8 is_encapsulated;
    __u8 is_private; /* no clone shares its octets */
    __u8 gso_kind;
    __u8 is_misaligned; /* as with NET_IP_ALIGN: two octets after a multiple of eight */
};

struct packet *packet_new(const __u8 *octets, __u32 length);
struct packet *packet_copy(const struct packet *packet);
void packet_free(struct packet *packet);
/* What eth_type_trans() makes of the frame: protocol, network header. With an outermost tag moved to the metadata. */
void packet_receive(struct packet *packet, int untag);
/* Between these two a program may touch it. */
void packet_expose(struct packet *packet);
void packet_hide(struct packet *packet);

/* Longest frame that is one piece for an XDP program: a page, without room in front and for skb_shared_info behind. */
#define XDP_PAGE 4096
#define XDP_HEADROOM 256
#define LONGEST_FRAME (XDP_PAGE - XDP_HEADROOM - 320)

/* An xdp_buff: as on the wire, all of it readable, and nothing around it. It moves as packets do. */
struct frame {
    struct xdp_md view; /* first: a program's context leads back to its frame */
    __u32 headroom;     /* octets in front of it, of which the kernel keeps the first for itself */
    __u32 length;
    __u8 is_misaligned;
    __u8 page[XDP_PAGE];
};

/* `missing` octets of headroom are not there, since some driver has less of it. */
void frame_fill(struct frame *frame, const __u8 *octets, __u32 length, __u32 missing);
const __u8 *frame_octets_of(const struct frame *frame);
void frame_expose(struct frame *frame);
void frame_hide(struct frame *frame);

/* All maps as they were; the caller's to free. */
#define MAPS 64
struct snapshot {
    struct entry *entries[MAPS];
};
void maps_save(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);
/* Both but for maps whose names, with & in front, `excepted` has: a list that ends with NULL. */
void maps_restore(const struct snapshot *snapshot, const char *const *excepted);
const char *maps_differ(const struct snapshot *left, const struct snapshot *right, const char *const *excepted);

/* What the world is like, and what programs did to it. Reset before each input. */
struct kernel {
    __u8 has_decap_l3; /* Linux 6.3 */
    __u8 is_recent; /* Linux 6.13: bpf_csum_diff() of more than 512 octets; signed offsets in bpf_skb_change_tail() */
    __u8 has_refused_tail; /* out: bpf_skb_change_tail() thought that there were headers that far behind */
    __u8 are_maps_full;    /* hash maps take no new key */
    __u8 is_ring_full;
    __u8 is_clone_lost;   /* bpf_clone_redirect() says that the clone was not sent */
    __u8 fail_at;         /* the how many-th helper that may fail for want of memory does; 0: none */
    __u32 fallible_calls; /* how many there were */
    int fib_result;       /* of a packet that fits */
    __u32 fib_octets;     /* of the only destination that it is said of; 0: of any */
    __u8 fib_destination[16];
    __u32 fib_ifindex;
    __u16 fib_mtu;
    __u8 fib_addresses[12]; /* of the next hop and our own, where it is known */
    __u32 known_ifindex;    /* the one that bpf_check_mtu() knows */
    __u16 device_mtu;
    __u64 now;
    __u32 random;
    __u32 hash; /* what bpf_get_hash_recalc() finds */

    enum { TO_NOBODY, TO_DEVICE, TO_PEER, TO_NEIGHBOUR } redirect;
    __u32 redirect_ifindex;
    struct packet *clones[256]; /* view.ifindex is where each was sent */
    __u32 clone_count;
    __u32 ring_records;
    __u8 record[128]; /* the last one */
    __u32 record_size;

    __u8 is_xdp;         /* the program that runs is one of XDP, which the same helpers answer otherwise */
    __u8 has_socket;     /* one of UDP, for what has these addresses and ports: */
    __u32 socket_octets; /* of the tuple */
    __u8 socket[36];     /* a struct bpf_sock_tuple */
    __u32 sockets_held;
};
extern struct kernel kernel;

void kernel_reset(void);
/* A map's value, not made by asking; NULL if there is none. */
void *map_peek(struct map *map, const void *key);

/*
 * A log of what happened, shown when something is wrong. It is kept only with is_tracing, which is too slow to be on
 * always; so what failed is done once more with it, by replay().
 */
extern int is_tracing;
extern void (*replay)(void);
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void trace_octets(const char *label, const __u8 *octets, __u32 length);

#endif
