#define _GNU_SOURCE
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int pseudowire_packet_open(const char *interface, int buffer_size, int sees_outgoing) {
    const int on = 1, ignore_outgoing = !sees_outgoing;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int fd, error;

    address.sll_ifindex = (int)if_nametoindex(interface);
    if (!address.sll_ifindex)
        return -errno;
    /* Protocol 0: nothing arrives before bind says from where. */
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_size, sizeof(buffer_size)) ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore_outgoing, sizeof(ignore_outgoing)) ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address))) {
        error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int pseudowire_packet_send(int socket_fd, const void *frame, size_t length,
                           const struct pseudowire_frame_notes *notes) {
    struct virtio_net_hdr header = {
        .flags = notes->needs_checksum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
        .gso_type = notes->segmentation,
        .gso_size = notes->segment_size,
        .hdr_len = notes->header_length,
        .csum_start = notes->checksum_start,
        .csum_offset = notes->checksum_offset,
    };
    struct iovec parts[] = {{&header, sizeof(header)}, {(void *)frame, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    while (sendmsg(socket_fd, &message, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

ssize_t pseudowire_packet_receive(int socket_fd, void *buffer, size_t size, struct pseudowire_frame_notes *notes) {
    struct virtio_net_hdr header = {0};
    struct sockaddr_ll address = {0};
    _Alignas(struct cmsghdr) char control[256];
    struct iovec parts[] = {{&header, sizeof(header)}, {buffer, size}};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = sizeof(address),
        .msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *item;
    ssize_t count;

    do
        count = recvmsg(socket_fd, &message, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    if ((size_t)count < sizeof(header))
        return -EPROTO;
    count -= sizeof(header);

    memset(notes, 0, sizeof(*notes));
    notes->original_length = (uint32_t)count;
    notes->is_outgoing = address.sll_pkttype == PACKET_OUTGOING;
    notes->needs_checksum = (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
    notes->segmentation = header.gso_type;
    notes->segment_size = header.gso_size;
    notes->header_length = header.hdr_len;
    notes->checksum_start = header.csum_start;
    notes->checksum_offset = header.csum_offset;
    for (item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;

            memcpy(&time, CMSG_DATA(item), sizeof(time));
            notes->nanoseconds = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
        } else if (item->cmsg_level == SOL_PACKET && item->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata data;

            memcpy(&data, CMSG_DATA(item), sizeof(data));
            notes->original_length = data.tp_len;
            if (data.tp_status & TP_STATUS_CSUMNOTREADY)
                notes->needs_checksum = 1;
            if (data.tp_status & TP_STATUS_VLAN_VALID) {
                notes->tag_protocol = data.tp_status & TP_STATUS_VLAN_TPID_VALID ? data.tp_vlan_tpid : ETH_P_8021Q;
                notes->tag_control = data.tp_vlan_tci;
            }
        }
    }
    return count;
}

int64_t pseudowire_packet_overflow(int socket_fd) {
    struct tpacket_stats statistics;
    socklen_t size = sizeof(statistics);

    if (getsockopt(socket_fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size))
        return -errno;
    return statistics.tp_drops;
}
