#!/usr/bin/env python3
"""Lends QEMU's teaching device, edu, over the Farslot link protocol.

Written from docs/protocol.md alone, in Python's standard library; numbers in parentheses are that document's sections.
Edu is the device of QEMU's docs/specs/edu.rst and its lease, each Link one connection to it. All run in one thread.
"""

import argparse
import asyncio
import contextlib
import math
import os
import signal
import struct
import sys
import time

# Frames (2); the codes of ERROR (7.1), REFUSED (7.2) and DATA (7.3); kinds and actions (7.3).
MAGIC, HEADER = b"FARSLOT\n", struct.Struct("<IHBBIIQQ")
LONGEST_FRAME, LONGEST_BEFORE_HELLO, LONGEST_ACCESS = 0x101000, 0x1000, 0x100000
LINK, POSTED, NON_POSTED, COMPLETION = range(4)
(BAD_FRAME, UNKNOWN_TYPE, OUT_OF_STATE, BAD_VALUE, CREDIT_EXCEEDED, BAD_SEQUENCE, BAD_GENERATION, BAD_TAG,
 BAD_DESCRIPTOR, UNSUPPORTED) = range(1, 11)
(NOT_FOUND, TAKEN, NOT_OFFERED), WIDTHS, MOST_LINKS = (1, 2, 5), (0, 1, 2, 4, 8, 16, 32, 64), 64
SUCCESS, UNSUPPORTED_REQUEST, UNSUPPORTED_ABILITY, STALE_GENERATION = 0, 1, 6, 7
(INTX, MSI, MSIX), (ENABLE, DISABLE, MASK, UNMASK) = range(3), range(1, 5)
READS, WRITES, EVERYTHING, MOST_MAPS = 1, 2, 1 << 64, 65535
# Seconds (9); credit of the accounts posted, non-posted and completion: frames, bytes (4).
HANDSHAKE, KEEP_ALIVE, DEAD_AFTER, LAST_WORDS = 3.0, 0.25, 5.0, 0.5
LEAST_CREDIT, CREDIT = [16, LONGEST_FRAME] * 3, [64, 2 * LONGEST_FRAME] * 3
# What a lender takes (7): type, name, states, classes, fixed fields, and how many texts follow, or that data do.
DATA, AFTER_HELLO = -1, ("OPEN", "LENT", "RETURNED")
TAKES = {row[0]: (*row[1:4], struct.Struct("<" + row[4]), row[5]) for row in (
    (0x01, "HELLO", "CONNECTED", (LINK,), "QIIIB3x6Q", 2), (0x02, "KEEP_ALIVE", AFTER_HELLO, (LINK,), "", 0),
    (0x03, "CREDIT", AFTER_HELLO, (LINK,), "6Q", 0), (0x04, "GOODBYE", AFTER_HELLO, (LINK,), "H", 1),
    (0x05, "ERROR", AFTER_HELLO, (LINK,), "HH4xQ", 1), (0x06, "HELD", AFTER_HELLO, (LINK,), "I4x", 0),
    (0x10, "BORROW", "OPEN", (NON_POSTED,), "I4x", 1), (0x13, "RETURN", "LENT", (NON_POSTED,), "", 0),
    (0x20, "DESCRIBE", "LENT", (NON_POSTED,), "", 0), (0x22, "READ", "LENT", (NON_POSTED,), "BB2xIQ", 0),
    (0x23, "DATA", AFTER_HELLO, (COMPLETION,), "B7x", DATA), (0x27, "MAP", "LENT", (POSTED,), "QQQBB6x", 0),
    (0x24, "WRITE", "LENT", (POSTED, NON_POSTED), "BB2xIQQ", DATA), (0x28, "UNMAP", "LENT", (NON_POSTED,), "QQ", 0),
    (0x26, "INTERRUPTS", "LENT", (POSTED,), "BBHH2x", 0), (0x29, "RESET", "LENT", (NON_POSTED,), "B7x", 0),
    (0x43, "EVENT", "LENT", (POSTED,), "BB2xIQQ", 1), (0x60, "LIST", "OPEN", (NON_POSTED,), "", 0),
    (0x62, "OPERATE", "OPEN", (NON_POSTED,), "", DATA), (0x64, "OBSERVE", "OPEN", (NON_POSTED,), "", 0))}
ANOTHER = "A message", AFTER_HELLO, (NON_POSTED,), HEADER, 1
TYPES = {row[0]: kind for kind, row in TAKES.items()} | {"BORROWED": 0x11, "REFUSED": 0x12, "DESCRIPTION": 0x21,
    "DONE": 0x25, "DMA_READ": 0x40, "DMA_WRITE": 0x41, "INTERRUPT": 0x42, "LISTED": 0x61}
FROM_LENDERS = (0x08, 0x11, 0x12, 0x14, 0x21, 0x25, 0x2C, 0x40, 0x41, 0x42, 0x44, 0x61, 0x63, 0x65)
RESERVED_REQUESTS, RESERVED_POSTED = (0x07, 0x2A, 0x2B, 0x2D, 0x2E), (0x45,)

# edu's regions and vectors. Bytes of configuration space after a reset, and the bits of them that a driver can
# write (PCI 3.0, 6.1, and 6.8.1 for the MSI capability at 0x40); where its single bits are in them.
BAR0, CONFIGURATION = 0, 7
SIZES, LONGEST, VECTORS = {BAR0: 1 << 20, CONFIGURATION: 4096}, {BAR0: 8, CONFIGURATION: 4}, (1, 1, 0)
SPACE = bytes.fromhex("3412e811 00001000 1000ff00").ljust(0x2C, b"\0") + bytes.fromhex(
    "f41a0011 00000000 40000000 00000000 00010000 05008000").ljust(4096 - 0x2C, b"\0")
WRITABLE = bytes.fromhex("00000000 46050000 00000000 ffff0000 0000f0ff").ljust(0x3C, b"\0") + bytes.fromhex(
    "ff000000 00007100 fcffffff ffffffff ffff0000").ljust(4096 - 0x3C, b"\0")
BUS_MASTER, INTX_DISABLED, INTX_STATUS, MSI_ENABLED = 1 << 2, 1 << 2, 1 << 3, 1 << 0
# The registers of QEMU's docs/specs/edu.rst, and their bits.
ID, LIVENESS, FACTORIAL, STATUS, IRQ_STATUS, IRQ_RAISE, IRQ_ACK = 0, 4, 8, 0x20, 0x24, 0x60, 0x64
SOURCE, DESTINATION, COUNT, COMMAND = 0x80, 0x88, 0x90, 0x98
IRQ_WHEN_COMPUTED, FACTORIAL_DONE, RUN, TO_MEMORY, IRQ_WHEN_RUN, DMA_DONE = 0x80, 1, 1, 2, 4, 0x100
BUFFER_AT, BUFFER_BYTES, DMA_MASK, DMA_SECONDS = 0x40000, 4096, (1 << 28) - 1, 0.1
BAR0_TAKES = (4,), (4, 8)  # below SOURCE, and from there on
REGISTERS = {ID: 0x010000ED} | dict.fromkeys((LIVENESS, FACTORIAL, STATUS, IRQ_STATUS, *range(SOURCE, 0xA0, 4)), 0)


class Broken(Exception):
    """The peer broke the protocol (8): code and sentence of the ERROR that tells it."""


def insist(right, code, sentence):
    if not right:
        raise Broken(code, sentence)

def text(words):
    return struct.pack("<H", len(words.encode())) + words.encode()

def decode(kind, body):
    """The fields of a message that a lender takes, then its texts or its data."""
    name, _, _, fields, rest = TAKES[kind]
    insist(len(body) >= fields.size, BAD_FRAME, f"{name} is too short")
    values, at = list(fields.unpack_from(body)), fields.size
    if rest == DATA:
        return values + [body[at:]]
    for _ in range(rest):
        begin, at = at + 2, at + 2 + int.from_bytes(body[at:at + 2], "little")
        insist(at <= len(body), BAD_FRAME, f"{name} has a text that passes its end")
        values.append(body[begin:at].decode())
        most = 255 if name in ("HELLO", "BORROW") else 1024
        insist(at - begin <= most, BAD_VALUE, f"{name} has too long a text")
    insist(at == len(body), BAD_FRAME, f"{name} has {len(body)} bytes, its fields {at}")
    return values

def spend(account, traffic, length):
    """Counts a frame in a list of totals that is in the order of CREDIT's."""
    if traffic != LINK:
        account[2 * traffic - 2] += 1
        account[2 * traffic - 1] += length
    return account


class Edu:
    """The device and its lease; its host is the link that has borrowed it, or None. Epochs begin with the time, since
    they grow across restarts too (7.2)."""

    def __init__(self, name):
        self.name, self.generation, self.links, self.transferring = name, 0, set(), None
        self.host, self.since, self.epoch = None, 0, int(time.time() * 1000)
        self.reset()

    def reset(self):
        self.generation += 1
        self.space, self.registers = bytearray(SPACE), dict(REGISTERS)
        self.buffer, self.pending, self.asserted = bytearray(BUFFER_BYTES), False, False
        if self.transferring:
            self.transferring.cancel()

    def detach(self, link):
        """The lease is over; the next borrower finds the function reset."""
        if self.host is link:
            self.host, self.since = None, 0
            self.reset()
            sys.stderr.write(f"{link.peer} has {self.name} no more.\n")

    def description(self):
        """The description block (7.2): INTA and one MSI, every kind of reset, two regions, one capability."""
        return struct.pack("<4HIBBBx4HQ BBxxIQI4x BBxxIQI4x HBxHH", 0x1234, 0x11E8, 0x1AF4, 0x1100, 0x00FF00, 0x10,
                           1, 0b1110, *VECTORS[1:], 2, 1, 0, BAR0, 0, 1 << 4, SIZES[BAR0], LONGEST[BAR0],
                           CONFIGURATION, 2, 1 << 4, 4096, LONGEST[CONFIGURATION], 5, 0, 0x40, 14) + text("edu")

    def read(self, region, offset, length):
        if region == CONFIGURATION:
            return bytes(self.space[offset:offset + length])
        if offset % length or length not in BAR0_TAKES[offset >= SOURCE]:
            return b"\xff" * length
        low, high = (self.registers.get(at, 0xFFFFFFFF) for at in (offset, offset + 4))
        return struct.pack("<II", low, high)[:length]

    def write(self, region, offset, data, enables):
        enabled = [enables >> index & 1 for index in range(len(data))]
        if region == CONFIGURATION:
            for at, (byte, right) in enumerate(zip(data, enabled), offset):
                self.space[at] ^= (self.space[at] ^ byte) & WRITABLE[at] * right
        elif all(enabled) and offset % len(data) == 0 and len(data) in BAR0_TAKES[offset >= SOURCE]:
            for at, (new,) in enumerate(struct.iter_unpack("<I", data)):
                self.write_register(offset + 4 * at, new)
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
        elif at in registers and at >= SOURCE and not registers[COMMAND] & RUN and (at != COMMAND or new & RUN):
            registers[at] = new
            if at == COMMAND:
                self.transferring = asyncio.create_task(self.transfer())

    async def transfer(self):
        """One transfer by DMA, which a reset cancels."""
        await asyncio.sleep(DMA_SECONDS)
        source, destination, count, command = (
            self.registers[at] | self.registers[at + 4] << 32 for at in (SOURCE, DESTINATION, COUNT, COMMAND))
        inside = (source if command & TO_MEMORY else destination) - BUFFER_AT
        address = (destination if command & TO_MEMORY else source) & DMA_MASK
        right = WRITES if command & TO_MEMORY else READS
        if inside < 0 or inside + count > BUFFER_BYTES:
            sys.stderr.write(f"DMA of {count:#x} bytes at {inside:#x} of the buffer is outside it.\n")
        elif count and self.host and self.space[4] & BUS_MASTER and self.host.may(address, count, right):
            if right == WRITES:
                self.host.send("DMA_WRITE", POSTED, struct.pack("<Q", address) + self.buffer[inside:inside + count])
            else:
                data = await self.host.dma_read(address, count)
                self.buffer[inside:inside + len(data)] = data
        self.registers[COMMAND] &= ~RUN
        if command & IRQ_WHEN_RUN:
            self.raise_interrupt(DMA_DONE)
            self.signal()

    def raise_interrupt(self, bits):
        self.registers[IRQ_STATUS] |= bits
        self.pending = self.registers[IRQ_STATUS] != 0

    def interrupts(self, kind, action):
        if action in (ENABLE, DISABLE):
            (self.taken.add if action == ENABLE else self.taken.discard)(kind)
        (self.masked.add if action == MASK else self.masked.discard)(kind)
        self.asserted = self.asserted and (kind == MSI or action == MASK)
        self.pending = self.pending and (kind == INTX or action != DISABLE)
        self.signal()

    def signal(self):
        """Interrupts in the way that the driver has enabled: MSI each once, INTx by its level."""
        level, taken = self.registers[IRQ_STATUS] != 0, self.taken if self.host else set()
        self.space[6] = self.space[6] & ~INTX_STATUS | INTX_STATUS * level
        if self.space[0x42] & MSI_ENABLED or MSI in taken:
            kind, wanted = MSI, self.pending and self.space[4] & BUS_MASTER
        else:
            kind, wanted = INTX, level and not self.asserted and not self.space[5] & INTX_DISABLED
        if wanted and kind in taken - self.masked:
            self.pending, self.asserted = False, kind == INTX
            self.host.send("INTERRUPT", POSTED, struct.pack("<B7x", kind))


class Link:
    """One connection, and the host of the function while that is lent here (3 to 5). A frame is carried out when it
    comes; what goes waits in a queue for the peer's credit. New credit is given only while little waits there and in
    the socket, which bounds both."""

    def __init__(self, function, reader, writer):
        self.function, self.reader, self.writer, self.state = function, reader, writer, "CONNECTED"
        self.peer = str(writer.get_extra_info("peername") or "a process of this machine")
        self.outgoing, self.offender, self.sent, self.received = [], 0, 0, 0
        self.used, self.allowed, self.their_use, self.given = [0] * 6, [0] * 6, [0] * 6, CREDIT
        self.maps, self.reads, self.last_tag, self.closed = {}, {}, 0, False
        self.wrote_at = self.taken_at = time.monotonic()

    async def serve(self):
        """Takes frames until either side ends the link."""
        self.function.links.add(self)
        self.writer.write(MAGIC + b"\1" + bytes(7))
        numbers = LONGEST_FRAME, int(KEEP_ALIVE * 1000), int(DEAD_AFTER * 1000), 2, *CREDIT
        self.send("HELLO", LINK, struct.pack("<8xIIIB3x6Q", *numbers) + text("py-lender") + text("edu_lender.py"))
        self.show_life()
        if len(self.function.links) > MOST_LINKS:
            self.end(f"is turned away: {MOST_LINKS} others are connected.")
        try:
            await asyncio.wait_for(self.greet(), HANDSHAKE)
            while not self.closed:
                await asyncio.wait_for(self.take(), DEAD_AFTER)
        except (Broken, UnicodeDecodeError) as wrong:
            code, sentence = wrong.args if isinstance(wrong, Broken) else (BAD_FRAME, str(wrong))
            body = struct.pack("<HH4xQ", code, self.offender, self.received) + text(sentence + ".")
            self.end(f"broke the protocol: {sentence}.", "ERROR", body)
        except (EOFError, OSError, asyncio.TimeoutError) as lost:
            self.end(f"is gone, or silent for too long: {lost!r}.")
        with contextlib.suppress(OSError):
            while await self.reader.read(LONGEST_FRAME):
                pass
        self.writer.close()
        self.function.links.discard(self)

    def end(self, why, name=None, body=b""):
        """With GOODBYE or ERROR and 500 ms for the other side to close, or without a word (5)."""
        if self.closed:
            return
        sys.stderr.write(f"{self.peer} {why}\n")
        self.function.detach(self)
        if name:
            self.send(name, LINK, body)
        self.closed = True
        with contextlib.suppress(OSError):  # it has gone already
            self.writer.write_eof()
        asyncio.get_running_loop().call_later(LAST_WORDS, self.writer.transport.abort)

    async def greet(self):
        """Another protocol is recognised by its first bytes (3); HELLO follows."""
        begun = b""
        while len(begun) < 16 and MAGIC.startswith(begun[:8]):
            begun += await self.reader.readexactly(1)
        if not MAGIC.startswith(begun[:8]):
            self.end(f"is no Farslot: it began with {begun + await self.reader.read(15)!r}.")
        elif begun[8:10] != b"\1\0":
            self.end(f"speaks version {begun[8] + 256 * begun[9]} of the protocol, not 1.")
        else:
            await self.take()

    async def take(self):
        """Takes one frame and does what it asks for."""
        length, kind, flags, _, generation, tag, *_ = header = HEADER.unpack(await self.reader.readexactly(32))
        self.offender = kind
        self.check(*header)
        body = await self.reader.readexactly(length - HEADER.size)
        self.received += 1
        spend(self.their_use, flags & 3, length)
        insist(all(map(int.__le__, self.their_use, self.given)), CREDIT_EXCEEDED, "A frame is beyond the credit")
        if kind in RESERVED_REQUESTS:
            self.done(tag, UNSUPPORTED_ABILITY)
        else:
            self.carry_out(TAKES[kind][0], tag, generation, decode(kind, body))
        self.tell_credit()

    def check(self, length, kind, flags, descriptors, generation, tag, sequence, seen):
        """A header and its place in the stream (2, 8)."""
        name, states, classes, fields, rest = TAKES.get(kind, ANOTHER)
        tagged, newest = flags & 3 >= NON_POSTED or name == "HELD", self.function.generation
        longest = LONGEST_BEFORE_HELLO if self.state == "CONNECTED" else LONGEST_FRAME
        for right, code, what in (
                (kind in (*TAKES, *FROM_LENDERS, *RESERVED_REQUESTS, *RESERVED_POSTED), UNKNOWN_TYPE, "is unknown"),
                (32 <= length <= (longest if rest else 32 + fields.size), BAD_FRAME, f"has {length} bytes"),
                (not flags & 0x70 and kind not in RESERVED_POSTED, UNSUPPORTED, "is or has what is reserved"),
                (kind not in FROM_LENDERS, OUT_OF_STATE, "is sent by lenders only"),
                (flags & 3 in classes and not flags & 0x8C, BAD_FRAME, f"has flags {flags:#x}"),
                (not descriptors, BAD_DESCRIPTOR, "announces a descriptor; none was agreed on"),
                (sequence == self.received + 1, BAD_SEQUENCE, f"is frame {sequence}"),
                (seen <= self.sent, BAD_SEQUENCE, f"acknowledges frame {seen} of {self.sent}"),
                (tagged == bool(tag), BAD_TAG, f"has tag {tag}"),
                (self.state in states, OUT_OF_STATE, f"came while {self.state}"),
                (self.state != "LENT" or generation <= newest, BAD_GENERATION, f"is of {generation}, not {newest}")):
            insist(right, code, f"{name} of type {kind:#x} {what}")

    def send(self, name, traffic, body=b"", tag=0):
        """Frames go in order but those of the link, which go first and need no credit."""
        frame = name, traffic, body, tag, self.function.generation if self.state == "LENT" else 0
        self.outgoing.insert(0 if traffic == LINK else len(self.outgoing), frame)
        self.flush()

    def flush(self):
        """Writes what the peer's credit allows, and nothing posted of before a reset."""
        while self.outgoing and not self.closed:
            name, traffic, body, tag, generation = self.outgoing[0]
            length = HEADER.size + len(body)
            used = spend(list(self.used), traffic, length)
            if not all(map(int.__le__, used, self.allowed)):
                break
            self.outgoing.pop(0)
            if traffic != POSTED or (generation, self) == (self.function.generation, self.function.host):
                self.used, self.sent, self.wrote_at = used, self.sent + 1, time.monotonic()
                header = length, TYPES[name], traffic, 0, generation, tag, self.sent, self.received
                self.writer.write(HEADER.pack(*header) + body)

    def done(self, tag, status=SUCCESS):
        self.send("DONE", COMPLETION, struct.pack("<B7x", status), tag)

    def tell_credit(self):
        """New credit for what was carried out, when half of an account is used and little waits."""
        new = list(map(int.__add__, self.their_use, CREDIT))
        half = any(2 * (n - old) >= all_ for n, old, all_ in zip(new, self.given, CREDIT))
        if half and len(self.outgoing) < CREDIT[0] and self.writer.transport.get_write_buffer_size() < LONGEST_FRAME:
            self.given = new
            self.send("CREDIT", LINK, struct.pack("<6Q", *new))

    def show_life(self):
        """Keeps the link alive, and ends that of a peer that does not read (5)."""
        now = time.monotonic()
        self.taken_at = self.taken_at if self.writer.transport.get_write_buffer_size() else now
        if now - self.taken_at > 4 * DEAD_AFTER:
            self.end("does not read.")
        if now - self.wrote_at > KEEP_ALIVE / 2:
            self.send("KEEP_ALIVE", LINK)
        self.tell_credit()
        if not self.closed:
            asyncio.get_running_loop().call_later(KEEP_ALIVE / 4, self.show_life)

    def carry_out(self, name, tag, generation, fields):
        """What each message asks for (7)."""
        function = self.function
        if name in ("READ", "WRITE"):
            self.access(tag, generation < function.generation, *fields)
        elif name == "HELLO":
            _, longest, keep_alive, dead_after, role, *credit, peer, program = fields
            enough = longest >= LONGEST_FRAME and all(map(int.__ge__, credit, LEAST_CREDIT))
            lively = keep_alive <= 500 * DEAD_AFTER and dead_after >= 2000 * KEEP_ALIVE
            insist(role == 1 and enough and lively, BAD_VALUE, f"HELLO has {fields}")
            self.state, self.peer, self.allowed = "OPEN", f"{peer!r} ({program!r}) at {self.peer}", credit
        elif name == "CREDIT":
            self.allowed = list(map(max, self.allowed, fields))
            self.flush()
        elif name in ("GOODBYE", "ERROR"):
            self.end(f"said {name} ({fields[0]}): {fields[-1]!r}")
        elif name == "LIST":
            names = text(function.name) + text("edu") + text("QEMU's teaching device")
            names += struct.pack("<I", function.generation) + text(function.host.peer if function.host else "")
            self.send("LISTED", COMPLETION, b"\1\0" + names + struct.pack("<QH", int(function.since * 1000), 0), tag)
        elif name == "BORROW":
            self.lend(tag, fields[1])
        elif name in ("OPERATE", "OBSERVE"):
            self.refuse(tag, NOT_OFFERED, "This lender has no actions and tells no events.")
        elif name == "DATA":
            insist(tag in self.reads, BAD_TAG, f"DATA has tag {tag}, which nobody waits for")
            length, future = self.reads.pop(tag)
            insist(fields[0] <= 7 and len(fields[1]) == (0 if fields[0] else length), BAD_VALUE, "DATA is impossible")
            if not future.cancelled():
                future.set_result(fields[1])
        elif name == "INTERRUPTS":
            kind, action, first, count = fields
            known = kind <= MSIX and ENABLE <= action <= UNMASK and count > 0 and first + count <= VECTORS[kind]
            insist(known, BAD_VALUE, f"INTERRUPTS has kind, action, first and count {fields}")
            function.interrupts(kind, action)
        elif name in ("MAP", "UNMAP"):
            self.map_memory(name, tag, *fields)
        elif name == "RESET":
            insist(fields[0] in (1, 2, 3), BAD_VALUE, f"RESET has kind {fields[0]}")
            function.reset()
            self.done(tag)
        elif name == "DESCRIBE":
            self.send("DESCRIPTION", COMPLETION, function.description(), tag)
        elif name == "RETURN":
            self.done(tag)
            self.state = "RETURNED"
            function.detach(self)

    def refuse(self, tag, reason, sentence):
        self.send("REFUSED", COMPLETION, struct.pack("<H", reason) + text(sentence), tag)

    def lend(self, tag, name):
        function = self.function
        if name != function.name:
            return self.refuse(tag, NOT_FOUND, f"There is no {name!r} here, but {function.name!r}.")
        if function.host:
            return self.refuse(tag, TAKEN, f"{function.host.peer} has it since {time.ctime(function.since)}.")
        function.host, function.since, function.epoch = self, time.time(), function.epoch + 1
        function.taken, function.masked, self.state = set(), set(), "LENT"
        sys.stderr.write(f"{self.peer} has borrowed {name}.\n")
        self.send("BORROWED", COMPLETION, struct.pack("<Q24x", function.epoch) + function.description(), tag)

    def access(self, tag, stale, region, width, length, offset, enables=0, data=None):
        """READ, and WRITE when there are data."""
        outside = length > LONGEST.get(region, 0) or offset + length > SIZES.get(region, 0)
        status = STALE_GENERATION if stale else UNSUPPORTED_REQUEST if outside else SUCCESS
        insist(1 <= length <= LONGEST_ACCESS and width in WIDTHS, BAD_VALUE, f"An access has {length} bytes of {width}")
        if data is None:
            found = b"" if status else self.function.read(region, offset, length)
            return self.send("DATA", COMPLETION, struct.pack("<B7x", status) + found, tag)
        right = length == len(data) and (length <= 64 or enables == EVERYTHING - 1)
        right = right and (region not in SIZES or (region == BAR0) == (not tag))
        insist(right, BAD_VALUE, f"WRITE of {length} bytes has {len(data)}, byte enables {enables:#x} and tag {tag}")
        if status == SUCCESS:
            self.function.write(region, offset, data, enables)
        if tag:
            self.done(tag, status)

    def map_memory(self, name, tag, address, length, _=0, direction=0, _flags=0):
        end = address + length if address or length or name == "MAP" else EVERYTHING
        touched = {(at, size) for at, size in self.maps if at < end and address < at + size}
        if name == "MAP":
            right = length and end <= EVERYTHING and direction in (1, 2, 3)
            right = right and not touched - {(address, length)} and len(self.maps) < MOST_MAPS
            insist(right, BAD_VALUE, f"MAP of {length:#x} bytes at {address:#x} in direction {direction}")
            self.maps[address, length] = direction
            return
        cut = any(at < address or at + size > end for at, size in touched)
        nothing = cut or ((address or length) and not touched)
        if not nothing:
            self.maps = {at: may for at, may in self.maps.items() if at not in touched}
        self.done(tag, UNSUPPORTED_REQUEST if nothing else SUCCESS)

    def may(self, address, length, direction):
        """Whether the driver mapped all of it; a transfer may span maps that adjoin (7.4)."""
        at = address
        for start, size in sorted(self.maps):
            if start <= at < start + size and self.maps[start, size] & direction:
                at = start + size
        if at < address + length:
            sys.stderr.write(f"DMA of {length:#x} bytes at {address:#x} is refused: it is not mapped.\n")
        return at >= address + length

    async def dma_read(self, address, length):
        """The driver's bytes, or none where it refuses."""
        self.last_tag = self.last_tag % 0xFFFFFFFF + 1
        self.reads[self.last_tag] = length, asyncio.get_running_loop().create_future()
        self.send("DMA_READ", NON_POSTED, struct.pack("<QI4x", address, length), self.last_tag)
        return await self.reads[self.last_tag][1]


async def lend(function, listen):
    """Lends it at ADDRESS:PORT or at a path until SIGINT or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    host, _, port = listen.rpartition(":")
    os.umask(0o077)
    if "/" in listen:
        await asyncio.start_unix_server(lambda *streams: Link(function, *streams).serve(), listen)
    else:
        server = await asyncio.start_server(lambda *streams: Link(function, *streams).serve(), host.strip("[]"), port)
        listen = f"{host}:{server.sockets[0].getsockname()[1]}"
    print(f"{function.name} is lent at {listen}", flush=True)
    await stop.wait()
    for link in function.links:
        link.end("is left.", "GOODBYE", struct.pack("<H", 3) + text("The lender leaves."))
    while function.links:
        await asyncio.sleep(LAST_WORDS / 10)
    if "/" in listen:
        os.unlink(listen)

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:6727", metavar="ADDRESS:PORT|PATH", help="(%(default)s)")
    parser.add_argument("--insecure", action="store_true", help="needed for TCP, where nothing proves who connects")
    arguments = parser.parse_args()
    if "/" not in arguments.listen and not arguments.insecure:
        parser.error("TCP is not protected: say --insecure on a network that you trust.")
    try:
        asyncio.run(lend(Edu("e0"), arguments.listen))
    except (OSError, ValueError) as error:
        sys.exit(f"edu_lender: cannot listen at {arguments.listen}: {error}")

if __name__ == "__main__":
    main()
