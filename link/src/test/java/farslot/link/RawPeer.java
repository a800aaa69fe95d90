package farslot.link;

import farslot.link.Messages.ErrorMessage;
import farslot.link.Messages.Header;
import farslot.posix.UnixStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.function.Consumer;

/** A peer that speaks the protocol by hand, right or wrong, on either side of a link. */
final class RawPeer implements AutoCloseable {
    /** What one frame of it says, from the payload on. */
    record Frame(
            int type, int flags, int generation, int tag, long acknowledged, ByteBuffer payload) {
        Frame {
            payload = payload.order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** What it gives of each kind at the start: as frames; the bytes do not matter. */
    static final int CREDIT_FRAMES = 100_000;

    private final Wire wire;
    private static final int LONGEST = 0x200000;

    /** Small until a frame needs more: some tests have a thousand of these. */
    private MemorySegment buffer = Arena.ofAuto().allocate(0x1000, 8);

    private long filled;
    long sequence = 1;
    long received;

    /** What its HELLO says. */
    long abilities = Messages.Hello.DESCRIPTORS;

    /** Whether it says which frames have come. */
    boolean acknowledges = true;

    /** Of what it borrowed. */
    byte[] session = {};

    /** How many bytes it takes from its socket at once. */
    int readsAtMost = LONGEST;

    private long grantedAt;

    RawPeer(Wire wire) {
        this.wire = wire;
    }

    static RawPeer connect(Address address) throws IOException {
        return new RawPeer(
                switch (address) {
                    case Address.Unix unix -> new UnixWire(UnixStream.connect(unix.path()));
                    case Address.Tcp tcp ->
                            new TcpWire(
                                    SocketChannel.open(
                                            new InetSocketAddress(tcp.host(), tcp.port())));
                });
    }

    /** A server's side of the handshake, on a socket that accepts one connection. */
    static Thread serveOne(ServerSocket listening, Consumer<RawPeer> then) {
        return Thread.ofPlatform()
                .daemon(true)
                .start(() -> {
                    try (SocketChannel accepted = listening.getChannel().accept();
                            RawPeer peer = new RawPeer(new TcpWire(accepted))) {
                        then.accept(peer);
                    } catch (IOException e) {
                        // The test has gone.
                    }
                });
    }

    void bytes(byte[] bytes) {
        // Given back at once: what a flood leaves to be collected would be taken for the victim's.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
            wire.write(segment.asSlice(0, bytes.length));
        } catch (IOException e) {
            throw new IllegalStateException("the other side has gone", e);
        }
    }

    /** The bytes of a frame with the next sequence number. */
    byte[] frame(int type, int flags, int generation, int tag, byte[] payload) {
        ByteBuffer frame =
                ByteBuffer.allocate(Header.BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(frame.capacity()).putShort((short) type).put((byte) flags).put((byte) 0);
        frame.putInt(generation).putInt(tag).putLong(sequence++);
        frame.putLong(acknowledges ? received : 0);
        return frame.put(payload).array();
    }

    void send(int type, int flags, int generation, int tag, byte[] payload) {
        bytes(frame(type, flags, generation, tag, payload));
    }

    void sendWith(int descriptor, int type, int generation, byte[] payload) throws IOException {
        byte[] bytes = frame(type, Messages.POSTED, generation, 0, payload);
        bytes[7] = 1;
        MemorySegment segment = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        wire.writeWith(segment, descriptor);
    }

    static byte[] preamble(int version) {
        ByteBuffer preamble = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        return preamble.put(Messages.Preamble.MAGIC).putShort((short) version).array();
    }

    void start(int role) {
        bytes(preamble(1));
        hello(role);
    }

    void hello(int role) {
        ByteBuffer hello = ByteBuffer.allocate(76).order(ByteOrder.LITTLE_ENDIAN);
        hello.putLong(abilities).putInt(0x101000).putInt(100).putInt(60_000);
        hello.put((byte) role).put(new byte[3]);
        for (int account = 0; account < 3; account++) {
            hello.putLong(CREDIT_FRAMES).putLong(1L << 40);
        }
        hello.putShort((short) 0).putShort((short) 0);
        send(Messages.Hello.TYPE, 0, 0, 0, hello.array());
    }

    /** The other side's preamble; then its HELLO is the first frame. */
    byte[] readPreamble() throws IOException {
        fill(16);
        byte[] preamble = buffer.asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE);
        take(16);
        return preamble;
    }

    private void fill(long need) throws IOException {
        if (need > buffer.byteSize()) {
            MemorySegment roomier = Arena.ofAuto().allocate(LONGEST, 8);
            MemorySegment.copy(buffer, 0, roomier, 0, filled);
            buffer = roomier;
        }
        while (filled < need) {
            long most = Math.min(readsAtMost, buffer.byteSize() - filled);
            int count = wire.read(buffer.asSlice(filled, most));
            if (count < 0) {
                throw new EOFException("after " + filled + " bytes");
            }
            filled += count;
        }
    }

    private void take(long count) {
        MemorySegment.copy(buffer, count, buffer, 0, filled - count);
        filled -= count;
    }

    /** The next frame of any type. */
    Frame next() {
        try {
            fill(Header.BYTES);
            int length = Header.LENGTH.getInt(buffer, 0);
            fill(length);
            received = Header.SEQUENCE.get(buffer, 0);
            byte[] payload =
                    buffer.asSlice(Header.BYTES, length - Header.BYTES)
                            .toArray(ValueLayout.JAVA_BYTE);
            Frame frame =
                    new Frame(
                            Header.TYPE.getInt(buffer, 0),
                            Header.FLAGS.getInt(buffer, 0),
                            Header.GENERATION.getInt(buffer, 0),
                            Header.TAG.getInt(buffer, 0),
                            Header.ACKNOWLEDGED.get(buffer, 0),
                            ByteBuffer.wrap(payload));
            take(length);
            return frame;
        } catch (SocketTimeoutException e) {
            throw new AssertionError(e);
        } catch (IOException e) {
            throw new IllegalStateException("the other side has gone: " + e.getMessage(), e);
        }
    }

    /** The next frame of this type; what comes before it is passed over. */
    Frame next(int type) {
        Frame frame = next();
        while (frame.type() != type) {
            if (frame.type() == ErrorMessage.TYPE) {
                throw new IllegalStateException("ERROR " + sentence(frame));
            }
            frame = next();
        }
        return frame;
    }

    /** The name of the error that ends the link. */
    String error() {
        Frame frame = next();
        while (frame.type() != ErrorMessage.TYPE) {
            frame = next();
        }
        return BrokenFrameException.Code.name(frame.payload().getShort(0));
    }

    private static String sentence(Frame frame) {
        byte[] bytes = frame.payload().array();
        return new String(bytes, 18, bytes.length - 18, java.nio.charset.StandardCharsets.UTF_8);
    }

    /** The handshake, in this role, and no more. */
    void open(int role) {
        try {
            start(role);
            readPreamble();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As a client: handshake, and borrows. */
    RawPeer borrow(String name) throws IOException {
        start(Messages.Hello.CLIENT);
        readPreamble();
        send(
                Messages.Borrow.TYPE,
                Messages.NON_POSTED,
                0,
                1,
                new Composer().u64(0).text(name, 255).toBytes());
        Frame borrowed = next(Messages.Borrowed.TYPE);
        session = Arrays.copyOfRange(borrowed.payload().array(), 8, 24);
        return this;
    }

    /** As a client: asks to go on with a session; the answer is the next frame. */
    RawPeer resume(byte[] secret, long last, long attempt) throws IOException {
        start(Messages.Hello.CLIENT);
        readPreamble();
        next(Messages.Hello.TYPE);
        send(
                Messages.Resume.TYPE,
                Messages.NON_POSTED,
                0,
                1,
                new Composer().bytes(secret).u64(last).u64(attempt).toBytes());
        return this;
    }

    /** As a server: handshake, and lends the fake function to the first who asks. */
    RawPeer lend() {
        try {
            start(Messages.Hello.SERVER);
            readPreamble();
            Frame borrow = next(Messages.Borrow.TYPE);
            Composer payload = new Composer().u64(1).u64(0).u64(0).u64(0);
            Messages.compose(FakeFunction.description(), payload);
            send(Messages.Borrowed.TYPE, Messages.COMPLETION, 1, borrow.tag(), payload.toBytes());
            return this;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Gives credit for whatever came, now and then. */
    void grantAll() {
        if (received - grantedAt > CREDIT_FRAMES / 4) {
            grantedAt = received;
            Composer totals = new Composer();
            for (int account = 0; account < 3; account++) {
                totals.u64(received + CREDIT_FRAMES).u64(1L << 40);
            }
            send(Messages.Credit.TYPE, 0, 0, 0, totals.toBytes());
        }
    }

    /** Says that it lives, at once and then each 100 ms, until the wire ends. */
    void stayAlive() {
        Thread.ofPlatform()
                .daemon(true)
                .start(() -> {
                    try {
                        while (true) {
                            synchronized (this) {
                                send(Messages.KeepAlive.TYPE, 0, 0, 0, new byte[0]);
                                wait(100);
                            }
                        }
                    } catch (InterruptedException | IllegalStateException ended) {
                        // That was its time.
                    }
                });
    }

    /** Goes away without a word, as {@link #close} does. */
    void vanish() {
        wire.close();
    }

    @Override
    public void close() {
        wire.close();
    }
}
