/* SPDX-License-Identifier: MIT */
/*
 * What is known to be wrong with the datapath, and not looked at until it has been put right: then the line goes, what
 * it guards goes, and the input in known/ that shows it moves to corpus/. `make known` looks all the same.
 */
#ifndef NATIVE_KNOWN_H
#define NATIVE_KNOWN_H

#ifndef KNOWN
#define KNOWN 1
#endif

/*
 * Removing headers from a short frame shifts the frame, but not the place of a checksum to be filled in, where the
 * kernel refuses to make the frame longer first: one from a veth that it knows to be in a tunnel.
 */
#define KNOWN_SHIFTED_CHECKSUM KNOWN

#endif
