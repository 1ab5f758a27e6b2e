/* SPDX-License-Identifier: MIT */
/* The datapath's own sources, as they are. */
#ifndef NATIVE_DATAPATH_H
#define NATIVE_DATAPATH_H

/* A map of this name would take the place of the C library's function. */
#define access access_map

/* A constant that the loader sets: here it is a variable, declared in maps.h's stead. */
#define has_decap_l3 has_decap_l3_as_declared
#include <maps.h>
#undef has_decap_l3
static __u32 has_decap_l3;

#include <pseudowire.bpf.c>

#endif
