#ifndef CPSEUDOWIRE_BPF_H
#define CPSEUDOWIRE_BPF_H

#include <stdint.h>

/* What bpf(2) takes that the oldest headers we build with (Linux 6.1) do not know: the parts of union bpf_attr that
   came with tcx. Source: include/uapi/linux/bpf.h, Linux 6.6. */
struct pseudowire_bpf_link_create {
    uint32_t program;
    uint32_t interface;
    uint32_t attach_type;
    uint32_t flags;
    uint32_t relative; /* a descriptor, or with BPF_F_ID a number */
    uint32_t reserved;
    uint64_t expected_revision;
};

struct pseudowire_bpf_query {
    uint32_t interface;
    uint32_t attach_type;
    uint32_t query_flags;
    uint32_t attach_flags;
    uint64_t program_ids;
    uint32_t count;
    uint32_t reserved;
    uint64_t program_attach_flags;
    uint64_t link_ids;
    uint64_t link_attach_flags;
    uint64_t revision;
};

/* Both act in the calling thread's network namespace. They return what bpf(2) returns, or a negated errno. */
int pseudowire_bpf_create_link(struct pseudowire_bpf_link_create *request);
int pseudowire_bpf_query_programs(struct pseudowire_bpf_query *request);

/* Returns once every program that was running on any CPU when it was called has ended; 0, or a negated errno. */
int pseudowire_wait_for_programs(void);

/* Has two paths change places at once, as on a BPF file system since Linux 5.16; 0, or a negated errno. */
int pseudowire_exchange_paths(const char *one, const char *other);

#endif
