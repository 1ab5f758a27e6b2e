/* SPDX-License-Identifier: MIT */
/* The pseudowire and the kernel that an input asks for. */
#include <string.h>

#include "fuzz.h"

/* What no control plane would write is no use trying. */
static __u32 consistent(__u32 flags) {
    flags &= PW_FLAG_OWNS_ACCESS - 1;
    if (!(flags & PW_FLAG_UDP))
        flags &= ~(PW_FLAG_UDP_CHECKSUM | PW_FLAG_ENTROPY_SEND | PW_FLAG_ENTROPY_RECEIVE);
    if (!(flags & PW_FLAG_SUBLAYER))
        flags &= ~(PW_FLAG_SEQUENCE_SEND | PW_FLAG_SEQUENCE_RECEIVE);
    if (flags & PW_FLAG_IPV6)
        flags &= ~PW_FLAG_MAY_FRAGMENT;
    else
        flags &= ~PW_FLAG_FLOW_LABEL;
    if (flags & PW_FLAG_FRAGMENT_OUTER)
        flags &= ~PW_FLAG_FRAGMENT_INNER;
    return flags;
}

void set_up_session(void) {
    static const __u8 cookies[3][8] = {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88},
                                       {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8},
                                       {0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8}};
    session = (struct session){.flags = consistent(recipe.flags),
                               .local_id = 0x3f4,
                               .peer_id = 0x3fd,
                               .local_port = 1701,
                               .peer_port = 1702,
                               .mtu = recipe.mtu};
    if (session.flags & PW_FLAG_IPV6) {
        static const __u8 prefix[4] = {0x20, 0x01, 0x0d, 0xb8};
        memcpy(session.local, prefix, 4);
        memcpy(session.peer, prefix, 4);
        session.local[15] = 0x21;
        session.peer[15] = 0x22;
    } else {
        memcpy(session.local, "\xc0\x00\x02\x15", 4);
        memcpy(session.peer, "\xc0\x00\x02\x16", 4);
    }
    session.expect_length = (__u8)((recipe.cookies & COOKIES_EXPECT) % 3 * 4);
    session.send_length = (__u8)(((recipe.cookies & COOKIES_SEND) >> 3) % 3 * 4);
    session.expect_count = !session.expect_length ? 0 : recipe.cookies & COOKIES_TWO ? 2 : 1;
    memcpy(session.expect_cookie[0], cookies[0], session.expect_length);
    memcpy(session.expect_cookie[1], cookies[1], session.expect_length);
    memcpy(session.send_cookie, cookies[2], session.send_length);
    session.traffic_class = session.flags & PW_FLAG_DSCP_INHERIT ? 0 : recipe.traffic_class & 0xfc;
    static const __u16 vlans[4] = {PW_VLAN_ANY, PW_VLAN_NONE, 42, 42 | PW_VLAN_SERVICE};
    static const __u16 tags[3] = {PW_TAG_KEEP, PW_TAG_STRIP, 99};
    session.vlan = vlans[recipe.vlan & 3];
    session.tag = session.vlan < PW_VLAN_NONE ? tags[recipe.tag % 3] : PW_TAG_KEEP;
    if (recipe.setup & SETUP_PATH_MTU)
        session.path_mtu = recipe.path_mtu < 552 ? 552 : recipe.path_mtu;
}

void set_up_kernel(void) {
    kernel_reset();
    kernel.has_decap_l3 = !!(recipe.kernel & KERNEL_DECAP_L3);
    kernel.is_recent = !!(recipe.kernel & KERNEL_RECENT);
    kernel.is_ring_full = !!(recipe.kernel & KERNEL_RING_FULL);
    kernel.is_clone_lost = !!(recipe.kernel & KERNEL_CLONE_LOST);
    kernel.fib_result = recipe.fib >= -30 && recipe.fib <= BPF_FIB_LKUP_RET_FRAG_NEEDED - 1 ? recipe.fib : 0;
    kernel.fib_ifindex = ROUTED;
    kernel.fib_mtu = recipe.fib_mtu;
    memcpy(kernel.fib_addresses, "\x02\x00\x5e\x00\x53\x01\x02\x00\x5e\x00\x53\x02", 12);
    kernel.known_ifindex = UNDERLAY;
    kernel.device_mtu = recipe.device_mtu;
    kernel.now = 1000ULL * 1000000000;
    kernel.random = recipe.hash;
    kernel.hash = recipe.hash;
}

int is_path_mtu_valid(void) {
    return session.path_mtu && !(recipe.setup & SETUP_PATH_EXPIRED);
}

int xdp_finds(__u8 what) {
    return !!(recipe.overwrite[0].xdp & what);
}

struct pw_access_key access_key(void) {
    return (struct pw_access_key){.ifindex = ACCESS, .vlan = session.vlan};
}
