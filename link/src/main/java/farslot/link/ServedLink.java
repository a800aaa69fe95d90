package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaTable;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.link.BrokenFrameException.Code;
import farslot.link.LinkException.Cause;
import farslot.link.Messages.Borrow;
import farslot.link.Messages.Borrowed;
import farslot.link.Messages.Data;
import farslot.link.Messages.Describe;
import farslot.link.Messages.Description;
import farslot.link.Messages.Event;
import farslot.link.Messages.Follow;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.Header;
import farslot.link.Messages.Hello;
import farslot.link.Messages.Interrupts;
import farslot.link.Messages.Kept;
import farslot.link.Messages.ListEntries;
import farslot.link.Messages.Listed;
import farslot.link.Messages.MapMemory;
import farslot.link.Messages.Observe;
import farslot.link.Messages.Observed;
import farslot.link.Messages.Operate;
import farslot.link.Messages.Read;
import farslot.link.Messages.Refused;
import farslot.link.Messages.Reset;
import farslot.link.Messages.Result;
import farslot.link.Messages.Resume;
import farslot.link.Messages.Resumed;
import farslot.link.Messages.Return;
import farslot.link.Messages.Unfollow;
import farslot.link.Messages.Unmap;
import farslot.link.Messages.Waiting;
import farslot.link.Messages.Write;
import farslot.posix.Descriptor;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The lender's end of one link: a control link until the peer borrows, then the only user of the
 * function that the {@link Offer} granted. Drives the function on the dispatcher, one request after
 * another in the link's order.
 */
final class ServedLink extends Connection implements Caller {
    private static final long MOST_MAPPED_FLAGS = MapMemory.SERVED_WHILE_WAITING;
    private static final int MOST_NEWS = 1024;

    /** Of what {@link #save} gives. */
    private static final int SAVED_VERSION = 1;

    private final Offer offer;
    private final Peer peer;
    private final Registry registry;
    private final DmaTable table = new DmaTable();
    private final Map<DmaMap, MappedMemory> mapped = new HashMap<>();
    private final AtomicReference<String> revoked = new AtomicReference<>();
    private final AtomicReference<Runnable> whenEnded = new AtomicReference<>();

    private volatile PciFunction function;
    private volatile LinkedHost host;
    private FunctionDescription description;
    private final Region[] regions = new Region[Region.COUNT];
    private volatile Grant grant;

    /** Whom {@link #holding} told. */
    private Grant holder;

    private volatile boolean returned;
    private MemorySegment scratch = Arena.ofAuto().allocate(64, 8);
    private volatile AutoCloseable observation;
    private volatile News news;

    /** What is followed over this link, or null. */
    private volatile RecordSender records;

    private long staleWrites;
    private long badAccesses;

    /** The session, once something is lent that outlives its connection. */
    private volatile Session session;

    /** The number of the frame that told the slot of it. */
    private volatile long sessionTold = -1;

    private final ReentrantLock resuming = new ReentrantLock();

    /** The last attempt to resume; under {@link #resuming}. */
    private long lastAttempt;

    private final RefusedException handingOver =
            new RefusedException(
                    RefusedException.Reason.UNAVAILABLE,
                    "The lender hands over to its successor: ask again in a moment.");

    /** Whether another process began this session. */
    private boolean successor;

    private volatile boolean handedOver;

    /** What was borrowed; its name here. */
    private volatile String name = "";

    /** All links of a server. */
    interface Registry {
        /** The link with this session, or null. */
        ServedLink find(byte[] secret);

        /** The link has ended. */
        default void gone(ServedLink link) {}

        /** Whether the functions are being handed over, and nothing new begins. */
        default boolean standsStill() {
            return false;
        }

        /** The link has a function from now on; false where it must not. */
        default boolean begin(ServedLink link) {
            return true;
        }
    }

    ServedLink(Wire wire, LinkOptions options, Offer offer, Peer peer, Registry registry) {
        super(wire, options, Hello.SERVER, "lent");
        this.offer = offer;
        this.peer = peer;
        this.registry = registry;
    }

    @Override
    public Peer peer() {
        return peer.named(peerName());
    }

    @Override
    public boolean observes() {
        return observation != null;
    }

    @Override
    public void turnAway(String sentence) {
        endByLender(Goodbye.TURNED_AWAY, sentence);
    }

    @Override
    String peerWords() {
        return "The peer " + peer();
    }

    @Override
    int generation() {
        PciFunction now = function;
        return now == null ? 0 : now.generation();
    }

    @Override
    void sawGeneration(int generation) throws BrokenFrameException {
        if (Integer.compareUnsigned(generation, generation()) > 0) {
            throw new BrokenFrameException(
                    Code.BAD_GENERATION,
                    0,
                    "A frame is of generation "
                            + Integer.toUnsignedString(generation)
                            + "; the function is in "
                            + generation()
                            + ".");
        }
    }

    @Override
    void dispatch(Layout layout, MemorySegment frame, long at, int length, Descriptor descriptor)
            throws BrokenFrameException {
        int type = layout.type();
        boolean control = type >= ListEntries.TYPE || type == Borrow.TYPE;
        if (control == (function != null) || returned) {
            if (descriptor != null) {
                descriptor.close();
            }
            throw new BrokenFrameException(
                    Code.OUT_OF_STATE,
                    type,
                    layout.name()
                            + (returned
                                    ? " came after RETURN."
                                    : control
                                            ? " came on a link that has a function."
                                            : " came before BORROW."));
        }
        int tag = Header.TAG.getInt(frame, at);
        switch (type) {
            case Read.TYPE -> read(frame, at, tag);
            case Write.TYPE -> write(frame, at, length, tag);
            case Interrupts.TYPE -> interrupts(frame, at);
            case MapMemory.TYPE -> map(frame, at, descriptor);
            case Unmap.TYPE -> done(tag, unmap(frame, at));
            case Reset.TYPE -> reset(frame, at, tag);
            case Event.TYPE -> refusedBySlot(frame, at, length);
            case Describe.TYPE -> describe(tag);
            case Return.TYPE -> giveBack(tag);
            case Borrow.TYPE -> borrow(frame, at, length, tag);
            case ListEntries.TYPE -> list(tag);
            case Operate.TYPE -> operate(frame, at, length, tag);
            case Observe.TYPE -> observe(tag);
            case Follow.TYPE -> follow(frame, at, length, tag);
            case Kept.TYPE -> following(type).kept(frame, at);
            case Unfollow.TYPE -> {
                following(type).finish();
                done(tag, CompletionStatus.SUCCESS);
            }
            default ->
                    throw new BrokenFrameException(
                            Code.OUT_OF_STATE, type, layout.name() + " is never sent to a lender.");
        }
    }

    @Override
    void holding(Layout layout, MemorySegment frame, long at, long millis) {
        Grant now = grant;
        if (now != null) {
            holder = now;
            now.held(
                    switch (layout.type()) {
                        case Read.TYPE ->
                                HeldAccess.of(
                                        Read.REGION.getInt(frame, at),
                                        Read.OFFSET.get(frame, at),
                                        false,
                                        millis);
                        case Write.TYPE ->
                                HeldAccess.of(
                                        Write.REGION.getInt(frame, at),
                                        Write.OFFSET.get(frame, at),
                                        true,
                                        millis);
                        default -> new HeldAccess(layout.name(), millis);
                    });
        }
    }

    @Override
    void held() {
        if (holder != null) {
            holder.heldNoMore();
            holder = null;
        }
    }

    // Accesses.

    private void read(MemorySegment frame, long at, int tag) throws BrokenFrameException {
        int index = Read.REGION.getInt(frame, at);
        int width = Read.WIDTH.getInt(frame, at);
        long length = Read.LENGTH.get(frame, at);
        long offset = Read.OFFSET.get(frame, at);
        checkAccess(Read.TYPE, width, length);
        if (Header.GENERATION.getInt(frame, at) != generation()) {
            answerRead(tag, CompletionStatus.STALE_GENERATION, 0);
            return;
        }
        Region region = region(index);
        if (region == null || !region.contains(offset, length)) {
            noteBadAccess("read", index, offset, length);
            answerRead(tag, CompletionStatus.UNSUPPORTED_REQUEST, 0);
            return;
        }
        MemorySegment into = scratch(length);
        CompletionStatus status = function.read(index, offset, into, width);
        answerRead(tag, status, status.isSuccess() ? (int) length : 0);
    }

    private MemorySegment scratch(long length) {
        if (scratch.byteSize() < length) {
            scratch = Arena.ofAuto().allocate(length, 8);
        }
        return scratch.asSlice(0, length);
    }

    private void answerRead(int tag, CompletionStatus status, int length) {
        int bytes = Data.DATA_AT + length;
        int at = out.begin(Data.TYPE, Messages.COMPLETION, generation(), tag, bytes);
        if (at >= 0) {
            Data.STATUS.set(out.memory(), at, status.code());
            MemorySegment.copy(scratch, 0, out.memory(), at + (long) Data.DATA_AT, length);
            out.end(true);
        }
    }

    private void write(MemorySegment frame, long at, int frameLength, int tag)
            throws BrokenFrameException {
        int index = Write.REGION.getInt(frame, at);
        int width = Write.WIDTH.getInt(frame, at);
        long length = Write.LENGTH.get(frame, at);
        long offset = Write.OFFSET.get(frame, at);
        long enables = Write.BYTE_ENABLES.get(frame, at);
        checkAccess(Write.TYPE, width, length);
        if (length != frameLength - Write.DATA_AT) {
            throw Messages.bad(
                    Write.TYPE,
                    "length " + length + " with " + (frameLength - Write.DATA_AT) + " bytes");
        }
        if (length > Long.SIZE && enables != PciFunction.ALL_BYTES) {
            throw Messages.bad(Write.TYPE, "byte enables with " + length + " bytes; 64 at most");
        }
        CompletionStatus status;
        Region region = region(index);
        if (Header.GENERATION.getInt(frame, at) != generation()) {
            staleWrites++;
            status = CompletionStatus.STALE_GENERATION;
        } else if (region == null || !region.contains(offset, length)) {
            noteBadAccess("write", index, offset, length);
            status = CompletionStatus.UNSUPPORTED_REQUEST;
        } else if (region.postedWrites() != (tag == 0)) {
            throw Messages.bad(
                    Write.TYPE,
                    region.label()
                            + " takes "
                            + (tag == 0 ? "non-posted" : "posted")
                            + " writes only");
        } else {
            MemorySegment data = frame.asSlice(at + Write.DATA_AT, length);
            status = function.write(index, offset, data, width, enables);
        }
        if (tag != 0) {
            done(tag, status);
        }
    }

    private static void checkAccess(int type, int width, long length) throws BrokenFrameException {
        if (length < 1 || length > Region.MAX_ACCESS_BYTES) {
            throw Messages.bad(type, length + " bytes; 1 to 0x100000 are possible");
        }
        if (width != 0 && (Integer.bitCount(width) != 1 || width > 64)) {
            throw Messages.bad(
                    type, "width " + width + "; 0 or a power of two up to 64 is possible");
        }
    }

    private Region region(int index) {
        return index < regions.length ? regions[index] : null;
    }

    private void noteBadAccess(String what, int region, long offset, long length) {
        badAccesses++;
        if (Long.bitCount(badAccesses) == 1) {
            LOG.log(
                    Level.WARNING,
                    String.format(
                            "%s: %s of %d bytes at offset 0x%x of region %d, which the function"
                                    + " does not have (number %d of its kind)",
                            peerWords(), what, length, offset, region, badAccesses));
        }
    }

    private void interrupts(MemorySegment frame, long at) throws BrokenFrameException {
        InterruptKind kind = InterruptKind.ofCode(Interrupts.KIND.getInt(frame, at));
        InterruptAction action = InterruptAction.ofCode(Interrupts.ACTION.getInt(frame, at));
        int first = Interrupts.FIRST.getInt(frame, at);
        int count = Interrupts.COUNT.getInt(frame, at);
        if (kind == null || action == null) {
            throw Messages.bad(Interrupts.TYPE, "the kind or the action is unknown");
        }
        if (count < 1 || first + count > description.vectors(kind)) {
            throw Messages.bad(
                    Interrupts.TYPE,
                    String.format(
                            "vectors %d to %d of %s; the function has %d",
                            first, first + count - 1, kind, description.vectors(kind)));
        }
        function.interrupts(kind, first, count, action);
    }

    // Maps.

    private void map(MemorySegment frame, long at, Descriptor descriptor)
            throws BrokenFrameException {
        long address = MapMemory.ADDRESS.get(frame, at);
        long length = MapMemory.LENGTH.get(frame, at);
        Direction direction = Direction.ofBits(MapMemory.DIRECTION.getInt(frame, at));
        int flags = MapMemory.MAP_FLAGS.getInt(frame, at);
        boolean served = (flags & MOST_MAPPED_FLAGS) != 0;
        MappedMemory memory = null;
        try {
            if (direction == null) {
                throw Messages.bad(MapMemory.TYPE, "the direction is unknown");
            }
            if (length < 1 || Long.compareUnsigned(address + length - 1, address) < 0) {
                throw Messages.bad(
                        MapMemory.TYPE,
                        String.format("0x%x bytes at 0x%x pass 2^64 or are none", length, address));
            }
            if (descriptor != null) {
                long offset = MapMemory.DESCRIPTOR_OFFSET.get(frame, at);
                memory = memory(descriptor, offset, length, direction);
            }
        } finally {
            if (descriptor != null && memory == null) {
                descriptor.close();
            }
        }
        NearMemory near = memory == null ? null : near(memory);
        DmaMap map = new DmaMap(address, length, direction, near, served);
        DmaTable.Change change = table.add(map);
        if (!change.status().isSuccess()) {
            if (memory != null) {
                memory.close();
            }
            throw Messages.bad(
                    MapMemory.TYPE,
                    String.format(
                            "0x%x bytes at 0x%x overlap another map, or are one map too many",
                            length, address));
        }
        forget(change.removed());
        if (memory != null) {
            mapped.put(map, memory);
        }
        host.mapped(!mapped.isEmpty());
        function.map(map);
    }

    private static NearMemory near(MappedMemory memory) {
        return new NearMemory(memory.segment(), memory.descriptor().number(), memory.offset());
    }

    private static MappedMemory memory(
            Descriptor descriptor, long offset, long length, Direction direction)
            throws BrokenFrameException {
        try {
            return MappedMemory.map(
                    descriptor,
                    offset,
                    length,
                    direction == Direction.READ
                            ? MappedMemory.Protection.READ_ONLY
                            : MappedMemory.Protection.READ_WRITE);
        } catch (IOException | RuntimeException notMemory) {
            throw new BrokenFrameException(
                    Code.BAD_DESCRIPTOR,
                    MapMemory.TYPE,
                    "The descriptor of a map cannot be mapped: " + notMemory.getMessage());
        }
    }

    private CompletionStatus unmap(MemorySegment frame, long at) {
        long address = Unmap.ADDRESS.get(frame, at);
        long length = Unmap.LENGTH.get(frame, at);
        DmaTable.Change change = table.remove(address, length);
        if (!change.status().isSuccess()) {
            return change.status();
        }
        CompletionStatus status = function.unmap(address, length);
        // Copies to near memory ended with remove; messages are in the link's order.
        forget(change.removed());
        host.mapped(!mapped.isEmpty());
        return status;
    }

    private void forget(List<DmaMap> removed) {
        for (DmaMap map : removed) {
            MappedMemory memory = mapped.remove(map);
            if (memory != null) {
                memory.close();
            }
        }
    }

    private void reset(MemorySegment frame, long at, int tag) throws BrokenFrameException {
        ResetKind kind = ResetKind.ofCode(Reset.KIND.getInt(frame, at));
        if (kind == null) {
            throw Messages.bad(Reset.TYPE, "the kind is unknown");
        }
        done(tag, function.reset(kind));
    }

    private void refusedBySlot(MemorySegment frame, long at, int length)
            throws BrokenFrameException {
        FunctionEvent event = Messages.event(frame, at, length);
        if (event instanceof FunctionEvent.DmaRefused refused) {
            host.logRefusal(refused);
        }
    }

    private void describe(int tag) {
        remember(function.describe());
        Composer payload = new Composer();
        Messages.compose(description, payload);
        send(Description.TYPE, Messages.COMPLETION, tag, payload.toBytes());
    }

    private void remember(FunctionDescription described) {
        description = described;
        for (int index = 0; index < regions.length; index++) {
            regions[index] = described.region(index).orElse(null);
        }
    }

    // The lease.

    private void borrow(MemorySegment frame, long at, int length, int tag)
            throws BrokenFrameException {
        if (records != null) {
            throw new BrokenFrameException(
                    Code.OUT_OF_STATE, Borrow.TYPE, "BORROW came on a link that follows.");
        }
        if (registry.standsStill()) {
            refuse(tag, handingOver);
            return;
        }
        name = Messages.text(Borrow.LAYOUT, frame, at, length);
        int flags = Borrow.FLAGS.getInt(frame, at);
        Duration patience = (flags & Borrow.WAIT) != 0 ? Wish.FOREVER : Duration.ZERO;
        Wish wish = new Wish(name, patience, (flags & Borrow.TAKE_OVER) != 0);
        Peer borrower = peer();
        Session fresh = peerResumes() && options.resumes() ? Session.random(options.grace()) : null;
        try {
            grant = offer.borrow(borrower, wish, new Held(borrower, fresh, tag));
        } catch (RefusedException refused) {
            refuse(tag, refused);
            return;
        } finally {
            whenEnded.set(null);
        }
        if (!registry.begin(this)) {
            endGrant(Grant.Ending.RETURNED, "The lender hands over, and lends nothing new.");
            refuse(tag, handingOver);
            return;
        }
        attach();
        Composer payload = new Composer();
        payload.u64(grant.epoch())
                .bytes(fresh == null ? new byte[Session.BYTES] : fresh.secret())
                .u32(fresh == null ? 0 : fresh.grace().toMillis())
                .u32(0);
        Messages.compose(description, payload);
        if (fresh != null) {
            out.keep();
            session = fresh;
        }
        send(Borrowed.TYPE, Messages.COMPLETION, tag, payload.toBytes());
        sessionTold = out.sequence();
    }

    private void attach() {
        PciFunction granted = grant.function();
        remember(granted.describe());
        host = new LinkedHost(this, granted, table, name);
        function = granted;
        granted.attach(host);
    }

    /** The lender's hold on this link's lease. */
    private final class Held implements Lease {
        private final Peer borrower;
        private final Session session;
        private final int tag;

        Held(Peer borrower, Session session, int tag) {
            this.borrower = borrower;
            this.session = session;
            this.tag = tag;
        }

        @Override
        public Peer borrower() {
            return borrower;
        }

        @Override
        public byte[] session() {
            return session == null ? null : session.secret();
        }

        @Override
        public void revoke(String sentence) {
            endByLender(Goodbye.REVOKED, sentence);
        }

        @Override
        public ClockRelation clock() {
            return measureClock();
        }

        @Override
        public void waiting(int place, int of, String sentence) {
            byte[] payload =
                    new Composer()
                            .u32(place)
                            .u32(of)
                            .text(sentence, Messages.MAX_SENTENCE_BYTES)
                            .toBytes();
            send(Waiting.TYPE, Messages.LINK, tag, payload);
        }

        @Override
        public void whenEnded(Runnable then) {
            whenEnded.set(then);
            if (isEnded()) {
                runWhenEnded();
            }
        }
    }

    // Resume.

    /** The session, or null where this link ends with its connection. */
    Session session() {
        return session;
    }

    /**
     * {@inheritDoc} Not before the slot is known to have heard of the session: else nobody would
     * come.
     */
    @Override
    boolean canResume() {
        return session != null
                && grant != null
                && !returned
                && !endIsCertain()
                && Long.compareUnsigned(out.acknowledged(), sessionTold) >= 0;
    }

    @Override
    long graceNanos() {
        return session.grace().toNanos();
    }

    @Override
    void detached(LinkException why) {
        Grant now = grant;
        LOG.log(Level.INFO, "{0} is away: {1}", peerWords(), why.getMessage());
        if (now != null) {
            now.detached(why.getMessage());
        }
    }

    @Override
    void attached() {
        Grant now = grant;
        LOG.log(Level.INFO, "{0} is back", peerWords());
        if (now != null) {
            now.resumed();
        }
        if (successor && !registry.standsStill()) {
            unpause();
        }
    }

    // Another process.

    /**
     * All that another process needs to go on with the session; after {@link #pause} and {@link
     * #leave}.
     *
     * @return null where the link has no session, or has ended
     */
    SavedSession save() {
        resuming.lock();
        try {
            Session now = session;
            Grant lease = grant;
            if (now == null || lease == null || returned || isEnded()) {
                return null;
            }
            Composer to = new Composer();
            to.u32(SAVED_VERSION).bytes(now.secret()).u32(now.grace().toMillis());
            to.u64(System.currentTimeMillis()).u64(lastAttempt);
            peer().save(to);
            List<DmaMap> maps = table.maps();
            to.u32(maps.size());
            for (DmaMap map : maps) {
                to.u64(map.address()).u64(map.length());
                to.u8(map.direction().bits()).u8(map.servedWhileWaiting() ? 1 : 0);
            }
            save(to);
            return new SavedSession(name, lease.epoch(), to.toBytes());
        } finally {
            resuming.unlock();
        }
    }

    /**
     * A session that another process saved. It begins to live by {@link #goOn}.
     *
     * @throws LinkException where it cannot be read
     */
    static ServedLink restored(
            SavedSession saved, LinkOptions options, Offer offer, Registry registry)
            throws LinkException {
        byte[] state = saved.state();
        Cursor from = new Cursor(MemorySegment.ofArray(state), 0, 0, state.length);
        try {
            if (state.length > SavedSession.MOST_BYTES || from.u32() != SAVED_VERSION) {
                throw new LinkException(
                        Cause.OTHER_VERSION,
                        "The saved session of "
                                + saved.function()
                                + " is another version's: it cannot go on.");
            }
            Session session = new Session(from.bytes(Session.BYTES), Duration.ofMillis(from.u32()));
            long away = System.currentTimeMillis() - from.u64();
            long attempt = from.u64();
            ServedLink link =
                    new ServedLink(new ClosedWire(), options, offer, Peer.restore(from), registry);
            link.name = saved.function();
            link.session = session;
            link.sessionTold = 0;
            link.lastAttempt = attempt;
            link.successor = true;
            link.restoreMaps(from);
            long sinceMillis = Math.clamp(away, 0, session.grace().toMillis());
            link.restore(
                    from,
                    link.peer.name(),
                    System.nanoTime() - Duration.ofMillis(sinceMillis).toNanos());
            from.finish();
            return link;
        } catch (BrokenFrameException broken) {
            throw new LinkException(
                    Cause.PROTOCOL,
                    "The saved session of "
                            + saved.function()
                            + " cannot be read: "
                            + broken.getMessage(),
                    broken);
        }
    }

    private void restoreMaps(Cursor from) throws BrokenFrameException {
        long count = from.u32();
        for (long number = 0; number < count; number++) {
            long address = from.u64();
            long length = from.u64();
            Direction direction = Direction.ofBits(from.u8());
            boolean served = from.u8() != 0;
            boolean possible =
                    direction != null
                            && length >= 1
                            && Long.compareUnsigned(address + length - 1, address) >= 0;
            if (!possible
                    || !table.add(new DmaMap(address, length, direction, null, served))
                            .status()
                            .isSuccess()) {
                throw Messages.bad(MapMemory.TYPE, "a saved map cannot be");
            }
        }
    }

    /**
     * Takes the function of a restored session, and waits for its slot.
     *
     * @throws RefusedException where the lender does not go on with it
     */
    void goOn(SavedSession saved) throws RefusedException {
        grant = offer.adopt(peer(), saved, new Held(peer(), session, 0));
        attach();
        host.assumeWritesUnderWay();
        table.maps().forEach(function::map);
        startDetached();
    }

    /** Another process goes on with the session: it ends here, and nobody is told. */
    void endHandedOver(String sentence) {
        handedOver = true;
        end(Cause.CLOSED, sentence);
    }

    /** The borrowed function, or null: a control link. */
    PciFunction function() {
        return function;
    }

    /** What RESUME asks for. */
    private record Asked(int tag, Session session, long received, long attempt) {}

    @Override
    void resume(MemorySegment frame, long at) {
        byte[] secret = new byte[Session.BYTES];
        long place = at + Resume.SESSION_LOW.offset();
        MemorySegment.copy(frame, ValueLayout.JAVA_BYTE, place, secret, 0, secret.length);
        Asked asked =
                new Asked(
                        Header.TAG.getInt(frame, at),
                        new Session(secret, Duration.ZERO),
                        Resume.RECEIVED.get(frame, at),
                        Resume.ATTEMPT.get(frame, at));
        Thread.ofPlatform().daemon(true).name("farslot-resume").start(() -> resume(asked));
    }

    /** This link's wire is another's from now on, or nobody's. */
    private void resume(Asked asked) {
        Wire wire = surrender();
        if (wire == null) {
            return;
        }
        boolean taken = false;
        try {
            if (registry.standsStill()) {
                throw handingOver;
            }
            ServedLink found = registry.find(asked.session().secret());
            if (found == null) {
                throw noSession();
            }
            taken = found.takeOver(this, wire, asked);
        } catch (RefusedException refused) {
            LOG.log(Level.WARNING, "{0} resumes nothing: {1}", peerWords(), refused.getMessage());
            answer(wire, asked, Refused.TYPE, refusal(refused));
            wire.finishWriting();
        } finally {
            if (!taken) {
                wire.close();
            }
        }
    }

    /** Answers RESUME, behind all that this link has sent. */
    private boolean answer(Wire wire, Asked asked, int type, byte[] payload) {
        byte[] frame =
                Handshake.frame(
                        type,
                        Messages.COMPLETION,
                        asked.tag(),
                        out.sequence() + 1,
                        received(),
                        payload);
        try {
            Handshake.write(wire, frame);
            return true;
        } catch (IOException gone) {
            LOG.log(Level.DEBUG, peerWords() + " has gone before it was answered", gone);
            return false;
        }
    }

    /** Unknown, wrong and ended look the same. */
    private static RefusedException noSession() {
        return new RefusedException(
                RefusedException.Reason.NOT_FOUND,
                "There is no such session: it has ended, or was another lender's.");
    }

    /**
     * Goes on over another link's wire; by that link's thread.
     *
     * @return whether the wire is this link's now
     */
    private boolean takeOver(ServedLink other, Wire next, Asked asked) throws RefusedException {
        resuming.lock();
        try {
            if (!peer.subject().equals(other.peer.subject())) {
                throw new RefusedException(
                        RefusedException.Reason.NOT_ALLOWED,
                        "Only who began a session may go on with it.");
            }
            if (isEnded() || returned) {
                throw noSession();
            }
            if (Long.compareUnsigned(asked.attempt(), lastAttempt) <= 0) {
                throw new RefusedException(
                        RefusedException.Reason.TAKEN,
                        "The session goes on already: a later attempt came before this one.");
            }
            lastAttempt = asked.attempt();
            if (!isPossible(asked.received())) {
                breakBy(
                        new BrokenFrameException(
                                Code.BAD_SEQUENCE,
                                Resume.TYPE,
                                "A resume says that frame "
                                        + Long.toUnsignedString(asked.received())
                                        + " has come, which is impossible."));
                throw noSession();
            }
            long unacknowledged = out.sequence() - out.acknowledged();
            detach(new LinkException(Cause.LOST, "Its slot has connected anew."), asked.received());
            byte[] resumed =
                    new Composer()
                            .u64(received())
                            .u32(successor ? Resumed.SUCCESSOR : 0)
                            .u32(unacknowledged)
                            .toBytes();
            return other.answer(next, asked, Resumed.TYPE, resumed)
                    && attach(next, asked.received(), other.peerAbilities());
        } finally {
            resuming.unlock();
        }
    }

    private void giveBack(int tag) {
        returned = true;
        detach();
        done(tag, CompletionStatus.SUCCESS);
        endGrant(Grant.Ending.RETURNED, peer() + " has given it back.");
    }

    /** Nothing of this link reaches the function after this, nor the function the slot. */
    private void detach() {
        if (host != null) {
            host.close();
        }
        if (function != null) {
            function.attach(null);
        }
        forget(table.clear());
    }

    private void endGrant(Grant.Ending how, String sentence) {
        Grant ending = grant;
        grant = null;
        if (ending != null && !handedOver) {
            ending.ended(how, sentence);
        }
    }

    /** Ends the link with a goodbye, on the lender's own accord. */
    void endByLender(int reason, String sentence) {
        revoked.compareAndSet(null, sentence);
        goodbye(Cause.CLOSED, reason, sentence);
    }

    @Override
    void distrusted(String sentence) {
        endByLender(Goodbye.REVOKED, sentence);
    }

    @Override
    void lost(LinkException why) {
        LinkedHost now = host;
        if (now != null) {
            now.close();
        }
        runWhenEnded();
    }

    private void runWhenEnded() {
        Runnable then = whenEnded.getAndSet(null);
        if (then != null) {
            then.run();
        }
    }

    @Override
    void finished(LinkException why) {
        try {
            if (observation != null) {
                observation.close();
            }
        } catch (Exception e) {
            LOG.log(Level.WARNING, peerWords() + ": an observation did not end", e);
        }
        if (news != null) {
            news.wake();
        }
        if (records != null) {
            records.close();
        }
        try {
            if (grant != null) {
                detach();
            }
        } finally {
            try {
                endGrant(ending(why), why.getMessage());
            } finally {
                registry.gone(this);
            }
            if (staleWrites > 0 || badAccesses > 0) {
                LOG.log(
                        Level.INFO,
                        "{0}: {1} writes of older generations dropped, {2} accesses out of range",
                        peerWords(),
                        staleWrites,
                        badAccesses);
            }
        }
    }

    private Grant.Ending ending(LinkException why) {
        if (revoked.get() != null) {
            return Grant.Ending.REVOKED;
        }
        return why.what() == Cause.PROTOCOL ? Grant.Ending.BROKEN : Grant.Ending.ABANDONED;
    }

    // Control.

    private void refuse(int tag, RefusedException refused) {
        send(Refused.TYPE, Messages.COMPLETION, tag, refusal(refused));
    }

    private static byte[] refusal(RefusedException refused) {
        String sentence = refused.getMessage() == null ? "" : refused.getMessage();
        return new Composer()
                .u16(refused.reason().code())
                .text(sentence, Messages.MAX_SENTENCE_BYTES)
                .toBytes();
    }

    private void list(int tag) {
        List<Entry> entries;
        try {
            entries = offer.list(peer());
        } catch (RefusedException refused) {
            refuse(tag, refused);
            return;
        }
        new Answering(Listed.TYPE, tag).all(entries, (entry, to) -> Messages.compose(entry, to));
    }

    private void operate(MemorySegment frame, long at, int length, int tag)
            throws BrokenFrameException {
        Messages.Order order = Messages.Order.decode(frame, at, length);
        List<Map<String, String>> rows;
        try {
            rows = offer.operate(peer(), order.action(), order.arguments());
        } catch (RefusedException refused) {
            refuse(tag, refused);
            return;
        }
        new Answering(Result.TYPE, tag).all(rows, (row, to) -> to.pairs(row));
    }

    /** An answer that is a list, in as many frames as it needs. */
    private final class Answering {
        private static final int FULL_BYTES = 0x8000;
        private final int type;
        private final int tag;

        Answering(int type, int tag) {
            this.type = type;
            this.tag = tag;
        }

        <T> void all(List<T> items, BiConsumer<T, Composer> compose) {
            Composer body = new Composer();
            int count = 0;
            for (T item : items) {
                if (body.length() >= FULL_BYTES) {
                    frame(body, count, Header.MORE);
                    body = new Composer();
                    count = 0;
                }
                compose.accept(item, body);
                count++;
            }
            frame(body, count, 0);
        }

        private void frame(Composer body, int count, int flags) {
            byte[] payload = new Composer().u16(count).bytes(body.toBytes()).toBytes();
            send(type, Messages.COMPLETION | flags, tag, payload);
        }
    }

    private void observe(int tag) {
        if (observation != null) {
            refuse(
                    tag,
                    new RefusedException(
                            RefusedException.Reason.BAD_ARGUMENT,
                            "This link observes already; one observation is enough."));
            return;
        }
        News told = new News();
        try {
            observation = offer.observe(peer(), told);
        } catch (RefusedException refused) {
            refuse(tag, refused);
            return;
        }
        done(tag, CompletionStatus.SUCCESS);
        Thread.ofPlatform().daemon(true).name("farslot-news").start(told::sendAll);
        news = told;
    }

    private void follow(MemorySegment frame, long at, int length, int tag)
            throws BrokenFrameException {
        FollowRequest request = Messages.follow(frame, at, length);
        if (records != null) {
            refuse(
                    tag,
                    new RefusedException(
                            RefusedException.Reason.BAD_ARGUMENT,
                            "This link follows already; another one can follow more."));
            return;
        }
        try {
            records = new RecordSender(this, offer.follow(peer(), request));
        } catch (RefusedException refused) {
            refuse(tag, refused);
            return;
        }
        records.start(tag);
    }

    private RecordSender following(int type) throws BrokenFrameException {
        if (records == null) {
            throw RecordSender.notFollowing(type);
        }
        return records;
    }

    /** The events that an observer is owed: whoever tells never waits for the observer. */
    private final class News implements Consumer<ObservedEvent> {
        private final ArrayDeque<ObservedEvent> events = new ArrayDeque<>();
        private int lost;

        @Override
        public void accept(ObservedEvent event) {
            synchronized (events) {
                if (events.size() == MOST_NEWS) {
                    lost++;
                    return;
                }
                events.add(
                        new ObservedEvent(
                                event.timeMillis(),
                                event.subject(),
                                event.what(),
                                event.sentence(),
                                lost));
                lost = 0;
                events.notifyAll();
            }
        }

        private ObservedEvent next() {
            synchronized (events) {
                while (events.isEmpty() && !isEnded()) {
                    try {
                        events.wait();
                    } catch (InterruptedException e) {
                        return null;
                    }
                }
                return events.poll();
            }
        }

        /** The link has ended, and so will the thread. */
        void wake() {
            synchronized (events) {
                events.notifyAll();
            }
        }

        void sendAll() {
            for (ObservedEvent event = next(); event != null; event = next()) {
                Composer payload = new Composer();
                Messages.compose(event, payload);
                if (!send(Observed.TYPE, Messages.POSTED, 0, payload.toBytes())) {
                    return;
                }
            }
        }
    }
}
