#ifndef CPSEUDOWIRE_NAMESPACE_H
#define CPSEUDOWIRE_NAMESPACE_H

#include <stdint.h>
#include <sys/vfs.h>

/* In place of a descriptor: a network namespace that is made for this one call. */
enum { PSEUDOWIRE_NEW_NAMESPACE = -1 };

/* Runs body(context) on a thread of its own that has entered a network namespace, and waits for its end.
   The caller's namespace never changes. All signals are blocked on the thread. The body must make system
   calls only: a thread that it started would inherit the namespace.
   Returns 0, or a negated errno, in which case body did not run. */
int pseudowire_run_in_namespace(int namespace_fd, void (*body)(void *context), void *context);

/* Stores the cookie (SO_NETNS_COOKIE, Linux 5.14) of the namespace that a socket lives in.
   Returns 0 or a negated errno. */
int pseudowire_namespace_cookie(int socket_fd, uint64_t *cookie);

#endif
