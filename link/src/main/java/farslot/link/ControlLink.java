package farslot.link;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A link without a function: lists, operates and observes a lender or slot.
 *
 * <p>Any thread may call; requests are answered one after another. An action may take as long as it
 * takes: the wait ends when the peer falls silent.
 */
public final class ControlLink implements AutoCloseable {
    private ControlLink() {}

    /**
     * Connects.
     *
     * @throws LinkException as {@link RemoteFunction#borrow}
     */
    public static ControlLink connect(Address address, LinkOptions options) throws LinkException {
        return null;
    }

    /** Who answers. */
    public Peer peer() {
        return null;
    }

    /** What is lent there. */
    public List<Entry> list() throws LinkException {
        return List.of();
    }

    /** {@link Offer#operate}. */
    public List<Map<String, String>> operate(String action, Map<String, String> arguments)
            throws RefusedException, LinkException {
        return List.of();
    }

    /**
     * Gives every event to {@code observer}, on the link's own thread, until this link is closed or
     * ends; {@code ended} is then called once, with GOODBYE, LOST, ... or CLOSED.
     */
    public void observe(Consumer<ObservedEvent> observer, Consumer<LinkException> ended)
            throws RefusedException, LinkException {}

    @Override
    public void close() {}
}
