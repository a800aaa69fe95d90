package farslot.analysis;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import farslot.recorder.TraceEvent;
import farslot.sdk.decode.Completions;
import farslot.sdk.decode.Observation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/**
 * The driver's side of a replay: the memory and the interrupts as the trace has them. What a
 * function reads there is what it read when the trace was made; what it writes is compared with
 * what it wrote then. Its order is its own, as far as what it does is there before the driver's
 * next step.
 *
 * <p>A transfer matches the first of the trace that is not matched yet, has the same address and
 * length and, for a write, the same data; completions match by what they mean, wherever they are
 * put ({@link Completions}). Transfers that are cut otherwise than they were are put together byte
 * by byte.
 *
 * <p>The function's threads call what {@link PciHost} has, the replay's thread the rest.
 */
final class ReplayedMemory implements PciHost {
    /** A transfer or interrupt of the trace that the function has not done yet. */
    private static final class Expected {
        final TraceEvent event;

        /** What it means, of a completion; else null. */
        final String meaning;

        /** Which of its bytes were done by transfers that were cut otherwise. */
        final BitSet bytesDone = new BitSet();

        boolean done;

        Expected(TraceEvent event, String meaning) {
            this.event = event;
            this.meaning = meaning;
        }
    }

    /** What a function wrote that matches nothing so far. */
    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    private record Unmatched(long address, byte[] data, String meaning) {}

    /** So many writes that match nothing are kept, to say what came instead. */
    private static final int MOST_UNMATCHED = 4096;

    /** So many reads of what the trace does not have are kept to be told. */
    private static final int MOST_STRANGE = 1000;

    private final IntSupplier generation;
    private final Completions completions;
    private final Deque<Expected> inOrder = new ArrayDeque<>();
    private final Map<Long, List<Expected>> reads = new HashMap<>();
    private final Map<Long, List<Expected>> writes = new HashMap<>();
    private final Map<String, List<Expected>> meanings = new HashMap<>();
    private final Map<String, Integer> signalled = new LinkedHashMap<>();
    private final Deque<Unmatched> unmatched = new ArrayDeque<>();
    private final List<String> strange = new ArrayList<>();
    private long matched;
    private long aheadBytes;

    /**
     * @param completions tells the function's completions from its other writes; null where nobody
     *     knows
     */
    ReplayedMemory(IntSupplier generation, Completions completions) {
        this.generation = generation;
        this.completions = completions;
    }

    // The replay's side.

    /** Is shown what the driver does to the function, just before. */
    synchronized void observe(Observation step) {
        if (completions != null && step != null) {
            completions.observe(step);
        }
    }

    /**
     * Adds what the trace has next; far ahead of the driver's steps.
     *
     * @param meaning of a completion; else null
     */
    synchronized void expect(TraceEvent event, String meaning) {
        switch (event) {
            case TraceEvent.Dma dma when dma.status() == null || !dma.status().isSuccess() -> {
                // What came of it is not known.
            }
            case TraceEvent.Dma dma -> {
                Expected one = new Expected(event, meaning);
                inOrder.add(one);
                aheadBytes += dma.data().kept().length;
                (dma.write() ? writes : reads)
                        .computeIfAbsent(dma.address(), at -> new ArrayList<>(1))
                        .add(one);
                if (meaning != null) {
                    meanings.computeIfAbsent(meaning, what -> new ArrayList<>(1)).add(one);
                }
                if (dma.write()) {
                    takeEarlier(one, dma);
                }
            }
            case TraceEvent.Interrupt interrupt -> inOrder.add(new Expected(event, null));
            default -> throw new IllegalArgumentException("Nothing that a function does: " + event);
        }
    }

    /** A write that came before the replay had looked so far ahead. */
    private void takeEarlier(Expected one, TraceEvent.Dma dma) {
        for (Iterator<Unmatched> all = unmatched.iterator(); all.hasNext(); ) {
            Unmatched write = all.next();
            boolean same =
                    one.meaning != null
                            ? one.meaning.equals(write.meaning)
                            : write.address == dma.address()
                                    && Arrays.equals(write.data, dma.data().kept());
            if (same) {
                all.remove();
                finish(one);
                return;
            }
        }
    }

    private String meaning(long address, byte[] data) {
        return completions == null ? null : completions.meaning(address, data);
    }

    /**
     * Waits until the function has done all that the trace has before an event.
     *
     * @param found takes what it has not done in this time
     */
    void await(long number, long patienceNanos, Consumer<Divergence> found) {
        long deadline = System.nanoTime() + patienceNanos;
        synchronized (this) {
            while (true) {
                Expected one = inOrder.peek();
                if (one == null || one.event.stamp().number() >= number) {
                    return;
                }
                if (one.done || isDone(one)) {
                    inOrder.remove();
                    continue;
                }
                long left = deadline - System.nanoTime();
                if (left > 0 && pause(left)) {
                    continue;
                }
                inOrder.remove();
                found.accept(missing(one));
                giveUp(one);
            }
        }
    }

    /**
     * @return false where the thread was interrupted
     */
    private boolean pause(long nanos) {
        try {
            TimeUnit.NANOSECONDS.timedWait(this, Math.max(nanos, 1_000_000L));
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean isDone(Expected one) {
        if (one.event instanceof TraceEvent.Interrupt interrupt) {
            String name = name(interrupt.kind(), interrupt.vector());
            Integer count = signalled.get(name);
            if (count == null) {
                return false;
            }
            signalled.put(name, count == 1 ? null : Integer.valueOf(count - 1));
            matched++;
            return true;
        }
        TraceEvent.Dma dma = (TraceEvent.Dma) one.event;
        if (one.bytesDone.cardinality() < dma.data().length()) {
            return false;
        }
        finish(one);
        return true;
    }

    private void finish(Expected one) {
        if (!one.done) {
            matched++;
            giveUp(one);
        }
    }

    /** It is waited for no longer. */
    private void giveUp(Expected one) {
        one.done = true;
        if (one.event instanceof TraceEvent.Dma dma) {
            aheadBytes -= dma.data().kept().length;
            forget(dma.write() ? writes : reads, dma.address(), one);
            if (one.meaning != null) {
                forget(meanings, one.meaning, one);
            }
        }
        notifyAll();
    }

    private static <K> void forget(Map<K, List<Expected>> index, K key, Expected one) {
        List<Expected> there = index.get(key);
        if (there != null && there.remove(one) && there.isEmpty()) {
            index.remove(key);
        }
    }

    private Divergence missing(Expected one) {
        TraceEvent.Stamp stamp = one.event.stamp();
        if (one.event instanceof TraceEvent.Interrupt interrupt) {
            return new Divergence(
                    stamp.number(),
                    stamp.nanos(),
                    name(interrupt.kind(), interrupt.vector()),
                    "was signalled, and is not now.");
        }
        TraceEvent.Dma dma = (TraceEvent.Dma) one.event;
        String where = "memory at 0x" + Long.toHexString(dma.address());
        if (!dma.write()) {
            return new Divergence(
                    stamp.number(),
                    stamp.nanos(),
                    where,
                    dma.data().length() + " bytes were read, and are not now.");
        }
        if (one.meaning != null) {
            return new Divergence(
                    stamp.number(),
                    stamp.nanos(),
                    where,
                    "The completion \""
                            + one.meaning
                            + "\" was given, and is not now"
                            + otherMeanings()
                            + ".");
        }
        for (Unmatched other : unmatched) {
            int at = Arrays.mismatch(other.data, dma.data().kept());
            boolean instead =
                    other.address == dma.address()
                            && other.data.length == dma.data().kept().length
                            && at >= 0;
            if (instead) {
                return new Divergence(
                        stamp.number(),
                        stamp.nanos(),
                        where,
                        "Of %d bytes written the one at 0x%x was 0x%02x and is now 0x%02x."
                                .formatted(
                                        other.data.length,
                                        at,
                                        dma.data().kept()[at] & 0xFF,
                                        other.data[at] & 0xFF));
            }
        }
        return new Divergence(
                stamp.number(),
                stamp.nanos(),
                where,
                dma.data().length() + " bytes were written, and are not now.");
    }

    private String otherMeanings() {
        List<String> others =
                unmatched.stream()
                        .map(Unmatched::meaning)
                        .filter(meaning -> meaning != null)
                        .limit(3)
                        .toList();
        return others.isEmpty() ? "" : "; what came instead: " + String.join(", ", others);
    }

    /**
     * What the function did that the trace does not have, as sentences: those since the last time.
     */
    synchronized List<String> takeStrange() {
        List<String> all = List.copyOf(strange);
        strange.clear();
        return all;
    }

    /** What it wrote since the last reset and the trace, read to its end, does not have. */
    synchronized List<String> surplus() {
        return unmatched.stream()
                .map(write ->
                        write.meaning != null
                                ? "It gives the completion \""
                                        + write.meaning
                                        + "\", which the trace does not have."
                                : "It writes %d bytes of memory at 0x%x, which the trace does not have."
                                        .formatted(write.data.length, write.address))
                .toList();
    }

    /** What was begun before a reset has no place after it. */
    synchronized void reset() {
        unmatched.clear();
        signalled.clear();
    }

    /** How much data there is of what the function has not done yet. */
    synchronized long aheadBytes() {
        return aheadBytes;
    }

    /** How many transfers and interrupts were as recorded. */
    synchronized long matched() {
        return matched;
    }

    // The function's side.

    @Override
    public CompletionStatus read(int ofGeneration, long address, MemorySegment into) {
        if (ofGeneration != generation.getAsInt()) {
            return CompletionStatus.STALE_GENERATION;
        }
        synchronized (this) {
            Expected one = exactRead(address, into.byteSize());
            if (one != null) {
                byte[] data = ((TraceEvent.Dma) one.event).data().kept();
                MemorySegment.copy(data, 0, into, ValueLayout.JAVA_BYTE, 0, data.length);
                finish(one);
            } else {
                assemble(address, into);
            }
            if (completions != null) {
                byte[] data = into.toArray(ValueLayout.JAVA_BYTE);
                completions.observe(
                        new Observation.Dma(
                                new Observation.When(0, 0, 0),
                                false,
                                address,
                                data.length,
                                CompletionStatus.SUCCESS,
                                data));
            }
            return CompletionStatus.SUCCESS;
        }
    }

    private Expected exactRead(long address, long length) {
        for (Expected one : reads.getOrDefault(address, List.of())) {
            if (((TraceEvent.Dma) one.event).data().length() == length && one.bytesDone.isEmpty()) {
                return one;
            }
        }
        return null;
    }

    /** Each byte from the first transfer of the trace that has it and has not given it yet. */
    private void assemble(long address, MemorySegment into) {
        BitSet given = new BitSet();
        int length = (int) into.byteSize();
        for (Expected one : List.copyOf(inOrder)) {
            if (one.done || !(one.event instanceof TraceEvent.Dma dma) || dma.write()) {
                continue;
            }
            int from = Math.clamp(dma.address() - address, 0, length);
            int to = Math.clamp(dma.address() + dma.data().length() - address, 0, length);
            for (int i = from; i < to; i++) {
                int at = (int) (address + i - dma.address());
                if (!given.get(i) && !one.bytesDone.get(at)) {
                    into.set(ValueLayout.JAVA_BYTE, i, dma.data().kept()[at]);
                    given.set(i);
                    one.bytesDone.set(at);
                }
            }
            if (given.cardinality() == length) {
                notifyAll();
                return;
            }
        }
        notifyAll();
        if (strange.size() < MOST_STRANGE) {
            strange.add(
                    "It reads %d bytes of memory at 0x%x, of which the trace has %d."
                            .formatted(length, address, given.cardinality()));
        }
        for (int i = given.nextClearBit(0); i < length; i = given.nextClearBit(i + 1)) {
            into.set(ValueLayout.JAVA_BYTE, i, (byte) 0);
        }
    }

    @Override
    public CompletionStatus write(int ofGeneration, long address, MemorySegment from) {
        if (ofGeneration != generation.getAsInt()) {
            return CompletionStatus.STALE_GENERATION;
        }
        byte[] data = from.toArray(ValueLayout.JAVA_BYTE);
        synchronized (this) {
            String meaning = meaning(address, data);
            Expected one = meaning != null ? sameMeaning(meaning) : exactWrite(address, data);
            if (one != null) {
                finish(one);
            } else if (!spread(address, data)) {
                unmatched.add(new Unmatched(address, data, meaning));
                if (unmatched.size() > MOST_UNMATCHED) {
                    unmatched.remove();
                }
            }
        }
        return CompletionStatus.SUCCESS;
    }

    private Expected sameMeaning(String meaning) {
        List<Expected> all = meanings.get(meaning);
        return all == null ? null : all.getFirst();
    }

    private Expected exactWrite(long address, byte[] data) {
        for (Expected one : writes.getOrDefault(address, List.of())) {
            if (one.meaning == null
                    && one.bytesDone.isEmpty()
                    && Arrays.equals(((TraceEvent.Dma) one.event).data().kept(), data)) {
                return one;
            }
        }
        return null;
    }

    /**
     * A write that is cut otherwise than in the trace: its bytes go to those of the trace that have
     * the same there.
     *
     * @return whether each byte found its place
     */
    private boolean spread(long address, byte[] data) {
        BitSet given = new BitSet();
        Map<Expected, BitSet> places = new LinkedHashMap<>();
        for (Expected one : inOrder) {
            boolean other =
                    !one.done
                            && one.meaning == null
                            && one.event instanceof TraceEvent.Dma dma
                            && dma.write();
            if (!other) {
                continue;
            }
            TraceEvent.Dma dma = (TraceEvent.Dma) one.event;
            int from = Math.clamp(dma.address() - address, 0, data.length);
            int to = Math.clamp(dma.address() + dma.data().length() - address, 0, data.length);
            for (int i = from; i < to; i++) {
                int at = (int) (address + i - dma.address());
                if (!given.get(i) && !one.bytesDone.get(at) && dma.data().kept()[at] == data[i]) {
                    given.set(i);
                    places.computeIfAbsent(one, its -> new BitSet()).set(at);
                }
            }
            if (given.cardinality() == data.length) {
                places.forEach((it, bytes) -> it.bytesDone.or(bytes));
                notifyAll();
                return true;
            }
        }
        return false;
    }

    @Override
    public MemorySegment near(int ofGeneration, long address, long length, Direction direction) {
        return null;
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return true;
    }

    @Override
    public void interrupt(int ofGeneration, InterruptKind kind, int vector) {
        if (ofGeneration == generation.getAsInt()) {
            synchronized (this) {
                signalled.merge(name(kind, vector), 1, Integer::sum);
                notifyAll();
            }
        }
    }

    private static String name(InterruptKind kind, long vector) {
        return "interrupt " + kind + " " + vector;
    }

    @Override
    public void event(FunctionEvent event) {
        // Nothing that a trace's driver would answer.
    }
}
