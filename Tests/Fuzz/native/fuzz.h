/* SPDX-License-Identifier: MIT */
/* An input's way: what it asks for (setup.c, inputs.c), the programs that it goes through, and what is checked then.
 */
#ifndef NATIVE_FUZZ_H
#define NATIVE_FUZZ_H

#include "kernel.h"
#include "known.h"
#include "oracle.h"
#include "recipe.h"
#include "session.h"

enum { SLOT = 1, ACCESS = 5, UNDERLAY = 7, SPLITTER_OUTER = 8, SPLITTER_INNER = 9, ROUTED = 11, JOINER = 12 };
enum { RUN_ENCAP, RUN_ENCAP_SPLIT, RUN_DECAP, RUN_DECAP_L3 };
/* The marks of fragment.h. */
#define PIECE 0x80000000
#define OUTER 0x40000000
#define PORT 0x3fffffff

/* So many runs of programs an input is worth. */
#define RUNS 60

/* So many events of one reason are reported in a second. */
#define REPORTED 8

extern struct recipe recipe;
extern struct session session;
extern __u32 runs;

void set_up_session(void);
void set_up_kernel(void);
void set_up_maps(void);
int is_path_mtu_valid(void);
struct pw_access_key access_key(void);

struct counted {
    __u64 drops[PW_DROP_REASON_COUNT];
    struct pw_counters slot;
};

/* How a run ended. */
struct outcome {
    int verdict;
    __u32 reason; /* of a drop; or PW_DROP_REASON_COUNT */
    struct counted before, after;
};

extern const char *const reason_names[];
int memory_was_short(void);
void run(int program, struct packet *packet, struct outcome *outcome);
const struct pw_sequence *sequence_state(void);
const struct pw_encap *encap_entry(void);

__u32 link_octets(void);
void choose_linear(struct packet *packet);
struct packet *from_customer(const struct octets *input, int is_split);
struct packet *from_peer(const struct octets *input, __u32 link);

int belongs(const struct packet *packet);
int is_piece_of_outer(const struct packet *packet);
void check_excuse(const struct packet *packet, const struct outcome *outcome);

/* The XDP program that stands before the filter: before that has run, and after. */
void early_run(int program, const struct packet *packet);
void early_check(const struct packet *packet, const struct outcome *outcome);
/* Whether it finds any of these: XDP_*. */
int xdp_finds(__u8 what);
int run_xdp(int is_encap, struct xdp_md *context);
void set_up_ports(const struct frame *frame, int is_for_us);

void travel(int program, struct packet *packet, int is_whole);
void travel_forget(void);
void receive(int program, struct packet *packet);

#endif
