package farslot.vfiouser;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaTable;
import farslot.core.NearMemory;
import farslot.posix.Descriptor;
import farslot.posix.Errno;
import farslot.posix.MappedMemory;
import farslot.posix.NotMemoryException;
import farslot.posix.PosixException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * The memory that a client lets the function reach: DMA_MAP and DMA_UNMAP. Memory that came with a
 * descriptor is mapped here.
 *
 * <p>Changed by the thread that serves; any thread may call.
 */
final class ClientMemory {
    /** How much of each map is looked through for something that the guest has written. */
    private static final long LOOK_BYTES = 64L << 20;

    private static final long PAGE_BYTES = 4096;

    /**
     * A PC has this much memory at 0, which its firmware uses; other clients map what they like.
     */
    private static final long PC_RAM_BYTES = 0xa0000;

    private final DmaTable table = new DmaTable();
    private final IdentityHashMap<DmaMap, MappedMemory> mapped = new IdentityHashMap<>();

    DmaTable table() {
        return table;
    }

    /** Adds what a DMA_MAP asks for. */
    synchronized DmaMap map(Message message) throws Refused {
        checkSize(message, Messages.DMA_MAP_BYTES, Messages.DMA_MAP_ARGSZ);
        int flags = message.u32(Messages.DMA_MAP_FLAGS);
        Direction direction = Direction.ofBits(flags);
        long offset = message.u64(Messages.DMA_MAP_OFFSET);
        long address = message.u64(Messages.DMA_MAP_ADDRESS);
        long size = message.u64(Messages.DMA_MAP_SIZE);
        if (direction == null) {
            throw new Refused(
                    Errno.EINVAL,
                    String.format("DMA_MAP with flags 0x%x; 1 to 3 are known.", flags));
        }
        if (size < 1 || Long.compareUnsigned(address + size - 1, address) < 0) {
            throw new Refused(
                    Errno.EINVAL,
                    String.format("DMA_MAP of 0x%x bytes at 0x%x is no range.", size, address));
        }
        if (message.descriptors().count() > 1) {
            throw new Refused(
                    Errno.EINVAL,
                    "DMA_MAP with "
                            + message.descriptors().count()
                            + " descriptors; one is possible.");
        }
        Descriptor descriptor = message.descriptors().take();
        return descriptor == null
                ? add(new DmaMap(address, size, direction, null, false), null)
                : addShared(descriptor, offset, address, size, direction);
    }

    private DmaMap addShared(
            Descriptor descriptor, long offset, long address, long size, Direction direction)
            throws Refused {
        MappedMemory memory;
        try {
            memory = MappedMemory.map(descriptor, offset, size, protection(direction));
        } catch (NotMemoryException notMemory) {
            descriptor.close();
            throw new Refused(Errno.EINVAL, "DMA_MAP is refused. " + notMemory.getMessage());
        } catch (PosixException failed) {
            descriptor.close();
            throw new Refused(failed.errno(), "DMA_MAP is refused. " + failed.getMessage());
        } catch (IOException failed) {
            descriptor.close();
            throw new Refused(Errno.EIO, "DMA_MAP is refused. " + failed.getMessage());
        }
        NearMemory near = new NearMemory(memory.segment(), memory.descriptor().number(), offset);
        try {
            return add(new DmaMap(address, size, direction, near, true), memory);
        } catch (Refused refused) {
            memory.close();
            throw refused;
        }
    }

    private static MappedMemory.Protection protection(Direction direction) {
        return direction == Direction.READ
                ? MappedMemory.Protection.READ_ONLY
                : MappedMemory.Protection.READ_WRITE;
    }

    private DmaMap add(DmaMap map, MappedMemory memory) throws Refused {
        DmaTable.Change change = table.add(map);
        if (!change.status().isSuccess()) {
            throw new Refused(
                    Errno.EEXIST,
                    String.format(
                            "DMA_MAP of 0x%x bytes at 0x%x overlaps another, or is one more than"
                                    + " %d.",
                            map.length(), map.address(), DmaTable.MAX_MAPS));
        }
        replaced.addAll(takeMemory(change.removed()));
        if (memory != null) {
            mapped.put(map, memory);
        }
        return map;
    }

    /** What a map took the place of; given up once the function has been told of the new one. */
    private final List<MappedMemory> replaced = new ArrayList<>();

    synchronized List<MappedMemory> takeReplaced() {
        List<MappedMemory> taken = List.copyOf(replaced);
        replaced.clear();
        return taken;
    }

    /** What a DMA_UNMAP names. */
    record Range(long address, long length) {}

    /** Checks a DMA_UNMAP and takes its maps out of the table; their memory stays mapped. */
    DmaTable.Change unmap(Message message) throws Refused {
        checkSize(message, Messages.DMA_UNMAP_BYTES, Messages.DMA_UNMAP_ARGSZ);
        int flags = message.u32(Messages.DMA_UNMAP_FLAGS);
        Range range = range(message);
        if ((flags & Messages.DMA_UNMAP_DIRTY_BITMAP) != 0) {
            throw new Refused(Errno.ENOTSUP, "DMA_UNMAP asks for a dirty bitmap; none is kept.");
        }
        if ((flags & ~Messages.DMA_UNMAP_ALL) != 0) {
            throw new Refused(
                    Errno.EINVAL, String.format("DMA_UNMAP with unknown flags 0x%x.", flags));
        }
        if (flags == Messages.DMA_UNMAP_ALL) {
            if (range.address() != 0 || range.length() != 0) {
                throw new Refused(Errno.EINVAL, "DMA_UNMAP of all names a range as well.");
            }
            return new DmaTable.Change(CompletionStatus.SUCCESS, table.clear());
        }
        if (range.length() == 0) {
            throw new Refused(Errno.EINVAL, "DMA_UNMAP of no bytes.");
        }
        DmaTable.Change change = table.remove(range.address(), range.length());
        if (!change.status().isSuccess()) {
            throw new Refused(
                    Errno.EINVAL,
                    String.format(
                            "DMA_UNMAP of 0x%x bytes at 0x%x cuts a map in two or names none.",
                            range.length(), range.address()));
        }
        return change;
    }

    static Range range(Message message) {
        return new Range(
                message.u64(Messages.DMA_UNMAP_ADDRESS), message.u64(Messages.DMA_UNMAP_SIZE));
    }

    /** The memory behind maps that are no longer in the table, to be closed by the caller. */
    synchronized List<MappedMemory> takeMemory(List<DmaMap> removed) {
        List<MappedMemory> memories = new ArrayList<>();
        for (DmaMap map : removed) {
            MappedMemory memory = mapped.remove(map);
            if (memory != null) {
                memories.add(memory);
            }
        }
        return memories;
    }

    boolean isEmpty() {
        return table.maps().isEmpty();
    }

    synchronized boolean hasShared() {
        return !mapped.isEmpty();
    }

    /**
     * Whether a guest that runs by now has left no trace in any shared memory: then the emulator
     * passed descriptors of memory that the guest does not use (share=off).
     */
    synchronized boolean looksUnused() {
        boolean isMachine = false;
        for (DmaMap map : mapped.keySet()) {
            isMachine |= map.address() == 0 && map.length() >= PC_RAM_BYTES;
        }
        for (MappedMemory shared : mapped.values()) {
            isMachine = isMachine && isZero(shared.segment());
        }
        return isMachine;
    }

    private static boolean isZero(MemorySegment segment) {
        long end = Math.min(segment.byteSize(), LOOK_BYTES) & ~(PAGE_BYTES - 1);
        try {
            for (long at = 0; at < end; at += Long.BYTES) {
                if (segment.get(ValueLayout.JAVA_LONG_UNALIGNED, at) != 0) {
                    return false;
                }
            }
            return true;
        } catch (InternalError cutShort) {
            return false;
        }
    }

    static void checkSize(Message message, int needed, long argszAt) throws Refused {
        if (message.payloadBytes() < needed) {
            throw new Refused(
                    Errno.EINVAL,
                    Messages.name(message.command())
                            + " has "
                            + message.payloadBytes()
                            + " bytes; "
                            + needed
                            + " are needed.");
        }
        long argsz = message.u32(argszAt) & 0xffffffffL;
        if (argsz < needed) {
            throw new Refused(
                    Errno.EINVAL,
                    Messages.name(message.command())
                            + " says argsz "
                            + argsz
                            + "; at least "
                            + needed
                            + " is needed.");
        }
    }
}
