package farslot.vfiouser;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;

/** What is logged about a client or a socket; one that does only wrong cannot fill a disk. */
final class Complaints {
    private static final Logger LOG = System.getLogger("farslot.vfiouser");
    private static final int MOST = 100;

    private final String about;
    private final AtomicInteger said = new AtomicInteger();

    Complaints(String about) {
        this.about = about;
    }

    void say(String sentence) {
        say(Level.WARNING, sentence);
    }

    void say(Level level, String sentence) {
        int count = said.incrementAndGet();
        if (count <= MOST) {
            LOG.log(level, about + ": " + sentence);
        }
        if (count == MOST) {
            LOG.log(level, about + ": that were " + MOST + " messages; no more are written.");
        }
    }

    /** What is no complaint and is always said. */
    void inform(String sentence) {
        LOG.log(Level.INFO, about + ": " + sentence);
    }
}
