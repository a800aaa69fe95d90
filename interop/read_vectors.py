#!/usr/bin/env python3
"""Reads docs/protocol-vectors.txt by the layouts of docs/protocol.md, and compares.

Each vector's bytes are taken apart and put into the words of its `means:` line, or must be refused
with the code of its `error:` line. What a lender takes is decoded by edu_lender.py as well, and
must come to the same. Says how many vectors were right; exit code 1 if one was not.
"""

import re
import struct
import sys

from edu_lender import (
    BAD_FRAME, BAD_VALUE, HEADER, LONGEST_FRAME, TAKES, UNKNOWN_TYPE, UNSUPPORTED, Broken, decode,
    insist)

CODES = ["", "BAD_FRAME", "UNKNOWN_TYPE", "OUT_OF_STATE", "BAD_VALUE", "CREDIT_EXCEEDED",
         "BAD_SEQUENCE", "BAD_GENERATION", "BAD_TAG", "BAD_DESCRIPTOR", "UNSUPPORTED", "INTERNAL"]
CLASSES = ["link", "posted", "non-posted", "completion"]
CREDITS = ("posted-frames:Q posted-bytes:Q non-posted-frames:Q non-posted-bytes:Q"
           " completion-frames:Q completion-bytes:Q")

# By type: name, classes, fixed fields, and what follows them (7, 10).
MESSAGES = {
    0x01: ("HELLO", "0", "abilities:Q max-frame:I keep-alive-ms:I dead-after-ms:I role:B 3x "
           + CREDITS, "name name"),
    0x02: ("KEEP_ALIVE", "0", "", ""),
    0x03: ("CREDIT", "0", CREDITS, ""),
    0x04: ("GOODBYE", "0", "reason:H", "sentence"),
    0x05: ("ERROR", "0", "code:H offending-type:H 4x last-sequence:Q", "sentence"),
    0x06: ("HELD", "0", "ms:I 4x", ""),
    0x07: ("RESUME", "2", "session-low:Q session-high:Q received:Q attempt:Q", ""),
    0x08: ("RESUMED", "3", "received:Q resumed-flags:I unacknowledged:I", ""),
    0x09: ("CLOCK", "0", "asked-ns:Q", ""),
    0x0A: ("CLOCK_TOLD", "0", "asked-ns:Q received-ns:Q sent-ns:Q time-of-day-ns:Q", ""),
    0x10: ("BORROW", "2", "borrow-flags:I 4x", "name"),
    0x11: ("BORROWED", "3", "epoch:Q session-low:Q session-high:Q grace-ms:I 4x", "description"),
    0x12: ("REFUSED", "3", "reason:H", "sentence"),
    0x13: ("RETURN", "2", "", ""),
    0x14: ("WAITING", "0", "place:I of:I", "sentence"),
    0x20: ("DESCRIBE", "2", "", ""),
    0x21: ("DESCRIPTION", "3", "", "description"),
    0x22: ("READ", "2", "region:B width:B 2x length:I offset:Q", ""),
    0x23: ("DATA", "3", "status:B 7x", "data"),
    0x24: ("WRITE", "12", "region:B width:B 2x length:I offset:Q byte-enables:Q", "data"),
    0x25: ("DONE", "3", "status:B 7x", ""),
    0x26: ("INTERRUPTS", "1", "kind:B action:B first:H count:H 2x", ""),
    0x27: ("MAP", "1", "address:Q length:Q descriptor-offset:Q direction:B map-flags:B 6x", ""),
    0x28: ("UNMAP", "2", "address:Q length:Q", ""),
    0x29: ("RESET", "2", "kind:B 7x", ""),
    0x2A: ("QUIESCE", "2", "", ""),
    0x2B: ("SAVE", "2", "", ""),
    0x2C: ("STATE", "3", "", "data"),
    0x2D: ("LOAD", "2", "", "data"),
    0x2E: ("ATOMIC", "2", "region:B width:B operation:B 5x offset:Q", "data"),
    0x40: ("DMA_READ", "2", "address:Q length:I 4x", ""),
    0x41: ("DMA_WRITE", "1", "address:Q", "data"),
    0x42: ("INTERRUPT", "1", "kind:B x vector:H 4x", ""),
    0x43: ("EVENT", "1", "event:B detail:B 2x new-generation:I address:Q length:Q", "sentence"),
    0x44: ("DMA_ATOMIC", "2", "address:Q width:B operation:B 6x", "data"),
    0x45: ("MEMORY_DIFFERENCES", "1", "count:I 4x", "data"),
    0x60: ("LIST", "2", "", ""),
    0x61: ("LISTED", "3", "count:H", "entries"),
    0x62: ("OPERATE", "2", "", "order"),
    0x63: ("RESULT", "3", "count:H", "rows"),
    0x64: ("OBSERVE", "2", "", ""),
    0x65: ("OBSERVED", "1", "time-ms:Q lost-before:I", "name name sentence"),
    0x66: ("FOLLOW", "2", "follow-flags:I 4x", "order"),
    0x67: ("FOLLOWING", "3", "first:Q record-bytes:I 4x", "data"),
    0x68: ("RECORDS", "1", "first:Q lost:Q records-flags:I 4x", "data"),
    0x69: ("KEPT", "1", "next:Q", ""),
    0x6A: ("FOLLOW_END", "1", "next:Q lost:Q", "sentence"),
    0x6B: ("UNFOLLOW", "2", "", ""),
}
LONGEST_TEXT = {"name": 255, "kind": 64, "sentence": 1024}


class Body:
    """What follows a frame's header, read from its beginning to its end."""

    def __init__(self, name, data):
        self.name, self.data, self.at = name, data, 0

    def take(self, fields):
        size = struct.calcsize("<" + fields)
        insist(self.at + size <= len(self.data), BAD_FRAME, f"{self.name} is too short")
        values = struct.unpack_from("<" + fields, self.data, self.at)
        self.at += size
        return values

    def text(self, what="", count="H"):
        length, = self.take(count)
        raw, = self.take(f"{length}s")
        insist(length <= LONGEST_TEXT.get(what, 1 << 32), BAD_VALUE, f"{what} is too long")
        return '"' + raw.decode() + '"'

    def pairs(self):
        """Names and values (7.5)."""
        names, found = set(), []
        for _ in range(*self.take("H")):
            name = self.text("name").strip('"')
            insist(name not in names, BAD_FRAME, f"{name} stands twice in {self.name}")
            names.add(name)
            found.append(f"{name}={self.text(count='I')}")
        return found

    def rest(self):
        self.at, data = len(self.data), self.data[self.at:]
        return data


def named(names, bits):
    return [name for bit, name in enumerate(names) if name and bits >> bit & 1]


def description(body):
    """The description block (7.2)."""
    names = ("vendor", "device", "subsystem-vendor", "subsystem", "class", "revision", "pin")
    *identity, kinds, msi, msix, regions, capabilities, abilities = body.take("4HIBBBx4HQ")
    words = [f"{name}={value:#x}" for name, value in zip(names, identity)]
    words.append("reset-kinds=" + ",".join(named(("", "FLR", "HOT", "COLD"), kinds)))
    words += [f"msi={msi:#x}", f"msix={msix:#x}", "abilities=" + ",".join(
        named(("SAVE_AND_LOAD", "QUIESCE", "MAPPED_REGIONS", "ATOMICS"), abilities))]
    configuration = False
    for _ in range(regions):
        index, space, attributes, size, longest = body.take("BBxxIQI4x")
        insist(size and size & size - 1 == 0, BAD_VALUE, f"region {index} has {size} bytes")
        configuration = configuration or index == 7
        space = ("MEMORY", "IO_PORT", "CONFIGURATION")[space]
        words.append(f"region{{{index:#x} {space} size={size:#x} longest={longest:#x}" + "".join(
            " " + name for name in named(
                ("BITS_64", "PREFETCHABLE", "MAPPABLE", "WRITE_COMBINING",
                 "READS_WITHOUT_SIDE_EFFECTS", "RAM_LIKE", "READ_ONLY"), attributes)) + "}")
    for _ in range(capabilities):
        number, flags, offset, length = body.take("HBxHH")
        extended = "extended " if flags & 1 else ""
        words.append(f"capability{{{extended}{number:#x} offset={offset:#x} length={length:#x}}}")
    insist(configuration, BAD_VALUE, "there is no configuration space")
    return words + [body.text("kind")]


def entry(body):
    """An entry of LISTED (7.5)."""
    words = [body.text("name"), body.text("kind"), body.text("sentence")]
    words += [f"generation={body.take('I')[0]:#x}", f"borrower={body.text()}",
              f"since={body.take('Q')[0]:#x}"]
    return "entry{" + " ".join(words + body.pairs()) + "}"


def meaning(frame):
    """The words of a frame; Broken where a receiver answers ERROR."""
    length, kind, flags, descriptors, generation, tag, sequence, acknowledged = (
        HEADER.unpack_from(frame))
    insist(HEADER.size <= length <= LONGEST_FRAME, BAD_FRAME, "a length that is impossible")
    insist(kind in MESSAGES, UNKNOWN_TYPE, "no such type")
    name, classes, fields, rest = MESSAGES[kind]
    insist(not flags & 0x70, UNSUPPORTED, "reserved flags")
    insist(str(flags & 3) in classes and not flags & 0x88, BAD_FRAME, "not of its class")
    header = [name, CLASSES[flags & 3]] + ["more"] * (flags >> 2 & 1) + [
        f"descriptors={descriptors:#x}", f"generation={generation:#x}", f"tag={tag:#x}",
        f"sequence={sequence:#x}", f"acknowledged={acknowledged:#x}"]
    body = Body(name, frame[HEADER.size:length])
    names = re.findall(r"([a-z-]+):", fields)
    values = body.take(re.sub(r"[a-z-]+:|\s", "", fields))
    if name == "EVENT":
        insist(values[0] != 6 or values[1] in (1, 2, 3), BAD_VALUE, "no such reset kind")
    tail = []
    for what in rest.split():
        if what == "data":
            tail.append("data=" + body.rest().hex())
        elif what == "description":
            tail += description(body)
        elif what == "entries":
            tail += [entry(body) for _ in range(values[0])]
        elif what == "rows":
            tail += ["row{" + " ".join(body.pairs()) + "}" for _ in range(values[0])]
        elif what == "order":
            tail += [body.text("name"), *body.pairs()]
        else:
            tail.append(body.text(what))
    insist(body.at == len(body.data), BAD_FRAME, f"{name} goes on after its end")
    if kind in TAKES and rest not in ("data", "order"):
        texts = [word.strip('"') for word in tail]
        insist(decode(kind, body.data) == [*values, *texts], 0, f"edu_lender reads {name} apart")
    parts = [header, [f"{field}={value:#x}" for field, value in zip(names, values)], tail]
    return " | ".join(" ".join(part) for part in parts if part)


def preamble(data):
    magic, version, minor = struct.unpack("<8sHH4x", data)
    insist(magic == b"FARSLOT\n", BAD_FRAME, "another magic")
    return f"PREAMBLE version={version:#x} minor={minor:#x}"


def vectors(path):
    """Each vector's name, bytes, and its line that says what they mean."""
    name, data = "", ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.strip().partition(":")
            if key == "name":
                name, data = value.strip(), ""
            elif key == "bytes":
                data += value
            elif key in ("means", "error"):
                yield name, bytes.fromhex(data), f"{key}: {value.strip()}"


def main():
    right = wrong = 0
    for name, data, expected in vectors(sys.argv[1]):
        try:
            found = "means: " + (preamble(data) if name == "preamble" else meaning(data))
        except UnicodeDecodeError:
            found = "error: BAD_FRAME"
        except Broken as broken:
            found = f"error: {CODES[broken.args[0]] or broken.args[1]}"
        right, wrong = right + (found == expected), wrong + (found != expected)
        if found != expected:
            print(f"{name}:\n  is    {found}\n  not   {expected}", file=sys.stderr)
    print(f"{right} vectors are read as the document says, {wrong} are not.")
    sys.exit(wrong > 0 or right == 0)


if __name__ == "__main__":
    main()
