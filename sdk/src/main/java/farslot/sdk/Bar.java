package farslot.sdk;

import farslot.core.CompletionStatus;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.registers.RegisterDomain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A BAR of a device: registers, and areas that are something else. Areas win where both are.
 *
 * <p>Building belongs to {@link Device#assemble}.
 */
public final class Bar {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Region region;
    private final List<Area> areas = new ArrayList<>();
    private final List<Widths> widths = new ArrayList<>();
    private Area[] sorted = {};
    private Widths[] rules = {};
    private RegisterFile registers;

    /** One of handler and memory is null. */
    private record Area(long offset, long length, AreaHandler handler, MemorySegment memory) {
        long end() {
            return offset + length;
        }

        String name() {
            return "memory 0x" + Long.toHexString(offset);
        }
    }

    /** Allowed transfer sizes: bit n for n bytes. */
    private record Widths(long offset, long end, int allowed) {}

    Bar(Region region) {
        this.region = region;
    }

    Region region() {
        return region;
    }

    /** The BAR's size in bytes. */
    public long sizeBytes() {
        return region.sizeBytes();
    }

    /** Its registers, as a domain of the device's register map describes them. */
    public RegisterFile registers(RegisterDomain domain) {
        if (registers != null) {
            throw new IllegalStateException(region.label() + " has its registers already.");
        }
        registers = new RegisterFile(domain);
        return registers;
    }

    /** A part that a handler answers. */
    public Bar area(long offset, long length, AreaHandler handler) {
        add(new Area(offset, length, handler, null));
        return this;
    }

    /**
     * A part that is plain memory: reads give what was written. A cold reset zeroes it, others
     * leave it as it is.
     *
     * @return the memory, zeroed, which any thread may use as long as it keeps it
     */
    public MemorySegment memory(long offset, long length) {
        MemorySegment memory = Arena.ofAuto().allocate(length, 8);
        add(new Area(offset, length, null, memory));
        return memory;
    }

    /**
     * Lets only transfers of these sizes through to a part; others are unsupported requests.
     *
     * @param sizes out of 1, 2, 4 and 8 bytes
     */
    public Bar widths(long offset, long length, int... sizes) {
        int allowed = 0;
        for (int size : sizes) {
            allowed |= 1 << size;
        }
        checkWithin(offset, length);
        widths.add(new Widths(offset, offset + length, allowed));
        return this;
    }

    private void add(Area area) {
        checkWithin(area.offset, area.length);
        for (Area other : areas) {
            if (area.offset < other.end() && other.offset < area.end()) {
                throw new IllegalArgumentException(
                        region.label() + " has two areas at 0x" + Long.toHexString(area.offset));
            }
        }
        areas.add(area);
    }

    private void checkWithin(long offset, long length) {
        if (offset < 0 || length < 1 || offset > sizeBytes() - length) {
            throw new IllegalArgumentException(
                    "An area of 0x"
                            + Long.toHexString(length)
                            + " bytes at 0x"
                            + Long.toHexString(offset)
                            + " is not within "
                            + region.label()
                            + ".");
        }
    }

    boolean isArea(long offset, long end) {
        for (Area area : areas) {
            if (offset >= area.offset && end <= area.end()) {
                return true;
            }
        }
        return false;
    }

    void freeze() {
        if (registers != null) {
            registers.freeze(this);
        }
        areas.sort(Comparator.comparingLong(Area::offset));
        sorted = areas.toArray(Area[]::new);
        rules = widths.toArray(Widths[]::new);
    }

    void reset(ResetKind kind) {
        if (registers != null) {
            registers.reset();
        }
        if (kind == ResetKind.COLD && !region.has(Region.Attribute.READ_ONLY)) {
            for (Area area : sorted) {
                if (area.memory != null) {
                    area.memory.fill((byte) 0);
                }
            }
        }
    }

    void save(StateWriter state) {
        if (registers != null) {
            registers.save(state);
        }
        for (Area area : sorted) {
            if (area.memory != null) {
                state.put(area.name(), area.memory.toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    void load(StateReader state) throws StateException {
        if (registers != null) {
            registers.load(state);
        }
        for (Area area : sorted) {
            if (area.memory != null) {
                byte[] saved = state.bytes(area.name(), (int) area.length);
                MemorySegment.copy(saved, 0, area.memory, ValueLayout.JAVA_BYTE, 0, saved.length);
            }
        }
    }

    /** In the function's order; the range has been checked. */
    CompletionStatus read(long offset, MemorySegment into, int widthBytes) {
        int length = (int) into.byteSize();
        for (int done = 0; done < length; ) {
            long place = offset + done;
            Area area = area(place);
            int part;
            if (area != null && area.memory != null && rules.length == 0) {
                part = (int) Math.min(length - done, area.end() - place);
                MemorySegment.copy(area.memory, place - area.offset, into, done, part);
            } else {
                part = transfer(place, length - done, widthBytes);
                if (!allowed(place, part)) {
                    return CompletionStatus.UNSUPPORTED_REQUEST;
                }
                put(into, done, part, readOne(area, place, part));
            }
            done += part;
        }
        return CompletionStatus.SUCCESS;
    }

    private long readOne(Area area, long place, int size) {
        if (area == null) {
            return registers == null ? 0 : registers.read(place, size);
        }
        if (area.handler != null) {
            return area.handler.read(place - area.offset, size);
        }
        return get(area.memory, place - area.offset, size);
    }

    /** In the function's order; the range has been checked. */
    CompletionStatus write(long offset, MemorySegment from, int widthBytes, long byteEnables) {
        int length = (int) from.byteSize();
        for (int done = 0; done < length; ) {
            long place = offset + done;
            Area area = area(place);
            int part;
            if (area != null
                    && area.memory != null
                    && rules.length == 0
                    && byteEnables == farslot.core.PciFunction.ALL_BYTES) {
                part = (int) Math.min(length - done, area.end() - place);
                MemorySegment.copy(from, done, area.memory, place - area.offset, part);
            } else {
                part = transfer(place, length - done, widthBytes);
                if (!allowed(place, part)) {
                    return CompletionStatus.UNSUPPORTED_REQUEST;
                }
                int enables = done < Long.SIZE ? (int) (byteEnables >>> done) : -1;
                writeOne(area, place, part, get(from, done, part), enables);
            }
            done += part;
        }
        return CompletionStatus.SUCCESS;
    }

    private void writeOne(Area area, long place, int size, long value, int enables) {
        int whole = (1 << size) - 1;
        boolean all = (enables & whole) == whole;
        if (area == null) {
            if (registers != null && (enables & whole) != 0) {
                long mask = all ? RegisterFile.bytes(size) : mask(enables & whole);
                registers.write(place, size, value, mask);
            }
        } else if (all) {
            writeArea(area, place - area.offset, size, value);
        } else {
            for (int i = 0; i < size; i++) {
                if (((enables >>> i) & 1) != 0) {
                    writeArea(area, place - area.offset + i, 1, (value >>> (8 * i)) & 0xff);
                }
            }
        }
    }

    private static void writeArea(Area area, long offset, int size, long value) {
        if (area.handler != null) {
            area.handler.write(offset, size, value);
        } else {
            put(area.memory, offset, size, value);
        }
    }

    private static long mask(int enables) {
        long mask = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            mask |= ((enables >>> i) & 1) != 0 ? 0xffL << (8 * i) : 0;
        }
        return mask;
    }

    private Area area(long place) {
        for (Area area : sorted) {
            if (place < area.end()) {
                return place >= area.offset ? area : null;
            }
        }
        return null;
    }

    /**
     * How many bytes the next transfer has: as the driver's instruction did where that is known,
     * else what a bridge would make of it, aligned and at most 8.
     */
    private int transfer(long place, int left, int widthBytes) {
        int size;
        if (widthBytes >= 1 && widthBytes <= Long.BYTES) {
            size = Math.min(widthBytes, left);
        } else if (left <= Long.BYTES && Integer.bitCount(left) == 1) {
            size = left;
        } else {
            size = Math.min(Integer.highestOneBit(left), Long.BYTES);
            while ((place & (size - 1)) != 0) {
                size >>>= 1;
            }
        }
        return (int) Math.min(size, boundary(place) - place);
    }

    /** Where the area, or the gap between areas, that holds this place ends. */
    private long boundary(long place) {
        for (Area area : sorted) {
            if (place < area.offset) {
                return area.offset;
            }
            if (place < area.end()) {
                return area.end();
            }
        }
        return sizeBytes();
    }

    private boolean allowed(long place, int size) {
        for (Widths rule : rules) {
            if (place >= rule.offset && place < rule.end) {
                return (rule.allowed & (1 << size)) != 0;
            }
        }
        return true;
    }

    private static long get(MemorySegment from, long at, int size) {
        return switch (size) {
            case 1 -> from.get(ValueLayout.JAVA_BYTE, at) & 0xffL;
            case 2 -> from.get(SHORT, at) & 0xffffL;
            case 4 -> Integer.toUnsignedLong(from.get(INT, at));
            case 8 -> from.get(LONG, at);
            default -> {
                long value = 0;
                for (int i = 0; i < size; i++) {
                    value |= (from.get(ValueLayout.JAVA_BYTE, at + i) & 0xffL) << (8 * i);
                }
                yield value;
            }
        };
    }

    private static void put(MemorySegment into, long at, int size, long value) {
        switch (size) {
            case 1 -> into.set(ValueLayout.JAVA_BYTE, at, (byte) value);
            case 2 -> into.set(SHORT, at, (short) value);
            case 4 -> into.set(INT, at, (int) value);
            case 8 -> into.set(LONG, at, value);
            default -> {
                for (int i = 0; i < size; i++) {
                    into.set(ValueLayout.JAVA_BYTE, at + i, (byte) (value >>> (8 * i)));
                }
            }
        }
    }
}
