package farslot.devices.nvme;

import farslot.block.BlockImage;
import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.InterruptKind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A controller without anything around it: no PCI, no SDK; memory is an array. */
final class ControllerBench implements DriverSide, AutoCloseable {
    private static final int RAM_BYTES = 24 << 20;
    static final int QUEUE_PAIRS = 4;

    final ControllerState state;
    final Controller controller;
    final Changes changes = new Changes();
    volatile InterruptKind kind = InterruptKind.MSIX;
    volatile boolean pin;
    final AtomicInteger assertions = new AtomicInteger();

    private final MemorySegment ram = Arena.ofAuto().allocate(RAM_BYTES, 4096);
    private final ThreadPoolExecutor workers =
            new ThreadPoolExecutor(
                    0, Integer.MAX_VALUE, 60, TimeUnit.SECONDS, new SynchronousQueue<>());
    private final InterruptStatus interrupts;
    private int generation;
    private int aqa;
    private long asq;
    private long acq;

    /** Takes images with blocks of 512 bytes, each a namespace; the caller closes them. */
    ControllerBench(BlockImage... images) {
        this(512, true, images);
    }

    ControllerBench(int blockBytes, boolean cache, BlockImage... images) {
        List<Namespace> namespaces = new ArrayList<>();
        for (BlockImage image : images) {
            namespaces.add(
                    new Namespace(
                            image,
                            blockBytes,
                            Namespace.uuidOf("bench" + namespaces.size()),
                            UncorrectableBlocks.inMemory()));
        }
        state =
                new ControllerState(
                        new Namespaces(namespaces),
                        0x1234,
                        "SERIAL",
                        "MODEL",
                        QUEUE_PAIRS,
                        cache,
                        new HealthCounters(),
                        new ErrorLog(),
                        new DataBuffers(Identify.MAX_TRANSFER_BYTES));
        interrupts = new InterruptStatus(new Lines());
        controller = new Controller(state, interrupts, workers, () -> new Memory(generation));
    }

    private final class Lines implements InterruptLines {
        @Override
        public InterruptKind kind() {
            return kind;
        }

        @Override
        public int vectors() {
            return kind == InterruptKind.INTX ? 1 : QUEUE_PAIRS + 1;
        }

        @Override
        public void message(int vector) {
            changes.interrupt(kind, vector);
        }

        @Override
        public void pin(boolean asserted) {
            if (asserted && !pin) {
                assertions.incrementAndGet();
                changes.interrupt(InterruptKind.INTX, 0);
            }
            pin = asserted;
        }
    }

    private final class Memory implements DriverMemory {
        private final int of;

        Memory(int of) {
            this.of = of;
        }

        private MemorySegment at(long address, long length) {
            long offset = address - RAM_ADDRESS;
            boolean within = offset >= 0 && offset <= RAM_BYTES - length;
            return within ? ram.asSlice(offset, length) : null;
        }

        @Override
        public CompletionStatus read(long address, MemorySegment into) {
            MemorySegment from = at(address, into.byteSize());
            if (of != generation) {
                return CompletionStatus.STALE_GENERATION;
            }
            if (from == null) {
                return CompletionStatus.COMPLETER_ABORT;
            }
            into.copyFrom(from);
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(long address, MemorySegment from) {
            MemorySegment into = at(address, from.byteSize());
            if (of != generation) {
                return CompletionStatus.STALE_GENERATION;
            }
            if (into == null) {
                return CompletionStatus.COMPLETER_ABORT;
            }
            synchronized (ControllerBench.this) {
                into.copyFrom(from);
            }
            changes.memoryWritten();
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus readAll(List<DmaSegment> segments) {
            CompletionStatus status = CompletionStatus.SUCCESS;
            for (DmaSegment segment : segments) {
                CompletionStatus one = read(segment.address(), segment.data());
                status = status.isSuccess() ? one : status;
            }
            return status;
        }

        @Override
        public CompletionStatus writeAll(List<DmaSegment> segments) {
            CompletionStatus status = CompletionStatus.SUCCESS;
            for (DmaSegment segment : segments) {
                CompletionStatus one = write(segment.address(), segment.data());
                status = status.isSuccess() ? one : status;
            }
            return status;
        }
    }

    /** A reset of the function. */
    void reset() {
        generation++;
        aqa = 0;
        asq = 0;
        acq = 0;
        controller.reset(false);
    }

    @Override
    public int read(int offset) {
        return switch (offset) {
            case NvmeDriver.INTMS, NvmeDriver.INTMC -> interrupts.mask();
            case NvmeDriver.CSTS -> controller.status();
            default -> throw new AssertionError("not here: 0x" + Integer.toHexString(offset));
        };
    }

    @Override
    public void write(int offset, int value) {
        switch (offset) {
            case NvmeDriver.INTMS -> interrupts.setMask(value);
            case NvmeDriver.INTMC -> interrupts.clearMask(value);
            case NvmeDriver.CC ->
                    controller.configure(
                            new ControllerConfiguration(value), new AdminQueues(aqa, asq, acq));
            case NvmeDriver.AQA -> aqa = value;
            case NvmeDriver.ASQ -> asq = asq >>> 32 << 32 | Integer.toUnsignedLong(value);
            case NvmeDriver.ASQ + 4 -> asq = (asq & 0xFFFF_FFFFL) | (long) value << 32;
            case NvmeDriver.ACQ -> acq = acq >>> 32 << 32 | Integer.toUnsignedLong(value);
            case NvmeDriver.ACQ + 4 -> acq = (acq & 0xFFFF_FFFFL) | (long) value << 32;
            default -> {
                int doorbell = (offset - NvmeDriver.DOORBELLS) / 4;
                controller.ring(doorbell / 2, doorbell % 2 == 1, value);
            }
        }
    }

    @Override
    public MemorySegment ram() {
        return ram;
    }

    @Override
    public int interrupts(InterruptKind ofKind, int vector) {
        return changes.interrupts(ofKind, vector);
    }

    @Override
    public long changes() {
        return changes.count();
    }

    @Override
    public void awaitChange(long seen) {
        changes.await(seen);
    }

    /**
     * Waits until nothing is being done. A driver that looks for itself sees a completion before
     * its interrupt is signalled.
     */
    void awaitIdle() {
        while (workers.getActiveCount() > 0) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() throws IOException {
        controller.reset(false);
        workers.shutdown();
        try {
            if (!workers.awaitTermination(30, TimeUnit.SECONDS)) {
                throw new AssertionError("The workers do not end.");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
