/* libbpf and the kernel's BPF interface, for Swift. */
#ifndef CPSEUDOWIREBPF_SHIM_H
#define CPSEUDOWIREBPF_SHIM_H

/* libc's address structures must come before any linux/ header that would define them again. */
#include <netinet/in.h>
#include <net/if.h>
#include <sys/vfs.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#endif
