package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A connected UNIX stream socket that can carry descriptors beside its bytes (SCM_RIGHTS, unix(7))
 * and knows who is at the other end.
 *
 * <p>Any thread may call; readers take turns, and so do writers, so what one call reads or writes
 * is in one piece. Blocked calls end with an error when any thread calls {@link #shutdown} or
 * {@link #close}. Data must be in native segments or direct buffers; a heap buffer is copied.
 */
public final class UnixStream implements AutoCloseable {
    /** The longest piece that goes through the copy for heap buffers at once. */
    private static final int BOUNCE_BYTES = 0x10000;

    /** What is thrown away at once of what nobody has read. */
    private static final int DISCARDED_BYTES = 0x1000;

    private final Descriptor descriptor;
    private final MessageHeader receiving = new MessageHeader();
    private final MessageHeader sending = new MessageHeader();
    private volatile int readTimeoutMillis;
    private volatile int writeTimeoutMillis;

    UnixStream(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** Takes over a connected UNIX stream socket. */
    public static UnixStream own(Descriptor descriptor) throws IOException {
        if (descriptor.kind() != Descriptor.Kind.SOCKET) {
            throw new IOException(descriptor + " is no socket.");
        }
        return new UnixStream(descriptor);
    }

    /**
     * Connects.
     *
     * @throws PosixException with {@link PosixException#isNobodyThere} where nobody listens
     */
    public static UnixStream connect(Path path) throws IOException {
        Descriptor descriptor = newSocket();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixAddress.of(path, arena);
            while (Libc.connect(descriptor.number(), address, UnixAddress.BYTES) != 0) {
                int errno = Libc.errno();
                if (errno != Errno.EINTR) {
                    throw new PosixException("Cannot connect to", path, errno);
                }
            }
            return new UnixStream(descriptor);
        } catch (IOException failed) {
            descriptor.close();
            throw failed;
        }
    }

    /** The two ends of a connection within this process. */
    public record Pair(UnixStream first, UnixStream second) implements AutoCloseable {
        @Override
        public void close() {
            first.close();
            second.close();
        }
    }

    /** Two streams that are connected to each other: socketpair(2). */
    public static Pair pair() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(JAVA_INT, 2);
            int type = Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC;
            if (Libc.socketpair(Libc.AF_UNIX, type, 0, numbers) != 0) {
                throw new PosixException("Cannot make a pair of sockets", Libc.errno());
            }
            return new Pair(
                    new UnixStream(Descriptor.own(numbers.getAtIndex(JAVA_INT, 0))),
                    new UnixStream(Descriptor.own(numbers.getAtIndex(JAVA_INT, 1))));
        }
    }

    static Descriptor newSocket() throws IOException {
        int number = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        if (number < 0) {
            throw new PosixException("Cannot make a UNIX socket", Libc.errno());
        }
        return Descriptor.own(number);
    }

    /** To wait for data together with other things ({@link PollSet}). */
    public Descriptor descriptor() {
        return descriptor;
    }

    /** Who is at the other end. */
    public PeerCredentials peer() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT, 3);
            MemorySegment length = arena.allocateFrom(JAVA_INT, (int) value.byteSize());
            int number = descriptor.acquire();
            try {
                if (Libc.getsockopt(number, Libc.SOL_SOCKET, Libc.SO_PEERCRED, value, length)
                        != 0) {
                    throw new PosixException("Cannot ask who is connected", Libc.errno());
                }
            } finally {
                descriptor.release();
            }
            return new PeerCredentials(
                    value.getAtIndex(JAVA_INT, 0),
                    value.getAtIndex(JAVA_INT, 1),
                    value.getAtIndex(JAVA_INT, 2));
        }
    }

    /**
     * How long a read waits for its next bytes before it throws {@link SocketTimeoutException}; 0
     * waits for ever. Counts from the next wait.
     */
    public void readTimeoutMillis(int millis) throws IOException {
        timeout(Libc.SO_RCVTIMEO, millis);
        readTimeoutMillis = millis;
    }

    /** How long a write waits for room before it throws {@link SocketTimeoutException}. */
    public void writeTimeoutMillis(int millis) throws IOException {
        timeout(Libc.SO_SNDTIMEO, millis);
        writeTimeoutMillis = millis;
    }

    private void timeout(int option, int millis) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG, 2);
            value.setAtIndex(JAVA_LONG, 0, millis / 1000);
            value.setAtIndex(JAVA_LONG, 1, millis % 1000 * 1000L);
            setOption(option, value);
        }
    }

    /** Asks the kernel to hold this much on the way, each way; it may give less. */
    public void bufferBytes(int bytes) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocateFrom(JAVA_INT, bytes);
            setOption(Libc.SO_SNDBUF, value);
            setOption(Libc.SO_RCVBUF, value);
        }
    }

    private void setOption(int option, MemorySegment value) throws IOException {
        int number = descriptor.acquire();
        try {
            int length = (int) value.byteSize();
            if (Libc.setsockopt(number, Libc.SOL_SOCKET, option, value, length) != 0) {
                throw new PosixException("Cannot set a socket's option " + option, Libc.errno());
            }
        } finally {
            descriptor.release();
        }
    }

    /** Waits until there is something to read, the end included. */
    public boolean awaitReadable(int timeoutMillis) throws IOException {
        return Polling.isReadable(descriptor, timeoutMillis);
    }

    // Reading.

    /**
     * Reads what there is, at least one byte. Descriptors that came with it are closed.
     *
     * @return how many bytes, or -1 at the end of the stream
     */
    public int read(MemorySegment into) throws IOException {
        synchronized (receiving) {
            int number = descriptor.acquire();
            try {
                return receive(number, into);
            } finally {
                descriptor.release();
            }
        }
    }

    /**
     * Reads what there is, at least one byte, and what descriptors came with it.
     *
     * @return how many bytes, or -1 at the end of the stream
     */
    public int read(MemorySegment into, ReceivedDescriptors descriptors) throws IOException {
        synchronized (receiving) {
            int number = descriptor.acquire();
            try {
                return receive(number, into, 0, into.byteSize(), descriptors);
            } finally {
                descriptor.release();
            }
        }
    }

    /**
     * Reads what there is, at least one byte, to a part of the segment; makes no slice of it.
     *
     * @return how many bytes, or -1 at the end of the stream
     */
    public int read(
            MemorySegment into, long offset, long lengthBytes, ReceivedDescriptors descriptors)
            throws IOException {
        Objects.checkFromIndexSize(offset, lengthBytes, into.byteSize());
        synchronized (receiving) {
            int number = descriptor.acquire();
            try {
                return receive(number, into, offset, lengthBytes, descriptors);
            } finally {
                descriptor.release();
            }
        }
    }

    /**
     * Fills the segment.
     *
     * @return false where the stream ended before the first byte
     * @throws EOFException where it ended after that
     */
    public boolean readFully(MemorySegment into) throws IOException {
        synchronized (receiving) {
            int number = descriptor.acquire();
            try {
                return fill(number, into, 0);
            } finally {
                descriptor.release();
            }
        }
    }

    /** Fills the segment, and collects the descriptors that came with any of it. */
    public boolean readFully(MemorySegment into, ReceivedDescriptors descriptors)
            throws IOException {
        synchronized (receiving) {
            int number = descriptor.acquire();
            try {
                long filled = 0;
                while (filled < into.byteSize()) {
                    long rest = into.byteSize() - filled;
                    int count = receive(number, into, filled, rest, descriptors);
                    if (count < 0) {
                        return endedAfter(filled, into.byteSize());
                    }
                    filled += count;
                }
                return true;
            } finally {
                descriptor.release();
            }
        }
    }

    /** Fills the buffer's remaining bytes; see {@link #readFully(MemorySegment)}. */
    public boolean readFully(ByteBuffer into) throws IOException {
        if (into.isDirect()) {
            boolean read = readFully(MemorySegment.ofBuffer(into));
            into.position(read ? into.limit() : into.position());
            return read;
        }
        boolean begun = false;
        synchronized (receiving) {
            MemorySegment bounce = receiving.bounce();
            while (into.hasRemaining()) {
                int length = Math.min(into.remaining(), BOUNCE_BYTES);
                if (!readFully(bounce.asSlice(0, length))) {
                    return endedAfter(begun ? 1 : 0, into.remaining());
                }
                begun = true;
                into.put(bounce.asSlice(0, length).asByteBuffer());
            }
        }
        return true;
    }

    private boolean fill(int number, MemorySegment into, long begin) throws IOException {
        long filled = begin;
        while (filled < into.byteSize()) {
            int count = receive(number, filled == 0 ? into : into.asSlice(filled));
            if (count < 0) {
                return endedAfter(filled, into.byteSize());
            }
            filled += count;
        }
        return true;
    }

    private static boolean endedAfter(long filled, long wanted) throws EOFException {
        if (filled == 0) {
            return false;
        }
        throw new EOFException(
                "The connection ended within a message: " + filled + " of " + wanted + " bytes.");
    }

    private int receive(int number, MemorySegment into) throws IOException {
        while (true) {
            long count = Libc.recv(number, into, into.byteSize(), 0);
            if (count > 0) {
                return (int) count;
            }
            if (count == 0) {
                return -1;
            }
            throwUnlessInterrupted("read from a UNIX socket", readTimeoutMillis);
        }
    }

    private int receive(
            int number,
            MemorySegment into,
            long offset,
            long lengthBytes,
            ReceivedDescriptors descriptors)
            throws IOException {
        while (true) {
            MemorySegment header = receiving.toReceive(into.address() + offset, lengthBytes);
            long count = Libc.recvmsg(number, header, Libc.MSG_CMSG_CLOEXEC, into);
            if (count >= 0) {
                receiving.collect(descriptors);
                return count == 0 ? -1 : (int) count;
            }
            throwUnlessInterrupted("read from a UNIX socket", readTimeoutMillis);
        }
    }

    // Writing.

    /** Writes all of the segment. */
    public void write(MemorySegment from) throws IOException {
        writeFirst(from, from.byteSize());
    }

    /** Writes the first bytes of the segment; makes no slice of it. */
    public void writeFirst(MemorySegment from, long lengthBytes) throws IOException {
        Objects.checkFromIndexSize(0, lengthBytes, from.byteSize());
        synchronized (sending) {
            int number = descriptor.acquire();
            try {
                sendFrom(number, from, 0, lengthBytes);
            } finally {
                descriptor.release();
            }
        }
    }

    /**
     * Writes all of the segment; the descriptors ride on its first byte. They stay the caller's.
     *
     * @param descriptors open ones, at most {@link ReceivedDescriptors#MAX}
     */
    public void write(MemorySegment from, int... descriptors) throws IOException {
        synchronized (sending) {
            int number = descriptor.acquire();
            try {
                if (descriptors.length == 0) {
                    sendFrom(number, from, 0, from.byteSize());
                    return;
                }
                MemorySegment header = sending.toSend(from, descriptors);
                long sent = Libc.sendmsg(number, header, Libc.MSG_NOSIGNAL, from);
                while (sent < 0) {
                    throwUnlessInterrupted("write to a UNIX socket", writeTimeoutMillis);
                    sent = Libc.sendmsg(number, header, Libc.MSG_NOSIGNAL, from);
                }
                sendFrom(number, from, sent, from.byteSize());
            } finally {
                descriptor.release();
            }
        }
    }

    /** Writes the buffer's remaining bytes. */
    public void write(ByteBuffer from) throws IOException {
        if (from.isDirect()) {
            write(MemorySegment.ofBuffer(from));
            from.position(from.limit());
            return;
        }
        synchronized (sending) {
            MemorySegment bounce = sending.bounce();
            while (from.hasRemaining()) {
                int length = Math.min(from.remaining(), BOUNCE_BYTES);
                bounce.asByteBuffer().put(from.slice(from.position(), length));
                from.position(from.position() + length);
                write(bounce.asSlice(0, length));
            }
        }
    }

    private void sendFrom(int number, MemorySegment from, long begin, long end) throws IOException {
        long sent = begin;
        while (sent < end) {
            MemorySegment rest = sent == 0 ? from : from.asSlice(sent);
            long count = Libc.send(number, rest, end - sent, Libc.MSG_NOSIGNAL);
            if (count >= 0) {
                sent += count;
            } else {
                throwUnlessInterrupted("write to a UNIX socket", writeTimeoutMillis);
            }
        }
    }

    private void throwUnlessInterrupted(String what, int timeoutMillis) throws IOException {
        int errno = Libc.errno();
        if (errno == Errno.EINTR) {
            return;
        }
        if (errno == Errno.EAGAIN) {
            throw new SocketTimeoutException(
                    "Cannot " + what + " within " + timeoutMillis + " ms.");
        }
        throw new PosixException("Cannot " + what, errno);
    }

    /** Whether the peer has closed its end; what it had sent before may still wait to be read. */
    public boolean isPeerGone() throws IOException {
        int number = descriptor.acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entry = arena.allocate(Polling.ENTRY_BYTES, 4);
            Polling.entry(entry, 0, number, Libc.POLLRDHUP);
            return Polling.await(entry, 1, 0) > 0;
        } finally {
            descriptor.release();
        }
    }

    /** Ends both directions, which wakes blocked readers and writers; the peer sees the end. */
    public void shutdown() {
        try {
            int number = descriptor.acquire();
            Libc.shutdown(number, Libc.SHUT_RDWR);
            descriptor.release();
        } catch (IOException closed) {
            // It is more than shut down.
        }
    }

    public boolean isOpen() {
        return descriptor.isOpen();
    }

    /**
     * {@link #shutdown}, and gives the descriptor back. More than once does nothing.
     *
     * <p>The peer reads the end of the stream though it may have sent what nobody has read. Left to
     * the kernel, unread data makes the end an error, ECONNRESET, and QEMU 10.2 and newer abort at
     * that.
     */
    @Override
    public void close() {
        try {
            shutdown();
            discardUnread();
        } finally {
            descriptor.close();
        }
    }

    /** After {@link #shutdown} nothing comes any more. */
    private void discardUnread() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unread = arena.allocate(DISCARDED_BYTES);
            int number = descriptor.acquire();
            try {
                while (Libc.recv(number, unread, DISCARDED_BYTES, Libc.MSG_DONTWAIT) > 0) {
                    // Descriptors that came with it are closed by the kernel.
                }
            } finally {
                descriptor.release();
            }
        } catch (IOException closed) {
            // Nothing is left to be read.
        }
    }

    /**
     * struct msghdr with one struct iovec and room for one struct cmsghdr (recvmsg(2), cmsg(3)), on
     * 64-bit Linux.
     */
    private static final class MessageHeader {
        private static final long HEADER = 0;
        private static final long HEADER_NAME_BYTES = 8;
        private static final long HEADER_VECTOR = 16;
        private static final long HEADER_VECTOR_COUNT = 24;
        private static final long HEADER_CONTROL = 32;
        private static final long HEADER_CONTROL_BYTES = 40;
        private static final long HEADER_FLAGS = 48;
        private static final long HEADER_BYTES = 56;
        private static final long VECTOR = HEADER_BYTES;
        private static final long VECTOR_BYTES = 16;
        private static final long CONTROL = VECTOR + VECTOR_BYTES;
        private static final long CONTROL_LENGTH = CONTROL;
        private static final long CONTROL_LEVEL = CONTROL + 8;
        private static final long CONTROL_TYPE = CONTROL + 12;
        private static final long CONTROL_DATA = CONTROL + 16;
        private static final long CONTROL_HEADER_BYTES = 16;
        private static final long CONTROL_ROOM =
                CONTROL_HEADER_BYTES + (ReceivedDescriptors.MAX * 4L + 7) / 8 * 8;

        private final MemorySegment memory = Arena.ofAuto().allocate(CONTROL + CONTROL_ROOM, 8);
        private MemorySegment bounce;

        MessageHeader() {
            memory.set(JAVA_LONG, HEADER, 0);
            memory.set(JAVA_INT, HEADER_NAME_BYTES, 0);
            memory.set(JAVA_LONG, HEADER_VECTOR, memory.address() + VECTOR);
            memory.set(JAVA_LONG, HEADER_VECTOR_COUNT, 1);
            memory.set(JAVA_LONG, HEADER_CONTROL, memory.address() + CONTROL);
        }

        MemorySegment toReceive(long address, long lengthBytes) {
            memory.set(JAVA_LONG, VECTOR, address);
            memory.set(JAVA_LONG, VECTOR + 8, lengthBytes);
            memory.set(JAVA_LONG, HEADER_CONTROL_BYTES, CONTROL_ROOM);
            memory.set(JAVA_INT, HEADER_FLAGS, 0);
            return memory;
        }

        /** Owns every descriptor that the kernel has put into the control data. */
        void collect(ReceivedDescriptors descriptors) throws IOException {
            long used = memory.get(JAVA_LONG, HEADER_CONTROL_BYTES);
            if (used >= CONTROL_HEADER_BYTES
                    && memory.get(JAVA_INT, CONTROL_LEVEL) == Libc.SOL_SOCKET
                    && memory.get(JAVA_INT, CONTROL_TYPE) == Libc.SCM_RIGHTS) {
                long end = CONTROL + memory.get(JAVA_LONG, CONTROL_LENGTH);
                for (long at = CONTROL_DATA; at + 4 <= end; at += 4) {
                    descriptors.add(Descriptor.own(memory.get(JAVA_INT, at)));
                }
            }
            // The kernel echoes MSG_CMSG_CLOEXEC here; only this bit says that some were lost.
            if ((memory.get(JAVA_INT, HEADER_FLAGS) & Libc.MSG_CTRUNC) != 0) {
                descriptors.close();
                throw new IOException(
                        "Descriptors that came by a UNIX socket were lost: this process may have"
                                + " no more open (see ulimit -n).");
            }
        }

        MemorySegment toSend(MemorySegment from, int[] descriptors) {
            if (descriptors.length > ReceivedDescriptors.MAX) {
                throw new IllegalArgumentException(
                        descriptors.length
                                + " descriptors in one message; at most "
                                + ReceivedDescriptors.MAX
                                + " are possible.");
            }
            if (from.byteSize() == 0) {
                throw new IllegalArgumentException("Descriptors need a byte to ride on.");
            }
            long length = CONTROL_HEADER_BYTES + descriptors.length * 4L;
            memory.set(JAVA_LONG, VECTOR, from.address());
            memory.set(JAVA_LONG, VECTOR + 8, from.byteSize());
            memory.set(JAVA_LONG, HEADER_CONTROL_BYTES, (length + 7) / 8 * 8);
            memory.set(JAVA_INT, HEADER_FLAGS, 0);
            memory.set(JAVA_LONG, CONTROL_LENGTH, length);
            memory.set(JAVA_INT, CONTROL_LEVEL, Libc.SOL_SOCKET);
            memory.set(JAVA_INT, CONTROL_TYPE, Libc.SCM_RIGHTS);
            for (int index = 0; index < descriptors.length; index++) {
                memory.set(JAVA_INT, CONTROL_DATA + index * 4L, descriptors[index]);
            }
            return memory;
        }

        MemorySegment bounce() {
            if (bounce == null) {
                bounce = Arena.ofAuto().allocate(BOUNCE_BYTES);
            }
            return bounce;
        }
    }
}
