#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <stdio.h>
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

int pseudowire_wait_for_programs(void) {
    /* Programs run in RCU read-side sections, whose end this command waits for. */
    return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0 ? -errno : 0;
}

int pseudowire_exchange_paths(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) < 0 ? -errno : 0;
}
