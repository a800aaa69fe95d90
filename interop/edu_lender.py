#!/usr/bin/env python3
"""Lends QEMU's teaching device, edu, over the Farslot link protocol.

The device is that of QEMU's docs/specs/edu.rst: identification, liveness, factorials, interrupts,
and DMA from and to a buffer of 4 KiB. farslot_link.py beside it is the protocol.
"""

import argparse
import asyncio
import functools
import math
import struct
import sys

from farslot_link import (
    CONFIGURATION, DISABLE, ENABLE, INTX, MASK, MEMORY, MSI, MSIX, Function, lend, say)

BAR0, CONFIGURATION_SPACE = 0, 7

# Words of configuration space: what each is after a reset, and the bits that a driver can write
# (PCI 3.0, 6.1, and 6.8.1 for the MSI capability at 0x40).
WORDS = {0x00: (0x11E81234, 0), 0x04: (0x00100000, 0x0546), 0x08: (0x00FF0010, 0),
         0x0C: (0, 0xFFFF), 0x10: (0, 0xFFF00000), 0x2C: (0x11001AF4, 0), 0x34: (0x40, 0),
         0x3C: (0x0100, 0xFF), 0x40: (0x00800005, 0x00710000), 0x44: (0, 0xFFFFFFFC),
         0x48: (0, 0xFFFFFFFF), 0x4C: (0, 0xFFFF)}
BUS_MASTER, INTX_DISABLED, INTX_STATUS, MSI_ENABLED = 1 << 2, 1 << 10, 1 << 19, 1 << 16
# The registers of QEMU's docs/specs/edu.rst, and their bits.
ID, LIVENESS, FACTORIAL, STATUS, IRQ_STATUS, IRQ_RAISE, IRQ_ACK = 0, 4, 8, 0x20, 0x24, 0x60, 0x64
SOURCE, DESTINATION, COUNT, COMMAND = 0x80, 0x88, 0x90, 0x98
IRQ_WHEN_COMPUTED, FACTORIAL_DONE, RUN, TO_MEMORY, IRQ_WHEN_RUN, DMA_DONE = 0x80, 1, 1, 2, 4, 0x100
BUFFER_AT, BUFFER_BYTES, DMA_MASK, DMA_SECONDS = 0x40000, 4096, (1 << 28) - 1, 0.1


class Edu(Function):
    """The device. It never waits: what takes time is called back."""

    kind, summary = "edu", "QEMU's teaching device"
    identity = 0x1234, 0x11E8, 0x1AF4, 0x1100, 0x00FF00, 0x10
    regions = {BAR0: (MEMORY, 1 << 20, 8), CONFIGURATION_SPACE: (CONFIGURATION, 4096, 4)}
    pin, vectors, capabilities = 1, {INTX: 1, MSI: 1, MSIX: 0}, ((0x05, 0, 0x40, 14),)

    transferring = None

    def attach(self, link):
        super().attach(link)
        self.taken, self.masked = set(), set()

    def reset(self):
        super().reset()
        self.space = {at: initial for at, (initial, _) in WORDS.items()}
        self.registers = {ID: 0x010000ED} | dict.fromkeys(
            (LIVENESS, FACTORIAL, STATUS, IRQ_STATUS, *range(SOURCE, COMMAND + 8, 4)), 0)
        self.buffer, self.pending, self.asserted = bytearray(BUFFER_BYTES), False, False
        if self.transferring:
            self.transferring.cancel()

    @staticmethod
    def takes(region, offset, length):
        """BAR0 takes whole words, and from 0x80 on pairs; of others it takes nothing."""
        pair = length == 8 and offset >= SOURCE
        return region == CONFIGURATION_SPACE or ((length == 4 or pair) and offset % length == 0)

    def read(self, region, offset, length, absent=0xFFFFFFFF):
        if not self.takes(region, offset, length):
            return b"\xff" * length
        words = self.registers
        if region == CONFIGURATION_SPACE:
            status = INTX_STATUS if self.registers[IRQ_STATUS] else 0
            words, absent = self.space | {0x04: self.space[0x04] | status}, 0
        found = [words.get(at, absent) for at in range(offset & ~3, offset + length, 4)]
        return struct.pack(f"<{len(found)}I", *found)[offset & 3:][:length]

    def write(self, region, offset, data, enables):
        if not self.takes(region, offset, len(data)):
            return
        begin, end = offset & ~3, offset + len(data) + 3 & ~3
        whole = bytearray(b"".join(self.read(region, at, 4, 0) for at in range(begin, end, 4)))
        for index, byte in enumerate(data):
            if enables >> index & 1:
                whole[offset - begin + index] = byte
        for at, (new,) in zip(range(begin, end, 4), struct.iter_unpack("<I", whole)):
            if region == BAR0:
                self.write_register(at, new)
            elif at in self.space:
                self.space[at] ^= (self.space[at] ^ new) & WORDS[at][1]
        self.signal()

    def write_register(self, at, new):
        registers = self.registers
        if at == LIVENESS:
            registers[at] = new ^ 0xFFFFFFFF
        elif at == FACTORIAL:  # modulo 2^32, which divides 34!
            registers[at] = math.factorial(min(new, 34)) & 0xFFFFFFFF
            if registers[STATUS] & IRQ_WHEN_COMPUTED:
                self.raise_interrupt(FACTORIAL_DONE)
        elif at == STATUS:
            registers[at] = new & IRQ_WHEN_COMPUTED
        elif at == IRQ_RAISE:
            self.raise_interrupt(new)
        elif at == IRQ_ACK:
            registers[IRQ_STATUS] &= ~new
        elif at >= SOURCE and at in registers and not registers[COMMAND] & RUN:
            if at != COMMAND or new & RUN:
                registers[at] = new
            if at == COMMAND and new & RUN:
                loop = asyncio.get_running_loop()
                self.transferring = loop.call_later(DMA_SECONDS, self.transfer)

    def transfer(self):
        source, destination, count, command = (
            self.registers[at] | self.registers[at + 4] << 32
            for at in (SOURCE, DESTINATION, COUNT, COMMAND))
        inside = (source if command & TO_MEMORY else destination) - BUFFER_AT
        address = (destination if command & TO_MEMORY else source) & DMA_MASK
        piece = slice(inside, inside + count)
        if inside < 0 or piece.stop > BUFFER_BYTES:
            say(f"DMA of {count:#x} bytes at {inside:#x} of the buffer is outside it.")
        elif count and self.space[0x04] & BUS_MASTER:
            if not command & TO_MEMORY:
                then = functools.partial(self.transferred, self.generation, piece)
                return self.dma_read(address, count, then)
            self.dma_write(address, bytes(self.buffer[piece]))
        self.transferred(self.generation)

    def transferred(self, generation, piece=slice(0, 0), data=b""):
        if generation == self.generation:
            if data:
                self.buffer[piece] = data
            self.registers[COMMAND] &= ~RUN
            if self.registers[COMMAND] & IRQ_WHEN_RUN:
                self.raise_interrupt(DMA_DONE)
                self.signal()

    def raise_interrupt(self, bits):
        self.registers[IRQ_STATUS] |= bits
        self.pending = self.registers[IRQ_STATUS] != 0

    def interrupts(self, kind, _first, _count, action):
        if action in (ENABLE, DISABLE):
            (self.taken.add if action == ENABLE else self.taken.discard)(kind)
        (self.masked.add if action == MASK else self.masked.discard)(kind)
        self.asserted = self.asserted and (kind == MSI or action == MASK)
        self.pending = self.pending and (kind == INTX or action != DISABLE)
        self.signal()

    def signal(self):
        """Interrupts in the way that the driver has enabled: MSI each once, INTx by its level."""
        if self.space[0x40] & MSI_ENABLED or MSI in self.taken:
            kind, wanted = MSI, self.pending and self.space[0x04] & BUS_MASTER
        else:
            level = self.registers[IRQ_STATUS] and not self.space[0x04] & INTX_DISABLED
            kind, wanted = INTX, level and not self.asserted
        if wanted and self.host and kind in self.taken - self.masked:
            self.pending, self.asserted = False, kind == INTX
            self.send_interrupt(kind, 0)


def main():
    parser = argparse.ArgumentParser(
        description="Lends QEMU's teaching device, edu, over the Farslot link protocol.")
    parser.add_argument("--name", default="e0", help="the function's name (%(default)s)")
    parser.add_argument("--listen", default="127.0.0.1:6727", metavar="ADDRESS:PORT|PATH",
                        help="where slots connect (%(default)s); a path is a UNIX socket")
    parser.add_argument("--insecure", action="store_true",
                        help="needed for TCP, where nothing proves who connects")
    arguments = parser.parse_args()
    if "/" not in arguments.listen and not arguments.insecure:
        parser.error("TCP is not protected: say --insecure on a network that you trust.")
    try:
        asyncio.run(lend(Edu(arguments.name), arguments.listen))
    except (OSError, ValueError) as error:
        sys.exit(f"edu_lender: cannot listen at {arguments.listen}: {error}")


if __name__ == "__main__":
    main()
