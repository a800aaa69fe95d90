package farslot.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * The MSI-X table of a function with its masks and pending bits (PCI 3.0, 6.8.2), for the side of
 * the driver: it stands where accesses to the table pass and interrupts arrive as vectors, and
 * makes them the messages that the driver asked for. Used wherever the emulator does not own the
 * table (QEMU owns its; kernels run as processes, trapped processes and Java code do not).
 *
 * <p>Any thread may call. Messages are handed out with no lock held.
 */
public final class MsixTable {
    /** Where unmasked messages go. Must not wait for the driver. */
    @FunctionalInterface
    public interface Messages {
        /** The message of a vector: a memory write of {@code data}, 4 bytes, to {@code address}. */
        void send(int vector, long address, int data);
    }

    private static final int ENTRY_BYTES = 16;
    private static final int CONTROL = 12;

    private final int vectors;
    private final Messages messages;
    private final byte[] table;
    private final BitSet pending;
    private boolean enabled;
    private boolean masked;

    /** A table as after a reset: disabled, each vector masked. */
    public MsixTable(int vectors, Messages messages) {
        if (vectors < 1 || vectors > 2048) {
            throw new IllegalArgumentException(
                    vectors + " MSI-X vectors are not possible; 1 to 2048 are.");
        }
        this.vectors = vectors;
        this.messages = messages;
        this.table = new byte[vectors * ENTRY_BYTES];
        this.pending = new BitSet(vectors);
        reset();
    }

    /** The table's length in bytes. */
    public int sizeBytes() {
        return table.length;
    }

    /** The length of the pending bits in bytes: 8 for each 64 vectors. */
    public int pendingSizeBytes() {
        return (vectors + 63) / 64 * 8;
    }

    public synchronized void reset() {
        java.util.Arrays.fill(table, (byte) 0);
        for (int vector = 0; vector < vectors; vector++) {
            table[vector * ENTRY_BYTES + CONTROL] = 1;
        }
        pending.clear();
        enabled = false;
        masked = false;
    }

    /** The capability's enable and function mask bits, whenever they are written. */
    public void control(boolean enable, boolean mask) {
        synchronized (this) {
            enabled = enable;
            masked = mask;
            if (!enable) {
                pending.clear();
            }
        }
        for (int vector = 0; vector < vectors; vector++) {
            sendPending(vector);
        }
    }

    /** Reads the table; the offset counts from its beginning. */
    public synchronized CompletionStatus read(long offset, MemorySegment into) {
        if (outside(offset, into.byteSize(), table.length)) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        MemorySegment.copy(
                table, (int) offset, into, ValueLayout.JAVA_BYTE, 0, (int) into.byteSize());
        return CompletionStatus.SUCCESS;
    }

    /** Writes the table; what was pending for a vector unmasked by it is sent. */
    public CompletionStatus write(long offset, MemorySegment from, long byteEnables) {
        long length = from.byteSize();
        if (outside(offset, length, table.length)) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        synchronized (this) {
            for (int i = 0; i < length; i++) {
                if (i >= Long.SIZE || ((byteEnables >>> i) & 1) != 0) {
                    int at = (int) offset + i;
                    byte value = from.get(ValueLayout.JAVA_BYTE, i);
                    // Vector control has one bit; address bits 1 and 0 are 0 (6.8.2.7, 6.8.2.9).
                    int within = at % ENTRY_BYTES;
                    table[at] =
                            within == CONTROL
                                    ? (byte) (value & 1)
                                    : within > CONTROL
                                            ? 0
                                            : within == 0 ? (byte) (value & ~3) : value;
                }
            }
        }
        for (int vector = (int) offset / ENTRY_BYTES;
                vector <= (offset + length - 1) / ENTRY_BYTES;
                vector++) {
            sendPending(vector);
        }
        return CompletionStatus.SUCCESS;
    }

    /** Reads the pending bits; the offset counts from their beginning. */
    public synchronized CompletionStatus readPending(long offset, MemorySegment into) {
        if (outside(offset, into.byteSize(), pendingSizeBytes())) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        for (int i = 0; i < into.byteSize(); i++) {
            int value = 0;
            for (int bit = 0; bit < 8; bit++) {
                value |= pending.get(((int) offset + i) * 8 + bit) ? 1 << bit : 0;
            }
            into.set(ValueLayout.JAVA_BYTE, i, (byte) value);
        }
        return CompletionStatus.SUCCESS;
    }

    /**
     * The function interrupts. Sent at once, or pending while its vector or all are masked, or
     * forgotten while MSI-X is off.
     *
     * @throws IndexOutOfBoundsException where the function has no such vector
     */
    public void signal(int vector) {
        java.util.Objects.checkIndex(vector, vectors);
        synchronized (this) {
            if (!enabled) {
                return;
            }
            pending.set(vector);
        }
        sendPending(vector);
    }

    private void sendPending(int vector) {
        long address;
        int data;
        synchronized (this) {
            int entry = vector * ENTRY_BYTES;
            if (!enabled || masked || table[entry + CONTROL] != 0 || !pending.get(vector)) {
                return;
            }
            pending.clear(vector);
            address = Integer.toUnsignedLong(word(entry)) | ((long) word(entry + 4) << 32);
            data = word(entry + 8);
        }
        messages.send(vector, address, data);
    }

    private int word(int at) {
        return (table[at] & 0xff)
                | ((table[at + 1] & 0xff) << 8)
                | ((table[at + 2] & 0xff) << 16)
                | (table[at + 3] << 24);
    }

    private static boolean outside(long offset, long length, int size) {
        return offset < 0 || length < 1 || length > size || offset > size - length;
    }
}
