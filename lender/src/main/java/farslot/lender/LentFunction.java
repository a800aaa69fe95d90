package farslot.lender;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.ResetKind;
import farslot.link.Entry;
import farslot.link.Grant;
import farslot.link.HeldAccess;
import farslot.link.Lease;
import farslot.link.Peer;
import farslot.link.RefusedException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;

/**
 * One function under its leases: a reset group of one. It is lent to one slot at a time; when a
 * lease ends, the function loses its driver's side, its maps and its interrupts, what is under way
 * is waited for, it is reset, and only then lent again.
 */
final class LentFunction {
    private static final System.Logger LOG = System.getLogger("farslot.lender");

    /** For how long a new borrower waits while the function is reset after the last one. */
    private static final long CLEANING_MILLIS = 3000;

    private static final long BARRED_SECONDS = 30;

    /** Shorter ones are slow, not held. */
    private static final long HELD_MILLIS = 1000;

    /** Notices come four times a second: after this there is nothing held any more. */
    private static final long HELD_OVER_NANOS = 3_000_000_000L;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    /** Hears what happens to the function. */
    interface Witness {
        /**
         * Takes note.
         *
         * @param what in one word, for programs
         */
        void happened(String subject, String what, String sentence);
    }

    private final String name;
    private final PciFunction function;
    private final FunctionDescription description;
    private final Witness witness;
    private final LeaseState state = new LeaseState(System.currentTimeMillis());
    private volatile Lease revocable;

    /** Whom an operator took the function from may not grab it again at once. */
    private volatile String barredSlot;

    private volatile long barredUntilNanos;

    /** An access that the function has not ended for long, and when that was last seen. */
    private volatile HeldAccess held;

    private volatile long heldSeenNanos;

    /**
     * @param function with the taps that see all leases
     */
    LentFunction(String name, PciFunction function, Witness witness) {
        this.name = name;
        this.function = function;
        this.witness = witness;
        description = function.describe();
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
                Map.of("state", label(now.phase()) + heldWords()));
    }

    private String heldWords() {
        HeldAccess access = heldNow();
        return access == null
                ? ""
                : ", held: " + access.what() + " since " + TIME.format(heldSince(access));
    }

    private static Instant heldSince(HeldAccess access) {
        return Instant.now().minusMillis(access.millis());
    }

    /** The access that the function holds at this moment, or null. */
    HeldAccess heldNow() {
        HeldAccess access = held;
        boolean old = System.nanoTime() - heldSeenNanos > HELD_OVER_NANOS;
        return access == null || old ? null : access;
    }

    /** Told again and again by the link's keeper; said once, when it has lasted for a second. */
    private void held(HeldAccess access, String borrower) {
        if (access.millis() < HELD_MILLIS) {
            return;
        }
        HeldAccess before = heldNow();
        boolean same =
                before != null
                        && before.what().equals(access.what())
                        && before.millis() <= access.millis();
        held = access;
        heldSeenNanos = System.nanoTime();
        if (!same) {
            witness.happened(
                    name,
                    "held",
                    name
                            + ": "
                            + access.what()
                            + " by "
                            + borrower
                            + " is held since "
                            + TIME.format(heldSince(access))
                            + ".");
        }
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
     * Lends the function.
     *
     * @throws RefusedException where it is taken (by whom, since when) or the lender is leaving
     */
    Grant lend(Peer peer, Lease link) throws RefusedException {
        if (peer.name().equals(barredSlot) && System.nanoTime() - barredUntilNanos < 0) {
            throw new RefusedException(
                    RefusedException.Reason.UNAVAILABLE,
                    name
                            + " was taken back from the slot \""
                            + peer.name()
                            + "\" by an operator, so that another can have it for now.");
        }
        GrantedLease lease = take(peer.toString());
        revocable = link;
        witness.happened(name, "borrowed", name + " is borrowed by " + lease.borrower() + ".");
        return new FencedGrant(lease, new Fence(function));
    }

    /** Waits while the function is being reset after its last borrower, but not for a borrower. */
    private GrantedLease take(String borrower) throws RefusedException {
        long deadline = System.nanoTime() + CLEANING_MILLIS * 1_000_000L;
        while (true) {
            GrantedLease lease = state.take(borrower, Instant.now());
            if (lease != null) {
                return lease;
            }
            LeaseState.Snapshot now = state.snapshot();
            long leftMillis = (deadline - System.nanoTime()) / 1_000_000L;
            switch (now.phase()) {
                case LENT -> throw taken(now.lease());
                case CLOSED -> throw unavailable("is not lent any more: its lender is leaving.");
                case CLEANING, FREE -> {
                    if (leftMillis <= 0) {
                        throw unavailable(
                                "is being reset after its last borrower; try again shortly.");
                    }
                }
            }
            try {
                state.awaitCleaned(leftMillis);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw unavailable("could not be waited for.");
            }
        }
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
     * Takes the function back from its slot, by order of an operator.
     *
     * @return who had it, or null where nobody did
     */
    String revoke(String sentence) {
        GrantedLease lease = state.lease();
        Lease link = revocable;
        if (lease == null || link == null || !state.holds(lease.epoch())) {
            return null;
        }
        barredSlot = link.borrower().name();
        barredUntilNanos = System.nanoTime() + BARRED_SECONDS * 1_000_000_000L;
        link.revoke(sentence);
        return lease.borrower();
    }

    /** Lends no more; a lease that holds goes on until its link ends. */
    void close() {
        state.close();
    }

    private final class FencedGrant implements Grant {
        private final GrantedLease lease;
        private final Fence fence;

        FencedGrant(GrantedLease lease, Fence fence) {
            this.lease = lease;
            this.fence = fence;
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
        public void ended(Ending how, String sentence) {
            fence.close();
            if (!state.end(lease.epoch())) {
                return;
            }
            revocable = null;
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
            resetThoroughly();
            state.cleaned(lease.epoch());
            witness.happened(name, "free", name + " is reset and free.");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** By the most thorough kind that it has; again until it succeeds. */
    private void resetThoroughly() throws InterruptedException {
        ResetKind kind = null;
        for (ResetKind candidate : ResetKind.values()) {
            if (description.resetKinds().contains(candidate)) {
                kind = candidate;
            }
        }
        if (kind == null) {
            return;
        }
        for (CompletionStatus status = function.reset(kind);
                !status.isSuccess();
                status = function.reset(kind)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} could not be reset ({1}); it is not lent until it can.",
                    name,
                    status);
            Thread.sleep(1000);
        }
    }
}
