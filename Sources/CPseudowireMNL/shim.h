#ifndef CPSEUDOWIRE_MNL_SHIM_H
#define CPSEUDOWIRE_MNL_SHIM_H

/* The C library's own headers come first: linux/libc-compat.h then keeps the kernel's copies of in_addr and
   friends away, which would clash with Swift's Glibc module. */
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#endif
