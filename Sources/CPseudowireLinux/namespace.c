#define _GNU_SOURCE
#include "namespace.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct visit {
    int namespace_fd;
    void (*body)(void *context);
    void *context;
    int result;
};

/* Whether the calling thread is in that namespace already: one inode for one that is alive. */
static int is_inside(int namespace_fd) {
    struct stat there, here;

    return !fstat(namespace_fd, &there) && !stat("/proc/thread-self/ns/net", &here) && there.st_dev == here.st_dev &&
           there.st_ino == here.st_ino;
}

/* To stay where one is needs no privilege, though the kernel asks for CAP_SYS_ADMIN even for that. */
static int enter(int namespace_fd) {
    if (!setns(namespace_fd, CLONE_NEWNET))
        return 0;
    int error = errno;
    return error == EPERM && is_inside(namespace_fd) ? 0 : -error;
}

static void *visit_namespace(void *argument) {
    struct visit *visit = argument;

    if (visit->namespace_fd != PSEUDOWIRE_NEW_NAMESPACE)
        visit->result = enter(visit->namespace_fd);
    else if (unshare(CLONE_NEWNET))
        visit->result = -errno;
    if (!visit->result)
        visit->body(visit->context);
    return NULL;
}

int pseudowire_run_in_namespace(int namespace_fd, void (*body)(void *context), void *context) {
    struct visit visit = {.namespace_fd = namespace_fd, .body = body, .context = context};
    sigset_t all, before;
    pthread_t thread;
    int error;

    /* A new thread inherits the mask, so there is no moment at which a handler could run on it. */
    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error)
        return -error;
    error = pthread_create(&thread, NULL, visit_namespace, &visit);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return -error;
    error = pthread_join(thread, NULL);
    return error ? -error : visit.result;
}

int pseudowire_namespace_cookie(int socket_fd, uint64_t *cookie) {
    socklen_t size = sizeof(*cookie);

    return getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &size) ? -errno : 0;
}
