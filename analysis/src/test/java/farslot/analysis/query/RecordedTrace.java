package farslot.analysis.query;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Makes traces: what is done to {@link #tap} and {@link #host} is recorded. */
final class RecordedTrace implements AutoCloseable {
    private static final FunctionDescription NVME =
            new FunctionDescription(
                    "nvme",
                    new Identity(0x1b36, 0x10, 0x1af4, 0x1100, 0x01_08_02, 2),
                    List.of(
                            new Region(
                                    0,
                                    Region.Space.MEMORY,
                                    0x4000,
                                    Set.of(Region.Attribute.BITS_64),
                                    1 << 12),
                            new Region(
                                    Region.CONFIGURATION,
                                    Region.Space.CONFIGURATION,
                                    4096,
                                    Set.of(),
                                    4)),
                    List.of(),
                    1,
                    0,
                    4,
                    Set.of(ResetKind.FLR),
                    Set.of());

    final RecorderTap tap;

    /** The driver's side, as the function sees it. */
    PciHost host;

    /** How the function, or the driver's side, answers what comes next. */
    CompletionStatus status = CompletionStatus.SUCCESS;

    /** What the next read gives. */
    byte[] data = new byte[0];

    RecordedTrace(Path file, TraceOptions options) throws TraceException {
        tap = RecorderTap.recording(new Function(), file, options);
        tap.attach(new Driver());
    }

    RecordedTrace(Path file) throws TraceException {
        this(file, TraceOptions.DEFAULT);
    }

    RecordedTrace read(int region, long offset, int bytes, long value) {
        data = bytes(bytes, value);
        tap.read(region, offset, MemorySegment.ofArray(new byte[bytes]), Math.min(bytes, 4));
        return this;
    }

    RecordedTrace write(int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(bytes(bytes, value));
        tap.write(region, offset, from, Math.min(bytes, 4), PciFunction.ALL_BYTES);
        return this;
    }

    private static byte[] bytes(int count, long value) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < Math.min(8, count); i++) {
            bytes[i] = (byte) (value >>> (8 * i));
        }
        return bytes;
    }

    /** Does one thing of all that there is. */
    void doAnything(Random random) {
        status =
                random.nextInt(10) == 0
                        ? CompletionStatus.COMPLETER_ABORT
                        : CompletionStatus.SUCCESS;
        int bytes = 1 << random.nextInt(5);
        long offset = random.nextInt(24) * 4L;
        int region = random.nextInt(4) == 0 ? Region.CONFIGURATION : 0;
        MemorySegment memory = MemorySegment.ofArray(new byte[1 << random.nextInt(10)]);
        long address = random.nextLong();
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> read(region, offset, bytes, random.nextLong());
            case 3, 4 -> write(region, offset, bytes, random.nextLong());
            case 5 ->
                    tap.write(
                            0, offset, MemorySegment.ofArray(new byte[bytes]), 1, random.nextInt());
            case 6 -> host.read(1, address, memory);
            case 7 -> host.write(1, address, memory);
            case 8 -> host.interrupt(1, InterruptKind.MSIX, random.nextInt(4));
            case 9 ->
                    tap.interrupts(
                            InterruptKind.MSIX, 0, random.nextInt(4), InterruptAction.ENABLE);
            case 10 -> tap.trace().mark("mark \u00e4'\"\n" + random.nextInt(3));
            default -> other(random);
        }
    }

    private void other(Random random) {
        switch (random.nextInt(4)) {
            case 0 -> tap.reset(ResetKind.FLR);
            case 1 -> tap.unmap(random.nextInt(100) * 4096L, 4096);
            case 2 -> host.event(new FunctionEvent.Error(random.nextBoolean(), "it broke"));
            default -> host.near(1, 0x1000, 16, Direction.READ);
        }
    }

    @Override
    public void close() throws TraceException {
        tap.close();
    }

    private final class Function implements PciFunction {
        @Override
        public FunctionDescription describe() {
            return NVME;
        }

        @Override
        public void attach(PciHost newHost) {
            host = newHost;
        }

        @Override
        public int generation() {
            return 1;
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
            MemorySegment.copy(
                    MemorySegment.ofArray(data),
                    0,
                    into,
                    0,
                    Math.min(data.length, into.byteSize()));
            return status;
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int width, long byteEnables) {
            return status;
        }

        @Override
        public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {}

        @Override
        public void map(DmaMap map) {}

        @Override
        public CompletionStatus unmap(long address, long length) {
            return status;
        }

        @Override
        public CompletionStatus reset(ResetKind kind) {
            return status;
        }
    }

    private final class Driver implements PciHost {
        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            into.fill((byte) address);
            return status;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            return status;
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction wanted) {
            return null;
        }

        @Override
        public boolean servedWhileWaiting(long address, long length) {
            return true;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {}

        @Override
        public void event(FunctionEvent event) {}
    }
}
