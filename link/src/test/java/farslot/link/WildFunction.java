package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A function that uses its host in whatever way a driver's write says, at once or on a thread of
 * its own, and that notes what the link should have kept from it.
 */
final class WildFunction implements PciFunction {
    private static final int MOST_DMA_BYTES = 0x30000;
    private static final FunctionDescription DESCRIPTION = FakeFunction.description();

    final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
    final AtomicInteger generation = new AtomicInteger(1);
    private final Executor device;
    private volatile PciHost host;

    WildFunction(Executor device) {
        this.device = device;
    }

    boolean isAttached() {
        return host != null;
    }

    private void check(boolean right, String what) {
        if (!right || host == null) {
            wrongs.add(what + (right ? " without a host" : ""));
        }
    }

    private void checkAccess(int index, long offset, long length) {
        Region region = DESCRIPTION.region(index).orElse(null);
        boolean within =
                region != null && length > 0 && offset >= 0 && region.contains(offset, length);
        check(within, "an access of " + length + " bytes at " + offset + " of region " + index);
    }

    @Override
    public FunctionDescription describe() {
        return DESCRIPTION;
    }

    @Override
    public void attach(PciHost attached) {
        host = attached;
    }

    @Override
    public int generation() {
        return generation.get();
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        checkAccess(region, offset, into.byteSize());
        into.fill((byte) 0x5a);
        return offset == 0xbad ? CompletionStatus.COMPLETER_ABORT : CompletionStatus.SUCCESS;
    }

    /** The first bytes of what is written to region 0 are an order. */
    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        checkAccess(region, offset, from.byteSize());
        if (region == 0 && from.byteSize() >= 4) {
            byte[] order = from.asSlice(0, 4).toArray(ValueLayout.JAVA_BYTE);
            if ((order[0] & 8) != 0) {
                device.execute(() -> act(order));
            } else {
                act(order);
            }
        }
        return CompletionStatus.SUCCESS;
    }

    /** Uses the host: what, where in units of half pages, how much. */
    void act(byte[] order) {
        PciHost now = host;
        if (now == null) {
            return;
        }
        int at = generation.get() - (order[0] >> 4 & 1);
        long address = (order[1] & 0xff) * 0x800L;
        int length = Math.min(MOST_DMA_BYTES, 1 + (order[2] & 0xff) * (order[3] & 0xff));
        MemorySegment data = Arena.ofAuto().allocate(length, 8);
        switch (order[0] & 7) {
            case 0, 1 -> now.read(at, address, data);
            case 2, 3 -> now.write(at, address, data);
            case 4 -> now.interrupt(at, InterruptKind.MSIX, order[1] & 15);
            case 5 -> now.event(new FunctionEvent.Error(true, "As it was ordered."));
            case 6 -> now.servedWhileWaiting(address, length);
            default -> now.near(at, address, length, Direction.READ);
        }
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        boolean within = first >= 0 && count > 0 && first + count <= DESCRIPTION.vectors(kind);
        check(within, "interrupts " + first + " and " + count);
    }

    @Override
    public void map(DmaMap map) {
        check(true, "a map");
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        check(true, "an unmap");
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        check(true, "a reset");
        generation.incrementAndGet();
        return CompletionStatus.SUCCESS;
    }
}
