package farslot.slot;

import farslot.core.CompletionStatus;
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
import farslot.link.HeldAccess;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * The function that a driver's side keeps while the borrowed one behind it comes and goes.
 *
 * <p><b>While the lender is silent or gone</b> an access is held, at most for the hold time from
 * its beginning ({@link #HOLD_MILLIS} unless told otherwise); then the function is suspended: reads
 * and other non-posted requests end at once as timed out (all-ones for the driver), posted writes
 * are dropped, both are counted. Nothing is answered late: a call returns once.
 *
 * <p><b>When a connection breaks and its session goes on</b> in time, nobody notices. Where it goes
 * on after an access was held in vain, the function has missed what it was told meanwhile: then it
 * comes back as a PCI Express function does whose link was down (PCI Express Base 4.0, 2.9.1 and
 * 6.6.1): reset, in a new generation, and nothing of the one before reaches the driver's memory.
 *
 * <p><b>When the session is lost</b> (the grace time is over, the lender was started anew) the
 * function is borrowed again when the lender is back, in the background, unless rejoining is not
 * wanted: then it is gone until there is another driver's side. What comes back has been reset, so
 * it is a new generation; it is given the DMA maps and interrupt settings that the driver's side
 * knows of, and must describe itself as the lost one did. An access that was held meanwhile is then
 * done on the fresh function: the state it may have reached before is gone with the lost one, so
 * nothing is done twice.
 *
 * <p><b>When the driver's side goes</b> ({@code attach(null)}: an emulator ended) the function is
 * returned at once; for the next one it is borrowed anew.
 *
 * <p><b>Threads.</b> As {@link PciFunction} says. A thread of its own borrows again.
 */
public final class HeldFunction implements PciFunction, AutoCloseable {
    /** Under the 5 s after which QEMU gives up on its server for good. */
    public static final long HOLD_MILLIS = 4000;

    private static final long FIRST_RETRY_MILLIS = 50;
    private static final long LAST_RETRY_MILLIS = 1000;

    private static final String DEAF = "it does not take in what the driver's side tells it";

    /** How often it is looked whether a function takes in what it is told. */
    private static final long LOOK_MILLIS = 500;

    /** A function that is not the one we had: asking for it resets it, so ask seldom. */
    private static final long OTHER_FUNCTION_RETRY_MILLIS = 10_000;

    private enum Phase {
        /** The driver's side is gone, the function returned. */
        IDLE,
        ATTACHED,
        /** The session has no connection and an access was held in vain; nothing passes. */
        DETACHED,
        /** Lost, or wanted by a new driver's side; being borrowed again. */
        ABSENT,
        /** Lost, and not to be borrowed again for this driver's side. */
        GONE,
        CLOSED
    }

    /**
     * How a function is held.
     *
     * @param holdMillis how long one access waits at most; less than the emulator waits
     * @param rejoin whether a lost function is borrowed again when its lender is back
     */
    public record Rules(long holdMillis, boolean rejoin) {
        /** Under QEMU's time-out, and rejoining. */
        public static final Rules DEFAULT = new Rules(HOLD_MILLIS, true);
    }

    /**
     * How it stands, for {@code farslot ps}.
     *
     * @param state "attached", "detached" (no connection; accesses wait), "suspended" (they are
     *     answered all-ones), "absent", "gone" or "idle"
     * @param generation as the driver's side counts
     * @param attachments how often a function was borrowed, the first time included
     * @param resumes how often its session went on over a new connection
     * @param detachedSinceMillis since when, by the clock, the session has no connection; 0 if it
     *     has one
     * @param unanswered non-posted accesses that were answered all-ones
     * @param dropped posted writes that were dropped
     * @param sentence what went wrong last, "" if nothing
     * @param held what the lender holds at this moment, "" if nothing
     * @param heldSinceMillis since when, by the clock; 0 if nothing is held
     */
    public record Status(
            String state,
            int generation,
            int attachments,
            long resumes,
            long detachedSinceMillis,
            long unanswered,
            long dropped,
            String sentence,
            String held,
            long heldSinceMillis) {}

    /** Maps and interrupt settings have no answer; each must be taken in by then. */
    private static final class Telling {
        private final Attachment attached;
        private final long deadlineNanos;

        Telling(Attachment attached, long deadlineNanos) {
            this.attached = attached;
            this.deadlineNanos = deadlineNanos;
        }

        boolean isLate() {
            return System.nanoTime() - deadlineNanos >= 0;
        }
    }

    private final Source source;
    private final long holdNanos;
    private final boolean rejoin;
    private final Consumer<String> talk;
    private final Runnable gone;
    private final HeldReport report;
    private final FunctionDescription description;
    private final boolean[] posted = new boolean[Region.COUNT];
    private final LongAdder unanswered = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final Thread keeper;

    private final Object lock = new Object();
    // Written under the lock; read without it on the way of an access.
    private volatile Attachment current;
    private volatile boolean suspended;
    // Guarded by the lock.
    private final DmaTable maps = new DmaTable();
    private final InterruptSettings interrupts = new InterruptSettings();
    private Phase phase;
    private PciHost host;

    /** Counts changes of host, maps and interrupt settings. */
    private long version;

    /** The generation that is shown while none is attached. */
    private int restGeneration;

    private long absentSinceNanos;
    private int attachments;
    private long resumes;

    /** In phase DETACHED: whose session is to go on. */
    private Attachment parked;

    private Attachment leaving;

    /** What was shut out last; DMA of before may still be on its last step. */
    private Attachment lastShut;

    private final Set<Telling> tellings = new HashSet<>();
    private String lastTrouble = "";

    private HeldFunction(
            Source source,
            Source.Borrow borrow,
            Contact contact,
            Rules rules,
            Consumer<String> talk,
            Runnable gone) {
        this.source = source;
        this.holdNanos = rules.holdMillis() * 1_000_000L;
        this.rejoin = rules.rejoin();
        this.talk = talk;
        this.gone = gone;
        report = new HeldReport(source.address(), talk);
        description = borrow.function().describe();
        for (Region region : description.regions()) {
            posted[region.index()] = region.postedWrites();
        }
        restGeneration = borrow.function().generation();
        current = new Attachment(borrow, contact, restGeneration);
        attachments = 1;
        phase = Phase.ATTACHED;
        keeper =
                Thread.ofPlatform().daemon().name("slot " + source.address()).unstarted(this::keep);
    }

    /**
     * Borrows a function and holds it.
     *
     * @param talk is told in sentences what happens; must not block
     * @param gone is run once when the function is lost and not to be borrowed again; must not
     *     block
     * @throws BorrowException when it cannot be had now
     */
    public static HeldFunction borrow(
            Source source, Rules rules, Consumer<String> talk, Runnable gone)
            throws BorrowException, InterruptedException {
        // A loss before there is somebody to tell is found by the keeper, which looks once.
        Contact contact = new Contact();
        Source.Borrow borrow = source.borrow(contact);
        HeldFunction function = new HeldFunction(source, borrow, contact, rules, talk, gone);
        contact.tell(function);
        function.keeper.start();
        return function;
    }

    /** Returns the function and stops. What is held ends as timed out. */
    @Override
    public void close() {
        Attachment last;
        synchronized (lock) {
            if (phase == Phase.CLOSED) {
                return;
            }
            last = rest(Phase.CLOSED);
            lock.notifyAll();
        }
        release(last);
        keeper.interrupt();
        try {
            keeper.join(5000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public Status status() {
        synchronized (lock) {
            Attachment with = current != null ? current : parked;
            long detachedSince = with == null ? 0 : with.contact.awaySinceMillis();
            boolean detached = detachedSince != 0;
            String state =
                    switch (phase) {
                        case IDLE -> "idle";
                        case ATTACHED ->
                                suspended ? "suspended" : detached ? "detached" : "attached";
                        case DETACHED -> "suspended";
                        case ABSENT -> suspended ? "suspended" : "absent";
                        case GONE -> "gone";
                        case CLOSED -> "closed";
                    };
            HeldReport.Held now = report.now();
            return new Status(
                    state,
                    generation(),
                    attachments,
                    resumes,
                    detachedSince,
                    unanswered.sum(),
                    dropped.sum(),
                    lastTrouble,
                    now == null ? "" : now.what(),
                    now == null ? 0 : now.sinceMillis());
        }
    }

    @Override
    public FunctionDescription describe() {
        return description;
    }

    @Override
    public int generation() {
        Attachment attached = current;
        if (attached != null) {
            return attached.generation();
        }
        synchronized (lock) {
            return current != null ? current.generation() : restGeneration;
        }
    }

    @Override
    public void attach(PciHost newHost) {
        Attachment attached;
        synchronized (lock) {
            if (phase == Phase.CLOSED) {
                return;
            }
            version++;
            maps.clear();
            interrupts.clear();
            host = newHost;
            if (newHost == null) {
                attached = rest(Phase.IDLE);
                lock.notifyAll();
            } else {
                attached = current;
                if (phase == Phase.IDLE) {
                    phase = Phase.ABSENT;
                    absentSinceNanos = System.nanoTime();
                    lock.notifyAll();
                }
            }
        }
        if (newHost == null) {
            release(attached);
        } else if (attached != null) {
            attached.function.attach(attached.around(newHost));
        } else {
            // The new driver's side asks at once; let it find the function there.
            usable(System.nanoTime());
        }
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        long start = System.nanoTime();
        while (true) {
            Attachment attached = usable(start);
            if (attached == null) {
                unanswered.increment();
                return CompletionStatus.TIMED_OUT;
            }
            CompletionStatus status = attached.function.read(region, offset, into, widthBytes);
            if (status.isSuccess()) {
                return status;
            }
            if (!lostWith(attached, status, start)) {
                if (status == CompletionStatus.TIMED_OUT) {
                    unanswered.increment();
                }
                return status;
            }
        }
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        long start = System.nanoTime();
        while (true) {
            Attachment attached = usable(start);
            if (attached == null) {
                return unwritten(region);
            }
            CompletionStatus status =
                    attached.function.write(region, offset, from, widthBytes, byteEnables);
            if (status.isSuccess()) {
                return status;
            }
            if (!lostWith(attached, status, start)) {
                return status == CompletionStatus.TIMED_OUT ? unwritten(region) : status;
            }
        }
    }

    private CompletionStatus unwritten(int region) {
        if (region >= 0 && region < posted.length && posted[region]) {
            dropped.increment();
            return CompletionStatus.SUCCESS;
        }
        unanswered.increment();
        return CompletionStatus.TIMED_OUT;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        Attachment attached;
        synchronized (lock) {
            interrupts.apply(kind, first, count, action);
            version++;
            attached = present();
        }
        if (attached != null) {
            Telling telling = begin(attached);
            attached.function.interrupts(kind, first, count, action);
            end(telling);
        }
    }

    @Override
    public void map(DmaMap map) {
        Attachment attached;
        synchronized (lock) {
            DmaTable.Change change = maps.add(map);
            if (!change.status().isSuccess()) {
                talk.accept(
                        "A DMA map at 0x"
                                + Long.toHexString(map.address())
                                + " overlaps another; it was not made.");
                return;
            }
            version++;
            attached = present();
        }
        if (attached != null) {
            Telling telling = begin(attached);
            attached.function.map(map);
            end(telling);
        }
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        Attachment attached;
        Attachment shut;
        synchronized (lock) {
            DmaTable.Change change = maps.remove(address, length);
            if (!change.status().isSuccess()) {
                return change.status();
            }
            version++;
            attached = current;
            shut = lastShut;
        }
        if (attached == null) {
            if (shut != null) {
                shut.awaitQuiet();
            }
            return CompletionStatus.SUCCESS;
        }
        CompletionStatus status = CompletionStatus.TIMED_OUT;
        if (!suspended) {
            Telling telling = begin(attached);
            status = attached.function.unmap(address, length);
            synchronized (lock) {
                tellings.remove(telling);
            }
        }
        if (status == CompletionStatus.TIMED_OUT || attached.borrow.isLost()) {
            // Nobody knows whether it has let go of the memory: it is not to be trusted any more.
            giveUp(attached, "it did not give up memory that the driver took back");
            attached.awaitQuiet();
            return CompletionStatus.SUCCESS;
        }
        return status;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        long start = System.nanoTime();
        Attachment attached = current;
        if (attached != null && !suspended) {
            CompletionStatus status = attached.function.reset(kind);
            boolean gone = !status.isSuccess() && lostWith(attached, status, start);
            if (!gone && status != CompletionStatus.TIMED_OUT) {
                return status;
            }
        }
        // What is not there comes back reset; what is there and silent is given up for that.
        attached = current;
        if (attached != null) {
            giveUp(attached, "it did not answer, and the driver's side asked for a reset");
        } else {
            synchronized (lock) {
                restGeneration++;
                version++;
            }
        }
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus quiesce() {
        Attachment attached = usable(System.nanoTime());
        return attached == null ? CompletionStatus.TIMED_OUT : attached.function.quiesce();
    }

    /**
     * The function to ask, waited for as long as an access that began at {@code startNanos} may be
     * held; null where it is to be answered without.
     */
    private Attachment usable(long startNanos) {
        Attachment attached = current;
        if (attached != null && !suspended) {
            return attached;
        }
        boolean interrupted = false;
        try {
            synchronized (lock) {
                while (!suspended && phase == Phase.ABSENT) {
                    long since = Math.min(startNanos - absentSinceNanos, 0) + absentSinceNanos;
                    long leftMillis = (since + holdNanos - System.nanoTime()) / 1_000_000L;
                    if (leftMillis <= 0) {
                        suspended = true;
                        talk.accept(
                                source.address()
                                        + " is still away; the driver reads all-ones until it is"
                                        + " back.");
                        break;
                    }
                    try {
                        lock.wait(leftMillis);
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
                return suspended ? null : current;
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Something is being told to a function that takes its time; the keeper looks after it. */
    private Telling begin(Attachment attached) {
        Telling telling = new Telling(attached, System.nanoTime() + holdNanos);
        synchronized (lock) {
            tellings.add(telling);
        }
        return telling;
    }

    private void end(Telling telling) {
        synchronized (lock) {
            tellings.remove(telling);
        }
        if (telling.isLate() && telling.attached == current) {
            giveUp(telling.attached, DEAF);
        }
    }

    /** Under the lock: what has not taken in for too long what it was told, or null. */
    private Attachment deaf() {
        for (Telling telling : tellings) {
            if (telling.isLate() && telling.attached == current) {
                return current;
            }
        }
        return null;
    }

    /** What posted settings are to be told to: what is attached, silent or not. */
    private Attachment present() {
        Attachment attached = current;
        return attached == null || attached.borrow.isLost() ? null : attached;
    }

    /**
     * Looks why a call failed.
     *
     * @return whether the function was lost, so that the access is to wait for the next; false
     *     where the status is the function's own answer, or its silence
     */
    private boolean lostWith(Attachment attached, CompletionStatus status, long startNanos) {
        if (attached.borrow.isLost() || current != attached) {
            synchronized (lock) {
                loseEnded(attached);
            }
            return true;
        }
        if (status == CompletionStatus.TIMED_OUT) {
            synchronized (lock) {
                if (current == attached && attached.contact.wasAwaySince(startNanos)) {
                    park(attached);
                } else if (current == attached && !suspended) {
                    suspended = true;
                    lastTrouble = "it does not answer";
                    talk.accept(
                            source.address()
                                    + " does not answer though its lender is there; the driver"
                                    + " reads all-ones until it does.");
                    lock.notifyAll();
                }
            }
        }
        return false;
    }

    /** The borrow ended by itself. */
    private void lost(String why) {
        synchronized (lock) {
            Attachment attached = current;
            lastTrouble = why;
            if (attached != null && attached.borrow.isLost()) {
                lose(attached, why);
            }
            lock.notifyAll();
        }
    }

    /** The connection broke; the session may go on. */
    private void detached(Contact contact, String why) {
        synchronized (lock) {
            if (current == null || current.contact != contact) {
                return;
            }
            lastTrouble = why;
            talk.accept(
                    source.address()
                            + " has no connection: "
                            + why
                            + (why.endsWith(".") ? "" : ".")
                            + " Accesses wait for another, each "
                            + seconds(holdNanos / 1_000_000L)
                            + " at most.");
            if (suspended) {
                park(current);
            }
            lock.notifyAll();
        }
    }

    /** The session goes on over another connection. */
    private void resumed(Contact contact, long awayMillis) {
        synchronized (lock) {
            resumes++;
            if (current != null && current.contact == contact) {
                lastTrouble = "";
                talk.accept(
                        source.address()
                                + " is connected again after "
                                + seconds(awayMillis)
                                + "; nothing was lost.");
            }
            lock.notifyAll();
        }
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }

    /**
     * Under the lock: an access was held in vain. What the function is told from now on it misses,
     * so it is not to act on what it was told before.
     */
    private void park(Attachment attached) {
        restGeneration = attached.generation() + 1;
        shut(attached);
        current = null;
        parked = attached;
        suspended = true;
        phase = Phase.DETACHED;
        talk.accept(
                source.address()
                        + " is suspended: an access waited in vain for a connection. The driver"
                        + " reads all-ones until there is one; then the function is reset.");
        lock.notifyAll();
    }

    /** It does not do what must be done: not there for now, or to be had afresh. */
    private void giveUp(Attachment attached, String why) {
        synchronized (lock) {
            if (current == attached && attached.contact.isAway()) {
                park(attached);
                return;
            }
            lastTrouble = why;
            lose(attached, why);
        }
        attached.borrow.giveBack();
    }

    /** Under the lock. */
    private void shut(Attachment attached) {
        attached.shut();
        report.end();
        lastShut = attached;
    }

    /** Under the lock: the borrow has ended by itself; that is seen before it is heard at times. */
    private void loseEnded(Attachment attached) {
        if (current == attached) {
            lastTrouble = attached.borrow.whyLost();
            lose(attached, lastTrouble);
        }
    }

    /** Under the lock: the attached function is gone. */
    private void lose(Attachment attached, String why) {
        if (current != attached) {
            return;
        }
        restGeneration = attached.generation() + 1;
        shut(attached);
        current = null;
        suspended = false;
        absent(attached, why);
    }

    /** Under the lock: what was attached or parked is lost. */
    private void absent(Attachment lost, String why) {
        leaving = lost;
        parked = null;
        absentSinceNanos = System.nanoTime();
        phase = rejoin ? Phase.ABSENT : Phase.GONE;
        suspended |= !rejoin;
        talk.accept(
                source.address()
                        + " is lost"
                        + (why.isEmpty() ? "" : ": " + why)
                        + (why.endsWith(".") ? " " : ". ")
                        + (rejoin
                                ? "It is borrowed again when its lender is back."
                                : "The driver reads all-ones from now on."));
        if (!rejoin) {
            gone.run();
        }
        lock.notifyAll();
    }

    /** Under the lock: nothing is wanted any more. Gives what was attached, to be released. */
    private Attachment rest(Phase resting) {
        Attachment last = parked;
        if (current != null) {
            last = current;
            restGeneration = last.generation() + 1;
            shut(last);
        }
        current = null;
        parked = null;
        suspended = false;
        phase = resting;
        return last;
    }

    private static void release(Attachment last) {
        if (last != null) {
            last.borrow.giveBack();
            last.awaitQuiet();
        }
    }

    /** The keeper's life: looks after what is lost or silent. */
    private void keep() {
        long retryMillis = FIRST_RETRY_MILLIS;
        try {
            while (true) {
                Attachment silent;
                Attachment left;
                Attachment deaf;
                Attachment back;
                synchronized (lock) {
                    while (isResting()) {
                        if (current != null && current.borrow.isLost()) {
                            loseEnded(current);
                            break;
                        }
                        if (deaf() != null) {
                            break;
                        }
                        retryMillis = FIRST_RETRY_MILLIS;
                        report.now();
                        lock.wait(LOOK_MILLIS);
                    }
                    deaf = deaf();
                    if (phase == Phase.CLOSED) {
                        return;
                    }
                    if (parked != null && parked.borrow.isLost()) {
                        lastTrouble = parked.borrow.whyLost();
                        absent(parked, lastTrouble);
                    }
                    back = parked;
                    silent = current;
                    left = leaving;
                    leaving = null;
                }
                if (deaf != null) {
                    giveUp(deaf, DEAF);
                    continue;
                }
                if (back != null) {
                    comeBack(back);
                    continue;
                }
                if (silent != null) {
                    probe(silent);
                    continue;
                }
                if (left != null) {
                    left.borrow.giveBack();
                    left.awaitQuiet();
                    tell(new FunctionEvent.Presence(false));
                }
                if (!isWanted()) {
                    continue;
                }
                long pauseMillis = borrowAgain() ? FIRST_RETRY_MILLIS : retryMillis;
                if (otherFunction) {
                    pauseMillis = OTHER_FUNCTION_RETRY_MILLIS;
                }
                pause(pauseMillis);
                retryMillis = Math.min(2 * retryMillis, LAST_RETRY_MILLIS);
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    /** Under the lock: whether the keeper has nothing to do. */
    private boolean isResting() {
        return switch (phase) {
            case IDLE -> leaving == null;
            case ATTACHED -> !suspended;
            case GONE -> leaving == null;
            case DETACHED, ABSENT, CLOSED -> false;
        };
    }

    private boolean isWanted() {
        synchronized (lock) {
            return phase == Phase.ABSENT;
        }
    }

    /** A suspended function: waits for its session, then lets it begin afresh. */
    private void comeBack(Attachment back) throws InterruptedException {
        back.awaitQuiet();
        tell(new FunctionEvent.Presence(false));
        synchronized (lock) {
            while (parked == back && back.contact.isAway() && !back.borrow.isLost()) {
                lock.wait(LOOK_MILLIS);
            }
            if (parked != back || back.borrow.isLost()) {
                return;
            }
        }
        ResetKind kind = mostThorough();
        CompletionStatus status =
                kind == null ? CompletionStatus.UNSUPPORTED_REQUEST : back.function.reset(kind);
        if (status.isSuccess()) {
            settle(back.borrow, back.contact);
            return;
        }
        synchronized (lock) {
            if (parked != back || back.contact.isAway() || back.borrow.isLost()) {
                return;
            }
            absent(back, "it is connected again and could not be reset (" + status + ")");
        }
    }

    private ResetKind mostThorough() {
        ResetKind most = null;
        for (ResetKind kind : ResetKind.values()) {
            most = description.resetKinds().contains(kind) ? kind : most;
        }
        return most;
    }

    /** Only the keeper's: what came back last was another function. */
    private boolean otherFunction;

    /** Waits while the function is absent, at most so long. */
    private void pause(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000L;
        synchronized (lock) {
            while (phase == Phase.ABSENT) {
                long left = (deadline - System.nanoTime()) / 1_000_000L;
                if (left <= 0) {
                    return;
                }
                lock.wait(left);
            }
        }
    }

    /** Asks a silent function something harmless until it answers or is lost. */
    private void probe(Attachment silent) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment identity = arena.allocate(4);
            CompletionStatus status = silent.function.read(Region.CONFIGURATION, 0, identity, 4);
            synchronized (lock) {
                if (silent.borrow.isLost()) {
                    loseEnded(silent);
                } else if (status != CompletionStatus.TIMED_OUT && current == silent) {
                    suspended = false;
                    lastTrouble = "";
                    talk.accept(source.address() + " answers again.");
                    lock.notifyAll();
                }
            }
        }
    }

    private boolean borrowAgain() throws InterruptedException {
        otherFunction = false;
        Contact contact = new Contact();
        contact.tell(this);
        Source.Borrow borrow;
        try {
            borrow = source.borrow(contact);
        } catch (BorrowException e) {
            trouble(e.getMessage());
            return false;
        }
        if (!borrow.function().describe().equals(description)) {
            borrow.giveBack();
            otherFunction = true;
            trouble(
                    "What is lent as "
                            + source.address()
                            + " now is another function than before; it cannot take its place."
                            + " End this slot and borrow anew.");
            return false;
        }
        return settle(borrow, contact);
    }

    /** Tells a trouble once, however often it is met. */
    private void trouble(String sentence) {
        synchronized (lock) {
            if (!sentence.equals(lastTrouble)) {
                lastTrouble = sentence;
                talk.accept(sentence);
            }
        }
    }

    /**
     * Gives a fresh function the driver's maps and interrupt settings, then lets accesses to it.
     */
    private boolean settle(Source.Borrow borrow, Contact contact) {
        while (true) {
            Attachment fresh;
            PciHost to;
            List<DmaMap> mapped;
            InterruptSettings settings;
            long seen;
            boolean unwanted;
            synchronized (lock) {
                fresh = new Attachment(borrow, contact, restGeneration);
                to = host;
                mapped = maps.maps();
                settings = interrupts.copy();
                seen = version;
            }
            if (to != null) {
                fresh.function.attach(fresh.around(to));
                mapped.forEach(fresh.function::map);
                settings.replayTo(fresh.function);
            }
            synchronized (lock) {
                if (phase == Phase.DETACHED && borrow.isLost()) {
                    return false;
                }
                boolean wanted = phase == Phase.ABSENT || phase == Phase.DETACHED;
                if (wanted && !borrow.isLost() && seen == version) {
                    attached(fresh);
                    break;
                }
                unwanted = !wanted || borrow.isLost();
            }
            if (unwanted) {
                borrow.giveBack();
                return false;
            }
            // Something changed meanwhile: begin again, with nothing left of this time.
            fresh.shut();
            fresh.function.attach(null);
        }
        tell(new FunctionEvent.NewGeneration(generation(), ResetKind.COLD));
        tell(new FunctionEvent.Presence(true));
        return true;
    }

    /** Under the lock: accesses pass from now on. */
    private void attached(Attachment fresh) {
        boolean same = phase == Phase.DETACHED;
        current = fresh;
        parked = null;
        phase = Phase.ATTACHED;
        suspended = false;
        attachments += same ? 0 : 1;
        lastTrouble = "";
        talk.accept(
                source.address()
                        + (same
                                ? " is connected again; it has been reset, since it missed what the"
                                        + " driver did meanwhile."
                                : " is borrowed again; it has been reset."));
        lock.notifyAll();
    }

    /**
     * What is heard of one borrow's connection, from before the function is attached on. Called by
     * the link's threads.
     */
    static final class Contact implements Source.LossListener {
        private HeldFunction owner;
        private long awaySinceMillis;
        private long awaySinceNanos;
        private long backNanos;
        private boolean wasAway;

        /** From now on there is somebody to tell. */
        private synchronized void tell(HeldFunction function) {
            owner = function;
        }

        private synchronized HeldFunction owner() {
            return owner;
        }

        synchronized boolean isAway() {
            return awaySinceMillis != 0;
        }

        /** By the clock; 0 while it is connected. */
        synchronized long awaySinceMillis() {
            return awaySinceMillis;
        }

        /** Whether it had no connection at some time since then. */
        synchronized boolean wasAwaySince(long startNanos) {
            return awaySinceMillis != 0 || (wasAway && backNanos - startNanos > 0);
        }

        @Override
        public void lost(String why) {
            HeldFunction function = owner();
            if (function != null) {
                function.lost(why);
            }
        }

        @Override
        public void held(HeldAccess access) {
            HeldFunction function = owner();
            if (function != null) {
                function.report.notice(access);
            }
        }

        @Override
        public void detached(String why) {
            HeldFunction function;
            synchronized (this) {
                awaySinceMillis = System.currentTimeMillis();
                awaySinceNanos = System.nanoTime();
                function = owner;
            }
            if (function != null) {
                function.detached(this, why);
            }
        }

        @Override
        public void resumed() {
            HeldFunction function;
            long awayMillis;
            synchronized (this) {
                awaySinceMillis = 0;
                wasAway = true;
                backNanos = System.nanoTime();
                awayMillis = (backNanos - awaySinceNanos) / 1_000_000L;
                function = owner;
            }
            if (function != null) {
                function.resumed(this, awayMillis);
            }
        }
    }

    private void tell(FunctionEvent event) {
        PciHost to;
        synchronized (lock) {
            to = host;
        }
        if (to != null) {
            to.event(event);
        }
    }
}
