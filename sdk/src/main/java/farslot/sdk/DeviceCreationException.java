package farslot.sdk;

/** A device cannot be made. The message is a sentence for the person who asked for it. */
public class DeviceCreationException extends Exception {
    private static final long serialVersionUID = 1L;

    public DeviceCreationException(String sentence) {
        super(sentence);
    }

    public DeviceCreationException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
