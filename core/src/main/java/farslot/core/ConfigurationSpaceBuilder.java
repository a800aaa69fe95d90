package farslot.core;

import java.util.ArrayList;
import java.util.List;

/**
 * Builds a {@link ConfigurationSpace}. Capabilities are placed in the order of the calls: from 0x40
 * on, extended ones from 0x100 on. One thread, one {@link #build}.
 *
 * <p>Sections cited are of PCI Local Bus 3.0 ("PCI"), PCI Express Base 4.0 ("PCIe") and PCI Power
 * Management 1.2 ("PM").
 */
public final class ConfigurationSpaceBuilder {
    /** Capability ids (PCI, appendix H; PCIe 7.5). */
    public static final int ID_POWER_MANAGEMENT = 0x01;

    public static final int ID_MSI = 0x05;
    public static final int ID_VENDOR_SPECIFIC = 0x09;
    public static final int ID_EXPRESS = 0x10;
    public static final int ID_MSIX = 0x11;

    /** Extended capability ids (PCIe 7.7 to 7.9). */
    public static final int EXTENDED_ID_SERIAL_NUMBER = 0x0003;

    public static final int EXTENDED_ID_VENDOR_SPECIFIC = 0x000b;

    private static final int FIRST_CAPABILITY = 0x40;
    private static final int FIRST_EXTENDED = 0x100;
    private static final int CAPABILITIES_POINTER = 0x34;
    private static final int INTERRUPT_LINE = 0x3c;
    private static final int INTERRUPT_PIN = 0x3d;

    private final byte[] initial = new byte[Region.CONFIGURATION_SIZE_BYTES];
    private final byte[] writable = new byte[Region.CONFIGURATION_SIZE_BYTES];
    private final byte[] clearedByOne = new byte[Region.CONFIGURATION_SIZE_BYTES];
    private final List<FunctionDescription.CapabilityPlace> places = new ArrayList<>();
    private boolean hasIoPorts;
    private int nextCapability = FIRST_CAPABILITY;
    private int lastCapability;
    private int nextExtended = FIRST_EXTENDED;
    private int lastExtended;

    /** Begins with the identity registers (PCI 6.2.1, 6.2.4) and a command and status register. */
    public ConfigurationSpaceBuilder(FunctionDescription.Identity identity) {
        put(initial, 0x00, 2, identity.vendor());
        put(initial, 0x02, 2, identity.device());
        put(initial, 0x08, 1, identity.revision());
        put(initial, 0x09, 3, identity.classCode());
        put(initial, 0x2c, 2, identity.subsystemVendor());
        put(initial, 0x2e, 2, identity.subsystem());
        // Bus master, parity error response, SERR#, INTx disable; the spaces come with the BARs.
        put(writable, ConfigurationSpace.COMMAND, 2, 0x0544);
        put(clearedByOne, ConfigurationSpace.STATUS, 2, 0xf900);
        put(
                writable, 0x0c, 1,
                0xff); // cache line size: read-write, without effect (PCIe 7.5.1.1.7)
        put(writable, INTERRUPT_LINE, 1, 0xff);
    }

    /** INTA to INTD as 1 to 4 (PCI 6.2.4). */
    public ConfigurationSpaceBuilder interruptPin(int pin) {
        if (pin < 0 || pin > 4) {
            throw new IllegalArgumentException("Interrupt pin " + pin + " is not within 0 to 4.");
        }
        put(initial, INTERRUPT_PIN, 1, pin);
        return this;
    }

    /** A BAR or the expansion ROM (PCI 6.2.5). */
    public ConfigurationSpaceBuilder region(Region region) {
        if (region.index() == Region.CONFIGURATION) {
            throw new IllegalArgumentException("Configuration space is no BAR.");
        }
        return region.index() == Region.ROM ? rom(region) : bar(region);
    }

    private ConfigurationSpaceBuilder rom(Region region) {
        checkSize(region, 0x800, 1L << 24);
        put(writable, ConfigurationSpace.ROM_BASE, 4, (int) -region.sizeBytes() | 1);
        enableSpace(ConfigurationSpace.COMMAND_MEMORY);
        return this;
    }

    private ConfigurationSpaceBuilder bar(Region region) {
        int offset = ConfigurationSpace.BAR0 + 4 * region.index();
        boolean wide = region.has(Region.Attribute.BITS_64);
        checkFree(region, offset, wide);
        long mask = -region.sizeBytes();
        if (region.space() == Region.Space.IO_PORT) {
            checkSize(region, 4, 256);
            hasIoPorts = true;
            put(initial, offset, 4, 1);
            put(writable, offset, 4, (int) mask);
            enableSpace(ConfigurationSpace.COMMAND_IO);
            return this;
        }
        checkSize(region, 16, wide ? 1L << 62 : 1L << 31);
        int prefetchable = region.has(Region.Attribute.PREFETCHABLE) ? 8 : 0;
        put(initial, offset, 4, (wide ? 4 : 0) | prefetchable);
        put(writable, offset, 4, (int) mask);
        if (wide) {
            put(writable, offset + 4, 4, (int) (mask >>> 32));
        }
        enableSpace(ConfigurationSpace.COMMAND_MEMORY);
        return this;
    }

    private void checkFree(Region region, int offset, boolean wide) {
        boolean taken = get(writable, offset, 4) != 0;
        boolean nextTaken = wide && (region.index() == 5 || get(writable, offset + 4, 4) != 0);
        if (taken || nextTaken) {
            throw new IllegalArgumentException(
                    region.label() + " is taken already" + (wide ? ", or the one after it." : "."));
        }
    }

    private static void checkSize(Region region, long smallest, long largest) {
        if (region.sizeBytes() < smallest || region.sizeBytes() > largest) {
            throw new IllegalArgumentException(
                    region.label()
                            + " has 0x"
                            + Long.toHexString(region.sizeBytes())
                            + " bytes; 0x"
                            + Long.toHexString(smallest)
                            + " to 0x"
                            + Long.toHexString(largest)
                            + " are possible there.");
        }
    }

    private void enableSpace(int commandBit) {
        writable[ConfigurationSpace.COMMAND] |= (byte) commandBit;
    }

    /**
     * Power management with D0 and D3hot, which keeps its state over D3hot (PM 3.2.3, 3.2.4). PME#
     * is not offered.
     */
    public ConfigurationSpaceBuilder powerManagement() {
        int at = capability(ID_POWER_MANAGEMENT, 8);
        put(initial, at + 2, 2, 0x0003); // version 1.2
        put(initial, at + 4, 2, 0x0008); // No_Soft_Reset
        put(writable, at + 4, 2, 0x0003);
        return this;
    }

    /**
     * A PCI Express endpoint (PCIe 7.5.3), a legacy one where there are I/O ports (1.3.2.1), with
     * function-level reset. Call it after the BARs.
     */
    public ConfigurationSpaceBuilder expressEndpoint() {
        int at = capability(ID_EXPRESS, 0x3c);
        put(initial, at + 2, 2, 0x0002 | (hasIoPorts ? 0x0010 : 0));
        // Device: 256-byte payload, role-based error reporting, function-level reset.
        put(initial, at + 4, 4, 0x1000_8001);
        put(initial, at + 8, 2, 0x2810); // relaxed ordering, no snoop, 512-byte read requests
        // All but phantom functions, auxiliary power, and "initiate FLR", which reads as 0.
        put(writable, at + 8, 2, 0x78ff);
        put(clearedByOne, at + 0xa, 2, 0x000f);
        // Link: 8 GT/s, four lanes, no power management; the same as status.
        put(initial, at + 0xc, 4, 0x0000_0043);
        put(writable, at + 0x10, 2, 0x00c8);
        put(initial, at + 0x12, 2, 0x0043);
        // Device 2: completion timeouts can be disabled. Link 2: 2.5, 5 and 8 GT/s.
        put(initial, at + 0x24, 4, 0x0000_0010);
        put(writable, at + 0x28, 2, 0x0010);
        put(initial, at + 0x2c, 4, 0x0000_000e);
        put(initial, at + 0x30, 2, 0x0003);
        put(writable, at + 0x30, 2, 0x000f);
        return this;
    }

    /**
     * Message-signalled interrupts (PCI 6.8.1).
     *
     * @param vectors 1, 2, 4, 8, 16 or 32
     * @param bits64 whether addresses have 64 bits
     * @param masking whether each vector has a mask and a pending bit
     */
    public ConfigurationSpaceBuilder msi(int vectors, boolean bits64, boolean masking) {
        if (vectors < 1 || vectors > 32 || Integer.bitCount(vectors) != 1) {
            throw new IllegalArgumentException(
                    vectors + " MSI vectors are not possible; 1, 2, 4, 8, 16 and 32 are.");
        }
        int length = (bits64 ? 14 : 10) + (masking ? 10 : 0);
        int at = capability(ID_MSI, length);
        int control =
                (Integer.numberOfTrailingZeros(vectors) << 1)
                        | (bits64 ? 0x80 : 0)
                        | (masking ? 0x100 : 0);
        put(initial, at + 2, 2, control);
        put(writable, at + 2, 2, 0x0071);
        put(writable, at + 4, 4, ~3);
        int data = at + 8;
        if (bits64) {
            put(writable, at + 8, 4, -1);
            data += 4;
        }
        put(writable, data, 2, 0xffff);
        if (masking) {
            put(writable, data + 4, 4, (int) ((1L << vectors) - 1));
        }
        return this;
    }

    /**
     * MSI-X (PCI 6.8.2).
     *
     * @param vectors 1 to 2048
     * @param tableBar the BAR that holds the table of 16 bytes a vector
     * @param tableOffset where in it, a multiple of 8
     * @param pendingBar the BAR that holds the pending bits, 8 bytes for each 64 vectors
     * @param pendingOffset where in it, a multiple of 8
     */
    public ConfigurationSpaceBuilder msix(
            int vectors, int tableBar, int tableOffset, int pendingBar, int pendingOffset) {
        if (vectors < 1 || vectors > 2048) {
            throw new IllegalArgumentException(
                    vectors + " MSI-X vectors are not possible; 1 to 2048 are.");
        }
        if (((tableOffset | pendingOffset) & 7) != 0 || (tableOffset | pendingOffset) < 0) {
            throw new IllegalArgumentException(
                    "The MSI-X table and its pending bits begin at multiples of 8.");
        }
        int at = capability(ID_MSIX, 12);
        put(initial, at + 2, 2, vectors - 1);
        put(writable, at + 2, 2, 0xc000);
        put(initial, at + 4, 4, tableOffset | tableBar);
        put(initial, at + 8, 4, pendingOffset | pendingBar);
        return this;
    }

    /**
     * A vendor-specific capability (PCI, appendix H).
     *
     * @param body what follows id, next pointer and length
     * @param writableBits the bits of the body that a driver may change; null for none
     */
    public ConfigurationSpaceBuilder vendorSpecific(byte[] body, byte[] writableBits) {
        int at = capability(ID_VENDOR_SPECIFIC, body.length + 3);
        put(initial, at + 2, 1, body.length + 3);
        fill(at + 3, body, writableBits);
        return this;
    }

    /**
     * Any other capability.
     *
     * @param body what follows id and next pointer
     * @param writableBits the bits of the body that a driver may change; null for none
     */
    public ConfigurationSpaceBuilder capability(int id, byte[] body, byte[] writableBits) {
        fill(capability(id, body.length + 2) + 2, body, writableBits);
        return this;
    }

    /** The device's serial number, an EUI-64 (PCIe 7.9.3). */
    public ConfigurationSpaceBuilder serialNumber(long number) {
        int at = extended(EXTENDED_ID_SERIAL_NUMBER, 1, 12);
        put(initial, at + 4, 4, (int) number);
        put(initial, at + 8, 4, (int) (number >>> 32));
        return this;
    }

    /** A vendor-specific extended capability (PCIe 7.9.5). */
    public ConfigurationSpaceBuilder vendorSpecificExtended(
            int vendorsId, int vendorsRevision, byte[] body, byte[] writableBits) {
        int at = extended(EXTENDED_ID_VENDOR_SPECIFIC, 1, body.length + 8);
        put(initial, at + 4, 2, vendorsId);
        put(initial, at + 6, 2, vendorsRevision | ((body.length + 8) << 4));
        fill(at + 8, body, writableBits);
        return this;
    }

    /**
     * Any other extended capability (PCIe 7.6.3).
     *
     * @param version 1 to 15
     * @param body what follows the header of 4 bytes
     * @param writableBits the bits of the body that a driver may change; null for none
     */
    public ConfigurationSpaceBuilder extended(
            int id, int version, byte[] body, byte[] writableBits) {
        fill(extended(id, version, body.length + 4) + 4, body, writableBits);
        return this;
    }

    /** The space as described so far. */
    public ConfigurationSpace build() {
        return new ConfigurationSpace(
                initial.clone(), writable.clone(), clearedByOne.clone(), places);
    }

    /** Reserves a place and links it into the list (PCI 6.7). */
    private int capability(int id, int length) {
        int at = nextCapability;
        if (at + length > FIRST_EXTENDED) {
            throw new IllegalArgumentException(
                    "There is no room for capability 0x"
                            + Integer.toHexString(id)
                            + " below offset 0x100.");
        }
        put(initial, at, 1, id);
        put(initial, lastCapability == 0 ? CAPABILITIES_POINTER : lastCapability + 1, 1, at);
        initial[ConfigurationSpace.STATUS] |= 0x10; // there is a list
        lastCapability = at;
        nextCapability = (at + length + 3) & ~3;
        places.add(new FunctionDescription.CapabilityPlace(id, false, at, length));
        return at;
    }

    private int extended(int id, int version, int length) {
        int at = nextExtended;
        if (at + length > Region.CONFIGURATION_SIZE_BYTES) {
            throw new IllegalArgumentException(
                    "There is no room for extended capability 0x"
                            + Integer.toHexString(id)
                            + " below offset 0x1000.");
        }
        put(initial, at, 4, (id & 0xffff) | ((version & 0xf) << 16));
        if (lastExtended != 0) {
            put(initial, lastExtended + 2, 2, version(lastExtended) | (at << 4));
        }
        lastExtended = at;
        nextExtended = (at + length + 3) & ~3;
        places.add(new FunctionDescription.CapabilityPlace(id, true, at, length));
        return at;
    }

    private int version(int extended) {
        return initial[extended + 2] & 0xf;
    }

    private void fill(int at, byte[] body, byte[] writableBits) {
        System.arraycopy(body, 0, initial, at, body.length);
        if (writableBits != null) {
            if (writableBits.length != body.length) {
                throw new IllegalArgumentException(
                        "A capability of "
                                + body.length
                                + " bytes has a mask of "
                                + writableBits.length
                                + ".");
            }
            System.arraycopy(writableBits, 0, writable, at, body.length);
        }
    }

    private static void put(byte[] where, int offset, int size, int value) {
        for (int i = 0; i < size; i++) {
            where[offset + i] = (byte) (value >>> (8 * i));
        }
    }

    private static int get(byte[] where, int offset, int size) {
        int value = 0;
        for (int i = 0; i < size; i++) {
            value |= (where[offset + i] & 0xff) << (8 * i);
        }
        return value;
    }
}
