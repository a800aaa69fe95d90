package farslot.link;

import farslot.core.CompletionStatus;
import farslot.link.BrokenFrameException.Code;
import farslot.link.LinkException.Cause;
import farslot.link.Messages.Borrow;
import farslot.link.Messages.Clock;
import farslot.link.Messages.ClockTold;
import farslot.link.Messages.Credit;
import farslot.link.Messages.Done;
import farslot.link.Messages.ErrorMessage;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.Header;
import farslot.link.Messages.Held;
import farslot.link.Messages.Hello;
import farslot.link.Messages.KeepAlive;
import farslot.link.Messages.Preamble;
import farslot.link.Messages.Waiting;
import farslot.posix.Descriptor;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One link, at either end: frames in and out, credits, requests and their completions, signs of
 * life. What the frames mean is the ends' business ({@link #dispatch}).
 *
 * <p><b>Threads.</b> Whoever waits reads: one thread at a time has the reading, and what it reads
 * for others it hands over. Usually that is the dispatcher, which does what the peer asks, in
 * order; while it is busy, whoever waits for a completion reads; while nobody waits, the stand-in
 * does. The keeper sends signs of life, credits and notices, the outbox's writer what a burst of
 * posted frames leaves behind. None of them waits for the dispatcher, so an access that is held for
 * hours leaves the link alive. {@link LinkWatch} ends links whose peer is silent.
 *
 * <p>A link that can be resumed ({@link #canResume}) outlives its wire: when that breaks the link
 * is <em>detached</em>. Then nobody reads, what is sent is kept, requests wait, and {@link #attach}
 * goes on over another wire where the old one has stopped.
 *
 * <p>The lock is never held while anything blocks. The outbox's lock may be taken under it, not the
 * other way round.
 */
abstract class Connection implements LinkWatch.Watched {
    static final Logger LOG = System.getLogger("farslot.link");

    /** How long a peer may take to show that it speaks the protocol. */
    static final long HANDSHAKE_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** How long a peer may take to read the last words. */
    static final long LAST_WORDS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** For how long a peer that was let in is believed without asking again. */
    private static final long BELIEVED_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Accesses that wait in a row read for themselves; the dispatcher comes back after this. */
    private static final long STICKY_NANOS = 50_000;

    private static final long LONG_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long CLOCK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int CLOCK_ROUNDS = 16;

    /** Something a thread waits for. Asked under the connection's lock. */
    interface Wait {
        boolean isOver();

        Condition signal();
    }

    final LinkOptions options;
    final Outbox out;

    /** Replaced under the lock, while nobody reads or writes. */
    private volatile Wire wire;

    private final String label;
    private final int role;
    private volatile long startedNanos = System.nanoTime();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition dispatcherSignal = lock.newCondition();
    private final Condition standInSignal = lock.newCondition();
    private final Condition keeperSignal = lock.newCondition();
    private final Condition creditCame = lock.newCondition();
    private final Condition executed = lock.newCondition();
    private final Condition readingStopped = lock.newCondition();
    private final ArrayDeque<Condition> waiting = new ArrayDeque<>();
    private final CountDownLatch wireClosed = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);

    private final FrameReader reader;
    private boolean reading;
    private volatile boolean endOfStream;

    // Without a wire.

    private volatile boolean detached;
    private volatile long detachedNanos;
    private LinkException detachedBy;
    private Wire brokenWire;

    /** Whether what comes waits, and is not executed: the link stands still. */
    private boolean paused;

    private boolean executing;

    /** Whether {@link #holding} was told of what is being executed. */
    private boolean holding;

    /** The wire has been taken from this link, which will go on as another. */
    private volatile boolean surrendered;

    private final Inbox inbox = new Inbox();
    private final Accounts accounts = new Accounts();
    private final Requests requests = new Requests(lock);
    private final Notices notices = new Notices(this, lock, requests);
    private final Clocks clocks = new Clocks(lock);

    /** Held by who asks for the peer's clock. */
    private final ReentrantLock askingClock = new ReentrantLock();

    private boolean dispatcherIdle;
    private boolean standInWanted;
    private long stickyUntilNanos = System.nanoTime();
    private long dispatcherWaitNanos = STICKY_NANOS;
    private long lastAnswerNanos;
    private volatile boolean creditDue;
    private volatile long receivedSequence;
    private volatile long lastReceivedNanos = System.nanoTime();
    private volatile boolean helloSeen;
    private volatile String peerName = "";
    private volatile String peerProgram = "";
    private volatile long peerAbilities;
    private volatile LinkException end;
    private volatile long endedNanos;
    private volatile boolean lastWordsSaid;

    // The frame that the dispatcher is at, as the keeper sees it: the keeper's own.
    private long heldNumber = -1;
    private long heldSinceNanos;
    private long heldToldNumber = -1;
    private long heldToldNanos = System.nanoTime();

    private volatile long writeFailedNanos;

    /** When the peer was last believed: the watch's own. */
    private long believedNanos = System.nanoTime();

    private volatile Thread dispatcher;
    private volatile Thread keeper;

    /** Null where the peer is gone. */
    private LastWords lastWords;

    /**
     * @param role {@link Hello#CLIENT} or {@link Hello#SERVER}
     * @param label for threads and logs
     */
    Connection(Wire wire, LinkOptions options, int role, String label) {
        this.wire = wire;
        this.options = options;
        this.role = role;
        this.label = label;
        this.out = new Outbox(wire, this);
        this.reader = new FrameReader(wire, this, inbox);
    }

    // What the two ends add.

    /**
     * Does what a posted or non-posted frame asks; on the dispatcher, in order. The frame's bytes
     * are good until this returns. A non-posted one is answered within.
     *
     * @param descriptor what rode on the frame, now the callee's, or null
     */
    abstract void dispatch(
            Layout layout, MemorySegment frame, long at, int length, Descriptor descriptor)
            throws BrokenFrameException;

    /** The link has ended: on the keeper, at once, while the dispatcher may still be busy. */
    abstract void lost(LinkException why);

    /** The link has ended and the dispatcher is done: on the dispatcher, its last call. */
    abstract void finished(LinkException why);

    /** Ends the link since the peer is not to be believed any more; must return at once. */
    void distrusted(String sentence) {
        goodbye(Cause.UNTRUSTED, Goodbye.DONE, sentence);
    }

    /** The peer holds a request of this side, or something posted (null); on the keeper. */
    void held(Request request, long millis) {}

    /**
     * This side has been carrying out a frame for long, and is still; again with each notice, by
     * the keeper and under the lock: must return at once.
     */
    void holding(Layout layout, MemorySegment frame, long at, long millis) {}

    /**
     * What {@link #holding} told of has been carried out; by the dispatcher, under the lock: must
     * return at once.
     */
    void held() {}

    /** This side's borrow waits for its turn; on the keeper. */
    void waiting(int place, int of, String sentence) {}

    /** Whether the link outlives its wire, as things are; under the lock. */
    boolean canResume() {
        return false;
    }

    /** How long it waits for another wire. */
    long graceNanos() {
        return 0;
    }

    /** The wire broke, and the link waits for another; on the keeper. */
    void detached(LinkException why) {}

    /** The link goes on over another wire; on the keeper. */
    void attached() {}

    /** The peer says that another process will go on with the session; under the lock. */
    void handingOver() {}

    /**
     * The peer wants to go on with a session over this link's wire, which nobody reads any more; by
     * who reads, under the lock.
     */
    void resume(MemorySegment frame, long at) throws BrokenFrameException {
        throw new BrokenFrameException(
                Code.OUT_OF_STATE, Messages.Resume.TYPE, "RESUME is never sent to a client.");
    }

    /** A whole answer has come; by who reads, under the lock. */
    void answered(Layout layout) {}

    /** A frame's generation, before the frame itself; by who reads, under the lock. */
    void sawGeneration(int generation) throws BrokenFrameException {}

    /** The generation that this side's frames carry. */
    int generation() {
        return 0;
    }

    /** Whether completions push the posted frames before them. */
    boolean completionsPush() {
        return false;
    }

    /** Whether threads that wait in a row keep the reading for a moment. */
    boolean waitersKeepReading() {
        return false;
    }

    // Start.

    /** Starts the threads and says preamble and HELLO. */
    void start() {
        Handshake.speak(out, wire, options, role);
        startDetached();
    }

    /** Starts the threads. */
    void startDetached() {
        Thread.Builder.OfPlatform builder = Thread.ofPlatform().daemon(true);
        LinkWatch.add(this);
        dispatcher = builder.name("farslot-" + label).unstarted(this::dispatchLoop);
        keeper = builder.name("farslot-keep-" + label).unstarted(this::keepLoop);
        dispatcher.start();
        keeper.start();
        builder.name("farslot-read-" + label).start(this::standInLoop);
    }

    /** Waits until the peer has said HELLO. */
    void awaitHello() throws LinkException {
        lock.lock();
        try {
            Condition condition = lock.newCondition();
            awaitLocked(
                    new Wait() {
                        @Override
                        public boolean isOver() {
                            return helloSeen;
                        }

                        @Override
                        public Condition signal() {
                            return condition;
                        }
                    },
                    0);
            if (!helloSeen) {
                throw end;
            }
        } finally {
            lock.unlock();
        }
    }

    String peerName() {
        return peerName;
    }

    String peerProgram() {
        return peerProgram;
    }

    boolean peerResumes() {
        return (peerAbilities & Hello.RESUME) != 0;
    }

    long peerAbilities() {
        return peerAbilities;
    }

    /** Whether the end of the stream is the peer's end for sure, and no cut: on this computer. */
    boolean endIsCertain() {
        return wire.passesDescriptors();
    }

    boolean peerTakesDescriptors() {
        return wire.passesDescriptors() && (peerAbilities & Hello.DESCRIPTORS) != 0;
    }

    long received() {
        return receivedSequence;
    }

    /** How many bytes of the peer's frames wait here to be carried out. */
    public long bufferedBytes() {
        lock.lock();
        try {
            return end != null ? 0 : accounts.bufferedBytes();
        } finally {
            lock.unlock();
        }
    }

    LinkException ending() {
        return end;
    }

    boolean isEnded() {
        return end != null;
    }

    boolean isDetached() {
        return detached;
    }

    /** Whether what comes on the wire is this link's. */
    boolean isReadable() {
        return end == null && !detached && !surrendered;
    }

    boolean isDispatcher() {
        return Thread.currentThread() == dispatcher;
    }

    /** Waits until both sides are done and the dispatcher too. */
    void awaitClosed() {
        awaitUninterruptibly(closed);
    }

    static void awaitUninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    boolean awaitClosed(long nanos) {
        try {
            return closed.await(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    // Reading, by whoever waits.

    /** Reads once and handles what came. The lock is held before and after, not meanwhile. */
    private void readHere() {
        reading = true;
        if (end != null) {
            reader.clear();
        }
        lock.unlock();
        int count = -1;
        IOException failed = null;
        try {
            count = reader.read();
        } catch (IOException e) {
            failed = e;
        } finally {
            lock.lock();
            reading = false;
        }
        if (detached) {
            reader.clear();
            readingStopped.signalAll();
            return;
        }
        if (count < 0) {
            breakOffLocked(streamEnded(failed));
            endOfStream = !detached;
            reader.clear();
            LinkWatch.lookNow();
            return;
        }
        lastReceivedNanos = System.nanoTime();
        if (end != null) {
            reader.clear();
            return;
        }
        try {
            reader.took(count);
        } catch (BrokenFrameException broken) {
            breakLocked(broken);
        }
    }

    private LinkException streamEnded(IOException failed) {
        if (failed instanceof LinkException said) {
            return said;
        }
        if (!helloSeen) {
            return new LinkException(
                    Cause.NO_FARSLOT,
                    peerWords() + " closed the connection before saying what it is.",
                    failed);
        }
        return new LinkException(
                Cause.LOST,
                peerWords()
                        + (failed == null
                                ? " closed the connection without a goodbye."
                                : " is gone: " + failed.getMessage() + "."),
                failed);
    }

    /** For threads and logs. */
    String label() {
        return label;
    }

    /** How messages name the other side. */
    abstract String peerWords();

    /** The longest frame that may come at this time. */
    int longestFrame() {
        return helloSeen ? Messages.MAX_FRAME_BYTES : Messages.MAX_FIRST_FRAME_BYTES;
    }

    /** Whether the preamble has come whole; ends the link where it is not this protocol's. */
    boolean acceptsPreamble(MemorySegment seen, int length) {
        LinkException stranger = Handshake.stranger(seen, length, peerWords());
        if (stranger != null) {
            endLocked(stranger, LastWords.NONE);
            return false;
        }
        return length >= Preamble.BYTES;
    }

    /** The request whose data a long DATA frame can be read to directly, or null. */
    Request receiver(MemorySegment frame, int at, int bytes) {
        return requests.receiver(frame, at, bytes, keeper);
    }

    /** Does with a frame what can be done at once; the rest is the dispatcher's. */
    void handle(MemorySegment in, int at, int length, FrameReader.Place place)
            throws BrokenFrameException {
        Layout layout = Messages.check(in, at, length);
        long sequence = Header.SEQUENCE.get(in, at);
        if (sequence != receivedSequence + 1) {
            throw new BrokenFrameException(
                    Code.BAD_SEQUENCE,
                    layout.type(),
                    "Frame number " + sequence + " came after " + receivedSequence + ".");
        }
        long acknowledged = Header.ACKNOWLEDGED.get(in, at);
        if (Long.compareUnsigned(acknowledged, out.sequence()) > 0) {
            throw new BrokenFrameException(
                    Code.BAD_SEQUENCE,
                    layout.type(),
                    "Frame "
                            + Long.toUnsignedString(acknowledged)
                            + " is acknowledged, and "
                            + out.sequence()
                            + " is the last that was sent.");
        }
        if (helloSeen == (layout.type() == Hello.TYPE)) {
            throw new BrokenFrameException(
                    Code.OUT_OF_STATE,
                    layout.type(),
                    helloSeen
                            ? "HELLO came twice."
                            : layout.name() + " came before HELLO, which is the first message.");
        }
        out.acknowledged(acknowledged);
        receivedSequence = sequence;
        int trafficClass = Header.FLAGS.getInt(in, at) & Header.CLASS_MASK;
        checkDescriptors(layout, in, at);
        if (trafficClass == Messages.LINK) {
            linkMessage(layout, in, at, length);
            return;
        }
        accounts.received(layout, trafficClass, length);
        sawGeneration(Header.GENERATION.getInt(in, at));
        if (trafficClass == Messages.COMPLETION) {
            complete(layout, in, at, length, place);
            consumed(Messages.COMPLETION, length);
            return;
        }
        int tag = Header.TAG.getInt(in, at);
        if ((tag == 0) != (trafficClass == Messages.POSTED)) {
            throw new BrokenFrameException(
                    Code.BAD_TAG,
                    layout.type(),
                    layout.name()
                            + " came "
                            + Messages.className(trafficClass)
                            + " with tag "
                            + Integer.toUnsignedString(tag)
                            + "; tag 0 is for what is posted, and only for that.");
        }
        if (layout.type() == Messages.Resume.TYPE) {
            takeResume(in, at, length);
            return;
        }
        if (place == FrameReader.Place.INBOX) {
            inbox.addReserved(at, length);
        } else {
            // What is not taken, since a check fails, the wire closes.
            inbox.add(in, at, length, takeDescriptor(layout, in, at));
        }
        if (dispatcherIdle && !isDispatcher()) {
            dispatcherSignal.signal();
        }
    }

    private void takeResume(MemorySegment in, int at, int length) throws BrokenFrameException {
        if (receivedSequence != 2 || reader.hasMore(at + length)) {
            throw new BrokenFrameException(
                    Code.OUT_OF_STATE,
                    Messages.Resume.TYPE,
                    receivedSequence != 2
                            ? "RESUME came behind other frames; it is the first after HELLO."
                            : "Something came behind RESUME, before its answer.");
        }
        resume(in, at);
        surrendered = true;
    }

    private static void checkDescriptors(Layout layout, MemorySegment in, int at)
            throws BrokenFrameException {
        int count = Header.DESCRIPTORS.getInt(in, at);
        if (count > 1 || (count == 1 && layout.type() != Messages.MapMemory.TYPE)) {
            throw new BrokenFrameException(
                    Code.BAD_DESCRIPTOR,
                    layout.type(),
                    layout.name() + " announces " + count + " descriptors; one with MAP is all.");
        }
    }

    /** The descriptor that a frame announces; null where it announces none. */
    private Descriptor takeDescriptor(Layout layout, MemorySegment in, int at)
            throws BrokenFrameException {
        if (Header.DESCRIPTORS.getInt(in, at) == 0) {
            return null;
        }
        Descriptor descriptor = wire.takeDescriptor();
        if (descriptor == null) {
            throw new BrokenFrameException(
                    Code.BAD_DESCRIPTOR,
                    layout.type(),
                    "A descriptor is announced with MAP, and none came.");
        }
        return descriptor;
    }

    /** What was buffered is not any more. */
    private void consumed(int trafficClass, int length) {
        if (accounts.consumed(trafficClass, length)) {
            creditDue = true;
        }
    }

    private void linkMessage(Layout layout, MemorySegment in, int at, int length)
            throws BrokenFrameException {
        switch (layout.type()) {
            case Hello.TYPE -> takeHello(in, at, length);
            case Credit.TYPE -> {
                out.credit(in, at, Credit.POSTED_FRAMES.offset());
                creditCame.signalAll();
            }
            case Goodbye.TYPE -> {
                String sentence = Messages.text(layout, in, at, length);
                LinkException why =
                        new LinkException(
                                Cause.GOODBYE,
                                sentence.isBlank() ? peerWords() + " said goodbye." : sentence);
                if (Goodbye.REASON.getInt(in, at) == Goodbye.HANDING_OVER) {
                    // The session goes on with this number again.
                    receivedSequence = Header.SEQUENCE.get(in, at) - 1;
                    handingOver();
                    breakOffLocked(why);
                } else {
                    endLocked(why, null);
                }
            }
            case ErrorMessage.TYPE -> {
                String words =
                        peerWords()
                                + " ends the link ("
                                + Code.name(ErrorMessage.CODE.getInt(in, at))
                                + "): "
                                + Messages.text(layout, in, at, length);
                endLocked(new LinkException(Cause.PROTOCOL, words), null);
            }
            case Held.TYPE -> {
                int tag = Header.TAG.getInt(in, at);
                notices.held(
                        tag == 0, tag == 0 ? null : requests.byTag(tag), Held.MILLIS.get(in, at));
                keeperSignal.signal();
            }
            case Waiting.TYPE -> {
                if (role == Hello.SERVER) {
                    throw new BrokenFrameException(
                            Code.OUT_OF_STATE, layout.type(), "WAITING is never sent to a lender.");
                }
                Request request = requests.byTag(Header.TAG.getInt(in, at));
                String sentence = Messages.text(layout, in, at, length);
                if (request != null && request.type == Borrow.TYPE) {
                    notices.turn(Waiting.PLACE.getInt(in, at), Waiting.OF.getInt(in, at), sentence);
                    keeperSignal.signal();
                }
            }
            case Clock.TYPE -> {
                clocks.asked(Clock.ASKED.get(in, at));
                keeperSignal.signal();
            }
            case ClockTold.TYPE -> clocks.told(in, at);
            default -> {
                // KEEP_ALIVE: that it came is all it says.
            }
        }
    }

    private void takeHello(MemorySegment in, int at, int length) throws BrokenFrameException {
        Messages.Names names = Messages.Names.decode(in, at, length);
        Handshake.checkHello(in, at, options, role);
        out.credit(in, at, Hello.POSTED_FRAMES.offset());
        peerName = names.name();
        peerProgram = names.program();
        peerAbilities = Hello.ABILITIES.get(in, at);
        helloSeen = true;
        creditCame.signalAll();
        waiting.forEach(Condition::signal);
    }

    // Requests of this side, and their completions.

    /**
     * Reserves a place for a request. Its tag goes into the frame; then {@link #await} and {@link
     * #release}.
     *
     * @param into where the completion's data go, all of it, or null where none come
     * @param deadlineNanos by {@link System#nanoTime}, or 0 for none
     * @return null where the link has ended, or no place became free in time
     */
    Request request(int type, MemorySegment into, long deadlineNanos) {
        lock.lock();
        try {
            if (!requests.isOver()) {
                awaitLocked(requests, deadlineNanos);
            }
            if (end != null || !requests.isOver()) {
                return null;
            }
            return requests.begin(type, into, deadlineNanos == 0);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for a request's completion and gives its place back.
     *
     * @param deadlineNanos by {@link System#nanoTime}, or 0 for none
     * @return its status; null for an answer of another kind; TIMED_OUT also where the link ended
     */
    CompletionStatus await(Request request, long deadlineNanos) {
        lock.lock();
        try {
            if (!awaitLocked(request, deadlineNanos)) {
                awaitReceived(request);
                // The place stays taken until the late completion comes.
                request.phase = Request.Phase.ABANDONED;
                return CompletionStatus.TIMED_OUT;
            }
            if (completionsPush() && !isDispatcher()) {
                awaitBarrier(request.barrier, deadlineNanos);
            }
            request.unstage();
            CompletionStatus status = request.status;
            stickToReading();
            requests.free(request);
            return status;
        } finally {
            lock.unlock();
            settle();
        }
    }

    /** Waits until nobody reads to the waiter's memory any more: until the wire is shut at most. */
    private static void awaitReceived(Request request) {
        while (request.isReceiving()) {
            request.signal().awaitUninterruptibly();
        }
    }

    /** As {@link #await}, for answers that are not only a status; null where it did not come. */
    Answer awaitAnswer(Request request, long deadlineNanos) {
        lock.lock();
        try {
            if (!awaitLocked(request, deadlineNanos)) {
                request.phase = Request.Phase.ABANDONED;
                return null;
            }
            Answer answer =
                    new Answer(
                            request.answerType,
                            request.status,
                            MemorySegment.ofArray(request.takeAnswer()));
            requests.free(request);
            return answer;
        } finally {
            lock.unlock();
            settle();
        }
    }

    /**
     * A whole answer.
     *
     * @param status of DONE, else null
     * @param frames all frames of it, one after another, each with its header
     */
    record Answer(int type, CompletionStatus status, MemorySegment frames) {}

    /** Whether {@link #request} would not wait. */
    boolean hasFreeRequest() {
        lock.lock();
        try {
            return requests.isOver();
        } finally {
            lock.unlock();
        }
    }

    /** Gives back the place of a request that was never sent. */
    void release(Request request) {
        lock.lock();
        try {
            requests.free(request);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the dispatcher, not for the peer: whoever waits here does not read. */
    private void awaitBarrier(long barrier, long deadlineNanos) {
        boolean interrupted = false;
        while (inbox.released() < barrier && end == null) {
            long left = deadlineNanos == 0 ? Long.MAX_VALUE : deadlineNanos - System.nanoTime();
            if (left <= 0) {
                break;
            }
            try {
                executed.awaitNanos(left);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void stickToReading() {
        if (waitersKeepReading()) {
            long now = System.nanoTime();
            if (now - lastAnswerNanos < 2 * STICKY_NANOS) {
                stickyUntilNanos = now + STICKY_NANOS;
            }
            lastAnswerNanos = now;
        }
    }

    private void complete(
            Layout layout, MemorySegment in, int at, int length, FrameReader.Place place)
            throws BrokenFrameException {
        Request request = requests.answer(layout, in, at, length, place);
        if (request == null) {
            return;
        }
        answered(layout);
        if (request.phase == Request.Phase.ABANDONED) {
            requests.free(request);
            return;
        }
        request.phase = Request.Phase.DONE;
        request.barrier = inbox.added();
        request.signal().signal();
    }

    // Waiting.

    /** Waits, reading when nobody else does; false where the link or the time ended first. */
    private boolean awaitLocked(Wait wait, long deadlineNanos) {
        boolean interrupted = false;
        // Asked once each time: what was there, another may have taken a moment later.
        boolean over = wait.isOver();
        while (!over) {
            long left = deadlineNanos == 0 ? Long.MAX_VALUE : deadlineNanos - System.nanoTime();
            if (end != null || left <= 0) {
                break;
            }
            if (canRead()) {
                interrupted |= Thread.interrupted();
                readHere();
                if (creditDue) {
                    settleUnlocked();
                }
                over = wait.isOver();
                continue;
            }
            waiting.addLast(wait.signal());
            try {
                wait.signal().awaitNanos(left);
            } catch (InterruptedException e) {
                interrupted = true;
            } finally {
                waiting.removeLastOccurrence(wait.signal());
            }
            over = wait.isOver();
        }
        passOn();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return over;
    }

    private boolean canRead() {
        return !reading && !detached && !surrendered && !endOfStream;
    }

    /** Who had the reading and goes away wakes one that can have it. */
    private void passOn() {
        if (reading || !isReadable()) {
            return;
        }
        if (!waiting.isEmpty()) {
            waiting.peekFirst().signal();
        } else if (dispatcherIdle
                && (dispatcherWaitNanos > 4 * STICKY_NANOS
                        || System.nanoTime() - stickyUntilNanos >= 0)) {
            dispatcherSignal.signal();
        }
    }

    /** Waits for credit for a frame; false where the link or the time ended first. */
    boolean awaitCredit(int trafficClass, int length, long deadlineNanos) {
        lock.lock();
        try {
            return awaitLocked(
                    new Wait() {
                        @Override
                        public boolean isOver() {
                            return out.hasCredit(trafficClass, length);
                        }

                        @Override
                        public Condition signal() {
                            return creditCame;
                        }
                    },
                    deadlineNanos);
        } finally {
            lock.unlock();
        }
    }

    // The dispatcher.

    private void dispatchLoop() {
        lock.lock();
        try {
            while (awaitFrame()) {
                MemorySegment frame = inbox.firstMemory();
                int at = inbox.firstAt();
                int length = inbox.firstLength();
                Descriptor descriptor = inbox.takeFirstDescriptor();
                executing = true;
                passOn();
                lock.unlock();
                BrokenFrameException broken = null;
                try {
                    execute(frame, at, length, descriptor);
                } catch (BrokenFrameException e) {
                    broken = e;
                } finally {
                    lock.lock();
                }
                consumed(Header.FLAGS.getInt(frame, at) & Header.CLASS_MASK, length);
                inbox.release();
                executing = false;
                executed.signalAll();
                if (holding) {
                    holding = false;
                    held();
                }
                if (broken != null) {
                    breakLocked(broken);
                }
                if (creditDue) {
                    settleUnlocked();
                }
            }
            while (!inbox.isEmpty()) {
                inbox.release();
            }
            executed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            finished(end);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, label + ": ending the link failed", e);
        } finally {
            awaitUninterruptibly(wireClosed);
            closed.countDown();
        }
    }

    private boolean awaitFrame() {
        while ((inbox.isEmpty() || paused) && end == null) {
            dispatcherIdle = true;
            long sticky = stickyUntilNanos - System.nanoTime();
            if (canRead() && sticky <= 0) {
                dispatcherWaitNanos = STICKY_NANOS;
                readHere();
            } else {
                try {
                    if (reading) {
                        lengthenWait();
                    }
                    long own = canRead() ? sticky : LONG_WAIT_NANOS;
                    dispatcherSignal.awaitNanos(reading ? dispatcherWaitNanos : own);
                } catch (InterruptedException e) {
                    // Nobody has a reason to; the loop looks again.
                    continue;
                }
            }
            if (creditDue) {
                settleUnlocked();
            }
        }
        dispatcherIdle = false;
        return end == null;
    }

    /** Looks often while accesses follow each other, and ever more rarely while one waits. */
    private void lengthenWait() {
        boolean burst = System.nanoTime() - lastAnswerNanos < 4 * STICKY_NANOS;
        dispatcherWaitNanos =
                burst ? 2 * STICKY_NANOS : Math.min(2 * dispatcherWaitNanos, LONG_WAIT_NANOS);
    }

    private void execute(MemorySegment frame, int at, int length, Descriptor descriptor)
            throws BrokenFrameException {
        Layout layout = Messages.of(Header.TYPE.getInt(frame, at));
        int tag = Header.TAG.getInt(frame, at);
        try {
            if (layout.built()) {
                dispatch(layout, frame, at, length, descriptor);
            } else {
                refuseReserved(layout, tag);
            }
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, label + ": " + layout.name() + " failed", e);
            if (tag != 0) {
                done(tag, CompletionStatus.COMPLETER_ABORT);
            }
        }
    }

    private void refuseReserved(Layout layout, int tag) throws BrokenFrameException {
        if (tag == 0) {
            throw new BrokenFrameException(
                    Code.UNSUPPORTED,
                    layout.type(),
                    layout.name() + " is reserved, and this side does not support it yet.");
        }
        LOG.log(Level.WARNING, "{0}: {1} is not supported yet", label, layout.name());
        done(tag, CompletionStatus.UNSUPPORTED_ABILITY);
    }

    // Sending what every end sends.

    /** Answers a non-posted request with a status alone. */
    void done(int tag, CompletionStatus status) {
        int at = out.begin(Done.TYPE, Messages.COMPLETION, generation(), tag, Done.BYTES);
        if (at >= 0) {
            Done.STATUS.set(out.memory(), at, status.code());
            out.end(true);
        }
    }

    /** Sends a message that is not on a hot path; false where the link has ended. */
    boolean send(int type, int flags, int tag, byte[] payload) {
        return send(type, flags, tag, payload, 0);
    }

    /** As {@link #send}, but where there is no credit at this moment nothing is sent. */
    boolean sendNow(int type, int flags, int tag, byte[] payload) {
        return send(type, flags, tag, payload, System.nanoTime() | 1);
    }

    private boolean send(int type, int flags, int tag, byte[] payload, long deadlineNanos) {
        int length = Header.BYTES + payload.length;
        int at = out.begin(type, flags, generation(), tag, length, deadlineNanos);
        if (at < 0) {
            return false;
        }
        int place = at + Header.BYTES;
        MemorySegment.copy(payload, 0, out.memory(), ValueLayout.JAVA_BYTE, place, payload.length);
        out.end(true);
        return true;
    }

    private void settleUnlocked() {
        lock.unlock();
        try {
            settle();
        } finally {
            lock.lock();
        }
    }

    /** Sends the credits that are due. Never by who has the reading: a write may block. */
    private void settle() {
        if (!creditDue || end != null) {
            return;
        }
        long[] totals;
        lock.lock();
        try {
            if (!creditDue) {
                return;
            }
            creditDue = false;
            totals = accounts.grant();
        } finally {
            lock.unlock();
        }
        int at = out.begin(Credit.TYPE, Messages.LINK, generation(), 0, Credit.BYTES);
        if (at >= 0) {
            for (int index = 0; index < totals.length; index++) {
                Credit.LAYOUT.fields().get(index).set(out.memory(), at, totals[index]);
            }
            out.end(true);
        }
    }

    // Signs of life.

    private void keepLoop() {
        long tick = Math.max(options.keepAlive().toNanos() / 4, 1_000_000);
        while (end == null) {
            if (detached) {
                // Nobody hears it.
            } else if (System.nanoTime() - out.lastSentNanos()
                    >= options.keepAlive().toNanos() - tick) {
                out.tidy();
                int length = Header.BYTES;
                if (out.begin(KeepAlive.TYPE, Messages.LINK, generation(), 0, length) >= 0) {
                    out.end(true);
                }
            } else {
                out.flush();
            }
            noticeHeld();
            settle();
            answerClocks();
            notices.tell();
            lock.lock();
            try {
                if (end == null && !notices.areWaiting() && !creditDue && !clocks.areAsked()) {
                    keeperSignal.awaitNanos(tick);
                }
            } catch (InterruptedException e) {
                // Nobody has a reason to; the loop looks again.
            } finally {
                lock.unlock();
            }
        }
        if (lastWords != null) {
            if (lastWords.type() != 0) {
                out.lastWords(lastWords.type(), lastWords.payload());
            } else {
                out.flush();
            }
            wire.finishWriting();
        }
        lastWordsSaid = true;
        wakeStandIn();
        LinkWatch.lookNow();
        try {
            lost(end);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, label + ": telling the end of the link failed", e);
        }
    }

    // Clocks.

    private void answerClocks() {
        while (true) {
            Clocks.Asked question;
            lock.lock();
            try {
                question = clocks.take();
            } finally {
                lock.unlock();
            }
            if (question == null) {
                return;
            }
            if (!detached) {
                send(ClockTold.TYPE, Messages.LINK, 0, Clocks.answer(question));
            }
        }
    }

    /**
     * Measures how the peer's clock is related to this one's; the shortest of some round trips
     * tells best. Waits for a second at most.
     *
     * @return null where the peer answers no such question, or did not in time
     */
    ClockRelation measureClock() {
        if ((peerAbilities & Hello.CLOCK) == 0) {
            return null;
        }
        long deadlineNanos = System.nanoTime() + CLOCK_NANOS;
        askingClock.lock();
        try {
            ClockRelation best = null;
            for (int round = 0; round < CLOCK_ROUNDS && !isEnded(); round++) {
                ClockRelation one = askClock(deadlineNanos);
                if (one == null) {
                    break;
                }
                if (best == null || one.uncertaintyNanos() < best.uncertaintyNanos()) {
                    best = one;
                }
            }
            return best;
        } finally {
            askingClock.unlock();
        }
    }

    private ClockRelation askClock(long deadlineNanos) {
        long now = System.nanoTime();
        lock.lock();
        try {
            clocks.ask(now);
        } finally {
            lock.unlock();
        }
        int at = out.begin(Clock.TYPE, Messages.LINK, generation(), 0, Clock.BYTES);
        if (at < 0) {
            return null;
        }
        Clock.ASKED.set(out.memory(), at, now);
        out.end(true);
        lock.lock();
        try {
            return awaitLocked(clocks, deadlineNanos) ? clocks.answer() : null;
        } finally {
            lock.unlock();
        }
    }

    /** Tells the peer what is being done for long, and not forgotten; tag 0 is for posted ones. */
    private void noticeHeld() {
        int tag;
        long nanos;
        lock.lock();
        try {
            long now = System.nanoTime();
            if (!executing || inbox.released() != heldNumber) {
                heldNumber = executing ? inbox.released() : -1;
                heldSinceNanos = now;
                return;
            }
            nanos = now - heldSinceNanos;
            if (nanos < options.keepAlive().toNanos()) {
                return;
            }
            MemorySegment frame = inbox.firstMemory();
            int at = inbox.firstAt();
            tag = Header.TAG.getInt(frame, at);
            long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
            holding = true;
            holding(Messages.of(Header.TYPE.getInt(frame, at)), frame, at, millis);
        } finally {
            lock.unlock();
        }
        boolean told =
                System.nanoTime() - heldToldNanos < options.keepAlive().toNanos()
                        && heldToldNumber == heldNumber;
        if (told || detached) {
            return;
        }
        heldToldNanos = System.nanoTime();
        heldToldNumber = heldNumber;
        int at = out.begin(Held.TYPE, Messages.LINK, generation(), tag, Held.BYTES);
        if (at >= 0) {
            Held.MILLIS.set(out.memory(), at, TimeUnit.NANOSECONDS.toMillis(nanos));
            out.end(true);
        }
    }

    /** Somebody should read here soon: a write that is about to begin may wait for the peer. */
    void standIn() {
        lock.lock();
        try {
            if (!reading) {
                wakeStandInLocked();
            }
        } finally {
            lock.unlock();
        }
    }

    private void wakeStandIn() {
        lock.lock();
        try {
            wakeStandInLocked();
        } finally {
            lock.unlock();
        }
    }

    private void wakeStandInLocked() {
        standInWanted = true;
        standInSignal.signal();
    }

    private void standInLoop() {
        lock.lock();
        try {
            while (!endOfStream && !isWireClosed()) {
                boolean needed = end != null || (standInWanted && !dispatcherIdle);
                if (needed && canRead()) {
                    readHere();
                    if (creditDue) {
                        keeperSignal.signal();
                    }
                    continue;
                }
                if (standInWanted) {
                    standInWanted = false;
                    passOn();
                }
                standInSignal.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    // The end.

    /** {@inheritDoc} Called about forty times a second. */
    @Override
    public void watch(long now, long overslept) {
        closeBrokenWire();
        if (end != null) {
            boolean patient = now - endedNanos < LAST_WORDS_NANOS;
            if (!patient || lastWords == null || (lastWordsSaid && endOfStream)) {
                closeWire();
            }
            return;
        }
        if (overslept > 0) {
            // This process did not run: the peer's silence says nothing.
            lastReceivedNanos = Math.min(now, lastReceivedNanos + overslept);
            startedNanos = Math.min(now, startedNanos + overslept);
            detachedNanos = Math.min(now, detachedNanos + overslept);
        }
        if (detached) {
            if (now - detachedNanos > graceNanos()) {
                endOfGrace();
            }
            return;
        }
        if (now - believedNanos > BELIEVED_NANOS) {
            believedNanos = now;
            String objection = wire.objection();
            if (objection != null) {
                LOG.log(Level.WARNING, "{0}: {1}", peerWords(), objection);
                distrusted(objection);
                return;
            }
        }
        long silent = now - lastReceivedNanos;
        lock.lock();
        try {
            if (!reading && !dispatcherIdle) {
                wakeStandInLocked();
            }
        } finally {
            lock.unlock();
        }
        if (!helloSeen) {
            if (now - startedNanos > HANDSHAKE_NANOS) {
                end(Cause.NO_FARSLOT, peerWords() + " says nothing: no Farslot, or a stopped one.");
            }
        } else if (silent > options.deadAfter().toNanos()) {
            breakOff(
                    String.format(
                            "%s has been silent for %d ms: it hangs, or the way to it is broken.",
                            peerWords(), TimeUnit.NANOSECONDS.toMillis(silent)));
        } else if (out.blockedNanos(now) > 4 * options.deadAfter().toNanos()) {
            breakOff(peerWords() + " has stopped reading: what is sent to it piles up.");
        } else if (writeFailedNanos != 0 && now - writeFailedNanos > LAST_WORDS_NANOS) {
            breakOff(peerWords() + " is gone: nothing can be written to it any more.");
        }
    }

    private void endOfGrace() {
        LinkException why = detachedBy;
        end(
                Cause.LOST,
                String.format(
                        "%s did not come back within %d s: %s",
                        peerWords(),
                        TimeUnit.NANOSECONDS.toSeconds(graceNanos()),
                        why.getMessage()));
    }

    /**
     * A write failed. What the peer said before it left may still be there to be read, so the link
     * ends only a moment later. Called under the outbox's lock.
     */
    void writeFailed() {
        writeFailedNanos = System.nanoTime() | 1;
        LinkWatch.lookNow();
    }

    /**
     * More is sent and not acknowledged than can be kept: a correct peer acknowledges with the
     * credit that it gives, so this is none, or one that is away for long.
     */
    void keptTooMuch() {
        String sentence =
                String.format(
                        "More than %d MiB were sent to %s, and it has not acknowledged them: the"
                                + " session ends, since no more is kept.",
                        SentFrames.MOST_BYTES >> 20, peerWords());
        LastWords words = LastWords.error(Code.INTERNAL, 0, receivedSequence, sentence);
        end(new LinkException(Cause.LOST, sentence), words);
    }

    // From one wire to another.

    private void breakOff(String sentence) {
        breakOff(new LinkException(Cause.LOST, sentence));
    }

    /** The wire is of no use any more: the link waits for another where it can, else it ends. */
    void breakOff(LinkException why) {
        lock.lock();
        try {
            breakOffLocked(why);
        } finally {
            lock.unlock();
        }
    }

    private void breakOffLocked(LinkException why) {
        if (end != null || detached || surrendered) {
            return;
        }
        if (canResume()) {
            detachLocked(why);
        } else {
            endLocked(why, null);
        }
    }

    /**
     * The peer comes over another wire, and so proves that it knows the session: whatever the old
     * one looks like, it is of no use. Returns when nobody reads or writes there any more.
     */
    void detach(LinkException why, long peerReceived) {
        lock.lock();
        try {
            out.acknowledged(peerReceived);
            if (end == null && !detached) {
                detachLocked(why);
            }
        } finally {
            lock.unlock();
        }
        awaitDetached();
    }

    private void detachLocked(LinkException why) {
        detached = true;
        detachedNanos = System.nanoTime();
        detachedBy = why;
        brokenWire = wire;
        notices.detached(why);
        if (!reading) {
            reader.clear();
        }
        out.detach();
        wakeAll();
        LinkWatch.lookNow();
    }

    /** Wakes who reads or writes there. */
    private void closeBrokenWire() {
        Wire broken;
        lock.lock();
        try {
            broken = brokenWire;
            brokenWire = null;
        } finally {
            lock.unlock();
        }
        if (broken != null) {
            broken.close();
        }
    }

    /** Waits until nobody reads or writes at the broken wire. */
    void awaitDetached() {
        closeBrokenWire();
        out.awaitQuiet();
        lock.lock();
        try {
            while (reading) {
                readingStopped.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Goes on over another wire; after {@link #awaitDetached}. What the peer lacks is written
     * again.
     *
     * @param peerReceived the last frame that the peer has
     * @param abilities what the peer said in the HELLO of this wire
     * @return false where the link has ended: the wire is not its
     */
    boolean attach(Wire next, long peerReceived, long abilities) {
        lock.lock();
        try {
            if (end != null || !detached) {
                return false;
            }
            wire = next;
            peerAbilities = abilities;
            reader.attach(next);
            out.attach(next, peerReceived);
            lastReceivedNanos = System.nanoTime();
            writeFailedNanos = 0;
            detached = false;
            notices.attached();
            wakeAll();
        } finally {
            lock.unlock();
        }
        out.flush();
        return true;
    }

    /** Whether the peer can have received so much: what is known to be there, and was sent. */
    boolean isPossible(long peerReceived) {
        return Long.compareUnsigned(peerReceived, out.acknowledged()) >= 0
                && Long.compareUnsigned(peerReceived, out.sequence()) <= 0;
    }

    // Standing still, and another process.

    /** What comes from now on is not executed, until {@link #unpause}. */
    void pause() {
        lock.lock();
        try {
            paused = true;
        } finally {
            lock.unlock();
        }
    }

    void unpause() {
        lock.lock();
        try {
            paused = false;
            dispatcherSignal.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits, after {@link #pause}, until nothing is being executed.
     *
     * @return whether that is so, or the link has ended
     */
    boolean awaitPaused(long deadlineNanos) throws InterruptedException {
        lock.lock();
        try {
            long left = deadlineNanos - System.nanoTime();
            while (executing && end == null && left > 0) {
                left = executed.awaitNanos(left);
            }
            return !executing || end != null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Leaves the wire behind a whole frame, with a goodbye that promises another: nothing is sent
     * and nothing is taken any more.
     */
    void leave(String sentence) {
        boolean attached;
        lock.lock();
        try {
            attached = end == null && !detached;
            if (attached) {
                detachLocked(new LinkException(Cause.CLOSED, sentence));
                // Not yet: it has to hear of it.
                brokenWire = null;
            }
        } finally {
            lock.unlock();
        }
        if (attached) {
            sayHandingOver(sentence);
            lock.lock();
            try {
                brokenWire = wire;
            } finally {
                lock.unlock();
            }
        }
        awaitDetached();
    }

    private void sayHandingOver(String sentence) {
        if (!out.awaitQuiet(LAST_WORDS_NANOS)) {
            return;
        }
        byte[] payload = LastWords.goodbye(Goodbye.HANDING_OVER, sentence).payload();
        try {
            Handshake.write(
                    wire,
                    Handshake.frame(
                            Goodbye.TYPE,
                            Messages.LINK,
                            0,
                            out.sequence() + 1,
                            receivedSequence,
                            payload));
            wire.finishWriting();
        } catch (IOException gone) {
            LOG.log(Level.DEBUG, peerWords() + " has gone before it could hear of it", gone);
        }
    }

    /**
     * All of the session's counts and frames, for another process; after {@link #leave}.
     *
     * @throws IllegalStateException where a request of this side is under way: the function does
     *     not stand still
     */
    void save(Composer to) {
        lock.lock();
        try {
            Request request = requests.underWay();
            if (request != null) {
                throw new IllegalStateException(
                        "A "
                                + Messages.name(request.type)
                                + " of the function is still under way.");
            }
            to.u64(receivedSequence);
            out.save(to);
            accounts.save(to);
            inbox.save(to);
        } finally {
            lock.unlock();
        }
    }

    /** Goes on with what another process saved, without a wire; before {@link #startDetached}. */
    void restore(Cursor from, String name, long sinceNanos) throws BrokenFrameException {
        peerName = name;
        receivedSequence = from.u64();
        out.restore(from);
        accounts.restore(from);
        inbox.restore(from);
        helloSeen = true;
        detached = true;
        detachedNanos = sinceNanos;
        detachedBy = new LinkException(Cause.LOST, "The lender was handed over.");
        notices.detachedBefore();
        creditDue = true;
        paused = true;
    }

    /**
     * Gives up the wire, which another link goes on with, and ends; after {@link #resume}.
     *
     * @return the wire, or null where it was of no use any more
     */
    Wire surrender() {
        boolean ended = isEnded();
        end(Cause.CLOSED, "It goes on as a session.");
        boolean whole = out.surrender();
        if (ended || !whole) {
            wire.close();
            return null;
        }
        return wire;
    }

    private boolean isWireClosed() {
        return wireClosed.getCount() == 0;
    }

    private void closeWire() {
        if (!surrendered) {
            wire.close();
        }
        wireClosed.countDown();
        LinkWatch.remove(this);
        lock.lock();
        try {
            standInSignal.signal();
            keeperSignal.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the link by this side's decision, with no last words. */
    void end(Cause cause, String sentence) {
        end(new LinkException(cause, sentence), null);
    }

    /** Ends the link with a goodbye. */
    void goodbye(Cause cause, int reason, String sentence) {
        end(new LinkException(cause, sentence), LastWords.goodbye(reason, sentence));
    }

    private void end(LinkException why, LastWords words) {
        lock.lock();
        try {
            endLocked(why, words);
        } finally {
            lock.unlock();
        }
    }

    /** Ends the link over a frame that was found broken only when it was used. */
    void breakBy(BrokenFrameException broken) {
        lock.lock();
        try {
            breakLocked(broken);
        } finally {
            lock.unlock();
        }
    }

    /** Ends the link because the peer broke the protocol. */
    private void breakLocked(BrokenFrameException broken) {
        String words =
                peerWords()
                        + " broke the link protocol ("
                        + broken.code()
                        + "): "
                        + broken.getMessage();
        LOG.log(Level.WARNING, words);
        endLocked(
                new LinkException(Cause.PROTOCOL, words),
                LastWords.error(
                        broken.code(), broken.type(), receivedSequence, broken.getMessage()));
    }

    private void endLocked(LinkException why, LastWords words) {
        if (end != null) {
            return;
        }
        lastWords = detached ? null : words;
        endedNanos = System.nanoTime();
        end = why;
        if (!reading) {
            reader.clear();
        }
        out.close();
        wakeAll();
    }

    private void wakeAll() {
        dispatcherSignal.signalAll();
        standInSignal.signalAll();
        keeperSignal.signalAll();
        requests.signal().signalAll();
        creditCame.signalAll();
        executed.signalAll();
        waiting.forEach(Condition::signalAll);
    }
}
