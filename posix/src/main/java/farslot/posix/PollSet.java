package farslot.posix;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Waits until one of several descriptors has something to read: poll(2), with an event descriptor
 * of its own so that any thread can {@link #wake} the one that waits.
 *
 * <p>{@code wake} may be called by any thread; everything else by one thread at a time. The
 * descriptors stay their owners'; {@link #remove} one before it is closed.
 */
public final class PollSet implements AutoCloseable {
    private final EventFd wake;
    private final List<Descriptor> members = new ArrayList<>();

    /** Entry 0 is {@link #wake}, entry n + 1 member n. */
    private MemorySegment entries = Arena.ofAuto().allocate(8 * Polling.ENTRY_BYTES, 4);

    public PollSet() throws IOException {
        wake = EventFd.create();
    }

    public void add(Descriptor descriptor) {
        members.add(descriptor);
        long needed = (members.size() + 1) * Polling.ENTRY_BYTES;
        if (entries.byteSize() < needed) {
            entries = Arena.ofAuto().allocate(2 * needed, 4);
        }
    }

    public void remove(Descriptor descriptor) {
        members.remove(descriptor);
    }

    /**
     * Waits until a member is readable (its end or an error counts), {@link #wake} was called, or
     * the time is over. A wake that came before is not lost.
     *
     * @param timeoutMillis -1 waits for ever, 0 only looks
     * @return whether a member is readable
     */
    public boolean await(int timeoutMillis) throws IOException {
        int acquired = 0;
        int waker = wake.descriptor().acquire();
        try {
            Polling.entry(entries, 0, waker, Libc.POLLIN);
            for (Descriptor member : members) {
                Polling.entry(entries, acquired + 1, member.acquire(), Libc.POLLIN);
                acquired++;
            }
            int ready = Polling.await(entries, acquired + 1, timeoutMillis);
            if (Polling.happened(entries, 0) != 0) {
                wake.drain();
                ready--;
            }
            return ready > 0;
        } finally {
            for (int index = 0; index < acquired; index++) {
                members.get(index).release();
            }
            wake.descriptor().release();
        }
    }

    /** Whether this member was readable when {@link #await} returned. */
    public boolean isReady(Descriptor member) {
        int index = members.indexOf(member);
        return index >= 0 && Polling.happened(entries, index + 1) != 0;
    }

    /** Ends the wait that is under way, or else the next. */
    public void wake() throws IOException {
        wake.signal();
    }

    @Override
    public void close() {
        wake.close();
    }
}
