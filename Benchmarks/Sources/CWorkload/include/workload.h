/* SPDX-License-Identifier: MIT */
/*
 * Traffic between two network namespaces, as fast as it goes, for a given time.
 *
 * In C because each end is a thread that has moved to a namespace of its own, where nothing of Swift's runtime may
 * ever run. All functions return 0, or a negative errno.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

/* Where a workload runs: file descriptors of the namespaces, and IPv4 addresses as text. */
struct workload_ends {
    int from, to;
    const char *from_address, *to_address;
};

/* TCP, that many connections at once; counts what the receivers have read. */
int workload_tcp(const struct workload_ends *ends, int flows, double seconds, uint64_t *octets, double *elapsed);

/*
 * UDP datagrams of that many octets of payload from one socket to one that nobody reads: what arrives is for the
 * caller to count at the interface. *sent is what the sending socket took.
 */
int workload_datagrams(const struct workload_ends *ends, int payload, double seconds, uint64_t *sent, double *elapsed);

/* UDP back and forth, one datagram at a time: nanoseconds for each turn. */
int workload_ping_pong(const struct workload_ends *ends, int payload, int count, uint64_t *nanoseconds);

/* Runs a program, its output thrown away, and waits for its end; *elapsed from the start to the end. Its exit status.
 */
int workload_command(char *const arguments[], double *elapsed);

#endif
