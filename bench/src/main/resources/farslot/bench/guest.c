/*
 * Runs in the guest, without a C library. Prints how many nanoseconds the whole took.
 *
 *   guest registers RESOURCE N    maps the first region of a teaching device and reads its second
 *                                 word N times
 *   guest read DISK N BYTES       reads N times so many bytes, one after the other, past the cache
 *   guest write DISK N BYTES      writes them
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void leave(long status) {
    call(SYS_exit, status, 0, 0, 0, 0, 0);
    __builtin_unreachable();
}

static long nanos(void) {
    struct timespec now;
    call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0, 0, 0);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void print(long number) {
    char text[24], *at = text + sizeof text;
    *--at = '\n';
    do *--at = '0' + number % 10;
    while ((number /= 10) > 0);
    call(SYS_write, 1, (long)at, text + sizeof text - at, 0, 0, 0);
}

static long number(const char *digits) {
    long value = 0;
    while (*digits) value = value * 10 + *digits++ - '0';
    return value;
}

static long opened(const char *path, int flags) {
    long fd = call(SYS_open, (long)path, flags, 0, 0, 0, 0);
    if (fd < 0) leave(3);
    return fd;
}

static void *mapped(long bytes, int flags, long fd) {
    long memory = call(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory < 0 && memory > -4096) leave(4);
    return (void *)memory;
}

static void read_registers(const char *resource, long count) {
    volatile unsigned *registers = mapped(4096, MAP_SHARED, opened(resource, O_RDWR | O_SYNC));
    registers[1] = 0x12345678;
    if (registers[1] != ~0x12345678u) leave(5);
    for (long i = 0; i < count; i++) (void)registers[1];
}

static void transfer(const char *disk, long count, long bytes, int writes) {
    long fd = opened(disk, O_RDWR | O_DIRECT);
    char *buffer = mapped(bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);
    for (long i = 0; i < count; i++) {
        long done = call(writes ? SYS_pwrite64 : SYS_pread64, fd, (long)buffer, bytes, i * bytes, 0, 0);
        if (done != bytes) leave(6);
    }
}

static int same(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static void run(long *stack) {
    char **arguments = (char **)(stack + 1);
    long more = stack[0] - 4; /* than a name, what, where and how often */
    if (more < 0) leave(2);
    long count = number(arguments[3]);
    long begun = nanos();
    if (more == 0 && same(arguments[1], "registers"))
        read_registers(arguments[2], count);
    else if (more == 1 && same(arguments[1], "read"))
        transfer(arguments[2], count, number(arguments[4]), 0);
    else if (more == 1 && same(arguments[1], "write"))
        transfer(arguments[2], count, number(arguments[4]), 1);
    else
        leave(2);
    print(nanos() - begun);
    leave(0);
}

__attribute__((naked)) void _start(void) {
    __asm__ volatile("xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin");
}

__attribute__((used)) void begin(long *stack) {
    run(stack);
}
