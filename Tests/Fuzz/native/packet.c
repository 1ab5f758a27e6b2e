/* SPDX-License-Identifier: MIT */
/* Packets: net/core/skbuff.c and include/linux/if_vlan.h, as far as a helper can tell. */
#include "packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf_endian.h>

#define ARENA_SIZE (64u << 20)
#define REDZONE 64u

static __u8 *arena;
static __u32 arena_next;

static void arena_open(void) {
    arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arena == MAP_FAILED)
        fail("no memory below 4 GiB");
    __asan_poison_memory_region(arena, ARENA_SIZE);
    __sanitizer_set_death_callback(log_show);
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

__u8 *lend(__u32 length, __u32 shift) {
    if (!arena)
        arena_open();
    __u32 span = (length + 3 * REDZONE) & ~7u;
    if (arena_next + span > ARENA_SIZE)
        arena_next = 0;
    __u8 *start = arena + arena_next + REDZONE + shift;
    arena_next += span;
    __asan_unpoison_memory_region(start, length);
    return start;
}

void take_back(__u8 *start, __u32 length, __u32 shift) {
    __asan_poison_memory_region(start - shift, length + 8);
}

void packet_expose(struct packet *packet) {
    if (packet->linear > packet->view.len)
        packet->linear = packet->view.len;
    __u8 *start = lend(packet->linear, packet->is_misaligned ? 2 : 0);
    memcpy(start, packet->octets, packet->linear);
    packet->view.data = packet->view.data_meta = (__u32)(long)start;
    packet->view.data_end = packet->view.data + packet->linear;
}

/* Takes over what the program wrote. */
void gather(const struct packet *packet) {
    if (packet->view.data)
        memcpy(packet->octets, linear_part(packet), packet->linear);
}

void packet_hide(struct packet *packet) {
    if (!packet->view.data)
        return;
    gather(packet);
    take_back(linear_part(packet), packet->linear, packet->is_misaligned ? 2 : 0);
    packet->view.data = packet->view.data_meta = packet->view.data_end = 0;
}

struct packet *packet_of(struct __sk_buff *skb) {
    return (struct packet *)skb;
}

/* Around whatever may move the packet. */
struct packet *begin(struct __sk_buff *skb) {
    struct packet *packet = packet_of(skb);
    packet_hide(packet);
    return packet;
}

long finish(struct packet *packet, const char *what, long result) {
    packet_expose(packet);
    trace("  %s = %ld; length %u, linear %u, protocol %04x, tag %d %04x %04x\n", what, result, packet->view.len,
          packet->linear, bpf_ntohs(packet->view.protocol), packet->view.vlan_present,
          bpf_ntohs(packet->view.vlan_proto), packet->view.vlan_tci);
    return result;
}

/* Whether memory is short right now. */
int falls_short(void) {
    return ++kernel.fallible_calls == kernel.fail_at;
}

int pull(struct packet *packet, __u32 length) {
    if (length > packet->view.len)
        return -1;
    if (length > packet->linear)
        packet->linear = length;
    return 0;
}

/* Takes memory where something must be made linear, or where the octets may be a clone's as well. */
int make_writable(struct packet *packet, __u32 length) {
    if ((length > packet->linear || !packet->is_private) && falls_short())
        return -ENOMEM;
    if (pull(packet, length))
        return -ENOMEM;
    packet->is_private = 1;
    return 0;
}

/* Octets before `offset` stay in front, `length` zeros come behind them. */
void push(struct packet *packet, __u32 offset, __u32 length) {
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

void pop(struct packet *packet, __u32 offset, __u32 length) {
    memmove(packet->octets + offset, packet->octets + offset + length, packet->view.len - offset - length);
    packet->view.len -= length;
    packet->linear -= length;
    packet->checksum_start -= length;
    /* A sum that began in what is gone is nobody's any more: skb_postpull_rcsum(). */
    if (packet->checksum_start < 0)
        packet->is_partial = 0;
}

int is_tag(__u32 protocol) {
    return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Of what follows an Ethernet header or a tag whose type field is at `at`: a length field is none. */
__be16 protocol_at(const struct packet *packet, __u32 at) {
    const __u8 *octets = packet->octets;
    if (at + 2 > packet->view.len)
        return 0;
    if (octets[at] >= 6)
        return bpf_htons(octets[at] << 8 | octets[at + 1]);
    if (at + 4 <= packet->view.len && octets[at + 2] == 0xff && octets[at + 3] == 0xff)
        return bpf_htons(ETH_P_802_3);
    return bpf_htons(ETH_P_802_2);
}

void put_tag(struct packet *packet, __be16 protocol, __u16 tci) {
    packet->view.vlan_present = 1;
    packet->view.vlan_proto = protocol;
    packet->view.vlan_tci = tci;
}

/* __skb_vlan_pop() */
int take_tag(struct packet *packet, __u16 *tci) {
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
