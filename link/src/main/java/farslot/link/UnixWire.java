package farslot.link;

import farslot.posix.Descriptor;
import farslot.posix.ReceivedDescriptors;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A UNIX socket: descriptors travel. */
final class UnixWire implements Wire {
    private final UnixStream stream;
    private final ReceivedDescriptors received = new ReceivedDescriptors();

    UnixWire(UnixStream stream) {
        this.stream = stream;
    }

    @Override
    public int read(MemorySegment into) throws IOException {
        return stream.read(into, received);
    }

    @Override
    public void write(MemorySegment from) throws IOException {
        stream.write(from);
    }

    @Override
    public boolean passesDescriptors() {
        return true;
    }

    @Override
    public void writeWith(MemorySegment from, int descriptor) throws IOException {
        stream.write(from, descriptor);
    }

    @Override
    public Descriptor takeDescriptor() {
        return received.take();
    }

    @Override
    public int waitingDescriptors() {
        return received.count();
    }

    @Override
    public void finishWriting() {
        // A UNIX socket's peer reads what was written even after a close.
    }

    @Override
    public void close() {
        stream.close();
    }
}
