package farslot.link;

import java.io.IOException;
import java.util.List;

/**
 * Listens on one or several addresses and serves every link that comes: control links, and one link
 * for each borrowed function. Nothing that one link does holds another.
 *
 * <p>A UNIX socket's file is made with mode 600 and removed at {@link #close}; a file there that
 * nobody listens on any more is replaced.
 */
public final class LinkServer implements AutoCloseable {
    private LinkServer() {}

    /**
     * Listens and serves from now on, on threads of its own.
     *
     * @param addresses at least one
     * @throws IOException a {@link LinkException} with the sentence: TCP without {@link
     *     LinkOptions#insecure}, an address in use, no such address here
     */
    public static LinkServer open(LinkOptions options, Offer offer, List<Address> addresses)
            throws IOException {
        return null;
    }

    /** Where it listens, in the order given, with the ports that the system chose for 0. */
    public List<Address> addresses() {
        return List.of();
    }

    /**
     * Stops listening, says goodbye on every link with the sentence, ends every lease as REVOKED,
     * and returns when all is ended.
     */
    public void close(String sentence) {}

    @Override
    public void close() {
        close("The server ends.");
    }
}
