/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The maps. Their key and value types are the ABI's; sizes given here are defaults that user space may change. */
#ifndef PW_MAPS_H
#define PW_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "abi/pseudowire_abi.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct pw_meta);
} meta SEC(".maps");

/* NO_PREALLOC: memory follows the pseudowires that exist, not those that might. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PW_DEFAULT_SESSIONS);
    __type(key, struct pw_access_key);
    __type(value, struct pw_encap);
} access SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PW_DEFAULT_SESSIONS);
    __type(key, __u32);
    __type(value, struct pw_decap);
} sessions SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PW_DEFAULT_SESSIONS);
    __type(key, struct pw_name);
    __type(value, struct pw_record);
} pseudowires SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PW_DEFAULT_SESSIONS);
    __type(key, __u32);
    __type(value, struct pw_port);
} ports SEC(".maps");

/* Slot 0 belongs to nobody, so one more than there can be pseudowires. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PW_DEFAULT_SESSIONS + 1);
    __type(key, __u32);
    __type(value, struct pw_counters);
} counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PW_DROP_REASON_COUNT);
    __type(key, __u32);
    __type(value, __u64);
} drops SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PW_DEFAULT_SESSIONS);
    __type(key, struct pw_drop_key);
    __type(value, struct pw_drop);
} session_drops SEC(".maps");

/* Asked only when an ICMP message comes. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PW_DEFAULT_SESSIONS);
    __type(key, struct pw_path_key);
    __type(value, struct pw_access_key);
} paths SEC(".maps");

/* One for all CPUs: a number must not be sent twice. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PW_DEFAULT_SESSIONS + 1);
    __type(key, __u32);
    __type(value, struct pw_sequence);
} sequences SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 16);
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PW_DROP_REASON_COUNT);
    __type(key, __u32);
    __type(value, struct pw_event_limit);
} event_limits SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PW_FLOWS);
    __type(key, __u32);
    __type(value, struct pw_flow);
} flows SEC(".maps");

/* Empty, until an upgrade that cannot keep what was counted gives it room. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct pw_past_key);
    __type(value, struct pw_past);
} past SEC(".maps");

/* 1 where bpf_skb_adjust_room knows BPF_F_ADJ_ROOM_DECAP_L3_* (Linux 6.3); probed and set before loading. */
const volatile __u32 has_decap_l3 = 0;

#endif
