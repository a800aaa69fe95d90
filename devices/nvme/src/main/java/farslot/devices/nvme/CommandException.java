package farslot.devices.nvme;

/** Ends a command with a status. Without a stack trace: a driver may cause as many as it likes. */
final class CommandException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The error information log's word for "no single field is to blame" (NVMe 1.4, 5.14.1.1). */
    static final int NO_LOCATION = 0xFFFF;

    private final StatusCode status;
    private final int location;

    CommandException(StatusCode status) {
        this(status, NO_LOCATION);
    }

    private CommandException(StatusCode status, int location) {
        super(status.name(), null, false, false);
        this.status = status;
        this.location = location;
    }

    /**
     * @param byteOffset of the field to blame within the submission queue entry
     * @param bit the lowest bit of the field within that byte
     */
    static CommandException at(StatusCode status, int byteOffset, int bit) {
        return new CommandException(status, byteOffset | bit << 8);
    }

    /** A field of a command dword is bad: its bits begin at {@code bit} of that dword. */
    static CommandException invalidField(int dword, int bit) {
        return at(StatusCode.INVALID_FIELD_IN_COMMAND, dword * 4 + bit / 8, bit % 8);
    }

    StatusCode status() {
        return status;
    }

    /** The parameter error location of the error information log. */
    int location() {
        return location;
    }
}
