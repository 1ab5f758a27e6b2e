#ifndef CPSEUDOWIRE_PACKET_H
#define CPSEUDOWIRE_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the kernel says about a frame beside its octets, and what is to be said to it. Host byte order. */
struct pseudowire_frame_notes {
    uint64_t nanoseconds;     /* received: since 1970, 0 when unknown */
    uint32_t original_length; /* received: octets of the frame, without the tag that is only in the notes */
    uint16_t tag_protocol;    /* received: TPID of a tag that the kernel took out of the octets, else 0 */
    uint16_t tag_control;     /* received: priority, DEI and VLAN of that tag */
    uint8_t is_outgoing;      /* received: seen on its way out of the interface */
    uint8_t needs_checksum;   /* both: the transport's checksum is still to be filled in */
    uint8_t segmentation;     /* both: VIRTIO_NET_HDR_GSO_*, 0 for a frame of its own */
    uint16_t segment_size;    /* both: octets of payload per segment */
    uint16_t header_length;   /* both: octets up to the payload */
    uint16_t checksum_start;  /* both: where summing starts */
    uint16_t checksum_offset; /* both: where the sum goes, from there on */
};

/* Opens an AF_PACKET socket on an interface of the calling thread's namespace. Frames that the interface
   received or sent queue up in it from then on. buffer_size is in octets and may exceed the system's limit.
   Returns the descriptor, or a negated errno: ENODEV when there is no such interface. */
int pseudowire_packet_open(const char *interface, int buffer_size, int sees_outgoing);

/* Sends one Ethernet frame, without its FCS. Returns 0 or a negated errno. */
int pseudowire_packet_send(int socket_fd, const void *frame, size_t length, const struct pseudowire_frame_notes *notes);

/* Takes the next frame out of the queue, without waiting.
   Returns the number of octets stored, or a negated errno: EAGAIN when the queue is empty, EINVAL when the next
   frame was one whose notes the kernel cannot put down; it is out of the queue then. */
ssize_t pseudowire_packet_receive(int socket_fd, void *buffer, size_t size, struct pseudowire_frame_notes *notes);

/* How many frames did not fit into the queue since the last call, or a negated errno. */
int64_t pseudowire_packet_overflow(int socket_fd);

#endif
