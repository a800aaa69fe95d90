package farslot.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A function whose regions are memory, that notes what it is asked for and lets a test step in.
 * BAR0: 4 KiB of memory, MSI-X bits at 0x800; BAR2: 32 I/O ports; configuration space.
 */
final class FakeFunction implements PciFunction {
    static final int BAR0_BYTES = 0x1000;
    static final int IO_BYTES = 0x20;
    static final int MSIX_VECTORS = 4;
    static final int MSIX_CAPABILITY = 0x40;

    /** Steps in before an access; null lets it pass. */
    interface Handler {
        CompletionStatus access(int region, long offset, MemorySegment data, int width);
    }

    final LinkedBlockingQueue<String> calls = new LinkedBlockingQueue<>();
    final AtomicInteger generation = new AtomicInteger(1);
    volatile PciHost host;
    volatile Handler onRead = (region, offset, data, width) -> null;
    volatile Handler onWrite = (region, offset, data, width) -> null;
    private final MemorySegment[] memory = new MemorySegment[Region.COUNT];
    private final FunctionDescription description;

    FakeFunction() {
        description =
                new FunctionDescription(
                        "fake",
                        new FunctionDescription.Identity(0x1234, 0x11e8, 0, 0, 0xff0000, 1),
                        List.of(
                                new Region(0, Region.Space.MEMORY, BAR0_BYTES, Set.of(), 8),
                                new Region(2, Region.Space.IO_PORT, IO_BYTES, Set.of(), 4),
                                new Region(7, Region.Space.CONFIGURATION, 4096, Set.of(), 64)),
                        List.of(
                                new FunctionDescription.CapabilityPlace(
                                        0x11, false, MSIX_CAPABILITY, 12)),
                        1,
                        2,
                        MSIX_VECTORS,
                        Set.of(ResetKind.HOT, ResetKind.COLD),
                        Set.of());
        for (Region region : description.regions()) {
            memory[region.index()] = Arena.ofAuto().allocate(region.sizeBytes(), 8);
        }
        memory[7].set(Messages.U32, 0, 0x11e81234);
        memory[7].set(Messages.U32, MSIX_CAPABILITY + 8, 0x800);
        memory[0].asSlice(0x800, 8).fill((byte) 0x5a);
    }

    MemorySegment memory(int region) {
        return memory[region];
    }

    /** Waits for the next noted call. */
    String nextCall() throws InterruptedException {
        String call = calls.poll(30, TimeUnit.SECONDS);
        return call == null ? "no call came" : call;
    }

    /** Waits for a noted call that begins so; forgets those before it. */
    String awaitCall(String begin) throws InterruptedException {
        String call = nextCall();
        while (!call.startsWith(begin) && !call.startsWith("no call")) {
            call = nextCall();
        }
        return call;
    }

    @Override
    public FunctionDescription describe() {
        return description;
    }

    @Override
    public void attach(PciHost newHost) {
        host = newHost;
        calls.add(newHost == null ? "detach" : "attach");
    }

    @Override
    public int generation() {
        return generation.get();
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
        CompletionStatus stepped = onRead.access(region, offset, into, width);
        if (stepped == null) {
            MemorySegment.copy(memory[region], offset, into, 0, into.byteSize());
        }
        return stepped == null ? CompletionStatus.SUCCESS : stepped;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int width, long byteEnables) {
        CompletionStatus stepped = onWrite.access(region, offset, from, width);
        if (stepped == null) {
            MemorySegment.copy(from, 0, memory[region], offset, from.byteSize());
        }
        calls.add(String.format("write %d 0x%x %d %d", region, offset, from.byteSize(), width));
        return stepped == null ? CompletionStatus.SUCCESS : stepped;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        calls.add(action + " " + kind + " " + first + " " + count);
    }

    @Override
    public void map(DmaMap map) {
        calls.add(
                String.format(
                        "map 0x%x 0x%x %s %s",
                        map.address(),
                        map.length(),
                        map.direction(),
                        map.near() == null ? "far" : "near"));
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        calls.add(String.format("unmap 0x%x 0x%x", address, length));
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        generation.incrementAndGet();
        calls.add("reset " + kind);
        return CompletionStatus.SUCCESS;
    }

    static byte[] bytes(MemorySegment segment) {
        return segment.toArray(JAVA_BYTE);
    }
}
