package farslot.link;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The wire of a session that has none yet. */
final class ClosedWire implements Wire {
    @Override
    public int read(MemorySegment into) {
        return -1;
    }

    @Override
    public void write(MemorySegment from) throws IOException {
        throw new EOFException("there is no connection");
    }

    @Override
    public void writeWith(MemorySegment from, int descriptor) throws IOException {
        write(from);
    }

    @Override
    public void finishWriting() {}

    @Override
    public void close() {}
}
