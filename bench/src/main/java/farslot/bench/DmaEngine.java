package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.FunctionDescription;
import farslot.sdk.AreaHandler;
import farslot.sdk.Device;
import farslot.sdk.Dma;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import farslot.sdk.Tasks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A device that does nothing but DMA, as fast as it can, and measures how long that takes. Writing
 * START begins; interrupt 0 says that ELAPSED can be read.
 */
final class DmaEngine implements Device {
    // Registers of BAR0, 8 bytes each.
    /** Of one transfer, in bytes. */
    static final int LENGTH = 0x00;

    /** How many transfers are asked for in one call, and so are under way at once. */
    static final int AT_ONCE = 0x08;

    /** {@link #READ}, {@link #WRITE} or {@link #ALTERNATE}. */
    static final int DIRECTION = 0x10;

    static final int CALLS = 0x18;
    static final int START = 0x20;

    /** Nanoseconds; -1 where a transfer failed. */
    static final int ELAPSED = 0x28;

    static final int READ = 0;
    static final int WRITE = 1;

    /** One of each in turns. */
    static final int ALTERNATE = 2;

    /** The driver's memory that it uses, over and over. */
    static final long ADDRESS = 0x1_0000_0000L;

    static final int MEMORY_BYTES = 2 << 20;

    private static final int BAR_BYTES = 0x1000;
    private static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x0001, 0x1af4, 0x1100, 0xff0000, 1);

    private final MemorySegment buffer = Arena.ofAuto().allocate(MEMORY_BYTES, 4096);
    private final long[] registers = new long[BAR_BYTES / Long.BYTES];
    private Dma dma;
    private Interrupts interrupts;
    private Tasks tasks;

    @Override
    public void assemble(FunctionBuilder function) {
        dma = function.dma();
        interrupts = function.interrupts();
        tasks = function.tasks();
        function.identity(IDENTITY).msi(1);
        function.memoryBar(0, BAR_BYTES)
                .area(
                        0,
                        BAR_BYTES,
                        new AreaHandler() {
                            @Override
                            public long read(long offset, int sizeBytes) {
                                return registers[(int) offset / Long.BYTES];
                            }

                            @Override
                            public void write(long offset, int sizeBytes, long value) {
                                registers[(int) offset / Long.BYTES] = value;
                                if (offset == START) {
                                    tasks.start(DmaEngine.this::work);
                                }
                            }
                        });
    }

    private void work() {
        long elapsed = measure();
        tasks.inOrder(() -> {
            registers[ELAPSED / Long.BYTES] = elapsed;
            interrupts.raise(0);
        });
    }

    private long register(int offset) {
        return registers[offset / Long.BYTES];
    }

    private long measure() {
        int length = (int) register(LENGTH);
        int atOnce = (int) register(AT_ONCE);
        int direction = (int) register(DIRECTION);
        List<List<DmaSegment>> calls = calls(length, atOnce);
        long count = register(CALLS);
        long begun = System.nanoTime();
        for (long call = 0; call < count; call++) {
            boolean write = direction == ALTERNATE ? (call & 1) != 0 : direction == WRITE;
            if (!transfer(calls.get((int) (call % calls.size())), write).isSuccess()) {
                return -1;
            }
        }
        // A read pushes the writes before it, so that all of them are paid for.
        if (direction == WRITE && !dma.read(ADDRESS, buffer.asSlice(0, 8)).isSuccess()) {
            return -1;
        }
        return System.nanoTime() - begun;
    }

    private CompletionStatus transfer(List<DmaSegment> segments, boolean write) {
        if (segments.size() == 1) {
            DmaSegment one = segments.getFirst();
            return write
                    ? dma.write(one.address(), one.data())
                    : dma.read(one.address(), one.data());
        }
        return write ? dma.writeAll(segments) : dma.readAll(segments);
    }

    /** The calls that walk once over the memory. */
    private List<List<DmaSegment>> calls(int length, int atOnce) {
        List<List<DmaSegment>> calls = new ArrayList<>();
        for (long at = 0; at + (long) length * atOnce <= MEMORY_BYTES; ) {
            List<DmaSegment> segments = new ArrayList<>();
            for (int i = 0; i < atOnce; i++, at += length) {
                segments.add(new DmaSegment(ADDRESS + at, buffer.asSlice(at, length)));
            }
            calls.add(List.copyOf(segments));
        }
        return calls;
    }
}
