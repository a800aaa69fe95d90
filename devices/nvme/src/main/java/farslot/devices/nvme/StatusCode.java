package farslot.devices.nvme;

/**
 * How a command ended (NVMe 1.4, 4.6.1.2): the status codes that this controller uses.
 *
 * <p>"Do not retry" is set where the same command would fail again.
 */
enum StatusCode {
    // Generic command status, 4.6.1.2.1.
    SUCCESS(0, 0x00, false),
    INVALID_COMMAND_OPCODE(0, 0x01, true),
    INVALID_FIELD_IN_COMMAND(0, 0x02, true),
    COMMAND_ID_CONFLICT(0, 0x03, true),
    DATA_TRANSFER_ERROR(0, 0x04, false),
    INTERNAL_ERROR(0, 0x06, false),
    COMMAND_ABORT_REQUESTED(0, 0x07, false),
    COMMAND_ABORTED_SQ_DELETION(0, 0x08, false),
    INVALID_NAMESPACE_OR_FORMAT(0, 0x0B, true),
    COMMAND_SEQUENCE_ERROR(0, 0x0C, true),
    INVALID_SGL_SEGMENT_DESCRIPTOR(0, 0x0D, true),
    INVALID_NUMBER_OF_SGL_DESCRIPTORS(0, 0x0E, true),
    DATA_SGL_LENGTH_INVALID(0, 0x0F, true),
    SGL_DESCRIPTOR_TYPE_INVALID(0, 0x11, true),
    PRP_OFFSET_INVALID(0, 0x13, true),
    LBA_OUT_OF_RANGE(0, 0x80, true),
    CAPACITY_EXCEEDED(0, 0x81, true),

    // Command specific status, 4.6.1.2.2.
    COMPLETION_QUEUE_INVALID(1, 0x00, true),
    INVALID_QUEUE_IDENTIFIER(1, 0x01, true),
    INVALID_QUEUE_SIZE(1, 0x02, true),
    ABORT_COMMAND_LIMIT_EXCEEDED(1, 0x03, false),
    ASYNCHRONOUS_EVENT_REQUEST_LIMIT_EXCEEDED(1, 0x05, true),
    INVALID_INTERRUPT_VECTOR(1, 0x08, true),
    INVALID_LOG_PAGE(1, 0x09, true),
    INVALID_QUEUE_DELETION(1, 0x0C, true),
    FEATURE_IDENTIFIER_NOT_SAVEABLE(1, 0x0D, true),
    FEATURE_NOT_NAMESPACE_SPECIFIC(1, 0x0F, true),

    // Media and data integrity errors, 4.6.1.2.3.
    WRITE_FAULT(2, 0x80, false),
    UNRECOVERED_READ_ERROR(2, 0x81, false),
    /** The same error, of a block that Write Uncorrectable has made so. */
    BLOCK_UNCORRECTABLE(2, 0x81, true),
    COMPARE_FAILURE(2, 0x85, true);

    private static final int DO_NOT_RETRY = 1 << 14;

    private final int field;

    StatusCode(int type, int code, boolean doNotRetry) {
        this.field = code | type << 8 | (doNotRetry ? DO_NOT_RETRY : 0);
    }

    /** The status field, 15 bits, without the phase tag. */
    int field() {
        return field;
    }

    /** The name of a status field, whatever else it says; "SCT=1 SC=0x80" where it has none. */
    static String nameOf(int field) {
        int wanted = field & 0x7FF;
        for (StatusCode status : values()) {
            if ((status.field & 0x7FF) == wanted) {
                return status.name();
            }
        }
        return "SCT=" + (wanted >>> 8) + ",SC=0x" + Integer.toHexString(wanted & 0xFF);
    }

    int type() {
        return field >>> 8 & 7;
    }

    int code() {
        return field & 0xFF;
    }

    boolean doNotRetry() {
        return (field & DO_NOT_RETRY) != 0;
    }
}
