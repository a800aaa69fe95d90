/*
 * The slot's end of the Farslot link protocol (docs/protocol.md), for one borrowed function. There
 * is one link and one thread; whatever waits serves the function's DMA and takes its interrupts.
 * What goes wrong ends the program with a sentence on stderr, and with it the lease.
 */
#ifndef FARSLOT_LINK_H
#define FARSLOT_LINK_H

#include <stdbool.h>
#include <stdint.h>

enum exit_code { GOOD, DEVICE_IS_WRONG, USAGE, NOT_LENT, PROTOCOL_BROKEN };
enum interrupt_kind { INTX, MSI, MSIX };
enum { CONFIGURATION = 7 };

/* What the lender describes: regions by index (absent ones have size 0), vectors by kind. */
struct region {
    uint64_t size;
    uint32_t longest;
    bool posted;
};
extern struct region regions[8];
extern uint32_t vectors[3];

/* How many interrupts of each kind have come. */
extern unsigned interrupts[3];

/* To HOST:PORT, or to the UNIX socket at a path, which has a slash. */
void connect_to(const char *where);

/* Returns the vendor in the low half, the device in the high one. */
uint32_t borrow(const char *function);
void give_back(const char *function);

/* A region's bytes, up to 8, little-endian. */
uint64_t read_region(unsigned region, uint64_t offset, unsigned width);
void write_region(unsigned region, uint64_t offset, unsigned width, uint64_t value);

/* Lets the function read and write these bytes by DMA at this address. */
void map_memory(uint64_t address, uint8_t *bytes, uint64_t length);

/* All vectors of a kind. INTx is masked by its assertion until end_intx. */
void enable_interrupts(enum interrupt_kind kind);
void end_intx(void);
void await_interrupt(enum interrupt_kind kind, unsigned count);

/* Little-endian numbers of 1 to 8 bytes; put returns what is behind. */
uint64_t number(const uint8_t *at, unsigned bytes);
uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes);

/* Milliseconds of a clock that only goes on. */
int64_t now(void);

__attribute__((noreturn, format(printf, 2, 3)))
void fail(enum exit_code code, const char *format, ...);

#endif
