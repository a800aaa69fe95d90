package farslot.slot;

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
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** A function that notes what it is asked, and fails when told. */
final class ScriptedFunction implements PciFunction {
    static final FunctionDescription DESCRIPTION = description("scripted");

    final List<String> asked = new CopyOnWriteArrayList<>();
    volatile PciHost host;
    volatile CompletionStatus answer = CompletionStatus.SUCCESS;
    volatile int generation = 1;
    volatile FunctionDescription described = DESCRIPTION;

    /** Counted down when a call arrives. */
    final CountDownLatch arrived = new CountDownLatch(1);

    /** Calls wait for it. */
    volatile CountDownLatch release = new CountDownLatch(0);

    static FunctionDescription description(String kind) {
        return new FunctionDescription(
                kind,
                new FunctionDescription.Identity(0x1234, 0x11e8, 0, 0, 0x00ff00, 0x10),
                List.of(
                        new Region(0, Region.Space.MEMORY, 0x1000, Set.of(), 8),
                        new Region(2, Region.Space.IO_PORT, 0x10, Set.of(), 4),
                        new Region(
                                Region.CONFIGURATION,
                                Region.Space.CONFIGURATION,
                                4096,
                                Set.of(),
                                4)),
                List.of(),
                1,
                0,
                8,
                Set.of(ResetKind.values()),
                Set.of());
    }

    private CompletionStatus asked(String what) {
        asked.add(what);
        arrived.countDown();
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return answer;
    }

    @Override
    public FunctionDescription describe() {
        return described;
    }

    @Override
    public void attach(PciHost newHost) {
        host = newHost;
        asked.add(newHost == null ? "detach" : "attach");
    }

    @Override
    public int generation() {
        return generation;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        CompletionStatus status = asked("read " + region + "+" + offset);
        if (status.isSuccess()) {
            into.fill((byte) 0x5a);
        }
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        return asked("write " + region + "+" + offset + "=" + from.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        asked.add(kind + " " + first + "+" + count + " " + action);
    }

    @Override
    public void map(DmaMap map) {
        asked.add("map " + map.address() + "+" + map.length());
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        return asked("unmap " + address + "+" + length);
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        CompletionStatus status = asked("reset " + kind);
        if (status.isSuccess()) {
            int before = generation;
            generation = before + 1;
        }
        return status;
    }
}
