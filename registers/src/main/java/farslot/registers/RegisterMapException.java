package farslot.registers;

/** A register map that cannot be used; the message is a sentence with file and line. */
public final class RegisterMapException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RegisterMapException(String sentence) {
        super(sentence);
    }

    public RegisterMapException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
