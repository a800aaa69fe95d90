package farslot.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import farslot.posix.Descriptor;
import farslot.posix.EventFd;
import farslot.posix.ReceivedDescriptors;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * A vfio-user client that sends exactly what a test says, and gives back what came, byte by byte.
 * For one thread.
 */
public final class RawClient implements AutoCloseable {
    /** What QEMU 11.1 sends. */
    public static final String QEMU_JSON =
            "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16,\"max_dma_maps\":65535,"
                    + "\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096,"
                    + "\"max_bitmap_size\":268435456},\"write_multiple\":true}}";

    private final UnixStream stream;
    private int nextId = 0x100;

    /** A message that came, header apart. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares them.
    public record Received(int id, int command, int flags, int errno, byte[] payload) {
        public ByteBuffer fields() {
            return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        }

        public String hex() {
            return HexFormat.of().formatHex(payload);
        }

        /** The value of a read's data, little-endian. */
        public long value() {
            long value = 0;
            for (int at = payload.length - 1; at >= 16; at--) {
                value = (value << 8) | (payload[at] & 0xff);
            }
            return value;
        }
    }

    private RawClient(UnixStream stream) {
        this.stream = stream;
        // A hung server fails a test by an exception, not by silence.
        try {
            stream.readTimeoutMillis(30_000);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    /** Connects and says nothing. */
    public static RawClient connect(Path socket) throws IOException {
        return new RawClient(UnixStream.connect(socket));
    }

    /** Connects and agrees on the version as QEMU does. */
    public static RawClient start(Path socket) throws IOException {
        RawClient client = connect(socket);
        try {
            Received reply = client.version(QEMU_JSON);
            if (reply.errno() != 0) {
                throw new IOException("VERSION is refused with error " + reply.errno());
            }
            return client;
        } catch (IOException refused) {
            client.leave();
            throw refused;
        }
    }

    public Received version(String json) throws IOException {
        byte[] text = (json + "\0").getBytes(StandardCharsets.UTF_8);
        return request(
                1, fields(4 + text.length).putShort((short) 0).putShort((short) 0).put(text));
    }

    public Received read(int region, long offset, int count) throws IOException {
        return request(9, fields(16).putLong(offset).putInt(region).putInt(count));
    }

    /** Reads up to 8 bytes that must be answered without an error. */
    public long value(int region, long offset, int count) throws IOException {
        Received reply = read(region, offset, count);
        if (reply.errno() != 0 || reply.payload().length != 16 + count) {
            throw new IOException("The read is answered by error " + reply.errno());
        }
        return reply.value();
    }

    public Received write(int region, long offset, int count, long value) throws IOException {
        return request(10, writeFields(region, offset, count, value));
    }

    public void post(int region, long offset, int count, long value) throws IOException {
        sendCommand(10, 0x10, writeFields(region, offset, count, value));
    }

    private static ByteBuffer writeFields(int region, long offset, int count, long value) {
        ByteBuffer fields = fields(16 + count).putLong(offset).putInt(region).putInt(count);
        for (int at = 0; at < count; at++) {
            fields.put((byte) (at < 8 ? value >>> (8 * at) : at));
        }
        return fields;
    }

    /** Maps memory; flags 1 read, 2 write. */
    public Received map(long address, long size, int flags, long offset, Descriptor... memory)
            throws IOException {
        return request(
                2,
                fields(32).putInt(32).putInt(flags).putLong(offset).putLong(address).putLong(size),
                memory);
    }

    public Received unmap(int flags, long address, long size) throws IOException {
        return request(3, fields(24).putInt(24).putInt(flags).putLong(address).putLong(size));
    }

    /** Gives event descriptors for vectors from {@code start} on; none takes {@code count} back. */
    public Received events(int index, int start, int count, EventFd... events) throws IOException {
        return setInterrupts(0x24, index, start, count, events);
    }

    public Received setInterrupts(int flags, int index, int start, int count, EventFd... events)
            throws IOException {
        Descriptor[] descriptors = new Descriptor[events.length];
        for (int at = 0; at < events.length; at++) {
            descriptors[at] = events[at].descriptor();
        }
        return request(
                8,
                fields(20).putInt(20).putInt(flags).putInt(index).putInt(start).putInt(count),
                descriptors);
    }

    /** Sends a command and gives its answer. */
    public Received request(int command, ByteBuffer fields, Descriptor... descriptors)
            throws IOException {
        int id = sendCommand(command, 0, fields, descriptors);
        Received reply = receive();
        if (reply == null) {
            throw new IOException("The server has closed the connection.");
        }
        if (reply.id() != id || reply.command() != command || (reply.flags() & 0xf) != 1) {
            throw new IOException("Not the answer to message " + id + ": " + reply);
        }
        return reply;
    }

    /** Sends a command; its id. */
    public int sendCommand(int command, int flags, ByteBuffer fields, Descriptor... descriptors)
            throws IOException {
        int id = nextId++ & 0xffff;
        send(message(id, command, flags, fields), descriptors);
        return id;
    }

    /** A whole message. */
    @SuppressWarnings("ByteBufferBackingArray") // Made by fields().
    public static byte[] message(int id, int command, int flags, ByteBuffer fields) {
        byte[] payload = fields.array();
        return fields(16 + payload.length)
                .putShort((short) id)
                .putShort((short) command)
                .putInt(16 + payload.length)
                .putInt(flags)
                .putInt(0)
                .put(payload)
                .array();
    }

    /** Sends bytes as they are. */
    public void send(byte[] bytes, Descriptor... descriptors) throws IOException {
        int[] numbers = new int[descriptors.length];
        for (int at = 0; at < numbers.length; at++) {
            numbers[at] = descriptors[at].number();
        }
        try (Arena arena = Arena.ofConfined()) {
            stream.write(arena.allocateFrom(JAVA_BYTE, bytes), numbers);
        }
    }

    /** The next message; null where the server has closed the connection. */
    public Received receive() throws IOException {
        try (Arena arena = Arena.ofConfined();
                ReceivedDescriptors none = new ReceivedDescriptors()) {
            MemorySegment header = arena.allocate(16);
            if (!stream.readFully(header, none)) {
                return null;
            }
            ByteBuffer fields = header.asByteBuffer().order(ByteOrder.nativeOrder());
            int size = fields.getInt(4);
            MemorySegment payload = arena.allocate(size - 16);
            if (size > 16 && !stream.readFully(payload)) {
                return null;
            }
            return new Received(
                    fields.getShort(0) & 0xffff,
                    fields.getShort(2) & 0xffff,
                    fields.getInt(8),
                    fields.getInt(12),
                    payload.toArray(JAVA_BYTE));
        }
    }

    /** Answers a DMA message of the server; data only for a read. */
    public void answerDma(Received request, byte[] data) throws IOException {
        ByteBuffer fields = fields(16 + data.length).put(request.payload(), 0, 16).put(data);
        send(message(request.id(), request.command(), 1, fields));
    }

    /** Whether something waits to be read. */
    public boolean hasMessage() throws IOException {
        return stream.awaitReadable(0);
    }

    /** What to wait for messages on, beside other things. */
    public Descriptor descriptor() {
        return stream.descriptor();
    }

    /** Room for fields in the machine's byte order. */
    public static ByteBuffer fields(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    /** Ends the connection as a process that ends does. */
    public void leave() {
        stream.close();
    }

    @Override
    public void close() {
        stream.close();
    }
}
