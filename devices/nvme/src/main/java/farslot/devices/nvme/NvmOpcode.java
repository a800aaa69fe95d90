package farslot.devices.nvme;

/** The commands of the NVM command set that there are (NVMe 1.4, 6). */
enum NvmOpcode {
    FLUSH(0x00, false),
    WRITE(0x01, true),
    READ(0x02, false),
    WRITE_UNCORRECTABLE(0x04, true),
    COMPARE(0x05, false),
    WRITE_ZEROES(0x08, true),
    DATASET_MANAGEMENT(0x09, true);

    private final int code;
    private final boolean changesContent;

    NvmOpcode(int code, boolean changesContent) {
        this.code = code;
        this.changesContent = changesContent;
    }

    int code() {
        return code;
    }

    boolean changesContent() {
        return changesContent;
    }

    /** Whether dwords 10 to 12 name a range of blocks. */
    boolean namesBlocks() {
        return this != FLUSH && this != DATASET_MANAGEMENT;
    }

    /** The command with this opcode, or null where there is none. */
    static NvmOpcode ofCode(int code) {
        return switch (code) {
            case 0x00 -> FLUSH;
            case 0x01 -> WRITE;
            case 0x02 -> READ;
            case 0x04 -> WRITE_UNCORRECTABLE;
            case 0x05 -> COMPARE;
            case 0x08 -> WRITE_ZEROES;
            case 0x09 -> DATASET_MANAGEMENT;
            default -> null;
        };
    }
}
