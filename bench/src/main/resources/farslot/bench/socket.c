/*
 * The bare socket: messages of one size, and answers of another to those that want one.
 *
 *   socket serve unix PATH REQUEST REPLY    answers one client, to its end
 *   socket serve tcp 0 REQUEST REPLY        the same; prints the port
 *   socket drive unix PATH REQUEST REPLY    reads rounds from standard input, prints their results
 *   socket drive tcp PORT REQUEST REPLY
 *
 * REQUEST and REPLY are sizes in bytes. The rounds:
 *
 *   ping N      N requests, each when the last is answered; prints the median
 *   window N W  N requests, W of them under way at once; prints the mean
 *   post N G    N messages that want no answer, G in each send; prints the mean, the time until
 *               the other side has read the last one included
 */
#include "common.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define WANTS_REPLY 1

static size_t request_bytes, reply_bytes;

static void without_delay(int fd) {
    int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0) fail("TCP_NODELAY");
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int accept_unix(const char *path) {
    struct sockaddr_un address = unix_address(path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        fail(path);
    puts("ready");
    fflush(stdout);
    return accept(listener, NULL, NULL);
}

static int accept_tcp(void) {
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        fail("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int fd = accept(listener, NULL, NULL);
    without_delay(fd);
    return fd;
}

static int connect_tcp(int port) {
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    without_delay(fd);
    return fd;
}

/* Takes as much as there is with each call; a message's first byte says whether it wants a reply. */
static void serve(int fd) {
    static char buffer[1 << 18];
    char *reply = allocated(reply_bytes);
    size_t seen = 0;
    int wants = 0;
    for (;;) {
        ssize_t received = recv(fd, buffer, sizeof buffer, 0);
        if (received < 0) fail("recv");
        if (received == 0) return;
        for (ssize_t at = 0; at < received;) {
            if (seen == 0) wants = buffer[at];
            size_t rest = request_bytes - seen, here = received - at;
            size_t take = rest < here ? rest : here;
            seen += take;
            at += take;
            if (seen == request_bytes) {
                seen = 0;
                if (wants) send_all(fd, reply, reply_bytes);
            }
        }
    }
}

static double ping(int fd, char *request, char *reply, long count) {
    int64_t *times = allocated(count * sizeof *times);
    request[0] = WANTS_REPLY;
    for (long i = 0; i < count; i++) {
        int64_t begun = nanos();
        send_all(fd, request, request_bytes);
        receive_all(fd, reply, reply_bytes);
        times[i] = nanos() - begun;
    }
    double result = median(times, count);
    free(times);
    return result;
}

static double window(int fd, char *request, char *reply, long count, long most) {
    request[0] = WANTS_REPLY;
    int64_t begun = nanos();
    for (long sent = 0, answered = 0; answered < count;) {
        if (sent < count && sent - answered < most) {
            send_all(fd, request, request_bytes);
            sent++;
        } else {
            receive_all(fd, reply, reply_bytes);
            answered++;
        }
    }
    return (double)(nanos() - begun) / count;
}

static double post(int fd, char *request, char *reply, long count, long group) {
    char *messages = allocated(group * request_bytes);
    int64_t begun = nanos();
    for (long sent = 0; sent < count; sent += group)
        send_all(fd, messages, (count - sent < group ? count - sent : group) * request_bytes);
    request[0] = WANTS_REPLY;
    send_all(fd, request, request_bytes);
    receive_all(fd, reply, reply_bytes);
    double result = (double)(nanos() - begun) / count;
    free(messages);
    return result;
}

static void drive(int fd) {
    char *request = allocated(request_bytes), *reply = allocated(reply_bytes);
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        long count, more;
        if (sscanf(line, "ping %ld", &count) == 1)
            print_result(ping(fd, request, reply, count));
        else if (sscanf(line, "window %ld %ld", &count, &more) == 2)
            print_result(window(fd, request, reply, count, more));
        else if (sscanf(line, "post %ld %ld", &count, &more) == 2)
            print_result(post(fd, request, reply, count, more));
        else
            exit(2);
    }
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int serving = !strcmp(argv[1], "serve"), tcp = !strcmp(argv[2], "tcp");
    request_bytes = atol(argv[4]);
    reply_bytes = atol(argv[5]);
    if (serving)
        serve(tcp ? accept_tcp() : accept_unix(argv[3]));
    else
        drive(tcp ? connect_tcp(atoi(argv[3])) : connect_unix(argv[3]));
    return 0;
}
