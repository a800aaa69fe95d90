package farslot.lab;

/**
 * The lab or one of its machines cannot do what was asked. The message is a sentence for the person
 * who can act: what, where, why, and what to do.
 */
public final class LabException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public LabException(String sentence) {
        super(sentence);
    }

    public LabException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
