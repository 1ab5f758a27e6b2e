/* SPDX-License-Identifier: MIT */
/* Frames as XDP programs have them, and the helpers that only they call: net/core/filter.c of Linux 6.1 to 6.12. */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "packet.h"

/* sizeof(struct xdp_frame), which the kernel writes into the headroom. */
#define KEPT 40
/* What memory has in it that nobody has written. */
#define UNWRITTEN 0xa5

static struct bpf_sock the_socket;

static __u8 *begins(struct frame *frame) {
    return frame->page + frame->headroom;
}

const __u8 *frame_octets_of(const struct frame *frame) {
    return frame->page + frame->headroom;
}

void frame_fill(struct frame *frame, const __u8 *octets, __u32 length, __u32 missing) {
    if (length > LONGEST_FRAME || missing > XDP_HEADROOM)
        fail("a frame of %u octets, %u of headroom missing", length, missing);
    memset(frame, 0, sizeof(*frame));
    memset(frame->page, UNWRITTEN, sizeof(frame->page));
    frame->headroom = XDP_HEADROOM - missing;
    frame->length = length;
    memcpy(begins(frame), octets, length);
}

void frame_expose(struct frame *frame) {
    __u8 *start = lend(frame->length, frame->is_misaligned ? 2 : 0);
    memcpy(start, begins(frame), frame->length);
    frame->view.data = frame->view.data_meta = (__u32)(long)start;
    frame->view.data_end = frame->view.data + frame->length;
}

/* Takes over what the program wrote. */
static void collect(struct frame *frame) {
    memcpy(begins(frame), (__u8 *)(long)frame->view.data, frame->length);
}

void frame_hide(struct frame *frame) {
    collect(frame);
    take_back((__u8 *)(long)frame->view.data, frame->length, frame->is_misaligned ? 2 : 0);
    frame->view.data = frame->view.data_meta = frame->view.data_end = 0;
}

static long done(struct frame *frame, const char *what, int difference, long result) {
    frame_expose(frame);
    trace("  %s(%d) = %ld; length %u, headroom %u\n", what, difference, result, frame->length, frame->headroom);
    return result;
}

long bpf_xdp_adjust_head(struct xdp_md *context, int difference) {
    struct frame *frame = (struct frame *)context;
    frame_hide(frame);
    __s64 headroom = (__s64)frame->headroom + difference, length = (__s64)frame->length - difference;
    if (headroom < KEPT || length < ETH_HLEN)
        return done(frame, __func__, difference, -EINVAL);
    frame->headroom = (__u32)headroom;
    frame->length = (__u32)length;
    /* What comes into reach has something in it, and what goes is no longer looked at. */
    if (difference < 0)
        memset(begins(frame), UNWRITTEN, (__u32)-difference);
    return done(frame, __func__, difference, 0);
}

/* The kernel could make the tail longer too, but with octets that nobody sent. */
long bpf_xdp_adjust_tail(struct xdp_md *context, int difference) {
    struct frame *frame = (struct frame *)context;
    if (difference > 0)
        fail("a frame was made %d octets longer behind", difference);
    frame_hide(frame);
    if ((__s64)frame->length + difference < ETH_HLEN)
        return done(frame, __func__, difference, -EINVAL);
    frame->length += difference;
    return done(frame, __func__, difference, 0);
}

long bpf_xdp_load_bytes(struct xdp_md *context, __u32 offset, void *to, __u32 length) {
    struct frame *frame = (struct frame *)context;
    if (!length)
        fail("bpf_xdp_load_bytes() of nothing, which the verifier refuses");
    if (offset > 0xffff || length > 0xffff || offset + length > frame->length) {
        memset(to, UNWRITTEN, length);
        return -EINVAL;
    }
    collect(frame);
    memcpy(to, begins(frame) + offset, length);
    return 0;
}

struct bpf_sock *bpf_sk_lookup_udp(void *context, struct bpf_sock_tuple *tuple, __u32 size, __u64 netns, __u64 flags) {
    (void)context;
    if ((size != sizeof(tuple->ipv4) && size != sizeof(tuple->ipv6)) || flags || netns != (__u64)BPF_F_CURRENT_NETNS)
        fail("bpf_sk_lookup_udp() was asked for nothing that there is");
    int is_there = kernel.has_socket && size == kernel.socket_octets && !memcmp(tuple, kernel.socket, size);
    trace("  bpf_sk_lookup_udp finds %s\n", is_there ? "one" : "none");
    kernel.sockets_held += is_there;
    return is_there ? &the_socket : NULL;
}

long bpf_sk_release(void *socket) {
    if (socket != &the_socket || !kernel.sockets_held)
        fail("a socket was given back that was not found");
    kernel.sockets_held -= 1;
    return 0;
}
