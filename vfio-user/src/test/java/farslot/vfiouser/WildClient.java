package farslot.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A vfio-user client that may send anything at any time, as a {@link Script} says: whole messages,
 * bent ones, halves, several at once, descriptors with anything. It checks whatever the server
 * sends: an answer to each message that wants one, in the order of the messages, and DMA.
 */
final class WildClient implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    /** DMA that the server asks for and that waits for its answer. */
    record Dma(int id, int command, long address, long count) {}

    /** A message that wants an answer. */
    private record Sent(int id, int command) {}

    final Script script;
    final ArrayDeque<Dma> dma = new ArrayDeque<>();

    /** The server has closed, or nothing can be written to it. */
    boolean isOver;

    /** What this client has sent is no sequence of whole messages any more. */
    boolean strayed;

    private final UnixStream stream;
    private final ArrayDeque<Sent> unanswered = new ArrayDeque<>();
    private final MemorySegment in = Arena.ofAuto().allocate(0x240000, 8);
    private final List<Descriptor> memories = new ArrayList<>();
    private final List<EventFd> events = new ArrayList<>();
    private final ByteArrayOutputStream joined = new ByteArrayOutputStream();
    private int joins;
    private int filled;
    private int nextId = 1;
    private int twist;

    WildClient(UnixStream stream, Script script) throws IOException {
        this.stream = stream;
        this.script = script;
        stream.writeTimeoutMillis(PATIENCE_MILLIS);
    }

    // Sending.

    void command(int command, int flags, ByteBuffer fields, Descriptor... descriptors) {
        message(nextId++ & 0xffff, command, flags, fields, descriptors);
    }

    void message(int id, int command, int flags, ByteBuffer fields, Descriptor... descriptors) {
        byte[] bytes = RawClient.message(id, command, flags, fields);
        boolean isWhole = bend(bytes);
        MemorySegment header = MemorySegment.ofArray(bytes);
        int sentFlags = header.get(Messages.U32, Messages.HEADER_FLAGS);
        if ((sentFlags & 0x1f) == 0) {
            unanswered.add(
                    new Sent(
                            header.get(Messages.U16, Messages.HEADER_ID) & 0xffff,
                            header.get(Messages.U16, Messages.HEADER_COMMAND) & 0xffff));
        }
        if (!isWhole) {
            strayed = true;
            write(Arrays.copyOf(bytes, script.u16() % bytes.length));
            return;
        }
        write(bytes, descriptors);
    }

    /** The next message is bent in one of these ways. */
    void twist() {
        twist = 1 + script.below(7);
    }

    /** Bends a message as the last twist says; false where only a part of it shall be sent. */
    private boolean bend(byte[] bytes) {
        int how = twist;
        twist = 0;
        MemorySegment message = MemorySegment.ofArray(bytes);
        switch (how) {
            case 1, 2 -> {
                int at = Messages.HEADER_BYTES + script.u16();
                bytes[at < bytes.length ? at : 0] ^= (byte) (script.u8() | 1);
            }
            case 3 -> {
                message.set(Messages.U32, Messages.HEADER_SIZE, (int) script.u32());
                strayed = true;
            }
            case 4 -> message.set(Messages.U32, Messages.HEADER_FLAGS, script.u8());
            case 5 -> message.set(Messages.U32, Messages.HEADER_ERRNO, script.u8());
            case 6 -> {
                return false;
            }
            case 7 -> message.set(Messages.U16, Messages.HEADER_COMMAND, (short) script.u8());
            default -> {}
        }
        return true;
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

    Descriptor memory(int pages) {
        try {
            memories.add(Memfd.create("farslot-fuzz", pages * 0x1000L));
            return memories.getLast();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    Descriptor event() {
        try {
            events.add(EventFd.create());
            return events.getLast().descriptor();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Signals all events: who resamples hears it. */
    void signal() {
        for (EventFd event : events) {
            try {
                event.signal();
            } catch (IOException full) {
                // It has been signalled enough.
            }
        }
    }

    /** Memory that was passed is cut short: who maps it must live with that. */
    void cutMemoryShort() {
        for (Descriptor memory : memories) {
            try {
                Memfd.resize(memory, script.u8() * 0x100L);
            } catch (IOException sealed) {
                // Then it stays as it is.
            }
        }
    }

    // Receiving.

    /** Reads all that is there, waiting so long for the first of it. */
    void drain(int millis) {
        boolean came = false;
        try (ReceivedDescriptors descriptors = new ReceivedDescriptors()) {
            while (!isOver && stream.awaitReadable(came ? 0 : millis)) {
                int count = stream.read(in.asSlice(filled), descriptors);
                isOver = count < 0;
                filled += Math.max(0, count);
                parse();
                came = true;
            }
        } catch (IOException gone) {
            isOver = true;
        }
    }

    private void parse() {
        int at = 0;
        while (filled - at >= Messages.HEADER_BYTES) {
            int size = in.get(Messages.U32, at + Messages.HEADER_SIZE);
            assertTrue(size >= 16 && size <= Messages.MAX_MESSAGE_BYTES, "size " + size);
            if (filled - at < size) {
                break;
            }
            Message message = new Message();
            message.point(in, at);
            came(message);
            at += size;
        }
        MemorySegment.copy(in, at, in, 0, filled - at);
        filled -= at;
    }

    private void came(Message message) {
        if (!message.isReply()) {
            int command = message.command();
            assertTrue(command == Messages.DMA_READ || command == Messages.DMA_WRITE, "" + command);
            long count = message.u64(Messages.DMA_COUNT);
            assertTrue(count >= 1 && count <= Messages.MAX_DATA_BYTES, "DMA of " + count);
            long data = command == Messages.DMA_WRITE ? count : 0;
            assertEquals(Messages.DMA_DATA + data, message.payloadBytes());
            dma.add(new Dma(message.id(), command, message.u64(Messages.DMA_ADDRESS), count));
            return;
        }
        String reply = message.id() + " to command " + message.command();
        if (message.isError()) {
            assertNotEquals(0, message.errno(), reply);
            assertEquals(0, message.payloadBytes(), reply);
        } else {
            assertEquals(0, message.errno(), reply);
        }
        if (!strayed) {
            Sent first = unanswered.poll();
            assertNotNull(first, "nobody asked for " + reply);
            assertEquals(first.id() + " to command " + first.command(), reply);
        }
    }

    /** Whether the server answers all that was asked, or has ended the connection. */
    boolean isAnswered() {
        long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
        while (!isOver && !unanswered.isEmpty()) {
            drain(100);
            while (!dma.isEmpty()) {
                answer(dma.poll(), 3);
            }
            if (System.nanoTime() > deadline) {
                return false;
            }
        }
        return true;
    }

    /** Answers DMA, right or wrong. */
    void answer(Dma asked, int how) {
        boolean read = asked.command() == Messages.DMA_READ;
        int count = read ? (int) asked.count() : 0;
        int length = how == 2 ? script.u8() : count;
        ByteBuffer fields = RawClient.fields(16 + length);
        fields.putLong(asked.address() + (how == 4 ? 1 : 0)).putLong(asked.count());
        if (how == 5 && length > 4) {
            fields.putInt(12, 0x55555555); // as some versions of QEMU do
        }
        boolean error = how == 3;
        message(
                asked.id(),
                how == 6 ? script.u8() : asked.command(),
                Messages.TYPE_REPLY | (error ? Messages.FLAG_ERROR : 0),
                error ? RawClient.fields(0) : fields);
    }

    @Override
    public void close() {
        isOver = true;
        stream.close();
        memories.forEach(Descriptor::close);
        events.forEach(EventFd::close);
    }
}
