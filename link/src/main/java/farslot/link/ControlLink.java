package farslot.link;

import farslot.link.LinkException.Cause;
import farslot.link.Messages.Follow;
import farslot.link.Messages.FollowEnd;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.Hello;
import farslot.link.Messages.Kept;
import farslot.link.Messages.ListEntries;
import farslot.link.Messages.Listed;
import farslot.link.Messages.Observe;
import farslot.link.Messages.Observed;
import farslot.link.Messages.Operate;
import farslot.link.Messages.Records;
import farslot.link.Messages.Result;
import farslot.link.Messages.Unfollow;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
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

    /** Where records go, once FOLLOW was answered; null before it was sent. */
    private volatile CompletableFuture<RecordSink> sink;

    private volatile Consumer<LinkException> followLost;

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

    /**
     * What FOLLOW is answered with.
     *
     * @param first the number of the first record that comes, or a later one
     * @param header what is in front of the first record of the trace
     */
    @SuppressWarnings("ArrayRecordComponent") // made for each answer, and compared nowhere
    public record Followed(long first, byte[] header) {}

    /**
     * Asks for the records of a recording; they wait until {@link #take} says where they go. One
     * for each link.
     *
     * @throws RefusedException also where the other side knows no recordings
     */
    public Followed follow(FollowRequest request) throws RefusedException, LinkException {
        if ((link.peerAbilities() & Hello.TRACES) == 0) {
            throw new RefusedException(
                    RefusedException.Reason.UNSUPPORTED,
                    link.peerWords() + " cannot be followed: its program is older than this.");
        }
        sink = new CompletableFuture<>();
        Connection.Answer answer = link.ask(Follow.TYPE, RecordSender.payload(request));
        try {
            return RecordSender.beginning(answer.frames());
        } catch (BrokenFrameException broken) {
            throw link.brokenAnswer(broken);
        }
    }

    /**
     * Takes the records that were asked for, on the link's own thread, until {@code to} has heard
     * of the end, or this link is closed or ends; {@code lost} is called once then, with GOODBYE,
     * LOST, ... or CLOSED.
     */
    public void take(RecordSink to, Consumer<LinkException> lost) {
        followLost = lost;
        if (!sink.complete(to)) {
            lost.accept(link.ending());
        }
    }

    /**
     * Asks for no more records than there are at this moment: they come, and then the end. What was
     * begun to be recorded for this link is recorded no more.
     */
    public void unfollow() throws RefusedException, LinkException {
        link.ask(Unfollow.TYPE, new byte[0]);
    }

    /**
     * Measures how the other side's clock relates to this one's.
     *
     * @return null where it cannot be asked, or has not answered in a second
     */
    public ClockRelation clock() {
        return link.measureClock();
    }

    @Override
    public void close() {
        link.goodbye(Cause.CLOSED, Goodbye.DONE, "The operator is done.");
        if (!link.isDispatcher()) {
            link.awaitClosed(CLOSE_NANOS);
        }
    }

    private final class Link extends ClientLink {
        Link(Wire wire, LinkOptions options, Peer peer) {
            super(wire, options, peer, "control");
        }

        /** Whether all that came is kept here. */
        private boolean kept = true;

        /** Behind the last record that is kept here: the dispatcher's. */
        private long next;

        /** Nothing comes behind FOLLOW_END: the dispatcher's. */
        private boolean followEnded;

        @Override
        void dispatch(Layout layout, MemorySegment frame, long at, int length)
                throws BrokenFrameException {
            Consumer<ObservedEvent> to = observer;
            if (layout.type() == Records.TYPE || layout.type() == FollowEnd.TYPE) {
                followed(layout, frame, at, length);
                return;
            }
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

        private void followed(Layout layout, MemorySegment frame, long at, int length)
                throws BrokenFrameException {
            if (sink == null || followEnded) {
                throw RecordSender.notFollowing(layout.type());
            }
            if (layout.type() == FollowEnd.TYPE) {
                followEnded = true;
                String sentence = Messages.text(layout, frame, at, length);
                RecordSink to = sink();
                if (to != null) {
                    to.ended(
                            FollowEnd.NEXT.get(frame, at), FollowEnd.LOST.get(frame, at), sentence);
                }
                return;
            }
            MemorySegment records = RecordSender.records(frame, at, length);
            RecordSink to = sink();
            if (to != null) {
                long first = Records.FIRST.get(frame, at);
                boolean waitedFor = (Records.FLAGS.get(frame, at) & Records.WAITED_FOR) != 0;
                kept &= to.records(first, Records.LOST.get(frame, at), waitedFor, records);
                if (kept) {
                    next = Math.max(next, first + records.byteSize() / RecordFeed.RECORD_BYTES);
                }
                send(Kept.TYPE, Messages.POSTED, 0, new Composer().u64(next).toBytes());
            }
        }

        /** Waits until it is known; null where the link ends before. */
        private RecordSink sink() {
            try {
                return sink.join();
            } catch (CancellationException ended) {
                return null;
            }
        }

        @Override
        void lost(LinkException why) {
            CompletableFuture<RecordSink> waiting = sink;
            if (waiting != null && !waiting.cancel(false)) {
                followLost.accept(why);
            }
            Consumer<LinkException> to = ended;
            if (to != null) {
                to.accept(why);
            }
        }
    }
}
