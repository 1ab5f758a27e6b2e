/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The journal: what a command is about to do, written down before it does the first thing. Only the control plane
 * reads and writes it; the datapath knows nothing of it. The same rules hold as for pseudowire_abi.h, whose version it
 * names, since it holds records.
 */
#ifndef PSEUDOWIRE_JOURNAL_H
#define PSEUDOWIRE_JOURNAL_H

#include "pseudowire_abi.h"

enum {
    PW_JOURNAL_MAGIC = 0x4c32544a, /* "L2TJ" */
    PW_JOURNAL_VERSION = 2,
};

/* Where the command is going; in the header's direction. */
enum {
    PW_JOURNAL_FORWARD = 1, /* to what is to be */
    PW_JOURNAL_BACK = 2,    /* something failed: to what was */
};

/* What an entry has, and whether an interface was to be made or removed; in pw_intent.flags. */
enum {
    PW_INTENT_HEADER = 1 << 0,  /* the first entry, and no other */
    PW_INTENT_OLD = 1 << 1,     /* what the pseudowire was; without such an entry it was not there */
    PW_INTENT_NEW = 1 << 2,     /* what it is to be; without such an entry it is to go */
    PW_INTENT_MAKES = 1 << 3,   /* its interface is made */
    PW_INTENT_REMOVES = 1 << 4, /* its interface is removed */
    PW_INTENT_DORMANT = 1 << 5, /* the interface is, or is to be, dormant */
};

/*
 * journal[0 to count]: the header, then what each pseudowire was and is to be. An array, which the kernel fills in a
 * sixth of the time that a hash takes.
 */
struct pw_intent {
    __u32 flags;
    __u32 magic; /* the header's alone, like all down to count */
    __u32 version;
    __u32 abi_version; /* of the records */
    __u32 direction;
    __u32 count;    /* how many entries there are behind it */
    __u32 mtu;      /* of the interface that is made, or removed */
    __u32 underlay; /* pw_encap.underlay */
    struct pw_name name;
    struct pw_record record;
};
_Static_assert(sizeof(struct pw_intent) == 64 + sizeof(struct pw_record), "abi");

#endif
