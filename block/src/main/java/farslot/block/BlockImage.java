package farslot.block;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A disk's content: {@link #sizeBytes} bytes that can be read and written at any offset.
 *
 * <p><b>Threads.</b> Any thread may call, several at once; two calls on the same bytes at the same
 * time happen in any order. Calls block. A thread that calls must not be interrupted: an interrupt
 * may close the image.
 *
 * <p><b>Durability.</b> What was written, zeroed or discarded survives a power failure after the
 * next {@link #flush} has returned; before, it may or may not.
 *
 * <p><b>Errors.</b> {@link ImageException}, whose message is a sentence for the user; {@link
 * ImageFullException} where the room behind the image is used up. A range outside of the image is a
 * programming error: {@link IndexOutOfBoundsException}. After an exception the bytes within the
 * range of a write are undefined, all others are as they were.
 */
public interface BlockImage extends Closeable {
    /** What people call it: a path, an address. Stands in messages. */
    String name();

    /** In bytes; the same as long as the image is open. */
    long sizeBytes();

    /** Reads {@code into.byteSize()} bytes. */
    void read(long offset, MemorySegment into) throws IOException;

    /** Writes {@code from.byteSize()} bytes. */
    void write(long offset, MemorySegment from) throws IOException;

    /** Returns when all writes that have returned before it would survive a power failure. */
    void flush() throws IOException;

    /**
     * Makes the range read as zeros.
     *
     * @param mayDiscard whether the room behind it may be given up, so that a later write there may
     *     meet a full disk
     */
    void writeZeroes(long offset, long lengthBytes, boolean mayDiscard) throws IOException;

    /**
     * Says that nobody needs the range's content any more. It reads as zeros afterwards where
     * {@link #discardReadsZeroes}; else nothing happens.
     */
    void discard(long offset, long lengthBytes) throws IOException;

    /** Whether {@link #discard} gives up room, and discarded ranges read as zeros. */
    boolean discardReadsZeroes();

    /** Flushes, lets others open the image, and ends every later call with an exception. */
    @Override
    void close() throws IOException;
}
