package farslot.devices.nvme;

/** The admin commands that there are (NVMe 1.4, 5, figure 139). */
enum AdminOpcode {
    DELETE_IO_SUBMISSION_QUEUE(0x00),
    CREATE_IO_SUBMISSION_QUEUE(0x01),
    GET_LOG_PAGE(0x02),
    DELETE_IO_COMPLETION_QUEUE(0x04),
    CREATE_IO_COMPLETION_QUEUE(0x05),
    IDENTIFY(0x06),
    ABORT(0x08),
    SET_FEATURES(0x09),
    GET_FEATURES(0x0A),
    ASYNCHRONOUS_EVENT_REQUEST(0x0C);

    private final int code;

    AdminOpcode(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /** The command with this opcode, or null where there is none. */
    static AdminOpcode ofCode(int code) {
        for (AdminOpcode opcode : values()) {
            if (opcode.code == code) {
                return opcode;
            }
        }
        return null;
    }
}
