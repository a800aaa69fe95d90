package farslot.link;

import java.util.List;

/**
 * The shape of one message.
 *
 * @param type its number
 * @param name as docs/protocol.md calls it
 * @param classes in which traffic classes it may come, as bits: 1 shifted by {@link
 *     Messages.Header}'s class
 * @param built false for what is reserved: its layout is decided, and it is answered "unsupported"
 * @param fields the fixed ones, ascending; what lies between them is zero
 * @param fixedEnd the offset of the first byte after all fixed fields
 * @param tail what follows them
 */
record Layout(
        int type,
        String name,
        int classes,
        boolean built,
        List<Field> fields,
        int fixedEnd,
        Tail tail) {

    /** What follows the fixed fields. */
    enum Tail {
        /** Nothing: the frame ends there. */
        NONE,
        /** Bytes to the end of the frame. */
        DATA,
        /** One or several texts: u16 length, UTF-8. */
        TEXTS,
        /** A structure of its own. */
        STRUCTURE
    }

    /** A message whose variable part, if any, follows its last fixed field. */
    static Layout of(int type, String name, int trafficClass, Tail tail, Field... fields) {
        return new Layout(type, name, 1 << trafficClass, true, List.of(fields), end(fields), tail);
    }

    /** A message of fixed length. */
    static Layout fixed(int type, String name, int trafficClass, int bytes, Field... fields) {
        return new Layout(type, name, 1 << trafficClass, true, List.of(fields), bytes, Tail.NONE);
    }

    /** A message that is decided and not built. */
    static Layout reserved(int type, String name, int trafficClass, Tail tail, Field... fields) {
        return new Layout(type, name, 1 << trafficClass, false, List.of(fields), end(fields), tail);
    }

    private static int end(Field... fields) {
        return fields.length == 0 ? Messages.Header.BYTES : fields[fields.length - 1].end();
    }

    boolean allowsClass(int trafficClass) {
        return (classes & 1 << trafficClass) != 0;
    }
}
