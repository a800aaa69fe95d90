package farslot.link;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Looks at every link of this process, again and again, and ends those whose peer is silent. */
final class LinkWatch {
    private static final long TICK_NANOS = 25_000_000;
    private static final Set<Connection> LINKS = ConcurrentHashMap.newKeySet();
    private static Thread thread;

    private LinkWatch() {}

    static void add(Connection connection) {
        LINKS.add(connection);
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

    static void remove(Connection connection) {
        LINKS.remove(connection);
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
            for (Connection connection : LINKS) {
                connection.watch(now, late > TICK_NANOS ? late : 0);
            }
        }
    }
}
