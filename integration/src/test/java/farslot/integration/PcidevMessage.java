package farslot.integration;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A message of User-Mode Linux's PCI (Linux, include/uapi/linux/virtio_pcidev.h), little-endian: u8
 * op, u8 BAR, u16 reserved, u32 size, u64 address, data.
 *
 * @param size of the access; a MEMSET has one byte of data whatever its size
 * @param address the offset within BAR or configuration space, the pin of an INT, where an MSI is
 *     written to
 */
@SuppressWarnings("ArrayRecordComponent") // compared by its text
record PcidevMessage(Op op, int bar, int size, long address, byte[] data) {
    static final int HEADER_BYTES = 16;

    /** Reads and writes go to the device, the rest comes from it. */
    enum Op {
        CFG_READ(1),
        CFG_WRITE(2),
        MMIO_READ(3),
        MMIO_WRITE(4),
        MMIO_MEMSET(5),
        INT(6),
        MSI(7),
        PME(8);

        private final int code;

        Op(int code) {
            this.code = code;
        }

        private static Op ofCode(int code) {
            return Arrays.stream(values())
                    .filter(op -> op.code == code)
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("op " + code));
        }
    }

    static PcidevMessage parse(byte[] message) {
        ByteBuffer fields = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        Op op = Op.ofCode(fields.get());
        int bar = fields.get();
        fields.getShort();
        int size = fields.getInt();
        long address = fields.getLong();
        return new PcidevMessage(
                op, bar, size, address, Arrays.copyOfRange(message, HEADER_BYTES, message.length));
    }

    byte[] toBytes() {
        return ByteBuffer.allocate(HEADER_BYTES + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) op.code)
                .put((byte) bar)
                .putShort((short) 0)
                .putInt(size)
                .putLong(address)
                .put(data)
                .array();
    }

    /** The first up to eight bytes of data as a number. */
    long value() {
        long value = 0;
        for (int at = Math.min(8, data.length) - 1; at >= 0; at--) {
            value = value << 8 | (data[at] & 0xff);
        }
        return value;
    }

    @Override
    public String toString() {
        return String.format("%s 0x%x=0x%x", op, address, value());
    }
}
