package farslot.link;

import java.lang.System.Logger.Level;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Looks at every link of this process, again and again, and ends those whose peer is silent. */
final class LinkWatch {
    private static final long TICK_NANOS = 25_000_000;
    private static final Set<Watched> LINKS = ConcurrentHashMap.newKeySet();
    private static Thread thread;

    private LinkWatch() {}

    /** What is looked at. */
    interface Watched {
        /**
         * Must not block.
         *
         * @param now by {@link System#nanoTime}
         * @param overslept for how long this process did not run since the last look
         */
        void watch(long now, long overslept);
    }

    static void add(Watched watched) {
        LINKS.add(watched);
        synchronized (LinkWatch.class) {
            if (thread == null) {
                thread =
                        Thread.ofPlatform()
                                .daemon(true)
                                .name("farslot-link-watch")
                                .start(LinkWatch::loop);
            }
        }
        LockSupport.unpark(thread);
    }

    static void remove(Watched watched) {
        LINKS.remove(watched);
    }

    /** An ending link need not wait for the next look. */
    static void lookNow() {
        LockSupport.unpark(thread);
    }

    private static void loop() {
        long last = System.nanoTime();
        while (true) {
            if (LINKS.isEmpty()) {
                LockSupport.park(LINKS);
                last = System.nanoTime();
            } else {
                LockSupport.parkNanos(LINKS, TICK_NANOS);
            }
            long now = System.nanoTime();
            long late = now - last - TICK_NANOS;
            last = now;
            for (Watched watched : LINKS) {
                try {
                    watched.watch(now, late > TICK_NANOS ? late : 0);
                } catch (RuntimeException | Error failed) {
                    // No link may hang because of another.
                    Connection.LOG.log(Level.ERROR, "Looking at a link failed", failed);
                }
            }
        }
    }
}
