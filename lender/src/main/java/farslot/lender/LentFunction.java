package farslot.lender;

import farslot.core.Ability;
import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.link.Entry;
import farslot.link.Grant;
import farslot.link.HeldAccess;
import farslot.link.Lease;
import farslot.link.Peer;
import farslot.link.RefusedException;
import farslot.link.Wish;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One function under its leases: a reset group of one. It is lent to one slot at a time; when a
 * lease ends, the function loses its driver's side, its maps and its interrupts, what is under way
 * is waited for, it is reset, its configuration space is compared with what it was when it was
 * made, and only then it is lent again.
 */
final class LentFunction {
    private static final System.Logger LOG = System.getLogger("farslot.lender");

    /** For how long a new borrower waits while the function is reset after the last one. */
    private static final long CLEANING_MILLIS = 3000;

    private static final long BARRED_SECONDS = 30;

    private static final long RESET_AGAIN_MILLIS = 1000;

    /** Of those who wait; the others are counted. */
    private static final int MOST_NAMED = 16;

    private static final ValueLayout.OfInt LITTLE_ENDIAN_WORD =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Shorter ones are slow, not held. */
    private static final long HELD_MILLIS = 1000;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    /** Hears what happens to the function. Any thread may call; must not block. */
    interface Witness {
        /**
         * Takes note.
         *
         * @param what in one word, for programs
         */
        void happened(String subject, String what, String sentence);

        /** Writes down what becomes of a lease: "ended", "away" or "back", and why. */
        default void record(String what, Peer borrower, String function, long epoch, String why) {}
    }

    private final String name;
    private final PciFunction function;
    private final PciFunction bare;
    private final FunctionDescription description;
    private final Witness witness;
    private final LeaseState state = new LeaseState(System.currentTimeMillis());

    /** What the configuration space was when the function was made. */
    private final byte[] powerOn;

    /** The last that was granted; its lease may be over. */
    private volatile FencedGrant current;

    /** Why the function is not as fresh as it was made, or empty. */
    private volatile String spoilt = "";

    /** Whom an operator took the function from may not grab it again at once. */
    private volatile String barredSlot;

    private volatile long barredUntilNanos;

    /** The access that the function has not ended for long, or null. */
    private volatile Held held;

    /**
     * An access that the function holds.
     *
     * @param what for people
     */
    record Held(String what, Instant since) {
        String words() {
            return what + " since " + TIME.format(since);
        }
    }

    /**
     * @param function with the taps that see all leases
     * @param bare without them: what is read of it here is nobody's access
     */
    LentFunction(String name, PciFunction function, PciFunction bare, Witness witness) {
        this.name = name;
        this.function = function;
        this.bare = bare;
        this.witness = witness;
        description = function.describe();
        powerOn = configuration();
    }

    String name() {
        return name;
    }

    /** The function itself, for operators. */
    PciFunction function() {
        return function;
    }

    Entry entry() {
        LeaseState.Snapshot now = state.snapshot();
        GrantedLease lease = now.lease();
        FunctionDescription.Identity identity = description.identity();
        return new Entry(
                name,
                description.kind(),
                "%04x:%04x class %06x"
                        .formatted(identity.vendor(), identity.device(), identity.classCode()),
                function.generation(),
                lease == null ? "" : lease.borrower(),
                lease == null ? 0 : lease.since().toEpochMilli(),
                details(now));
    }

    private Map<String, String> details(LeaseState.Snapshot now) {
        Map<String, String> details = new LinkedHashMap<>();
        FencedGrant grant = current;
        boolean lent = now.phase() == LeaseState.Phase.LENT;
        Instant away = lent && grant != null ? grant.awaySince : null;
        details.put(
                "state",
                label(now.phase())
                        + (away == null ? "" : ", away since " + TIME.format(away))
                        + (spoilt.isEmpty() ? "" : ", " + spoilt)
                        + heldWords());
        if (lent) {
            details.put("epoch", Long.toString(now.lease().epoch()));
            details.put("session", away == null ? "connected" : "away");
        }
        if (away != null) {
            details.put("away-since", Long.toString(away.toEpochMilli()));
        }
        List<String> waiting = state.waiting();
        if (!waiting.isEmpty()) {
            details.put("waiting", Integer.toString(waiting.size()));
            details.put("queue", queueWords(waiting));
        }
        return details;
    }

    private static String queueWords(List<String> waiting) {
        String names = String.join("; ", waiting.subList(0, Math.min(MOST_NAMED, waiting.size())));
        return waiting.size() > MOST_NAMED ? names + "; ..." : names;
    }

    private String heldWords() {
        Held now = held;
        return now == null ? "" : ", held: " + now.words();
    }

    /** The access that the function holds at this moment, or null. */
    Held held() {
        return held;
    }

    /** Told again and again by the link's keeper; said once, when it has lasted for a second. */
    private void held(HeldAccess access, String borrower) {
        if (held != null || access.millis() < HELD_MILLIS) {
            return;
        }
        Held now = new Held(access.what(), Instant.now().minusMillis(access.millis()));
        held = now;
        witness.happened(
                name,
                "held",
                name
                        + ": "
                        + now.what()
                        + " by "
                        + borrower
                        + " is held since "
                        + TIME.format(now.since())
                        + ".");
    }

    private static String label(LeaseState.Phase phase) {
        return switch (phase) {
            case FREE -> "free";
            case LENT -> "lent";
            case CLEANING -> "resetting";
            case CLOSED -> "closed";
        };
    }

    /**
     * Lends the function: now, or when it is the peer's turn, as the wish says.
     *
     * @throws RefusedException where it is taken (by whom, since when) or the lender is leaving
     */
    Grant lend(Peer peer, Wish wish, Lease link) throws RefusedException {
        if (peer.name().equals(barredSlot) && System.nanoTime() - barredUntilNanos < 0) {
            throw new RefusedException(
                    RefusedException.Reason.UNAVAILABLE,
                    name
                            + " was taken back from the slot \""
                            + peer.name()
                            + "\" by an operator, so that another can have it for now.");
        }
        FencedGrant earlier = wish.takeOver() ? earlierSession(peer) : null;
        LeaseState.Asking asking =
                earlier != null
                        ? LeaseState.Asking.NEXT
                        : wish.waits() ? LeaseState.Asking.WAIT : LeaseState.Asking.AFTER_CLEANING;
        long deadline =
                System.nanoTime()
                        + (wish.waits() ? wish.patience().toNanos() : CLEANING_MILLIS * 1_000_000L);
        GrantedLease lease = null;
        while (lease == null) {
            LeaseState.Ticket ticket = state.ask(peer.toString(), Instant.now(), asking);
            if (ticket != null && earlier != null) {
                takeOver(earlier, peer);
            }
            lease = ticket == null ? null : await(ticket, wish, link, deadline);
            if (lease == null && (wish.waits() || System.nanoTime() - deadline >= 0)) {
                throw notNow(state.snapshot());
            }
            if (lease == null) {
                askAgainOrGo();
            }
        }
        FencedGrant grant = new FencedGrant(lease, new Fence(function), link);
        current = grant;
        witness.happened(name, "borrowed", name + " is borrowed by " + lease.borrower() + ".");
        return grant;
    }

    /**
     * Goes on with what the last lender handed over, as if it had been lent here.
     *
     * @throws RefusedException where its state does not fit; the function is as new then
     */
    Grant adopt(Handover.Part part, Lease link) throws RefusedException {
        if (!state.adopt(part.lease())) {
            throw notNow(state.snapshot());
        }
        try {
            function.load(part.state());
        } catch (StateException e) {
            state.end(part.lease().epoch());
            state.cleaned(part.lease().epoch(), Instant.now());
            throw new RefusedException(
                    RefusedException.Reason.UNAVAILABLE,
                    name + " begins anew, after its lender has handed over: " + e.getMessage());
        }
        FencedGrant grant = new FencedGrant(part.lease(), new Fence(function), link);
        grant.awaySince = Instant.now();
        grant.atRest = true;
        current = grant;
        witness.happened(
                name, "adopted", name + " goes on for " + part.lease().borrower() + ", once back.");
        return grant;
    }

    /** Whether somebody has it, so that a handover has to carry it. */
    boolean isLent() {
        return state.phase() == LeaseState.Phase.LENT;
    }

    /** Why it cannot be handed over at all, or null. */
    String whyNotSavable() {
        return description.abilities().contains(Ability.SAVE_LOAD)
                ? null
                : name
                        + " cannot be handed over: a device of the kind "
                        + description.kind()
                        + " cannot be saved. Nothing has changed.";
    }

    /**
     * Brings the function to rest and saves it; {@link #goOn} or nothing follows.
     *
     * @throws StateException with the sentence; the function works on
     */
    byte[] saveAtRest() throws StateException {
        CompletionStatus status = function.quiesce();
        if (!status.isSuccess()) {
            throw new StateException(name + " does not come to rest (" + status + ").");
        }
        try {
            return function.save();
        } catch (StateException e) {
            function.resume();
            throw e;
        }
    }

    /** The handover is called off. */
    void goOn() {
        function.resume();
    }

    /** The lease that holds at this moment, or null. */
    GrantedLease lease() {
        LeaseState.Snapshot now = state.snapshot();
        return now.phase() == LeaseState.Phase.LENT ? now.lease() : null;
    }

    /**
     * The session that this peer still has under the same name, if it proves that it is the same.
     */
    private FencedGrant earlierSession(Peer peer) {
        FencedGrant grant = current;
        if (grant == null || peer.subject().isEmpty() || peer.name().isEmpty()) {
            return null;
        }
        Peer holder = grant.link.borrower();
        boolean same = holder.subject().equals(peer.subject()) && holder.name().equals(peer.name());
        return same && state.holds(grant.lease.epoch()) ? grant : null;
    }

    /** Fences it at once, whatever its link is doing; the link is told, and ends by itself. */
    private void takeOver(FencedGrant earlier, Peer peer) {
        String sentence = "A new session of the same slot has taken it over (" + peer + ").";
        earlier.link.revoke(sentence);
        earlier.ended(Grant.Ending.REVOKED, sentence);
    }

    /** Who came too late for one lease and meets the cleaning after it may have the next. */
    private void askAgainOrGo() throws RefusedException {
        LeaseState.Snapshot now = state.snapshot();
        if (!now.soon()) {
            throw notNow(now);
        }
    }

    /** Waits for the ticket's lease, or null; the peer is told where it stands, if it waits. */
    private GrantedLease await(LeaseState.Ticket ticket, Wish wish, Lease link, long deadline) {
        if (wish.waits()) {
            link.whenEnded(() -> state.leave(ticket));
        }
        LeaseState.Turn turn = state.turn(ticket);
        while (!turn.isOver()) {
            if (System.nanoTime() - deadline >= 0) {
                state.leave(ticket);
                turn = state.turn(ticket);
                break;
            }
            if (wish.waits()) {
                link.waiting(turn.place(), turn.of(), standing(turn));
            }
            try {
                turn = state.await(ticket, turn, deadline);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                state.leave(ticket);
                turn = state.turn(ticket);
            }
        }
        return turn.lease();
    }

    private String standing(LeaseState.Turn turn) {
        LeaseState.Snapshot now = state.snapshot();
        String begin = "You are number " + turn.place() + " of " + turn.of() + "; " + name;
        return switch (now.phase()) {
            case LENT ->
                    begin
                            + " is borrowed by "
                            + now.lease().borrower()
                            + " since "
                            + TIME.format(now.lease().since())
                            + ".";
            case CLEANING -> begin + " is being reset after its last borrower.";
            case FREE, CLOSED -> begin + " is about to change hands.";
        };
    }

    /** Why it is not to be had at this moment. */
    private RefusedException notNow(LeaseState.Snapshot now) {
        return switch (now.phase()) {
            case LENT -> taken(now.lease());
            case CLOSED -> unavailable("is not lent any more: its lender is leaving.");
            case CLEANING, FREE -> {
                if (!spoilt.isEmpty()) {
                    yield unavailable("cannot be lent: " + spoilt + ".");
                }
                if (!now.soon()) {
                    yield new RefusedException(
                            RefusedException.Reason.TAKEN,
                            name
                                    + " is being reset after its last borrower, and others wait for"
                                    + " it: borrow --wait waits with them.");
                }
                yield unavailable("is being reset after its last borrower; try again shortly.");
            }
        };
    }

    private RefusedException unavailable(String why) {
        return new RefusedException(RefusedException.Reason.UNAVAILABLE, name + " " + why);
    }

    private RefusedException taken(GrantedLease lease) {
        return new RefusedException(
                RefusedException.Reason.TAKEN,
                name
                        + " is borrowed by "
                        + lease.borrower()
                        + " since "
                        + TIME.format(lease.since())
                        + ". Wait until it is returned, or \"farslot return "
                        + name
                        + "\" on the lender's machine takes it back.");
    }

    /**
     * Takes the function back from its slot, by order of an operator, who may want another to have
     * it: the slot cannot borrow it again for {@value #BARRED_SECONDS} s.
     *
     * @return who had it, or null where nobody did
     */
    String takeBack(String sentence) {
        FencedGrant grant = current;
        if (grant == null || !state.holds(grant.lease.epoch())) {
            return null;
        }
        barredSlot = grant.link.borrower().name();
        barredUntilNanos = System.nanoTime() + BARRED_SECONDS * 1_000_000_000L;
        grant.link.revoke(sentence);
        return grant.lease.borrower();
    }

    /** Who has it now, or null. */
    Peer borrower() {
        FencedGrant grant = current;
        return grant != null && state.holds(grant.lease.epoch()) ? grant.link.borrower() : null;
    }

    /** Ends the lease of this borrower, if it has it still. */
    void revoke(Peer borrower, String sentence) {
        FencedGrant grant = current;
        if (grant != null
                && state.holds(grant.lease.epoch())
                && grant.link.borrower().equals(borrower)) {
            grant.link.revoke(sentence);
        }
    }

    /** Lends no more; a lease that holds goes on until its link ends. */
    void close() {
        state.close();
    }

    private final class FencedGrant implements Grant {
        private final GrantedLease lease;
        private final Fence fence;
        private final Lease link;

        /** When its connection broke, or null while it has one. */
        private volatile Instant awaySince;

        /** Whether the function was loaded, and waits for its slot. */
        private volatile boolean atRest;

        FencedGrant(GrantedLease lease, Fence fence, Lease link) {
            this.lease = lease;
            this.fence = fence;
            this.link = link;
        }

        @Override
        public PciFunction function() {
            return fence;
        }

        @Override
        public long epoch() {
            return lease.epoch();
        }

        @Override
        public void held(HeldAccess access) {
            LentFunction.this.held(access, lease.borrower());
        }

        @Override
        public void heldNoMore() {
            held = null;
        }

        @Override
        public void detached(String why) {
            awaySince = Instant.now();
            witness.happened(
                    name, "away", lease.borrower() + ", who has " + name + ", is away: " + why);
            record("away", why);
        }

        @Override
        public void resumed() {
            awaySince = null;
            if (atRest) {
                atRest = false;
                fence.resume();
            }
            witness.happened(
                    name, "back", lease.borrower() + " is back and goes on with " + name + ".");
            record("back", "");
        }

        private void record(String what, String why) {
            witness.record(what, link.borrower(), name, lease.epoch(), why);
        }

        @Override
        public void ended(Ending how, String sentence) {
            fence.close();
            if (!state.end(lease.epoch())) {
                return;
            }
            record("ended", how.name().toLowerCase(Locale.ROOT) + ": " + sentence);
            witness.happened(
                    name,
                    how == Ending.RETURNED ? "returned" : "ended",
                    switch (how) {
                        case RETURNED -> name + " is returned by " + lease.borrower() + ".";
                        case ABANDONED ->
                                name + " is abandoned by " + lease.borrower() + ": " + sentence;
                        case BROKEN ->
                                name
                                        + " is taken from "
                                        + lease.borrower()
                                        + ", who broke the protocol: "
                                        + sentence;
                        case REVOKED ->
                                name + " is taken back from " + lease.borrower() + ": " + sentence;
                    });
            // A device that hangs must not hang the link's thread: the lender has others.
            Thread cleaner =
                    Thread.ofPlatform()
                            .daemon()
                            .name("clean " + name)
                            .start(() -> clean(lease, fence));
            try {
                cleaner.join(CLEANING_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void clean(GrantedLease lease, Fence fence) {
        try {
            function.attach(null);
            for (InterruptKind kind : InterruptKind.values()) {
                int vectors = description.vectors(kind);
                if (vectors > 0) {
                    function.interrupts(kind, 0, vectors, InterruptAction.DISABLE);
                }
            }
            function.unmap(0, 0);
            while (!fence.awaitQuiet(10_000)) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "{0} still has accesses under way of {1}, whose borrow has ended; it is"
                                + " not lent until they end.",
                        name,
                        lease.borrower());
            }
            resetUntilFresh();
            state.cleaned(lease.epoch(), Instant.now());
            if (state.phase() != LeaseState.Phase.LENT) {
                witness.happened(name, "free", name + " is reset and free.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** By the most thorough kind that it has; again until it succeeds and shows no trace. */
    private void resetUntilFresh() throws InterruptedException {
        ResetKind kind = null;
        for (ResetKind candidate : ResetKind.values()) {
            if (description.resetKinds().contains(candidate)) {
                kind = candidate;
            }
        }
        while (true) {
            CompletionStatus status =
                    kind == null ? CompletionStatus.SUCCESS : function.reset(kind);
            String wrong =
                    status.isSuccess() ? difference() : "it could not be reset (" + status + ")";
            if (wrong == null) {
                spoilt = "";
                return;
            }
            if (!wrong.equals(spoilt)) {
                spoilt = wrong;
                witness.happened(
                        name,
                        "spoilt",
                        name + " is not lent until it is as fresh as it was made: " + wrong + ".");
            }
            Thread.sleep(RESET_AGAIN_MILLIS);
        }
    }

    /** The configuration space; what cannot be read is all-ones, as for a driver. */
    private byte[] configuration() {
        Region region = description.region(Region.CONFIGURATION).orElseThrow();
        byte[] bytes = new byte[(int) region.sizeBytes()];
        int step = Math.min(region.maxAccessBytes(), 64);
        for (int at = 0; at < bytes.length; at += step) {
            int length = Math.min(step, bytes.length - at);
            MemorySegment part = MemorySegment.ofArray(bytes).asSlice(at, length);
            if (!bare.read(region.index(), at, part, 4).isSuccess()) {
                part.fill((byte) 0xff);
            }
        }
        return bytes;
    }

    /**
     * Where the configuration space differs from what it was when the function was made; or null.
     */
    private String difference() {
        byte[] now = configuration();
        int at = Arrays.mismatch(powerOn, now);
        if (at < 0) {
            return null;
        }
        int word = at & ~3;
        return "its configuration space has 0x%08x at 0x%03x, and had 0x%08x"
                .formatted(word(now, word), word, word(powerOn, word));
    }

    private static int word(byte[] bytes, int at) {
        return MemorySegment.ofArray(bytes).get(LITTLE_ENDIAN_WORD, at);
    }
}
