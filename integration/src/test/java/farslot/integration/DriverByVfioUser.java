package farslot.integration;

import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import farslot.posix.EventFd;
import farslot.posix.MappedMemory;
import farslot.posix.PollSet;
import farslot.vfiouser.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * A driver behind a vfio-user client that does as QEMU: memory BARs are written without waiting, no
 * DMA is served while an answer is waited for, the MSI-X table is its own and never seen by the
 * function.
 */
final class DriverByVfioUser extends DriverPlace {
    private static final int COMMAND = 0;
    private static final int DMA_READ = 11;
    private static final int DMA_WRITE = 12;
    private static final int PATIENCE_MILLIS = 60_000;

    private final FunctionDescription description;
    private final RawClient client;
    private final MappedMemory ram;
    private final List<EventFd> events = new ArrayList<>();
    private final PollSet anything = new PollSet();
    private final ArrayDeque<RawClient.Received> waiting = new ArrayDeque<>();
    private long changes;

    /**
     * @param shared whether the memory's descriptor is passed, or all DMA goes by messages
     */
    DriverByVfioUser(
            Path socket, FunctionDescription description, int ramBytes, int vectors, boolean shared)
            throws IOException {
        super(vectors);
        this.description = description;
        client = RawClient.start(socket);
        ram = MappedMemory.create("farslot-test", ramBytes);
        anything.add(client.descriptor());
        if (shared) {
            done(client.map(RAM_ADDRESS, ramBytes, 3, 0, ram.descriptor()));
        } else {
            done(client.map(RAM_ADDRESS, ramBytes, 3, 0));
        }
        for (int vector = 0; vector < vectors; vector++) {
            EventFd event = EventFd.create();
            events.add(event);
            anything.add(event.descriptor());
            done(client.events(InterruptKind.MSIX.code(), vector, 1, event));
        }
        makeReady(description);
    }

    private static void done(RawClient.Received reply) {
        if (reply.errno() != 0) {
            throw new AssertionError("Command " + reply.command() + " failed: " + reply.errno());
        }
    }

    @Override
    long read(int region, long offset, int bytes) {
        ByteBuffer fields = RawClient.fields(16).putLong(offset).putInt(region).putInt(bytes);
        long value = answer(9, fields).value();
        changes(); // Between accesses DMA is served.
        return value;
    }

    @Override
    void write(int region, long offset, int bytes, long value) {
        try {
            if (region == 0) {
                client.post(region, offset, bytes, value);
                return;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ByteBuffer fields =
                RawClient.fields(16 + bytes).putLong(offset).putInt(region).putInt(bytes);
        for (int at = 0; at < bytes; at++) {
            fields.put((byte) (value >>> (8 * at)));
        }
        answer(10, fields);
    }

    @Override
    void reset() {
        answer(13, RawClient.fields(0));
        makeReady(description);
    }

    /** What else comes meanwhile waits, as in QEMU. */
    private RawClient.Received answer(int command, ByteBuffer fields) {
        try {
            int id = client.sendCommand(command, 0, fields);
            while (true) {
                RawClient.Received message = client.receive();
                if (message == null) {
                    throw new AssertionError("The server has closed the connection.");
                }
                if ((message.flags() & 0xf) == COMMAND) {
                    waiting.add(message);
                    continue;
                }
                if (message.id() != id || message.command() != command) {
                    throw new AssertionError("Not the answer to " + command + ": " + message);
                }
                done(message);
                return message;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public MemorySegment ram() {
        return ram.segment();
    }

    @Override
    public long changes() {
        try {
            serve(0);
            return changes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void awaitChange(long seen) {
        try {
            while (changes == seen) {
                serve(PATIENCE_MILLIS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Serves what is there, DMA before interrupts; waits for something first. */
    private void serve(int millis) throws IOException {
        if (waiting.isEmpty() && !anything.await(millis) && millis > 0) {
            throw new AssertionError("Nothing comes.");
        }
        while (!waiting.isEmpty() || client.hasMessage()) {
            dma(waiting.isEmpty() ? client.receive() : waiting.remove());
            changes++;
        }
        for (int vector = 0; vector < events.size(); vector++) {
            for (long times = events.get(vector).drain(); times > 0; times--) {
                count(InterruptKind.MSIX, vector);
                changes++;
            }
        }
    }

    private void dma(RawClient.Received message) throws IOException {
        if (message == null) {
            throw new AssertionError("The server has closed the connection.");
        }
        long at = message.fields().getLong(0) - RAM_ADDRESS;
        long length = message.fields().getLong(8);
        MemorySegment piece = ram.segment().asSlice(at, length);
        switch (message.command()) {
            case DMA_READ -> client.answerDma(message, piece.toArray(ValueLayout.JAVA_BYTE));
            case DMA_WRITE -> {
                MemorySegment.copy(
                        message.payload(), 16, piece, ValueLayout.JAVA_BYTE, 0, (int) length);
                client.answerDma(message, new byte[0]);
            }
            default -> throw new AssertionError("The server sends " + message);
        }
    }

    @Override
    public void close() {
        client.close();
        events.forEach(EventFd::close);
        anything.close();
        ram.close();
    }
}
