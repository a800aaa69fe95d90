package farslot.link;

import farslot.link.LinkException.Cause;
import farslot.posix.PeerCredentials;
import farslot.posix.PosixException;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes the wires: connects to an address, and finds out who is at the other end. */
final class Connector {
    private static final int CONNECT_MILLIS = 3000;

    private Connector() {}

    /** A wire and who is at its other end, who has not said its name yet. */
    record Connected(Wire wire, Peer peer) {}

    static Connected connect(Address address, LinkOptions options) throws LinkException {
        try {
            return switch (address) {
                case Address.Unix(Path path) -> unix(UnixStream.connect(path));
                case Address.Tcp tcp -> tcp(tcp, options);
            };
        } catch (LinkException already) {
            throw already;
        } catch (IOException | UnresolvedAddressException failed) {
            throw new LinkException(Cause.UNREACHABLE, unreachable(address, failed), failed);
        }
    }

    private static String unreachable(Address address, Exception failed) {
        if (failed instanceof UnknownHostException
                || failed instanceof UnresolvedAddressException) {
            return "There is no machine named " + ((Address.Tcp) address).host() + ".";
        }
        if (failed instanceof SocketTimeoutException) {
            return address + " does not answer within " + CONNECT_MILLIS / 1000 + " s.";
        }
        if (failed instanceof PosixException posix && posix.isNobodyThere()) {
            return "Nobody listens at " + address + ". Is the lender running?";
        }
        String why = failed.getMessage();
        if (why != null && why.contains("refused")) {
            return "Nobody listens at " + address + ". Is the lender running?";
        }
        return "Cannot connect to " + address + ": " + why;
    }

    private static Connected tcp(Address.Tcp address, LinkOptions options) throws IOException {
        requireProof(address, options);
        InetSocketAddress to = new InetSocketAddress(address.host(), address.port());
        if (to.isUnresolved()) {
            throw new UnknownHostException(address.host());
        }
        SocketChannel channel = SocketChannel.open();
        try {
            channel.socket().connect(to, CONNECT_MILLIS);
            return options.insecure()
                    ? tcp(channel)
                    : TlsHandshake.connect(channel, address, options.trust());
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
    }

    /** TCP is for who can prove who it is, or was told that nobody need to. */
    static void requireProof(Address address, LinkOptions options) throws LinkException {
        if (address instanceof Address.Tcp && !options.insecure() && options.trust() == null) {
            throw new LinkException(
                    Cause.INSECURE,
                    "TCP needs certificates, and this user has none: \"farslot trust init\" makes a"
                            + " site's first, \"farslot trust import\" takes one that the site's"
                            + " authority issued. Or say --insecure on both sides to use "
                            + address
                            + " though nothing proves who is there and nothing is encrypted, or"
                            + " use a UNIX socket (unix:PATH).");
        }
    }

    static Connected tcp(SocketChannel channel) throws IOException {
        Address.Tcp from = remote(channel);
        return new Connected(
                new TcpWire(channel),
                new Peer(from + " (insecure)", "", "", false, -1, -1, from.host()));
    }

    /** Where the other end of a connection is. */
    static Address.Tcp remote(SocketChannel channel) throws IOException {
        InetSocketAddress remote = (InetSocketAddress) channel.getRemoteAddress();
        if (remote == null) {
            throw new ClosedChannelException();
        }
        return new Address.Tcp(remote.getAddress().getHostAddress(), remote.getPort());
    }

    static Connected unix(UnixStream stream) throws IOException {
        try {
            PeerCredentials credentials = stream.peer();
            String user = userName(credentials.uid());
            String identity = "uid " + user + " (pid " + credentials.pid() + ")";
            return new Connected(
                    new UnixWire(stream),
                    new Peer(
                            identity,
                            "user:" + user,
                            "",
                            true,
                            credentials.uid(),
                            credentials.pid(),
                            ""));
        } catch (IOException failed) {
            stream.close();
            throw failed;
        }
    }

    /** The name of a user as /etc/passwd has it (passwd(5)), else the number. */
    private static String userName(int uid) {
        String number = Integer.toUnsignedString(uid);
        try {
            for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
                String[] columns = line.split(":", 4);
                if (columns.length == 4 && columns[2].equals(number)) {
                    return columns[0];
                }
            }
        } catch (IOException | RuntimeException unreadable) {
            // The number says it too.
        }
        return number;
    }
}
