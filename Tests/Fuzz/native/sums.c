/* SPDX-License-Identifier: MIT */
/* Helpers about checksums and hashes. */
#include <errno.h>
#include <string.h>

#include "packet.h"

static __u16 fold(__u64 sum) {
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (__u16)sum;
}

static void replace(__u8 *field, __u64 from, __u64 to) {
    __u16 check;
    memcpy(&check, field, 2);
    check = ~fold((__u64)(__u16)~check + (__u16)~fold(from) + fold(to));
    memcpy(field, &check, 2);
}

long bpf_l3_csum_replace(struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags) {
    struct packet *packet = begin(skb);
    __u64 size = flags & BPF_F_HDR_FIELD_MASK;
    long result = 0;
    if (flags & ~BPF_F_HDR_FIELD_MASK || (size == 0 && from) || (size != 0 && size != 2 && size != 4))
        result = -EINVAL;
    else if (offset > 0xffff || offset & 1 || make_writable(packet, offset + 2))
        result = -EFAULT;
    else
        replace(packet->octets + offset, from, to);
    return finish(packet, "bpf_l3_csum_replace", result);
}

long bpf_l4_csum_replace(struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags) {
    struct packet *packet = begin(skb);
    __u64 size = flags & BPF_F_HDR_FIELD_MASK;
    const __u64 known = BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_HDR_FIELD_MASK;
    __u8 *field = packet->octets + offset;
    long result = 0;
    if (flags & ~known || (size == 0 && from) || (size != 0 && size != 2 && size != 4)) {
        result = -EINVAL;
    } else if (offset > 0xffff || offset & 1 || make_writable(packet, offset + 2)) {
        result = -EFAULT;
    } else {
        field = packet->octets + offset;
        int is_absent = !field[0] && !field[1];
        if (flags & BPF_F_MARK_MANGLED_0 && !(flags & BPF_F_MARK_ENFORCE) && is_absent)
            return finish(packet, "bpf_l4_csum_replace", 0);
        if (!packet->is_partial) {
            replace(field, from, to);
        } else if (flags & BPF_F_PSEUDO_HDR) {
            __u16 check;
            memcpy(&check, field, 2);
            check = fold((__u64)check + (__u16)~fold(from) + fold(to));
            memcpy(field, &check, 2);
        }
        if (flags & BPF_F_MARK_MANGLED_0 && !field[0] && !field[1])
            field[0] = field[1] = 0xff;
    }
    return finish(packet, "bpf_l4_csum_replace", result);
}

static __u64 sum_of(const __be32 *words, __u32 size) {
    __u64 sum = 0;
    for (__u32 i = 0; i < size / 4; i++)
        sum += words[i];
    return sum;
}

__s64 bpf_csum_diff(const __be32 *from, __u32 from_size, const __be32 *to, __u32 to_size, __u32 seed) {
    if (from_size & 3 || to_size & 3 || (!kernel.is_recent && from_size + to_size > 512))
        return -EINVAL;
    __u64 sum = seed + sum_of(to, to_size);
    for (__u32 i = 0; i < from_size / 4; i++)
        sum += ~from[i];
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    return kernel.is_recent ? fold(sum) : (__s64)sum;
}

__s64 bpf_csum_update(struct __sk_buff *skb, __u32 sum) {
    (void)skb;
    (void)sum;
    return -ENOTSUPP; /* no packet here has its whole sum beside it */
}

long bpf_csum_level(struct __sk_buff *skb, __u64 level) {
    (void)skb;
    return level == BPF_CSUM_LEVEL_QUERY ? -EACCES : level > BPF_CSUM_LEVEL_RESET ? -EINVAL : 0;
}

__u32 bpf_get_hash_recalc(struct __sk_buff *skb) {
    if (!skb->hash)
        skb->hash = kernel.hash;
    return skb->hash;
}

void bpf_set_hash_invalid(struct __sk_buff *skb) {
    skb->hash = 0;
}

long bpf_set_hash(struct __sk_buff *skb, __u32 hash) {
    skb->hash = hash;
    return 0;
}
