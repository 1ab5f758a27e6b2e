/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Ones' complement sums. All sums are over 16-bit words as they lie in memory, so byte order never matters. */
#ifndef PW_CHECKSUM_H
#define PW_CHECKSUM_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

static __always_inline __u16 sum_fold(__u64 sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (__u16)sum;
}

/* `octets` is a constant multiple of four at every call. */
static __always_inline __u64 sum_words(const void *start, int octets) {
    const __u32 *word = start;
    __u64 sum = 0;
#pragma unroll
    for (int i = 0; i < octets / 4; i++)
        sum += word[i];
    return sum;
}

/*
 * The sum of the frame's last octets, for what no identity covers. In chunks of 512, because before Linux 6.13
 * bpf_csum_diff() reads no more at a time, and by way of a copy, so that the frame may lie in pieces.
 */
#define SUM_CHUNK 512

struct sum_chunk {
    __u8 octets[SUM_CHUNK];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct sum_chunk);
} scratch SEC(".maps");

struct sum_progress {
    struct __sk_buff *skb;
    __u32 offset;
    __u32 remaining;
    __u64 sum;
};

static long sum_next_chunk(__u32 index, struct sum_progress *progress) {
    (void)index;
    __u32 first = 0;
    struct sum_chunk *chunk = bpf_map_lookup_elem(&scratch, &first);
    __u32 length = progress->remaining;
    if (!chunk || !length)
        return 1;
    if (length > SUM_CHUNK)
        length = SUM_CHUNK;
    /* A last odd octet is the first half of a word whose other half is zero. */
    __u32 whole = length & ~3u;
    if (length & 3 && whole < SUM_CHUNK)
        *(__u32 *)(chunk->octets + (whole & (SUM_CHUNK - 4))) = 0;
    /* Linux 6.1's verifier learns from an upper bound that a length is not zero, from "not equal to zero" it does not.
     */
    __u32 last = length - 1;
    asm volatile("" : "+r"(last));
    if (last >= SUM_CHUNK || bpf_skb_load_bytes(progress->skb, progress->offset, chunk->octets, last + 1))
        return 1;
    __u32 padded = (length + 3) & ~3u;
    if (padded > SUM_CHUNK)
        return 1;
    progress->sum += (__u32)bpf_csum_diff(0, 0, (__be32 *)chunk->octets, padded, 0);
    progress->offset += length;
    progress->remaining -= length;
    return 0;
}

/*
 * The folded sum, or -1 where the packet has fewer octets than `length` from `offset`. A global function, which the
 * verifier checks once and not anew on each way that leads here.
 */
__noinline int sum_packet(struct __sk_buff *skb, __u32 offset, __u32 length) {
    struct sum_progress progress = {.skb = skb, .offset = offset, .remaining = length};
    bpf_loop(0x10000 / SUM_CHUNK + 1, sum_next_chunk, &progress, 0);
    return progress.remaining ? -1 : sum_fold(progress.sum);
}

#endif
