"""The lender's end of the Farslot link protocol, for one function.

Written from docs/protocol.md alone, in Python's standard library; numbers in parentheses are that
document's sections. A device is a Function; lend() offers it, and each Link is one connection to
it. All run in one thread, and nothing waits but the event loop.
"""

import asyncio
import collections
import os
import signal
import struct
import sys
import time

# Frames (2); the codes of ERROR (7.1), REFUSED (7.2) and DATA (7.3); kinds and actions (7.3).
MAGIC, HEADER = b"FARSLOT\n", struct.Struct("<IHBBIIQQ")
LONGEST_FRAME, LONGEST_BEFORE_HELLO, LONGEST_ACCESS = 0x101000, 0x1000, 0x100000
LINK, POSTED, NON_POSTED, COMPLETION = range(4)
(BAD_FRAME, UNKNOWN_TYPE, OUT_OF_STATE, BAD_VALUE, CREDIT_EXCEEDED, BAD_SEQUENCE, BAD_GENERATION,
 BAD_TAG, BAD_DESCRIPTOR, UNSUPPORTED) = range(1, 11)
NOT_FOUND, TAKEN, NOT_OFFERED = 1, 2, 5
SUCCESS, UNSUPPORTED_REQUEST, UNSUPPORTED_ABILITY, STALE_GENERATION = 0, 1, 6, 7
INTX, MSI, MSIX = range(3)
ENABLE, DISABLE, MASK, UNMASK = range(1, 5)
MEMORY, IO_PORTS, CONFIGURATION = range(3)
READS, WRITES, EVERYTHING, MOST_MAPS = 1, 2, 1 << 64, 65535

# Seconds (9); credit of the accounts posted, non-posted and completion: frames, bytes (4).
HANDSHAKE, KEEP_ALIVE, DEAD_AFTER, LAST_WORDS = 3.0, 0.25, 5.0, 0.5
LEAST_CREDIT, CREDIT = [16, LONGEST_FRAME] * 3, [64, 2 * LONGEST_FRAME] * 3
MOST_LINKS = 64

# What a lender takes (7): name, classes, fixed fields, and how many texts follow or that data do.
DATA_FOLLOWS = -1
TAKES = {kind: (name, classes, struct.Struct("<" + fields), rest)
         for kind, name, classes, fields, rest in (
    (0x01, "HELLO", (LINK,), "QIIIB3x6Q", 2),
    (0x02, "KEEP_ALIVE", (LINK,), "", 0),
    (0x03, "CREDIT", (LINK,), "6Q", 0),
    (0x04, "GOODBYE", (LINK,), "H", 1),
    (0x05, "ERROR", (LINK,), "HH4xQ", 1),
    (0x06, "HELD", (LINK,), "I4x", 0),
    (0x10, "BORROW", (NON_POSTED,), "I4x", 1),
    (0x13, "RETURN", (NON_POSTED,), "", 0),
    (0x20, "DESCRIBE", (NON_POSTED,), "", 0),
    (0x22, "READ", (NON_POSTED,), "BB2xIQ", 0),
    (0x23, "DATA", (COMPLETION,), "B7x", DATA_FOLLOWS),
    (0x24, "WRITE", (POSTED, NON_POSTED), "BB2xIQQ", DATA_FOLLOWS),
    (0x26, "INTERRUPTS", (POSTED,), "BBHH2x", 0),
    (0x27, "MAP", (POSTED,), "QQQBB6x", 0),
    (0x28, "UNMAP", (NON_POSTED,), "QQ", 0),
    (0x29, "RESET", (NON_POSTED,), "B7x", 0),
    (0x43, "EVENT", (POSTED,), "BB2xIQQ", 1),
    (0x60, "LIST", (NON_POSTED,), "", 0),
    (0x62, "OPERATE", (NON_POSTED,), "", DATA_FOLLOWS),
    (0x64, "OBSERVE", (NON_POSTED,), "", 0))}
TYPES = {row[0]: kind for kind, row in TAKES.items()} | {
    "BORROWED": 0x11, "REFUSED": 0x12, "DESCRIPTION": 0x21, "DONE": 0x25, "DMA_READ": 0x40,
    "DMA_WRITE": 0x41, "INTERRUPT": 0x42, "LISTED": 0x61}
FROM_LENDERS = (0x08, 0x11, 0x12, 0x14, 0x21, 0x25, 0x2C, 0x40, 0x41, 0x42, 0x44, 0x61, 0x63, 0x65)
RESERVED_REQUESTS, RESERVED_POSTED = (0x07, 0x2A, 0x2B, 0x2D, 0x2E), (0x45,)


class Broken(Exception):
    """The peer broke the protocol (8): code and sentence of the ERROR that tells it."""


def insist(right, code, sentence):
    if not right:
        raise Broken(code, sentence)


def say(*words):
    """Talk is for people, and goes to stderr."""
    print(*words, file=sys.stderr, flush=True)


def text(words):
    return struct.pack("<H", len(words.encode())) + words.encode()


def decode(kind, body):
    """The fields of a message that a lender takes, then its texts or its data."""
    name, _, fields, rest = TAKES[kind]
    insist(len(body) >= fields.size, BAD_FRAME, f"{name} is too short")
    values, at = list(fields.unpack_from(body)), fields.size
    if rest == DATA_FOLLOWS:
        return values + [body[at:]]
    for _ in range(rest):
        begin, at = at + 2, at + 2 + int.from_bytes(body[at:at + 2], "little")
        insist(at <= len(body), BAD_FRAME, f"{name} has a text that passes its end")
        values.append(body[begin:at].decode())
        insist(at - begin <= (255 if name in ("HELLO", "BORROW") else 1024), BAD_VALUE,
               f"{name} has too long a text")
    insist(at == len(body), BAD_FRAME, f"{name} has {len(body)} bytes, its fields {at}")
    return values


def spend(account, traffic, length):
    """Counts a frame in a list of totals that is in the order of CREDIT's."""
    if traffic != LINK:
        account[2 * traffic - 2] += 1
        account[2 * traffic - 1] += length
    return account


class Function:
    """One PCI function and its lease; its host is the link that has borrowed it, or None.

    A device extends it: it says what it is (identity as the description block has it, regions by
    index with space, size and longest access, vectors by kind, capabilities), and has read, write,
    interrupts and reset. Where its DMA and interrupts go: dma_read, dma_write, send_interrupt.
    """

    kind, summary, identity, pin, capabilities = "", "", (), 0, ()
    regions, vectors = {}, {INTX: 0, MSI: 0, MSIX: 0}

    def __init__(self, name):
        # Epochs grow across restarts too, since they begin with the time (7.2).
        self.name, self.generation, self.links = name, 0, set()
        self.host, self.since, self.epoch = None, 0, int(time.time() * 1000)
        self.reset()

    def attach(self, link):
        self.host, self.since, self.epoch = link, time.time(), self.epoch + 1
        say(link.peer, f"has borrowed {self.name}.")

    def detach(self, link):
        """The lease is over; the next borrower finds the function reset."""
        if self.host is link:
            self.host, self.since = None, 0
            self.reset()
            say(link.peer, f"has {self.name} no more.")

    def reset(self):
        self.generation += 1

    def description(self):
        """The description block (7.2); every kind of reset is taken."""
        block = struct.pack("<4HIBBBx4HQ", *self.identity, self.pin, 0b1110, self.vectors[MSI],
                            self.vectors[MSIX], len(self.regions), len(self.capabilities), 0)
        for index, (space, size, longest) in self.regions.items():
            block += struct.pack("<BBxxIQI4x", index, space, 1 << 4, size, longest)
        for capability in self.capabilities:
            block += struct.pack("<HBxHH", *capability)
        return block + text(self.kind)

    def entry(self):
        """What LISTED tells (7.5)."""
        borrower = text(self.host.peer if self.host else "")
        names = text(self.name) + text(self.kind) + text(self.summary)
        return struct.pack("<H", 1) + names + struct.pack("<I", self.generation) + borrower + (
            struct.pack("<QH", int(self.since * 1000), 0))

    def dma_read(self, address, length, then):
        """Goes on with the driver's bytes, or with none where there are none."""
        if not self.host or not self.host.may(address, length, READS):
            return then(b"")
        self.host.ask("DMA_READ", struct.pack("<QI4x", address, length), length, then)

    def dma_write(self, address, data):
        if self.host and self.host.may(address, len(data), WRITES):
            self.host.send("DMA_WRITE", POSTED, struct.pack("<Q", address) + data)

    def send_interrupt(self, kind, vector):
        if self.host:
            self.host.send("INTERRUPT", POSTED, struct.pack("<BxHI", kind, vector, 0))


class Link(asyncio.Protocol):
    """One connection, and the host of the function while that is lent here (3 to 5).

    A frame is carried out when it comes, since the device never waits; what goes waits in a queue
    for the peer's credit. New credit is given only when that queue is short, which bounds it.
    """

    def __init__(self, function):
        self.function, self.state = function, "CONNECTED"
        self.greeted, self.closed = False, False
        self.come, self.outgoing, self.offender = bytearray(), collections.deque(), 0
        self.sent, self.received, self.wrote_at, self.stuck_since = 0, 0, 0.0, None
        self.used, self.allowed, self.their_use, self.given = [0] * 6, [0] * 6, [0] * 6, CREDIT
        self.maps, self.reads, self.last_tag, self.heard_at = {}, {}, 0, time.monotonic()

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(0)
        self.peer = str(transport.get_extra_info("peername") or "a process of this machine")
        self.function.links.add(self)
        transport.write(MAGIC + b"\1" + bytes(7))
        self.send("HELLO", LINK, struct.pack(
            "<QIIIB3x6Q", 0, LONGEST_FRAME, int(KEEP_ALIVE * 1000), int(DEAD_AFTER * 1000), 2,
            *CREDIT) + text(self.function.name) + text("farslot_link.py"))
        self.show_life()
        if len(self.function.links) > MOST_LINKS:
            self.end(f"is turned away: {MOST_LINKS} others are connected.")

    def connection_lost(self, error):
        self.end(str(error or "closed the connection."))
        self.function.links.discard(self)

    def end(self, why, name=None, body=b""):
        """With GOODBYE or ERROR and 500 ms for the other side to close, or without a word (5)."""
        if self.closed:
            return
        say(self.peer, why)
        self.function.detach(self)
        if name:
            self.send(name, LINK, body)
            self.transport.write_eof()
            asyncio.get_running_loop().call_later(LAST_WORDS, self.transport.abort)
        else:
            self.transport.close()
        self.closed = True

    def data_received(self, data):
        self.come += data
        if self.state != "CONNECTED":
            self.heard_at = time.monotonic()
        try:
            while not self.closed and self.take():
                pass
        except (Broken, UnicodeDecodeError) as wrong:
            code, sentence = wrong.args if isinstance(wrong, Broken) else (BAD_FRAME, str(wrong))
            self.end(f"broke the protocol: {sentence}.", "ERROR", struct.pack(
                "<HH4xQ", code, self.offender, self.received) + text(sentence + "."))
        if self.closed:
            self.come.clear()

    def take(self):
        """Takes the preamble or a frame off what has come, once it is whole."""
        if not self.greeted:
            return self.take_preamble(bytes(self.come[:16]))
        if len(self.come) < HEADER.size:
            return False
        header = length, kind, flags, _, generation, tag, *_ = HEADER.unpack_from(self.come)
        self.offender = kind
        self.check(*header)
        if len(self.come) < length:
            return False
        body = bytes(self.come[HEADER.size:length])
        del self.come[:length]
        self.received += 1
        spend(self.their_use, flags & 3, length)
        insist(all(map(int.__le__, self.their_use, self.given)), CREDIT_EXCEEDED,
               f"Frame {self.received} is beyond the credit")
        if kind in RESERVED_REQUESTS:
            self.done(tag, UNSUPPORTED_ABILITY)
        else:
            self.carry_out(kind, TAKES[kind][0], tag, generation, decode(kind, body))
        self.tell_credit()
        return True

    def take_preamble(self, begun):
        """Another protocol is recognised by its first bytes (3)."""
        if not MAGIC.startswith(begun[:8]):
            self.end(f"is no Farslot: it began with {begun!r}.")
        elif len(begun) == 16 and begun[8:10] != b"\1\0":
            self.end(f"speaks version {begun[8] + 256 * begun[9]} of the protocol, not 1.")
        elif len(begun) == 16:
            self.greeted = True
            del self.come[:16]
        return self.greeted

    def check(self, length, kind, flags, descriptors, generation, tag, sequence, seen):
        """A header and its place in the stream (2, 8)."""
        name, classes, fields, rest = TAKES.get(kind, (f"Type {kind:#x}", (NON_POSTED,), HEADER, 1))
        known = kind in (*TAKES, *FROM_LENDERS, *RESERVED_REQUESTS, *RESERVED_POSTED)
        tagged, early = flags & 3 >= NON_POSTED or name == "HELD", self.state == "CONNECTED"
        longest = LONGEST_BEFORE_HELLO if early else LONGEST_FRAME
        longest = longest if rest else HEADER.size + fields.size
        for right, code, what in (
                (known, UNKNOWN_TYPE, "is not in version 1"),
                (HEADER.size <= length <= longest, BAD_FRAME, f"has {length} bytes"),
                (not flags & 0x70, UNSUPPORTED, f"has the reserved flags {flags:#x}"),
                (kind not in RESERVED_POSTED, UNSUPPORTED, "is reserved"),
                (kind not in FROM_LENDERS, OUT_OF_STATE, "is sent by lenders only"),
                (flags & 3 in classes and not flags & 0x8C, BAD_FRAME, f"has flags {flags:#x}"),
                (not descriptors, BAD_DESCRIPTOR, "announces a descriptor; none was agreed on"),
                (sequence == self.received + 1, BAD_SEQUENCE, f"is frame {sequence}"),
                (seen <= self.sent, BAD_SEQUENCE, f"acknowledges frame {seen} of {self.sent}"),
                (tagged == bool(tag), BAD_TAG, f"has tag {tag}"),
                ((kind == 1) == early, OUT_OF_STATE, f"came while {self.state}"),
                (self.state != "LENT" or generation <= self.function.generation, BAD_GENERATION,
                 f"is of generation {generation}, above {self.function.generation}")):
            insist(right, code, f"{name} {what}")

    def send(self, name, traffic, body=b"", tag=0):
        frame = name, traffic, body, tag, self.function.generation if self.state == "LENT" else 0
        if traffic == LINK:
            return self.write(*frame)
        self.outgoing.append(frame)
        self.flush()

    def flush(self):
        """What the peer's credit and its reading allow, in order; nothing of before a reset."""
        while self.outgoing and not self.stuck_since:
            _, traffic, body, _, generation = self.outgoing[0]
            used = spend(list(self.used), traffic, HEADER.size + len(body))
            if not all(map(int.__le__, used, self.allowed)):
                break
            frame, function = self.outgoing.popleft(), self.function
            if traffic != POSTED or (generation, self) == (function.generation, function.host):
                self.used = used
                self.write(*frame)

    def write(self, name, traffic, body, tag, generation):
        if not self.closed:
            self.sent, self.wrote_at = self.sent + 1, time.monotonic()
            self.transport.write(HEADER.pack(HEADER.size + len(body), TYPES[name], traffic, 0,
                                             generation, tag, self.sent, self.received) + body)

    def pause_writing(self):
        self.stuck_since = time.monotonic()

    def resume_writing(self):
        self.stuck_since = None
        self.flush()

    def done(self, tag, status=SUCCESS):
        self.send("DONE", COMPLETION, struct.pack("<B7x", status), tag)

    def tell_credit(self):
        """New credit for what was carried out, when half of an account is used and few wait."""
        new = list(map(int.__add__, self.their_use, CREDIT))
        half = any(2 * (n - old) >= all_ for n, old, all_ in zip(new, self.given, CREDIT))
        if half and len(self.outgoing) < CREDIT[0]:
            self.given = new
            self.send("CREDIT", LINK, struct.pack("<6Q", *new))

    def show_life(self):
        """Keeps the link alive, and ends that of a peer that is silent or does not read (5)."""
        now, patience = time.monotonic(), HANDSHAKE if self.state == "CONNECTED" else DEAD_AFTER
        if now - self.heard_at > patience:
            self.end("said nothing for too long.")
        if now - (self.stuck_since or now) > 4 * DEAD_AFTER:
            self.end("does not read.")
        if now - self.wrote_at > KEEP_ALIVE / 2:
            self.send("KEEP_ALIVE", LINK)
        self.tell_credit()
        if not self.closed:
            asyncio.get_running_loop().call_later(KEEP_ALIVE / 4, self.show_life)

    def carry_out(self, kind, name, tag, generation, fields):
        """What each message asks for (7)."""
        control, lent = kind in (0x10, 0x60, 0x62, 0x64), kind in (0x13, *range(0x20, 0x44))
        if control or (lent and name != "DATA"):
            insist(self.state == ("OPEN" if control else "LENT"), OUT_OF_STATE,
                   f"{name} came while {self.state}")
        if name in ("READ", "WRITE"):
            self.access(tag, generation < self.function.generation, *fields)
        elif name == "HELLO":
            _, longest, keep_alive, dead_after, role, *credit, peer, program = fields
            insist(role == 1 and longest >= LONGEST_FRAME and keep_alive <= 500 * DEAD_AFTER
                   and dead_after >= 2000 * KEEP_ALIVE
                   and all(map(int.__ge__, credit, LEAST_CREDIT)), BAD_VALUE, f"HELLO has {fields}")
            self.state, self.peer = "OPEN", f"{peer!r} ({program!r}) at {self.peer}"
            self.allowed = credit
        elif name == "CREDIT":
            self.allowed = list(map(max, self.allowed, fields))
            self.flush()
        elif name in ("GOODBYE", "ERROR"):
            self.end(f"said {name} ({fields[0]}): {fields[-1]!r}")
        elif control:
            self.answer(name, tag, fields)
        elif name == "DATA":
            insist(tag in self.reads, BAD_TAG, f"DATA has tag {tag}, which nobody waits for")
            length, then = self.reads.pop(tag)
            insist(fields[0] <= 7 and len(fields[1]) == (0 if fields[0] else length), BAD_VALUE,
                   f"DATA of status {fields[0]} has {len(fields[1])} bytes, not {length}")
            then(fields[1])
        elif name == "INTERRUPTS":
            kind, action, first, count = fields
            insist(kind <= MSIX and ENABLE <= action <= UNMASK and count > 0
                   and first + count <= self.function.vectors[kind],
                   BAD_VALUE, f"INTERRUPTS has kind, action, first and count {fields}")
            self.function.interrupts(kind, first, count, action)
        elif name in ("MAP", "UNMAP"):
            self.map_memory(name, tag, *fields)
        elif name == "RESET":
            insist(fields[0] in (1, 2, 3), BAD_VALUE, f"RESET has kind {fields[0]}")
            self.function.reset()
            self.done(tag)
        elif name == "DESCRIBE":
            self.send("DESCRIPTION", COMPLETION, self.function.description(), tag)
        elif name == "RETURN":
            self.done(tag)
            self.state = "RETURNED"
            self.function.detach(self)
        elif name == "EVENT":
            say(self.peer, f"tells event {fields[0]}: {fields[-1]!r}")

    def answer(self, name, tag, fields):
        """To what a link without a function asks for."""
        function, reason = self.function, NOT_OFFERED
        sentence = "This lender has no actions and tells no events."
        if name == "LIST":
            return self.send("LISTED", COMPLETION, function.entry(), tag)
        if name == "BORROW" and fields[1] == function.name and not function.host:
            function.attach(self)
            self.state = "LENT"
            body = struct.pack("<Q24x", function.epoch) + function.description()
            return self.send("BORROWED", COMPLETION, body, tag)
        if name == "BORROW" and fields[1] != function.name:
            reason, sentence = NOT_FOUND, f"There is no {fields[1]!r} here, but {function.name!r}."
        elif name == "BORROW":
            since = time.ctime(function.since)
            reason, sentence = TAKEN, f"{function.host.peer} has it since {since}."
        self.send("REFUSED", COMPLETION, struct.pack("<H", reason) + text(sentence), tag)

    def access(self, tag, stale, region, width, length, offset, enables=0, data=None):
        """READ, and WRITE when there are data."""
        space, size, longest = self.function.regions.get(region, (MEMORY, 0, 0))
        outside = length > longest or offset + length > size
        status = STALE_GENERATION if stale else UNSUPPORTED_REQUEST if outside else SUCCESS
        insist(1 <= length <= LONGEST_ACCESS and width in (0, 1, 2, 4, 8, 16, 32, 64), BAD_VALUE,
               f"An access has {length} bytes and width {width}")
        if data is None:
            found = b"" if status else self.function.read(region, offset, length)
            return self.send("DATA", COMPLETION, struct.pack("<B7x", status) + found, tag)
        insist(length == len(data) and (length <= 64 or enables == EVERYTHING - 1), BAD_VALUE,
               f"WRITE of {length} bytes has {len(data)} and byte enables {enables:#x}")
        insist(not size or (space == MEMORY) == (not tag), BAD_VALUE, f"WRITE has tag {tag}")
        if status == SUCCESS:
            self.function.write(region, offset, data, enables)
        if tag:
            self.done(tag, status)

    def map_memory(self, name, tag, address, length, _=0, direction=0, _flags=0):
        end = address + length if address or length or name == "MAP" else EVERYTHING
        touched = {(at, size) for at, size in self.maps if at < end and address < at + size}
        if name == "MAP":
            insist(length and end <= EVERYTHING and direction in (1, 2, 3)
                   and not touched - {(address, length)} and len(self.maps) < MOST_MAPS, BAD_VALUE,
                   f"MAP of {length:#x} bytes at {address:#x} in direction {direction}")
            self.maps[address, length] = direction
        elif (any(at < address or at + size > end for at, size in touched)
              or (address or length) and not touched):
            self.done(tag, UNSUPPORTED_REQUEST)
        else:
            self.maps = {at: may for at, may in self.maps.items() if at not in touched}
            self.done(tag)

    def may(self, address, length, direction):
        """Whether the driver mapped all of it; a transfer may span maps that adjoin (7.4)."""
        at = address
        for start, size in sorted(self.maps):
            if start <= at < start + size and self.maps[start, size] & direction:
                at = start + size
        if at < address + length:
            say(f"DMA of {length:#x} bytes at {address:#x} is refused: it is not mapped.")
        return at >= address + length

    def ask(self, name, body, length, then):
        """Sends a request and goes on with the data of its answer, which has this length."""
        self.last_tag = self.last_tag % 0xFFFFFFFF + 1
        self.reads[self.last_tag] = length, then
        self.send(name, NON_POSTED, body, self.last_tag)


async def lend(function, listen):
    """Lends it at ADDRESS:PORT or at a path until SIGINT or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    host, _, port = listen.rpartition(":")
    if "/" in listen:
        os.umask(0o077)
        await loop.create_unix_server(lambda: Link(function), listen)
    else:
        server = await loop.create_server(lambda: Link(function), host.strip("[]"), int(port))
        listen = f"{host}:{server.sockets[0].getsockname()[1]}"
    print(f"{function.name} is lent at {listen}", flush=True)
    await stop.wait()
    for link in function.links:
        link.end("is left.", "GOODBYE", struct.pack("<H", 3) + text("The lender leaves."))
    while function.links:
        await asyncio.sleep(LAST_WORDS / 10)
    if "/" in listen:
        os.unlink(listen)
