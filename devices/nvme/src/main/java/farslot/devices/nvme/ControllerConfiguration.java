package farslot.devices.nvme;

/**
 * The register CC (NVMe 1.4, 3.1.5).
 *
 * @param value as written
 */
record ControllerConfiguration(int value) {
    static final int ROUND_ROBIN = 0;
    static final int WEIGHTED_ROUND_ROBIN = 1;

    boolean isEnabled() {
        return (value & 1) != 0;
    }

    /** CSS; 0 is the NVM command set. */
    int commandSet() {
        return value >>> 4 & 7;
    }

    /** MPS: a memory page is 4 KiB times 2 to this power. */
    int pageSize() {
        return value >>> 7 & 0xF;
    }

    int pageBytes() {
        return 4096 << pageSize();
    }

    /** AMS. */
    int arbitration() {
        return value >>> 11 & 7;
    }

    /** SHN; 0 is no notification. */
    int shutdownNotification() {
        return value >>> 14 & 3;
    }

    /** What IOSQES says. */
    int submissionEntryBytes() {
        return 1 << (value >>> 16 & 0xF);
    }

    /** What IOCQES says. */
    int completionEntryBytes() {
        return 1 << (value >>> 20 & 0xF);
    }
}
