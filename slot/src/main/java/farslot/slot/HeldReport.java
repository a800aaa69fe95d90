package farslot.slot;

import farslot.link.HeldAccess;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.function.Consumer;

/**
 * What the lender says it holds, for whoever wonders why a driver waits: told once when it has
 * lasted for a second, and once when it is over. Any thread may call.
 */
final class HeldReport {
    /** Shorter ones are slow, not held. */
    private static final long WORTH_TELLING_MILLIS = 1000;

    /** Notices come four times a second: after this there is nothing held any more. */
    private static final long OVER_NANOS = 3_000_000_000L;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneId.systemDefault());

    /**
     * A held access.
     *
     * @param what for people
     * @param sinceMillis since 1970
     */
    record Held(String what, long sinceMillis) {}

    private final String address;
    private final Consumer<String> talk;
    private Held held;
    private long millis;
    private long noticedNanos;

    HeldReport(String address, Consumer<String> talk) {
        this.address = address;
        this.talk = talk;
    }

    /** The lender says that it holds an access. */
    synchronized void notice(HeldAccess access) {
        if (access.millis() < WORTH_TELLING_MILLIS) {
            return;
        }
        boolean another = held != null && !held.what().equals(access.what());
        if (another || access.millis() < millis) {
            end();
        }
        noticedNanos = System.nanoTime();
        millis = access.millis();
        if (held == null) {
            held = new Held(access.what(), System.currentTimeMillis() - millis);
            talk.accept(
                    address
                            + ": "
                            + held.what()
                            + " is held at the lender since "
                            + TIME.format(Instant.ofEpochMilli(held.sinceMillis()))
                            + "; the link is alive.");
        }
    }

    /** What is held now, or null. */
    synchronized Held now() {
        if (held != null && System.nanoTime() - noticedNanos > OVER_NANOS) {
            end();
        }
        return held;
    }

    /** Nothing is held: the link is gone, or the notices have ceased. */
    synchronized void end() {
        if (held != null) {
            talk.accept(
                    address
                            + ": "
                            + held.what()
                            + " is held no longer, after "
                            + millis / 1000
                            + " s.");
        }
        held = null;
        millis = 0;
    }
}
