package farslot.devices.nvme;

import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a command's data lies in the driver's memory: physical region pages (NVMe 1.4, 4.3 and
 * figure 105). Pages that follow one another become one piece.
 */
final class PrpWalk {
    private static final int ENTRY_BYTES = 8;

    private final DriverMemory memory;
    private final int pageBytes;
    private final MemorySegment data;
    private final List<DmaSegment> segments = new ArrayList<>();
    private long done;
    private long pieceAddress;
    private long pieceBytes;

    private PrpWalk(DriverMemory memory, int pageBytes, MemorySegment data) {
        this.memory = memory;
        this.pageBytes = pageBytes;
        this.data = data;
    }

    /**
     * Pairs a buffer with the pages that a command names for it.
     *
     * @param pageBytes the memory page size that CC.MPS says
     * @param data at least 1 byte; cut into the segments that are returned, in order
     * @throws CommandException PRP_OFFSET_INVALID, or DATA_TRANSFER_ERROR where a PRP list cannot
     *     be read
     */
    static List<DmaSegment> segments(
            DriverMemory memory, int pageBytes, long prp1, long prp2, MemorySegment data)
            throws CommandException {
        PrpWalk walk = new PrpWalk(memory, pageBytes, data);
        walk.first(prp1);
        if (walk.remaining() > pageBytes) {
            walk.list(prp2);
        } else if (walk.remaining() > 0) {
            walk.page(prp2);
        }
        walk.endPiece();
        return walk.segments;
    }

    private long remaining() {
        return data.byteSize() - done;
    }

    private int offset(long address) {
        return (int) (address & (pageBytes - 1));
    }

    /** PRP1 alone may begin within a page, at a dword. */
    private void first(long prp1) throws CommandException {
        if ((prp1 & 3) != 0) {
            throw CommandException.at(StatusCode.PRP_OFFSET_INVALID, 24, 0);
        }
        add(prp1, Math.min(remaining(), pageBytes - offset(prp1)));
    }

    private void page(long entry) throws CommandException {
        if (offset(entry) != 0) {
            throw CommandException.at(StatusCode.PRP_OFFSET_INVALID, 32, 0);
        }
        add(entry, Math.min(remaining(), pageBytes));
    }

    /**
     * The first list may begin within a page, at a qword. Where entries are still needed at the end
     * of a page, the last entry there points to the next list.
     */
    private void list(long prp2) throws CommandException {
        if (prp2 % ENTRY_BYTES != 0) {
            throw CommandException.at(StatusCode.PRP_OFFSET_INVALID, 32, 0);
        }
        long address = prp2;
        while (remaining() > 0) {
            long needed = (remaining() + pageBytes - 1) / pageBytes;
            int room = (pageBytes - offset(address)) / ENTRY_BYTES;
            MemorySegment entries = readList(address, Math.min(needed, room));
            long pages = needed > room ? room - 1 : needed;
            for (long i = 0; i < pages; i++) {
                page(entries.get(LittleEndian.LONG, i * ENTRY_BYTES));
            }
            if (needed > room) {
                address = entries.get(LittleEndian.LONG, pages * ENTRY_BYTES);
                if (offset(address) != 0) {
                    throw CommandException.at(StatusCode.PRP_OFFSET_INVALID, 32, 0);
                }
            }
        }
    }

    private MemorySegment readList(long address, long entries) throws CommandException {
        MemorySegment list = MemorySegment.ofArray(new byte[(int) entries * ENTRY_BYTES]);
        if (!memory.read(address, list).isSuccess()) {
            throw CommandException.at(StatusCode.DATA_TRANSFER_ERROR, 32, 0);
        }
        return list;
    }

    private void add(long address, long bytes) {
        if (pieceBytes > 0 && pieceAddress + pieceBytes != address) {
            endPiece();
        }
        if (pieceBytes == 0) {
            pieceAddress = address;
        }
        pieceBytes += bytes;
        done += bytes;
    }

    private void endPiece() {
        if (pieceBytes > 0) {
            segments.add(new DmaSegment(pieceAddress, data.asSlice(done - pieceBytes, pieceBytes)));
            pieceBytes = 0;
        }
    }
}
