package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.core.Region;
import farslot.recorder.TraceText;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * A PCIDEV line of mmiotrace: a function as Linux's /proc/bus/pci/devices shows it.
 *
 * @param bus with device and function number, as in "01:00.0"
 * @param places its BARs and its ROM, as far as they have an address and a size
 * @param driver its driver's name, or ""
 */
record MmiotraceDevice(
        String bus, int vendor, int device, List<MmiotracePlace> places, String driver) {
    private static final int REGIONS = 7;
    private static final int FIRST_ADDRESS = 4;
    private static final int FIRST_SIZE = FIRST_ADDRESS + REGIONS;
    private static final long MAX_SIZE = 1L << 56;

    /** The bits below an address (PCI 3.0, 6.2.5.1), which the kernel prints with it. */
    private static final int ATTRIBUTES = 0xF;

    private static final int PORT_ATTRIBUTES = 0x3;

    /** The space bit, the type of 64-bit memory, and "prefetchable". */
    private static final int IO_PORT = 0x1;

    private static final int BITS_64 = 0x4;
    private static final int PREFETCHABLE = 0x8;

    /**
     * Reads a line.
     *
     * @param fields the words of the line
     * @param refused makes the sentence that refuses it
     */
    static MmiotraceDevice of(String[] fields, Function<String, AnalysisException> refused)
            throws AnalysisException {
        if (fields.length < FIRST_SIZE + REGIONS) {
            throw refused.apply(
                    "\"PCIDEV\" is followed by place, identity, interrupt, 7 addresses and 7"
                            + " sizes; here is less");
        }
        long place = hex(fields[1], 0xFFFF, refused);
        long identity = hex(fields[2], 0xFFFF_FFFFL, refused);
        List<MmiotracePlace> places = new ArrayList<>();
        for (int i = 0; i < REGIONS; i++) {
            long address = hex(fields[FIRST_ADDRESS + i], Long.MAX_VALUE, refused);
            long size = hex(fields[FIRST_SIZE + i], MAX_SIZE, refused);
            if (size > 0) {
                Region region = region(i, (int) address & ATTRIBUTES, size);
                boolean port = region.space() == Region.Space.IO_PORT;
                long attributes = port ? PORT_ATTRIBUTES : ATTRIBUTES;
                places.add(new MmiotracePlace(region, address & ~attributes));
            }
        }
        return new MmiotraceDevice(
                String.format("%02x:%02x.%x", place >>> 8, (place >>> 3) & 0x1F, place & 7),
                (int) (identity >>> 16),
                (int) identity & 0xFFFF,
                places,
                fields.length > FIRST_SIZE + REGIONS ? fields[FIRST_SIZE + REGIONS] : "");
    }

    private static Region region(int index, int bits, long size) {
        if (index == Region.ROM) {
            return MmiotracePlace.memory(index, size, Set.of(Region.Attribute.READ_ONLY));
        }
        if ((bits & IO_PORT) != 0) {
            long whole = Math.max(4, MmiotracePlace.powerOfTwo(size));
            return new Region(index, Region.Space.IO_PORT, whole, Set.of(), 4);
        }
        Set<Region.Attribute> attributes = EnumSet.noneOf(Region.Attribute.class);
        if ((bits & BITS_64) != 0) {
            attributes.add(Region.Attribute.BITS_64);
        }
        if ((bits & PREFETCHABLE) != 0) {
            attributes.add(Region.Attribute.PREFETCHABLE);
        }
        return MmiotracePlace.memory(index, size, attributes);
    }

    private static long hex(String field, long most, Function<String, AnalysisException> refused)
            throws AnalysisException {
        try {
            long number = Long.parseUnsignedLong(field, 16);
            if (Long.compareUnsigned(number, most) <= 0 && !field.startsWith("+")) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw refused.apply("\"" + TraceText.clean(field) + "\" is no number that can stand there");
    }

    /** "01:00.0 10de:0611 nvidia". */
    @Override
    public String toString() {
        return String.format("%s %04x:%04x %s", bus, vendor, device, TraceText.clean(driver))
                .strip();
    }
}
