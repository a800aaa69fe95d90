#!/usr/bin/env python3
"""Reads a trace (.fst) by docs/trace-format.md: ./read_trace.py FILE.fst

Prints one line of JSON an event, as `farslot trace show --json` does but for the names of registers
and their fields. What is wrong with the file is said on stderr. Exit code 0 where all is whole and
sealed, 1 where something is damaged or cut or not verified, 2 where it is no trace of this version.
"""

import json
import mmap
import struct
import sys
import zlib

VERSION, SLOT, BLOCK = 2, 64, 1024
SEAL, CONTINUATION = 0x7E, 0x7F
READ, WRITE, DMA_READ, DMA_WRITE, LEASE = 1, 2, 3, 4, 16
UNDER_WAY, DIGEST, COUNTER, LINK_TIME = 1, 2, 4, 8

REGIONS = ["BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5", "ROM", "CFG"]
STATUS = {0: "SUCCESS", 1: "UNSUPPORTED_REQUEST", 4: "COMPLETER_ABORT", 5: "TIMED_OUT",
          6: "UNSUPPORTED_ABILITY", 7: "STALE_GENERATION"}
INTERRUPTS = ["INTX", "MSI", "MSIX"]
ACTIONS = ["", "ENABLE", "DISABLE", "MASK", "UNMASK"]
RESETS = ["", "FLR", "HOT", "COLD"]
DIRECTIONS = ["", "READ", "WRITE", "READ_WRITE"]
OPERATIONS = ["", "QUIESCE", "SAVE", "LOAD", "RESUME"]
TIMED = {1, 2, 3, 4, 7, 9, 13, 15}
KINDS = ["", "read", "write", "dma-read", "dma-write", "irq", "irq-ctl", "reset", "map", "unmap",
         "event", "mark", "attach", "state", "near", "lost", "lease", "changed", "counted",
         "setting"]


class NoTrace(Exception):
    """What is not a trace, or not one that can be read; the sentence says why."""


class Senseless(Exception):
    """A record whose fields mean nothing."""


def crc32c_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


TABLE = list(crc32c_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Trace:
    """A trace file: its header at once, its events one after another."""

    def __init__(self, data):
        self.data, self.remarks = data, []
        if len(data) < 0x80 or data[:8] != b"FARSLOT\n":
            raise NoTrace("It does not begin as a trace does.")
        major, _, slot, self.header, block = struct.unpack_from("<HHIII", data, 8)
        if major != VERSION:
            raise NoTrace(f"It is of version {major}, and this program reads version {VERSION}.")
        if slot != SLOT or block != SLOT * BLOCK or self.header > len(data) or not self.header:
            raise NoTrace("Its header is damaged, or it ends within it.")
        self.began, self.wall, self.limit, self.first, sections, check = struct.unpack_from(
            "<QQQQII", data, 0x18)
        self.header_whole = crc32c(data[0x08:0x3C]) == check
        if not self.header_whole:
            self.remarks.append("The header is damaged, at 0x8 to 0x3f.")
        state, self.lost, said, check = struct.unpack_from("<I4xQQI", data, 0x40)
        self.ended = state == 1 and crc32c(data[0x40:0x58]) == check
        if not self.ended and (state or check):
            self.remarks.append("The header is damaged, at 0x40 to 0x5b.")
        offset, uncertainty, measured, check = struct.unpack_from("<qQQI", data, 0x60)
        self.clock = crc32c(data[0x60:0x78]) == check and (offset, uncertainty, measured) or None
        self.sections = dict(self.read_sections(sections))
        if self.lost:
            self.remarks.append(f"{self.lost} events were lost.")
        there = (len(data) - self.header) // SLOT
        self.slots = min(there, said) if self.ended else there
        self.cut = self.ended and said > there
        if self.cut:
            self.remarks.append(f"It was cut: {said - there} slots are missing.")
        self.last_seal = -1
        if self.slots % BLOCK and (
                self.ended and not self.cut or self.kind(self.slots - 1) == SEAL):
            self.last_seal = self.slots - 1
        self.verified = {}
        self.epoch = struct.unpack_from("<Q", self.sections.get(4, bytes(8)))[0]

    def read_sections(self, length):
        at, end = 0x80, 0x80 + length
        while at + 16 <= end:
            tag, size, check = struct.unpack_from("<III", self.data, at)
            content = self.data[at + 16:at + 16 + size]
            if crc32c(self.data[at:at + 8] + content) != check:
                self.remarks.append(f"The header is damaged at {at:#x}.")
                return
            yield tag, bytes(content)
            at += 16 + (size + 7 & ~7)

    def register_map(self):
        """The text of the register map, or None."""
        if 3 not in self.sections:
            return None
        text = zlib.decompress(self.sections[3][4:])
        return text.decode() if len(text) == struct.unpack_from("<I", self.sections[3])[0] else None

    def place(self, slot):
        return self.header + SLOT * slot

    def kind(self, slot):
        return self.data[self.place(slot)]

    def seal_of(self, block):
        end = (block + 1) * BLOCK
        return end - 1 if end <= self.slots else self.last_seal

    def verification(self, block):
        """"" where the block is what its seal says, else "unverified" or "damaged"."""
        if block not in self.verified:
            seal, first = self.seal_of(block), block * BLOCK
            found = "unverified"
            if seal >= 0 and (any(self.data[self.place(seal):self.place(seal) + 8]) or self.ended):
                at = self.place(seal)
                kind, flags, records, zero, number = struct.unpack_from("<BBHIQ", self.data, at)
                check, = struct.unpack_from("<I", self.data, at + 0x3C)
                right = (kind, flags, records, zero, number) == (
                    SEAL, 0, seal - first, 0, self.first + first)
                right = right and crc32c(self.data[self.place(first):at + 0x3C]) == check
                found = "" if right and self.header_whole else "damaged"
            self.verified[block] = found
            if found == "damaged":
                self.remarks.append(f"Block {block}, at {self.place(first):#x}, is damaged.")
        return self.verified[block]

    def continuations(self, slot, count):
        """The slots of an event's continuations, as far as they are its own; where they end."""
        own, index = [], 0
        while index < count:
            slot += 1
            if slot % BLOCK == BLOCK - 1:
                slot += 1
            if slot >= self.slots:
                return own, self.slots
            index += 1
            kind, _, number = struct.unpack_from("<BBH", self.data, self.place(slot))
            if kind == CONTINUATION and number == index:
                own.append(slot)
            elif any(self.data[self.place(slot):self.place(slot) + 8]):
                return own, slot
        return own, slot + 1

    def events(self):
        slot = 0
        while slot < self.slots:
            if slot % BLOCK == 0:
                self.verification(slot // BLOCK)
            at = self.place(slot)
            kind, flags, count = struct.unpack_from("<BBH", self.data, at)
            if slot == self.seal_of(slot // BLOCK) or not any(self.data[at:at + 8]):
                slot += 1
                continue
            if kind in (SEAL, CONTINUATION):
                self.remarks.append(f"Slot {slot} means nothing.")
                slot += 1
                continue
            own, end = self.continuations(slot, count)
            found = max((self.verification(block)
                         for block in range(slot // BLOCK, (end - 1) // BLOCK + 1)),
                        key=["", "unverified", "damaged"].index)
            if kind < len(KINDS):
                try:
                    yield self.event(slot, kind, flags, own, found)
                except (Senseless, IndexError, KeyError):
                    self.remarks.append(f"Slot {slot} means nothing.")
            slot = end

    def event(self, slot, kind, flags, own, found):
        (time, duration, generation, address, length, where, width, status, detail, extra
         ) = struct.unpack_from("<QIIQIBBBBQ", self.data, self.place(slot) + 8)
        under_way = bool(flags & UNDER_WAY)
        name = KINDS[kind]
        if kind == 0:
            raise Senseless
        event = {"number": self.first + slot, "nanos": signed(time), "kind": name,
                 "generation": signed(generation, 32)}
        if under_way:
            event["underWay"] = True
        elif kind in TIMED:
            event["durationNanos"] = duration
        if kind == LEASE:
            self.epoch = extra
        if self.epoch:
            event["epoch"] = signed(self.epoch)
        at = self.place(slot) + 0x30
        if flags & COUNTER:
            counter, = struct.unpack_from("<Q", self.data, at + 8)
            if counter:
                event["programCounter"] = hex(counter)
        if flags & LINK_TIME:
            event["linkNanos"], = struct.unpack_from("<i", self.data, self.place(slot) + 4)
        if found:
            event[found] = True
        in_record = 8 if flags & COUNTER else 16
        kept = bytes(self.data[at:at + in_record])
        if not under_way:
            for one in own:
                kept += self.data[self.place(one) + 8:self.place(one) + SLOT]
        kept = kept[:min(length, 1 << 20)]
        if kind in (READ, DMA_READ) and (under_way or status):
            kept = b""

        def add_status():
            if not under_way:
                event["status"] = STATUS[status]

        def add_data():
            event["length"] = length
            if kept:
                event["data"] = kept.hex()
            if flags & DIGEST:
                event["xxh64"] = hex(extra)
            add_status()

        if kind in (READ, WRITE):
            event.update(region=REGIONS[where], offset=hex(address), widthBytes=width)
            enables = (1 << min(63, length)) - 1
            if kind == WRITE and extra & enables != enables:
                event["byteEnables"] = hex(extra)
            if length <= 8 and kept:
                event["value"] = hex(int.from_bytes(kept, "little"))
            add_data()
        elif kind in (DMA_READ, DMA_WRITE):
            event["address"] = hex(address)
            add_data()
        elif name == "irq":
            event.update(interrupt=INTERRUPTS[where], vector=signed(address))
        elif name == "irq-ctl":
            event.update(interrupt=INTERRUPTS[where], action=word(ACTIONS, detail),
                         first=signed(address), count=signed(extra))
        elif name == "reset":
            event["reset"] = word(RESETS, detail)
            add_status()
            event["newGeneration"] = signed(extra)
        elif name == "map":
            event.update(address=hex(address), length=hex(extra), direction=word(DIRECTIONS, where),
                         near=bool(detail & 1), servedWhileWaiting=bool(detail & 2))
        elif name == "unmap":
            event.update(address=hex(address), length=hex(extra))
            add_status()
        elif name == "event":
            event["event"], event["text"] = told(detail, where, address, extra, text(kept))
        elif name == "mark":
            event["text"] = text(kept)
            if detail == 1:
                event["byGuest"] = True
        elif name == "attach":
            event["attached"] = detail != 0
        elif name == "state":
            event.update(operation=word(OPERATIONS, detail), bytes=signed(extra))
            add_status()
        elif name == "near":
            event.update(address=hex(address), length=hex(extra), direction=word(DIRECTIONS, where),
                         given=detail != 0)
        elif name == "lost":
            event["count"] = signed(extra)
        elif name == "lease":
            slot_name, identity, why = text(kept).split("\0", 2)
            event.update(lease=("", "begun", "ended")[detail], slot=slot_name, identity=identity,
                         why=why)
            if detail == 2:
                self.epoch = 0
        elif name == "changed":
            each = (len(kept) - detail) // 2
            event.update(tap=text(kept[:detail]),
                         region="MEM" if where == 0xFF else REGIONS[where], offset=hex(address),
                         before=kept[detail:detail + each].hex(),
                         after=kept[detail + each:detail + 2 * each].hex())
        elif name == "counted":
            reads, writes = struct.unpack_from("<qq", kept)
            event.update(region=REGIONS[where], first=hex(address), last=hex(extra), reads=reads,
                         writes=writes)
        elif name == "setting":
            event["setting"] = text(kept)
        return event


def signed(number, bits=64):
    return number - (1 << bits) if number >> bits - 1 else number


def text(data):
    return data.decode(errors="replace")


def word(words, number):
    if not words[number]:
        raise Senseless
    return words[number]


def told(detail, where, address, extra, sentence):
    """What a function tells, in the words of `farslot trace show`."""
    return {
        1: lambda: ("Error", ("fatal error: " if extra else "error: ") + sentence),
        2: lambda: ("PowerManagement", "power-management event"),
        3: lambda: ("Presence", "present" if extra else "gone"),
        4: lambda: ("DescriptionChanged", "description changed"),
        5: lambda: ("GoingAway", "going away: " + sentence),
        6: lambda: ("NewGeneration",
                    f"generation {signed(extra & 0xFFFFFFFF, 32)} began by {word(RESETS, where)}"),
        7: lambda: ("DmaRefused", "DMA %s of %d bytes at %#x refused: %s" % (
            word(DIRECTIONS, where).lower().replace("_", "-"), signed(extra), address, sentence)),
    }[detail]()


def main():
    with open(sys.argv[1], "rb") as file:
        try:
            trace = Trace(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (NoTrace, ValueError) as wrong:
            print(f"{sys.argv[1]}: {wrong}", file=sys.stderr)
            sys.exit(2)
    for event in trace.events():
        print(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
    if not trace.ended:
        trace.remarks.append("The writer has not ended it.")
    for remark in trace.remarks:
        print(remark, file=sys.stderr)
    sys.exit(1 if trace.remarks else 0)


if __name__ == "__main__":
    main()
