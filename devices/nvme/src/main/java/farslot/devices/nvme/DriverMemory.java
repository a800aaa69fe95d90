package farslot.devices.nvme;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The driver's memory as one enablement of the controller sees it: tied to the generation in which
 * it was enabled, so that nothing of it arrives after a reset. Calls block; any thread may call.
 */
interface DriverMemory {
    CompletionStatus read(long address, MemorySegment into);

    /** The last 8 bytes are visible after all others (the phase tag lies there). */
    CompletionStatus write(long address, MemorySegment from);

    CompletionStatus readAll(List<DmaSegment> segments);

    CompletionStatus writeAll(List<DmaSegment> segments);
}
