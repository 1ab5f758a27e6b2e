/* SPDX-License-Identifier: MIT */
/*
 * Packets, maps and helpers as the kernel has them: net/core/filter.c, net/core/skbuff.c, include/linux/if_vlan.h of
 * Linux 6.1 to 6.12, with their refusals. What the verifier would not admit is a failure here.
 */
#include "kernel.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf_endian.h>

#define ENOTSUPP 524 /* the kernel's own, which user space has no name for */
#define DECAP_L3_IPV4 (1ULL << 7)
#define DECAP_L3_IPV6 (1ULL << 8)
#define ENCAP_L3 (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6)
#define KNOWN_ROOM_FLAGS                                                                                               \
    (BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET | ENCAP_L3 | BPF_F_ADJ_ROOM_ENCAP_L4_GRE |                \
     BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_ENCAP_L2(0xffULL))

struct kernel kernel;

/* ---- The log ---- */

int is_tracing;
void (*replay)(void);

static char log_text[1 << 16];
static size_t log_used;
static void *reserved; /* from the ring buffer, and not given back yet */

static void append(const char *format, va_list arguments) {
    int length = vsnprintf(log_text + log_used, sizeof(log_text) - log_used, format, arguments);
    if (length > 0)
        log_used = log_used + length < sizeof(log_text) ? log_used + length : sizeof(log_text) - 1;
}

void trace(const char *format, ...) {
    if (!is_tracing)
        return;
    va_list arguments;
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
}

void trace_octets(const char *label, const __u8 *octets, __u32 length) {
    if (!is_tracing)
        return;
    trace("%s (%u octets)", label, length);
    for (__u32 i = 0; i < length && i < 256; i++)
        trace("%s%02x", i % 32 ? i % 2 ? "" : " " : "\n    ", octets[i]);
    trace("\n");
}

static void show_log(void) {
    fwrite(log_text, 1, log_used, stderr);
    fputc('\n', stderr);
    log_used = 0;
}

void fail(const char *format, ...) {
    /* Once more, with a log. What fails once fails twice, since nothing here is left to chance. */
    if (!is_tracing && replay) {
        is_tracing = 1;
        reserved = NULL;
        replay();
    }
    va_list arguments;
    va_start(arguments, format);
    fputs("\nFAILED: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    show_log();
    abort();
}

/* ---- Packets ---- */

#define ARENA_SIZE (64u << 20)
#define REDZONE 64u

static __u8 *arena;
static __u32 arena_next;

static void arena_open(void) {
    arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arena == MAP_FAILED)
        fail("no memory below 4 GiB");
    __asan_poison_memory_region(arena, ARENA_SIZE);
    __sanitizer_set_death_callback(show_log);
}

static __u8 *linear_part(const struct packet *packet) {
    return (__u8 *)(long)packet->view.data;
}

struct packet *packet_new(const __u8 *octets, __u32 length) {
    struct packet *packet = calloc(1, sizeof(*packet));
    packet->capacity = length + 512;
    packet->octets = malloc(packet->capacity);
    memcpy(packet->octets, octets, length);
    packet->view.len = length;
    packet->linear = length;
    return packet;
}

struct packet *packet_copy(const struct packet *packet) {
    struct packet *copy = packet_new(packet->octets, packet->view.len);
    __u8 *octets = copy->octets;
    __u32 capacity = copy->capacity;
    *copy = *packet;
    copy->octets = octets;
    copy->capacity = capacity;
    copy->view.data = copy->view.data_end = 0;
    return copy;
}

void packet_free(struct packet *packet) {
    free(packet->octets);
    free(packet);
}

void packet_expose(struct packet *packet) {
    if (!arena)
        arena_open();
    if (packet->linear > packet->view.len)
        packet->linear = packet->view.len;
    __u32 span = (packet->linear + 3 * REDZONE) & ~7u;
    if (arena_next + span > ARENA_SIZE)
        arena_next = 0;
    __u8 *start = arena + arena_next + REDZONE + (packet->is_misaligned ? 2 : 0);
    arena_next += span;
    __asan_unpoison_memory_region(start, packet->linear);
    memcpy(start, packet->octets, packet->linear);
    packet->view.data = packet->view.data_meta = (__u32)(long)start;
    packet->view.data_end = packet->view.data + packet->linear;
}

/* Takes over what the program wrote. */
static void gather(const struct packet *packet) {
    if (packet->view.data)
        memcpy(packet->octets, linear_part(packet), packet->linear);
}

void packet_hide(struct packet *packet) {
    if (!packet->view.data)
        return;
    gather(packet);
    __u8 *start = linear_part(packet) - (packet->is_misaligned ? 2 : 0);
    __asan_poison_memory_region(start, packet->linear + 8);
    packet->view.data = packet->view.data_meta = packet->view.data_end = 0;
}

static struct packet *packet_of(struct __sk_buff *skb) {
    return (struct packet *)skb;
}

/* Around whatever may move the packet. */
static struct packet *begin(struct __sk_buff *skb) {
    struct packet *packet = packet_of(skb);
    packet_hide(packet);
    return packet;
}

static long finish(struct packet *packet, const char *what, long result) {
    packet_expose(packet);
    trace("  %s = %ld; length %u, linear %u, protocol %04x, tag %d %04x %04x\n", what, result, packet->view.len,
          packet->linear, bpf_ntohs(packet->view.protocol), packet->view.vlan_present,
          bpf_ntohs(packet->view.vlan_proto), packet->view.vlan_tci);
    return result;
}

/* Whether memory is short right now. */
static int falls_short(void) {
    return ++kernel.fallible_calls == kernel.fail_at;
}

static int pull(struct packet *packet, __u32 length) {
    if (length > packet->view.len)
        return -1;
    if (length > packet->linear)
        packet->linear = length;
    return 0;
}

/* Takes memory where something must be made linear, or where the octets may be a clone's as well. */
static int make_writable(struct packet *packet, __u32 length) {
    if ((length > packet->linear || !packet->is_private) && falls_short())
        return -ENOMEM;
    if (pull(packet, length))
        return -ENOMEM;
    packet->is_private = 1;
    return 0;
}

/* Octets before `offset` stay in front, `length` zeros come behind them. */
static void push(struct packet *packet, __u32 offset, __u32 length) {
    __u32 before = packet->view.len;
    if (before + length > packet->capacity) {
        packet->capacity = before + length + 512;
        packet->octets = realloc(packet->octets, packet->capacity);
    }
    memmove(packet->octets + offset + length, packet->octets + offset, before - offset);
    memset(packet->octets + offset, 0, length);
    packet->view.len += length;
    packet->linear += length;
    packet->checksum_start += length;
}

static void pop(struct packet *packet, __u32 offset, __u32 length) {
    memmove(packet->octets + offset, packet->octets + offset + length, packet->view.len - offset - length);
    packet->view.len -= length;
    packet->linear -= length;
    packet->checksum_start -= length;
    /* A sum that began in what is gone is nobody's any more: skb_postpull_rcsum(). */
    if (packet->checksum_start < 0)
        packet->is_partial = 0;
}

static int is_tag(__u32 protocol) {
    return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Of what follows an Ethernet header or a tag whose type field is at `at`: a length field is none. */
static __be16 protocol_at(const struct packet *packet, __u32 at) {
    const __u8 *octets = packet->octets;
    if (at + 2 > packet->view.len)
        return 0;
    if (octets[at] >= 6)
        return bpf_htons(octets[at] << 8 | octets[at + 1]);
    if (at + 4 <= packet->view.len && octets[at + 2] == 0xff && octets[at + 3] == 0xff)
        return bpf_htons(ETH_P_802_3);
    return bpf_htons(ETH_P_802_2);
}

static void put_tag(struct packet *packet, __be16 protocol, __u16 tci) {
    packet->view.vlan_present = 1;
    packet->view.vlan_proto = protocol;
    packet->view.vlan_tci = tci;
}

/* __skb_vlan_pop() */
static int take_tag(struct packet *packet, __u16 *tci) {
    int result = make_writable(packet, 18);
    if (result)
        return result;
    *tci = packet->octets[14] << 8 | packet->octets[15];
    packet->view.protocol = protocol_at(packet, 16);
    packet->transport -= 4;
    packet->network -= 4;
    pop(packet, 12, 4);
    if (packet->network < ETH_HLEN)
        packet->network = ETH_HLEN;
    return 0;
}

void packet_receive(struct packet *packet, int untag) {
    packet->view.protocol = protocol_at(packet, 12);
    packet->network = packet->transport = ETH_HLEN;
    __u16 tci;
    __be16 protocol = packet->view.protocol;
    if (untag && is_tag(protocol) && !packet->view.vlan_present && packet->view.len >= 18 && !take_tag(packet, &tci))
        put_tag(packet, protocol, tci);
}

long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length) {
    const struct packet *packet = (const struct packet *)skb;
    if (!length)
        fail("bpf_skb_load_bytes() of nothing, which the verifier refuses");
    if (offset > 0x7fffffff || (__u64)offset + length > skb->len) {
        memset(to, 0, length);
        return -EFAULT;
    }
    gather(packet);
    memcpy(to, packet->octets + offset, length);
    return 0;
}

long bpf_skb_load_bytes_relative(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length, __u32 start) {
    const struct packet *packet = (const struct packet *)skb;
    __u32 from = start == BPF_HDR_START_NET ? (__u32)packet->network : 0;
    return offset > 0xffff ? -EFAULT : bpf_skb_load_bytes(skb, from + offset, to, length);
}

long bpf_skb_store_bytes(struct __sk_buff *skb, __u32 offset, const void *from, __u32 length, __u64 flags) {
    struct packet *packet = begin(skb);
    long result = 0;
    if (!length)
        fail("bpf_skb_store_bytes() of nothing, which the verifier refuses");
    if (flags & ~(__u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
        result = -EINVAL;
    else if (offset > 0x7fffffff || make_writable(packet, offset + length))
        result = -EFAULT;
    else
        memcpy(packet->octets + offset, from, length);
    if (!result && flags & BPF_F_INVALIDATE_HASH)
        skb->hash = 0;
    return finish(packet, "bpf_skb_store_bytes", result);
}

long bpf_skb_pull_data(struct __sk_buff *skb, __u32 length) {
    struct packet *packet = begin(skb);
    return finish(packet, "bpf_skb_pull_data", make_writable(packet, length ? length : packet->linear));
}

long bpf_skb_change_head(struct __sk_buff *skb, __u32 room, __u64 flags) {
    struct packet *packet = begin(skb);
    __u32 length = skb->len + room;
    long result = 0;
    if (flags || (!skb->gso_size && length > LONGEST_PACKET) || length < skb->len) {
        result = -EINVAL;
    } else if (falls_short()) {
        result = -ENOMEM;
    } else {
        push(packet, 0, room);
        packet->network += room;
        packet->transport += room;
    }
    return finish(packet, "bpf_skb_change_head", result);
}

/*
 * __bpf_skb_min_len(). Before Linux 6.13 (6.12.8, 6.1.123) a header that lies before the data, because what
 * it was in has been removed, makes no length long enough.
 */
static __u32 shortest_tail(const struct packet *packet) {
    __s32 shortest = packet->network;
    if (packet->transport > 0 || !kernel.is_recent)
        shortest = packet->transport;
    __s32 after_sum = packet->checksum_start + (__s32)packet->checksum_offset + 2;
    if (packet->is_partial && (after_sum > 0 || !kernel.is_recent))
        shortest = after_sum;
    return shortest < 0 && kernel.is_recent ? 0 : (__u32)shortest;
}

long bpf_skb_change_tail(struct __sk_buff *skb, __u32 length, __u64 flags) {
    struct packet *packet = begin(skb);
    __u32 shortest = shortest_tail(packet);
    long result = 0;
    kernel.has_refused_tail |= length < shortest;
    if (flags || length > LONGEST_PACKET || length < shortest) {
        result = -EINVAL;
    } else if (packet->is_encapsulated) {
        result = -ENOTSUPP;
    } else if (make_writable(packet, skb->len)) {
        result = -ENOMEM;
    } else {
        if (length > packet->capacity) {
            packet->capacity = length + 512;
            packet->octets = realloc(packet->octets, packet->capacity);
        }
        if (length > skb->len)
            memset(packet->octets + skb->len, 0, length - skb->len);
        skb->len = packet->linear = length;
        skb->gso_size = 0;
        packet->gso_kind = GSO_NONE;
    }
    return finish(packet, "bpf_skb_change_tail", result);
}

/* From IPv6 to IPv4 and back: 20 octets less or more behind the link-layer header, and another protocol. */
long bpf_skb_change_proto(struct __sk_buff *skb, __be16 protocol, __u64 flags) {
    struct packet *packet = begin(skb);
    int is_v4_wanted = protocol == bpf_htons(ETH_P_IP), is_v6_wanted = protocol == bpf_htons(ETH_P_IPV6);
    long result = 0;
    if (flags)
        result = -EINVAL;
    else if (!(is_v4_wanted && skb->protocol == bpf_htons(ETH_P_IPV6)) &&
             !(is_v6_wanted && skb->protocol == bpf_htons(ETH_P_IP)))
        result = -ENOTSUPP;
    else if (skb->gso_size && packet->gso_kind != GSO_TCP)
        result = -ENOTSUPP;
    else if (falls_short() || (is_v4_wanted && pull(packet, packet->network + 20)))
        result = -ENOMEM;
    if (!result) {
        int is_transport_same = packet->transport == packet->network;
        if (is_v4_wanted)
            pop(packet, packet->network, 20);
        else
            push(packet, packet->network, 20);
        packet->transport = is_transport_same ? packet->network : packet->transport + (is_v4_wanted ? -20 : 20);
        skb->protocol = protocol;
        skb->hash = 0;
    }
    return finish(packet, "bpf_skb_change_proto", result);
}

long bpf_skb_change_type(struct __sk_buff *skb, __u32 type) {
    if (skb->pkt_type > 3 || type > 3)
        return -EINVAL;
    skb->pkt_type = type;
    return 0;
}

static __u32 shortest_network(const struct packet *packet) {
    if (packet->view.protocol == bpf_htons(ETH_P_IP))
        return 20;
    return packet->view.protocol == bpf_htons(ETH_P_IPV6) ? 40 : 0;
}

/* bpf_skb_net_grow() */
static long grow(struct packet *packet, __u32 offset, __u32 length, __u64 flags) {
    __u32 inner_link = flags >> BPF_ADJ_ROOM_ENCAP_L2_SHIFT & BPF_ADJ_ROOM_ENCAP_L2_MASK;
    int link = packet->network;
    if (falls_short())
        return -ENOMEM;
    if (flags & ENCAP_L3) {
        if ((flags & ENCAP_L3) == ENCAP_L3)
            return -EINVAL;
        if (flags & BPF_F_ADJ_ROOM_ENCAP_L4_GRE && flags & BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
            return -EINVAL;
        if (flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH && inner_link < ETH_HLEN)
            return -EINVAL;
        if (packet->is_encapsulated)
            return -EALREADY;
        if (inner_link > length)
            return -EINVAL;
    }
    /* The kernel moves what comes before from where it expects it to be linear. */
    if (offset > packet->linear)
        fail("bpf_skb_adjust_room() behind what is linear");
    int is_transport_same = packet->transport == packet->network;
    push(packet, offset, length);
    /* Headers keep their distance from the data, which has moved as far as they have. */
    packet->transport = is_transport_same ? packet->network : packet->transport + (__s32)length;
    if (flags & ENCAP_L3) {
        packet->is_encapsulated = 1;
        packet->network = link;
        if (flags & (BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L4_GRE))
            packet->transport = link + (flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? 40 : 20);
        packet->view.protocol = flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
    }
    return 0;
}

/* bpf_skb_net_shrink() */
static long shrink(struct packet *packet, __u32 offset, __u32 length, __u64 flags) {
    if (flags & ~(__u64)(BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3_IPV4 | DECAP_L3_IPV6 | BPF_F_ADJ_ROOM_NO_CSUM_RESET))
        return -EINVAL;
    if (falls_short() || pull(packet, offset + length))
        return -ENOMEM;
    int is_transport_same = packet->transport == packet->network;
    pop(packet, offset, length);
    packet->transport = is_transport_same ? packet->network : packet->transport - (__s32)length;
    if (flags & DECAP_L3_IPV6)
        packet->view.protocol = bpf_htons(ETH_P_IPV6);
    else if (flags & DECAP_L3_IPV4)
        packet->view.protocol = bpf_htons(ETH_P_IP);
    return 0;
}

static long adjust_room(struct packet *packet, __s32 difference, __u32 mode, __u64 flags) {
    __u32 length = difference < 0 ? -(__u32)difference : (__u32)difference;
    __u32 shortest = shortest_network(packet), offset = packet->network;
    int is_shrinking = difference < 0;
    __u64 known = KNOWN_ROOM_FLAGS | (kernel.has_decap_l3 ? DECAP_L3_IPV4 | DECAP_L3_IPV6 : 0);
    if (flags & ~known)
        return -EINVAL;
    if (length > 0xfff)
        return -EFAULT;
    if (!shortest)
        return -ENOTSUPP;
    if (mode == BPF_ADJ_ROOM_NET)
        offset += shortest;
    else if (mode != BPF_ADJ_ROOM_MAC)
        return -ENOTSUPP;
    if (flags & (DECAP_L3_IPV4 | DECAP_L3_IPV6)) {
        if (!is_shrinking || (flags & DECAP_L3_IPV4 && flags & DECAP_L3_IPV6))
            return -EINVAL;
        shortest = flags & DECAP_L3_IPV4 ? 20 : 40;
    }
    __u32 now = packet->view.len - packet->network;
    if (is_shrinking ? length >= now || now - length < shortest
                     : packet->view.len + length > LONGEST_PACKET && !packet->view.gso_size)
        return -ENOTSUPP;
    if (packet->view.gso_size && packet->gso_kind != GSO_TCP &&
        (packet->gso_kind != GSO_UDP || !(flags & BPF_F_ADJ_ROOM_FIXED_GSO)))
        return -ENOTSUPP;
    long result = is_shrinking ? shrink(packet, offset, length, flags) : grow(packet, offset, length, flags);
    if (!result && packet->view.gso_size && !(flags & BPF_F_ADJ_ROOM_FIXED_GSO))
        packet->view.gso_size -= difference;
    return result;
}

long bpf_skb_adjust_room(struct __sk_buff *skb, __s32 difference, __u32 mode, __u64 flags) {
    struct packet *packet = begin(skb);
    trace("  bpf_skb_adjust_room(%d, %u, %#llx), network header at %d\n", difference, mode, flags, packet->network);
    return finish(packet, "bpf_skb_adjust_room", adjust_room(packet, difference, mode, flags));
}

long bpf_skb_vlan_push(struct __sk_buff *skb, __be16 protocol, __u16 tci) {
    struct packet *packet = begin(skb);
    if (!is_tag(protocol))
        protocol = bpf_htons(ETH_P_8021Q);
    if (skb->vlan_present) {
        if (falls_short() || pull(packet, 12))
            return finish(packet, "bpf_skb_vlan_push", -ENOMEM);
        push(packet, 12, 4);
        memcpy(packet->octets + 12, &skb->vlan_proto, 2);
        packet->octets[14] = skb->vlan_tci >> 8;
        packet->octets[15] = (__u8)skb->vlan_tci;
        skb->protocol = skb->vlan_proto;
        packet->transport += 4;
    }
    put_tag(packet, protocol, tci);
    return finish(packet, "bpf_skb_vlan_push", 0);
}

long bpf_skb_vlan_pop(struct __sk_buff *skb) {
    struct packet *packet = begin(skb);
    __u16 tci;
    long result = 0;
    if (skb->vlan_present)
        skb->vlan_present = skb->vlan_tci = skb->vlan_proto = 0;
    else if (is_tag(skb->protocol))
        result = take_tag(packet, &tci);
    if (!result && is_tag(skb->protocol)) {
        __be16 protocol = (__be16)skb->protocol;
        result = take_tag(packet, &tci);
        if (!result)
            put_tag(packet, protocol, tci);
    }
    return finish(packet, "bpf_skb_vlan_pop", result);
}

/* ---- Sums ---- */

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

/* ---- Ways out ---- */

long bpf_fib_lookup(void *context, struct bpf_fib_lookup *parameters, int size, __u32 flags) {
    (void)context;
    if (size < (int)sizeof(*parameters) || flags & ~(__u32)(BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT))
        return -EINVAL;
    if (parameters->family != 2 && parameters->family != 10)
        return -EAFNOSUPPORT;
    int result = kernel.fib_result;
    if ((result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH)) {
        if (parameters->tot_len > kernel.fib_mtu) {
            result = BPF_FIB_LKUP_RET_FRAG_NEEDED; /* which names no interface */
        } else {
            parameters->ifindex = kernel.fib_ifindex;
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
    if (!is_valid)
        return TC_ACT_SHOT;
    kernel.redirect = how;
    kernel.redirect_ifindex = ifindex;
    return TC_ACT_REDIRECT;
}

long bpf_redirect(__u32 ifindex, __u64 flags) {
    return send(TO_DEVICE, "bpf_redirect", ifindex, !(flags & ~(__u64)BPF_F_INGRESS));
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

/* ---- The rest ---- */

__u64 bpf_ktime_get_ns(void) {
    return kernel.now;
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

void *bpf_ringbuf_reserve(const void *ring, __u64 size, __u64 flags) {
    (void)ring;
    if (flags || kernel.is_ring_full || falls_short())
        return NULL;
    if (reserved)
        fail("a second record reserved before the first one was given back");
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

/* ---- Maps ---- */

/* Each value in memory of its own, so that the sanitizer guards its ends. */
struct entry {
    struct entry *next;
    void *value;
    __u8 key[];
};

struct map {
    const void *definition;
    const char *name;
    __u32 type, max_entries, key_size, value_size;
    struct entry *entries;
};

static struct map maps[64];
static __u32 map_count;

struct map *map_of(const void *definition, const char *name, __u32 type, __u32 max_entries, __u32 key_size,
                   __u32 value_size) {
    for (__u32 i = 0; i < map_count; i++) {
        if (maps[i].definition == definition)
            return &maps[i];
    }
    if (map_count == sizeof(maps) / sizeof(*maps))
        fail("more maps than expected");
    maps[map_count] = (struct map){definition, name, type, max_entries, key_size, value_size, NULL};
    return &maps[map_count++];
}

static int is_array(const struct map *map) {
    return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int has_index(const struct map *map, const void *key) {
    __u32 index;
    memcpy(&index, key, sizeof(index));
    return index < map->max_entries;
}

void *map_peek(struct map *map, const void *key) {
    for (struct entry *entry = map->entries; entry; entry = entry->next) {
        if (!memcmp(entry->key, key, map->key_size))
            return entry->value;
    }
    return NULL;
}

static void *add(struct map *map, const void *key) {
    struct entry *entry = malloc(sizeof(*entry) + map->key_size);
    entry->next = map->entries;
    entry->value = calloc(1, map->value_size);
    memcpy(entry->key, key, map->key_size);
    map->entries = entry;
    return entry->value;
}

void *map_lookup(struct map *map, const void *key) {
    void *value = map_peek(map, key);
    /* An array has all its values from the beginning; here they come into being when first asked for. */
    return value || !is_array(map) || !has_index(map, key) ? value : add(map, key);
}

long map_update(struct map *map, const void *key, const void *value, __u64 flags) {
    if (flags > BPF_EXIST)
        return -EINVAL;
    void *to = is_array(map) ? map_lookup(map, key) : map_peek(map, key);
    if (is_array(map) && !to)
        return -E2BIG;
    if (to && flags == BPF_NOEXIST)
        return -EEXIST;
    if (!to && flags == BPF_EXIST)
        return -ENOENT;
    if (!to) {
        if (kernel.are_maps_full || falls_short())
            return -E2BIG;
        to = add(map, key);
    }
    memcpy(to, value, map->value_size);
    return 0;
}

long map_delete(struct map *map, const void *key) {
    if (is_array(map))
        return -EINVAL;
    for (struct entry **link = &map->entries; *link; link = &(*link)->next) {
        struct entry *entry = *link;
        if (memcmp(entry->key, key, map->key_size))
            continue;
        *link = entry->next;
        free(entry->value);
        free(entry);
        return 0;
    }
    return -ENOENT;
}

void kernel_reset(void) {
    if (reserved)
        fail("a record was reserved and never given back");
    for (__u32 i = 0; i < map_count; i++) {
        while (maps[i].entries) {
            struct entry *entry = maps[i].entries;
            maps[i].entries = entry->next;
            free(entry->value);
            free(entry);
        }
    }
    for (__u32 i = 0; i < kernel.clone_count; i++)
        packet_free(kernel.clones[i]);
    kernel = (struct kernel){};
    log_used = 0;
    log_text[0] = 0;
}
