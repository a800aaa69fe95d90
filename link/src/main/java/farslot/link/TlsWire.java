package farslot.link;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * TLS 1.3 over TCP (RFC 8446), once {@link TlsHandshake} is done. A small write is one record and
 * one system call; a long one puts several records into one.
 *
 * <p>Who reads never writes: the answer to a key update goes out in front of the next record that
 * this side writes, which is all that RFC 8446, 4.6.3, asks for. So neither side's reading waits
 * for the other's.
 *
 * <p>The buffers are on the heap, where the JDK's ciphers are fast, and grow only where much comes
 * or goes at once.
 */
final class TlsWire implements Wire {
    /** What is read or written in one call at most, in longest records. */
    private static final int MOST_RECORDS = 8;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SocketChannel channel;
    private final SSLEngine engine;
    private final Trust trust;
    private final int recordBytes;

    /** Came and is not decrypted: from its position to its limit. The reader's. */
    private ByteBuffer arrived;

    /** Decrypted, for the next to read: what was longer than the last one's room. */
    private final ByteBuffer[] taking = new ByteBuffer[2];

    private boolean arrivedInFull;

    private final ReentrantLock writing = new ReentrantLock();
    private ByteBuffer departing;

    /**
     * @param engine whose handshake is done
     * @param arrived what came behind it: on the heap, with room for a record, ready to be read
     */
    TlsWire(SocketChannel channel, SSLEngine engine, Trust trust, ByteBuffer arrived)
            throws IOException {
        this.channel = channel;
        this.engine = engine;
        this.trust = trust;
        this.arrived = arrived;
        recordBytes = engine.getSession().getPacketBufferSize();
        taking[1] = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).flip();
        departing = ByteBuffer.allocate(recordBytes);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    @Override
    public int read(MemorySegment into) throws IOException {
        ByteBuffer wanted = into.asByteBuffer();
        ByteBuffer left = taking[1];
        if (left.hasRemaining()) {
            int count = Math.min(left.remaining(), wanted.remaining());
            wanted.put(left.slice(left.position(), count));
            left.position(left.position() + count);
            return count;
        }
        while (true) {
            boolean ended = decrypt(wanted);
            if (wanted.position() > 0) {
                return wanted.position();
            }
            if (ended || !receive()) {
                return -1;
            }
        }
    }

    /** Decrypts what has come as far as there is room; true where the peer closed TLS. */
    private boolean decrypt(ByteBuffer wanted) throws IOException {
        ByteBuffer left = taking[1];
        taking[0] = wanted;
        while (arrived.hasRemaining() && wanted.hasRemaining() && !left.hasRemaining()) {
            left.clear();
            SSLEngineResult result;
            try {
                result = engine.unwrap(arrived, taking);
            } catch (SSLException broken) {
                throw TlsHandshake.broken(broken);
            } finally {
                left.flip();
            }
            if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                TlsHandshake.doTasks(engine);
            }
            switch (result.getStatus()) {
                case OK -> {
                    // Nothing comes of a ticket or a key update.
                }
                case BUFFER_UNDERFLOW -> {
                    return false;
                }
                case CLOSED -> {
                    return true;
                }
                case BUFFER_OVERFLOW ->
                        throw new IOException("a TLS record came that is longer than records are");
            }
        }
        return false;
    }

    /** Waits for more; false at the end of the stream. */
    private boolean receive() throws IOException {
        if (arrivedInFull && arrived.capacity() < MOST_RECORDS * recordBytes) {
            arrived = ByteBuffer.allocate(MOST_RECORDS * recordBytes).put(arrived);
        } else {
            arrived.compact();
        }
        int count = channel.read(arrived);
        arrivedInFull = !arrived.hasRemaining();
        arrived.flip();
        return count > 0;
    }

    @Override
    public void write(MemorySegment from) throws IOException {
        ByteBuffer all = from.asByteBuffer();
        writing.lock();
        try {
            if (all.remaining() > recordBytes && departing.capacity() == recordBytes) {
                departing = ByteBuffer.allocate(MOST_RECORDS * recordBytes);
            }
            while (all.hasRemaining()) {
                departing.clear();
                while (all.hasRemaining() && departing.remaining() >= recordBytes) {
                    encrypt(all);
                }
                send();
            }
        } finally {
            writing.unlock();
        }
    }

    /** The next record; it may be one of TLS's own, which goes before what is given. */
    private void encrypt(ByteBuffer all) throws IOException {
        SSLEngineResult result = engine.wrap(all, departing);
        if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
            TlsHandshake.doTasks(engine);
        }
        if (result.getStatus() != SSLEngineResult.Status.OK) {
            throw new IOException("TLS is closed for writing");
        }
    }

    private void send() throws IOException {
        departing.flip();
        while (departing.hasRemaining()) {
            channel.write(departing);
        }
    }

    @Override
    public String objection() {
        return trust.objection(engine.getSession());
    }

    /** {@inheritDoc} Who still writes is not waited for: then TLS itself is not closed. */
    @Override
    public void finishWriting() {
        try {
            if (writing.tryLock()) {
                try {
                    engine.closeOutbound();
                    while (!engine.isOutboundDone()) {
                        departing.clear();
                        engine.wrap(NOTHING, departing);
                        send();
                    }
                } finally {
                    writing.unlock();
                }
            }
            channel.shutdownOutput();
        } catch (IOException gone) {
            // The peer was first.
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException gone) {
            // It is closed all the same.
        }
    }
}
