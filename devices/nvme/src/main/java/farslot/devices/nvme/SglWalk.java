package farslot.devices.nvme;

import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a command's data lies in the driver's memory: scatter gather lists (NVMe 1.4, 4.4). Data
 * blocks may lie and end at any byte; bit buckets and offsets are not offered.
 */
final class SglWalk {
    private static final int DESCRIPTOR_BYTES = 16;

    /** Enough for a block of 16 bytes each, of the longest transfer; more is refused. */
    private static final int MAX_DESCRIPTORS = 1 << 16;

    private static final int DATA_BLOCK = 0x0;
    private static final int SEGMENT = 0x2;
    private static final int LAST_SEGMENT = 0x3;

    private final DriverMemory memory;
    private final MemorySegment data;
    private final List<DmaSegment> pieces = new ArrayList<>();
    private long done;
    private long descriptorsRead;

    private SglWalk(DriverMemory memory, MemorySegment data) {
        this.memory = memory;
        this.data = data;
    }

    /** An SGL descriptor (4.4): an address, a length, and what is there. */
    private record Descriptor(long address, long lengthBytes, int type, int subtype) {
        static Descriptor of(long low, long high) {
            return new Descriptor(
                    low, high & 0xFFFF_FFFFL, (int) (high >>> 60), (int) (high >>> 56) & 0xF);
        }

        boolean isData() {
            return type == DATA_BLOCK;
        }
    }

    /**
     * Pairs a buffer with the memory that a command's descriptor leads to.
     *
     * @param low the descriptor's first 8 bytes
     * @param high its last 8 bytes
     * @param data cut into the segments that are returned, in order
     */
    static List<DmaSegment> segments(DriverMemory memory, long low, long high, MemorySegment data)
            throws CommandException {
        SglWalk walk = new SglWalk(memory, data);
        walk.follow(checked(Descriptor.of(low, high)));
        if (walk.done != data.byteSize()) {
            throw CommandException.dataPointer(StatusCode.DATA_SGL_LENGTH_INVALID);
        }
        return walk.pieces;
    }

    private void follow(Descriptor first) throws CommandException {
        Descriptor at = first;
        while (!at.isData()) {
            boolean isLast = at.type == LAST_SEGMENT;
            MemorySegment list = readSegment(at);
            int count = (int) (list.byteSize() / DESCRIPTOR_BYTES);
            for (int i = 0; i < count - 1; i++) {
                addBlock(descriptor(list, i));
            }
            at = descriptor(list, count - 1);
            // Only a last segment ends in data, and only data.
            if (isLast != at.isData()) {
                throw CommandException.dataPointer(StatusCode.INVALID_SGL_SEGMENT_DESCRIPTOR);
            }
        }
        addBlock(at);
    }

    private MemorySegment readSegment(Descriptor segment) throws CommandException {
        if (segment.lengthBytes == 0 || segment.lengthBytes % DESCRIPTOR_BYTES != 0) {
            throw CommandException.dataPointer(StatusCode.INVALID_SGL_SEGMENT_DESCRIPTOR);
        }
        descriptorsRead += segment.lengthBytes / DESCRIPTOR_BYTES;
        if (descriptorsRead > MAX_DESCRIPTORS) {
            throw CommandException.dataPointer(StatusCode.INVALID_NUMBER_OF_SGL_DESCRIPTORS);
        }
        MemorySegment list = MemorySegment.ofArray(new byte[(int) segment.lengthBytes]);
        if (!memory.read(segment.address, list).isSuccess()) {
            throw CommandException.dataPointer(StatusCode.DATA_TRANSFER_ERROR);
        }
        return list;
    }

    private static Descriptor descriptor(MemorySegment list, int index) throws CommandException {
        long at = (long) index * DESCRIPTOR_BYTES;
        return checked(
                Descriptor.of(
                        list.get(LittleEndian.LONG, at), list.get(LittleEndian.LONG, at + 8)));
    }

    private static Descriptor checked(Descriptor descriptor) throws CommandException {
        boolean known =
                descriptor.isData()
                        || descriptor.type == SEGMENT
                        || descriptor.type == LAST_SEGMENT;
        if (!known || descriptor.subtype != 0) {
            throw CommandException.dataPointer(StatusCode.SGL_DESCRIPTOR_TYPE_INVALID);
        }
        return descriptor;
    }

    private void addBlock(Descriptor block) throws CommandException {
        if (!block.isData()) {
            throw CommandException.dataPointer(StatusCode.INVALID_NUMBER_OF_SGL_DESCRIPTORS);
        }
        // Longer lists than the data are not offered (SGLS bit 18).
        if (block.lengthBytes > data.byteSize() - done) {
            throw CommandException.dataPointer(StatusCode.DATA_SGL_LENGTH_INVALID);
        }
        if (block.lengthBytes > 0) {
            pieces.add(new DmaSegment(block.address, data.asSlice(done, block.lengthBytes)));
        }
        done += block.lengthBytes;
    }
}
