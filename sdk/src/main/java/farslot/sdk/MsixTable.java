package farslot.sdk;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The MSI-X table in a device's BAR (PCI 3.0, 6.8.2): stores what the driver writes, so that it
 * reads it back. Who is masked is the driver's side's business.
 */
final class MsixTable implements AreaHandler {
    private static final int ENTRY_BYTES = 16;
    private static final int CONTROL = 12;

    private final MemorySegment table;

    MsixTable(int vectors) {
        table = MemorySegment.ofArray(new byte[vectors * ENTRY_BYTES]);
        reset();
    }

    int sizeBytes() {
        return (int) table.byteSize();
    }

    /** All vectors masked (6.8.2.9). */
    void reset() {
        table.fill((byte) 0);
        for (long entry = 0; entry < table.byteSize(); entry += ENTRY_BYTES) {
            table.set(ValueLayout.JAVA_BYTE, entry + CONTROL, (byte) 1);
        }
    }

    byte[] save() {
        return table.toArray(ValueLayout.JAVA_BYTE);
    }

    /** Takes over {@link #sizeBytes} bytes. */
    void load(byte[] saved) {
        for (int at = 0; at < saved.length; at++) {
            write(at, 1, saved[at]);
        }
    }

    @Override
    public long read(long offset, int sizeBytes) {
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (table.get(ValueLayout.JAVA_BYTE, offset + i) & 0xffL) << (8 * i);
        }
        return value;
    }

    @Override
    public void write(long offset, int sizeBytes, long value) {
        for (int i = 0; i < sizeBytes; i++) {
            byte stored = (byte) (value >>> (8 * i));
            // Vector control has one bit (6.8.2.9).
            int within = (int) (offset + i) & (ENTRY_BYTES - 1);
            byte kept = within < CONTROL ? stored : within == CONTROL ? (byte) (stored & 1) : 0;
            table.set(ValueLayout.JAVA_BYTE, offset + i, kept);
        }
    }
}
