package farslot.lender;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.ForwardingFunction;
import farslot.core.ForwardingHost;
import farslot.core.FunctionEvent;
import farslot.core.Gate;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.core.StateException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What one lease sees of a function: everything while the lease holds, nothing afterwards. Each
 * lease has a fence of its own, so a call that was on its way when the lease ended can never reach
 * the function in the hands of the next slot, and no DMA or interrupt of the function reaches the
 * slot that has given it back.
 */
final class Fence extends ForwardingFunction {
    private final Gate calls = new Gate();
    private final Gate dma = new Gate();

    Fence(PciFunction next) {
        super(next);
    }

    /** From now on nothing passes, in either direction. */
    void close() {
        dma.close();
        calls.close();
    }

    /** Waits until what passed before {@link #close} is done. */
    boolean awaitQuiet(long timeoutMillis) throws InterruptedException {
        return dma.awaitEmpty(timeoutMillis) && calls.awaitEmpty(timeoutMillis);
    }

    @Override
    public void attach(PciHost host) {
        if (calls.enter()) {
            try {
                next().attach(host == null ? null : new FencedHost(host));
            } finally {
                calls.leave();
            }
        }
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        if (!calls.enter()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        try {
            return next().read(region, offset, into, widthBytes);
        } finally {
            calls.leave();
        }
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        if (!calls.enter()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        try {
            return next().write(region, offset, from, widthBytes, byteEnables);
        } finally {
            calls.leave();
        }
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        if (calls.enter()) {
            try {
                next().interrupts(kind, first, count, action);
            } finally {
                calls.leave();
            }
        }
    }

    @Override
    public void map(DmaMap map) {
        if (calls.enter()) {
            try {
                next().map(map);
            } finally {
                calls.leave();
            }
        }
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        if (!calls.enter()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        try {
            return next().unmap(address, length);
        } finally {
            calls.leave();
        }
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        if (!calls.enter()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        try {
            return next().reset(kind);
        } finally {
            calls.leave();
        }
    }

    @Override
    public CompletionStatus quiesce() {
        if (!calls.enter()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        try {
            return next().quiesce();
        } finally {
            calls.leave();
        }
    }

    @Override
    public void resume() {
        if (calls.enter()) {
            try {
                next().resume();
            } finally {
                calls.leave();
            }
        }
    }

    @Override
    public byte[] save() throws StateException {
        if (!calls.enter()) {
            throw over();
        }
        try {
            return next().save();
        } finally {
            calls.leave();
        }
    }

    @Override
    public void load(byte[] state) throws StateException {
        if (!calls.enter()) {
            throw over();
        }
        try {
            next().load(state);
        } finally {
            calls.leave();
        }
    }

    private static StateException over() {
        return new StateException("The lease is over.");
    }

    /** The driver's side as the function sees it under this lease. */
    private final class FencedHost extends ForwardingHost {
        FencedHost(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            if (!dma.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.read(generation, address, into);
            } finally {
                dma.leave();
            }
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            if (!dma.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.write(generation, address, from);
            } finally {
                dma.leave();
            }
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            if (!dma.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.readAll(generation, segments);
            } finally {
                dma.leave();
            }
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            if (!dma.enter()) {
                return CompletionStatus.STALE_GENERATION;
            }
            try {
                return super.writeAll(generation, segments);
            } finally {
                dma.leave();
            }
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return dma.isClosed() ? null : super.near(generation, address, length, direction);
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            if (dma.enter()) {
                try {
                    super.interrupt(generation, kind, vector);
                } finally {
                    dma.leave();
                }
            }
        }

        @Override
        public void event(FunctionEvent event) {
            if (dma.enter()) {
                try {
                    super.event(event);
                } finally {
                    dma.leave();
                }
            }
        }
    }
}
