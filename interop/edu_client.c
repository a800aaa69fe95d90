/*
 * A driver in C for QEMU's teaching device, edu, that is lent somewhere: borrows it, looks at its
 * configuration space, drives its registers, serves its DMA, takes its interrupts, returns it.
 * farslot_link.c is the protocol.
 *
 *     gcc -O2 -o edu_client edu_client.c farslot_link.c
 *     ./edu_client --insecure 127.0.0.1:6727 e0
 */
#define _POSIX_C_SOURCE 200809L
#include "farslot_link.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE = 10000, MEMORY_AT = 0x100000, MEMORY_BYTES = 0x4000 };
static uint8_t memory[MEMORY_BYTES];

/* The device: PCI 3.0, 6.1 and 6.8.1, and QEMU's docs/specs/edu.rst. */

static void check(bool right, const char *what)
{
    if (!right)
        fail(DEVICE_IS_WRONG, "The device is wrong: its %s.", what);
    printf("  %s: right\n", what);
}

/* Shows the header, makes the function a bus master, and returns where its MSI capability is. */
static unsigned look_at_configuration(void)
{
    unsigned width = regions[CONFIGURATION].longest < 4 ? 1 : 4;
    uint8_t space[64];
    for (unsigned at = 0; at < sizeof space; at += width)
        put(space + at, read_region(CONFIGURATION, at, width), width);
    for (unsigned at = 0; at < sizeof space; at++) {
        if (at % 16 == 0)
            printf("configuration %02x:", at);
        printf(at % 16 == 15 ? " %02x\n" : " %02x", space[at]);
    }
    check(number(space, 4) == 0x11e81234, "vendor and device");
    check(number(space + 8, 4) == 0x00ff0010, "class and revision");
    write_region(CONFIGURATION, 4, 2, 6);
    check((read_region(CONFIGURATION, 4, 2) & 6) == 6, "command register");
    unsigned capability = space[0x34];
    for (int i = 0; i < 48 && capability >= 64; i++) {
        if (read_region(CONFIGURATION, capability, 1) == 5)
            break;
        capability = (unsigned)read_region(CONFIGURATION, capability + 1, 1);
    }
    check(capability >= 64 && vectors[MSI] > 0 && vectors[INTX] > 0, "interrupts' description");
    return capability;
}

static void drive_registers(void)
{
    check(read_region(0, 0x00, 4) == 0x010000ed, "identification");
    write_region(0, 0x04, 4, 0x12345678);
    check(read_region(0, 0x04, 4) == 0xedcba987, "liveness");
    write_region(0, 0x08, 4, 12);
    for (int64_t end = now() + PATIENCE; read_region(0, 0x20, 4) & 1;)
        check(now() < end, "end of a factorial");
    check(read_region(0, 0x08, 4) == 479001600, "factorial of 12");
}

/* Copies with an interrupt at the end: bit 1 of the command is the direction, to memory. */
static void transfer(enum interrupt_kind kind, uint64_t source, uint64_t destination,
    unsigned command)
{
    const uint64_t values[4] = { source, destination, MEMORY_BYTES / 4, command | 5 };
    unsigned before = interrupts[kind];
    for (unsigned i = 0; i < 4; i++)
        write_region(0, 0x80 + 8 * i, 8, values[i]);
    await_interrupt(kind, before + 1);
    check(read_region(0, 0x24, 4) == 0x100, "interrupt status after DMA");
    write_region(0, 0x64, 4, 0x100);
    check((read_region(0, 0x98, 8) & 1) == 0, "end of DMA");
    if (kind == INTX)
        end_intx();
}

static void drive(const char *title, enum interrupt_kind kind)
{
    printf("by %s:\n", title);
    enable_interrupts(kind);
    unsigned before = interrupts[kind];
    write_region(0, 0x60, 4, 0x30);
    await_interrupt(kind, before + 1);
    check(read_region(0, 0x24, 4) == 0x30, "interrupt status");
    write_region(0, 0x64, 4, 0x10);
    if (kind == INTX) { /* still asserted, so that the end of the interrupt is a new one */
        end_intx();
        await_interrupt(INTX, before + 2);
    }
    write_region(0, 0x64, 4, 0x20);
    check(read_region(0, 0x24, 4) == 0, "interrupt status after acknowledgement");
    if (kind == INTX)
        end_intx();
    const size_t count = MEMORY_BYTES / 4;
    for (size_t i = 0; i < count; i++)
        memory[i] = (uint8_t)(i * 7 + kind + 1);
    transfer(kind, MEMORY_AT, 0x40000, 0);
    transfer(kind, 0x40000, MEMORY_AT + 2 * count, 2);
    check(memcmp(memory, memory + 2 * count, count) == 0, "DMA to the device and back");
    bool untouched = true;
    for (size_t i = 0; i < count; i++)
        untouched = untouched && memory[count + i] == 0 && memory[3 * count + i] == 0;
    check(untouched, "memory beside it");
}

int main(int argc, char **argv)
{
    bool insecure = argc > 1 && strcmp(argv[1], "--insecure") == 0;
    char **words = argv + 1 + insecure;
    if (argc - 1 - insecure != 2 || words[0][0] == '-' || strlen(words[1]) > 255)
        fail(USAGE, "usage: edu_client [--insecure] HOST:PORT|PATH FUNCTION\n"
            "Tries the edu that is lent there. Ends with 0 if it is right, 1 if it is wrong,\n"
            "2 for a bad command line, 3 where it is not lent, 4 where the lender breaks the\n"
            "protocol.");
    if (!insecure && !strchr(words[0], '/'))
        fail(USAGE, "TCP is not protected: say --insecure on a network that you trust.");
    setvbuf(stdout, NULL, _IOLBF, 0);
    connect_to(words[0]);
    if (borrow(words[1]) != 0x11e81234 || regions[0].size == 0)
        fail(NOT_LENT, "%s is not edu, 1234:11e8.", words[1]);
    unsigned msi = look_at_configuration();
    drive_registers();
    map_memory(MEMORY_AT, memory, MEMORY_BYTES);
    drive("INTx", INTX);
    write_region(CONFIGURATION, msi + 2, 2, 1);
    drive("MSI", MSI);
    give_back(words[1]);
    return GOOD;
}
