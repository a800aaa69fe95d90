package farslot.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The 4096 bytes of configuration space of a function that is made in software: a type 0 header,
 * its BARs, and its lists of capabilities, with what the driver may change in them. Built by a
 * {@link ConfigurationSpaceBuilder}; sections cited are of PCI Local Bus 3.0 ("PCI") and PCI
 * Express Base 4.0 ("PCIe").
 *
 * <p>Each bit is read-only, read-write, or cleared by writing 1. The object keeps bytes and answers
 * questions about them; what a change means is its owner's to do, who is told by {@link #write}.
 *
 * <p>Any thread may call. The questions about the command register take no lock.
 */
public final class ConfigurationSpace {
    /** Offsets in the type 0 header (PCI 6.1). */
    public static final int COMMAND = 0x04;

    public static final int STATUS = 0x06;
    public static final int BAR0 = 0x10;
    public static final int ROM_BASE = 0x30;

    /** Bits of the command register (PCI 6.2.2). */
    public static final int COMMAND_IO = 1;

    public static final int COMMAND_MEMORY = 1 << 1;
    public static final int COMMAND_BUS_MASTER = 1 << 2;
    public static final int COMMAND_INTX_DISABLE = 1 << 10;

    /** Bits of the status register (PCI 6.2.3). */
    public static final int STATUS_INTERRUPT = 1 << 3;

    public static final int STATUS_RECEIVED_TARGET_ABORT = 1 << 12;
    public static final int STATUS_RECEIVED_MASTER_ABORT = 1 << 13;

    private static final int STATUS_SETTABLE = 0xf900;

    /** What a write has changed, or asked for. */
    public enum Change {
        COMMAND,
        /** An address in a BAR, or the ROM's. */
        BASE_ADDRESS,
        MSI,
        MSIX,
        POWER_STATE,
        /** The driver asks for a function-level reset (PCIe 6.6.2); nothing is reset yet. */
        FUNCTION_LEVEL_RESET
    }

    private final byte[] initial;
    private final byte[] writable;
    private final byte[] clearedByOne;
    private final List<FunctionDescription.CapabilityPlace> capabilities;
    private final int powerOffset;
    private final int expressOffset;
    private final int msiOffset;
    private final int msixOffset;

    private final byte[] bytes;
    private volatile int command;
    private volatile boolean awake = true;

    ConfigurationSpace(
            byte[] initial,
            byte[] writable,
            byte[] clearedByOne,
            List<FunctionDescription.CapabilityPlace> capabilities) {
        this.initial = initial;
        this.writable = writable;
        this.clearedByOne = clearedByOne;
        this.capabilities = List.copyOf(capabilities);
        this.powerOffset = place(ConfigurationSpaceBuilder.ID_POWER_MANAGEMENT);
        this.expressOffset = place(ConfigurationSpaceBuilder.ID_EXPRESS);
        this.msiOffset = place(ConfigurationSpaceBuilder.ID_MSI);
        this.msixOffset = place(ConfigurationSpaceBuilder.ID_MSIX);
        this.bytes = initial.clone();
    }

    private int place(int id) {
        for (FunctionDescription.CapabilityPlace capability : capabilities) {
            if (!capability.extended() && capability.id() == id) {
                return capability.offset();
            }
        }
        return 0;
    }

    /** Where each capability stands, in the order of the lists. */
    public List<FunctionDescription.CapabilityPlace> capabilities() {
        return capabilities;
    }

    /** Reads bytes; reserved ones are 0. UNSUPPORTED_REQUEST outside the 4096. */
    public CompletionStatus read(long offset, MemorySegment into) {
        if (outside(offset, into.byteSize())) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        synchronized (this) {
            MemorySegment.copy(
                    bytes, (int) offset, into, ValueLayout.JAVA_BYTE, 0, (int) into.byteSize());
        }
        return CompletionStatus.SUCCESS;
    }

    /**
     * Writes the enabled bytes, as far as their bits let it.
     *
     * @param byteEnables as in {@link PciFunction#write}
     * @return what changed; null where the range lies outside the 4096 bytes, and nothing is done
     */
    public Set<Change> write(long offset, MemorySegment from, long byteEnables) {
        if (outside(offset, from.byteSize())) {
            return null;
        }
        synchronized (this) {
            byte[] before = bytes.clone();
            boolean resets = false;
            for (int i = 0; i < from.byteSize(); i++) {
                if (i >= Long.SIZE || ((byteEnables >>> i) & 1) != 0) {
                    int at = (int) offset + i;
                    byte value = from.get(ValueLayout.JAVA_BYTE, i);
                    writeByte(at, value);
                    resets |= expressOffset != 0 && at == expressOffset + 9 && value < 0;
                }
            }
            keepSupportedPowerState(before);
            return changes(before, resets);
        }
    }

    private void writeByte(int at, byte value) {
        int kept = (bytes[at] & ~writable[at]) | (value & writable[at]);
        bytes[at] = (byte) (kept & ~(value & clearedByOne[at]));
    }

    /** A state that the function lacks is not entered (PCI Power Management 1.2, 3.2.4). */
    private void keepSupportedPowerState(byte[] before) {
        if (powerOffset != 0) {
            int state = bytes[powerOffset + 4] & 3;
            if (state == 1 || state == 2) {
                bytes[powerOffset + 4] = before[powerOffset + 4];
            }
            awake = (bytes[powerOffset + 4] & 3) == 0;
        }
    }

    private Set<Change> changes(byte[] before, boolean resets) {
        Set<Change> changes = EnumSet.noneOf(Change.class);
        command = get(COMMAND, 2);
        note(changes, Change.COMMAND, before, COMMAND, 2);
        note(changes, Change.BASE_ADDRESS, before, BAR0, 24);
        note(changes, Change.BASE_ADDRESS, before, ROM_BASE, 4);
        if (msiOffset != 0) {
            note(changes, Change.MSI, before, msiOffset + 2, 22);
        }
        if (msixOffset != 0) {
            note(changes, Change.MSIX, before, msixOffset + 2, 2);
        }
        if (powerOffset != 0) {
            note(changes, Change.POWER_STATE, before, powerOffset + 4, 1);
        }
        if (resets) {
            changes.add(Change.FUNCTION_LEVEL_RESET);
        }
        return changes;
    }

    private void note(Set<Change> changes, Change change, byte[] before, int offset, int length) {
        for (int at = offset; at < offset + length; at++) {
            if (before[at] != bytes[at]) {
                changes.add(change);
                return;
            }
        }
    }

    private static boolean outside(long offset, long length) {
        return offset < 0
                || length < 1
                || length > Region.CONFIGURATION_SIZE_BYTES
                || offset > Region.CONFIGURATION_SIZE_BYTES - length;
    }

    /** {@code sizeBytes} (1 to 4) bytes at {@code offset}, little-endian. */
    public synchronized int get(int offset, int sizeBytes) {
        int value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (bytes[offset + i] & 0xff) << (8 * i);
        }
        return value;
    }

    /**
     * Makes everything as it was at first: what FLR, hot and cold reset do to a function without
     * sticky bits (PCIe 6.6, 7.4). Base addresses are lost; the driver's system restores them.
     */
    public synchronized void reset() {
        System.arraycopy(initial, 0, bytes, 0, bytes.length);
        command = get(COMMAND, 2);
        awake = true;
    }

    /** All 4096 bytes as they are. */
    public synchronized byte[] save() {
        return bytes.clone();
    }

    /**
     * Takes over what {@link #save} gave.
     *
     * @return false, and nothing is changed, where it cannot have come from a space built like this
     *     one: a bit differs that nothing ever changes
     */
    public synchronized boolean load(byte[] saved) {
        if (saved.length != bytes.length) {
            return false;
        }
        for (int at = 0; at < saved.length; at++) {
            int changeable = writable[at] | clearedByOne[at];
            if (at == STATUS) {
                changeable |= STATUS_INTERRUPT;
            } else if (at == STATUS + 1) {
                changeable |= STATUS_SETTABLE >>> 8;
            }
            if (((saved[at] ^ initial[at]) & ~changeable & 0xff) != 0) {
                return false;
            }
        }
        System.arraycopy(saved, 0, bytes, 0, bytes.length);
        command = get(COMMAND, 2);
        awake = powerState() == 0;
        return true;
    }

    /** Whether the function may use DMA and send MSI and MSI-X (PCI 6.2.2, PCIe 7.5.1.1.3). */
    public boolean busMaster() {
        return (command & COMMAND_BUS_MASTER) != 0 && awake;
    }

    /** Whether assertions of INTx are held back (PCI 6.2.2, bit 10). */
    public boolean intxDisabled() {
        return (command & COMMAND_INTX_DISABLE) != 0;
    }

    /**
     * Whether the function answers in this region: its kind of space is enabled and the function is
     * in D0. Configuration space always answers.
     */
    public boolean answers(Region region) {
        return switch (region.space()) {
            case CONFIGURATION -> true;
            case IO_PORT -> (command & COMMAND_IO) != 0 && awake;
            case MEMORY ->
                    (command & COMMAND_MEMORY) != 0
                            && awake
                            && (region.index() != Region.ROM || (get(ROM_BASE, 1) & 1) != 0);
        };
    }

    /** The address in a BAR, without its attribute bits; the ROM's for {@link Region#ROM}. */
    public synchronized long address(Region region) {
        if (region.index() == Region.ROM) {
            return get(ROM_BASE, 4) & 0xffff_f800L;
        }
        int offset = BAR0 + 4 * region.index();
        long low = Integer.toUnsignedLong(get(offset, 4));
        if (region.space() == Region.Space.IO_PORT) {
            return low & ~3L;
        }
        long high = region.has(Region.Attribute.BITS_64) ? get(offset + 4, 4) : 0;
        return (high << 32) | (low & ~0xfL);
    }

    /**
     * Sets or clears the interrupt status bit: whether the function wants INTx, also while it is
     * disabled (PCI 6.2.3).
     */
    public synchronized void interruptStatus(boolean pending) {
        if (pending) {
            bytes[STATUS] |= STATUS_INTERRUPT;
        } else {
            bytes[STATUS] &= ~STATUS_INTERRUPT;
        }
    }

    /** Sets error bits of the status register, which the driver clears by writing 1. */
    public synchronized void status(int bits) {
        int settable = bits & STATUS_SETTABLE;
        bytes[STATUS] |= (byte) settable;
        bytes[STATUS + 1] |= (byte) (settable >>> 8);
    }

    /** PCI 6.8.1.3, bit 0. */
    public boolean msiEnabled() {
        return msiOffset != 0 && (get(msiOffset + 2, 2) & 1) != 0;
    }

    /** How many messages the driver granted: 1 to what the function has (PCI 6.8.1.3). */
    public int msiVectorsGranted() {
        if (msiOffset == 0) {
            return 0;
        }
        int control = get(msiOffset + 2, 2);
        return 1 << Math.min((control >>> 4) & 7, (control >>> 1) & 7);
    }

    /** PCI 6.8.2.3, bit 15. */
    public boolean msixEnabled() {
        return msixOffset != 0 && (get(msixOffset + 2, 2) & 0x8000) != 0;
    }

    /** Whether all vectors are held back (PCI 6.8.2.3, bit 14). */
    public boolean msixMasked() {
        return msixOffset != 0 && (get(msixOffset + 2, 2) & 0x4000) != 0;
    }

    /** 0 for D0, 3 for D3hot. */
    public int powerState() {
        return powerOffset == 0 ? 0 : get(powerOffset + 4, 1) & 3;
    }

    /** The bits at an offset that a driver's write can change: for tests and viewers. */
    int writableBits(int offset) {
        return writable[offset] & 0xff;
    }

    /** The bits at an offset that writing 1 clears. */
    int clearedByOneBits(int offset) {
        return clearedByOne[offset] & 0xff;
    }
}
