/* What the baselines share: time, medians, sockets. Linux, C11. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t clock_nanos(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline int64_t nanos(void) {
    return clock_nanos(CLOCK_MONOTONIC);
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static inline int64_t median(int64_t *values, long count) {
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static inline void *allocated(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (!memory) fail("calloc");
    return memory;
}

static inline void send_all(int fd, const void *from, size_t bytes) {
    const char *at = from;
    while (bytes > 0) {
        ssize_t sent = send(fd, at, bytes, MSG_NOSIGNAL);
        if (sent < 0) fail("send");
        at += sent;
        bytes -= sent;
    }
}

static inline void receive_all(int fd, void *into, size_t bytes) {
    char *at = into;
    while (bytes > 0) {
        ssize_t received = recv(fd, at, bytes, 0);
        if (received < 0) fail("recv");
        if (received == 0) exit(0); /* the other side is done */
        at += received;
        bytes -= received;
    }
}

static inline struct sockaddr_un unix_address(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    strcpy(address.sun_path, path);
    return address;
}

static inline int connect_unix(const char *path) {
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail(path);
    return fd;
}

/* Prints what a round came to, in nanoseconds for each operation. */
static inline void print_result(double nanos_each) {
    printf("%.2f\n", nanos_each);
    fflush(stdout);
}
