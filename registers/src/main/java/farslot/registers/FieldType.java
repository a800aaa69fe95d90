package farslot.registers;

/** How the bits of a field are shown (rules-ng-ng, 2.3, "type"). */
public enum FieldType {
    HEX,
    UINT,
    /** Signed, two's complement. */
    INT,
    BOOLEAN,
    /** IEEE 754 of 16, 32 or 64 bits. */
    FLOAT,
    /** Signed, with {@link FieldFormat#fractionBits} behind the point. */
    FIXED,
    /** The same, unsigned. */
    UFIXED,
    /** One of the field's {@link RegisterField#values}. */
    ENUM,
    /** Its own {@link RegisterField#fields}. */
    BITSET
}
