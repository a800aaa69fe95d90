package farslot.slot;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * What a slot's supervisor does, in a process of its own: it hears from the slot which sessions
 * there are, and when the slot ends without a word it tells their lender, which takes the functions
 * back at once. {@link Supervision} is the slot's side.
 *
 * <p>It has connected to the lender before, so that nothing has to be loaded or looked up when it
 * matters. Where the connection is away when the slot ends, it tries again for a minute at most.
 */
public final class Supervisor {
    static final String SESSION = "session";
    static final String OVER = "over";
    static final String DONE = "done";
    static final String INSECURE = "insecure";
    static final String SECURE = "secure";

    /** The lender's action: ends the session whose secret is given. */
    private static final String ABANDON = "abandon";

    /** Zero is no session's secret. */
    private static final String NO_SESSION = "0".repeat(32);

    /** Longer than a lender keeps a session unless it was told otherwise. */
    private static final long TRY_NANOS = 60_000_000_000L;

    /** Where nobody listens any more there is no lease either. */
    private static final long NOBODY_NANOS = 5_000_000_000L;

    private static final int ATTEMPTS_BEFOREHAND = 5;
    private static final long FIRST_PAUSE_MILLIS = 20;
    private static final long LAST_PAUSE_MILLIS = 1000;

    /** Where a session's lender is. */
    private record Place(Address address, boolean insecure) {}

    private final Map<String, Place> sessions = new LinkedHashMap<>();
    private final Map<Place, ControlLink> links = new HashMap<>();
    private final Function<Address, LinkOptions> options;

    private Supervisor(Function<Address, LinkOptions> options) {
        this.options = options;
    }

    /**
     * Supervises until the slot ends.
     *
     * @param orders what the slot says, a line each; its end is the slot's
     * @param options how links are made to where the slot does so with proof of who is who
     * @throws IOException where the orders cannot be read
     */
    public static void run(InputStream orders, Function<Address, LinkOptions> options)
            throws IOException {
        new Supervisor(options)
                .supervise(
                        new BufferedReader(new InputStreamReader(orders, StandardCharsets.UTF_8)));
    }

    private void supervise(BufferedReader orders) throws IOException {
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            String[] words = line.split(" ", 4);
            switch (words[0]) {
                case SESSION -> {
                    Place place = new Place(Address.parse(words[3]), words[2].equals(INSECURE));
                    sessions.put(words[1], place);
                    connectBeforehand(place);
                }
                case OVER -> sessions.remove(words[1]);
                case DONE -> {
                    return;
                }
                default -> throw new IOException("An order that is none: " + words[0]);
            }
        }
        abandonAll();
    }

    private void connectBeforehand(Place place) {
        for (int attempt = 0; attempt < ATTEMPTS_BEFOREHAND; attempt++) {
            if (links.containsKey(place)) {
                return;
            }
            try {
                // It is refused: what is needed later has been loaded then.
                abandon(NO_SESSION, place);
            } catch (LinkException e) {
                // A busy lender, perhaps. When it matters it is tried again, for longer.
            }
        }
    }

    private ControlLink link(Place place) throws LinkException {
        ControlLink open = links.get(place);
        if (open == null) {
            open =
                    ControlLink.connect(
                            place.address(),
                            place.insecure()
                                    ? LinkOptions.named("supervisor").withInsecure(true)
                                    : options.apply(place.address()));
            links.put(place, open);
        }
        return open;
    }

    private void abandonAll() {
        long begin = System.nanoTime();
        long pauseMillis = FIRST_PAUSE_MILLIS;
        while (true) {
            boolean heard = false;
            for (Iterator<Map.Entry<String, Place>> all = sessions.entrySet().iterator();
                    all.hasNext(); ) {
                Map.Entry<String, Place> session = all.next();
                try {
                    abandon(session.getKey(), session.getValue());
                    all.remove();
                } catch (LinkException e) {
                    heard |= !(e.getCause() instanceof ConnectException);
                }
            }
            long passedNanos = System.nanoTime() - begin;
            if (sessions.isEmpty() || passedNanos > (heard ? TRY_NANOS : NOBODY_NANOS)) {
                return;
            }
            try {
                Thread.sleep(pauseMillis);
            } catch (InterruptedException e) {
                return;
            }
            pauseMillis = Math.min(2 * pauseMillis, LAST_PAUSE_MILLIS);
        }
    }

    private void abandon(String session, Place place) throws LinkException {
        try {
            link(place).operate(ABANDON, Map.of("session", session));
        } catch (RefusedException e) {
            // It has ended already, or is none.
        } catch (LinkException e) {
            links.remove(place);
            throw e;
        }
    }
}
