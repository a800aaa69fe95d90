package farslot.core;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The driver's side, as a function sees it: the upper half of the waist. Devices ask one; slots,
 * links and taps are ones.
 *
 * <p><b>Generations.</b> Each call says in which generation of the function it was begun. What
 * belongs to an older one is dropped: no DMA and no interrupt of before a reset is seen after it.
 *
 * <p><b>Order.</b> A DMA write is visible before the interrupt, the DMA write and the read
 * completion that follow it. A DMA write is posted.
 *
 * <p><b>Threads.</b> Any thread may call; calls of one thread keep their order. A call may block
 * while credits are used up, so nothing may be held that {@link PciFunction#write} needs in order
 * to go on. {@code interrupt} and {@code event} never wait for the driver.
 */
public interface PciHost {
    /**
     * Reads the driver's memory into {@code into}.
     *
     * @return COMPLETER_ABORT where the driver mapped no such memory for reading, STALE_GENERATION,
     *     or TIMED_OUT; {@code into} is then undefined
     */
    CompletionStatus read(int generation, long address, MemorySegment into);

    /**
     * Writes {@code from} to the driver's memory: aligned 8-byte words whole, in ascending order,
     * the last one after all others are visible. Posted: SUCCESS says that it was taken; where the
     * refusal is known only later it comes as {@link FunctionEvent.DmaRefused} and is logged.
     * {@code from} may be used again on return.
     */
    CompletionStatus write(int generation, long address, MemorySegment from);

    /**
     * Reads several pieces, all under way at once where there is a distance.
     *
     * @return SUCCESS when all succeeded, else the first other status
     */
    default CompletionStatus readAll(int generation, List<DmaSegment> segments) {
        for (DmaSegment segment : segments) {
            CompletionStatus status = read(generation, segment.address(), segment.data());
            if (!status.isSuccess()) {
                return status;
            }
        }
        return CompletionStatus.SUCCESS;
    }

    /** Writes several pieces, in the list's order. */
    default CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
        for (DmaSegment segment : segments) {
            CompletionStatus status = write(generation, segment.address(), segment.data());
            if (!status.isSuccess()) {
                return status;
            }
        }
        return CompletionStatus.SUCCESS;
    }

    /**
     * The driver's memory itself where it is near and lies in one map, else null. What is done
     * through it passes no tap and no generation check: for devices that ask for it on purpose.
     */
    MemorySegment near(int generation, long address, long length, Direction direction);

    /**
     * Whether DMA to this range is served while a driver's access waits for its completion ({@link
     * DmaMap#servedWhileWaiting}); true where nothing is mapped, since the refusal comes at once.
     */
    boolean servedWhileWaiting(long address, long length);

    /**
     * Signals an interrupt. Posted.
     *
     * @param vector 0 for INTx: the assertion, which masks it until {@link InterruptAction#UNMASK}
     */
    void interrupt(int generation, InterruptKind kind, int vector);

    /** Tells of an event. Posted. */
    void event(FunctionEvent event);
}
