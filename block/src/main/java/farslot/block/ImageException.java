package farslot.block;

import java.io.IOException;

/** Something is wrong with an image; the message is a sentence: what, which image, what to do. */
public class ImageException extends IOException {
    private static final long serialVersionUID = 1L;

    public ImageException(String sentence) {
        super(sentence);
    }

    public ImageException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
