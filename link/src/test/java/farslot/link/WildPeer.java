package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Messages.Credit;
import farslot.link.Messages.ErrorMessage;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.Header;
import farslot.link.Messages.Hello;
import farslot.posix.Descriptor;
import farslot.posix.EventFd;
import farslot.posix.Memfd;
import farslot.posix.ReceivedDescriptors;
import farslot.posix.UnixStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One end of a link that may send anything at any time, as a {@link Script} says: whole frames,
 * bent ones, halves, several at once, descriptors with anything. It checks whatever the other end
 * sends: that end is the product, and has to keep the protocol whatever it is sent.
 */
final class WildPeer implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    /** A request of the other side that waits for its answer. */
    record Asked(int type, int tag, int length) {}

    final Script script;
    final ArrayDeque<Asked> asked = new ArrayDeque<>();
    final List<Integer> answered = new ArrayList<>();

    /** The function's, as far as this side was told or has claimed. */
    int generation;

    boolean helloCame;
    boolean hasSaidHello;

    /** The other end has ended the link in words. */
    boolean lastWordsCame;

    /** The other end has closed, or nothing can be written to it. */
    boolean isOver;

    /** What this side has sent is no sequence of whole frames any more. */
    boolean strayed;

    private final UnixStream stream;
    private final int role;
    private final MemorySegment in = Arena.ofAuto().allocate(0x240000, 8);
    private final List<Descriptor> held = new ArrayList<>();
    private final ByteArrayOutputStream joined = new ByteArrayOutputStream();
    private int joins;
    private int filled;
    private boolean preambleCame;
    private int twist;
    private long sent;
    private long received;
    private final long[] frames = new long[4];
    private final long[] bytes = new long[4];
    private final long[] frameLimits = new long[4];
    private final long[] byteLimits = new long[4];

    /**
     * @param role this side's in HELLO
     */
    WildPeer(UnixStream stream, int role, Script script) throws IOException {
        this.stream = stream;
        this.role = role;
        this.script = script;
        stream.writeTimeoutMillis(PATIENCE_MILLIS);
    }

    // Sending.

    void preamble() {
        write(RawPeer.preamble(1));
    }

    /** HELLO with credits for everything, or with what the script says. */
    void hello(boolean sane) {
        Composer hello = new Composer();
        hello.u64(sane ? 1 : script.u8()).u32(sane ? Messages.MAX_FRAME_BYTES : script.u32());
        hello.u32(sane ? 100 : script.u16()).u32(sane ? 600_000 : script.u32());
        hello.u8(sane ? role : script.u8()).u8(0).u16(0);
        for (int account = 0; account < 3; account++) {
            hello.u64(sane ? 100_000 : script.u8()).u64(sane ? 1L << 40 : script.u32());
        }
        hello.u16(0).u16(0);
        frame(Hello.TYPE, Messages.LINK, 0, hello);
    }

    void frame(int type, int flags, int tag, Composer payload, Descriptor... descriptors) {
        byte[] body = payload.toBytes();
        ByteBuffer frame =
                ByteBuffer.allocate(Header.BYTES + body.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(frame.capacity()).putShort((short) type).put((byte) flags);
        frame.put((byte) descriptors.length).putInt(type == Hello.TYPE ? 0 : generation);
        frame.putInt(tag).putLong(++sent).putLong(received).put(body);
        byte[] bytes = frame.array();
        boolean isWhole = bend(bytes);
        strayed |= Header.LENGTH.getInt(MemorySegment.ofArray(bytes), 0) != bytes.length;
        note(bytes);
        if (!isWhole) {
            int length = script.u16() % bytes.length;
            strayed = true;
            write(Arrays.copyOf(bytes, length));
            return;
        }
        write(bytes, descriptors);
    }

    /** The next frame is bent in one of these ways. */
    void twist() {
        twist = 1 + script.below(11);
    }

    /** Bends a frame as the last twist says; false where only a part of it shall be sent. */
    private boolean bend(byte[] bytes) {
        int how = twist;
        twist = 0;
        MemorySegment frame = MemorySegment.ofArray(bytes);
        switch (how) {
            case 1 -> bytes[script.u16() % bytes.length] ^= (byte) (script.u8() | 1);
            case 2 -> Header.LENGTH.set(frame, 0, script.u32());
            case 3 -> Header.SEQUENCE.set(frame, 0, sent + (byte) script.u8());
            case 4 -> Header.ACKNOWLEDGED.set(frame, 0, received + (byte) script.u8());
            case 5 -> Header.GENERATION.set(frame, 0, generation + (byte) script.u8());
            case 6 -> bytes[Header.FLAGS.offset()] ^= (byte) script.u8();
            case 7 -> bytes[Header.DESCRIPTORS.offset()] = (byte) script.u8();
            case 8 -> Header.TAG.set(frame, 0, script.u32());
            case 9 -> {
                return false;
            }
            case 10 -> Header.TYPE.set(frame, 0, script.u8());
            default -> {}
        }
        return true;
    }

    /** What this side lets the other send, by the frame as it goes out. */
    private void note(byte[] bytes) {
        MemorySegment frame = MemorySegment.ofArray(bytes);
        int type = Header.TYPE.getInt(frame, 0);
        hasSaidHello |= type == Hello.TYPE;
        int at =
                type == Hello.TYPE
                        ? Hello.POSTED_FRAMES.offset()
                        : type == Credit.TYPE ? Credit.POSTED_FRAMES.offset() : bytes.length;
        for (int account = 1; account < 4 && at + 16 <= bytes.length; account++, at += 16) {
            frameLimits[account] =
                    most(frameLimits[account], frame.get(ValueLayout.JAVA_LONG_UNALIGNED, at));
            byteLimits[account] =
                    most(byteLimits[account], frame.get(ValueLayout.JAVA_LONG_UNALIGNED, at + 8));
        }
    }

    private static long most(long one, long other) {
        return Long.compareUnsigned(one, other) > 0 ? one : other;
    }

    /** So many of the next pieces are sent at once. */
    void join() {
        joins = 1 + script.below(8);
    }

    void raw() {
        strayed = true;
        write(script.bytes(script.u8()));
    }

    private void write(byte[] bytes, Descriptor... descriptors) {
        if (joins > 0 && descriptors.length == 0) {
            joined.writeBytes(bytes);
            if (--joins > 0) {
                return;
            }
            bytes = new byte[0];
        }
        joins = 0;
        if (joined.size() > 0) {
            writeNow(joined.toByteArray());
            joined.reset();
        }
        if (bytes.length > 0) {
            writeNow(bytes, descriptors);
        }
    }

    /** Sends what is held back to be sent together; what comes next is sent as it is. */
    void flush() {
        twist = 0;
        joins = 0;
        write(new byte[0]);
    }

    private void writeNow(byte[] bytes, Descriptor... descriptors) {
        if (isOver) {
            return;
        }
        int[] numbers = Arrays.stream(descriptors).mapToInt(Descriptor::number).toArray();
        try (Arena arena = Arena.ofConfined()) {
            stream.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), numbers);
        } catch (SocketTimeoutException notRead) {
            throw new AssertionError("what is sent is not read", notRead);
        } catch (IOException gone) {
            isOver = true;
        }
    }

    /** A descriptor of any kind, which this side keeps to the end. */
    Descriptor descriptor(int pages) {
        try {
            Descriptor descriptor =
                    script.below(4) == 3
                            ? EventFd.create().descriptor()
                            : Memfd.create("farslot-fuzz", pages * 0x1000L);
            held.add(descriptor);
            return descriptor;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Memory that was passed is cut short: who maps it must live with that. */
    void cutMemoryShort() {
        for (Descriptor descriptor : held) {
            try {
                if (descriptor.kind() == Descriptor.Kind.MEMORY_OR_FILE) {
                    Memfd.resize(descriptor, script.u8() * 0x100L);
                }
            } catch (IOException sealed) {
                // Then it stays as it is.
            }
        }
    }

    // Receiving.

    /** Reads all that is there, waiting so long for the first of it; whether anything came. */
    boolean drain(int millis) {
        boolean came = false;
        try (ReceivedDescriptors descriptors = new ReceivedDescriptors()) {
            while (!isOver && stream.awaitReadable(came ? 0 : millis)) {
                int count = stream.read(in.asSlice(filled), descriptors);
                if (count < 0) {
                    isOver = true;
                    break;
                }
                filled += count;
                came |= parse() > 0;
            }
        } catch (IOException gone) {
            isOver = true;
        }
        return came;
    }

    private int parse() {
        int at = 0;
        int count = 0;
        if (!preambleCame && filled >= Messages.Preamble.BYTES) {
            byte[] preamble = in.asSlice(0, Messages.Preamble.BYTES).toArray(ValueLayout.JAVA_BYTE);
            assertEquals(
                    ByteBuffer.wrap(RawPeer.preamble(1)), ByteBuffer.wrap(preamble), "preamble");
            preambleCame = true;
            at = Messages.Preamble.BYTES;
        }
        while (preambleCame && filled - at >= Header.BYTES) {
            MemorySegment rest = in.asSlice(at, filled - at);
            int length = Header.LENGTH.getInt(rest, 0);
            assertTrue(length >= 32 && length <= Messages.MAX_FRAME_BYTES, "length " + length);
            if (rest.byteSize() < length) {
                break;
            }
            came(rest.asSlice(0, length));
            at += length;
            count++;
        }
        MemorySegment.copy(in, at, in, 0, filled - at);
        filled -= at;
        return count;
    }

    private void came(MemorySegment frame) {
        assertFalse(lastWordsCame, "a frame behind the last words");
        String meaning = meaning(frame);
        int type = Header.TYPE.getInt(frame, 0);
        int trafficClass = Header.FLAGS.getInt(frame, 0) & Header.CLASS_MASK;
        int tag = Header.TAG.getInt(frame, 0);
        assertEquals(++received, Header.SEQUENCE.get(frame, 0), meaning);
        assertTrue(Header.ACKNOWLEDGED.get(frame, 0) <= sent || strayed, meaning);
        assertEquals(received == 1, type == Hello.TYPE, meaning);
        helloCame = true;
        frames[trafficClass]++;
        bytes[trafficClass] += frame.byteSize();
        if (trafficClass != Messages.LINK && !strayed) {
            assertTrue(
                    Long.compareUnsigned(frames[trafficClass], frameLimits[trafficClass]) <= 0
                            && Long.compareUnsigned(bytes[trafficClass], byteLimits[trafficClass])
                                    <= 0,
                    () -> "beyond the credit: " + meaning);
        }
        if (trafficClass != Messages.LINK) {
            int told = Header.GENERATION.getInt(frame, 0);
            boolean newer = Integer.compareUnsigned(told, generation) > 0;
            generation = newer && role == Hello.CLIENT ? told : generation;
        }
        switch (trafficClass) {
            case Messages.NON_POSTED -> asked.add(new Asked(type, tag, wanted(frame, type)));
            case Messages.COMPLETION -> answered.add(tag);
            default -> {}
        }
        if (type == ErrorMessage.TYPE || type == Goodbye.TYPE) {
            lastWordsCame = true;
        }
        if (type == ErrorMessage.TYPE) {
            int code = ErrorMessage.CODE.getInt(frame, 0);
            assertTrue(code >= 1 && code <= 10, meaning);
            assertFalse(meaning.endsWith("\"\""), meaning);
        }
    }

    private static String meaning(MemorySegment frame) {
        try {
            String meaning = Meaning.of(frame);
            assertNotNull(meaning);
            return meaning;
        } catch (BrokenFrameException broken) {
            throw new AssertionError("it sent a broken frame", broken);
        }
    }

    private static int wanted(MemorySegment frame, int type) {
        return switch (type) {
            case Messages.Read.TYPE -> Messages.Read.LENGTH.getInt(frame, 0);
            case Messages.DmaRead.TYPE -> Messages.DmaRead.LENGTH.getInt(frame, 0);
            default -> 0;
        };
    }

    /**
     * Whether the other side is as alive as it was: it answers this request, or asks itself, or has
     * ended the link in words.
     */
    boolean answers(int type, int tag, Composer payload) {
        frame(type, Messages.NON_POSTED, tag, payload);
        flush();
        long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
        while (!isOver && !lastWordsCame && !answered.contains(tag) && asked.isEmpty()) {
            drain(100);
            if (System.nanoTime() > deadline) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        isOver = true;
        stream.close();
        held.forEach(Descriptor::close);
    }
}
