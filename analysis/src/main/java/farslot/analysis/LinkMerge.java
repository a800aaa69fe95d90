package farslot.analysis;

import farslot.analysis.LinkPairing.Likeness;
import farslot.analysis.LinkPairing.Pair;
import farslot.analysis.LinkPairing.Passage;
import farslot.core.CompletionStatus;
import farslot.core.Region;
import farslot.recorder.ClockRelation;
import farslot.recorder.TraceAssembler;
import farslot.recorder.TraceCopy;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Makes one trace of two of the same function, which were recorded at both ends of its link at the
 * same time: that of the lender, in which accesses, DMA and interrupts say how long the link took
 * with them, as far as that is known ({@link LinkPairing}).
 *
 * <p>It needs four bytes of memory for each event of the lender's trace.
 */
public final class LinkMerge {
    /** What two clocks may drift apart: 100 millionths each. */
    private static final long DRIFT = 5_000;

    private static final int NONE = Integer.MIN_VALUE;

    /**
     * What came of it.
     *
     * @param paired how many events were seen at both ends
     * @param onlyLender how many accesses, transfers and interrupts only the lender is known to
     *     have seen
     * @param onlySlot and only the slot: what it answered itself, too
     * @param uncertaintyNanos by how much the time of what is posted may be wrong, at the most
     */
    public record Report(long paired, long onlyLender, long onlySlot, long uncertaintyNanos) {
        @Override
        public String toString() {
            return paired
                    + " accesses, transfers and interrupts were seen at both ends of the link; "
                    + onlyLender
                    + " are known from the lender alone, "
                    + onlySlot
                    + " from the slot alone (what it answers itself, what was lost or under way)."
                    + " Times of the link are exact where somebody waited, and may be wrong by "
                    + uncertaintyNanos
                    + " ns where something was posted.";
        }
    }

    private final TraceReader lender;
    private final TraceReader slot;

    /** What is added to a time of the slot's trace for one of the lender's. */
    private final long shiftNanos;

    /** How well that was known when it was known last. */
    private long uncertaintyNanos;

    private long measuredNanos;

    private final LinkPairing toDevice = new LinkPairing();
    private final LinkPairing toDriver = new LinkPairing();
    private int[] linkNanos = new int[1024];
    private long paired;
    private long mostTolerance;

    private LinkMerge(TraceReader lender, TraceReader slot) throws TraceException {
        this.lender = lender;
        this.slot = slot;
        Optional<ClockRelation> ofLender = lender.clock();
        Optional<ClockRelation> ofSlot = slot.clock();
        if (ofLender.isEmpty() && ofSlot.isEmpty()) {
            throw new TraceException(
                    "Neither trace says how the clocks of lender and slot are related: what is one"
                            + " event cannot be told.");
        }
        boolean byLender =
                ofSlot.isEmpty()
                        || (ofLender.isPresent()
                                && ofLender.get().uncertaintyNanos()
                                        <= ofSlot.get().uncertaintyNanos());
        ClockRelation clock = byLender ? ofLender.get() : ofSlot.get();
        long offset = byLender ? -clock.offsetNanos() : clock.offsetNanos();
        shiftNanos = slot.beganNanos() + offset - lender.beganNanos();
        uncertaintyNanos = clock.uncertaintyNanos();
        measuredNanos = clock.measuredNanos() + (byLender ? 0 : shiftNanos);
    }

    /**
     * Merges two traces that are whole.
     *
     * @param into to be made
     * @throws TraceException where one cannot be read, they are not of both ends of a link whose
     *     clocks were compared, or the file cannot be made
     */
    public static Report merge(Path ofLender, Path ofSlot, Path into) throws TraceException {
        try (TraceReader lender = TraceReader.open(ofLender);
                TraceReader slot = TraceReader.open(ofSlot)) {
            check(lender, TraceOrigin.At.LENDER);
            check(slot, TraceOrigin.At.SLOT);
            LinkMerge merge = new LinkMerge(lender, slot);
            merge.pair();
            return merge.write(ofLender, into);
        }
    }

    private static void check(TraceReader trace, TraceOrigin.At at) throws TraceException {
        if (trace.origin().at() != at) {
            throw new TraceException(
                    "The trace " + trace.file() + " was not recorded at the " + at + "'s end.");
        }
    }

    private void pair() throws TraceException {
        long lenders = 0;
        long slots = 0;
        TraceEvent lent = lender.next();
        TraceEvent held = slot.next();
        // In the order of the one clock: who sends is known before who receives is asked for.
        while (lent != null || held != null) {
            long lentAt = lent == null ? Long.MAX_VALUE : lent.stamp().nanos();
            long heldAt = held == null ? Long.MAX_VALUE : held.stamp().nanos() + shiftNanos;
            if (lent == null || (held != null && comesFirst(held, heldAt, lentAt))) {
                add(held, slots++, shiftNanos, false);
                held = slot.next();
            } else {
                add(lent, lenders++, 0, true);
                lent = lender.next();
            }
        }
    }

    /** As far as the clocks are known, and the sender's end first where that is not far enough. */
    private boolean comesFirst(TraceEvent held, long heldAt, long lentAt) {
        long tolerance = toleranceAt(Math.min(heldAt, lentAt));
        return isFromDevice(held) ? heldAt + tolerance < lentAt : heldAt - tolerance <= lentAt;
    }

    private long toleranceAt(long nanos) {
        return uncertaintyNanos + Math.abs(nanos - measuredNanos) / DRIFT;
    }

    private static boolean isFromDevice(TraceEvent event) {
        return event instanceof TraceEvent.Dma || event instanceof TraceEvent.Interrupt;
    }

    private void add(TraceEvent event, long index, long shift, boolean atLender)
            throws TraceException {
        if (atLender) {
            note(index, NONE);
        }
        long begin = event.stamp().nanos() + shift;
        if (isLoss(event)) {
            Passage loss = new Passage(index, null, begin, 0, true);
            pass(toDevice, loss, !atLender);
            pass(toDriver, loss, atLender);
            return;
        }
        Likeness likeness = likeness(event);
        if (likeness != null) {
            boolean posted = isPosted(event);
            long took = event.stamp().durationNanos();
            Passage passage = new Passage(index, likeness, begin, took, posted);
            if (isFromDevice(event)) {
                pass(toDriver, passage, atLender);
            } else {
                pass(toDevice, passage, !atLender);
            }
        }
    }

    private void pass(LinkPairing direction, Passage passage, boolean sent) throws TraceException {
        if (sent) {
            direction.send(passage);
            return;
        }
        long tolerance = toleranceAt(passage.beginNanos());
        Pair pair = direction.receive(passage, tolerance);
        if (pair != null) {
            paired++;
            if (passage.posted()) {
                mostTolerance = Math.max(mostTolerance, tolerance);
            } else {
                compareClocks(pair);
            }
            Passage lenders = direction == toDevice ? pair.received() : pair.sent();
            note(lenders.index(), Math.clamp(pair.linkNanos(), NONE + 1, Integer.MAX_VALUE));
        }
    }

    /** What waited was sent before and answered after it was received: so far clocks can be off. */
    private void compareClocks(Pair pair) {
        long before = pair.received().beginNanos() - pair.sent().beginNanos();
        long after = pair.sent().endNanos() - pair.received().endNanos();
        long off = Math.max(Math.abs(before), Math.abs(after));
        if (off < toleranceAt(pair.received().beginNanos())) {
            uncertaintyNanos = off;
            measuredNanos = pair.received().beginNanos();
        }
    }

    private void note(long index, int nanos) throws TraceException {
        if (index >= linkNanos.length) {
            if (linkNanos.length > Integer.MAX_VALUE / 2) {
                throw new TraceException(
                        "The trace " + lender.file() + " has too many events to be merged.");
            }
            linkNanos = Arrays.copyOf(linkNanos, 2 * linkNanos.length);
        }
        linkNanos[(int) index] = nanos;
    }

    private static boolean isLoss(TraceEvent event) {
        return event instanceof TraceEvent.Lost
                || (event instanceof TraceEvent.Mark mark && TraceCopy.missing(mark) > 0);
    }

    /** What is alike at both ends; null for what is not looked for, or has not ended. */
    private Likeness likeness(TraceEvent event) {
        if (event.stamp().underWay()) {
            return null;
        }
        String kind = TraceText.kind(event);
        return switch (event) {
            case TraceEvent.Access e ->
                    new Likeness(
                            kind,
                            e.region(),
                            e.offset(),
                            e.data().length(),
                            e.data().value(),
                            isPosted(e) ? "" : name(e.status()));
            case TraceEvent.Dma e ->
                    new Likeness(
                            kind,
                            0,
                            e.address(),
                            e.data().length(),
                            e.data().value(),
                            e.write() ? "" : name(e.status()));
            case TraceEvent.Interrupt e ->
                    new Likeness(kind, e.kind().code(), e.vector(), 0, 0, "");
            default -> null;
        };
    }

    private static String name(CompletionStatus status) {
        return status == null ? "" : status.name();
    }

    private boolean isPosted(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Access e -> e.write() && isPostedTo(e.region());
            case TraceEvent.Dma e -> e.write();
            default -> true;
        };
    }

    private boolean isPostedTo(int region) {
        return lender.description().region(region).map(Region::postedWrites).orElse(false);
    }

    private Report write(Path ofLender, Path into) throws TraceException {
        Report report =
                new Report(
                        paired,
                        toDevice.onlyReceived() + toDriver.onlySent(),
                        toDevice.onlySent() + toDriver.onlyReceived(),
                        mostTolerance);
        try (TraceReader again = TraceReader.open(ofLender);
                TraceAssembler merged = TraceAssembler.like(into, again)) {
            long nanos = 0;
            int index = 0;
            for (TraceEvent event = again.next(); event != null; event = again.next()) {
                int link = linkNanos[index++];
                merged.add(event, link == NONE ? TraceEvent.Stamp.NO_LINK_TIME : link);
                nanos = event.stamp().nanos();
            }
            TraceEvent.Stamp end = new TraceEvent.Stamp(0, nanos, 0, 0, false);
            merged.add(new TraceEvent.Mark(end, "Recorded at both ends: " + report));
            merged.lost(again.lost());
        }
        return report;
    }
}
