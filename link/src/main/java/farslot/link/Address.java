package farslot.link;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/** Where a link server listens: {@code unix:PATH}, {@code HOST:PORT} or {@code [IPv6]:PORT}. */
public sealed interface Address {
    /** The port of a lender where none is given. */
    int DEFAULT_PORT = 6727;

    /** What the kernel's sockaddr_un holds, its final zero taken off (unix(7)). */
    int MAX_UNIX_PATH_BYTES = 107;

    /** A UNIX socket: peers are known by their credentials, and descriptors travel. */
    record Unix(Path path) implements Address {
        public Unix {
            int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
            if (bytes == 0 || bytes > MAX_UNIX_PATH_BYTES) {
                throw new IllegalArgumentException(
                        "The socket path \""
                                + path
                                + "\" has "
                                + bytes
                                + " bytes; a UNIX socket takes 1 to "
                                + MAX_UNIX_PATH_BYTES
                                + ". Choose a shorter folder.");
            }
        }

        UnixDomainSocketAddress socketAddress() {
            return UnixDomainSocketAddress.of(path);
        }

        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /**
     * A TCP address.
     *
     * @param host a name or a literal IPv4 or IPv6 address, without brackets
     * @param port 0 (for a listener: any free one) to 65535
     */
    record Tcp(String host, int port) implements Address {
        public Tcp {
            Objects.requireNonNull(host);
            if (port < 0 || port > 0xffff) {
                throw new IllegalArgumentException(
                        "The port " + port + " is not within 0 to 65535.");
            }
        }

        @Override
        public String toString() {
            return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
        }
    }

    /**
     * The address that a person wrote. A host without a port has {@link #DEFAULT_PORT}.
     *
     * @throws IllegalArgumentException with a sentence for that person
     */
    static Address parse(String text) {
        if (text.startsWith("unix:")) {
            String path = text.substring("unix:".length());
            if (path.isEmpty()) {
                throw wrong(text, "it has no path after \"unix:\"");
            }
            return new Unix(Path.of(path));
        }
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            if (end < 0) {
                throw wrong(text, "the \"[\" has no \"]\"");
            }
            String rest = text.substring(end + 1);
            if (!rest.isEmpty() && !rest.startsWith(":")) {
                throw wrong(text, "after \"]\" only \":PORT\" may follow");
            }
            int port = rest.isEmpty() ? DEFAULT_PORT : port(text, rest.substring(1));
            return tcp(text, text.substring(1, end), port);
        }
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            if (text.indexOf('/') >= 0) {
                throw wrong(text, "a socket path is written unix:PATH");
            }
            return tcp(text, text, DEFAULT_PORT);
        }
        if (text.indexOf(':') != colon) {
            throw wrong(text, "an IPv6 address is written in brackets, [ADDRESS]:PORT");
        }
        return tcp(text, text.substring(0, colon), port(text, text.substring(colon + 1)));
    }

    private static Tcp tcp(String text, String host, int port) {
        if (host.isBlank() || host.indexOf('/') >= 0 || host.indexOf(' ') >= 0) {
            throw wrong(text, "it names no machine before the port");
        }
        return new Tcp(host, port);
    }

    private static int port(String text, String digits) {
        try {
            int port = Integer.parseInt(digits);
            if (port >= 0 && port <= 0xffff) {
                return port;
            }
        } catch (NumberFormatException e) {
            // The sentence below says it.
        }
        throw wrong(text, "\"" + digits + "\" is no port, which is a number from 0 to 65535");
    }

    private static IllegalArgumentException wrong(String text, String why) {
        return new IllegalArgumentException(
                "\"" + text + "\" is no address: " + why + ". Give HOST:PORT or unix:PATH.");
    }

    /** The kind of socket that reaches this address. */
    default StandardProtocolFamily family() {
        return this instanceof Unix ? StandardProtocolFamily.UNIX : StandardProtocolFamily.INET;
    }
}
