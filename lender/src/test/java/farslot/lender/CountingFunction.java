package farslot.lender;

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
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** A function that notes what it is asked and keeps the hosts that it was given. */
final class CountingFunction implements PciFunction {
    final List<String> asked = new CopyOnWriteArrayList<>();
    final List<PciHost> hosts = new CopyOnWriteArrayList<>();
    final CountDownLatch arrived = new CountDownLatch(1);
    volatile CountDownLatch release = new CountDownLatch(0);
    private int generation = 1;

    @Override
    public FunctionDescription describe() {
        return new FunctionDescription(
                "counting",
                new FunctionDescription.Identity(0x1234, 0x11e8, 0, 0, 0x00ff00, 0x10),
                List.of(
                        new Region(0, Region.Space.MEMORY, 0x1000, Set.of(), 8),
                        new Region(
                                Region.CONFIGURATION,
                                Region.Space.CONFIGURATION,
                                4096,
                                Set.of(),
                                8)),
                List.of(),
                1,
                0,
                4,
                Set.of(ResetKind.values()),
                Set.of());
    }

    @Override
    public void attach(PciHost host) {
        asked.add(host == null ? "detach" : "attach");
        if (host != null) {
            hosts.add(host);
        }
    }

    @Override
    public synchronized int generation() {
        return generation;
    }

    /** Its configuration space, which a reset does not touch. */
    final byte[] configuration = new byte[Region.CONFIGURATION_SIZE_BYTES];

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        if (region == Region.CONFIGURATION) {
            into.copyFrom(MemorySegment.ofArray(configuration).asSlice(offset, into.byteSize()));
            return CompletionStatus.SUCCESS;
        }
        asked.add("read");
        arrived.countDown();
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        into.fill((byte) 0x11);
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        asked.add("write");
        return CompletionStatus.SUCCESS;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        asked.add(kind + " " + action);
    }

    @Override
    public void map(DmaMap map) {
        asked.add("map");
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        asked.add("unmap");
        return CompletionStatus.SUCCESS;
    }

    @Override
    public synchronized CompletionStatus reset(ResetKind kind) {
        asked.add("reset " + kind);
        generation++;
        return CompletionStatus.SUCCESS;
    }
}
