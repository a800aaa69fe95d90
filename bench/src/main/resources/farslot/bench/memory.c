/*
 * What memory costs.
 *
 *   memory FILE    reads rounds from standard input, prints their results
 *
 *   copy N BYTES  N copies, each from the next place of 1 MiB to one buffer and, every other one,
 *                 back; prints the mean
 *   store N       N times: what time it is, and 64 bytes with it into the mapped file, whose pages
 *                 are there; prints the mean of this thread's processor time
 *   stores N      two threads at once, each N times the same into a file of its own that grows:
 *                 the pages are not there; prints the time that passed for each of all
 */
#include "common.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#define AREA_BYTES (1 << 20)
#define FILE_BYTES (1 << 26)
#define RECORD_WORDS 8

static double copy(long count, long bytes) {
    static char area[AREA_BYTES], buffer[AREA_BYTES];
    int64_t begun = nanos();
    for (long i = 0, at = 0; i < count; i++, at = (at + bytes) % AREA_BYTES) {
        if (i & 1)
            memcpy(area + at, buffer, bytes);
        else
            memcpy(buffer, area + at, bytes);
        __asm__ volatile("" ::: "memory"); /* every copy is made */
    }
    return (double)(nanos() - begun) / count;
}

static double store(const char *path, long count) {
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, FILE_BYTES) < 0) fail(path);
    volatile int64_t *file = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED) fail("mmap");
    long words = FILE_BYTES / sizeof *file;
    for (long word = 0; word < words; word += RECORD_WORDS) file[word] = 1;
    int64_t begun = clock_nanos(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0, at = 0; i < count; i++, at = (at + RECORD_WORDS) % words) {
        int64_t now = nanos();
        for (int word = 0; word < RECORD_WORDS; word++) file[at + word] = now + word;
    }
    double result = (double)(clock_nanos(CLOCK_THREAD_CPUTIME_ID) - begun) / count;
    munmap((void *)file, FILE_BYTES);
    close(fd);
    unlink(path);
    return result;
}

struct growing {
    char path[4096];
    long count;
};

static void *grow(void *argument) {
    struct growing *one = argument;
    size_t bytes = one->count * RECORD_WORDS * sizeof(int64_t);
    int fd = open(one->path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, bytes) < 0) fail(one->path);
    volatile int64_t *file = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED) fail("mmap");
    for (long i = 0; i < one->count; i++) {
        int64_t now = nanos();
        for (int word = 0; word < RECORD_WORDS; word++) file[i * RECORD_WORDS + word] = now + word;
    }
    munmap((void *)file, bytes);
    close(fd);
    return NULL;
}

static double stores(const char *path, long count) {
    struct growing both[2];
    pthread_t threads[2];
    int64_t begun = nanos();
    for (int i = 0; i < 2; i++) {
        snprintf(both[i].path, sizeof both[i].path, "%s.%d", path, i);
        both[i].count = count;
        if (pthread_create(&threads[i], NULL, grow, &both[i])) fail("pthread_create");
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    double result = (double)(nanos() - begun) / (2 * count);
    for (int i = 0; i < 2; i++) unlink(both[i].path);
    return result;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        long count, bytes;
        if (sscanf(line, "copy %ld %ld", &count, &bytes) == 2 && bytes > 0 && bytes <= AREA_BYTES)
            print_result(copy(count, bytes));
        else if (sscanf(line, "store %ld", &count) == 1)
            print_result(store(argv[1], count));
        else if (sscanf(line, "stores %ld", &count) == 1)
            print_result(stores(argv[1], count));
        else
            return 2;
    }
    return 0;
}
