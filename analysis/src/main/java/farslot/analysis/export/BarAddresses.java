package farslot.analysis.export;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.recorder.TraceEvent;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the driver's side put a function's regions, as far as a trace shows it: what was written to
 * and read from the base address registers (PCI 3.0, 6.2.5.1), and the marks that an import leaves.
 *
 * <p>A region of which nothing is known gets an address above 2^52, where no machine has anything,
 * so that readers can tell regions apart.
 */
final class BarAddresses {
    private static final int BAR0 = 0x10;
    private static final int ROM_BASE = 0x30;
    private static final int REGISTERS_END = 0x34;
    private static final long NOWHERE = 1L << 52;
    private static final int ADDRESS_BITS = 56;

    private static final Pattern MARK = Pattern.compile("(BAR[0-5]|ROM) is at 0x([0-9a-f]{1,16})");

    private final byte[] registers = new byte[REGISTERS_END];
    private final long[] placeholders = new long[Region.COUNT];
    private final long[] told = new long[Region.COUNT];

    /**
     * @param configuration the function's configuration space when the trace began, or null
     */
    BarAddresses(FunctionDescription function, byte[] configuration) {
        if (configuration != null) {
            System.arraycopy(configuration, 0, registers, 0, REGISTERS_END);
        }
        long next = NOWHERE;
        for (Region region : function.regions()) {
            if (region.index() != Region.CONFIGURATION) {
                long size = Math.min(region.sizeBytes(), NOWHERE);
                next = (next + size - 1) & -size;
                placeholders[region.index()] = next;
                next += size;
            }
        }
    }

    /** The text of the mark that says where a region is. */
    static String mark(Region region, long address) {
        return region.label() + " is at 0x" + Long.toHexString(address);
    }

    void observe(TraceEvent event) {
        switch (event) {
            case TraceEvent.Access access when access.region() == Region.CONFIGURATION ->
                    observe(access);
            case TraceEvent.Mark mark -> {
                Matcher matcher = MARK.matcher(mark.text());
                if (matcher.matches()) {
                    String label = matcher.group(1);
                    int index = label.equals("ROM") ? Region.ROM : label.charAt(3) - '0';
                    told[index] = Long.parseUnsignedLong(matcher.group(2), 16);
                }
            }
            default -> {}
        }
    }

    private void observe(TraceEvent.Access access) {
        boolean done = access.status() == null ? access.write() : access.status().isSuccess();
        byte[] bytes = access.data().kept();
        for (int i = 0; done && i < bytes.length && i < Long.SIZE; i++) {
            long at = access.offset() + i;
            boolean isBase =
                    (at >= BAR0 && at < BAR0 + 24) || (at >= ROM_BASE && at < REGISTERS_END);
            if (isBase && (access.byteEnables() >>> i & 1) != 0) {
                registers[(int) at] = bytes[i];
            }
        }
    }

    /**
     * The region's address; while none is known, or the driver just asks for the size, a
     * placeholder.
     */
    long of(Region region) {
        boolean rom = region.index() == Region.ROM;
        int at = rom ? ROM_BASE : BAR0 + 4 * region.index();
        boolean wide = region.has(Region.Attribute.BITS_64) && region.index() < 5;
        long value = word(at) | (wide ? word(at + 4) << 32 : 0);
        long bits = wide ? -1L : 0xFFFF_FFFFL;
        long address = value & -region.sizeBytes() & bits;
        if (isPossible(address) && address != (-region.sizeBytes() & bits)) {
            return address;
        }
        long mark = told[region.index()];
        return isPossible(mark) ? mark : placeholders[region.index()];
    }

    /** Half of a 64-bit address may be that of the size, which is asked for by all ones. */
    private static boolean isPossible(long address) {
        return address != 0 && address >>> ADDRESS_BITS == 0;
    }

    private long word(int at) {
        long word = 0;
        for (int i = 3; i >= 0; i--) {
            word = word << 8 | (registers[at + i] & 0xFF);
        }
        return word;
    }
}
