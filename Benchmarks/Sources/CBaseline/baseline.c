/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "baseline.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#define BUFFER 32768

struct link {
    int index;
    unsigned int flags;
    char name[IFNAMSIZ];
    char kind[16];
    uint32_t mtu;
    uint8_t address[6];
    struct rtnl_link_stats64 statistics;
};

static struct mnl_socket *open_socket(void) {
    struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
    if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        mnl_socket_close(socket);
        return NULL;
    }
    return socket;
}

int baseline_isolate(void) {
    return unshare(CLONE_NEWNET) ? errno : 0;
}

int baseline_add_routes(int ifindex, int count) {
    char buffer[BUFFER];
    struct mnl_socket *socket = open_socket();
    int added = 0;
    if (!socket)
        return -1;
    unsigned int port = mnl_socket_get_portid(socket);
    for (int i = 0; i < count; i++) {
        struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
        header->nlmsg_type = RTM_NEWROUTE;
        header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        header->nlmsg_seq = i + 1;
        struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
        route->rtm_family = AF_INET;
        route->rtm_dst_len = 32;
        route->rtm_table = RT_TABLE_MAIN;
        route->rtm_protocol = RTPROT_STATIC;
        route->rtm_scope = RT_SCOPE_LINK;
        route->rtm_type = RTN_UNICAST;
        mnl_attr_put_u32(header, RTA_DST, htonl(0x0a000000 + i));
        mnl_attr_put_u32(header, RTA_OIF, ifindex);
        if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
            break;
        ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
        if (length < 0 || mnl_cb_run(buffer, length, i + 1, port, NULL, NULL) < 0)
            break;
        added += 1;
    }
    mnl_socket_close(socket);
    return added;
}

static int parse_kind(const struct nlattr *attribute, void *data) {
    struct link *link = data;
    if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
        strncpy(link->kind, mnl_attr_get_str(attribute), sizeof(link->kind) - 1);
    return MNL_CB_OK;
}

static int parse_attribute(const struct nlattr *attribute, void *data) {
    struct link *link = data;
    switch (mnl_attr_get_type(attribute)) {
    case IFLA_IFNAME:
        strncpy(link->name, mnl_attr_get_str(attribute), sizeof(link->name) - 1);
        break;
    case IFLA_MTU:
        link->mtu = mnl_attr_get_u32(attribute);
        break;
    case IFLA_ADDRESS:
        if (mnl_attr_get_payload_len(attribute) == 6)
            memcpy(link->address, mnl_attr_get_payload(attribute), 6);
        break;
    case IFLA_LINKINFO:
        mnl_attr_parse_nested(attribute, parse_kind, link);
        break;
    case IFLA_STATS64:
        if (mnl_attr_get_payload_len(attribute) >= sizeof(link->statistics))
            memcpy(&link->statistics, mnl_attr_get_payload(attribute), sizeof(link->statistics));
        break;
    }
    return MNL_CB_OK;
}

struct sum {
    int count;
    uint64_t octets;
};

static int take_link(const struct nlmsghdr *header, void *data) {
    struct sum *sum = data;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
    struct link link = {.index = info->ifi_index, .flags = info->ifi_flags};
    mnl_attr_parse(header, sizeof(*info), parse_attribute, &link);
    sum->count += link.name[0] != 0;
    sum->octets += link.statistics.rx_bytes + link.mtu + link.address[0];
    return MNL_CB_OK;
}

static struct nlmsghdr *put_link_request(char *buffer, unsigned int flags, unsigned int sequence) {
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = RTM_GETLINK;
    header->nlmsg_flags = flags;
    header->nlmsg_seq = sequence;
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    info->ifi_family = AF_UNSPEC;
    /* Asked the same question as RouteNetlink asks: without IPv6's counters, a third of an answer. */
    mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return header;
}

int baseline_dump_links(int times) {
    char buffer[BUFFER];
    struct mnl_socket *socket = open_socket();
    struct sum sum = {};
    if (!socket)
        return -1;
    unsigned int port = mnl_socket_get_portid(socket);
    for (int i = 0; i < times; i++) {
        struct nlmsghdr *header = put_link_request(buffer, NLM_F_REQUEST | NLM_F_DUMP, i + 1);
        if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
            break;
        int state = MNL_CB_OK;
        while (state > MNL_CB_STOP) {
            ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
            if (length < 0)
                break;
            state = mnl_cb_run(buffer, length, i + 1, port, take_link, &sum);
        }
    }
    mnl_socket_close(socket);
    return sum.count;
}

int baseline_find_link(const char *name, int times) {
    char buffer[BUFFER];
    struct mnl_socket *socket = open_socket();
    struct sum sum = {};
    if (!socket)
        return -1;
    unsigned int port = mnl_socket_get_portid(socket);
    for (int i = 0; i < times; i++) {
        struct nlmsghdr *header = put_link_request(buffer, NLM_F_REQUEST, i + 1);
        mnl_attr_put_strz(header, IFLA_IFNAME, name);
        if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
            break;
        ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
        if (length < 0 || mnl_cb_run(buffer, length, i + 1, port, take_link, &sum) < 0)
            break;
    }
    mnl_socket_close(socket);
    return sum.count;
}
