#ifndef CPSEUDOWIRE_LINUX_H
#define CPSEUDOWIRE_LINUX_H

/* The system calls that Swift cannot make itself, one header per subject. */
#include "bpf.h"
#include "driver.h"
#include "namespace.h"
#include "packet.h"
#include "tun.h"

#endif
