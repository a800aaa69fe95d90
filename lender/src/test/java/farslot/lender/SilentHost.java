package farslot.lender;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A driver's side that counts what reaches it, and may keep a DMA waiting. */
final class SilentHost implements PciHost {
    final AtomicInteger reached = new AtomicInteger();
    final CountDownLatch arrived = new CountDownLatch(1);
    volatile CountDownLatch release = new CountDownLatch(0);

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        reached.incrementAndGet();
        arrived.countDown();
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        reached.incrementAndGet();
        return CompletionStatus.SUCCESS;
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        reached.incrementAndGet();
        return MemorySegment.ofArray(new byte[(int) length]);
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return true;
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        reached.incrementAndGet();
    }

    @Override
    public void event(FunctionEvent event) {
        reached.incrementAndGet();
    }
}
