package farslot.bench;

import java.io.IOException;

/**
 * Something whose accesses are measured: a path to a device, or a bare socket. One thread uses it.
 */
interface Target extends AutoCloseable {
    /** As printed. */
    String name();

    /** The name of the bare socket below it; null where there is none. */
    String baseline();

    /** Reads a 4-byte register and has its value on return. */
    void read() throws IOException;

    /** Writes a 4-byte register; returns when the write is taken, as PCI's posted writes do. */
    void write() throws IOException;

    @Override
    void close() throws IOException;
}
