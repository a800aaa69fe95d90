package farslot.link;

import farslot.posix.Descriptor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A connected byte stream, with or without descriptors: without, unless it says otherwise. One
 * thread reads and one writes at a time; any thread may close, which wakes both.
 */
interface Wire extends AutoCloseable {
    /**
     * Reads what there is, at least one byte.
     *
     * @param into native memory
     * @return how many bytes, or -1 at the end
     */
    int read(MemorySegment into) throws IOException;

    /** Writes all of it: native memory. */
    void write(MemorySegment from) throws IOException;

    /** Whether {@link #writeWith} and {@link #takeDescriptor} work. */
    default boolean passesDescriptors() {
        return false;
    }

    /** Writes all of it; the descriptor rides on the first byte, and stays the caller's. */
    default void writeWith(MemorySegment from, int descriptor) throws IOException {
        throw new IllegalStateException("This wire passes no descriptors.");
    }

    /** The first descriptor that came and was not taken, now the caller's; null for none. */
    default Descriptor takeDescriptor() {
        return null;
    }

    /** How many descriptors came and were not taken. */
    default int waitingDescriptors() {
        return 0;
    }

    /** Why the peer may not go on though it was let in: a sentence, or null while it may. */
    default String objection() {
        return null;
    }

    /** Says to the peer that nothing more will come. */
    void finishWriting();

    /** Closes descriptors that came and were not taken too. */
    @Override
    void close();
}
