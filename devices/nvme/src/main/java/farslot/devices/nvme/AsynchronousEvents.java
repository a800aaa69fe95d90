package farslot.devices.nvme;

import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.Queue;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * Asynchronous event requests that wait for events, and events that wait for requests (NVMe 1.4,
 * 5.2). After an event was reported, further ones of its type are held back until the driver has
 * read the type's log page.
 */
final class AsynchronousEvents {
    /** How many requests may be outstanding; Identify's AERL is one less. */
    static final int REQUEST_LIMIT = 4;

    /** A request and the event that completes it. */
    record Delivery(Command request, AsynchronousEvent event) {}

    private final Queue<Command> requests = new ArrayDeque<>();
    private final Set<AsynchronousEvent> pending = EnumSet.noneOf(AsynchronousEvent.class);
    private final Set<AsynchronousEvent.Type> heldBack =
            EnumSet.noneOf(AsynchronousEvent.Type.class);

    /** Keeps a request; false where too many are outstanding. */
    synchronized boolean keep(Command request) {
        return requests.size() < REQUEST_LIMIT && requests.add(request);
    }

    /** Whether the request waits here; it no longer does. */
    synchronized boolean abort(Command request) {
        return requests.remove(request);
    }

    synchronized void raise(AsynchronousEvent event) {
        pending.add(event);
    }

    /** The driver has read this log page and asked to clear its events. */
    synchronized void logRead(int page) {
        heldBack.removeIf(type -> type.logPage() == page);
        pending.removeIf(event -> event.type().logPage() == page);
    }

    /** The next event to report with the request to complete; null if there is none. */
    synchronized Delivery next() {
        if (requests.isEmpty()) {
            return null;
        }
        for (AsynchronousEvent event : pending) {
            if (heldBack.add(event.type())) {
                pending.remove(event);
                return new Delivery(requests.remove(), event);
            }
        }
        return null;
    }

    /** Requests by their identifiers, events by their names. */
    synchronized void save(StateWriter state) {
        int number = 0;
        for (Command request : requests) {
            state.put("request " + number++, request.identifier());
        }
        pending.forEach(event -> state.put("pending " + event, true));
        heldBack.forEach(type -> state.put("held back " + type, true));
    }

    /**
     * Takes over what was saved.
     *
     * @param underWay the admin queue's commands, by identifier
     */
    synchronized void load(StateReader state, IntFunction<Command> underWay) throws StateException {
        for (int number = 0; state.has("request " + number); number++) {
            Command request = underWay.apply(state.int32("request " + number, 0, 0xFFFF));
            if (request == null || !keep(request)) {
                throw state.wrong("request " + number, "is no command that waits");
            }
        }
        for (AsynchronousEvent event : AsynchronousEvent.values()) {
            if (state.has("pending " + event)) {
                pending.add(event);
            }
        }
        for (AsynchronousEvent.Type type : AsynchronousEvent.Type.values()) {
            if (state.has("held back " + type)) {
                heldBack.add(type);
            }
        }
    }

    /** Whether {@link #next} would give something. */
    synchronized boolean isReady() {
        return !requests.isEmpty()
                && pending.stream().anyMatch(event -> !heldBack.contains(event.type()));
    }
}
