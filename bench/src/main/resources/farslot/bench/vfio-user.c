/*
 * The emulator's side of vfio-user, as little of it as two accesses of the teaching device need
 * (QEMU, docs/interop/vfio-user.rst and docs/specs/edu.rst).
 *
 *   vfio-user PATH    reads rounds from standard input, prints their results
 *
 *   ping N      N reads of 4 bytes, one after the other; prints the median
 *   post N      N posted writes of 4 bytes, one send each, and a read that pushes them; the mean
 */
#include "common.h"

enum { VERSION = 1, REGION_READ = 9, REGION_WRITE = 10 };
enum { NO_REPLY = 0x10, ERROR = 0x20 };
enum { BAR0 = 0, CONFIGURATION = 7 };
enum { LIVENESS = 4, COMMAND = 4, COMMAND_MEMORY = 2 };

struct header {
    uint16_t id, command;
    uint32_t size, flags, error;
};

struct access {
    struct header header;
    uint64_t offset;
    uint32_t region, count;
    uint32_t data;
} __attribute__((packed));

#define ACCESS_BYTES (sizeof(struct access) - sizeof(uint32_t))

static uint16_t next_id;

static void answer(int fd) {
    static char reply[4096];
    struct header *header = (struct header *)reply;
    receive_all(fd, reply, sizeof *header);
    if (header->size < sizeof *header || header->size > sizeof reply || header->flags & ERROR) {
        errno = EPROTO;
        fail("the server's answer");
    }
    receive_all(fd, reply + sizeof *header, header->size - sizeof *header);
}

static void say_version(int fd) {
    static const char json[] = "{\"capabilities\":{}}";
    struct {
        struct header header;
        uint16_t major, minor;
        char json[sizeof json];
    } __attribute__((packed)) message = {{next_id++, VERSION, sizeof message, 0, 0}, 0, 0, ""};
    memcpy(message.json, json, sizeof json);
    send_all(fd, &message, sizeof message);
    answer(fd);
}

static void region_write(int fd, int region, int offset, int count, uint32_t value, int flags) {
    struct access access = {
        {next_id++, REGION_WRITE, ACCESS_BYTES + count, flags, 0}, offset, region, count, value};
    send_all(fd, &access, ACCESS_BYTES + count);
}

static void read_register(int fd) {
    struct access access = {
        {next_id++, REGION_READ, ACCESS_BYTES, 0, 0}, LIVENESS, BAR0, 4, 0};
    send_all(fd, &access, ACCESS_BYTES);
    struct access reply;
    receive_all(fd, &reply, sizeof reply);
    if (reply.header.size != sizeof reply || reply.header.flags & ERROR) {
        errno = EPROTO;
        fail("the answer to a read");
    }
}

static double ping(int fd, long count) {
    int64_t *times = allocated(count * sizeof *times);
    for (long i = 0; i < count; i++) {
        int64_t begun = nanos();
        read_register(fd);
        times[i] = nanos() - begun;
    }
    double result = median(times, count);
    free(times);
    return result;
}

static double post(int fd, long count) {
    int64_t begun = nanos();
    for (long i = 0; i < count; i++) region_write(fd, BAR0, LIVENESS, 4, i, NO_REPLY);
    read_register(fd);
    return (double)(nanos() - begun) / count;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int fd = connect_unix(argv[1]);
    say_version(fd);
    region_write(fd, CONFIGURATION, COMMAND, 2, COMMAND_MEMORY, 0);
    answer(fd);
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        long count;
        if (sscanf(line, "ping %ld", &count) == 1)
            print_result(ping(fd, count));
        else if (sscanf(line, "post %ld", &count) == 1)
            print_result(post(fd, count));
        else
            return 2;
    }
    return 0;
}
