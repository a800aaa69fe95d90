package farslot.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * The MSI capability of a function with its masks and pending bits (PCI 3.0, 6.8.1), for the side
 * of the driver: the counterpart of {@link MsixTable}. The slot passes it each write to the
 * capability, beside the function, and lets it answer reads of the pending bits.
 *
 * <p>Any thread may call. Messages are handed out with no lock held.
 */
public final class MsiState {
    private final int control;
    private final int vectors;
    private final int dataOffset;
    private final byte[] bytes;
    private final MsixTable.Messages messages;
    private int pending;

    /**
     * As after a reset.
     *
     * @param control the capability's message control register as the function shows it then: how
     *     many vectors, 64 bits or not, masks or not
     */
    public MsiState(int control, MsixTable.Messages messages) {
        this.control = control & 0x018e;
        this.vectors = 1 << Math.min((control >>> 1) & 7, 5);
        this.dataOffset = (control & 0x80) != 0 ? 12 : 8;
        this.bytes = new byte[masking() ? dataOffset + 12 : dataOffset + 2];
        this.messages = messages;
        reset();
    }

    /** How many vectors the function has. */
    public int vectors() {
        return vectors;
    }

    public synchronized void reset() {
        java.util.Arrays.fill(bytes, (byte) 0);
        bytes[2] = (byte) control;
        bytes[3] = (byte) (control >>> 8);
        pending = 0;
    }

    /**
     * The driver writes within the capability; the offset counts from its header. Bytes beyond the
     * capability are ignored, since an access may cover more than it.
     */
    public void write(long offset, MemorySegment from, long byteEnables) {
        synchronized (this) {
            for (int i = 0; i < from.byteSize(); i++) {
                long at = offset + i;
                boolean wanted = i >= Long.SIZE || ((byteEnables >>> i) & 1) != 0;
                if (wanted && at >= 2 && at < bytes.length) {
                    writeByte((int) at, from.get(ValueLayout.JAVA_BYTE, i));
                }
            }
            if (!enabled()) {
                pending = 0;
            }
        }
        for (int vector = 0; vector < vectors; vector++) {
            sendPending(vector);
        }
    }

    private void writeByte(int at, byte value) {
        if (at == 2) {
            bytes[2] = (byte) ((control & ~0x71) | (value & 0x71));
        } else if (at == 4) {
            bytes[4] = (byte) (value & ~3);
        } else if (at > 4 && at < dataOffset + 2) {
            bytes[at] = value;
        } else if (at >= dataOffset + 4 && at < dataOffset + 8) {
            bytes[at] = value;
        }
    }

    /** A bit for each vector that waits for its mask to go. */
    public synchronized int pending() {
        return pending;
    }

    /** Whether the driver has enabled MSI. */
    public synchronized boolean enabled() {
        return (bytes[2] & 1) != 0;
    }

    /**
     * The function interrupts. Sent at once, or pending while its vector is masked, or forgotten
     * while MSI is off or the driver granted fewer vectors.
     *
     * @throws IndexOutOfBoundsException where the function has no such vector
     */
    public void signal(int vector) {
        Objects.checkIndex(vector, vectors);
        synchronized (this) {
            if (!enabled() || vector >= granted()) {
                return;
            }
            pending |= 1 << vector;
        }
        sendPending(vector);
    }

    private void sendPending(int vector) {
        long address;
        int data;
        synchronized (this) {
            int bit = 1 << vector;
            boolean masked = masking() && (word(dataOffset + 4) & bit) != 0;
            if (!enabled() || masked || (pending & bit) == 0) {
                return;
            }
            pending &= ~bit;
            address = Integer.toUnsignedLong(word(4));
            if (dataOffset == 12) {
                address |= ((long) word(8) << 32);
            }
            int written = (bytes[dataOffset] & 0xff) | ((bytes[dataOffset + 1] & 0xff) << 8);
            data = (written & -granted()) | vector; // the low bits are the vector's (6.8.1.6)
        }
        messages.send(vector, address, data);
    }

    private boolean masking() {
        return (control & 0x100) != 0;
    }

    private int granted() {
        return Math.min(1 << ((bytes[2] >>> 4) & 7), vectors);
    }

    private int word(int at) {
        return (bytes[at] & 0xff)
                | ((bytes[at + 1] & 0xff) << 8)
                | ((bytes[at + 2] & 0xff) << 16)
                | (bytes[at + 3] << 24);
    }
}
