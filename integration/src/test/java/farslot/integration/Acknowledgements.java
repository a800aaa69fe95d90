package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Tap;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/**
 * A tap at the borrower's end that notes what a driver knows to have happened: what it sent and
 * what of that was answered, the DMA that reached its memory, the interrupts that came. A trace of
 * the lender must have all of it, whatever becomes of the lender.
 *
 * <p>Two threads never access the same register. Posted writes are acknowledged by the next read of
 * their thread that is answered, since reads push writes.
 */
final class Acknowledgements extends Tap {
    /** An access, as sent; its value is a read's answer once {@code answered}. */
    private static final class Access {
        final boolean write;
        final Register register;
        final long length;
        long value;
        boolean answered;

        Access(boolean write, Register register, MemorySegment data) {
            this.write = write;
            this.register = register;
            this.length = data.byteSize();
            this.value = write ? value(data) : 0;
        }

        boolean isThatOf(TraceEvent.Access event) {
            boolean known = write || (answered && !event.stamp().underWay());
            return event.write() == write
                    && event.region() == register.region
                    && event.offset() == register.offset
                    && event.data().length() == length
                    && (!known || event.data().value() == value);
        }

        @Override
        public String toString() {
            return String.format(
                    "%s %d+0x%x %d 0x%x",
                    write ? "write" : "read", register.region, register.offset, length, value);
        }
    }

    private record Register(int region, long offset) {}

    /** Transfers of one direction at one address, which follow each other. */
    private record Place(boolean write, long address) {}

    /** What was moved. */
    private record Moved(long length, long sum) {
        static Moved of(byte[] data) {
            CRC32C sum = new CRC32C();
            sum.update(data);
            return new Moved(data.length, sum.getValue());
        }

        static Moved of(MemorySegment data) {
            return of(data.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /**
     * What was compared.
     *
     * @param accesses how many that were acknowledged are in the trace
     * @param beyond how much the trace has that was not acknowledged
     */
    record Found(long accesses, long transfers, long interrupts, long beyond, long sealed) {
        Found plus(Found other) {
            return new Found(
                    accesses + other.accesses,
                    transfers + other.transfers,
                    interrupts + other.interrupts,
                    beyond + other.beyond,
                    sealed + other.sealed);
        }
    }

    private final CountDownLatch moment;

    /** By thread. */
    private final Map<Long, List<Access>> sent = new ConcurrentHashMap<>();

    private final Map<Place, List<Moved>> moved = new ConcurrentHashMap<>();
    private final Map<Long, Long> interrupts = new ConcurrentHashMap<>();

    /**
     * @param moment is counted down by each thing that is acknowledged
     */
    Acknowledgements(PciFunction next, CountDownLatch moment) {
        super(next);
        this.moment = moment;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        Access access = send(new Access(false, new Register(region, offset), into));
        CompletionStatus status = next().read(region, offset, into, widthBytes);
        if (status.isSuccess()) {
            access.value = value(into);
            access.answered = true;
            moment.countDown();
        }
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        send(new Access(true, new Register(region, offset), from));
        return next().write(region, offset, from, widthBytes, byteEnables);
    }

    private Access send(Access access) {
        sent.computeIfAbsent(Thread.currentThread().threadId(), thread -> new ArrayList<>())
                .add(access);
        return access;
    }

    private static long value(MemorySegment data) {
        MemorySegment number = MemorySegment.ofArray(new long[1]);
        MemorySegment.copy(data, 0, number, 0, Math.min(Long.BYTES, data.byteSize()));
        return number.get(DriverPlace.LONG, 0);
    }

    @Override
    protected PciHost around(PciHost host) {
        return new Host(host);
    }

    /** Notes DMA when it is done, and before the function can know that. */
    private final class Host extends ForwardingHost {
        Host(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            return moved(false, address, into, next().read(generation, address, into));
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            return moved(true, address, from, next().write(generation, address, from));
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            CompletionStatus status = next().readAll(generation, segments);
            segments.forEach(one -> moved(false, one.address(), one.data(), status));
            return status;
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            CompletionStatus status = next().writeAll(generation, segments);
            segments.forEach(one -> moved(true, one.address(), one.data(), status));
            return status;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            interrupts.merge((long) vector, 1L, Long::sum);
            moment.countDown();
            next().interrupt(generation, kind, vector);
        }
    }

    private CompletionStatus moved(
            boolean write, long address, MemorySegment data, CompletionStatus status) {
        if (status.isSuccess()) {
            Place place = new Place(write, address);
            List<Moved> before =
                    moved.computeIfAbsent(
                            place, key -> Collections.synchronizedList(new ArrayList<>()));
            before.add(Moved.of(data));
            moment.countDown();
        }
        return status;
    }

    /**
     * Reads a trace to its end: all that was acknowledged is there, in order, once, with what was
     * moved. To be asked when nothing passes here any more.
     *
     * @throws AssertionError with the first thing that is not so
     */
    Found assertAreIn(TraceReader trace) throws TraceException {
        return new Comparison().with(trace);
    }

    /** A trace as it is read. */
    private final class Comparison {
        private final Map<Register, Long> owners = new HashMap<>();
        private final Map<Long, Integer> next = new HashMap<>();
        private final Map<Place, Integer> transfers = new HashMap<>();
        private final Map<Long, Long> raised = new HashMap<>();
        private long accessesOfTrace;
        private long sealed;

        Comparison() {
            sent.forEach((thread, accesses) -> accesses.forEach(access -> own(thread, access)));
        }

        private void own(Long thread, Access access) {
            Long owner = owners.put(access.register, thread);
            check(owner == null || owner.equals(thread), () -> "Two threads did " + access);
        }

        Found with(TraceReader trace) throws TraceException {
            for (TraceEvent event = trace.next(); event != null; event = trace.next()) {
                sealed += event.stamp().verification() == TraceEvent.Verification.SEALED ? 1 : 0;
                compare(event);
            }
            check(trace.damaged() == 0 && trace.lost() == 0, () -> trace.remarks().toString());
            check(!trace.closed(), () -> "The trace says that it was ended in order.");
            return found();
        }

        private void compare(TraceEvent event) {
            switch (event) {
                case TraceEvent.Access access -> compare(access);
                case TraceEvent.Dma dma -> compare(dma);
                case TraceEvent.Interrupt one -> raised.merge(one.vector(), 1L, Long::sum);
                default -> {}
            }
        }

        private void compare(TraceEvent.Access event) {
            Long thread = owners.get(new Register(event.region(), event.offset()));
            check(thread != null, () -> "Nobody did " + event);
            int index = next.merge(thread, 1, Integer::sum) - 1;
            check(index < sent.get(thread).size(), () -> "More than was sent: " + event);
            Access access = sent.get(thread).get(index);
            check(
                    access.isThatOf(event),
                    () -> access + " was sent as number " + index + ": " + event);
            accessesOfTrace++;
        }

        private void compare(TraceEvent.Dma event) {
            Place place = new Place(event.write(), event.address());
            int index = transfers.merge(place, 1, Integer::sum) - 1;
            List<Moved> here = moved.getOrDefault(place, List.of());
            if (index < here.size() && !event.stamp().underWay()) {
                check(event.data().complete(), () -> "Not whole: " + event);
                check(
                        here.get(index).equals(Moved.of(event.data().kept())),
                        () -> "Other data than was moved, transfer " + index + ": " + event);
            }
        }

        private Found found() {
            long accesses = 0;
            for (var thread : sent.entrySet()) {
                int acknowledged = acknowledged(thread.getValue());
                int there = next.getOrDefault(thread.getKey(), 0);
                check(
                        there >= acknowledged,
                        () -> "From " + thread.getValue().get(there) + " on accesses are missing");
                accesses += acknowledged;
            }
            long beyond = accessesOfTrace - accesses;
            long done = 0;
            for (var place : moved.entrySet()) {
                int there = transfers.getOrDefault(place.getKey(), 0);
                int here = place.getValue().size();
                check(there >= here, () -> place.getKey() + ": " + there + " of " + here);
                done += here;
                beyond += there - here;
            }
            long came = 0;
            for (var vector : interrupts.entrySet()) {
                long there = raised.getOrDefault(vector.getKey(), 0L);
                long here = vector.getValue();
                check(there >= here, () -> "interrupt " + vector + ": " + there + " of " + here);
                came += here;
                beyond += there - here;
            }
            return new Found(accesses, done, came, beyond, sealed);
        }

        private int acknowledged(List<Access> thread) {
            int last = thread.size();
            while (last > 0 && !thread.get(last - 1).answered) {
                last--;
            }
            return last;
        }
    }

    private static void check(boolean holds, Supplier<String> what) {
        if (!holds) {
            throw new AssertionError(what.get());
        }
    }
}
