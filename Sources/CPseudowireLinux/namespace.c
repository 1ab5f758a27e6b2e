#define _GNU_SOURCE
#include "namespace.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct visit {
    int namespace_fd;
    void (*body)(void *context);
    void *context;
    int result;
};

static void *visit_namespace(void *argument) {
    struct visit *visit = argument;
    int failed = visit->namespace_fd == PSEUDOWIRE_NEW_NAMESPACE ? unshare(CLONE_NEWNET)
                                                                 : setns(visit->namespace_fd, CLONE_NEWNET);

    if (failed)
        visit->result = -errno;
    else
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
