package farslot.link;

import farslot.link.LinkException.Cause;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.ListEntries;
import farslot.link.Messages.Listed;
import farslot.link.Messages.Observe;
import farslot.link.Messages.Observed;
import farslot.link.Messages.Operate;
import farslot.link.Messages.Result;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A link without a function: lists, operates and observes a lender or slot.
 *
 * <p>Any thread may call; requests are answered one after another. An action may take as long as it
 * takes: the wait ends when the peer falls silent.
 */
public final class ControlLink implements AutoCloseable {
    private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Link link;
    private volatile Consumer<ObservedEvent> observer;
    private volatile Consumer<LinkException> ended;

    private ControlLink(Connector.Connected connected, LinkOptions options) {
        this.link = new Link(connected.wire(), options, connected.peer());
    }

    /**
     * Connects.
     *
     * @throws LinkException as {@link RemoteFunction#borrow}
     */
    public static ControlLink connect(Address address, LinkOptions options) throws LinkException {
        ControlLink control = new ControlLink(Connector.connect(address, options), options);
        control.link.start();
        control.link.awaitHello();
        return control;
    }

    /** Who answers. */
    public Peer peer() {
        return link.peer();
    }

    /** What is lent there. */
    public List<Entry> list() throws LinkException {
        try {
            return items(Listed.LAYOUT, link.ask(ListEntries.TYPE, new byte[0]), Messages::entry);
        } catch (RefusedException refused) {
            throw new LinkException(Cause.PROTOCOL, refused.getMessage(), refused);
        }
    }

    /** {@link Offer#operate}. */
    public List<Map<String, String>> operate(String action, Map<String, String> arguments)
            throws RefusedException, LinkException {
        Composer payload = new Composer();
        new Messages.Order(action, arguments).compose(payload);
        return items(Result.LAYOUT, link.ask(Operate.TYPE, payload.toBytes()), Cursor::pairs);
    }

    private <T> List<T> items(Layout layout, Connection.Answer answer, Messages.Item<T> item)
            throws LinkException {
        try {
            return Messages.items(layout, answer.frames(), item);
        } catch (BrokenFrameException broken) {
            throw link.brokenAnswer(broken);
        }
    }

    /**
     * Gives every event to {@code observer}, on the link's own thread, until this link is closed or
     * ends; {@code ended} is then called once, with GOODBYE, LOST, ... or CLOSED.
     */
    public void observe(Consumer<ObservedEvent> observer, Consumer<LinkException> ended)
            throws RefusedException, LinkException {
        this.observer = observer;
        this.ended = ended;
        link.ask(Observe.TYPE, new byte[0]);
    }

    @Override
    public void close() {
        link.goodbye(Cause.CLOSED, Goodbye.DONE, "");
        if (!link.isDispatcher()) {
            link.awaitClosed(CLOSE_NANOS);
        }
    }

    private final class Link extends ClientLink {
        Link(Wire wire, LinkOptions options, Peer peer) {
            super(wire, options, peer, "control");
        }

        @Override
        void dispatch(Layout layout, MemorySegment frame, long at, int length)
                throws BrokenFrameException {
            Consumer<ObservedEvent> to = observer;
            if (layout.type() != Observed.TYPE || to == null) {
                super.dispatch(layout, frame, at, length);
                return;
            }
            ObservedEvent event = Messages.observed(frame, at, length);
            try {
                to.accept(event);
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "An observer failed", e);
            }
        }

        @Override
        void lost(LinkException why) {
            Consumer<LinkException> to = ended;
            if (to != null) {
                to.accept(why);
            }
        }
    }
}
