package farslot.registers;

/** What a driver may do with a register or a field. The names in XML are the lower-case ones. */
public enum RegisterAccess {
    /** Read-only; writes are ignored. */
    RO,
    RW,
    /** Write-only; what a read gives means nothing. */
    WO,
    /** Writing 1 clears the bit. */
    W1C,
    /** Writing 1 sets the bit; writing 0 changes nothing. */
    W1S,
    /** Writing 1 toggles the bit. */
    W1T,
    /** Writing 0 clears the bit. */
    W0C,
    /** Writing 0 sets the bit. */
    W0S,
    /** Writing 0 toggles the bit. */
    W0T,
    /** Writing anything clears all bits. */
    WC,
    /** Writing anything sets all bits. */
    WS,
    /** Reserved: read as zero, written as zero. */
    RSVD,
    /** The map does not say. */
    UNKNOWN
}
