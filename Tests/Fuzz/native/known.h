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

/* Nothing at present. */

#endif
