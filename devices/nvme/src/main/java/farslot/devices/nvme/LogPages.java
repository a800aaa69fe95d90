package farslot.devices.nvme;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The log pages (NVMe 1.4, 5.14.1). None belongs to a namespace. */
final class LogPages {
    static final int ERROR_INFORMATION = 0x01;
    static final int HEALTH = 0x02;
    static final int FIRMWARE_SLOT = 0x03;
    static final int COMMANDS_SUPPORTED = 0x05;

    private LogPages() {}

    /** The SMART / health information, 512 bytes (5.14.1.2). */
    static byte[] health(HealthCounters counters, ErrorLog errors, CriticalWarnings warnings) {
        byte[] page = new byte[512];
        MemorySegment log = MemorySegment.ofArray(page);
        log.set(LittleEndian.SHORT, 1, (short) Features.TEMPERATURE_KELVIN);
        page[0] = (byte) warnings.now();
        page[3] = (byte) (counters.isSpareUsedUp() ? 0 : 100); // available spare, per cent
        page[4] = 10; // its threshold
        log.set(LittleEndian.LONG, 32, counters.dataUnitsRead());
        log.set(LittleEndian.LONG, 48, counters.dataUnitsWritten());
        log.set(LittleEndian.LONG, 64, counters.reads());
        log.set(LittleEndian.LONG, 80, counters.writes());
        log.set(LittleEndian.LONG, 96, counters.busyMinutes());
        log.set(LittleEndian.LONG, 112, counters.powerCycles());
        log.set(LittleEndian.LONG, 128, counters.powerOnHours());
        log.set(LittleEndian.LONG, 144, counters.unsafeShutdowns());
        log.set(LittleEndian.LONG, 160, counters.mediaErrors());
        log.set(LittleEndian.LONG, 176, errors.count());
        return page;
    }

    /** The firmware slots, 512 bytes (5.14.1.3): slot 1 is active and the only one. */
    static byte[] firmwareSlots() {
        byte[] page = new byte[512];
        page[0] = 1;
        byte[] revision = Identify.FIRMWARE_REVISION.getBytes(StandardCharsets.US_ASCII);
        Arrays.fill(page, 8, 16, (byte) ' ');
        System.arraycopy(revision, 0, page, 8, revision.length);
        return page;
    }

    /** The commands supported and effects, 4096 bytes (5.14.1.5). */
    static byte[] commandsSupported() {
        byte[] page = new byte[4096];
        MemorySegment log = MemorySegment.ofArray(page);
        for (AdminOpcode opcode : AdminOpcode.values()) {
            log.set(LittleEndian.INT, 4L * opcode.code(), 1);
        }
        for (NvmOpcode opcode : NvmOpcode.values()) {
            int effects = 1 | (opcode.changesContent() ? 1 << 1 : 0);
            log.set(LittleEndian.INT, 1024 + 4L * opcode.code(), effects);
        }
        return page;
    }
}
