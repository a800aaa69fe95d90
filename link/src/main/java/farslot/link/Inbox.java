package farslot.link;

import farslot.link.Messages.Header;
import farslot.link.Messages.MapMemory;
import farslot.posix.Descriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Frames that wait for the dispatch thread, in the order in which they came. Bounded by the credits
 * given to the peer, which are checked before. Guarded by the connection's lock; the bytes of the
 * first frame stay where they are until {@link #release}, so that it can be read without the lock.
 *
 * <p>The frames lie in a ring, which grows with what the peer has under way and is used again and
 * again: memory of its own for each frame would pile up faster than it is collected.
 */
final class Inbox {
    private static final int ENTRIES = 2048;
    private static final int FIRST_RING_BYTES = 0x20000;

    /** Once long frames have come. */
    private static final int LONG_RING_BYTES = 0x100000;

    /** All that credit was given for, and a longest frame that did not fit before the end. */
    private static final int MOST_RING_BYTES = 0x800000;

    /** What credit is given for. */
    private static final int MOST_WAITING_BYTES =
            Accounts.BYTES[Messages.POSTED] + Accounts.BYTES[Messages.NON_POSTED];

    private MemorySegment ring = Arena.ofAuto().allocate(FIRST_RING_BYTES, 8);
    private final MemorySegment[] memory = new MemorySegment[ENTRIES];
    private final int[] at = new int[ENTRIES];
    private final int[] length = new int[ENTRIES];
    private final Descriptor[] descriptors = new Descriptor[ENTRIES];
    private int inRing;
    private int ringHead;
    private int ringTail;
    private long added;
    private long released;

    boolean isEmpty() {
        return added == released;
    }

    /** How many frames were ever added. */
    long added() {
        return added;
    }

    /** How many frames were ever released. */
    long released() {
        return released;
    }

    /** Copies a frame in; the descriptor, or null, is the inbox's from now on. */
    void add(MemorySegment from, long begin, int bytes, Descriptor descriptor) {
        int entry = (int) (added & ENTRIES - 1);
        int place = reserve(bytes);
        if (place < 0) {
            throw new IllegalStateException("More waits than credit was given for.");
        }
        memory[entry] = ring;
        at[entry] = place;
        MemorySegment.copy(from, begin, memory[entry], at[entry], bytes);
        length[entry] = bytes;
        descriptors[entry] = descriptor;
        added++;
    }

    /**
     * A place for the next frame, to be filled before it is added.
     *
     * @return where in {@link #reserved} it begins, or -1 where there is no room
     */
    int reserve(int bytes) {
        int place = room(bytes);
        if (place < 0) {
            if (!grow(bytes)) {
                return -1;
            }
            place = 0;
        }
        ringTail = place + align(bytes);
        inRing++;
        return place;
    }

    /** The frame that the last place was reserved for will not come. */
    void giveUp(int place) {
        ringTail = place;
        inRing--;
    }

    MemorySegment reserved() {
        return ring;
    }

    /** Adds the frame that a place was reserved for. */
    void addReserved(int place, int bytes) {
        int entry = (int) (added & ENTRIES - 1);
        memory[entry] = ring;
        at[entry] = place;
        length[entry] = bytes;
        added++;
    }

    /** A place in the ring for so many bytes in one piece, or -1. */
    private int room(int bytes) {
        int need = align(bytes);
        if (inRing == 0) {
            ringHead = 0;
            ringTail = 0;
            if (2L * need > ring.byteSize() && ring.byteSize() < LONG_RING_BYTES) {
                ring = Arena.ofAuto().allocate(LONG_RING_BYTES, 8);
            }
        }
        if (inRing == 0 || ringTail > ringHead) {
            if (ring.byteSize() - ringTail >= need) {
                return ringTail;
            }
            return ringHead > need ? 0 : -1;
        }
        return ringHead - ringTail > need ? ringTail : -1;
    }

    /** Goes on in a larger ring; the old one is given up when its last frame is released. */
    private boolean grow(int bytes) {
        long size = 2 * ring.byteSize();
        while (size < bytes) {
            size *= 2;
        }
        if (size > MOST_RING_BYTES) {
            return false;
        }
        ring = Arena.ofAuto().allocate(size, 8);
        inRing = 0;
        ringHead = 0;
        ringTail = 0;
        return true;
    }

    private static int align(int bytes) {
        return bytes + 7 & ~7;
    }

    private int first() {
        return (int) (released & ENTRIES - 1);
    }

    MemorySegment firstMemory() {
        return memory[first()];
    }

    int firstAt() {
        return at[first()];
    }

    int firstLength() {
        return length[first()];
    }

    /** The first frame's descriptor, now the caller's; null for none. */
    Descriptor takeFirstDescriptor() {
        Descriptor descriptor = descriptors[first()];
        descriptors[first()] = null;
        return descriptor;
    }

    /** All frames, for another process; descriptors stay here. */
    void save(Composer to) {
        to.u32(added - released);
        for (long number = released; number < added; number++) {
            int entry = (int) (number & ENTRIES - 1);
            MemorySegment frame = memory[entry].asSlice(at[entry], length[entry]);
            MemorySegment copy = MemorySegment.ofArray(frame.toArray(ValueLayout.JAVA_BYTE));
            if (descriptors[entry] != null) {
                Header.DESCRIPTORS.set(copy, 0, 0);
                MapMemory.DESCRIPTOR_OFFSET.set(copy, 0, 0);
            }
            to.bytes(copy.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    void restore(Cursor from) throws BrokenFrameException {
        long count = from.u32();
        long bytes = 0;
        for (long number = 0; number < count; number++) {
            MemorySegment frame = from.frame();
            bytes += frame.byteSize();
            if (number == ENTRIES || bytes > MOST_WAITING_BYTES) {
                throw Messages.bad(Header.TYPE.getInt(frame, 0), "it is one too many that waits");
            }
            add(frame, 0, (int) frame.byteSize(), null);
        }
    }

    /** Forgets the first frame. */
    void release() {
        int entry = first();
        if (memory[entry].equals(ring)) {
            ringHead = at[entry] + align(length[entry]);
            inRing--;
        }
        memory[entry] = null;
        if (descriptors[entry] != null) {
            descriptors[entry].close();
            descriptors[entry] = null;
        }
        released++;
    }
}
