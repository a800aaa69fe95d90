package farslot.link;

import farslot.core.Ability;
import farslot.core.Direction;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.core.FunctionEvent;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Every message of the link protocol, version 1, in the order of docs/protocol.md, which is the
 * authority. Offsets count from the frame's first byte.
 */
final class Messages {
    private Messages() {}

    // Limits.

    /** The longest frame that this side accepts: the longest access, and room for the rest. */
    static final int MAX_FRAME_BYTES = 0x101000;

    /** The longest piece of DMA in one message. */
    static final int MAX_DMA_BYTES = 0x100000;

    /** The longest frame before the peer has said HELLO. */
    static final int MAX_FIRST_FRAME_BYTES = 0x1000;

    static final int MAX_NAME_BYTES = 255;

    static final int MAX_KIND_BYTES = 64;

    static final int MAX_SENTENCE_BYTES = 1024;

    /** The longest value of an argument or of a result's cell. */
    static final int MAX_VALUE_BYTES = 0x10000;

    /** The longest answer of several frames. */
    static final int MAX_ANSWER_BYTES = 0x1000000;

    // Traffic classes.

    static final int LINK = 0;
    static final int POSTED = 1;
    static final int NON_POSTED = 2;
    static final int COMPLETION = 3;

    private static final List<String> CLASS_NAMES =
            List.of("link", "posted", "non-posted", "completion");

    /** What each side sends before its first frame: "FARSLOT\n", version 1.0, zero. */
    static final class Preamble {
        static final byte[] MAGIC = "FARSLOT\n".getBytes(StandardCharsets.US_ASCII);
        static final Field VERSION = new Field("version", 8, 2);
        static final Field MINOR = new Field("minor", 10, 2);
        static final int BYTES = 16;
        static final int CURRENT_VERSION = 1;
        static final int CURRENT_MINOR = 0;

        private Preamble() {}
    }

    /** What every frame begins with. */
    static final class Header {
        static final Field LENGTH = new Field("length", 0, 4);
        static final Field TYPE = new Field("type", 4, 2);
        static final Field FLAGS = new Field("flags", 6, 1);
        static final Field DESCRIPTORS = new Field("descriptors", 7, 1);
        static final Field GENERATION = new Field("generation", 8, 4);
        static final Field TAG = new Field("tag", 12, 4);
        static final Field SEQUENCE = new Field("sequence", 16, 8);
        static final Field ACKNOWLEDGED = new Field("acknowledged", 24, 8);
        static final int BYTES = 32;

        static final int CLASS_MASK = 0x03;
        static final int MORE = 0x04;

        /** Reserved: PCI's attributes and a prefix with requester id and PASID. */
        static final int RELAXED_ORDERING = 0x10;

        static final int NO_SNOOP = 0x20;
        static final int PREFIX = 0x40;
        static final int UNSUPPORTED_FLAGS = RELAXED_ORDERING | NO_SNOOP | PREFIX;

        private Header() {}
    }

    // The link itself.

    static final class Hello {
        static final int TYPE = 0x01;
        static final Field ABILITIES = new Field("abilities", 32, 8);
        static final Field MAX_FRAME = new Field("max frame", 40, 4);
        static final Field KEEP_ALIVE_MILLIS = new Field("keep-alive ms", 44, 4);
        static final Field DEAD_AFTER_MILLIS = new Field("dead after ms", 48, 4);
        static final Field ROLE = new Field("role", 52, 1);
        static final Field POSTED_FRAMES = new Field("posted frames", 56, 8);
        static final Field POSTED_BYTES = new Field("posted bytes", 64, 8);
        static final Field NON_POSTED_FRAMES = new Field("non-posted frames", 72, 8);
        static final Field NON_POSTED_BYTES = new Field("non-posted bytes", 80, 8);
        static final Field COMPLETION_FRAMES = new Field("completion frames", 88, 8);
        static final Field COMPLETION_BYTES = new Field("completion bytes", 96, 8);
        static final int CLIENT = 1;
        static final int SERVER = 2;

        /** Bit 0 of the abilities: this side passes, and takes, descriptors. */
        static final long DESCRIPTORS = 1;

        /** Bit 1: this side goes on with a session over another connection. */
        static final long RESUME = 2;

        /** Bit 8: this side answers CLOCK. */
        static final long CLOCK = 1 << 8;

        /** Bit 9: this side's recordings can be followed. */
        static final long TRACES = 1 << 9;

        static final Layout LAYOUT =
                Layout.of(
                        TYPE,
                        "HELLO",
                        LINK,
                        Layout.Tail.TEXTS,
                        ABILITIES,
                        MAX_FRAME,
                        KEEP_ALIVE_MILLIS,
                        DEAD_AFTER_MILLIS,
                        ROLE,
                        POSTED_FRAMES,
                        POSTED_BYTES,
                        NON_POSTED_FRAMES,
                        NON_POSTED_BYTES,
                        COMPLETION_FRAMES,
                        COMPLETION_BYTES);

        private Hello() {}
    }

    static final class KeepAlive {
        static final int TYPE = 0x02;
        static final Layout LAYOUT = Layout.of(TYPE, "KEEP_ALIVE", LINK, Layout.Tail.NONE);

        private KeepAlive() {}
    }

    static final class Credit {
        static final int TYPE = 0x03;
        static final Field POSTED_FRAMES = new Field("posted frames", 32, 8);
        static final Field POSTED_BYTES = new Field("posted bytes", 40, 8);
        static final Field NON_POSTED_FRAMES = new Field("non-posted frames", 48, 8);
        static final Field NON_POSTED_BYTES = new Field("non-posted bytes", 56, 8);
        static final Field COMPLETION_FRAMES = new Field("completion frames", 64, 8);
        static final Field COMPLETION_BYTES = new Field("completion bytes", 72, 8);
        static final int BYTES = 80;
        static final Layout LAYOUT =
                Layout.of(
                        TYPE,
                        "CREDIT",
                        LINK,
                        Layout.Tail.NONE,
                        POSTED_FRAMES,
                        POSTED_BYTES,
                        NON_POSTED_FRAMES,
                        NON_POSTED_BYTES,
                        COMPLETION_FRAMES,
                        COMPLETION_BYTES);

        private Credit() {}
    }

    static final class Goodbye {
        static final int TYPE = 0x04;
        static final Field REASON = new Field("reason", 32, 2);
        static final int DONE = 1;
        static final int REVOKED = 2;
        static final int SHUTTING_DOWN = 3;
        static final int TURNED_AWAY = 4;
        static final int HANDING_OVER = 5;
        static final Layout LAYOUT = Layout.of(TYPE, "GOODBYE", LINK, Layout.Tail.TEXTS, REASON);

        private Goodbye() {}
    }

    static final class ErrorMessage {
        static final int TYPE = 0x05;
        static final Field CODE = new Field("code", 32, 2);
        static final Field OFFENDING_TYPE = new Field("offending type", 34, 2);
        static final Field LAST_SEQUENCE = new Field("last sequence", 40, 8);
        static final Layout LAYOUT =
                Layout.of(
                        TYPE,
                        "ERROR",
                        LINK,
                        Layout.Tail.TEXTS,
                        CODE,
                        OFFENDING_TYPE,
                        LAST_SEQUENCE);

        private ErrorMessage() {}
    }

    static final class Held {
        static final int TYPE = 0x06;
        static final Field MILLIS = new Field("ms", 32, 4);
        static final int BYTES = 40;
        static final Layout LAYOUT = Layout.fixed(TYPE, "HELD", LINK, BYTES, MILLIS);

        private Held() {}
    }

    static final class Resume {
        static final int TYPE = 0x07;
        static final Field SESSION_LOW = new Field("session low", 32, 8);
        static final Field SESSION_HIGH = new Field("session high", 40, 8);
        static final Field RECEIVED = new Field("received", 48, 8);
        static final Field ATTEMPT = new Field("attempt", 56, 8);
        static final int BYTES = 64;
        static final Layout LAYOUT =
                Layout.fixed(
                        TYPE,
                        "RESUME",
                        NON_POSTED,
                        BYTES,
                        SESSION_LOW,
                        SESSION_HIGH,
                        RECEIVED,
                        ATTEMPT);

        private Resume() {}
    }

    static final class Resumed {
        static final int TYPE = 0x08;
        static final Field RECEIVED = new Field("received", 32, 8);
        static final Field FLAGS = new Field("resumed flags", 40, 4);
        static final Field UNACKNOWLEDGED = new Field("unacknowledged", 44, 4);
        static final int BYTES = 48;

        /** Bit 0 of the flags: another process than before, which has no descriptors. */
        static final int SUCCESSOR = 1;

        static final Layout LAYOUT =
                Layout.fixed(TYPE, "RESUMED", COMPLETION, BYTES, RECEIVED, FLAGS, UNACKNOWLEDGED);

        private Resumed() {}
    }

    static final class Clock {
        static final int TYPE = 0x09;
        static final Field ASKED = new Field("asked ns", 32, 8);
        static final int BYTES = 40;
        static final Layout LAYOUT = Layout.fixed(TYPE, "CLOCK", LINK, BYTES, ASKED);

        private Clock() {}
    }

    static final class ClockTold {
        static final int TYPE = 0x0a;
        static final Field ASKED = new Field("asked ns", 32, 8);
        static final Field RECEIVED = new Field("received ns", 40, 8);
        static final Field SENT = new Field("sent ns", 48, 8);
        static final Field TIME_OF_DAY = new Field("time of day ns", 56, 8);
        static final int BYTES = 64;
        static final Layout LAYOUT =
                Layout.fixed(TYPE, "CLOCK_TOLD", LINK, BYTES, ASKED, RECEIVED, SENT, TIME_OF_DAY);

        private ClockTold() {}
    }

    // The lease.

    static final class Borrow {
        static final int TYPE = 0x10;
        static final Field FLAGS = new Field("borrow flags", 32, 4);
        static final int WAIT = 1;
        static final int TAKE_OVER = 2;
        static final int PAYLOAD_AT = 40;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "BORROW",
                        1 << NON_POSTED,
                        true,
                        List.of(FLAGS),
                        PAYLOAD_AT,
                        Layout.Tail.TEXTS);

        private Borrow() {}
    }

    static final class Borrowed {
        static final int TYPE = 0x11;
        static final Field EPOCH = new Field("epoch", 32, 8);
        static final Field SESSION_LOW = new Field("session low", 40, 8);
        static final Field SESSION_HIGH = new Field("session high", 48, 8);
        static final Field GRACE_MILLIS = new Field("grace ms", 56, 4);
        static final int PAYLOAD_AT = 64;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "BORROWED",
                        1 << COMPLETION,
                        true,
                        List.of(EPOCH, SESSION_LOW, SESSION_HIGH, GRACE_MILLIS),
                        PAYLOAD_AT,
                        Layout.Tail.STRUCTURE);

        private Borrowed() {}
    }

    static final class Refused {
        static final int TYPE = 0x12;
        static final Field REASON = new Field("reason", 32, 2);
        static final Layout LAYOUT =
                Layout.of(TYPE, "REFUSED", COMPLETION, Layout.Tail.TEXTS, REASON);

        private Refused() {}
    }

    static final class Return {
        static final int TYPE = 0x13;
        static final Layout LAYOUT = Layout.of(TYPE, "RETURN", NON_POSTED, Layout.Tail.NONE);

        private Return() {}
    }

    static final class Waiting {
        static final int TYPE = 0x14;
        static final Field PLACE = new Field("place", 32, 4);
        static final Field OF = new Field("of", 36, 4);
        static final Layout LAYOUT = Layout.of(TYPE, "WAITING", LINK, Layout.Tail.TEXTS, PLACE, OF);

        private Waiting() {}
    }

    // The function: from the slot to the lender, and the answers.

    static final class Describe {
        static final int TYPE = 0x20;
        static final Layout LAYOUT = Layout.of(TYPE, "DESCRIBE", NON_POSTED, Layout.Tail.NONE);

        private Describe() {}
    }

    static final class Description {
        static final int TYPE = 0x21;
        static final Layout LAYOUT =
                Layout.of(TYPE, "DESCRIPTION", COMPLETION, Layout.Tail.STRUCTURE);

        private Description() {}
    }

    static final class Read {
        static final int TYPE = 0x22;
        static final Field REGION = new Field("region", 32, 1);
        static final Field WIDTH = new Field("width", 33, 1);
        static final Field LENGTH = new Field("length", 36, 4);
        static final Field OFFSET = new Field("offset", 40, 8);
        static final int BYTES = 48;
        static final Layout LAYOUT =
                Layout.of(
                        TYPE, "READ", NON_POSTED, Layout.Tail.NONE, REGION, WIDTH, LENGTH, OFFSET);

        private Read() {}
    }

    static final class Data {
        static final int TYPE = 0x23;
        static final Field STATUS = new Field("status", 32, 1);
        static final int DATA_AT = 40;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "DATA",
                        1 << COMPLETION,
                        true,
                        List.of(STATUS),
                        DATA_AT,
                        Layout.Tail.DATA);

        private Data() {}
    }

    static final class Write {
        static final int TYPE = 0x24;
        static final Field REGION = new Field("region", 32, 1);
        static final Field WIDTH = new Field("width", 33, 1);
        static final Field LENGTH = new Field("length", 36, 4);
        static final Field OFFSET = new Field("offset", 40, 8);
        static final Field BYTE_ENABLES = new Field("byte enables", 48, 8);
        static final int DATA_AT = 56;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "WRITE",
                        1 << POSTED | 1 << NON_POSTED,
                        true,
                        List.of(REGION, WIDTH, LENGTH, OFFSET, BYTE_ENABLES),
                        DATA_AT,
                        Layout.Tail.DATA);

        private Write() {}
    }

    static final class Done {
        static final int TYPE = 0x25;
        static final Field STATUS = new Field("status", 32, 1);
        static final int BYTES = 40;
        static final Layout LAYOUT = Layout.fixed(TYPE, "DONE", COMPLETION, BYTES, STATUS);

        private Done() {}
    }

    static final class Interrupts {
        static final int TYPE = 0x26;
        static final Field KIND = new Field("kind", 32, 1);
        static final Field ACTION = new Field("action", 33, 1);
        static final Field FIRST = new Field("first", 34, 2);
        static final Field COUNT = new Field("count", 36, 2);
        static final int BYTES = 40;
        static final Layout LAYOUT =
                Layout.fixed(TYPE, "INTERRUPTS", POSTED, BYTES, KIND, ACTION, FIRST, COUNT);

        private Interrupts() {}
    }

    static final class MapMemory {
        static final int TYPE = 0x27;
        static final Field ADDRESS = new Field("address", 32, 8);
        static final Field LENGTH = new Field("length", 40, 8);
        static final Field DESCRIPTOR_OFFSET = new Field("descriptor offset", 48, 8);
        static final Field DIRECTION = new Field("direction", 56, 1);
        static final Field MAP_FLAGS = new Field("map flags", 57, 1);
        static final int BYTES = 64;

        /** Bit 0 of the map flags: {@link farslot.core.DmaMap#servedWhileWaiting}. */
        static final int SERVED_WHILE_WAITING = 1;

        static final Layout LAYOUT =
                Layout.fixed(
                        TYPE,
                        "MAP",
                        POSTED,
                        BYTES,
                        ADDRESS,
                        LENGTH,
                        DESCRIPTOR_OFFSET,
                        DIRECTION,
                        MAP_FLAGS);

        private MapMemory() {}
    }

    static final class Unmap {
        static final int TYPE = 0x28;
        static final Field ADDRESS = new Field("address", 32, 8);
        static final Field LENGTH = new Field("length", 40, 8);
        static final int BYTES = 48;
        static final Layout LAYOUT =
                Layout.of(TYPE, "UNMAP", NON_POSTED, Layout.Tail.NONE, ADDRESS, LENGTH);

        private Unmap() {}
    }

    static final class Reset {
        static final int TYPE = 0x29;
        static final Field KIND = new Field("kind", 32, 1);
        static final int BYTES = 40;
        static final Layout LAYOUT = Layout.fixed(TYPE, "RESET", NON_POSTED, BYTES, KIND);

        private Reset() {}
    }

    /** Reserved. */
    static final class Quiesce {
        static final int TYPE = 0x2a;
        static final Layout LAYOUT = Layout.reserved(TYPE, "QUIESCE", NON_POSTED, Layout.Tail.NONE);

        private Quiesce() {}
    }

    /** Reserved. */
    static final class Save {
        static final int TYPE = 0x2b;
        static final Layout LAYOUT = Layout.reserved(TYPE, "SAVE", NON_POSTED, Layout.Tail.NONE);

        private Save() {}
    }

    /** Reserved. */
    static final class State {
        static final int TYPE = 0x2c;
        static final Layout LAYOUT = Layout.reserved(TYPE, "STATE", COMPLETION, Layout.Tail.DATA);

        private State() {}
    }

    /** Reserved. */
    static final class Load {
        static final int TYPE = 0x2d;
        static final Layout LAYOUT = Layout.reserved(TYPE, "LOAD", NON_POSTED, Layout.Tail.DATA);

        private Load() {}
    }

    /** Reserved. */
    static final class Atomic {
        static final int TYPE = 0x2e;
        static final Field REGION = new Field("region", 32, 1);
        static final Field WIDTH = new Field("width", 33, 1);
        static final Field OPERATION = new Field("operation", 34, 1);
        static final Field OFFSET = new Field("offset", 40, 8);
        static final Layout LAYOUT =
                Layout.reserved(
                        TYPE,
                        "ATOMIC",
                        NON_POSTED,
                        Layout.Tail.DATA,
                        REGION,
                        WIDTH,
                        OPERATION,
                        OFFSET);

        private Atomic() {}
    }

    // The host: from the lender to the slot; DMA_READ is answered by DATA.

    static final class DmaRead {
        static final int TYPE = 0x40;
        static final Field ADDRESS = new Field("address", 32, 8);
        static final Field LENGTH = new Field("length", 40, 4);
        static final int BYTES = 48;
        static final Layout LAYOUT =
                Layout.fixed(TYPE, "DMA_READ", NON_POSTED, BYTES, ADDRESS, LENGTH);

        private DmaRead() {}
    }

    static final class DmaWrite {
        static final int TYPE = 0x41;
        static final Field ADDRESS = new Field("address", 32, 8);
        static final int DATA_AT = 40;
        static final Layout LAYOUT =
                Layout.of(TYPE, "DMA_WRITE", POSTED, Layout.Tail.DATA, ADDRESS);

        private DmaWrite() {}
    }

    static final class Interrupt {
        static final int TYPE = 0x42;
        static final Field KIND = new Field("kind", 32, 1);
        static final Field VECTOR = new Field("vector", 34, 2);
        static final int BYTES = 40;
        static final Layout LAYOUT = Layout.fixed(TYPE, "INTERRUPT", POSTED, BYTES, KIND, VECTOR);

        private Interrupt() {}
    }

    static final class Event {
        static final int TYPE = 0x43;
        static final Field EVENT = new Field("event", 32, 1);
        static final Field DETAIL = new Field("detail", 33, 1);
        static final Field NEW_GENERATION = new Field("new generation", 36, 4);
        static final Field ADDRESS = new Field("address", 40, 8);
        static final Field LENGTH = new Field("length", 48, 8);
        static final Layout LAYOUT =
                Layout.of(
                        TYPE,
                        "EVENT",
                        POSTED,
                        Layout.Tail.TEXTS,
                        EVENT,
                        DETAIL,
                        NEW_GENERATION,
                        ADDRESS,
                        LENGTH);
        static final int ERROR = 1;
        static final int POWER_MANAGEMENT = 2;
        static final int PRESENCE = 3;
        static final int DESCRIPTION_CHANGED = 4;
        static final int GOING_AWAY = 5;
        static final int GENERATION_BEGUN = 6;
        static final int DMA_REFUSED = 7;

        private Event() {}
    }

    /** Reserved. */
    static final class DmaAtomic {
        static final int TYPE = 0x44;
        static final Field ADDRESS = new Field("address", 32, 8);
        static final Field WIDTH = new Field("width", 40, 1);
        static final Field OPERATION = new Field("operation", 41, 1);
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "DMA_ATOMIC",
                        1 << NON_POSTED,
                        false,
                        List.of(ADDRESS, WIDTH, OPERATION),
                        48,
                        Layout.Tail.DATA);

        private DmaAtomic() {}
    }

    /** Reserved. */
    static final class MemoryDifferences {
        static final int TYPE = 0x45;
        static final Field COUNT = new Field("count", 32, 4);
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "MEMORY_DIFFERENCES",
                        1 << POSTED,
                        false,
                        List.of(COUNT),
                        40,
                        Layout.Tail.DATA);

        private MemoryDifferences() {}
    }

    // Control.

    static final class ListEntries {
        static final int TYPE = 0x60;
        static final Layout LAYOUT = Layout.of(TYPE, "LIST", NON_POSTED, Layout.Tail.NONE);

        private ListEntries() {}
    }

    static final class Listed {
        static final int TYPE = 0x61;
        static final Field COUNT = new Field("count", 32, 2);
        static final Layout LAYOUT =
                Layout.of(TYPE, "LISTED", COMPLETION, Layout.Tail.STRUCTURE, COUNT);

        private Listed() {}
    }

    static final class Operate {
        static final int TYPE = 0x62;
        static final Layout LAYOUT = Layout.of(TYPE, "OPERATE", NON_POSTED, Layout.Tail.STRUCTURE);

        private Operate() {}
    }

    static final class Result {
        static final int TYPE = 0x63;
        static final Field COUNT = new Field("count", 32, 2);
        static final Layout LAYOUT =
                Layout.of(TYPE, "RESULT", COMPLETION, Layout.Tail.STRUCTURE, COUNT);

        private Result() {}
    }

    static final class Observe {
        static final int TYPE = 0x64;
        static final Layout LAYOUT = Layout.of(TYPE, "OBSERVE", NON_POSTED, Layout.Tail.NONE);

        private Observe() {}
    }

    static final class Observed {
        static final int TYPE = 0x65;
        static final Field TIME_MILLIS = new Field("time ms", 32, 8);
        static final Field LOST_BEFORE = new Field("lost before", 40, 4);
        static final Layout LAYOUT =
                Layout.of(TYPE, "OBSERVED", POSTED, Layout.Tail.TEXTS, TIME_MILLIS, LOST_BEFORE);

        private Observed() {}
    }

    // Traces.

    static final class Follow {
        static final int TYPE = 0x66;
        static final Field FLAGS = new Field("follow flags", 32, 4);

        /** Bit 0 of the flags: begin a recording, which ends with the link. */
        static final int RECORD = 1;

        static final int PAYLOAD_AT = 40;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "FOLLOW",
                        1 << NON_POSTED,
                        true,
                        List.of(FLAGS),
                        PAYLOAD_AT,
                        Layout.Tail.STRUCTURE);

        private Follow() {}
    }

    static final class Following {
        static final int TYPE = 0x67;
        static final Field FIRST = new Field("first", 32, 8);
        static final Field RECORD_BYTES = new Field("record bytes", 40, 4);
        static final int DATA_AT = 48;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "FOLLOWING",
                        1 << COMPLETION,
                        true,
                        List.of(FIRST, RECORD_BYTES),
                        DATA_AT,
                        Layout.Tail.DATA);

        private Following() {}
    }

    static final class Records {
        static final int TYPE = 0x68;
        static final Field FIRST = new Field("first", 32, 8);
        static final Field LOST = new Field("lost", 40, 8);
        static final Field FLAGS = new Field("records flags", 48, 4);

        /** Bit 0 of the flags: an access waits for KEPT. */
        static final int WAITED_FOR = 1;

        static final int DATA_AT = 56;
        static final Layout LAYOUT =
                new Layout(
                        TYPE,
                        "RECORDS",
                        1 << POSTED,
                        true,
                        List.of(FIRST, LOST, FLAGS),
                        DATA_AT,
                        Layout.Tail.DATA);

        private Records() {}
    }

    static final class Kept {
        static final int TYPE = 0x69;
        static final Field NEXT = new Field("next", 32, 8);
        static final int BYTES = 40;
        static final Layout LAYOUT = Layout.fixed(TYPE, "KEPT", POSTED, BYTES, NEXT);

        private Kept() {}
    }

    static final class FollowEnd {
        static final int TYPE = 0x6a;
        static final Field NEXT = new Field("next", 32, 8);
        static final Field LOST = new Field("lost", 40, 8);
        static final Layout LAYOUT =
                Layout.of(TYPE, "FOLLOW_END", POSTED, Layout.Tail.TEXTS, NEXT, LOST);

        private FollowEnd() {}
    }

    static final class Unfollow {
        static final int TYPE = 0x6b;
        static final Layout LAYOUT = Layout.of(TYPE, "UNFOLLOW", NON_POSTED, Layout.Tail.NONE);

        private Unfollow() {}
    }

    /** All of them, in the document's order. */
    static final List<Layout> ALL =
            List.of(
                    Hello.LAYOUT,
                    KeepAlive.LAYOUT,
                    Credit.LAYOUT,
                    Goodbye.LAYOUT,
                    ErrorMessage.LAYOUT,
                    Held.LAYOUT,
                    Resume.LAYOUT,
                    Resumed.LAYOUT,
                    Clock.LAYOUT,
                    ClockTold.LAYOUT,
                    Borrow.LAYOUT,
                    Borrowed.LAYOUT,
                    Refused.LAYOUT,
                    Return.LAYOUT,
                    Waiting.LAYOUT,
                    Describe.LAYOUT,
                    Description.LAYOUT,
                    Read.LAYOUT,
                    Data.LAYOUT,
                    Write.LAYOUT,
                    Done.LAYOUT,
                    Interrupts.LAYOUT,
                    MapMemory.LAYOUT,
                    Unmap.LAYOUT,
                    Reset.LAYOUT,
                    Quiesce.LAYOUT,
                    Save.LAYOUT,
                    State.LAYOUT,
                    Load.LAYOUT,
                    Atomic.LAYOUT,
                    DmaRead.LAYOUT,
                    DmaWrite.LAYOUT,
                    Interrupt.LAYOUT,
                    Event.LAYOUT,
                    DmaAtomic.LAYOUT,
                    MemoryDifferences.LAYOUT,
                    ListEntries.LAYOUT,
                    Listed.LAYOUT,
                    Operate.LAYOUT,
                    Result.LAYOUT,
                    Observe.LAYOUT,
                    Observed.LAYOUT,
                    Follow.LAYOUT,
                    Following.LAYOUT,
                    Records.LAYOUT,
                    Kept.LAYOUT,
                    FollowEnd.LAYOUT,
                    Unfollow.LAYOUT);

    private static final Layout[] BY_TYPE = new Layout[0x80];

    static {
        for (Layout layout : ALL) {
            BY_TYPE[layout.type()] = layout;
        }
    }

    /** The layout of a type, or null where there is none. */
    static Layout of(int type) {
        return type >= 0 && type < BY_TYPE.length ? BY_TYPE[type] : null;
    }

    static String name(int type) {
        Layout layout = of(type);
        return layout == null ? String.format("0x%02x", type) : layout.name();
    }

    static String className(int trafficClass) {
        return CLASS_NAMES.get(trafficClass);
    }

    /** Whether a completion of one type answers a request of another. */
    static boolean answers(int request, int answer) {
        return switch (answer) {
            case Done.TYPE -> true;
            case Data.TYPE -> request == Read.TYPE || request == DmaRead.TYPE;
            case Refused.TYPE ->
                    request == Borrow.TYPE
                            || request == Resume.TYPE
                            || request == ListEntries.TYPE
                            || request == Operate.TYPE
                            || request == Observe.TYPE
                            || request == Follow.TYPE;
            case Borrowed.TYPE -> request == Borrow.TYPE;
            case Resumed.TYPE -> request == Resume.TYPE;
            case Description.TYPE -> request == Describe.TYPE;
            case Listed.TYPE -> request == ListEntries.TYPE;
            case Result.TYPE -> request == Operate.TYPE;
            case Following.TYPE -> request == Follow.TYPE;
            default -> false;
        };
    }

    // What is checked of every frame, before anything in it is believed.

    /** The frame's length, if it can be one. */
    static int length(MemorySegment memory, long at, int most) throws BrokenFrameException {
        long length = Header.LENGTH.get(memory, at);
        if (length < Header.BYTES || length > most) {
            throw new BrokenFrameException(
                    BrokenFrameException.Code.BAD_FRAME,
                    Header.TYPE.getInt(memory, at),
                    String.format(
                            "A frame says that it has %d bytes; %d to %d are possible.",
                            length, Header.BYTES, most));
        }
        return (int) length;
    }

    /**
     * Checks what a frame's type alone decides: known, of its traffic class, long enough, no bytes
     * too many.
     *
     * @param length what the header says; that many bytes are there
     */
    static Layout check(MemorySegment memory, long at, int length) throws BrokenFrameException {
        int type = Header.TYPE.getInt(memory, at);
        Layout layout = of(type);
        if (layout == null) {
            throw new BrokenFrameException(
                    BrokenFrameException.Code.UNKNOWN_TYPE,
                    type,
                    String.format("There is no message of type 0x%02x in version 1.", type));
        }
        int flags = Header.FLAGS.getInt(memory, at);
        if (!layout.allowsClass(flags & Header.CLASS_MASK)) {
            throw new BrokenFrameException(
                    BrokenFrameException.Code.BAD_FRAME,
                    type,
                    layout.name()
                            + " came as "
                            + className(flags & Header.CLASS_MASK)
                            + ", which it never is.");
        }
        if ((flags & Header.UNSUPPORTED_FLAGS) != 0) {
            throw new BrokenFrameException(
                    BrokenFrameException.Code.UNSUPPORTED,
                    type,
                    String.format(
                            "%s has the flags 0x%02x: PCI attributes and prefixes are reserved,"
                                    + " and this side does not support them.",
                            layout.name(), flags & Header.UNSUPPORTED_FLAGS));
        }
        boolean tooLong = layout.tail() == Layout.Tail.NONE && length > layout.fixedEnd();
        if (length < layout.fixedEnd() || tooLong) {
            throw new BrokenFrameException(
                    BrokenFrameException.Code.BAD_FRAME,
                    type,
                    String.format(
                            "%s has %d bytes; it is %d long%s.",
                            layout.name(), length, layout.fixedEnd(), tooLong ? "" : " at least"));
        }
        return layout;
    }

    // Texts and structures, in the same order.

    /** What HELLO tells of a side in words. */
    record Names(String name, String program) {
        static Names decode(MemorySegment memory, long at, int length) throws BrokenFrameException {
            Cursor cursor = tail(Hello.LAYOUT, memory, at, length);
            Names names = new Names(cursor.text(MAX_NAME_BYTES), cursor.text(MAX_NAME_BYTES));
            cursor.finish();
            return names;
        }
    }

    /** The one text that ends GOODBYE, ERROR, BORROW, REFUSED, EVENT and FOLLOW_END. */
    static String text(Layout layout, MemorySegment memory, long at, long length)
            throws BrokenFrameException {
        Cursor cursor = tail(layout, memory, at, length);
        boolean isName = layout.type() == Borrow.TYPE;
        String text = cursor.text(isName ? MAX_NAME_BYTES : MAX_SENTENCE_BYTES);
        cursor.finish();
        return text;
    }

    static Cursor tail(Layout layout, MemorySegment memory, long at, long length) {
        return new Cursor(memory, layout.type(), at + layout.fixedEnd(), at + length);
    }

    static final int DESCRIPTION_FIXED_BYTES = 32;
    static final int DESCRIPTION_REGION_BYTES = 24;
    static final int DESCRIPTION_CAPABILITY_BYTES = 8;

    /** The description's block, which ends BORROWED and is DESCRIPTION. */
    @SuppressWarnings("EnumOrdinal") // Region's attributes and spaces are numbered so.
    static void compose(FunctionDescription description, Composer to) {
        Identity identity = description.identity();
        to.u16(identity.vendor()).u16(identity.device());
        to.u16(identity.subsystemVendor()).u16(identity.subsystem());
        to.u32(identity.classCode()).u8(identity.revision()).u8(description.intxPin());
        int kinds = 0;
        for (ResetKind kind : description.resetKinds()) {
            kinds |= 1 << kind.code();
        }
        to.u8(kinds).u8(0);
        to.u16(description.msiVectors()).u16(description.msixVectors());
        to.u16(description.regions().size()).u16(description.capabilities().size());
        long abilities = 0;
        for (Ability ability : description.abilities()) {
            abilities |= 1L << ability.bit();
        }
        to.u64(abilities);
        for (Region region : description.regions()) {
            int attributes = 0;
            for (Region.Attribute attribute : region.attributes()) {
                attributes |= 1 << attribute.ordinal();
            }
            to.u8(region.index()).u8(region.space().ordinal()).u16(0).u32(attributes);
            to.u64(region.sizeBytes()).u32(region.maxAccessBytes()).u32(0);
        }
        for (CapabilityPlace place : description.capabilities()) {
            to.u16(place.id()).u8(place.extended() ? 1 : 0).u8(0);
            to.u16(place.offset()).u16(place.lengthBytes());
        }
        to.text(description.kind(), MAX_KIND_BYTES);
    }

    static FunctionDescription description(int type, Cursor from) throws BrokenFrameException {
        int vendor = from.u16();
        int device = from.u16();
        int subsystemVendor = from.u16();
        int subsystem = from.u16();
        int classCode = (int) from.u32();
        int revision = from.u8();
        int pin = from.u8();
        int kindBits = from.u8();
        from.skip(1);
        int msi = from.u16();
        int msix = from.u16();
        int regionCount = from.u16();
        int capabilityCount = from.u16();
        long abilityBits = from.u64();
        if (pin > 4 || msi > 32 || msix > 2048 || regionCount > Region.COUNT) {
            throw bad(
                    type,
                    "a description has pin "
                            + pin
                            + ", "
                            + msi
                            + " MSI and "
                            + msix
                            + " MSI-X vectors, "
                            + regionCount
                            + " regions; at most 4, 32, 2048 and 8 are possible");
        }
        List<Region> regions = new ArrayList<>();
        int seen = 0;
        for (int index = 0; index < regionCount; index++) {
            Region region = region(type, from);
            if ((seen & 1 << region.index()) != 0) {
                throw bad(type, "a description has region " + region.index() + " twice");
            }
            seen |= 1 << region.index();
            regions.add(region);
        }
        if ((seen & 1 << Region.CONFIGURATION) == 0) {
            throw bad(type, "a description has no configuration space (region 7)");
        }
        List<CapabilityPlace> capabilities = new ArrayList<>();
        for (int index = 0; index < capabilityCount; index++) {
            int id = from.u16();
            boolean extended = (from.u8() & 1) != 0;
            from.skip(1);
            capabilities.add(new CapabilityPlace(id, extended, from.u16(), from.u16()));
        }
        String kind = from.text(MAX_KIND_BYTES);
        from.finish();
        Set<ResetKind> kinds = EnumSet.noneOf(ResetKind.class);
        for (ResetKind kindOf : ResetKind.values()) {
            if ((kindBits & 1 << kindOf.code()) != 0) {
                kinds.add(kindOf);
            }
        }
        Set<Ability> abilities = EnumSet.noneOf(Ability.class);
        for (Ability ability : Ability.values()) {
            if ((abilityBits & 1L << ability.bit()) != 0) {
                abilities.add(ability);
            }
        }
        return new FunctionDescription(
                kind,
                new Identity(
                        vendor, device, subsystemVendor, subsystem, classCode & 0xffffff, revision),
                regions,
                capabilities,
                pin,
                msi,
                msix,
                kinds,
                abilities);
    }

    @SuppressWarnings("EnumOrdinal") // Region's attributes and spaces are numbered so.
    private static Region region(int type, Cursor from) throws BrokenFrameException {
        int index = from.u8();
        int space = from.u8();
        from.skip(2);
        int attributeBits = (int) from.u32();
        long size = from.u64();
        long maxAccess = from.u32();
        from.skip(4);
        if (space >= Region.Space.values().length || maxAccess > Region.MAX_ACCESS_BYTES) {
            throw bad(type, "region " + index + " has space " + space + ", access " + maxAccess);
        }
        Set<Region.Attribute> attributes = EnumSet.noneOf(Region.Attribute.class);
        for (Region.Attribute attribute : Region.Attribute.values()) {
            if ((attributeBits & 1 << attribute.ordinal()) != 0) {
                attributes.add(attribute);
            }
        }
        try {
            Region.Space kind = Region.Space.values()[space];
            return new Region(index, kind, size, attributes, (int) maxAccess);
        } catch (IllegalArgumentException impossible) {
            throw bad(type, impossible.getMessage());
        }
    }

    static BrokenFrameException bad(int type, String why) {
        return new BrokenFrameException(
                BrokenFrameException.Code.BAD_VALUE,
                type,
                "A value in " + name(type) + " is impossible: " + why + ".");
    }

    /** How one item of a list is read. */
    interface Item<T> {
        T from(Cursor cursor) throws BrokenFrameException;
    }

    /** The items of an answer in one or several frames, LISTED or RESULT. */
    static <T> List<T> items(Layout layout, MemorySegment frames, Item<T> item)
            throws BrokenFrameException {
        List<T> items = new ArrayList<>();
        for (long at = 0; at < frames.byteSize(); ) {
            int length = Header.LENGTH.getInt(frames, at);
            Cursor cursor = tail(layout, frames, at, length);
            int count = Listed.COUNT.getInt(frames, at);
            for (int index = 0; index < count; index++) {
                items.add(item.from(cursor));
            }
            cursor.finish();
            at += length;
        }
        return items;
    }

    static void compose(Entry entry, Composer to) {
        to.text(entry.name(), MAX_NAME_BYTES).text(entry.kind(), MAX_NAME_BYTES);
        to.text(entry.summary(), MAX_SENTENCE_BYTES).u32(entry.generation());
        to.text(entry.borrower(), MAX_SENTENCE_BYTES).u64(entry.sinceMillis());
        to.pairs(entry.details());
    }

    static Entry entry(Cursor from) throws BrokenFrameException {
        return new Entry(
                from.text(MAX_NAME_BYTES),
                from.text(MAX_NAME_BYTES),
                from.text(MAX_SENTENCE_BYTES),
                (int) from.u32(),
                from.text(MAX_SENTENCE_BYTES),
                from.u64(),
                from.pairs());
    }

    /** OPERATE's payload. */
    record Order(String action, Map<String, String> arguments) {
        void compose(Composer to) {
            to.text(action, MAX_NAME_BYTES).pairs(arguments);
        }

        static Order decode(MemorySegment memory, long at, int length) throws BrokenFrameException {
            Cursor cursor = tail(Operate.LAYOUT, memory, at, length);
            Order order = new Order(cursor.text(MAX_NAME_BYTES), cursor.pairs());
            cursor.finish();
            return order;
        }
    }

    /** FOLLOW's payload from its fixed fields on. */
    static void compose(FollowRequest request, Composer to) {
        to.u32(request.record() ? Follow.RECORD : 0).u32(0);
        to.text(request.function(), MAX_NAME_BYTES).pairs(request.arguments());
    }

    static FollowRequest follow(MemorySegment memory, long at, int length)
            throws BrokenFrameException {
        Cursor cursor = tail(Follow.LAYOUT, memory, at, length);
        FollowRequest request =
                new FollowRequest(
                        cursor.text(MAX_NAME_BYTES),
                        (Follow.FLAGS.getInt(memory, at) & Follow.RECORD) != 0,
                        cursor.pairs());
        cursor.finish();
        return request;
    }

    /** OBSERVED's payload from its fixed fields on. */
    static void compose(ObservedEvent event, Composer to) {
        to.u64(event.timeMillis()).u32(event.lostBefore());
        to.text(event.subject(), MAX_NAME_BYTES).text(event.what(), MAX_NAME_BYTES);
        to.text(event.sentence(), MAX_SENTENCE_BYTES);
    }

    static ObservedEvent observed(MemorySegment memory, long at, int length)
            throws BrokenFrameException {
        Cursor cursor = tail(Observed.LAYOUT, memory, at, length);
        ObservedEvent event =
                new ObservedEvent(
                        Observed.TIME_MILLIS.get(memory, at),
                        cursor.text(MAX_NAME_BYTES),
                        cursor.text(MAX_NAME_BYTES),
                        cursor.text(MAX_SENTENCE_BYTES),
                        Observed.LOST_BEFORE.getInt(memory, at));
        cursor.finish();
        return event;
    }

    /** EVENT's payload from its fixed fields on. */
    static void compose(FunctionEvent event, Composer to) {
        switch (event) {
            case FunctionEvent.Error(boolean fatal, String sentence) ->
                    event(to, Event.ERROR, fatal ? 1 : 0, 0, 0, 0, sentence);
            case FunctionEvent.PowerManagement() ->
                    event(to, Event.POWER_MANAGEMENT, 0, 0, 0, 0, "");
            case FunctionEvent.Presence(boolean present) ->
                    event(to, Event.PRESENCE, present ? 1 : 0, 0, 0, 0, "");
            case FunctionEvent.DescriptionChanged() ->
                    event(to, Event.DESCRIPTION_CHANGED, 0, 0, 0, 0, "");
            case FunctionEvent.GoingAway(String sentence) ->
                    event(to, Event.GOING_AWAY, 0, 0, 0, 0, sentence);
            case FunctionEvent.NewGeneration(int generation, ResetKind kind) ->
                    event(to, Event.GENERATION_BEGUN, kind.code(), generation, 0, 0, "");
            case FunctionEvent.DmaRefused(
                            long address,
                            long length,
                            Direction direction,
                            String sentence) ->
                    event(to, Event.DMA_REFUSED, direction.bits(), 0, address, length, sentence);
        }
    }

    private static void event(
            Composer to,
            int event,
            int detail,
            int generation,
            long address,
            long length,
            String sentence) {
        to.u8(event).u8(detail).u16(0).u32(generation).u64(address).u64(length);
        to.text(sentence, MAX_SENTENCE_BYTES);
    }

    /** The event, or null for one that this version does not know: new ones are ignored. */
    static FunctionEvent event(MemorySegment memory, long at, int length)
            throws BrokenFrameException {
        String sentence = text(Event.LAYOUT, memory, at, length);
        int detail = Event.DETAIL.getInt(memory, at);
        return switch (Event.EVENT.getInt(memory, at)) {
            case Event.ERROR -> new FunctionEvent.Error((detail & 1) != 0, sentence);
            case Event.POWER_MANAGEMENT -> new FunctionEvent.PowerManagement();
            case Event.PRESENCE -> new FunctionEvent.Presence((detail & 1) != 0);
            case Event.DESCRIPTION_CHANGED -> new FunctionEvent.DescriptionChanged();
            case Event.GOING_AWAY -> new FunctionEvent.GoingAway(sentence);
            case Event.GENERATION_BEGUN -> {
                ResetKind kind = ResetKind.ofCode(detail);
                if (kind == null) {
                    throw bad(Event.TYPE, "there is no reset kind " + detail);
                }
                yield new FunctionEvent.NewGeneration(
                        Event.NEW_GENERATION.getInt(memory, at), kind);
            }
            case Event.DMA_REFUSED -> {
                Direction direction = Direction.ofBits(detail);
                if (direction == null) {
                    throw bad(Event.TYPE, "there is no direction " + detail);
                }
                yield new FunctionEvent.DmaRefused(
                        Event.ADDRESS.get(memory, at),
                        Event.LENGTH.get(memory, at),
                        direction,
                        sentence);
            }
            default -> null;
        };
    }
}
