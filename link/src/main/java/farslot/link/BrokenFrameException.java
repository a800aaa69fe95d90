package farslot.link;

/** The peer broke the protocol; what the ERROR that ends the link will say. */
final class BrokenFrameException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Docs/protocol.md, "ERROR". */
    enum Code {
        BAD_FRAME(1),
        UNKNOWN_TYPE(2),
        OUT_OF_STATE(3),
        BAD_VALUE(4),
        CREDIT_EXCEEDED(5),
        BAD_SEQUENCE(6),
        BAD_GENERATION(7),
        BAD_TAG(8),
        BAD_DESCRIPTOR(9),
        UNSUPPORTED(10),
        INTERNAL(11);

        private final int number;

        Code(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        static String name(int number) {
            return number >= 1 && number <= values().length
                    ? values()[number - 1].name()
                    : "error " + number;
        }
    }

    private final Code code;
    private final int type;

    /**
     * @param type the offending message's, 0 where it is not known
     */
    BrokenFrameException(Code code, int type, String sentence) {
        super(sentence);
        this.code = code;
        this.type = type;
    }

    Code code() {
        return code;
    }

    int type() {
        return type;
    }
}
