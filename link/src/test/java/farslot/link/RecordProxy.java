package farslot.link;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/** Forwards TLS records one by one, and meddles with one of those that the client sends. */
final class RecordProxy implements AutoCloseable {
    /** What is done to a record. */
    enum Meddling {
        NOT_AT_ALL,
        /** A bit of its last byte changes. */
        CHANGE,
        REPEAT,
        /** It comes behind the next one. */
        EXCHANGE,
        DROP,
        /** Its last byte is missing, and the next record follows. */
        SHORTEN,
        /** It comes in part, and nothing after it. */
        CUT
    }

    // RFC 8446, 5.1 and 5.2.
    private static final int HEADER_BYTES = 5;
    private static final int CHANGE_CIPHER_SPEC = 20;
    private static final int APPLICATION_DATA = 23;

    /** A KeyUpdate: 4 bytes and one of content, its type, the JDK's padding, the cipher's tag. */
    private static final int KEY_UPDATE_BYTES = 4 + 1 + 1 + 16 + 16;

    /** So much data make a record that looks like one from outside. */
    static final int LIKE_A_KEY_UPDATE = KEY_UPDATE_BYTES - 1 - 16;

    private final ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final Address.Tcp to;
    private final Meddling how;
    private final int which;
    private final AtomicInteger keyUpdates = new AtomicInteger();
    private final AtomicInteger records = new AtomicInteger();

    /**
     * @param which of the client's records, from 0: the first begin the handshake
     */
    RecordProxy(Address.Tcp to, Meddling how, int which) throws IOException {
        this.to = to;
        this.how = how;
        this.which = which;
        Thread.ofPlatform().daemon(true).start(this::accept);
    }

    Address address() {
        return new Address.Tcp("127.0.0.1", listening.getLocalPort());
    }

    int keyUpdates() {
        return keyUpdates.get();
    }

    void awaitRecords(int count) {
        while (records.get() < count) {
            Thread.onSpinWait();
        }
    }

    private void accept() {
        try {
            Socket client = listening.accept();
            Socket server = new Socket(to.host(), to.port());
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            Thread.ofPlatform().daemon(true).start(() -> forward(server, client, false));
            forward(client, server, true);
        } catch (IOException closed) {
            // The test has gone.
        }
    }

    private void forward(Socket from, Socket into, boolean fromClient) {
        try (from;
                into) {
            DataInputStream in = new DataInputStream(from.getInputStream());
            OutputStream out = into.getOutputStream();
            byte[] kept = null;
            for (int number = 0; ; number++) {
                byte[] record = next(in);
                if (record != null && record[0] == CHANGE_CIPHER_SPEC) {
                    // It says nothing in TLS 1.3, and protects nothing (RFC 8446, appendix D.4).
                    out.write(record);
                    record = next(in);
                }
                if (record == null) {
                    into.shutdownOutput();
                    // The other direction may go on.
                    from.getInputStream().readAllBytes();
                    Thread.currentThread().join();
                }
                records.incrementAndGet();
                if (!fromClient || number != which) {
                    out.write(record);
                } else {
                    switch (how) {
                        case NOT_AT_ALL -> out.write(record);
                        case CHANGE -> {
                            record[record.length - 1] ^= 1;
                            out.write(record);
                        }
                        case REPEAT -> {
                            out.write(record);
                            out.write(record);
                        }
                        case EXCHANGE -> kept = record;
                        case DROP -> {}
                        case SHORTEN -> out.write(record, 0, record.length - 1);
                        case CUT -> {
                            out.write(record, 0, record.length / 2);
                            return;
                        }
                    }
                }
                if (fromClient && kept != null && number == which + 1) {
                    out.write(kept);
                }
            }
        } catch (IOException | InterruptedException gone) {
            // One end has gone; so does the other.
        }
    }

    private byte[] next(DataInputStream in) throws IOException {
        byte[] header = in.readNBytes(HEADER_BYTES);
        if (header.length < HEADER_BYTES) {
            return null;
        }
        int length = ((header[3] & 0xff) << 8) | (header[4] & 0xff);
        byte[] record = Arrays.copyOf(header, HEADER_BYTES + length);
        in.readFully(record, HEADER_BYTES, length);
        if (header[0] == APPLICATION_DATA && length == KEY_UPDATE_BYTES) {
            keyUpdates.incrementAndGet();
        }
        return record;
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
