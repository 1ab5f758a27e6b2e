/*
 * The compiled datapath, and what it and its control plane agree on.
 *
 * The object is built from bpf/ by `make bpf` and committed, so that whoever builds the package needs no BPF compiler;
 * `make bpf-check` proves that it is what bpf/ says.
 */
#ifndef CPSEUDOWIREOBJECT_H
#define CPSEUDOWIREOBJECT_H

#include <stddef.h>
#include "../../../bpf/abi/pseudowire_abi.h"
#include "../../../bpf/abi/pseudowire_journal.h"

/* The ELF object: its first octet, and how many there are. */
const unsigned char *pw_object_start(void);
size_t pw_object_size(void);

/* The reason's identifier ("NO_ROUTE"), its direction ("tx", "rx", "seen", "noted"), its sentence; NULL beyond. */
const char *pw_drop_reason_identifier(unsigned reason);
const char *pw_drop_reason_direction(unsigned reason);
const char *pw_drop_reason_sentence(unsigned reason);

#endif
