package farslot.link;

import farslot.posix.Descriptor;
import farslot.posix.ReceivedDescriptors;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/** A UNIX socket: descriptors travel. */
final class UnixWire implements Wire {
    private final UnixStream stream;

    /** The reader's, within one read. */
    private final ReceivedDescriptors arriving = new ReceivedDescriptors();

    /** Guards itself, and {@link #closed}: one closes while another has just read. */
    private final ArrayDeque<Descriptor> received = new ArrayDeque<>(4);

    /** How many they are: asked with each read. */
    private volatile int waiting;

    private boolean closed;

    UnixWire(UnixStream stream) {
        this.stream = stream;
    }

    @Override
    public int read(MemorySegment into) throws IOException {
        try {
            return stream.read(into, arriving);
        } finally {
            if (arriving.count() > 0) {
                receive();
            }
        }
    }

    private void receive() {
        synchronized (received) {
            if (closed) {
                arriving.close();
                return;
            }
            for (Descriptor one = arriving.take(); one != null; one = arriving.take()) {
                received.add(one);
            }
            waiting = received.size();
        }
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
        synchronized (received) {
            Descriptor first = received.poll();
            waiting = received.size();
            return first;
        }
    }

    @Override
    public int waitingDescriptors() {
        return waiting;
    }

    @Override
    public void finishWriting() {
        // A UNIX socket's peer reads what was written even after a close.
    }

    @Override
    public void close() {
        stream.close();
        synchronized (received) {
            closed = true;
            received.forEach(Descriptor::close);
            received.clear();
            waiting = 0;
        }
    }
}
