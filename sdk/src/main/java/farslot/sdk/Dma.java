package farslot.sdk;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A device's way to the driver's memory. Any thread may call; a call blocks until it is done (a
 * write, until it is taken). Every call ends with a status:
 *
 * <ul>
 *   <li>SUCCESS
 *   <li>COMPLETER_ABORT: the driver has not mapped that memory, or not in this direction
 *   <li>UNSUPPORTED_REQUEST: the driver has not made the function a bus master
 *   <li>STALE_GENERATION: the task that asks was begun before a reset; nothing was done
 *   <li>TIMED_OUT: no answer came
 * </ul>
 *
 * <p>In a handler of an access that the driver waits for (a read, or a write to I/O ports), DMA to
 * memory that its side serves only while nobody waits throws {@link DmaRefusedException} at once,
 * where it would wait for itself. So does DMA within {@link Tasks#inOrder}, since the driver's next
 * access may be waiting for that. In the handler of a write to memory, which nobody waits for, DMA
 * works; but where the driver reads meanwhile, and its side serves DMA only while nobody waits,
 * both wait until one of them has timed out. In a {@link Tasks#start task} DMA always works, and it
 * is the better place: while a handler waits, so does the driver.
 */
public final class Dma {
    private final DeviceFunction function;

    Dma(DeviceFunction function) {
        this.function = function;
    }

    /** Reads {@code into.byteSize()} bytes. */
    public CompletionStatus read(long address, MemorySegment into) {
        Binding binding = function.caller();
        CompletionStatus refusal = refusal(binding, address, into.byteSize());
        return refusal != null
                ? refusal
                : note(binding.host.read(binding.generation, address, into));
    }

    /**
     * Writes {@code from}: aligned 8-byte words whole and ascending, the last one after all others
     * are visible. {@code from} may be used again on return.
     */
    public CompletionStatus write(long address, MemorySegment from) {
        Binding binding = function.caller();
        CompletionStatus refusal = refusal(binding, address, from.byteSize());
        return refusal != null
                ? refusal
                : note(binding.host.write(binding.generation, address, from));
    }

    /** Reads several pieces, all under way at once. The first status that is not SUCCESS counts. */
    public CompletionStatus readAll(List<DmaSegment> segments) {
        Binding binding = function.caller();
        CompletionStatus refusal = refusal(binding, segments);
        return refusal != null ? refusal : note(binding.host.readAll(binding.generation, segments));
    }

    /** Writes several pieces, in the list's order. */
    public CompletionStatus writeAll(List<DmaSegment> segments) {
        Binding binding = function.caller();
        CompletionStatus refusal = refusal(binding, segments);
        return refusal != null
                ? refusal
                : note(binding.host.writeAll(binding.generation, segments));
    }

    /**
     * The driver's memory itself, where this process can reach it, in one piece; else null. What is
     * done through it is seen by no tap and outlives resets: ask again for each use, and expect
     * {@link IllegalStateException} and {@link InternalError} from memory that has vanished.
     */
    public MemorySegment near(long address, long length, Direction direction) {
        Binding binding = function.caller();
        if (refusal(binding, address, length) != null) {
            return null;
        }
        return binding.host.near(binding.generation, address, length, direction);
    }

    private CompletionStatus refusal(Binding binding, List<DmaSegment> segments) {
        CompletionStatus refusal = refusal(binding);
        for (int i = 0; refusal == null && i < segments.size(); i++) {
            DmaSegment segment = segments.get(i);
            refusal = refusal(binding, segment.address(), segment.data().byteSize());
        }
        return refusal;
    }

    private CompletionStatus refusal(Binding binding, long address, long length) {
        CompletionStatus refusal = refusal(binding);
        if (refusal == null && function.driverMayWaitForThisThread()) {
            if (!binding.host.servedWhileWaiting(address, length)) {
                throw new DmaRefusedException(
                        "DMA at 0x"
                                + Long.toHexString(address)
                                + " is refused: the driver waits for this handler, and its side"
                                + " shares no memory and serves DMA only while nobody waits. Move"
                                + " the DMA to a task, or share the machine's memory.");
            }
        }
        return refusal;
    }

    private CompletionStatus refusal(Binding binding) {
        if (function.isStale(binding)) {
            return CompletionStatus.STALE_GENERATION;
        }
        if (binding.host == null) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        return function.busMaster() ? null : CompletionStatus.UNSUPPORTED_REQUEST;
    }

    private CompletionStatus note(CompletionStatus status) {
        if (!status.isSuccess()) {
            function.noteDmaStatus(status);
        }
        return status;
    }
}
