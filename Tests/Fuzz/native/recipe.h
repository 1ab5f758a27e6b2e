/* SPDX-License-Identifier: MIT */
/* An input: first this, then octets. Any octets are a recipe; a short input is as if zeros followed. */
#ifndef NATIVE_RECIPE_H
#define NATIVE_RECIPE_H

#include <linux/types.h>

/* recipe.shape: what is made of the octets */
enum {
    SHAPE_REPAIR = 1 << 0,  /* they become the customer's frame with right lengths and checksums */
    SHAPE_PARTIAL = 1 << 1, /* and with a TCP or UDP checksum that is still to be filled in */
    SHAPE_WRAP = 1 << 2,    /* decapsulation: a packet from the peer with that frame in it */
    SHAPE_QUOTE = 1 << 3,   /* or an ICMP message about a packet of ours */
    SHAPE_SUMMED = 1 << 4,  /* the outer UDP checksum is there */
    SHAPE_LONG = 1 << 5,    /* stretch counts in full, and not only to 2,047 */
    SHAPE_UNTAG = 1 << 6,   /* the outermost tag has moved to the metadata, as it has in whatever was received */
    SHAPE_REST = 1 << 7,    /* splitter: what is left of a frame that was cut */
};

/* recipe.kernel */
enum {
    KERNEL_DECAP_L3 = 1 << 0,
    KERNEL_RECENT = 1 << 1,
    KERNEL_MAPS_FULL = 1 << 2,
    KERNEL_RING_FULL = 1 << 3,
    KERNEL_CLONE_LOST = 1 << 4,
    KERNEL_ENCAPSULATED = 1 << 5, /* the packet is, by the kernel's reckoning, as one from a veth may be */
    KERNEL_MISALIGNED = 1 << 6,
    KERNEL_PARTIAL_OUTER = 1 << 7, /* decapsulation: the checksum to be filled in is the outer UDP one */
};

/* recipe.setup */
enum {
    SETUP_NO_SPLITTER = 1 << 0,
    SETUP_NO_FIB = 1 << 1,
    SETUP_NO_UNDERLAY = 1 << 2,
    SETUP_PATH_MTU = 1 << 3,
    SETUP_PATH_EXPIRED = 1 << 4,
    SETUP_NOBODY = 1 << 5,   /* no pseudowire at all */
    SETUP_ETHERNET = 1 << 6, /* it is known that packets on the way to the peer begin with an Ethernet header */
    SETUP_JOINER = 1 << 7,   /* TCP segments are joined */
};

/* recipe.cookies */
enum {
    COOKIES_EXPECT = 3, /* none, 4, 8 octets */
    COOKIES_TWO = 1 << 2,
    COOKIES_SEND = 3 << 3, /* none, 4, 8 octets */
    COOKIES_SECOND = 1 << 5,
};

/* recipe.options of an ICMP message */
enum {
    QUOTE_PIECE = 1 << 5, /* the packet that it quotes has been cut */
    QUOTE_LATER = 1 << 6, /* and this is not the first piece */
    QUOTE_CUT = 1 << 7,   /* of its headers so many octets are missing as padding says */
};

/* recipe.overwrite[0].xdp: what the XDP program finds that stands before the filter. Nothing: all that it needs. */
enum {
    XDP_WARM = 1 << 0,        /* a frame just like this one came before it */
    XDP_LATER = 1 << 1,       /* but in an earlier tick, and the way has changed since */
    XDP_LOSES = 1 << 2,       /* the drivers do not send what it redirects */
    XDP_STRANGE = 1 << 3,     /* access interface and underlay are not known */
    XDP_SHEDS = 1 << 4,       /* what comes for sessions that nobody has is dropped */
    XDP_FLOOD = 1 << 5,       /* about as many events were reported as may be in a second */
    XDP_SOCKET = 1 << 6,      /* a socket waits for just this packet */
    XDP_CACHES_STAY = 1 << 7, /* the filter finds what the XDP program has kept of ways and ports */
};

/* recipe.overwrite[2].xdp */
enum {
    XDP_UNHEARD = 1 << 0,     /* ICMP has said that packets do not reach the peer */
    XDP_NEIGHBOURED = 1 << 1, /* of the interfaces that share places with ours in the cache all is known */
};

struct recipe {
    __u8 program; /* pw_encap, pw_encap_split, pw_decap, pw_decap_l3 */
    __u8 shape;
    __u16 stretch; /* octets that are added to those of the input */
    __u32 flags;   /* PW_FLAG_*, those that go together */
    __u8 cookies;
    __u8 kernel;
    __u8 setup;
    __s8 fib;
    __u16 fib_mtu;
    __u16 device_mtu;
    __u16 mtu; /* 0: none */
    __u16 path_mtu;
    __u8 vlan; /* any, none, 42, 42 of 802.1ad */
    __u8 tag;  /* keep, strip, 99 */
    __u16 tci;
    __u8 tagged; /* 1: there is a tag in the metadata; 2: it is 802.1ad's; 4: GRO has found the transport header */
    __u8 pkt_type;
    __u8 linear; /* 0: all; else how many pairs of octets behind the link-layer header, and one */
    __u8 fail_at;
    __u16 gso_size;
    __u8 gso_kind;
    __u8 padding;
    __u32 sequence;
    __u32 step;
    __u8 sublayer; /* changes to the upper octet of the word */
    __u8 options;  /* words of IPv4 options outside; of an ICMP message, QUOTE_* */
    __u8 outer_class;
    __u8 traffic_class;
    __u32 hash;
    __u16 source_port; /* changes to it */
    __u8 overwrites;
    __u8 refused; /* so many numbers before the packet's were refused in a row */
    struct {
        __u16 offset;
        __u8 value;
        __u8 xdp; /* [0] and [2]: above; [1]: how many events beyond six there were in a flood (lower two bits),
                     whether in another second (4), octets of headroom that are missing (the other bits) */
    } overwrite[4];
};
_Static_assert(sizeof(struct recipe) == 68, "inputs that were kept would mean something else");

#endif
