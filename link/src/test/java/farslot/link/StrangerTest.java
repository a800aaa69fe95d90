package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Bench.Over;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Peers that are no Farslot, speak another version, or may not be spoken to, are told apart. */
@Timeout(60)
class StrangerTest {
    @TempDir Path folder;

    private static LinkException connectTo(Consumer<RawPeer> server) throws Exception {
        try (ServerSocketChannel listening = ServerSocketChannel.open()) {
            listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            RawPeer.serveOne(listening.socket(), server);
            Address address = new Address.Tcp("127.0.0.1", listening.socket().getLocalPort());
            return assertThrows(
                    LinkException.class, () -> ControlLink.connect(address, Bench.SLOT));
        }
    }

    @Test
    void aWebServerIsNoLender() throws Exception {
        LinkException why =
                connectTo(peer ->
                        peer.bytes(
                                "HTTP/1.1 400 Bad Request\r\n\r\n"
                                        .getBytes(StandardCharsets.US_ASCII)));
        assertEquals(LinkException.Cause.NO_FARSLOT, why.what());
        assertTrue(why.getMessage().contains("is no Farslot: it answers as a web"));
    }

    @Test
    void aSilentOrClosingPeerIsNoLender() throws Exception {
        LinkException closed = connectTo(peer -> {});
        assertEquals(LinkException.Cause.NO_FARSLOT, closed.what());
        LinkException silent =
                connectTo(peer -> {
                    try {
                        peer.readPreamble();
                        peer.next(Messages.Goodbye.TYPE);
                    } catch (IOException | IllegalStateException gone) {
                        // It waited for the client to give up.
                    }
                });
        assertEquals(LinkException.Cause.NO_FARSLOT, silent.what());
        assertTrue(silent.getMessage().contains("says nothing"), silent.getMessage());
    }

    @Test
    void anotherVersionIsNamedOnBothSides() throws Exception {
        LinkException why = connectTo(peer -> peer.bytes(RawPeer.preamble(2)));
        assertEquals(LinkException.Cause.OTHER_VERSION, why.what());
        assertTrue(why.getMessage().contains("version 2"), why.getMessage());
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer peer = RawPeer.connect(bench.address)) {
            peer.bytes(RawPeer.preamble(2));
            // The lender's own preamble tells the other its version; then it closes.
            assertEquals(1, peer.readPreamble()[8]);
            assertThrows(IllegalStateException.class, () -> peer.next(Messages.Credit.TYPE));
        }
    }

    @Test
    void aBrowserAtALendersPortIsTurnedAwayAndOthersGoOn() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer browser = RawPeer.connect(bench.address)) {
            browser.bytes("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            browser.readPreamble();
            assertThrows(IllegalStateException.class, () -> browser.next(Messages.Credit.TYPE));
            assertEquals(2, bench.control().list().size());
        }
    }

    @Test
    void strangersAreNamedByTheirFirstBytes() {
        assertTrue(name("SSH-2.0-OpenSSH_9.2").contains("SSH"));
        assertTrue(name("GET / HTTP/1.1").contains("browser"));
        assertTrue(name("\u0016\u0003\u0001").contains("TLS"));
        assertTrue(name("\0\0\u0001\0").contains("vfio-user"));
        assertTrue(name("hi").contains("68 69"));
    }

    private static String name(String text) {
        return Stranger.name(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void tcpNeedsToBeAskedForOnBothSides() throws IOException {
        LinkOptions careful = LinkOptions.named("careful");
        Address address = new Address.Tcp("127.0.0.1", 0);
        LinkException server =
                assertThrows(
                        LinkException.class,
                        () -> LinkServer.open(careful, new Bench.Lender(), List.of(address)));
        assertEquals(LinkException.Cause.INSECURE, server.what());
        assertTrue(server.getMessage().contains("--insecure"));
        try (Bench bench = new Bench(Over.TCP, folder)) {
            LinkException client =
                    assertThrows(
                            LinkException.class, () -> ControlLink.connect(bench.address, careful));
            assertEquals(LinkException.Cause.INSECURE, client.what());
        }
    }

    @Test
    void nobodyThereAndAnAddressInUseAreSentences() throws IOException {
        Address nobody = new Address.Unix(folder.resolve("nobody"));
        LinkException unreachable =
                assertThrows(LinkException.class, () -> ControlLink.connect(nobody, Bench.SLOT));
        assertEquals(LinkException.Cause.UNREACHABLE, unreachable.what());
        assertTrue(unreachable.getMessage().startsWith("Nobody listens at unix:"));
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            LinkException inUse =
                    assertThrows(
                            LinkException.class,
                            () ->
                                    LinkServer.open(
                                            Bench.SLOT, bench.lender, List.of(bench.address)));
            assertTrue(inUse.getMessage().startsWith("Cannot listen on unix:"));
            Path socket = ((Address.Unix) bench.address).path();
            assertEquals(
                    "rw-------",
                    java.nio.file.attribute.PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(socket)));
        }
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Address address = new Address.Tcp("127.0.0.1", taken.getLocalPort());
            LinkException inUse =
                    assertThrows(
                            LinkException.class,
                            () ->
                                    LinkServer.open(
                                            Bench.SLOT, new Bench.Lender(), List.of(address)));
            assertTrue(inUse.getMessage().startsWith("Cannot listen on 127.0.0.1:"));
        }
    }
}
