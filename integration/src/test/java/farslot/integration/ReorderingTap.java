package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.ForwardingHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Tap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Exchanger;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Breaks one ordering rule in one round, and nothing else: what is taken out of its place is put
 * back behind what it belongs before, and where the driver looks from a thread of its own, only
 * after it has looked. So a litmus test that misses it is blind, not unlucky.
 */
final class ReorderingTap extends Tap {
    private static final long PATIENCE_SECONDS = 60;

    private final LitmusPlant plant;
    private final long round;
    private final CountDownLatch looked = new CountDownLatch(1);
    private final AtomicReference<Runnable> held = new AtomicReference<>();
    private final AtomicInteger reorderings = new AtomicInteger();
    private final Exchanger<Long> exchanger = new Exchanger<>();
    private final AtomicBoolean exchanging = new AtomicBoolean();

    ReorderingTap(PciFunction next, LitmusPlant plant, long round) {
        super(next);
        this.plant = plant;
        this.round = round;
    }

    /** The driver has looked at what this round did. */
    void looked(long at) {
        if (at == round) {
            looked.countDown();
        }
    }

    /** How often the order was changed. */
    int reorderings() {
        return reorderings.get();
    }

    // From the driver to the device.

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        releaseLate();
        if (isLate(region, offset, from)) {
            MemorySegment copy = copy(from);
            held.set(() -> next().write(region, offset, copy, widthBytes, byteEnables));
            return CompletionStatus.SUCCESS;
        }
        CompletionStatus status = next().write(region, offset, from, widthBytes, byteEnables);
        if (plant == LitmusPlant.FIRST_REGION_LAST && region == 2) {
            release();
        }
        return status;
    }

    private boolean isLate(int region, long offset, MemorySegment from) {
        return switch (plant) {
            case WRITE_BEHIND_READ -> is(region, offset, from, LitmusDevice.PAIR_A);
            case FIRST_REGION_LAST -> is(region, offset, from, LitmusDevice.FIRST);
            case ACKNOWLEDGE_BEHIND_UNMASK -> is(region, offset, from, LitmusDevice.ACKNOWLEDGE);
            default -> false;
        };
    }

    private boolean is(int region, long offset, MemorySegment from, long register) {
        return region == 0 && offset == register && first(from) == round;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        releaseLate();
        CompletionStatus status = next().read(region, offset, into, widthBytes);
        if (plant == LitmusPlant.WRITE_BEHIND_READ && offset == LitmusDevice.PAIR) {
            release();
        } else if (plant == LitmusPlant.COMPLETIONS_EXCHANGED && region == 0) {
            exchange(offset, into);
        }
        return status;
    }

    /** What waits for the driver's look at the memory is done before its next access. */
    private void releaseLate() {
        if (plant == LitmusPlant.DATA_BEHIND_COMPLETION && looked.getCount() == 0) {
            release();
        }
    }

    /** Lane 0 waits in the planted round until lane 1 has read something too. */
    private void exchange(long offset, MemorySegment into) {
        boolean begins =
                offset == LitmusDevice.SCRATCH
                        && first(into) == LitmusDriver.scratchValue(0, round);
        boolean joins =
                offset == LitmusDevice.SCRATCH + LitmusDevice.LANE_BYTES
                        && exchanging.compareAndSet(true, false);
        if (!begins && !joins) {
            return;
        }
        if (begins) {
            exchanging.set(true);
            reorderings.incrementAndGet();
        }
        try {
            long other = exchanger.exchange(first(into), PATIENCE_SECONDS, TimeUnit.SECONDS);
            into.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, other);
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("Nobody read beside lane 0.", e);
        }
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        next().interrupts(kind, first, count, action);
        if (plant == LitmusPlant.ACKNOWLEDGE_BEHIND_UNMASK && action == InterruptAction.UNMASK) {
            release();
        }
    }

    // From the device to the driver.

    @Override
    protected PciHost around(PciHost host) {
        return new ReorderingHost(host);
    }

    private final class ReorderingHost extends ForwardingHost {
        ReorderingHost(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            if (isLate(address, from)) {
                MemorySegment copy = copy(from);
                held.set(() -> next().write(generation, address, copy));
                return CompletionStatus.SUCCESS;
            }
            if (plant == LitmusPlant.LAST_WORD_FIRST
                    && address == LitmusDevice.entryAt(round)
                    && first(from) == round) {
                long rest = from.byteSize() - 8;
                next().write(generation, address + rest, from.asSlice(rest));
                awaitLook();
                reorderings.incrementAndGet();
                return next().write(generation, address, from.asSlice(0, rest));
            }
            CompletionStatus status = next().write(generation, address, from);
            if (plant == LitmusPlant.DATA_BEHIND_FLAG && address == LitmusDevice.flagAt(round)) {
                releaseAfterLook();
            }
            return status;
        }

        private boolean isLate(long address, MemorySegment from) {
            return switch (plant) {
                case DATA_BEHIND_INTERRUPT, DATA_BEHIND_FLAG ->
                        address == LitmusDevice.dataAt(round) && first(from) == round;
                case DATA_BEHIND_COMPLETION ->
                        address == LitmusDevice.ANSWER_AT && first(from) == round;
                case BLOCK_BEHIND_READ ->
                        address == LitmusDevice.blockAt(0, round)
                                && first(from) == LitmusDevice.blockWord(0, round, 0);
                default -> false;
            };
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            CompletionStatus status = next().read(generation, address, into);
            if (plant == LitmusPlant.BLOCK_BEHIND_READ
                    && address == LitmusDevice.blockAt(0, round)) {
                release();
            }
            return status;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            next().interrupt(generation, kind, vector);
            if (plant == LitmusPlant.DATA_BEHIND_INTERRUPT) {
                releaseAfterLook();
            }
        }
    }

    private void releaseAfterLook() {
        if (held.get() != null) {
            awaitLook();
            release();
        }
    }

    private void awaitLook() {
        try {
            if (!looked.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("The driver never looked at round " + round + ".");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void release() {
        Runnable late = held.getAndSet(null);
        if (late != null) {
            reorderings.incrementAndGet();
            late.run();
        }
    }

    private static MemorySegment copy(MemorySegment from) {
        return MemorySegment.ofArray(from.toArray(ValueLayout.JAVA_LONG_UNALIGNED));
    }

    private static long first(MemorySegment data) {
        return data.byteSize() < 8 ? -1 : data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    }
}
