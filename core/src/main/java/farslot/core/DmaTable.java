package farslot.core;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.StampedLock;

/**
 * The DMA maps of one function, by address: what a {@link PciHost} looks into before it touches the
 * driver's memory. Keeps the rules of {@link PciFunction#map} and {@link PciFunction#unmap}:
 * nothing overlaps, a range may run over adjacent maps, and what is taken back is out of reach when
 * {@link #remove} returns.
 *
 * <p><b>Threads.</b> Any thread may call. Looking up takes no lock; copies to and from near memory
 * hold a shared one, which only add, remove and clear ever take for themselves. Nothing blocks
 * within it: far memory is reached without it.
 */
public final class DmaTable {
    /** The most maps of one function, as vfio-user's {@code max_dma_maps}. */
    public static final int MAX_MAPS = 65535;

    private static final DmaMap[] NONE = {};

    /** Sorted by unsigned address; replaced whole, never changed. */
    private volatile DmaMap[] maps = NONE;

    private final StampedLock copies = new StampedLock();

    /** A table with no maps. */
    public DmaTable() {}

    /**
     * What adding or removing came to.
     *
     * @param status SUCCESS or UNSUPPORTED_REQUEST; after the latter nothing has changed
     * @param removed the maps that are no longer there; their memory may now be given up
     */
    public record Change(CompletionStatus status, List<DmaMap> removed) {
        private static final Change REFUSED =
                new Change(CompletionStatus.UNSUPPORTED_REQUEST, List.of());

        public Change {
            removed = List.copyOf(removed);
        }
    }

    /**
     * A part of one map.
     *
     * @param offset from the map's address, in bytes
     * @param length in bytes
     */
    public record Piece(DmaMap map, long offset, long length) {
        /** The DMA address of the piece's first byte. */
        public long address() {
            return map.address() + offset;
        }
    }

    /** DMA to memory that this process cannot reach as memory: by messages. */
    public interface Far {
        CompletionStatus read(long address, MemorySegment into);

        CompletionStatus write(long address, MemorySegment from);
    }

    /**
     * Adds a map. Exactly the range of an existing one replaces that one; any other overlap, or one
     * map more than {@link #MAX_MAPS}, is refused.
     */
    public Change add(DmaMap map) {
        long stamp = copies.writeLock();
        try {
            DmaMap[] old = maps;
            int at = floor(old, map.address());
            if (at >= 0 && sameRange(old[at], map)) {
                DmaMap[] replaced = old.clone();
                replaced[at] = map;
                maps = replaced;
                return new Change(CompletionStatus.SUCCESS, List.of(old[at]));
            }
            boolean overlapsBelow = at >= 0 && holds(old[at], map.address());
            boolean overlapsAbove = at + 1 < old.length && holds(map, old[at + 1].address());
            if (overlapsBelow || overlapsAbove || old.length == MAX_MAPS) {
                return Change.REFUSED;
            }
            DmaMap[] grown = new DmaMap[old.length + 1];
            System.arraycopy(old, 0, grown, 0, at + 1);
            grown[at + 1] = map;
            System.arraycopy(old, at + 1, grown, at + 2, old.length - at - 1);
            maps = grown;
            return new Change(CompletionStatus.SUCCESS, List.of());
        } finally {
            copies.unlockWrite(stamp);
        }
    }

    /**
     * Takes back all maps within the range; (0, 0) takes back all, if any. Refused where the range
     * cuts a map in two or names none. When this returns, no copy of this table reaches them.
     */
    public Change remove(long address, long length) {
        if (address == 0 && length == 0) {
            return new Change(CompletionStatus.SUCCESS, clear());
        }
        long last = address + length - 1;
        if (length == 0 || Long.compareUnsigned(last, address) < 0) {
            return Change.REFUSED;
        }
        long stamp = copies.writeLock();
        try {
            DmaMap[] old = maps;
            int first = floor(old, address);
            if (first < 0 || Long.compareUnsigned(old[first].address(), address) < 0) {
                if (first >= 0 && holds(old[first], address)) {
                    return Change.REFUSED;
                }
                first++;
            }
            int end = first;
            while (end < old.length && Long.compareUnsigned(old[end].address(), last) <= 0) {
                if (Long.compareUnsigned(last(old[end]), last) > 0) {
                    return Change.REFUSED;
                }
                end++;
            }
            if (end == first) {
                return Change.REFUSED;
            }
            DmaMap[] shrunk = new DmaMap[old.length - (end - first)];
            System.arraycopy(old, 0, shrunk, 0, first);
            System.arraycopy(old, end, shrunk, first, old.length - end);
            maps = shrunk;
            return new Change(
                    CompletionStatus.SUCCESS, Arrays.asList(Arrays.copyOfRange(old, first, end)));
        } finally {
            copies.unlockWrite(stamp);
        }
    }

    /** Takes back all maps and gives them; when this returns, no copy reaches them. */
    public List<DmaMap> clear() {
        long stamp = copies.writeLock();
        try {
            DmaMap[] old = maps;
            maps = NONE;
            return List.of(old);
        } finally {
            copies.unlockWrite(stamp);
        }
    }

    /** All maps, by ascending address. */
    public List<DmaMap> maps() {
        return List.of(maps);
    }

    /**
     * The pieces of maps that make up a range, ascending; empty where a byte of it is not mapped,
     * or not in this direction.
     */
    public List<Piece> resolve(long address, long length, Direction direction) {
        DmaMap[] now = maps;
        int first = begin(now, address, length, direction);
        if (first < 0) {
            return List.of();
        }
        List<Piece> pieces = new ArrayList<>(1);
        long done = 0;
        for (int at = first; done < length; at++) {
            long offset = address + done - now[at].address();
            long part = Math.min(length - done, now[at].length() - offset);
            pieces.add(new Piece(now[at], offset, part));
            done += part;
        }
        return pieces;
    }

    /**
     * Reads a range of the driver's memory.
     *
     * @param far reaches the pieces that are not near; null where all are
     * @return COMPLETER_ABORT, with {@code into} undefined, where the range is not mapped for
     *     reading or has vanished; what {@code far} says where that fails
     */
    public CompletionStatus read(long address, MemorySegment into, Far far) {
        return transfer(address, into, Direction.READ, far);
    }

    /**
     * Writes a range of the driver's memory, with {@link DmaCopy}'s granularity.
     *
     * @param far reaches the pieces that are not near; null where all are
     * @return COMPLETER_ABORT where the range is not mapped for writing (nothing is written then)
     *     or has vanished; what {@code far} says where that fails
     */
    public CompletionStatus write(long address, MemorySegment from, Far far) {
        return transfer(address, from, Direction.WRITE, far);
    }

    /**
     * The driver's memory itself where the range is near and lies in one map that allows {@code
     * direction}, else null. The slice stays usable after {@link #remove}, as long as its owner
     * keeps the memory: who asks for it looks after that.
     */
    public MemorySegment near(long address, long length, Direction direction) {
        DmaMap[] now = maps;
        int at = begin(now, address, length, direction);
        if (at < 0 || now[at].near() == null) {
            return null;
        }
        long offset = address - now[at].address();
        if (length > now[at].length() - offset) {
            return null;
        }
        return now[at].near().segment().asSlice(offset, length);
    }

    /** {@link PciHost#servedWhileWaiting}: false where any map within the range says so. */
    public boolean servedWhileWaiting(long address, long length) {
        DmaMap[] now = maps;
        long last = address + Math.max(length, 1) - 1;
        int at = floor(now, address);
        if (at < 0 || !holds(now[at], address)) {
            at++;
        }
        for (; at < now.length && Long.compareUnsigned(now[at].address(), last) <= 0; at++) {
            if (!now[at].servedWhileWaiting()) {
                return false;
            }
        }
        return true;
    }

    private CompletionStatus transfer(
            long address, MemorySegment data, Direction direction, Far far) {
        long length = data.byteSize();
        if (length == 0) {
            return CompletionStatus.SUCCESS;
        }
        if (begin(maps, address, length, direction) < 0) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        for (long done = 0; done < length; ) {
            long part = transferNear(address + done, data, done, direction);
            if (part < 0 && far != null) {
                part = length(address + done, length - done, direction);
                MemorySegment piece = data.asSlice(done, part);
                CompletionStatus status =
                        part == 0
                                ? CompletionStatus.COMPLETER_ABORT
                                : transferFar(address + done, piece, direction, far);
                if (!status.isSuccess()) {
                    return status;
                }
            }
            if (part <= 0) {
                return CompletionStatus.COMPLETER_ABORT;
            }
            done += part;
        }
        return CompletionStatus.SUCCESS;
    }

    /**
     * Copies as much as the map at {@code address} holds; -1 where it is far, 0 where it failed.
     */
    private long transferNear(
            long address, MemorySegment data, long dataOffset, Direction direction) {
        long stamp = copies.readLock();
        try {
            DmaMap[] now = maps;
            int at = begin(now, address, 1, direction);
            if (at < 0) {
                return 0;
            }
            DmaMap map = now[at];
            if (map.near() == null) {
                return -1;
            }
            long offset = address - map.address();
            long part = Math.min(data.byteSize() - dataOffset, map.length() - offset);
            MemorySegment memory = map.near().segment();
            CompletionStatus status =
                    direction == Direction.READ
                            ? DmaCopy.read(memory, offset, data, dataOffset, part)
                            : DmaCopy.write(data, dataOffset, memory, offset, part);
            return status.isSuccess() ? part : 0;
        } finally {
            copies.unlockRead(stamp);
        }
    }

    /** How much of a range the map at its beginning holds; 0 where it has vanished. */
    private long length(long address, long length, Direction direction) {
        DmaMap[] now = maps;
        int at = begin(now, address, 1, direction);
        return at < 0 ? 0 : Math.min(length, now[at].length() - (address - now[at].address()));
    }

    private static CompletionStatus transferFar(
            long address, MemorySegment piece, Direction direction, Far far) {
        return direction == Direction.READ ? far.read(address, piece) : far.write(address, piece);
    }

    /** The index of the map where a range begins that is mapped whole, or -1. */
    private static int begin(DmaMap[] maps, long address, long length, Direction direction) {
        long last = address + length - 1;
        if (length < 1 || Long.compareUnsigned(last, address) < 0) {
            return -1;
        }
        int first = floor(maps, address);
        if (first < 0 || !holds(maps[first], address)) {
            return -1;
        }
        for (int at = first; ; at++) {
            if (!maps[at].direction().allows(direction)) {
                return -1;
            }
            if (holds(maps[at], last)) {
                return first;
            }
            if (at + 1 == maps.length || maps[at + 1].address() != last(maps[at]) + 1) {
                return -1;
            }
        }
    }

    /** The index of the map with the highest address not above this one, or -1. */
    private static int floor(DmaMap[] maps, long address) {
        int low = 0;
        int high = maps.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(maps[middle].address(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    private static boolean holds(DmaMap map, long address) {
        return Long.compareUnsigned(address, map.address()) >= 0
                && Long.compareUnsigned(address, last(map)) <= 0;
    }

    private static long last(DmaMap map) {
        return map.address() + map.length() - 1;
    }

    private static boolean sameRange(DmaMap one, DmaMap other) {
        return one.address() == other.address() && one.length() == other.length();
    }
}
