package farslot.devices.nvme;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** The data structures that Identify returns, 4096 bytes each (NVMe 1.4, 5.15). */
final class Identify {
    static final int DATA_BYTES = 4096;

    // CNS: what is asked for.
    static final int NAMESPACE = 0x00;
    static final int CONTROLLER = 0x01;
    static final int ACTIVE_NAMESPACES = 0x02;
    static final int DESCRIPTORS = 0x03;

    /** Also the Version register (3.1.2). */
    static final int VERSION_1_4 = 0x0001_0400;

    /** Eight characters at most. */
    static final String FIRMWARE_REVISION = "0.1.0";

    /** The longest data transfer is 2 to this power of the smallest memory page, 4 KiB: 1 MiB. */
    static final int MAX_DATA_TRANSFER_SIZE = 8;

    static final int MAX_TRANSFER_BYTES = 4096 << MAX_DATA_TRANSFER_SIZE;

    private Identify() {}

    /**
     * Identify Controller, CNS 01h (5.15.2.2): the only controller (CNTLID 0, CMIC 0) of a
     * subsystem whose name no other has.
     */
    static byte[] controller(ControllerState state) {
        byte[] bytes = new byte[DATA_BYTES];
        MemorySegment data = MemorySegment.ofArray(bytes);
        data.set(LittleEndian.SHORT, 0, (short) state.vendor());
        data.set(LittleEndian.SHORT, 2, (short) state.vendor());
        text(bytes, 4, 20, state.serial());
        text(bytes, 24, 40, state.model());
        text(bytes, 64, 8, FIRMWARE_REVISION);
        data.set(LittleEndian.INT, 80, VERSION_1_4);
        bytes[77] = MAX_DATA_TRANSFER_SIZE;
        bytes[111] = 1; // CNTRLTYPE: an I/O controller
        // OACS (256) stays 0: no namespace management, no firmware download, and no doorbell
        // buffer, since doorbells in memory would tell a controller at a distance nothing.
        bytes[258] = Abort.LIMIT - 1; // ACL
        bytes[259] = AsynchronousEvents.REQUEST_LIMIT - 1;
        bytes[260] = 1 << 1 | 1; // FRMW: one slot, read only
        bytes[261] = 1 << 2 | 1 << 1; // LPA: extended data; commands supported and effects
        bytes[262] = ErrorLog.ENTRIES - 1;
        data.set(LittleEndian.SHORT, 266, (short) Features.WARNING_TEMPERATURE_KELVIN);
        data.set(LittleEndian.SHORT, 268, (short) Features.CRITICAL_TEMPERATURE_KELVIN);
        bytes[512] = 6 << 4 | 6; // SQES: 64 bytes
        bytes[513] = 4 << 4 | 4; // CQES: 16 bytes
        data.set(LittleEndian.INT, 516, state.namespaces().count()); // NN
        // ONCS: Compare, Write Uncorrectable, Dataset Management, Write Zeroes, and the fields Save
        // and Select of the feature commands
        data.set(LittleEndian.SHORT, 520, (short) 0b1_1111);
        // VWC: whether there is one; Flush takes all namespaces
        bytes[525] = (byte) (3 << 1 | (state.volatileWriteCache() ? 1 : 0));
        data.set(LittleEndian.INT, 536, 1); // SGLS: in I/O commands, of any alignment
        // A power state must say something; 10 W, in hundredths (5.15.2.2).
        data.set(LittleEndian.SHORT, 2048, (short) 1000);
        UUID uuid = state.namespaces().first().uuid();
        byte[] name = ("nqn.2014-08.org.nvmexpress:uuid:" + uuid).getBytes(StandardCharsets.UTF_8);
        System.arraycopy(name, 0, bytes, 768, name.length);
        return bytes;
    }

    /** Identify Namespace, CNS 00h (5.15.2.1). */
    static byte[] namespace(Namespace namespace) {
        byte[] bytes = new byte[DATA_BYTES];
        MemorySegment data = MemorySegment.ofArray(bytes);
        data.set(LittleEndian.LONG, 0, namespace.blocks()); // NSZE
        data.set(LittleEndian.LONG, 8, namespace.blocks()); // NCAP
        data.set(LittleEndian.LONG, 16, namespace.blocks()); // NUSE
        // DLFEAT: whether deallocated blocks read as zeros; Write Zeroes may deallocate then.
        bytes[33] = (byte) (namespace.deallocatedReadsZeroes() ? 1 << 3 | 1 : 0);
        // LBAF0: LBADS, the block size as a power of two
        bytes[128 + 2] = (byte) Integer.numberOfTrailingZeros(namespace.blockBytes());
        return bytes;
    }

    /** Active namespace identifiers above the given one, CNS 02h (5.15.2.3). */
    static byte[] activeNamespaces(Namespaces namespaces, int above) {
        byte[] bytes = new byte[DATA_BYTES];
        MemorySegment data = MemorySegment.ofArray(bytes);
        int count = namespaces.count();
        // A list holds 1024, of which there are fewer.
        int first = Integer.compareUnsigned(above, count) < 0 ? above + 1 : count + 1;
        for (int id = first; id <= count; id++) {
            data.set(LittleEndian.INT, 4L * (id - first), id);
        }
        return bytes;
    }

    /** Namespace identification descriptors, CNS 03h (5.15.2.4): its UUID. */
    static byte[] descriptors(Namespace namespace) {
        byte[] bytes = new byte[DATA_BYTES];
        bytes[0] = 3; // NIDT: UUID
        bytes[1] = 16;
        ByteBuffer.wrap(bytes)
                .putLong(4, namespace.uuid().getMostSignificantBits())
                .putLong(12, namespace.uuid().getLeastSignificantBits());
        return bytes;
    }

    private static void text(byte[] into, int offset, int length, String text) {
        Arrays.fill(into, offset, offset + length, (byte) ' ');
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, into, offset, bytes.length);
    }
}
