package farslot.devices.nvme;

/** The admin commands that there are (NVMe 1.4, 5). */
enum AdminOpcode {
    DELETE_IO_SUBMISSION_QUEUE(0x00, false),
    CREATE_IO_SUBMISSION_QUEUE(0x01, false),
    GET_LOG_PAGE(0x02, true),
    DELETE_IO_COMPLETION_QUEUE(0x04, false),
    CREATE_IO_COMPLETION_QUEUE(0x05, false),
    IDENTIFY(0x06, true),
    ABORT(0x08, false),
    SET_FEATURES(0x09, true),
    GET_FEATURES(0x0A, true),
    ASYNCHRONOUS_EVENT_REQUEST(0x0C, false);

    private final int code;
    private final boolean usesNamespace;

    AdminOpcode(int code, boolean usesNamespace) {
        this.code = code;
        this.usesNamespace = usesNamespace;
    }

    int code() {
        return code;
    }

    /** Whether the namespace identifier means anything to it. */
    boolean usesNamespace() {
        return usesNamespace;
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
