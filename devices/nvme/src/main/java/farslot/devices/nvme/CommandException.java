package farslot.devices.nvme;

/** Ends a command with a status. Without a stack trace: a driver may cause as many as it likes. */
final class CommandException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The error information log's word for "no single field is to blame" (NVMe 1.4, 5.14.1.1). */
    static final int NO_LOCATION = 0xFFFF;

    private final StatusCode status;
    private final int location;
    private final long lba;

    CommandException(StatusCode status) {
        this(status, NO_LOCATION, -1);
    }

    private CommandException(StatusCode status, int location, long lba) {
        super(status.name(), null, false, false);
        this.status = status;
        this.location = location;
        this.lba = lba;
    }

    /**
     * @param byteOffset of the field to blame within the submission queue entry
     * @param bit the lowest bit of the field within that byte
     */
    static CommandException at(StatusCode status, int byteOffset, int bit) {
        return new CommandException(status, byteOffset | bit << 8, -1);
    }

    /** A field of a command dword is bad: its bits begin at {@code bit} of that dword. */
    static CommandException invalidField(int dword, int bit) {
        return at(StatusCode.INVALID_FIELD_IN_COMMAND, dword * 4 + bit / 8, bit % 8);
    }

    /** The namespace identifier names no namespace (6.1.5). */
    static CommandException invalidNamespace() {
        return at(StatusCode.INVALID_NAMESPACE_OR_FORMAT, 4, 0);
    }

    /** The data pointer cannot be followed (4.3, 4.4). */
    static CommandException dataPointer(StatusCode status) {
        return at(status, 24, 0);
    }

    /** A block of the medium is to blame. */
    static CommandException ofBlock(StatusCode status, long lba) {
        return new CommandException(status, NO_LOCATION, lba);
    }

    StatusCode status() {
        return status;
    }

    /** The parameter error location of the error information log. */
    int location() {
        return location;
    }

    /** The block to blame, or -1 where it is none or the command's first. */
    long lba() {
        return lba;
    }
}
