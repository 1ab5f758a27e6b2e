/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the datapath and the control plane say to each other: map keys, map values, flags, drop reasons.
 *
 * Read by clang for the BPF target and by Swift's C importer, so: no unions, no bit-fields, no implicit padding
 * (Swift cannot treat such structs as plain bytes, and map values with holes leak kernel stack). Fields whose names
 * end in _be are in network byte order, all others in the host's. Every struct's size is asserted; a change of any
 * of them is a change of PW_ABI_VERSION.
 */
#ifndef PSEUDOWIRE_ABI_H
#define PSEUDOWIRE_ABI_H

#include <linux/types.h>

enum {
    PW_MAGIC = 0x4c325450, /* "L2TP": the first word of the meta map */
    PW_ABI_VERSION = 5,
    PW_NAME_SIZE = 32,   /* a pseudowire's name, NUL included */
    PW_IFNAME_SIZE = 16, /* IFNAMSIZ */
    PW_HEADER_SIZE = 72, /* IPv6 40 + UDP 8 + flags 4 + session 4 + cookie 8 + sublayer 4 = 68, rounded to 8 */
    PW_MAX_COOKIES = 2,  /* two accepted at once let a cookie change without loss */
    PW_MAX_UNDERLAYS = 8,
    PW_DEFAULT_SESSIONS = 65536,
    PW_EVENT_OCTETS = 64, /* how much of a packet an event shows */
    PW_BUILD_SIZE = 16,   /* octets of a build's name: FNV-1a, 128 bits, of the object file */
};

/* How a pseudowire is carried; in pw_encap.flags, pw_decap.flags and pw_record.flags. */
enum {
    PW_FLAG_IPV6 = 1 << 0,         /* outer family; absent: IPv4 */
    PW_FLAG_UDP = 1 << 1,          /* UDP; absent: IP protocol 115 */
    PW_FLAG_UDP_CHECKSUM = 1 << 2, /* fill in the outer UDP checksum; absent: send zero */
    PW_FLAG_SUBLAYER = 1 << 3,     /* default L2-specific sublayer; absent: none */
    PW_FLAG_FINISH = 1 << 4, /* cut segments and fill in checksums before encapsulating; absent: leave it to the card */
    PW_FLAG_SEQUENCE_SEND = 1 << 5,    /* number what is sent */
    PW_FLAG_SEQUENCE_RECEIVE = 1 << 6, /* take only what is numbered and in the window */
    PW_FLAG_ENTROPY_SEND = 1 << 7,     /* UDP source port from the inner flow */
    PW_FLAG_ENTROPY_RECEIVE = 1 << 8,  /* take any UDP source port */
    PW_FLAG_FLOW_LABEL = 1 << 9,       /* IPv6 flow label from the inner flow; absent: zero */
    PW_FLAG_DSCP_INHERIT = 1 << 10,    /* the inner packet's DSCP; absent, and for what is not IP: the configured one */
    PW_FLAG_ECN = 1 << 11,             /* copy ECN outwards (RFC 6040 normal mode); absent: zero (compatibility mode) */
    PW_FLAG_MSS_CLAMP = 1 << 12,       /* lower TCP's MSS option, both ways, to what the path takes */
    PW_FLAG_TOO_BIG_REPLY = 1 << 13,   /* tell the sender by ICMP that its packet does not fit */
    PW_FLAG_FRAGMENT_INNER = 1 << 14,  /* cut IPv4 packets that admit it before encapsulating */
    PW_FLAG_FRAGMENT_OUTER = 1 << 15,  /* cut outer packets */
    PW_FLAG_MAY_FRAGMENT = 1 << 16,    /* outer DF clear: routers may fragment; IPv4 only */
    PW_FLAG_OWNS_ACCESS = 1 << 17,     /* pw_record only: the access interface was made with the pseudowire */
    PW_FLAG_COALESCE = 1 << 18,        /* join TCP segments after decapsulation. Since ABI 4 */
};

/* Which frames of an access interface are a pseudowire's: in pw_access_key.vlan and pw_decap.vlan. */
enum {
    PW_VLAN_ID = 0x0fff,      /* a VLAN id, 1 to 4094: frames whose outermost tag has it */
    PW_VLAN_SERVICE = 0x1000, /* set beside an id: the tag is 802.1ad's (0x88a8); absent: 802.1Q's (0x8100) */
    PW_VLAN_NONE = 0xfffe,    /* frames without a tag or with a priority tag */
    PW_VLAN_ANY = 0xffff,     /* all */
};

/* What becomes of the tag by which frames were matched: in pw_encap.tag and pw_decap.tag. Else the id that the peer
 * has. */
enum {
    PW_TAG_STRIP = 0xfffe, /* taken off before encapsulation, put on again after decapsulation */
    PW_TAG_KEEP = 0xffff,  /* carried as it is */
};

/* Network interfaces that carry our filters; in pw_port.flags. */
enum {
    PW_PORT_ACCESS = 1 << 0,       /* encap filter on ingress */
    PW_PORT_UNDERLAY = 1 << 1,     /* decap filter on ingress */
    PW_PORT_OWNS_CLSACT = 1 << 2,  /* the qdisc was not there before us */
    PW_PORT_OWNS_PROMISC = 1 << 3, /* promiscuity was off before us */
    PW_PORT_ETHERNET = 1 << 4,     /* its packets begin with an Ethernet header. Since ABI 4. */
    PW_PORT_ACCESS_XDP = 1 << 5,   /* an XDP program before the encap filter. Since ABI 5, like the next two. */
    PW_PORT_UNDERLAY_XDP = 1 << 6, /* an XDP program before the decap filter */
    PW_PORT_TRANSMITS = 1 << 7,    /* its driver sends what an XDP program redirects to it; else that is lost */
    PW_PORT_SHEDS = 1 << 8, /* its XDP program drops what comes over UDP for sessions that nobody has, if no socket
                               wants it. Since ABI 5 */
};

/* Where a filter of ours is attached; in pw_port.access_hook and pw_port.underlay_hook. Since ABI 4. */
enum {
    PW_HOOK_NONE = 0,
    PW_HOOK_CLSACT = 1, /* a filter on the clsact qdisc */
    PW_HOOK_TCX = 2,    /* a link, pinned in the state directory (Linux 6.6) */
};

/* What was asked for; in pw_record.attach. Since ABI 4, zero before. */
enum {
    PW_ATTACH_AUTO = 0,
    PW_ATTACH_CLSACT = PW_HOOK_CLSACT,
    PW_ATTACH_TCX = PW_HOOK_TCX,
    PW_ATTACH_XDP = 3, /* XDP programs, before filters wherever the kernel would put them. Since ABI 5 */
};

/* How far an upgrade has come; in pw_meta.upgrade of the datapath that is to be replaced. Since ABI 4, zero before. */
enum {
    PW_UPGRADE_NONE = 0,
    PW_UPGRADE_BEGUN = 1, /* filters may run either datapath's programs: whoever comes next finishes it */
};

/* A record's life; anything but READY was left by a command that died. */
enum {
    PW_STATE_BEGUN = 1,
    PW_STATE_READY = 2,
};

/*
 * Why a frame did not cross ("tx", "rx"), what was seen and left to the stack ("seen"), and what was noticed of frames
 * that were delivered ("noted"). X(IDENTIFIER, direction, sentence). Order is ABI: append only.
 */
#define PW_DROP_REASONS(X)                                                                                             \
    X(FRAME_TOO_SHORT, "tx", "frame shorter than an Ethernet header")                                                  \
    X(VLAN_DEPTH, "tx", "more than two VLAN tags")                                                                     \
    X(TOO_BIG, "tx", "frame does not fit the MTU of the path")                                                         \
    X(NO_ROUTE, "tx", "no route to the peer")                                                                          \
    X(NO_ROOM, "tx", "kernel made no room for the outer headers")                                                      \
    X(NO_SEGMENTATION, "tx", "segmentation-offload frame that nothing could segment")                                  \
    X(STRAY, "tx", "frame on an interface of ours that belongs to no pseudowire")                                      \
    X(SOURCE_ADDRESS, "rx", "source address is not the peer's")                                                        \
    X(SOURCE_PORT, "rx", "source port is not the peer's")                                                              \
    X(COOKIE, "rx", "cookie is none of those expected")                                                                \
    X(LENGTH, "rx", "lengths of the outer headers disagree with the packet")                                           \
    X(RUNT, "rx", "no whole Ethernet header inside")                                                                   \
    X(FRAGMENT, "rx", "outer packet is a fragment")                                                                    \
    X(COALESCED, "rx", "several packets glued together by receive offload")                                            \
    X(NOT_REMOVED, "rx", "kernel did not remove the outer headers")                                                    \
    X(UNKNOWN_SESSION, "seen", "session id that no pseudowire here has")                                               \
    X(CONTROL, "seen", "L2TPv3 control message")                                                                       \
    X(OTHER_VERSION, "seen", "L2TP of another version for a session id of ours")                                       \
    X(VLAN, "rx", "frame's VLAN tag is not this pseudowire's")                                                         \
    X(SEQUENCE, "rx", "sequence number outside the window")                                                            \
    X(SEQUENCE_MISSING, "rx", "peer sends no sequence numbers, but they are required")                                 \
    X(SEQUENCE_UNEXPECTED, "noted", "peer sends sequence numbers that nobody asked for")                               \
    X(SUBLAYER_MISMATCH, "rx", "peer uses the other L2-specific sublayer")                                             \
    X(COOKIE_LENGTH, "rx", "peer's cookie has another length than expected")                                           \
    X(CONTROL_CHANNEL, "rx", "packet of the VCCV control channel")                                                     \
    X(PSEUDOWIRE_FRAGMENT, "rx", "part of a frame (RFC 4623)")                                                         \
    X(CONGESTION, "rx", "congestion was met by a packet that cannot be told of it (RFC 6040)")                         \
    X(NOT_FRAGMENTED, "tx", "kernel did not cut the packet")                                                           \
    X(SEQUENCE_GAP, "noted", "sequence numbers that never came")                                                       \
    X(UNREACHABLE, "seen", "ICMP says that packets do not reach the peer")

enum pw_drop_reason {
#define PW_REASON_ENUM(identifier, direction, sentence) PW_DROP_##identifier,
    PW_DROP_REASONS(PW_REASON_ENUM)
#undef PW_REASON_ENUM
        PW_DROP_REASON_COUNT
};

/*
 * meta[0]: what this set of maps is. The first 40 octets are those of every ABI, so that any program can tell what it
 * has before it.
 */
struct pw_meta {
    __u32 magic;
    __u32 abi_version;
    __u32 max_sessions;
    __u32 splitter_outer; /* ifindex that segmentation-offload frames are redirected to */
    __u32 splitter_inner; /* ifindex where they come out segmented; also where route look-ups start from */
    __u32 upgrade;        /* PW_UPGRADE_* */
    __u64 namespace_cookie;
    __u64 namespace_inode;
    __u64 generation;          /* how many upgrades there have been */
    __u8 build[PW_BUILD_SIZE]; /* of which object the programs are */
    __u64 loaded;              /* nanoseconds since 1970: when these programs took over */
    __u32 joiner_outer;        /* ifindex that TCP segments are redirected to; 0: there is none */
    __u32 joiner_inner;        /* ifindex where they come out joined */
    __u32 reserved[12];
};
_Static_assert(sizeof(struct pw_meta) == 128, "abi");
_Static_assert(__builtin_offsetof(struct pw_meta, generation) == 40, "abi");

/* access: which pseudowire a frame belongs to. */
struct pw_access_key {
    __u32 ifindex;
    __u16 vlan; /* PW_VLAN_* */
    __u16 reserved;
};
_Static_assert(sizeof(struct pw_access_key) == 8, "abi");

/* access[key]: everything that encapsulation needs. */
struct pw_encap {
    __u32 slot;       /* index into counters and sequences */
    __u32 session_id; /* the local one, for events */
    __u32 underlay;   /* way out when the routing tables may not be asked; 0: none */
    __u32 fib_ifindex;
    __u32 split_ifindex;
    __u32 flags;
    __u8 header_length;               /* octets of header[] in use */
    __u8 traffic_class;               /* DSCP in the upper six bits */
    __u16 tag;                        /* PW_TAG_*, or the id that the peer has */
    __u16 mtu;                        /* largest IP packet inside, as configured; 0: what the path takes */
    __u16 path_mtu;                   /* learned from ICMP, outer packet; 0: none. Written by the datapath. */
    __u64 path_mtu_until;             /* CLOCK_MONOTONIC, nanoseconds: when it is forgotten. Written by the datapath. */
    __u32 ip_sum;                     /* ones' complement sum of the IPv4 header without length, TOS, id, checksum */
    __u32 udp_sum;                    /* the same of pseudo header, ports and L2TP header, without both lengths */
    __u32 header[PW_HEADER_SIZE / 4]; /* outer IP to sublayer, as sent; what changes from frame to frame is zero */
};
_Static_assert(sizeof(struct pw_encap) == 48 + PW_HEADER_SIZE, "abi");

/* sessions[local session id]: everything that decapsulation checks and needs. */
struct pw_decap {
    __u32 slot;
    __u32 access_ifindex;
    __u32 flags;
    __u8 cookie_length; /* 0, 4 or 8 */
    __u8 cookie_count;  /* 0, 1 or 2 */
    __u16 vlan;         /* PW_VLAN_* */
    __u16 tag;          /* PW_TAG_*, or the id that the peer has */
    __u16 is_unheard;   /* 1: ICMP said that packets do not reach the peer, and none of its own has come since */
    __u16 local_port_be;
    __u16 peer_port_be;
    __u32 local_be[4]; /* IPv4: the first word, the others zero */
    __u32 peer_be[4];
    __u32 cookie_be[PW_MAX_COOKIES][2]; /* four octets: the first word */
};
_Static_assert(sizeof(struct pw_decap) == 72, "abi");

/* paths: whose outer packet an ICMP message quotes. */
struct pw_path_key {
    __u32 peer_be[4];
    __u32 peer_session_be;
    __u32 protocol; /* 17 or 115 */
};
_Static_assert(sizeof(struct pw_path_key) == 24, "abi");

/* sequences[slot]. */
struct pw_sequence {
    __u64 send;    /* how many have been numbered */
    __u64 receive; /* bits 0-23: the number expected next; 24-47: the last one refused; 48-55: how many in a row; 56:
                      any came */
};
_Static_assert(sizeof(struct pw_sequence) == 16, "abi");

/*
 * counters[slot], per CPU. Of what is sent and delivered a segmentation-offload frame counts as the frames that a wire
 * would carry. Of what is dropped it counts as the one frame that it is: it may be one that cannot be cut.
 */
struct pw_counters {
    __u64 tx_frames;
    __u64 tx_octets; /* of Ethernet frames as they are carried, without FCS */
    __u64 rx_frames;
    __u64 rx_octets;
    __u64 tx_dropped;
    __u64 rx_dropped;
    __u64 replies;     /* ICMP messages sent to the customer's hosts */
    __u64 reply_limit; /* the datapath's own: the second, and how many were sent in it */
};
_Static_assert(sizeof(struct pw_counters) == 64, "abi");

/* event_limits[reason], per CPU: the second, and how many events were reported in it. */
struct pw_event_limit {
    __u64 second;
    __u64 count;
};
_Static_assert(sizeof(struct pw_event_limit) == 16, "abi");

/*
 * flows[hash of a TCP flow and its slot]: milliseconds by the coarse CLOCK_MONOTONIC, its lower 32 bits. Written by the
 * datapath alone, and lives as long as the programs. Since ABI 4.
 */
enum { PW_FLOWS = 4096 };

struct pw_flow {
    __u32 joined; /* when one of its frames last went through the joiner */
    __u32 whole;  /* when one last came in joined already */
};
_Static_assert(sizeof(struct pw_flow) == 8, "abi");

/* events, a ring buffer: packets that somebody should look into. At most PW_EVENTS_PER_SECOND a reason and CPU. */
enum { PW_EVENTS_PER_SECOND = 8 };

struct pw_event {
    __u64 time; /* CLOCK_MONOTONIC, nanoseconds */
    __u32 reason;
    __u32 session_id; /* the one in the packet */
    __u32 ifindex;
    __u32 length;                 /* of the packet from its IP header */
    __u8 octets[PW_EVENT_OCTETS]; /* its beginning, from the IP header; what is not there is zero */
};
_Static_assert(sizeof(struct pw_event) == 24 + PW_EVENT_OCTETS, "abi");

/* session_drops: why, per pseudowire; entries come into being with the first drop. */
struct pw_drop_key {
    __u32 slot;
    __u32 reason;
};
_Static_assert(sizeof(struct pw_drop_key) == 8, "abi");

struct pw_drop {
    __u64 count;
    __u64 last; /* CLOCK_MONOTONIC, nanoseconds */
};
_Static_assert(sizeof(struct pw_drop) == 16, "abi");

/* pseudowires[name]: what the operator asked for. Only the control plane reads it. */
struct pw_name {
    char text[PW_NAME_SIZE];
};
_Static_assert(sizeof(struct pw_name) == 32, "abi");

struct pw_record {
    __u32 state;
    __u32 slot;
    __u32 session_id;
    __u32 peer_session_id;
    __u32 flags;
    __u16 local_port;
    __u16 peer_port;
    __u16 vlan;   /* PW_VLAN_* */
    __u16 tag;    /* PW_TAG_*, or the id that the peer has */
    __u16 mtu;    /* as asked: 0 auto */
    __u8 offload; /* as asked: 0 auto, 1 keep, 2 finish */
    __u8 attach;  /* as asked: PW_ATTACH_* */
    __u32 access_ifindex;
    char access_name[PW_IFNAME_SIZE];
    __u32 local_be[4];
    __u32 peer_be[4];
    __u8 send_cookie[8];
    __u8 expect_cookie[PW_MAX_COOKIES][8];
    __u8 send_cookie_length;
    __u8 expect_cookie_length;
    __u8 expect_cookie_count;
    __u8 ttl;
    __u8 traffic_class;
    __u8 udp_checksum; /* as asked: 0 auto, 1 zero, 2 full */
    __u8 underlay_count;
    __u8 underlay_named; /* 1: the operator named them; 0: found by route and address */
    __u32 underlay[PW_MAX_UNDERLAYS];
    __u32 reserved_too;
    __u64 created;  /* nanoseconds since 1970 */
    __u8 coalesce;  /* as asked: 0 auto, 1 on, 2 off. Since ABI 4 */
    __u8 spared[3]; /* zero */
    /* Zero. With the name and the 56 octets of the kernel it makes 256, which is what its allocator gives. */
    __u32 room;
};
_Static_assert(sizeof(struct pw_record) == 168, "abi");

/* ports[ifindex]: the interfaces that carry filters of ours, and what to put back when they go. */
struct pw_port {
    __u32 flags;
    __u8 access_hook;   /* PW_HOOK_*: where the encap filter is */
    __u8 underlay_hook; /* PW_HOOK_*: where the decap filter is */
    __u16 reserved;
    char name[PW_IFNAME_SIZE];
    __u8 address[6]; /* of Ethernet: what is for another one is not for us. Since ABI 5 */
    __u16 reserved_too;
    __u32 room[4]; /* zero */
};
_Static_assert(sizeof(struct pw_port) == 48, "abi");

/*
 * past: what had been counted in maps that an upgrade could not keep, for their layout had changed. It is added to what
 * the present ones say. Only the control plane reads and writes it. Since ABI 4.
 */
enum {
    PW_PAST_COUNTERS = 1,      /* of a slot */
    PW_PAST_DROPS = 2,         /* of a reason, all pseudowires */
    PW_PAST_SESSION_DROPS = 3, /* of a slot and a reason */
};

struct pw_past_key {
    __u32 kind;
    __u32 slot;
    __u32 reason;
};
_Static_assert(sizeof(struct pw_past_key) == 12, "abi");

struct pw_past {
    struct pw_counters counters; /* all CPUs together */
    struct pw_drop drop;
};
_Static_assert(sizeof(struct pw_past) == 80, "abi");

#endif
