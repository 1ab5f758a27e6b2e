#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int command, void *attributes, unsigned int size) {
    long result = syscall(SYS_bpf, command, attributes, size);

    return result < 0 ? -errno : (int)result;
}

int pseudowire_bpf_create_link(struct pseudowire_bpf_link_create *request) {
    return call(BPF_LINK_CREATE, request, sizeof(*request));
}

int pseudowire_bpf_query_programs(struct pseudowire_bpf_query *request) {
    return call(BPF_PROG_QUERY, request, sizeof(*request));
}
