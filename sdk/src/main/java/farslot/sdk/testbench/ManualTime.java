package farslot.sdk.testbench;

import farslot.sdk.TimeSource;
import farslot.sdk.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Time that passes when a test says so. Any thread may call. */
final class ManualTime implements TimeSource {
    private final List<Entry> entries = new ArrayList<>();
    private long now;

    /** Compared by identity. */
    private static final class Entry {
        final long dueNanos;
        final Runnable action;

        Entry(long dueNanos, Runnable action) {
            this.dueNanos = dueNanos;
            this.action = action;
        }
    }

    @Override
    public synchronized Timer after(long delayNanos, Runnable action) {
        Entry entry = new Entry(now + delayNanos, action);
        entries.add(entry);
        return () -> {
            synchronized (this) {
                entries.remove(entry);
            }
        };
    }

    /** Lets time pass; what is due by then runs on this thread, in order of time. */
    void advance(Duration duration) {
        long until;
        synchronized (this) {
            until = now + duration.toNanos();
        }
        for (Entry due = next(until); due != null; due = next(until)) {
            due.action.run();
        }
    }

    private synchronized Entry next(long until) {
        Entry first =
                entries.stream()
                        .filter(entry -> entry.dueNanos <= until)
                        .min(Comparator.comparingLong(entry -> entry.dueNanos))
                        .orElse(null);
        if (first == null) {
            now = until;
        } else {
            now = Math.max(now, first.dueNanos);
            entries.remove(first);
        }
        return first;
    }

    @Override
    public synchronized void close() {
        entries.clear();
    }
}
