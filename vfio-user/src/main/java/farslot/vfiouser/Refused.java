package farslot.vfiouser;

/** A message that is answered by an error: the number for the client, the sentence for the log. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    private final int errno;

    Refused(int errno, String sentence) {
        super(sentence, null, false, false);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
