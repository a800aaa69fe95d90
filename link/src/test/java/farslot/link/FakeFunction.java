package farslot.link;

import farslot.core.Ability;
import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A function whose regions are memory, that writes down what it is asked, and that does what a test
 * hangs on to its reads and writes.
 */
final class FakeFunction implements PciFunction {
    /** What a test does at an access, before it is done. */
    interface Handler {
        void at(int region, long offset, MemorySegment data);
    }

    final List<String> log = Collections.synchronizedList(new ArrayList<>());
    final MemorySegment memory = MemorySegment.ofArray(new byte[0x110000]);
    final AtomicInteger generation = new AtomicInteger(1);
    volatile PciHost host;
    volatile Handler onRead = (region, offset, data) -> {};
    volatile Handler onWrite = (region, offset, data) -> {};
    volatile boolean logsAccesses = true;

    static FunctionDescription description() {
        return new FunctionDescription(
                "fake",
                new FunctionDescription.Identity(0x1b36, 0x10, 0x1af4, 0x1100, 0x010802, 2),
                List.of(
                        new Region(
                                0,
                                Region.Space.MEMORY,
                                0x100000,
                                EnumSet.of(Region.Attribute.BITS_64),
                                0x100000),
                        new Region(2, Region.Space.IO_PORT, 0x20, Set.of(), 8),
                        new Region(
                                Region.CONFIGURATION,
                                Region.Space.CONFIGURATION,
                                0x1000,
                                Set.of(Region.Attribute.READS_WITHOUT_SIDE_EFFECTS),
                                64)),
                List.of(
                        new FunctionDescription.CapabilityPlace(0x11, false, 0x40, 12),
                        new FunctionDescription.CapabilityPlace(1, true, 0x100, 0x48)),
                1,
                4,
                16,
                EnumSet.of(ResetKind.FLR, ResetKind.COLD),
                EnumSet.noneOf(Ability.class));
    }

    @Override
    public FunctionDescription describe() {
        return description();
    }

    @Override
    public void attach(PciHost attached) {
        log.add(attached == null ? "detached" : "attached");
        host = attached;
    }

    @Override
    public int generation() {
        return generation.get();
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        if (logsAccesses) {
            log.add(String.format("read %d+0x%x %d/%d", region, offset, size(into), widthBytes));
        }
        onRead.at(region, offset, into);
        MemorySegment.copy(memory, offset, into, 0, into.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        if (logsAccesses) {
            log.add(
                    String.format(
                            "write %d+0x%x %d/%d %x",
                            region, offset, size(from), widthBytes, byteEnables));
        }
        onWrite.at(region, offset, from);
        for (long at = 0; at < from.byteSize(); at++) {
            if (at >= 64 || (byteEnables & 1L << at) != 0) {
                memory.set(ValueLayout.JAVA_BYTE, offset + at, from.get(ValueLayout.JAVA_BYTE, at));
            }
        }
        return CompletionStatus.SUCCESS;
    }

    private static long size(MemorySegment segment) {
        return segment.byteSize();
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        log.add("interrupts " + kind + " " + first + " " + count + " " + action);
    }

    @Override
    public void map(DmaMap map) {
        log.add(
                String.format(
                        "map 0x%x 0x%x %s %s %s",
                        map.address(),
                        map.length(),
                        map.direction(),
                        map.near() == null ? "far" : "near",
                        map.servedWhileWaiting()));
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        log.add(String.format("unmap 0x%x 0x%x", address, length));
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        log.add("reset " + kind);
        generation.incrementAndGet();
        return CompletionStatus.SUCCESS;
    }
}
