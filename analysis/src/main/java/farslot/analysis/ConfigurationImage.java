package farslot.analysis;

import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.registers.Register;
import farslot.registers.RegisterAccess;
import farslot.registers.RegisterDomain;
import farslot.sdk.decode.Observation;
import java.util.Arrays;

/**
 * A function's configuration space as far as a trace shows it: what the description says, what was
 * read, and what was written, as far as the map says that it can be. Each bit is known or not.
 *
 * <p>Sections cited are of PCI Local Bus 3.0. For one thread.
 */
public final class ConfigurationImage {
    private static final int COMMAND = 0x04;
    private static final int BAR0 = 0x10;
    private static final int ROM_BASE = 0x30;
    private static final int SIZE = Region.CONFIGURATION_SIZE_BYTES;

    private final FunctionDescription function;
    private final byte[] value = new byte[SIZE];
    private final byte[] known = new byte[SIZE];

    /** Written since it was last read: what the function made of it is the map's word alone. */
    private final byte[] assumed = new byte[SIZE];

    private final byte[] writable = new byte[SIZE];
    private final byte[] clearedByOne = new byte[SIZE];
    private final byte[] named = new byte[SIZE];

    /**
     * @param domain the names of the function's configuration space, as {@code TraceNames} has them
     */
    public ConfigurationImage(FunctionDescription function, RegisterDomain domain) {
        this.function = function;
        for (Register register : domain.registers()) {
            describe(register);
        }
        if (!function.regions().isEmpty()) {
            describeBases();
        }
        identify(function.identity());
        for (CapabilityPlace place : function.capabilities()) {
            capability(place);
        }
    }

    private void describe(Register register) {
        long elements = register.dimensions() == 0 ? 1 : register.length(0);
        if (register.dimensions() > 1) {
            return;
        }
        for (long i = 0; i < elements; i++) {
            long at = register.dimensions() == 0 ? register.offset() : register.offset(i);
            long rw = register.mask(RegisterAccess.RW) | register.mask(RegisterAccess.WO);
            long w1c = register.mask(RegisterAccess.W1C);
            for (int b = 0; b < register.widthBytes() && at + b < SIZE; b++) {
                int place = (int) at + b;
                writable[place] |= (byte) (rw >>> (8 * b));
                clearedByOne[place] |= (byte) (w1c >>> (8 * b));
                named[place] = -1;
            }
        }
    }

    /** Which bits of a base address register can be written shows the region's size (6.2.5.1). */
    private void describeBases() {
        Arrays.fill(writable, BAR0, BAR0 + 24, (byte) 0);
        Arrays.fill(writable, ROM_BASE, ROM_BASE + 4, (byte) 0);
        Arrays.fill(known, BAR0, BAR0 + 24, (byte) -1);
        Arrays.fill(known, ROM_BASE, ROM_BASE + 4, (byte) -1);
        for (Region region : function.regions()) {
            switch (region.index()) {
                case Region.CONFIGURATION -> {}
                case Region.ROM -> base(ROM_BASE, 4, -Math.max(region.sizeBytes(), 0x800) | 1, 0);
                default -> {
                    int bytes = region.has(Region.Attribute.BITS_64) ? 8 : 4;
                    base(baseOffset(region), bytes, -region.sizeBytes(), attributes(region));
                }
            }
        }
    }

    private void base(int offset, int bytes, long writableBits, int fixedBits) {
        put(writable, offset, bytes, writableBits);
        put(known, offset, bytes, ~writableBits);
        put(value, offset, bytes, fixedBits);
    }

    /** 6.2.5.1: the bits below the address. */
    private static int attributes(Region region) {
        if (region.space() == Region.Space.IO_PORT) {
            return 1;
        }
        return (region.has(Region.Attribute.BITS_64) ? 4 : 0)
                | (region.has(Region.Attribute.PREFETCHABLE) ? 8 : 0);
    }

    private static int baseOffset(Region region) {
        return region.index() == Region.ROM ? ROM_BASE : BAR0 + 4 * region.index();
    }

    private void identify(Identity identity) {
        if (function.regions().isEmpty()) {
            return; // the description is damaged
        }
        know(0x00, 2, identity.vendor());
        know(0x02, 2, identity.device());
        know(0x08, 1, identity.revision());
        know(0x09, 3, identity.classCode());
        know(0x2C, 2, identity.subsystemVendor());
        know(0x2E, 2, identity.subsystem());
        know(0x3D, 1, function.intxPin());
    }

    private void capability(CapabilityPlace place) {
        if (place.offset() >= 0 && place.offset() <= SIZE - 4) {
            know(place.offset(), place.extended() ? 2 : 1, place.id());
        }
    }

    /**
     * Takes the whole as it was when the recording began.
     *
     * @param bytes all 4096; null where they were not recorded
     */
    public void begin(byte[] bytes) {
        if (bytes != null && bytes.length == SIZE) {
            System.arraycopy(bytes, 0, value, 0, SIZE);
            Arrays.fill(known, (byte) -1);
        }
    }

    private void know(int offset, int bytes, long number) {
        put(value, offset, bytes, number);
        put(known, offset, bytes, -1);
    }

    private static void put(byte[] into, int offset, int bytes, long number) {
        for (int i = 0; i < bytes; i++) {
            into[offset + i] = (byte) (number >>> (8 * i));
        }
    }

    /** Takes what happened; what does not concern configuration space changes nothing. */
    public void observe(Observation observation) {
        switch (observation) {
            case Observation.Access access when access.region() == Region.CONFIGURATION -> {
                boolean done = access.status() != null && access.status().isSuccess();
                if (access.offset() < 0 || access.offset() >= SIZE) {
                    return;
                }
                if (access.write() && (done || access.status() == null)) {
                    write(access);
                } else if (!access.write() && done) {
                    read(access);
                }
            }
            case Observation.Reset reset -> reset();
            default -> {}
        }
    }

    private void read(Observation.Access access) {
        for (int i = 0; i < access.bytes().length && access.offset() + i < SIZE; i++) {
            int at = (int) access.offset() + i;
            value[at] = access.bytes()[i];
            known[at] = -1;
            assumed[at] = 0;
        }
    }

    private void write(Observation.Access access) {
        for (int i = 0; i < access.bytes().length && access.offset() + i < SIZE; i++) {
            if (i < Long.SIZE && (access.byteEnables() >>> i & 1) == 0) {
                continue;
            }
            int at = (int) access.offset() + i;
            byte written = access.bytes()[i];
            int taken = named[at] == 0 ? 0xFF : writable[at] & 0xFF;
            int cleared = clearedByOne[at] & written & 0xFF;
            value[at] = (byte) ((value[at] & ~taken & ~cleared) | (written & taken));
            known[at] |= (byte) (taken | cleared);
            assumed[at] |= (byte) (taken | cleared);
        }
    }

    /**
     * After a reset all is as at first, which a trace does not show (PCI Express Base 4.0, 6.6);
     * what every function has then, the driver may count on: nothing is enabled, the state is D0.
     */
    private void reset() {
        for (int at = 0; at < SIZE; at++) {
            boolean changed = named[at] == 0 || writable[at] != 0;
            known[at] &= (byte) (changed ? (named[at] == 0 ? 0 : ~writable[at]) : -1);
            assumed[at] = 0;
        }
        cleared(COMMAND, 0x0547);
        for (CapabilityPlace place : function.capabilities()) {
            if (place.extended() || place.offset() < 0x40 || place.offset() > 0xFC) {
                continue;
            }
            switch (place.id()) {
                case 0x01 -> cleared(place.offset() + 4, 0x0003);
                case 0x05 -> cleared(place.offset() + 2, 0x0071);
                case 0x11 -> cleared(place.offset() + 2, 0xC000);
                default -> {}
            }
        }
    }

    private void cleared(int offset, int bits) {
        for (int i = 0; i < 2; i++) {
            int mask = bits >>> (8 * i) & 0xFF;
            value[offset + i] &= (byte) ~mask;
            known[offset + i] |= (byte) mask;
        }
    }

    /** {@code sizeBytes} (1 to 8) bytes at an offset as a number; unknown bits are 0. */
    public long value(int offset, int sizeBytes) {
        return get(value, offset, sizeBytes) & known(offset, sizeBytes);
    }

    /** The bits that are known. */
    public long known(int offset, int sizeBytes) {
        return get(known, offset, sizeBytes);
    }

    /** The bits that were written and not read since. */
    public long assumed(int offset, int sizeBytes) {
        return get(assumed, offset, sizeBytes);
    }

    /** Whether the map has a register at an offset. */
    public boolean isNamed(int offset) {
        return named[offset] != 0;
    }

    private static long get(byte[] from, int offset, int sizeBytes) {
        long number = 0;
        for (int i = sizeBytes - 1; i >= 0; i--) {
            int at = offset + i;
            number = number << 8 | (at < SIZE ? from[at] & 0xFF : 0);
        }
        return number;
    }

    /** Where a region stands in the machine's address space. */
    public sealed interface Base {
        /** Nothing was seen of it, or not enough. */
        record Unknown() implements Base {}

        /** All ones were written to learn its size, and nothing else since. */
        record BeingSized() implements Base {}

        /**
         * It has an address.
         *
         * @param address 0 where none was given yet
         * @param enabled whether the function answers there; null where the command register is not
         *     known
         */
        record At(long address, Boolean enabled) implements Base {}
    }

    /** Where a region stands. */
    public Base base(Region region) {
        int offset = baseOffset(region);
        int bytes = region.has(Region.Attribute.BITS_64) ? 8 : 4;
        long addressBits = get(writable, offset, bytes) & (region.index() == Region.ROM ? ~1L : -1);
        if ((addressBits & ~known(offset, bytes)) != 0) {
            return new Base.Unknown();
        }
        long address = value(offset, bytes) & addressBits;
        if (isAllOnes(address, addressBits, 0xFFFF_FFFFL)
                || isAllOnes(address, addressBits, 0xFFFF_FFFFL << 32)) {
            return new Base.BeingSized();
        }
        return new Base.At(address, answers(region));
    }

    /** A 64-bit register is sized half by half. */
    private static boolean isAllOnes(long address, long addressBits, long half) {
        long bits = addressBits & half;
        return bits != 0 && (address & half) == bits;
    }

    private Boolean answers(Region region) {
        int bit = region.space() == Region.Space.IO_PORT ? 1 : 2;
        if ((known(COMMAND, 2) & bit) == 0) {
            return null;
        }
        boolean romOn = region.index() != Region.ROM || (value(ROM_BASE, 1) & 1) != 0;
        return (value(COMMAND, 2) & bit) != 0 && romOn;
    }

    /** The function whose configuration space this is. */
    public FunctionDescription function() {
        return function;
    }
}
