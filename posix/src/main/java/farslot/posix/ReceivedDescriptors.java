package farslot.posix;

import java.util.ArrayList;
import java.util.List;

/**
 * Where descriptors that arrive on a {@link UnixStream} are kept until somebody takes them. What
 * nobody takes is closed by {@link #close}, so a peer cannot make a process run out of them.
 *
 * <p>For one thread; may be used again and again.
 */
public final class ReceivedDescriptors implements AutoCloseable {
    /** The most that one message can carry (SCM_MAX_FD of Linux). */
    public static final int MAX = 253;

    private final List<Descriptor> waiting = new ArrayList<>(4);

    public ReceivedDescriptors() {}

    public int count() {
        return waiting.size();
    }

    /** Takes the first of them over from this object; null where there is none. */
    public Descriptor take() {
        return waiting.isEmpty() ? null : waiting.removeFirst();
    }

    /** Closes those that nobody took. */
    @Override
    public void close() {
        if (waiting.isEmpty()) {
            return;
        }
        waiting.forEach(Descriptor::close);
        waiting.clear();
    }

    void add(Descriptor descriptor) {
        waiting.add(descriptor);
    }
}
