package farslot.sdk;

/**
 * DMA was asked for where it would wait for itself: in a handler of an access whose completion the
 * driver's side waits for, to memory that it serves only while nobody waits. Move the DMA to {@link
 * Tasks#start}.
 */
public final class DmaRefusedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    DmaRefusedException(String sentence) {
        super(sentence);
    }
}
