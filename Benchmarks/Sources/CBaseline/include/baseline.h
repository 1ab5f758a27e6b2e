/* SPDX-License-Identifier: MIT */
/* What a C programmer writes on libmnl for the same jobs: one socket for all of a call, one request at a time. */
#ifndef BASELINE_H
#define BASELINE_H

/* Adds `count` host routes, 10.0.0.0 and what follows, to the interface. How many were added. */
int baseline_add_routes(int ifindex, int count);
/* Reads all links `times` times: index, flags, name, MTU, address, kind and statistics. How many there were in all. */
int baseline_dump_links(int times);
/* Asks for one link by its name `times` times. How often it was found. */
int baseline_find_link(const char *name, int times);
/* A network namespace of this process's own. 0, or errno. */
int baseline_isolate(void);

#endif
