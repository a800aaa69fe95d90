package farslot.slot;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.FunctionEvent;
import farslot.core.Gate;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One stay of a borrowed function in a {@link HeldFunction}: the borrow, how its generations
 * translate into the driver's, and the gate that shuts out its DMA and interrupts when it is over.
 */
final class Attachment {
    final Source.Borrow borrow;
    final HeldFunction.Contact contact;
    final PciFunction function;

    /** The driver's generation is the function's plus this. */
    private final int generationOffset;

    private final Gate gate = new Gate();

    /**
     * @param contact what is heard of the borrow's connection
     * @param generation what the driver's side is to see as this function's present generation
     */
    Attachment(Source.Borrow borrow, HeldFunction.Contact contact, int generation) {
        this.borrow = borrow;
        this.contact = contact;
        this.function = borrow.function();
        this.generationOffset = generation - function.generation();
    }

    /** The present generation as the driver's side counts. */
    int generation() {
        return function.generation() + generationOffset;
    }

    /** Nothing of this function reaches the driver's side from now on. */
    void shut() {
        gate.close();
    }

    /** Waits until what passed before {@link #shut} is done. */
    void awaitQuiet() {
        boolean interrupted = false;
        while (true) {
            try {
                if (gate.awaitEmpty(60_000)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The driver's side as this function is to see it. */
    PciHost around(PciHost host) {
        return new AttachedHost(host);
    }

    private final class AttachedHost extends ForwardingHost {
        AttachedHost(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            if (!gate.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.read(generation + generationOffset, address, into);
            } finally {
                gate.leave();
            }
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            if (!gate.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.write(generation + generationOffset, address, from);
            } finally {
                gate.leave();
            }
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            if (!gate.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.readAll(generation + generationOffset, segments);
            } finally {
                gate.leave();
            }
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            if (!gate.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.writeAll(generation + generationOffset, segments);
            } finally {
                gate.leave();
            }
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return gate.isClosed()
                    ? null
                    : super.near(generation + generationOffset, address, length, direction);
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            if (gate.enter()) {
                try {
                    super.interrupt(generation + generationOffset, kind, vector);
                } finally {
                    gate.leave();
                }
            }
        }

        @Override
        public void event(FunctionEvent event) {
            if (gate.enter()) {
                try {
                    super.event(
                            event instanceof FunctionEvent.NewGeneration(int generation, var kind)
                                    ? new FunctionEvent.NewGeneration(
                                            generation + generationOffset, kind)
                                    : event);
                } finally {
                    gate.leave();
                }
            }
        }
    }
}
