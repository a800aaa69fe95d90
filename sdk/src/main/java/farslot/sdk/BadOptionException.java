package farslot.sdk;

/** An option or the name of a kind is wrong: bad input, not a failure. */
public final class BadOptionException extends DeviceCreationException {
    private static final long serialVersionUID = 1L;

    public BadOptionException(String sentence) {
        super(sentence);
    }
}
