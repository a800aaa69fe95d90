package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** poll(2): the layout of its entries, and waiting that goes on after a signal. */
final class Polling {
    static final long ENTRY_BYTES = 8;
    static final long ENTRY_DESCRIPTOR = 0;
    static final long ENTRY_EVENTS = 4;
    static final long ENTRY_HAPPENED = 6;

    private Polling() {}

    static void entry(MemorySegment entries, int index, int descriptor, short events) {
        long at = index * ENTRY_BYTES;
        entries.set(JAVA_INT, at + ENTRY_DESCRIPTOR, descriptor);
        entries.set(JAVA_SHORT, at + ENTRY_EVENTS, events);
        entries.set(JAVA_SHORT, at + ENTRY_HAPPENED, (short) 0);
    }

    static short happened(MemorySegment entries, int index) {
        return entries.get(JAVA_SHORT, index * ENTRY_BYTES + ENTRY_HAPPENED);
    }

    /** Waits; the number of entries to which something happened, 0 after the time-out. */
    static int await(MemorySegment entries, int count, int timeoutMillis) throws IOException {
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
        int remaining = timeoutMillis;
        while (true) {
            int ready = Libc.poll(entries, count, remaining);
            if (ready >= 0) {
                return ready;
            }
            if (Libc.errno() != Errno.EINTR) {
                throw new PosixException("Cannot wait for descriptors", Libc.errno());
            }
            if (timeoutMillis > 0) {
                remaining = (int) Math.max(0, (deadline - System.nanoTime()) / 1_000_000);
            }
        }
    }

    /** Whether there is something to read, end of stream and errors included. */
    static boolean isReadable(Descriptor descriptor, int timeoutMillis) throws IOException {
        int number = descriptor.acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entry = arena.allocate(ENTRY_BYTES, 4);
            entry(entry, 0, number, Libc.POLLIN);
            return await(entry, 1, timeoutMillis) > 0;
        } finally {
            descriptor.release();
        }
    }
}
