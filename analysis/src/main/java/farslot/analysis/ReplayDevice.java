package farslot.analysis;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.registers.RegisterText;
import farslot.sdk.AreaHandler;
import farslot.sdk.Bar;
import farslot.sdk.Device;
import farslot.sdk.Dma;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import farslot.sdk.Tasks;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Answers a driver as a trace has it, as long as the driver does what the recorded one did, and
 * does then what the recorded function did: DMA, with the driver's memory wherever it is now
 * ({@link AddressNames}), and interrupts. Says the first access at which the driver leaves the
 * path; from there on a register reads as it was last read or written. A reset begins anew.
 *
 * <p>Configuration space is its own: made of the recorded description, it answers by itself.
 */
final class ReplayDevice implements Device {
    /** One register as it was last seen. */
    private record Place(int region, long offset) {}

    private final RecordedPath path;
    private final Consumer<String> talk;
    private final AddressNames addresses = new AddressNames();
    private final Map<Place, Long> last = new HashMap<>();
    private final Queue<List<TraceEvent>> due = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean doing = new AtomicBoolean();
    private final ArrayDeque<Integer> asserted = new ArrayDeque<>();

    private FunctionBuilder function;
    private Dma dma;
    private Interrupts interrupts;
    private Tasks tasks;
    private RecordedPath.Step taken;
    private boolean left;
    private long steps;

    /**
     * Answers from a path.
     *
     * @param talk is told in sentences; null for the function's log
     */
    ReplayDevice(RecordedPath path, Consumer<String> talk) throws TraceException {
        this.path = path;
        this.talk = talk;
        path.addresses(addresses);
        path.begin();
    }

    @Override
    public void assemble(FunctionBuilder builder) {
        function = builder;
        dma = builder.dma();
        interrupts = builder.interrupts();
        tasks = builder.tasks();
        FunctionDescription recorded = path.function();
        MsixPlace msix = MsixPlace.of(recorded, path.configuration());
        builder.identity(recorded.identity());
        if (recorded.intxPin() != 0) {
            builder.intx(recorded.intxPin());
        }
        if (recorded.msiVectors() != 0) {
            builder.msi(recorded.msiVectors());
        }
        Bar[] bars = new Bar[Region.ROM];
        for (Region region : recorded.regions()) {
            if (region.index() < Region.ROM) {
                bars[region.index()] = bar(region, msix);
            }
        }
        if (msix != null) {
            builder.msix(
                    msix.vectors(),
                    bars[msix.tableBar()],
                    msix.tableOffset(),
                    bars[msix.pendingBar()],
                    msix.pendingOffset());
        } else if (recorded.msixVectors() != 0) {
            log("does not show where the MSI-X table is; there is none.");
        }
    }

    /** All of it but where the MSI-X table and its pending bits are. */
    private Bar bar(Region region, MsixPlace msix) {
        Region.Attribute[] attributes =
                region.attributes().stream()
                        .filter(attribute -> attribute != Region.Attribute.MAPPABLE)
                        .toArray(Region.Attribute[]::new);
        Bar bar =
                region.space() == Region.Space.IO_PORT
                        ? function.ioBar(region.index(), region.sizeBytes(), attributes)
                        : function.memoryBar(region.index(), region.sizeBytes(), attributes);
        long from = 0;
        while (from < region.sizeBytes()) {
            long to = msix == null ? region.sizeBytes() : msix.nextIn(region, from);
            if (to > from) {
                bar.area(from, to - from, new Answers(region.index(), from));
            }
            from = msix == null ? to : msix.endOf(region.index(), to);
        }
        return bar;
    }

    private final class Answers implements AreaHandler {
        private final int region;
        private final long begin;

        Answers(int region, long begin) {
            this.region = region;
            this.begin = begin;
        }

        @Override
        public long read(long offset, int sizeBytes) {
            return answer(region, begin + offset, sizeBytes);
        }

        @Override
        public void write(long offset, int sizeBytes, long value) {
            take(region, begin + offset, sizeBytes, value);
        }
    }

    private void log(String what) {
        String sentence = path.file().getFileName() + " " + what;
        if (talk != null) {
            talk.accept(sentence);
        } else {
            function.log().log(Level.WARNING, "{0}", sentence);
        }
    }

    // The driver's steps. They come one after another.

    private long answer(int region, long offset, int size) {
        if (!left) {
            lower();
            RecordedPath.Step step = path.peek();
            if (step != null && step.isReadOf(region, offset, size)) {
                advance();
            } else if (taken == null || !taken.isReadOf(region, offset, size)) {
                skipPolls();
                step = path.peek();
                if (step != null && step.isReadOf(region, offset, size)) {
                    advance();
                } else {
                    leave("read of " + name(region, offset, size));
                }
            }
            // Else it polls on: the answer is the last.
            if (!left) {
                long value = ((TraceEvent.Access) taken.event()).data().value();
                last.put(new Place(region, offset), value);
                return value;
            }
        }
        return last.getOrDefault(new Place(region, offset), 0L);
    }

    private void take(int region, long offset, int size, long value) {
        if (!left) {
            lower();
            skipPolls();
            RecordedPath.Step step = path.peek();
            boolean same =
                    step != null
                            && step.event() instanceof TraceEvent.Access access
                            && access.write()
                            && access.region() == region
                            && access.offset() == offset
                            && access.data().length() == size;
            if (!same) {
                leave("write of 0x%x to %s".formatted(value, name(region, offset, size)));
            } else {
                long was = ((TraceEvent.Access) step.event()).data().value();
                if (isSame(was, value, size)) {
                    advance();
                } else {
                    leave(
                            "write of 0x%x to %s, where 0x%x was written%s"
                                    .formatted(
                                            value,
                                            name(region, offset, size),
                                            was,
                                            fields(region, offset, was, value)));
                }
            }
        }
        last.put(new Place(region, offset), value);
    }

    private boolean isSame(long was, long now, int size) {
        synchronized (addresses) {
            return addresses.same(was, now, size);
        }
    }

    private String name(int region, long offset, int size) {
        return path.names().label(region)
                + " "
                + RegisterText.name(path.names().domain(region), offset, size);
    }

    /** Which fields of a register differ. */
    private String fields(int region, long offset, long was, long now) {
        var domain = path.names().domain(region);
        var register = domain == null ? null : domain.find(offset);
        if (register == null || register.elementStart(offset) != offset) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        for (var field : register.fields()) {
            if (field.get(was) != field.get(now)) {
                text.append(text.isEmpty() ? " (" : ", ").append(field.name());
            }
        }
        return text.isEmpty() ? "" : text.append(')').toString();
    }

    /** What polled a register may have polled it more often then than now. */
    private void skipPolls() {
        while (taken != null
                && taken.event() instanceof TraceEvent.Access access
                && !access.write()
                && path.peek() != null
                && path.peek()
                        .isReadOf(
                                access.region(),
                                access.offset(),
                                Math.toIntExact(access.data().length()))) {
            advance();
        }
    }

    private void advance() {
        try {
            taken = path.next();
        } catch (TraceException e) {
            left = true;
            log("cannot be read further: " + e.getMessage());
            return;
        }
        steps++;
        if (!taken.deeds().isEmpty()) {
            due.add(taken.deeds());
            work();
        }
    }

    private void leave(String what) {
        left = true;
        RecordedPath.Step step = path.peek();
        String expected;
        if (step == null) {
            expected = "ends before";
        } else if (step.event() instanceof TraceEvent.Access access) {
            expected =
                    "has at event %d a %s of %s"
                            .formatted(
                                    access.stamp().number(),
                                    access.write() ? "write" : "read",
                                    name(
                                            access.region(),
                                            access.offset(),
                                            Math.toIntExact(access.data().length())));
        } else {
            expected = "has at event %d a reset".formatted(step.event().stamp().number());
        }
        log(
                "%s; after %d steps the driver leaves the path by a %s."
                                .formatted(expected, steps, what)
                        + " Registers stay as they are from now on.");
    }

    /** An INTx of before has been seen once the driver does something. */
    private void lower() {
        while (!asserted.isEmpty()) {
            interrupts.lower(asserted.remove());
        }
    }

    @Override
    public void reset(ResetKind kind) {
        // What was begun of it before has no effect any more.
        due.clear();
        doing.set(false);
        last.clear();
        asserted.clear();
        try {
            if (!left && path.isNextReset(kind)) {
                advance();
                return;
            }
            left = false;
            taken = null;
            steps = 0;
            synchronized (addresses) {
                addresses.forget();
            }
            path.begin();
        } catch (TraceException e) {
            left = true;
            log("cannot be read: " + e.getMessage());
        }
    }

    // What the function did. On a task's thread, one thing after another.

    private void work() {
        if (doing.compareAndSet(false, true)) {
            boolean begun = tasks.start(this::doAll);
            if (!begun) {
                doing.set(false);
            }
        }
    }

    private void doAll() {
        while (true) {
            List<TraceEvent> deeds = due.poll();
            if (deeds == null) {
                doing.set(false);
                if (due.isEmpty() || !doing.compareAndSet(false, true)) {
                    return;
                }
                continue;
            }
            for (TraceEvent deed : deeds) {
                switch (deed) {
                    case TraceEvent.Dma transfer -> transfer(transfer);
                    case TraceEvent.Interrupt interrupt ->
                            tasks.inOrder(() -> interrupt((int) interrupt.vector()));
                    default -> throw new IllegalStateException("No deed: " + deed);
                }
            }
        }
    }

    private void interrupt(int vector) {
        interrupts.raise(vector);
        asserted.add(vector);
    }

    private void transfer(TraceEvent.Dma transfer) {
        long address;
        synchronized (addresses) {
            address = addresses.now(transfer.address());
        }
        if (address == -1) {
            log(
                    "has %d bytes of DMA at 0x%x, for which the driver has given no memory now."
                            .formatted(transfer.data().length(), transfer.address()));
            return;
        }
        byte[] was = transfer.data().kept();
        if (transfer.write()) {
            say(transfer, dma.write(address, MemorySegment.ofArray(was)));
            return;
        }
        MemorySegment now = MemorySegment.ofArray(new byte[was.length]);
        CompletionStatus status = dma.read(address, now);
        say(transfer, status);
        if (status.isSuccess()) {
            compare(MemorySegment.ofArray(was), now);
        }
    }

    private void say(TraceEvent.Dma transfer, CompletionStatus status) {
        if (!status.isSuccess() && status != CompletionStatus.STALE_GENERATION) {
            log(
                    "has %d bytes of DMA at 0x%x, which end with %s now."
                            .formatted(transfer.data().length(), transfer.address(), status));
        }
    }

    /** Where the recorded driver's memory had an address this one's has another. */
    private void compare(MemorySegment was, MemorySegment now) {
        synchronized (addresses) {
            for (long at = 0; at + 8 <= was.byteSize(); at += 8) {
                long before = was.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
                long after = now.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
                addresses.same(before, after, 8);
            }
        }
    }

    @Override
    public void close() {
        path.close();
    }
}
