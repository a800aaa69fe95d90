package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaTable;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.link.BrokenFrameException.Code;
import farslot.link.LinkException.Cause;
import farslot.link.Messages.Borrow;
import farslot.link.Messages.Borrowed;
import farslot.link.Messages.Data;
import farslot.link.Messages.Describe;
import farslot.link.Messages.Description;
import farslot.link.Messages.DmaRead;
import farslot.link.Messages.DmaWrite;
import farslot.link.Messages.Event;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.Header;
import farslot.link.Messages.Interrupt;
import farslot.link.Messages.Interrupts;
import farslot.link.Messages.MapMemory;
import farslot.link.Messages.Read;
import farslot.link.Messages.Reset;
import farslot.link.Messages.Resumed;
import farslot.link.Messages.Return;
import farslot.link.Messages.Unmap;
import farslot.link.Messages.Write;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A borrowed function, at the slot: the near end of a link whose far end is a lender.
 *
 * <p>Once the link has ended every access ends at once in {@link CompletionStatus#TIMED_OUT}, and
 * what is posted goes nowhere; a new function has to be borrowed then.
 *
 * <p><b>Threads.</b> As {@link PciFunction} says. The host that is attached is called by the link's
 * own thread, never by a caller of this; interrupts and DMA go on while accesses wait. A caller
 * must not be interrupted ({@link Thread#interrupt}) while it waits over TCP: Java closes the
 * socket then.
 */
public final class RemoteFunction implements PciFunction, AutoCloseable {
    private static final int PAGE_BYTES = 0x1000;
    private static final long RETURN_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** How long it is tried to give back what is detached; then its grace time ends it. */
    private static final long RETURN_DETACHED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long FIRST_RETRY_MILLIS = 50;
    private static final long LAST_RETRY_MILLIS = 1000;

    private final Link link;
    private final Listener listener;
    private final LinkOptions options;
    private final Peer lender;
    private final String name;
    private final DmaTable table = new DmaTable();

    /** So that what is told of maps comes in the order in which the table changed. */
    private final ReentrantLock mapping = new ReentrantLock();

    /**
     * Held while memory is reached that is served while the driver waits, and while memory or host
     * are taken back: what has been taken back is not reached any more.
     */
    private final ReentrantLock reaching = new ReentrantLock();

    private final AtomicBoolean closing = new AtomicBoolean();
    private final AtomicLong staleDropped = new AtomicLong();
    private final AtomicLong refusals = new AtomicLong();
    private final Region[] regions = new Region[Region.COUNT];

    private final CountDownLatch descriptionRead = new CountDownLatch(1);
    private volatile FunctionDescription description;
    private volatile PciHost host;
    private volatile int generation;
    private volatile boolean pushing = true;
    private long epoch;
    private boolean attachedOnce;

    private final Supplier<List<Address>> addresses;
    private volatile Session session;
    private volatile Resumes resumes = new Resumes(0, 0, 0, 0);
    private final CountDownLatch over = new CountDownLatch(1);

    private RemoteFunction(
            Connector.Connected connected,
            Supplier<List<Address>> addresses,
            Wish wish,
            LinkOptions options,
            Listener listener) {
        this.addresses = addresses;
        this.link = new Link(connected.wire(), options, connected.peer());
        this.lender = connected.peer();
        this.name = wish.function();
        this.options = options;
        this.listener = listener;
    }

    /** Hears what becomes of the link. Called by the link's threads; must not block. */
    public interface Listener {
        /**
         * The link has ended, and not by {@link RemoteFunction#close}: GOODBYE when the lender said
         * so, LOST when it is silent or gone, PROTOCOL. Called once.
         */
        void ended(LinkException why);

        /**
         * An access waits at the lender, which is alive: a debugger or a slow device holds it. Told
         * again with each notice, about four times a second.
         *
         * <p>Also of what waits no longer, since its time was over, and of posted writes.
         */
        default void held(HeldAccess access) {}

        /**
         * The borrow waits for its turn, within {@link RemoteFunction#borrow}: told when its place
         * changes.
         *
         * @param place 1 is the next
         * @param of how many wait
         * @param sentence the lender's, for people
         */
        default void waiting(int place, int of, String sentence) {}

        /**
         * The connection broke; the session goes on when another is made, within its grace time.
         * Meanwhile accesses wait, and what is posted is kept. {@link #resumed} or {@link #ended}
         * follows.
         */
        default void detached(String why) {}

        /** The session goes on over a new connection: nothing was lost, nothing done twice. */
        default void resumed() {}
    }

    /**
     * How often the session went on over another connection, for people and tests.
     *
     * @param times how often
     * @param repeated frames that the lender lacked, in all; with those that waited to be sent
     * @param unacknowledged frames that the lender was not known to have when the last connection
     *     broke
     * @param unacknowledgedByUs frames of the lender's that this side was not known to have then
     */
    public record Resumes(
            long times, long repeated, long unacknowledged, long unacknowledgedByUs) {}

    /**
     * Connects and borrows. Where the wish is to wait this waits until its turn has come. A broken
     * connection is made again to the same address.
     *
     * @throws RefusedException the lender's refusal: not found, taken, also after the wait, ...
     * @throws LinkException unreachable, no Farslot, another version, TCP without leave, ...
     */
    public static RemoteFunction borrow(
            Address address, Wish wish, LinkOptions options, Listener listener)
            throws RefusedException, LinkException {
        return borrow(address, () -> List.of(address), wish, options, listener);
    }

    /**
     * As the other.
     *
     * @param addresses where the lender may be reached when the connection broke: asked before each
     *     attempt, and tried in turn
     */
    public static RemoteFunction borrow(
            Address address,
            Supplier<List<Address>> addresses,
            Wish wish,
            LinkOptions options,
            Listener listener)
            throws RefusedException, LinkException {
        Connector.Connected connected = Connector.connect(address, options);
        RemoteFunction function = new RemoteFunction(connected, addresses, wish, options, listener);
        function.link.start();
        try {
            function.link.awaitHello();
            function.borrow(wish);
            return function;
        } catch (RefusedException | LinkException | RuntimeException failed) {
            function.closing.set(true);
            function.link.goodbye(Cause.CLOSED, Goodbye.DONE, "Nothing was borrowed.");
            throw failed;
        }
    }

    private void borrow(Wish wish) throws RefusedException, LinkException {
        byte[] payload =
                new Composer()
                        .u32(
                                (wish.waits() ? Borrow.WAIT : 0)
                                        | (wish.takeOver() ? Borrow.TAKE_OVER : 0))
                        .u32(0)
                        .text(wish.function(), Messages.MAX_NAME_BYTES)
                        .toBytes();
        boolean resumable = options.resumes() && link.peerResumes();
        if (resumable) {
            // From here on: which of these the lender has when it answers is not known.
            link.out.keep();
        }
        try {
            long deadline = wish.waits() ? System.nanoTime() + wish.patience().toNanos() : 0;
            Connection.Answer answer = link.ask(Borrow.TYPE, payload, deadline);
            MemorySegment frame = answer.frames();
            Cursor cursor = Messages.tail(Borrowed.LAYOUT, frame, 0, frame.byteSize());
            FunctionDescription described = Messages.description(Borrowed.TYPE, cursor);
            epoch = Borrowed.EPOCH.get(frame, 0);
            remember(described);
            beginSession(frame, resumable);
        } catch (BrokenFrameException broken) {
            throw link.brokenAnswer(broken);
        } finally {
            descriptionRead.countDown();
        }
    }

    private void beginSession(MemorySegment frame, boolean resumable) {
        long place = Borrowed.SESSION_LOW.offset();
        byte[] secret = frame.asSlice(place, Session.BYTES).toArray(ValueLayout.JAVA_BYTE);
        boolean none = Arrays.equals(secret, new byte[Session.BYTES]);
        if (resumable && !none) {
            long grace = Borrowed.GRACE_MILLIS.get(frame, 0);
            session = new Session(secret, Duration.ofMillis(grace));
        } else {
            link.out.keepNothing();
        }
    }

    private void remember(FunctionDescription described) {
        for (int index = 0; index < regions.length; index++) {
            regions[index] = described.region(index).orElse(null);
        }
        description = described;
    }

    /** Who lends. */
    public Peer lender() {
        return lender.named(link.peerName());
    }

    /**
     * The secret of the session, by which {@link LinkServer#abandon} names it; null where it ends
     * with its connection. Who knows it can take the session: it belongs into no log.
     */
    public byte[] session() {
        Session now = session;
        return now == null ? null : now.secret();
    }

    /** Whether the connection broke and another is awaited. */
    public boolean isDetached() {
        return link.isDetached();
    }

    /** How often the session went on over another connection. */
    public Resumes resumes() {
        return resumes;
    }

    /**
     * Measures how the lender's clock is related to this one's. Waits for a second at most.
     *
     * @return null where that cannot be measured
     */
    public ClockRelation clock() {
        return link.measureClock();
    }

    /** The fencing epoch of the lease. */
    public long epoch() {
        return epoch;
    }

    /** Whether the link has ended, by either side. */
    public boolean isEnded() {
        return link.isEnded();
    }

    /** Why the link has ended, by either side; null while it lives. */
    public LinkException ending() {
        return link.ending();
    }

    /** For tests, which look at what it buffers. */
    Connection link() {
        return link;
    }

    /** How many DMA writes and interrupts of older generations were dropped. */
    public long staleDropped() {
        return staleDropped.get();
    }

    @Override
    public FunctionDescription describe() {
        return description;
    }

    @Override
    public int generation() {
        return generation;
    }

    /**
     * {@inheritDoc}
     *
     * <p>A change of host takes back all maps and disables all interrupts at the lender.
     */
    @Override
    public void attach(PciHost attached) {
        reaching.lock();
        try {
            host = null;
        } finally {
            reaching.unlock();
        }
        if (attachedOnce) {
            unmap(0, 0);
            for (InterruptKind kind : InterruptKind.values()) {
                int vectors = description.vectors(kind);
                if (vectors > 0) {
                    interrupts(kind, 0, vectors, InterruptAction.DISABLE);
                }
            }
        }
        attachedOnce |= attached != null;
        host = attached;
    }

    // Accesses.

    private long deadline() {
        return options.accessTimeout().isZero()
                ? 0
                : System.nanoTime() + options.accessTimeout().toNanos();
    }

    private Region region(int index) {
        return index >= 0 && index < regions.length ? regions[index] : null;
    }

    private static int widthOnWire(int widthBytes) {
        boolean fits = Integer.bitCount(widthBytes) == 1 && widthBytes > 0 && widthBytes <= 64;
        return fits ? widthBytes : 0;
    }

    @Override
    public CompletionStatus read(int index, long offset, MemorySegment into, int widthBytes) {
        Region region = region(index);
        if (region == null || !region.contains(offset, into.byteSize())) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        long deadline = deadline();
        Request request = begin(Read.TYPE, into, deadline, index, offset);
        if (request == null) {
            return CompletionStatus.TIMED_OUT;
        }
        int at = beginFrame(Read.TYPE, request, Read.BYTES, deadline);
        if (at < 0) {
            return CompletionStatus.TIMED_OUT;
        }
        MemorySegment frame = link.out.memory();
        Read.REGION.set(frame, at, index);
        Read.WIDTH.set(frame, at, widthOnWire(widthBytes));
        Read.LENGTH.set(frame, at, into.byteSize());
        Read.OFFSET.set(frame, at, offset);
        link.out.end(true);
        return link.await(request, deadline);
    }

    private Request begin(int type, MemorySegment into, long deadline, int region, long offset) {
        Request request = link.request(type, into, deadline);
        if (request != null) {
            request.region = region;
            request.offset = offset;
        }
        return request;
    }

    private int beginFrame(int type, Request request, int length, long deadline) {
        int at =
                link.out.begin(
                        type, Messages.NON_POSTED, generation, request.tag, length, deadline);
        if (at < 0) {
            link.release(request);
        }
        return at;
    }

    @Override
    public CompletionStatus write(
            int index, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        Region region = region(index);
        long length = from.byteSize();
        if (region == null || !region.contains(offset, length)) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        long deadline = deadline();
        int bytes = Write.DATA_AT + (int) length;
        Request request = null;
        int at;
        if (region.postedWrites()) {
            at = link.out.begin(Write.TYPE, Messages.POSTED, generation, 0, bytes, deadline);
        } else {
            request = begin(Write.TYPE, null, deadline, index, offset);
            at = request == null ? -1 : beginFrame(Write.TYPE, request, bytes, deadline);
        }
        if (at < 0) {
            return CompletionStatus.TIMED_OUT;
        }
        MemorySegment frame = link.out.memory();
        Write.REGION.set(frame, at, index);
        Write.WIDTH.set(frame, at, widthOnWire(widthBytes));
        Write.LENGTH.set(frame, at, length);
        Write.OFFSET.set(frame, at, offset);
        Write.BYTE_ENABLES.set(frame, at, length > Long.SIZE ? ALL_BYTES : byteEnables);
        MemorySegment.copy(from, 0, frame, at + (long) Write.DATA_AT, length);
        link.out.end(true);
        return request == null ? CompletionStatus.SUCCESS : link.await(request, deadline);
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        if (first < 0 || count < 1 || first + count > description.vectors(kind)) {
            throw new IllegalArgumentException(
                    String.format(
                            "%s vectors %d to %d; the function has %d.",
                            kind, first, first + count - 1, description.vectors(kind)));
        }
        int at = link.out.begin(Interrupts.TYPE, Messages.POSTED, generation, 0, Interrupts.BYTES);
        if (at < 0) {
            return;
        }
        MemorySegment frame = link.out.memory();
        Interrupts.KIND.set(frame, at, kind.code());
        Interrupts.ACTION.set(frame, at, action.code());
        Interrupts.FIRST.set(frame, at, first);
        Interrupts.COUNT.set(frame, at, count);
        link.out.end(true);
    }

    // Maps.

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException where it overlaps another map and is not its very range
     */
    @Override
    public void map(DmaMap map) {
        if (link.isEnded()) {
            return;
        }
        mapping.lock();
        try {
            if (!table.add(map).status().isSuccess()) {
                throw new IllegalArgumentException(
                        String.format(
                                "The DMA map of 0x%x bytes at 0x%x overlaps another, or is one too"
                                        + " many.",
                                map.length(), map.address()));
            }
            notePushing();
            send(map);
        } finally {
            mapping.unlock();
        }
    }

    /** The lender's process is another: what it was given of memory has gone with the old one. */
    private void giveDescriptorsAgain() {
        mapping.lock();
        try {
            table.maps().stream().filter(this::isPassed).forEach(this::send);
        } finally {
            mapping.unlock();
        }
    }

    private boolean isPassed(DmaMap map) {
        return options.passDescriptors()
                && link.peerTakesDescriptors()
                && map.near() != null
                && map.near().descriptor() >= 0
                && map.near().descriptorOffset() % PAGE_BYTES == 0;
    }

    private void send(DmaMap map) {
        boolean descriptor = isPassed(map);
        int at =
                descriptor
                        ? link.out.beginAlone(
                                MapMemory.TYPE, Messages.POSTED, generation, 0, MapMemory.BYTES)
                        : link.out.begin(
                                MapMemory.TYPE, Messages.POSTED, generation, 0, MapMemory.BYTES);
        if (at < 0) {
            return;
        }
        MemorySegment frame = link.out.memory();
        MapMemory.ADDRESS.set(frame, at, map.address());
        MapMemory.LENGTH.set(frame, at, map.length());
        MapMemory.DIRECTION.set(frame, at, map.direction().bits());
        int flags = map.servedWhileWaiting() ? MapMemory.SERVED_WHILE_WAITING : 0;
        MapMemory.MAP_FLAGS.set(frame, at, flags);
        if (descriptor) {
            MapMemory.DESCRIPTOR_OFFSET.set(frame, at, map.near().descriptorOffset());
            link.out.endWith(map.near().descriptor());
        } else {
            link.out.end(true);
        }
    }

    /**
     * A completion pushes the DMA before it, unless some of the driver's memory is out of reach
     * while its access waits: then each would wait for the other.
     */
    private void notePushing() {
        pushing = table.maps().stream().allMatch(DmaMap::servedWhileWaiting);
    }

    /** What is being reached there at this moment is waited for. */
    private DmaTable.Change takeBack(long address, long length) {
        reaching.lock();
        try {
            return table.remove(address, length);
        } finally {
            reaching.unlock();
        }
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        Request request;
        long deadline;
        mapping.lock();
        try {
            DmaTable.Change change = takeBack(address, length);
            if (!change.status().isSuccess()) {
                return change.status();
            }
            notePushing();
            // No time-out where the lender may have mapped it: memory that the function may still
            // reach must not be given up. Else this side lets nothing through any more.
            boolean mapped = options.passDescriptors() && link.peerTakesDescriptors();
            deadline = mapped ? 0 : deadline();
            request = link.request(Unmap.TYPE, null, deadline);
            int at = request == null ? -1 : beginFrame(Unmap.TYPE, request, Unmap.BYTES, deadline);
            if (at < 0) {
                return CompletionStatus.TIMED_OUT;
            }
            Unmap.ADDRESS.set(link.out.memory(), at, address);
            Unmap.LENGTH.set(link.out.memory(), at, length);
            link.out.end(true);
        } finally {
            mapping.unlock();
        }
        return link.await(request, deadline);
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        if (!description.resetKinds().contains(kind)) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        long deadline = deadline();
        Request request = link.request(Reset.TYPE, null, deadline);
        int at = request == null ? -1 : beginFrame(Reset.TYPE, request, Reset.BYTES, deadline);
        if (at < 0) {
            return CompletionStatus.TIMED_OUT;
        }
        Reset.KIND.set(link.out.memory(), at, kind.code());
        link.out.end(true);
        return link.await(request, deadline);
    }

    /** Gives the function back and returns when the lender has it; the listener hears nothing. */
    @Override
    public void close() {
        if (closing.getAndSet(true)) {
            return;
        }
        host = null;
        long patience = link.isDetached() ? RETURN_DETACHED_NANOS : RETURN_NANOS;
        long deadline = System.nanoTime() + patience;
        Request request = link.request(Return.TYPE, null, deadline);
        int at = request == null ? -1 : beginFrame(Return.TYPE, request, Header.BYTES, deadline);
        if (at >= 0) {
            link.out.end(true);
            link.await(request, deadline);
        }
        link.goodbye(Cause.CLOSED, Goodbye.DONE, "The slot " + options.name() + " is done.");
        table.clear();
        if (!link.isDispatcher()) {
            link.awaitClosed(RETURN_NANOS);
        }
    }

    /** What the lender's side asks: DMA, interrupts, events. */
    private final class Link extends ClientLink {
        private volatile boolean borrowed;
        private final AtomicInteger descriptionsDue = new AtomicInteger();
        private final MemorySegment scratch = Arena.ofAuto().allocate(Outbox.LONG_DATA_BYTES, 8);

        Link(Wire wire, LinkOptions options, Peer peer) {
            super(wire, options, peer, "borrowed");
        }

        @Override
        int generation() {
            return generation;
        }

        @Override
        boolean completionsPush() {
            return pushing;
        }

        @Override
        boolean waitersKeepReading() {
            return true;
        }

        @Override
        void sawGeneration(int seen) {
            if (Integer.compareUnsigned(seen, generation) > 0) {
                generation = seen;
            }
        }

        @Override
        void answered(Layout layout) {
            if (layout.type() == Borrowed.TYPE) {
                borrowed = true;
            }
        }

        @Override
        void waiting(int place, int of, String sentence) {
            listener.waiting(place, of, sentence);
        }

        @Override
        void held(Request request, long millis) {
            if (request == null) {
                listener.held(new HeldAccess("a posted write", millis));
            } else if (request.type == Read.TYPE || request.type == Write.TYPE) {
                boolean write = request.type == Write.TYPE;
                listener.held(HeldAccess.of(request.region, request.offset, write, millis));
            } else if (request.type != Borrow.TYPE) {
                listener.held(new HeldAccess(Messages.name(request.type), millis));
            }
        }

        @Override
        void dispatch(Layout layout, MemorySegment frame, long at, int length)
                throws BrokenFrameException {
            if (description == null && borrowed) {
                // What comes right behind BORROWED may be faster than who waits for that.
                awaitUninterruptibly(descriptionRead);
            }
            if (description == null) {
                throw new BrokenFrameException(
                        Code.OUT_OF_STATE, layout.type(), layout.name() + " came before BORROWED.");
            }
            switch (layout.type()) {
                case DmaRead.TYPE -> dmaRead(frame, at);
                case DmaWrite.TYPE -> dmaWrite(frame, at, length);
                case Interrupt.TYPE -> interrupt(frame, at);
                case Event.TYPE -> event(frame, at, length);
                default ->
                        throw new BrokenFrameException(
                                Code.OUT_OF_STATE,
                                layout.type(),
                                layout.name() + " is never sent to a slot.");
            }
        }

        private boolean isStale(MemorySegment frame, long at) {
            return Header.GENERATION.getInt(frame, at) != generation;
        }

        private void dmaRead(MemorySegment frame, long at) throws BrokenFrameException {
            long address = DmaRead.ADDRESS.get(frame, at);
            long length = DmaRead.LENGTH.get(frame, at);
            int tag = Header.TAG.getInt(frame, at);
            if (length < 1 || length > Messages.MAX_DMA_BYTES) {
                throw Messages.bad(DmaRead.TYPE, length + " bytes; 1 to 0x100000 are possible");
            }
            if (isStale(frame, at)) {
                staleDropped.incrementAndGet();
                answer(tag, CompletionStatus.STALE_GENERATION, 0);
                return;
            }
            int seen = Header.GENERATION.getInt(frame, at);
            if (Outbox.isLong(length)) {
                readLong(seen, address, (int) length, tag);
                return;
            }
            CompletionStatus status = reach(seen, address, scratch.asSlice(0, length));
            answer(tag, status, status.isSuccess() ? (int) length : 0);
        }

        private CompletionStatus reach(int seen, long address, MemorySegment into) {
            PciHost now = enter(address, into.byteSize(), Direction.READ);
            if (now == null) {
                refuse(host, address, into.byteSize(), Direction.READ);
                return CompletionStatus.COMPLETER_ABORT;
            }
            try {
                return now.read(seen, address, into);
            } finally {
                leave();
            }
        }

        /**
         * The host to reach the memory by, until {@link #leave}; null where the driver did not map
         * all of it. Memory that is not served while the driver waits is reached without the lock:
         * who takes it back would be what the host waits for.
         */
        @SuppressWarnings("LockNotBeforeTry") // Held until leave().
        private PciHost enter(long address, long length, Direction direction) {
            reaching.lock();
            PciHost now = host;
            if (now == null || table.resolve(address, length, direction).isEmpty()) {
                reaching.unlock();
                return null;
            }
            if (!table.servedWhileWaiting(address, length)) {
                reaching.unlock();
            }
            return now;
        }

        private void leave() {
            if (reaching.isHeldByCurrentThread()) {
                reaching.unlock();
            }
        }

        /** The data are read to where they are sent from. */
        private void readLong(int seen, long address, int length, int tag) {
            SentFrames.Chunk made = out.reserve(Data.DATA_AT + length);
            MemorySegment into = made.memory().asSlice(Data.DATA_AT, length);
            CompletionStatus status = reach(seen, address, into);
            if (!status.isSuccess()) {
                answer(tag, status, 0);
                return;
            }
            // All of its eight bytes: SUCCESS is 0.
            made.memory().set(ValueLayout.JAVA_LONG, Data.STATUS.offset(), 0);
            int bytes = Data.DATA_AT + length;
            out.send(made, Data.TYPE, Messages.COMPLETION, generation, tag, bytes);
        }

        private void answer(int tag, CompletionStatus status, int length) {
            int bytes = Data.DATA_AT + length;
            int at = out.begin(Data.TYPE, Messages.COMPLETION, generation, tag, bytes);
            if (at >= 0) {
                Data.STATUS.set(out.memory(), at, status.code());
                MemorySegment.copy(scratch, 0, out.memory(), at + (long) Data.DATA_AT, length);
                out.end(true);
            }
        }

        private void dmaWrite(MemorySegment frame, long at, int frameLength)
                throws BrokenFrameException {
            long address = DmaWrite.ADDRESS.get(frame, at);
            long length = (long) frameLength - DmaWrite.DATA_AT;
            if (length < 1 || length > Messages.MAX_DMA_BYTES) {
                throw Messages.bad(DmaWrite.TYPE, length + " bytes; 1 to 0x100000 are possible");
            }
            if (isStale(frame, at)) {
                staleDropped.incrementAndGet();
                return;
            }
            PciHost now = enter(address, length, Direction.WRITE);
            if (now == null) {
                refuse(host, address, length, Direction.WRITE);
                return;
            }
            MemorySegment from = frame.asSlice(at + DmaWrite.DATA_AT, length);
            CompletionStatus status;
            try {
                status = now.write(Header.GENERATION.getInt(frame, at), address, from);
            } finally {
                leave();
            }
            if (status == CompletionStatus.COMPLETER_ABORT) {
                refuse(now, address, length, Direction.WRITE);
            }
        }

        /** Nothing was transferred: the log, the driver's side and the lender hear of it. */
        private void refuse(PciHost now, long address, long length, Direction direction) {
            String why = "The driver mapped no such memory for the function.";
            FunctionEvent.DmaRefused refused =
                    new FunctionEvent.DmaRefused(address, length, direction, why);
            long number = refusals.incrementAndGet();
            if (Long.bitCount(number) == 1) {
                LOG.log(
                        Level.WARNING,
                        String.format(
                                "%s: DMA %s of 0x%x bytes at 0x%x by %s refused (number %d): %s",
                                name, direction, length, address, peerWords(), number, why));
            }
            if (now != null) {
                now.event(refused);
            }
            // Where the lender gives no credit now it hears nothing: it may be in a handler that
            // waits for DMA, which waits for this thread.
            Composer payload = new Composer();
            Messages.compose(refused, payload);
            sendNow(Event.TYPE, Messages.POSTED, 0, payload.toBytes());
        }

        private void interrupt(MemorySegment frame, long at) throws BrokenFrameException {
            InterruptKind kind = InterruptKind.ofCode(Interrupt.KIND.getInt(frame, at));
            int vector = Interrupt.VECTOR.getInt(frame, at);
            if (kind == null || vector >= description.vectors(kind)) {
                throw Messages.bad(
                        Interrupt.TYPE, "vector " + vector + " of " + kind + " does not exist");
            }
            PciHost now = host;
            if (isStale(frame, at)) {
                staleDropped.incrementAndGet();
            } else if (now != null) {
                now.interrupt(Header.GENERATION.getInt(frame, at), kind, vector);
            }
        }

        private void event(MemorySegment frame, long at, int length) throws BrokenFrameException {
            FunctionEvent event = Messages.event(frame, at, length);
            if (event instanceof FunctionEvent.DescriptionChanged) {
                if (descriptionsDue.getAndIncrement() == 0) {
                    Thread.ofPlatform()
                            .daemon(true)
                            .name("farslot-describe")
                            .start(this::describeAgain);
                }
                return;
            }
            tell(event);
        }

        private void tell(FunctionEvent event) {
            PciHost now = host;
            if (event != null && now != null) {
                now.event(event);
            }
        }

        /** Not on the dispatcher: the lender may be in a handler that waits for DMA. */
        private void describeAgain() {
            int due;
            do {
                due = descriptionsDue.get();
                askDescription();
                tell(new FunctionEvent.DescriptionChanged());
            } while (descriptionsDue.addAndGet(-due) > 0);
        }

        private void askDescription() {
            try {
                Answer answer = ask(Describe.TYPE, new byte[0]);
                MemorySegment frame = answer.frames();
                Cursor cursor = Messages.tail(Description.LAYOUT, frame, 0, frame.byteSize());
                remember(Messages.description(Description.TYPE, cursor));
            } catch (BrokenFrameException broken) {
                breakBy(broken);
            } catch (RefusedException | LinkException failed) {
                LOG.log(Level.WARNING, "{0}: no new description: {1}", name, failed.getMessage());
            }
        }

        // Resume.

        private volatile boolean handingOver;

        /** One thread at a time resumes. */
        private long attempts;

        @Override
        boolean canResume() {
            return session != null && (handingOver || !endIsCertain());
        }

        @Override
        void handingOver() {
            handingOver = true;
        }

        /** Longer than the lender waits, which may have noticed later. */
        @Override
        long graceNanos() {
            return session.grace().plus(options.deadAfter()).toNanos();
        }

        @Override
        void detached(LinkException why) {
            Thread.ofPlatform().daemon(true).name("farslot-resume-" + name).start(this::resume);
            if (!closing.get()) {
                listener.detached(why.getMessage());
            }
        }

        @Override
        void attached() {
            if (!closing.get()) {
                listener.resumed();
            }
        }

        /** Until it goes on, or has ended. */
        private void resume() {
            long unacknowledged = out.sequence() - out.acknowledged();
            awaitDetached();
            long pauseMillis = FIRST_RETRY_MILLIS;
            while (!isEnded()) {
                RefusedException refused = null;
                for (Address address : addresses.get()) {
                    try {
                        if (resumeAt(address, unacknowledged)) {
                            return;
                        }
                    } catch (RefusedException no) {
                        refused = no;
                    } catch (IOException failed) {
                        LOG.log(Level.DEBUG, "resuming " + name + " at " + address, failed);
                    }
                }
                if (refused != null && isFinal(refused.reason())) {
                    end(
                            Cause.LOST,
                            peerWords() + " lets the session not go on: " + refused.getMessage());
                    return;
                }
                try {
                    if (over.await(pauseMillis, TimeUnit.MILLISECONDS)) {
                        return;
                    }
                } catch (InterruptedException e) {
                    // Nobody has a reason to.
                }
                pauseMillis = Math.min(2 * pauseMillis, LAST_RETRY_MILLIS);
            }
        }

        private static boolean isFinal(RefusedException.Reason reason) {
            return reason != RefusedException.Reason.TAKEN
                    && reason != RefusedException.Reason.UNAVAILABLE;
        }

        /** One attempt; false where the link has ended meanwhile. */
        private synchronized boolean resumeAt(Address address, long unacknowledged)
                throws IOException, RefusedException {
            Connector.Connected connected = Connector.connect(address, options);
            boolean taken = false;
            try {
                Resumption.Answer answer =
                        new Resumption(connected.wire(), options, peerWords())
                                .ask(session, received(), ++attempts);
                if (!isPossible(answer.received())) {
                    breakBy(
                            new BrokenFrameException(
                                    Code.BAD_SEQUENCE,
                                    Resumed.TYPE,
                                    "RESUMED says that frame "
                                            + Long.toUnsignedString(answer.received())
                                            + " has come, which is impossible."));
                    return true;
                }
                handingOver = false;
                long lacking = out.sequence() - answer.received();
                resumes =
                        new Resumes(
                                resumes.times() + 1,
                                resumes.repeated() + lacking,
                                unacknowledged,
                                answer.unacknowledged());
                taken = attach(connected.wire(), answer.received(), answer.abilities());
                if (taken && answer.successor()) {
                    giveDescriptorsAgain();
                }
                return taken;
            } finally {
                if (!taken) {
                    connected.wire().close();
                }
            }
        }

        @Override
        void lost(LinkException why) {
            over.countDown();
            if (!closing.get()) {
                listener.ended(why);
            }
        }
    }
}
