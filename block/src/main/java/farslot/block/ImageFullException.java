package farslot.block;

/** A write found no room: the disk on which the image lies is full, or a quota is used up. */
public final class ImageFullException extends ImageException {
    private static final long serialVersionUID = 1L;

    public ImageFullException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
