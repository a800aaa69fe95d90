package farslot.devices.nvme;

import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Moves a command's data by its data pointer, which is PRPs or SGLs (NVMe 1.4, 4.2). */
final class DataPointer {
    static final int PRP = 0;

    /** An SGL for the data; metadata, of which there is none, in one piece. */
    static final int SGL = 1;

    /** An SGL for the data, another for the metadata. */
    static final int SGL_WITH_METADATA = 2;

    private DataPointer() {}

    /**
     * Where the data lies in the driver's memory.
     *
     * @param data cut into the segments that are returned, in order
     */
    static List<DmaSegment> segments(Enablement of, Command command, MemorySegment data)
            throws CommandException {
        if (command.psdt() != PRP) {
            return SglWalk.segments(of.memory(), command.prp1(), command.prp2(), data);
        }
        return PrpWalk.segments(
                of.memory(), of.configuration().pageBytes(), command.prp1(), command.prp2(), data);
    }

    /** Fills {@code data} from the driver's memory. */
    static void receive(Enablement of, Command command, MemorySegment data)
            throws CommandException {
        List<DmaSegment> segments = segments(of, command, data);
        if (!of.memory().readAll(segments).isSuccess()) {
            throw CommandException.dataPointer(StatusCode.DATA_TRANSFER_ERROR);
        }
    }

    /** Writes {@code data} to the driver's memory. */
    static void send(Enablement of, List<DmaSegment> segments) throws CommandException {
        if (!of.memory().writeAll(segments).isSuccess()) {
            throw CommandException.dataPointer(StatusCode.DATA_TRANSFER_ERROR);
        }
    }
}
