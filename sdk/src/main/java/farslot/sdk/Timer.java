package farslot.sdk;

/** A task that begins later ({@link Tasks#after}). */
public interface Timer {
    /** Keeps it from beginning; where it has begun already, nothing happens. */
    void cancel();
}
