package farslot.analysis;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.PciFunction;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.registers.ReadEffect;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import farslot.registers.RegisterText;
import farslot.sdk.decode.Completions;
import farslot.sdk.decode.Observation;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Does to a function what a trace's driver did, and compares what it answers: the trace as an
 * oracle.
 *
 * <p>A step of the driver is done once the function has done all DMA and signalled all interrupts
 * that the trace has before it ({@link ReplayedMemory}); where it does not within the patience,
 * that is a divergence. A register that the driver polled is polled until it has its last recorded
 * value. Of other reads what the register's map calls volatile is not compared.
 *
 * <p>One thread; the function uses its own.
 */
public final class TraceReplay {
    /** The longest stretch of a trace that is looked at before its time. */
    private static final int MOST_AHEAD = 16384;

    private static final long MOST_AHEAD_BYTES = 64L << 20;
    private static final long FIRST_PAUSE_NANOS = 20_000;
    private static final long LAST_PAUSE_NANOS = 2_000_000;

    /** More than any driver maps. */
    private static final long ALL_MEMORY = 1L << 52;

    /**
     * How a trace is replayed.
     *
     * @param registersOnly without DMA and interrupts: only registers are compared
     * @param mostDivergences after so many it ends
     * @param patienceNanos how long the function may take for what it did before
     */
    public record Rules(boolean registersOnly, int mostDivergences, long patienceNanos) {}

    /**
     * What came of it.
     *
     * @param steps what the driver did
     * @param reads how many were compared
     * @param polls how many of these stand for a polling loop each
     * @param volatileReads how many differed in volatile bits only
     * @param transfers DMA and interrupts that were as recorded
     * @param divergences in order
     * @param whole whether the trace was replayed to its end
     */
    public record Report(
            long steps,
            long reads,
            long polls,
            long volatileReads,
            long transfers,
            List<Divergence> divergences,
            boolean whole) {}

    private record Place(int region, long offset) {}

    private final PciFunction target;
    private final TraceNames names;
    private final Rules rules;
    private final ReplayedMemory memory;
    private final Completions completions;
    private final Deque<TraceEvent> ahead = new ArrayDeque<>();
    private final List<Divergence> divergences = new ArrayList<>();

    /** Registers that the map calls volatile, and that have not come to a recorded value. */
    private final Set<Place> restless = new HashSet<>();

    private TraceEvent.Stamp last = new TraceEvent.Stamp(0, 0, 0, 0, false);
    private long steps;
    private long reads;
    private long polls;
    private long volatileReads;

    private TraceReplay(
            PciFunction target, TraceNames names, Rules rules, Supplier<Completions> completions) {
        this.target = target;
        this.names = names;
        this.rules = rules;
        this.completions = completions.get();
        // The trace is read ahead, so the function's queues are others at the same time.
        memory = new ReplayedMemory(target::generation, completions.get());
    }

    /**
     * Looks whether a trace has what a replay needs.
     *
     * @return whether its driver mapped memory for DMA while it was recorded
     * @throws AnalysisException which names what is missing
     */
    private static boolean check(TraceReader trace, boolean registersOnly)
            throws TraceException, AnalysisException {
        boolean mapped = false;
        for (TraceEvent event = trace.next(); event != null; event = trace.next()) {
            String missing =
                    switch (event) {
                        case TraceEvent.Dma dma when !isKnown(dma) ->
                                "of %d bytes of DMA at event %d it has %d"
                                        .formatted(
                                                dma.data().length(),
                                                dma.stamp().number(),
                                                dma.data().kept().length);
                        case TraceEvent.Near near when near.given() ->
                                "at event %d the device reached the driver's memory itself, past the"
                                                .formatted(near.stamp().number())
                                        + " recorder";
                        default -> null;
                    };
            mapped |= event instanceof TraceEvent.Mapped;
            if (missing != null && !registersOnly) {
                throw new AnalysisException(
                        trace.file()
                                + " lacks DMA data: "
                                + missing
                                + ". Record with --dma whole where the device is lent over TCP, or"
                                + " replay with --registers-only.");
            }
        }
        if (trace.lost() > 0) {
            throw new AnalysisException(
                    trace.file()
                            + " has lost "
                            + trace.lost()
                            + " events; without them what follows cannot be expected.");
        }
        return mapped;
    }

    private static boolean isKnown(TraceEvent.Dma dma) {
        boolean done = dma.status() != null && dma.status().isSuccess();
        return !done || dma.data().complete();
    }

    /**
     * Replays a trace.
     *
     * @param first the trace, at its beginning: looked through before
     * @param again the same, at its beginning
     * @param target a function fresh from a reset, which nobody else uses
     * @param completions makes what tells completions from other DMA writes; it makes null where
     *     nobody knows
     * @throws AnalysisException where the trace has not what this needs
     */
    public static Report replay(
            TraceReader first,
            TraceReader again,
            TraceNames names,
            PciFunction target,
            Supplier<Completions> completions,
            Rules rules)
            throws TraceException, AnalysisException {
        boolean mapped = check(first, rules.registersOnly());
        TraceReplay replay = new TraceReplay(target, names, rules, completions);
        target.attach(replay.memory);
        try {
            if (!mapped) {
                target.map(new DmaMap(0, ALL_MEMORY, Direction.READ_WRITE, null, true));
            }
            return replay.run(again);
        } finally {
            target.attach(null);
        }
    }

    private Report run(TraceReader trace) throws TraceException {
        TraceEvent step = nextStep(trace);
        while (step != null && isWanted()) {
            settle(step.stamp().number());
            if (!isWanted()) {
                break;
            }
            steps++;
            last = step.stamp();
            TraceEvent next = nextStep(trace);
            if (step instanceof TraceEvent.Access read && !read.write()) {
                boolean polled = false;
                while (next instanceof TraceEvent.Access again && isSameRead(read, again)) {
                    polled = true;
                    read = again;
                    steps++;
                    next = nextStep(trace);
                }
                read(read, polled);
            } else {
                apply(step);
            }
            step = next;
        }
        boolean whole = step == null;
        if (whole) {
            settle(Long.MAX_VALUE);
            if (!rules.registersOnly()) {
                memory.surplus().forEach(this::divergedInDma);
            }
        }
        return new Report(
                steps,
                reads,
                polls,
                volatileReads,
                memory.matched(),
                List.copyOf(divergences),
                whole && isWanted());
    }

    private boolean isWanted() {
        return divergences.size() < rules.mostDivergences();
    }

    private void diverged(Divergence divergence) {
        if (isWanted()) {
            divergences.add(divergence);
        }
    }

    private void settle(long number) {
        if (rules.registersOnly()) {
            return;
        }
        memory.await(number, rules.patienceNanos(), this::diverged);
        memory.takeStrange().forEach(this::divergedInDma);
    }

    /** Since the driver's last step. */
    private void divergedInDma(String what) {
        diverged(new Divergence(last.number(), last.nanos(), "DMA", what));
    }

    /** The driver's next step; on the way what the function did goes to the memory. */
    private TraceEvent nextStep(TraceReader trace) throws TraceException {
        fill(trace);
        return ahead.poll();
    }

    private void fill(TraceReader trace) throws TraceException {
        while (ahead.isEmpty()
                || (ahead.size() < MOST_AHEAD && memory.aheadBytes() < MOST_AHEAD_BYTES)) {
            TraceEvent event = trace.next();
            if (event == null) {
                return;
            }
            Observation observation = TraceObservations.of(event);
            if (completions != null && observation != null) {
                completions.observe(observation);
            }
            switch (event) {
                case TraceEvent.Dma dma when !rules.registersOnly() ->
                        memory.expect(event, meaning(dma));
                case TraceEvent.Interrupt interrupt when !rules.registersOnly() ->
                        memory.expect(event, null);
                case TraceEvent.Access access -> ahead.add(event);
                case TraceEvent.InterruptControl control -> ahead.add(event);
                case TraceEvent.Mapped map -> ahead.add(event);
                case TraceEvent.Unmapped unmap -> ahead.add(event);
                case TraceEvent.Reset reset -> ahead.add(event);
                default -> {
                    // Nothing that a driver does.
                }
            }
        }
    }

    private String meaning(TraceEvent.Dma dma) {
        return completions == null || !dma.write()
                ? null
                : completions.meaning(dma.address(), dma.data().kept());
    }

    private static boolean isSameRead(TraceEvent.Access one, TraceEvent.Access other) {
        return !other.write()
                && one.region() == other.region()
                && one.offset() == other.offset()
                && one.data().length() == other.data().length();
    }

    private void apply(TraceEvent step) {
        memory.observe(TraceObservations.of(step));
        switch (step) {
            case TraceEvent.Access write -> write(write);
            case TraceEvent.InterruptControl e ->
                    target.interrupts(
                            e.kind(),
                            Math.toIntExact(e.first()),
                            Math.toIntExact(e.count()),
                            e.action());
            case TraceEvent.Mapped e ->
                    target.map(new DmaMap(e.address(), e.length(), e.direction(), null, true));
            case TraceEvent.Unmapped e -> target.unmap(e.address(), e.length());
            case TraceEvent.Reset e -> {
                memory.reset();
                compare(e, "reset", e.status(), target.reset(e.kind()));
            }
            default -> throw new IllegalStateException("Nothing that a driver does: " + step);
        }
    }

    private void write(TraceEvent.Access write) {
        if (!write.data().complete()) {
            diverged(at(write, "The trace does not have what was written."));
            return;
        }
        CompletionStatus status =
                target.write(
                        write.region(),
                        write.offset(),
                        MemorySegment.ofArray(write.data().kept()),
                        write.widthBytes(),
                        write.byteEnables());
        compare(write, names.register(write), write.status(), status);
    }

    private void compare(
            TraceEvent event, String what, CompletionStatus recorded, CompletionStatus now) {
        if (recorded != null && recorded != now) {
            TraceEvent.Stamp stamp = event.stamp();
            diverged(
                    new Divergence(
                            stamp.number(),
                            stamp.nanos(),
                            what,
                            "It ended with " + recorded + ", and ends with " + now + " now."));
        }
    }

    private Divergence at(TraceEvent.Access access, String what) {
        return new Divergence(
                access.stamp().number(),
                access.stamp().nanos(),
                names.label(access.region()) + " " + names.register(access),
                what);
    }

    // Reads.

    private void read(TraceEvent.Access recorded, boolean polled) {
        if (recorded.status() == null) {
            return; // It did not end when it was recorded.
        }
        reads++;
        polls += polled ? 1 : 0;
        byte[] now = new byte[Math.toIntExact(recorded.data().length())];
        long deadline = System.nanoTime() + rules.patienceNanos();
        long pauseNanos = FIRST_PAUSE_NANOS;
        while (true) {
            CompletionStatus status =
                    target.read(
                            recorded.region(),
                            recorded.offset(),
                            MemorySegment.ofArray(now),
                            recorded.widthBytes());
            if (status != recorded.status()) {
                compare(recorded, names.register(recorded), recorded.status(), status);
                return;
            }
            if (!status.isSuccess() || Arrays.equals(now, recorded.data().kept())) {
                return;
            }
            boolean mayAgain = polled || readsChangeNothing(recorded);
            boolean over = System.nanoTime() - deadline >= 0 || Thread.interrupted();
            if (!polled && differsOnlyWhereVolatile(recorded, now)) {
                // It may be what a driver waits for, as "ready" is, that was there at once then.
                Place place = new Place(recorded.region(), recorded.offset());
                if (!mayAgain || over || restless.contains(place)) {
                    restless.add(place);
                    volatileReads++;
                    return;
                }
            } else if (!mayAgain || over) {
                diverged(at(recorded, differs(recorded, now)));
                return;
            }
            LockSupport.parkNanos(pauseNanos);
            pauseNanos = Math.min(2 * pauseNanos, LAST_PAUSE_NANOS);
        }
    }

    private Register register(TraceEvent.Access access, long at) {
        RegisterDomain domain = names.domain(access.region());
        return domain == null ? null : domain.find(at);
    }

    /** What nobody describes counts as having side effects. */
    private boolean readsChangeNothing(TraceEvent.Access access) {
        for (long i = 0; i < access.data().length(); i++) {
            Register register = register(access, access.offset() + i);
            if (register == null || register.readEffect() != ReadEffect.NONE) {
                return false;
            }
        }
        return true;
    }

    private boolean differsOnlyWhereVolatile(TraceEvent.Access recorded, byte[] now) {
        byte[] was = recorded.data().kept();
        for (int i = 0; i < now.length && i < was.length; i++) {
            int differing = (was[i] ^ now[i]) & 0xFF;
            if (differing == 0) {
                continue;
            }
            long at = recorded.offset() + i;
            Register register = register(recorded, at);
            if (register == null) {
                return false;
            }
            int shift = (int) (8 * (at - register.elementStart(at)));
            if (((long) differing << shift & ~volatileBits(register)) != 0) {
                return false;
            }
        }
        return was.length == now.length;
    }

    private static long volatileBits(Register register) {
        return volatileBits(register.whole(), 0);
    }

    /** Of a field, and where it has fields of its own, of these. */
    private static long volatileBits(RegisterField field, int low) {
        if (field.fields().isEmpty()) {
            return field.changesByItself() ? field.mask() << low : 0;
        }
        long bits = 0;
        long named = 0;
        for (RegisterField inner : field.fields()) {
            bits |= volatileBits(inner, low + field.low());
            named |= inner.mask() << (low + field.low());
        }
        long rest = (field.mask() << low) & ~named;
        return bits | (field.changesByItself() ? rest : 0);
    }

    /** "It read 0x1 (RDY 1), and reads 0x0 now (RDY 0)." */
    private String differs(TraceEvent.Access recorded, byte[] now) {
        byte[] was = recorded.data().kept();
        if (was.length > 8 || now.length != was.length) {
            int at = Arrays.mismatch(was, now);
            return "Of %d bytes the one at 0x%x differs.".formatted(now.length, at);
        }
        TraceEvent.Data data = new TraceEvent.Data(now.length, now, null);
        long before = recorded.data().value();
        long after = data.value();
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "It read 0x%x, and reads 0x%x now", before, after));
        Register register = register(recorded, recorded.offset());
        if (register != null) {
            int shift = (int) (8 * (recorded.offset() - register.elementStart(recorded.offset())));
            List<String> fields = new ArrayList<>();
            for (RegisterField field : register.fields()) {
                long one = field.get(before << shift);
                long other = field.get(after << shift);
                long seen = field.mask() & (mask(now.length) << shift);
                if (one != other && seen != 0) {
                    fields.add(
                            field.name()
                                    + " "
                                    + RegisterText.value(field, before << shift)
                                    + " is "
                                    + RegisterText.value(field, after << shift));
                }
            }
            if (!fields.isEmpty()) {
                text.append(": ").append(String.join(", ", fields));
            }
        }
        return text.append('.').toString();
    }

    private static long mask(int bytes) {
        return bytes == 8 ? -1 : (1L << (8 * bytes)) - 1;
    }
}
