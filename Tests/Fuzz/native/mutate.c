/* SPDX-License-Identifier: MIT */
/*
 * Inputs worth trying. Left to itself libFuzzer would be long in finding an Ethernet frame; here it is given customers'
 * frames of the kinds that there are, and settings that belong together, and does with them what it likes.
 */
#include <linux/bpf.h>
#include <string.h>

#include "recipe.h"
#include "session.h"

size_t LLVMFuzzerMutate(__u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(__u8 *data, size_t size, size_t max_size, unsigned seed);

static __u32 state;

static __u32 pick(__u32 below) {
    state = state * 1664525 + 1013904223;
    return (state >> 12) % below;
}

static int one_in(__u32 chances) {
    return pick(chances) == 0;
}

/* A customer's frame; repair() will see to lengths and checksums. Returns how long it is. */
static __u32 make_frame(__u8 *at) {
    static const __u8 addresses[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    static const __u16 tags[4] = {0x8100, 0x88a8, 0x8100, 0x8100};
    static const __u16 ids[6] = {0, 42, 42, 42, 99, 0xa02a};
    __u32 length = 12;
    memcpy(at, addresses, 12);
    if (one_in(12))
        at[0] = 0xff;
    for (__u32 count = one_in(2) ? pick(4) : 0; count; count--) {
        write16(at + length, tags[pick(4)]);
        write16(at + length + 2, ids[pick(6)]);
        length += 4;
    }
    __u32 kind = pick(16);
    if (kind == 0) { /* ARP */
        static const __u8 arp[10] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
        memcpy(at + length, arp, 10);
        memset(at + length + 10, 0x11, 20);
        return length + 30;
    }
    if (kind == 1) { /* something else */
        static const __u16 types[4] = {0x88cc, 0x88b5, 0x0040, 0x8100};
        write16(at + length, types[pick(4)]);
        __u32 octets = pick(60);
        memset(at + length + 2, (int)pick(256), octets);
        return length + 2 + octets;
    }
    int is_v6 = kind & 1;
    write16(at + length, is_v6 ? 0x86dd : 0x0800);
    length += 2;
    __u8 *ip = at + length;
    static const __u8 protocols[8] = {6, 6, 6, 17, 17, 1, 47, 4};
    __u8 protocol = protocols[pick(8)];
    memset(ip, 0, 60);
    if (is_v6) {
        if (protocol == 1)
            protocol = 58;
        ip[0] = 0x60;
        ip[1] = (__u8)(pick(4) << 4);
        ip[6] = protocol;
        ip[7] = 64;
        memcpy(ip + 8, "\x20\x01\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1", 16);
        memcpy(ip + 24, "\x20\x01\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\2", 16);
        length += 40;
    } else {
        __u32 words = one_in(6) ? 5 + pick(11) : 5;
        ip[0] = (__u8)(0x40 | words);
        ip[1] = (__u8)pick(4);
        write16(ip + 4, pick(0x10000));
        ip[6] = one_in(2) ? 0x40 : one_in(6) ? 0x20 : 0;
        if (one_in(12))
            ip[7] = (__u8)pick(256);
        ip[8] = 64;
        ip[9] = protocol;
        memcpy(ip + 12, "\xc6\x33\x64\1\xc6\x33\x64\2", 8);
        memset(ip + 20, 1, words * 4 - 20);
        length += words * 4;
    }
    __u8 *transport = at + length;
    memset(transport, 0, 60);
    write16(transport, 1234);
    write16(transport + 2, 80);
    if (protocol == 6) {
        __u32 words = one_in(2) ? 5 + pick(11) : 6;
        transport[12] = (__u8)(words << 4);
        transport[13] = (__u8)(one_in(3) ? 0x10 : 0x02);
        memset(transport + 20, 1, words * 4 - 20);
        if (words > 5) {
            __u32 option = pick(words * 4 - 23);
            static const __u8 mss[4] = {2, 4, 0x05, 0xb4};
            memcpy(transport + 20 + option, mss, 4);
        }
        length += words * 4;
    } else if (protocol == 1 || protocol == 58) {
        transport[0] = protocol == 1 ? one_in(2) ? 8 : 3 : one_in(2) ? 128 : 1;
        transport[1] = 0;
        length += 8;
    } else {
        length += 8;
    }
    __u32 octets = one_in(3) ? pick(4) : pick(64);
    for (__u32 i = 0; i < octets; i++)
        at[length++] = (__u8)pick(256);
    return length;
}

/* Something about the pseudowire or its kernel, such as it might well be. */
static void change(struct recipe *recipe, __u32 frame_length) {
    __u32 stretch = recipe->shape & SHAPE_LONG ? recipe->stretch : recipe->stretch & 0x7ff;
    __u32 length = frame_length + stretch + 14;
    switch (pick(23)) {
    case 0:
        recipe->flags ^= 1u << pick(17);
        break;
    case 1:
        recipe->flags = pick(1 << 17);
        break;
    case 2: /* MTUs about as long as the frame is, or a part of it */
        recipe->fib_mtu = (__u16)(length / (1 + (one_in(3) ? pick(4) : 0)) + pick(100));
        recipe->device_mtu = (__u16)(recipe->fib_mtu + pick(8));
        break;
    case 3:
        recipe->fib_mtu = recipe->device_mtu = 9000;
        recipe->mtu = 0;
        recipe->setup &= (__u8)~SETUP_PATH_MTU;
        break;
    case 4:
        recipe->mtu = one_in(2) ? 0 : (__u16)(length / (1 + pick(3)) + pick(60));
        break;
    case 5:
        recipe->path_mtu = (__u16)(length / (1 + pick(2)) + pick(80));
        recipe->setup ^= SETUP_PATH_MTU;
        break;
    case 6:
        recipe->setup = (__u8)(one_in(2) ? 0 : 1 << pick(8));
        break;
    case 7:
        recipe->program = (__u8)pick(4);
        break;
    case 8:
        recipe->shape = (__u8)((recipe->shape & SHAPE_LONG) | SHAPE_REPAIR | (one_in(4) ? 0 : SHAPE_UNTAG) |
                               (one_in(6) ? SHAPE_QUOTE : SHAPE_WRAP) | (one_in(3) ? SHAPE_PARTIAL : 0) |
                               (one_in(2) ? SHAPE_SUMMED : 0) | (one_in(4) ? SHAPE_REST : 0));
        break;
    case 9:
        recipe->stretch = (__u16)(one_in(2) ? pick(40) : pick(1500));
        recipe->shape &= (__u8)~SHAPE_LONG;
        if (one_in(12)) {
            recipe->shape |= SHAPE_LONG;
            recipe->stretch = (__u16)pick(0x10000);
        }
        break;
    case 10:
        recipe->gso_kind = (__u8)(one_in(2) ? 0 : 1 + pick(3));
        recipe->gso_size = (__u16)(1 + pick(1460));
        break;
    case 11:
        recipe->fail_at = (__u8)(one_in(2) ? 0 : 1 + pick(24));
        break;
    case 12:
        recipe->kernel ^= (__u8)(1 << pick(8));
        break;
    case 13:
        recipe->cookies = (__u8)pick(64);
        break;
    case 14:
        recipe->vlan = (__u8)pick(4);
        recipe->tag = (__u8)pick(3);
        recipe->tci = (__u16)(one_in(2) ? 42 : pick(0x10000));
        recipe->tagged = (__u8)((one_in(2) ? 0 : pick(4)) | (one_in(3) ? 4 : 0));
        break;
    case 15:
        recipe->linear = (__u8)(one_in(3) ? 0 : pick(256));
        break;
    case 16:
        recipe->overwrites = (__u8)pick(3);
        recipe->refused = (__u8)pick(8);
        for (__u32 i = 0; i < 2; i++) {
            recipe->overwrite[i].offset = (__u16)pick(110);
            recipe->overwrite[i].value = (__u8)pick(256);
        }
        if (one_in(3)) { /* a fragment, or what says that there is one */
            __u32 link = recipe->program % 4 == 3 ? 0 : 14;
            recipe->overwrites = 1;
            recipe->overwrite[0].offset = (__u16)(link + 6);
            recipe->overwrite[0].value = recipe->flags & 1 ? 44 : 0x20;
        }
        break;
    case 17:
        recipe->step = one_in(2) ? 0 : one_in(2) ? pick(4) : pick(0x1000000);
        recipe->sequence = one_in(3) ? 0xffffff : pick(0x1000000);
        break;
    case 18:
        recipe->outer_class = (__u8)pick(4);
        recipe->options = (__u8)(one_in(2) ? 0 : pick(11));
        recipe->sublayer = (__u8)(one_in(3) ? pick(256) : 0);
        recipe->source_port = (__u16)(one_in(3) ? pick(0x10000) : 0);
        recipe->pkt_type = (__u8)(one_in(8) ? pick(8) : 0);
        if (recipe->shape & SHAPE_QUOTE && !(recipe->shape & SHAPE_WRAP)) {
            recipe->options = (__u8)(pick(8) << 5);
            recipe->padding = (__u8)pick(24);
            recipe->mtu = (__u16)(one_in(3) ? pick(0x10000) : 1270 + pick(200));
        }
        break;
    case 19: /* what the XDP program before the filter finds */
        recipe->overwrite[0].xdp = (__u8)(one_in(3) ? 0 : one_in(2) ? 1 << pick(8) : pick(256));
        recipe->overwrite[1].xdp = (__u8)(one_in(2) ? 0 : pick(256));
        recipe->overwrite[2].xdp = (__u8)pick(4);
        break;
    case 20: /* a frame that it can send */
        recipe->program = one_in(2) ? 0 : 2;
        recipe->shape = SHAPE_REPAIR | SHAPE_UNTAG | SHAPE_WRAP | (one_in(2) ? SHAPE_SUMMED : 0);
        recipe->setup = SETUP_ETHERNET;
        recipe->fib = 0;
        recipe->fib_mtu = recipe->device_mtu = 2000;
        recipe->flags &= ~(__u32)(PW_FLAG_SEQUENCE_SEND | PW_FLAG_SEQUENCE_RECEIVE);
        recipe->gso_kind = recipe->pkt_type = recipe->options = recipe->sublayer = recipe->outer_class = 0;
        recipe->overwrite[0].xdp &= (__u8) ~(XDP_LOSES | XDP_STRANGE);
        break;
    case 21: /* a flood for a session that nobody has */
        recipe->program = 2;
        recipe->shape |= SHAPE_WRAP;
        recipe->setup |= SETUP_NOBODY;
        recipe->flags |= PW_FLAG_UDP;
        recipe->fib = (__s8)(4 + pick(2));
        recipe->overwrite[0].xdp = XDP_SHEDS | XDP_FLOOD | (one_in(3) ? XDP_SOCKET : 0);
        recipe->overwrite[1].xdp = (__u8)(one_in(2) ? 2 : pick(8));
        break;
    default:
        recipe->fib = (__s8)(one_in(2) ? 0 : (int)pick(10) - 2);
        recipe->padding = (__u8)(one_in(2) ? 0 : pick(256));
        recipe->hash = pick(1 << 20) << 8;
        break;
    }
}

size_t LLVMFuzzerCustomMutator(__u8 *data, size_t size, size_t max_size, unsigned seed) {
    struct recipe recipe;
    state = seed;
    if (max_size < sizeof(recipe) + 300)
        return LLVMFuzzerMutate(data, size, max_size);
    if (size < sizeof(recipe)) {
        memset(data + size, 0, sizeof(recipe) - size);
        size = sizeof(recipe);
    }
    memcpy(&recipe, data, sizeof(recipe));
    __u32 length = (__u32)(size - sizeof(recipe));
    switch (pick(8)) {
    case 0:
        return LLVMFuzzerMutate(data, size, max_size);
    case 1:
        LLVMFuzzerMutate(data, sizeof(recipe), sizeof(recipe));
        return size;
    case 2:
        return sizeof(recipe) + LLVMFuzzerMutate(data + sizeof(recipe), length, max_size - sizeof(recipe));
    case 3:
    case 4:
        length = make_frame(data + sizeof(recipe));
        break;
    default:
        break;
    }
    for (__u32 changes = pick(4); changes; changes--)
        change(&recipe, length);
    memcpy(data, &recipe, sizeof(recipe));
    return sizeof(recipe) + length;
}
