/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 5201, CHUNK = 128 * 1024, BATCH = 64, MAX_FLOWS = 16, GIVE_UP_SECONDS = 10 };

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* One socket, made in a namespace by a thread that ends right after. */
struct opening {
    int namespace, type;
    int result;
};

static void *open_there(void *argument) {
    struct opening *opening = argument;
    opening->result = setns(opening->namespace, CLONE_NEWNET) ? -errno : socket(AF_INET, opening->type, 0);
    if (opening->result == -1)
        opening->result = -errno;
    return NULL;
}

static int open_socket(int namespace, int type) {
    struct opening opening = {.namespace = namespace, .type = type | SOCK_CLOEXEC};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, open_there, &opening);
    if (error)
        return -error;
    pthread_join(thread, NULL);
    if (opening.result >= 0) {
        /* Nothing may hang, whatever becomes of the network between the two. */
        struct timeval limit = {.tv_sec = GIVE_UP_SECONDS};
        setsockopt(opening.result, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        setsockopt(opening.result, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    return opening.result;
}

static struct sockaddr_in address_of(const char *text, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

/* An end of a connection at work. */
struct flow {
    pthread_t thread;
    int socket;
    uint64_t until, octets, last;
    int error;
};

static void *send_all(void *argument) {
    struct flow *flow = argument;
    static const char zeros[CHUNK];
    while (now() < flow->until) {
        ssize_t count = send(flow->socket, zeros, sizeof(zeros), MSG_NOSIGNAL);
        if (count < 0) {
            flow->error = -errno;
            break;
        }
        flow->octets += (uint64_t)count;
    }
    shutdown(flow->socket, SHUT_WR);
    return NULL;
}

static void *receive_all(void *argument) {
    struct flow *flow = argument;
    char *buffer = malloc(CHUNK);
    if (!buffer) {
        flow->error = -ENOMEM;
        return NULL;
    }
    for (;;) {
        ssize_t count = recv(flow->socket, buffer, CHUNK, 0);
        if (count < 0)
            flow->error = -errno;
        if (count <= 0)
            break;
        uint64_t time = now();
        /* What comes after the senders' time is up is no longer a rate. */
        if (time > flow->until)
            continue;
        flow->octets += (uint64_t)count;
        flow->last = time;
    }
    free(buffer);
    return NULL;
}

/* Runs the flows whose sockets are connected; the time starts now. */
static int run_flows(struct flow *senders, struct flow *receivers, int flows, double seconds, uint64_t *octets,
                     double *elapsed) {
    uint64_t start = now(), until = start + (uint64_t)(seconds * 1e9);
    int started = 0, error = 0;
    for (; started < flows; started++) {
        senders[started].until = receivers[started].until = until;
        error = -pthread_create(&receivers[started].thread, NULL, receive_all, &receivers[started]);
        if (error)
            break;
        error = -pthread_create(&senders[started].thread, NULL, send_all, &senders[started]);
        if (error) {
            shutdown(senders[started].socket, SHUT_RDWR);
            pthread_join(receivers[started].thread, NULL);
            break;
        }
    }
    *octets = 0;
    for (int index = 0; index < started; index++) {
        pthread_join(senders[index].thread, NULL);
        pthread_join(receivers[index].thread, NULL);
        *octets += receivers[index].octets;
        if (!error)
            error = senders[index].error ? senders[index].error : receivers[index].error;
    }
    *elapsed = seconds;
    return error;
}

int workload_tcp(const struct workload_ends *ends, int flows, double seconds, uint64_t *octets, double *elapsed) {
    if (flows < 1 || flows > MAX_FLOWS)
        return -EINVAL;
    struct flow senders[MAX_FLOWS] = {0}, receivers[MAX_FLOWS] = {0};
    for (int index = 0; index < flows; index++)
        senders[index].socket = receivers[index].socket = -1;
    struct sockaddr_in address = address_of(ends->to_address, PORT);
    int error = 0, yes = 1;
    int listener = open_socket(ends->to, SOCK_STREAM);
    if (listener < 0)
        return listener;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, flows))
        error = -errno;
    for (int index = 0; index < flows && !error; index++) {
        senders[index].socket = open_socket(ends->from, SOCK_STREAM);
        if (senders[index].socket < 0) {
            error = senders[index].socket;
        } else if (connect(senders[index].socket, (struct sockaddr *)&address, sizeof(address))) {
            error = -errno;
        } else {
            receivers[index].socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (receivers[index].socket < 0)
                error = -errno;
        }
    }
    if (!error)
        error = run_flows(senders, receivers, flows, seconds, octets, elapsed);
    for (int index = 0; index < flows; index++) {
        if (senders[index].socket >= 0)
            close(senders[index].socket);
        if (receivers[index].socket >= 0)
            close(receivers[index].socket);
    }
    close(listener);
    return error;
}

/* Two UDP sockets that know each other. */
static int open_pair(const struct workload_ends *ends, int *from, int *to) {
    struct sockaddr_in source = address_of(ends->from_address, PORT), target = address_of(ends->to_address, PORT);
    *from = open_socket(ends->from, SOCK_DGRAM);
    *to = open_socket(ends->to, SOCK_DGRAM);
    if (*from >= 0 && *to >= 0 && !bind(*from, (struct sockaddr *)&source, sizeof(source)) &&
        !bind(*to, (struct sockaddr *)&target, sizeof(target)) &&
        !connect(*from, (struct sockaddr *)&target, sizeof(target)) &&
        !connect(*to, (struct sockaddr *)&source, sizeof(source)))
        return 0;
    int error = *from < 0 ? *from : *to < 0 ? *to : -errno;
    if (*from >= 0)
        close(*from);
    if (*to >= 0)
        close(*to);
    return error;
}

int workload_datagrams(const struct workload_ends *ends, int payload, double seconds, uint64_t *sent, double *elapsed) {
    if (payload < 0 || payload > 8192)
        return -EINVAL;
    int from, to, error = open_pair(ends, &from, &to);
    if (error)
        return error;
    /* Nobody reads: the smaller the queue, the sooner all rows pay the same for throwing away. */
    int smallest = 0;
    setsockopt(to, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
    static char octets[8192];
    struct iovec piece = {.iov_base = octets, .iov_len = (size_t)payload};
    struct mmsghdr batch[BATCH];
    memset(batch, 0, sizeof(batch));
    for (int index = 0; index < BATCH; index++) {
        batch[index].msg_hdr.msg_iov = &piece;
        batch[index].msg_hdr.msg_iovlen = 1;
    }
    uint64_t start = now(), until = start + (uint64_t)(seconds * 1e9), time;
    *sent = 0;
    while ((time = now()) < until) {
        int count = sendmmsg(from, batch, BATCH, 0);
        /* An ICMP message about an earlier one is reported by the next. */
        if (count < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED) {
            error = -errno;
            break;
        }
        if (count > 0)
            *sent += (uint64_t)count;
    }
    *elapsed = (double)(time - start) / 1e9;
    close(from);
    close(to);
    return error;
}

struct echo {
    int socket, count;
};

static void *echo_back(void *argument) {
    struct echo *echo = argument;
    char buffer[8192];
    for (int turn = 0; turn < echo->count; turn++) {
        ssize_t count = recv(echo->socket, buffer, sizeof(buffer), 0);
        if (count < 0 || send(echo->socket, buffer, (size_t)count, 0) < 0)
            break;
    }
    return NULL;
}

int workload_ping_pong(const struct workload_ends *ends, int payload, int count, uint64_t *nanoseconds) {
    if (payload < 0 || payload > 8192)
        return -EINVAL;
    int from, to, error = open_pair(ends, &from, &to);
    if (error)
        return error;
    char buffer[8192] = {0};
    struct echo echo = {.socket = to, .count = count};
    pthread_t thread;
    error = -pthread_create(&thread, NULL, echo_back, &echo);
    if (!error) {
        for (int turn = 0; turn < count; turn++) {
            uint64_t start = now();
            if (send(from, buffer, (size_t)payload, 0) < 0 || recv(from, buffer, sizeof(buffer), 0) < 0) {
                error = -errno;
                break;
            }
            nanoseconds[turn] = now() - start;
        }
        /* Lets the other end go when one of the datagrams was lost. */
        if (error)
            shutdown(to, SHUT_RDWR);
        pthread_join(thread, NULL);
    }
    close(from);
    close(to);
    return error;
}

int workload_command(char *const arguments[], double *elapsed) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    uint64_t start = now();
    int status = 0, error = -posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    if (!error && waitpid(child, &status, 0) < 0)
        error = -errno;
    *elapsed = (double)(now() - start) / 1e9;
    posix_spawn_file_actions_destroy(&actions);
    if (error)
        return error;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
