/* SPDX-License-Identifier: MIT */
/*
 * The kernel beside the packet: routes, ways out, clocks, the ring buffer. Packets are in packet.c, what helpers do to
 * them in helpers.c and sums.c, maps in maps.c.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

struct kernel kernel;

long bpf_fib_lookup(void *context, struct bpf_fib_lookup *parameters, int size, __u32 flags) {
    (void)context;
    if (size < (int)sizeof(*parameters) || flags & ~(__u32)(BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT))
        return -EINVAL;
    if (parameters->family != 2 && parameters->family != 10)
        return -EAFNOSUPPORT;
    int result = kernel.fib_result;
    const void *destination = parameters->family == 2 ? &parameters->ipv4_dst : parameters->ipv6_dst;
    if (kernel.fib_octets && memcmp(destination, kernel.fib_destination, kernel.fib_octets))
        result = BPF_FIB_LKUP_RET_NOT_FWDED;
    if ((result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH)) {
        if (parameters->tot_len > kernel.fib_mtu) {
            result = BPF_FIB_LKUP_RET_FRAG_NEEDED; /* which names no interface */
        } else {
            parameters->ifindex = kernel.fib_ifindex;
            if (result == BPF_FIB_LKUP_RET_SUCCESS) {
                memcpy(parameters->dmac, kernel.fib_addresses, 6);
                memcpy(parameters->smac, kernel.fib_addresses + 6, 6);
            }
        }
        parameters->mtu_result = kernel.fib_mtu;
    }
    trace("  bpf_fib_lookup = %d, MTU %u\n", result, parameters->mtu_result);
    return result;
}

long bpf_check_mtu(void *context, __u32 ifindex, __u32 *mtu, __s32 difference, __u64 flags) {
    struct __sk_buff *skb = context;
    if (flags & ~(__u64)BPF_MTU_CHK_SEGS || (flags & BPF_MTU_CHK_SEGS && (difference || *mtu)))
        return -EINVAL;
    if (ifindex != kernel.known_ifindex && ifindex != kernel.fib_ifindex)
        return -ENODEV;
    __s64 length = (*mtu ? *mtu + ETH_HLEN : skb->len) + (__s64)difference;
    /* A route's MTU is at most that of its device. */
    *mtu = ifindex == kernel.fib_ifindex && kernel.fib_mtu > kernel.device_mtu ? kernel.fib_mtu : kernel.device_mtu;
    if (length <= *mtu + ETH_HLEN || skb->gso_size)
        return BPF_MTU_CHK_RET_SUCCESS;
    return BPF_MTU_CHK_RET_FRAG_NEEDED;
}

static long send(int how, const char *what, __u32 ifindex, int is_valid) {
    trace("  %s(%u)\n", what, ifindex);
    if (kernel.is_xdp && how != TO_DEVICE)
        fail("%s() in an XDP program, which the verifier refuses", what);
    if (!is_valid)
        return kernel.is_xdp ? XDP_ABORTED : TC_ACT_SHOT;
    kernel.redirect = how;
    kernel.redirect_ifindex = ifindex;
    return kernel.is_xdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
}

long bpf_redirect(__u32 ifindex, __u64 flags) {
    __u64 known = kernel.is_xdp ? 0 : BPF_F_INGRESS;
    return send(TO_DEVICE, "bpf_redirect", ifindex, !(flags & ~known));
}

long bpf_redirect_peer(__u32 ifindex, __u64 flags) {
    return send(TO_PEER, "bpf_redirect_peer", ifindex, !flags);
}

long bpf_redirect_neigh(__u32 ifindex, struct bpf_redir_neigh *parameters, int size, __u64 flags) {
    int is_valid = !flags && (!size || (size >= (int)sizeof(*parameters) && parameters));
    return send(TO_NEIGHBOUR, "bpf_redirect_neigh", ifindex, is_valid);
}

long bpf_clone_redirect(struct __sk_buff *skb, __u32 ifindex, __u64 flags) {
    struct packet *packet = begin(skb);
    long result = 0;
    if (flags & ~(__u64)BPF_F_INGRESS || !ifindex) {
        result = -EINVAL;
    } else if (falls_short()) {
        result = -ENOMEM;
    } else if (kernel.is_clone_lost) {
        result = 1; /* NET_XMIT_DROP: what the device's queue says is passed on */
    } else {
        if (kernel.clone_count == sizeof(kernel.clones) / sizeof(*kernel.clones))
            fail("more clones than one program should make");
        struct packet *clone = packet_copy(packet);
        packet->is_private = 0;
        clone->view.ifindex = ifindex;
        kernel.clones[kernel.clone_count++] = clone;
    }
    return finish(packet, "bpf_clone_redirect", result);
}

__u64 bpf_ktime_get_ns(void) {
    return kernel.now;
}

__u64 bpf_jiffies64(void) {
    return kernel.now / 4000000;
}

__u64 bpf_ktime_get_boot_ns(void) {
    return kernel.now;
}

__u64 bpf_ktime_get_coarse_ns(void) {
    return kernel.now;
}

__u32 bpf_get_prandom_u32(void) {
    kernel.random = kernel.random * 1664525 + 1013904223;
    return kernel.random >> 8;
}

__u32 bpf_get_smp_processor_id(void) {
    return 0;
}

static void *reserved;
static __u64 reserved_size;

int record_is_open(void) {
    return !!reserved;
}

void record_forget(void) {
    reserved = NULL;
}

void *bpf_ringbuf_reserve(const void *ring, __u64 size, __u64 flags) {
    (void)ring;
    if (flags || kernel.is_ring_full || falls_short())
        return NULL;
    if (reserved)
        fail("a second record reserved before the first one was given back");
    reserved_size = size;
    return reserved = malloc(size);
}

static void release(void *record) {
    if (!record || record != reserved)
        fail("a record given back that was not reserved");
    free(record);
    reserved = NULL;
}

void bpf_ringbuf_submit(void *record, __u64 flags) {
    (void)flags;
    kernel.record_size = reserved_size < sizeof(kernel.record) ? (__u32)reserved_size : sizeof(kernel.record);
    memcpy(kernel.record, record, kernel.record_size);
    release(record);
    kernel.ring_records += 1;
}

void bpf_ringbuf_discard(void *record, __u64 flags) {
    (void)flags;
    release(record);
}

long bpf_ringbuf_output(const void *ring, const void *record, __u64 size, __u64 flags) {
    void *copy = bpf_ringbuf_reserve(ring, size, 0);
    if (!copy)
        return -EAGAIN;
    memcpy(copy, record, size);
    bpf_ringbuf_submit(copy, flags);
    return 0;
}

void kernel_reset(void) {
    if (record_is_open())
        fail("a record was reserved and never given back");
    maps_reset();
    for (__u32 i = 0; i < kernel.clone_count; i++)
        packet_free(kernel.clones[i]);
    kernel = (struct kernel){};
    log_reset();
}
