/* SPDX-License-Identifier: MIT */
/* Counts what the calling thread allocates: this process's malloc is ours, in front of the C library's. */
#ifndef CPSEUDOWIRE_ALLOCATIONS_H
#define CPSEUDOWIRE_ALLOCATIONS_H

/* How often the calling thread has allocated up to now; -1 under a sanitizer, which has a malloc of its own. */
long pseudowire_allocations(void);

#endif
