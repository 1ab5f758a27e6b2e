/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libbpf's header of this name: the datapath's sources compile against it as they are, and call the
 * model of the kernel (kernel.c and its neighbours) where they would call the kernel. A helper that is missing is declared here and
 * written there; nothing else has to know of it.
 */
#ifndef NATIVE_BPF_HELPERS_H
#define NATIVE_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))
#undef __weak
#define __weak __attribute__((weak))
#define __hidden

/* Sections mean something to libbpf only. */
#define SEC(name) __attribute__((used))

#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

#define barrier() asm volatile("" ::: "memory")
#define barrier_var(variable) asm volatile("" : "+r"(variable))

/* Maps. What a map is stands in its definition's type, so whoever calls tells it, and no list of maps is needed. */
struct map;
struct map *map_of(const void *definition, const char *name, __u32 type, __u32 max_entries, __u32 key_size,
                   __u32 value_size);
#define MAP(definition)                                                                                                \
    map_of(definition, #definition, sizeof(*(definition)->type) / sizeof(int),                                         \
           sizeof(*(definition)->max_entries) / sizeof(int), sizeof(*(definition)->key), sizeof(*(definition)->value))

void *map_lookup(struct map *map, const void *key);
long map_update(struct map *map, const void *key, const void *value, __u64 flags);
long map_delete(struct map *map, const void *key);
#define bpf_map_lookup_elem(definition, key) map_lookup(MAP(definition), key)
#define bpf_map_lookup_percpu_elem(definition, key, cpu) ((cpu) ? NULL : map_lookup(MAP(definition), key))
#define bpf_map_update_elem(definition, key, value, flags) map_update(MAP(definition), key, value, flags)
#define bpf_map_delete_elem(definition, key) map_delete(MAP(definition), key)

/* A callback has its own idea of its context's type, which a call through void * would be undefined for. */
#define bpf_loop(count, callback, context, flags)                                                                      \
    ({                                                                                                                 \
        __u32 loop_count = (count), loop_index = 0;                                                                    \
        long loop_result = (flags) ? -22 : loop_count > (1u << 23) ? -7 : 0;                                           \
        if (!loop_result) {                                                                                            \
            while (loop_index < loop_count && !(callback)(loop_index++, context)) {                                    \
            }                                                                                                          \
            loop_result = loop_index;                                                                                  \
        }                                                                                                              \
        loop_result;                                                                                                   \
    })

/* Packets. */
long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length);
long bpf_skb_load_bytes_relative(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length, __u32 start);
long bpf_skb_store_bytes(struct __sk_buff *skb, __u32 offset, const void *from, __u32 length, __u64 flags);
long bpf_skb_pull_data(struct __sk_buff *skb, __u32 length);
long bpf_skb_change_head(struct __sk_buff *skb, __u32 room, __u64 flags);
long bpf_skb_change_tail(struct __sk_buff *skb, __u32 length, __u64 flags);
long bpf_skb_change_proto(struct __sk_buff *skb, __be16 protocol, __u64 flags);
long bpf_skb_change_type(struct __sk_buff *skb, __u32 type);
long bpf_skb_adjust_room(struct __sk_buff *skb, __s32 difference, __u32 mode, __u64 flags);
long bpf_skb_vlan_push(struct __sk_buff *skb, __be16 protocol, __u16 tci);
long bpf_skb_vlan_pop(struct __sk_buff *skb);
long bpf_l3_csum_replace(struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags);
long bpf_l4_csum_replace(struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags);
__s64 bpf_csum_diff(const __be32 *from, __u32 from_size, const __be32 *to, __u32 to_size, __u32 seed);
__s64 bpf_csum_update(struct __sk_buff *skb, __u32 sum);
long bpf_csum_level(struct __sk_buff *skb, __u64 level);
__u32 bpf_get_hash_recalc(struct __sk_buff *skb);
void bpf_set_hash_invalid(struct __sk_buff *skb);
long bpf_set_hash(struct __sk_buff *skb, __u32 hash);

/* Frames, which is what XDP programs have. */
long bpf_xdp_adjust_head(struct xdp_md *context, int difference);
long bpf_xdp_adjust_tail(struct xdp_md *context, int difference);
long bpf_xdp_load_bytes(struct xdp_md *context, __u32 offset, void *to, __u32 length);
struct bpf_sock *bpf_sk_lookup_udp(void *context, struct bpf_sock_tuple *tuple, __u32 size, __u64 netns, __u64 flags);
long bpf_sk_release(void *socket);

/* Ways out. */
long bpf_fib_lookup(void *context, struct bpf_fib_lookup *parameters, int size, __u32 flags);
long bpf_check_mtu(void *context, __u32 ifindex, __u32 *mtu, __s32 difference, __u64 flags);
long bpf_redirect(__u32 ifindex, __u64 flags);
long bpf_redirect_peer(__u32 ifindex, __u64 flags);
long bpf_redirect_neigh(__u32 ifindex, struct bpf_redir_neigh *parameters, int size, __u64 flags);
long bpf_clone_redirect(struct __sk_buff *skb, __u32 ifindex, __u64 flags);

/* The rest. */
__u64 bpf_ktime_get_ns(void);
__u64 bpf_ktime_get_boot_ns(void);
__u64 bpf_ktime_get_coarse_ns(void);
__u64 bpf_jiffies64(void);
__u32 bpf_get_prandom_u32(void);
__u32 bpf_get_smp_processor_id(void);
void *bpf_ringbuf_reserve(const void *ring, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void *record, __u64 flags);
void bpf_ringbuf_discard(void *record, __u64 flags);
long bpf_ringbuf_output(const void *ring, const void *record, __u64 size, __u64 flags);
#define bpf_printk(...) ((void)0)

#endif
