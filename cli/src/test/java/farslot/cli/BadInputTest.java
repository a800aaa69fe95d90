package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.RefusedException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * What people get wrong, verb by verb: each time one sentence (what, where, what to do), its exit
 * code, and nothing changed.
 */
@Timeout(120)
class BadInputTest {
    @TempDir Path folder;

    @RegisterExtension final OwnFolder own = new OwnFolder();

    /** What a verb ended with. */
    private record Ended(int exitCode, String out, String err) {
        /** It was one sentence with these words in it, and nothing else. */
        void says(int code, String... words) {
            assertEquals(code, exitCode, err);
            assertEquals("", out);
            assertEquals(1, err.lines().count(), err);
            assertTrue(err.startsWith("farslot: "), err);
            for (String word : words) {
                assertTrue(err.contains(word), "\"" + word + "\" is not in: " + err);
            }
        }
    }

    private static Ended farslot(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        int exitCode =
                line.execute(
                        List.of(arguments).stream().map(Object::toString).toArray(String[]::new));
        return new Ended(exitCode, out.toString(), err.toString());
    }

    private void nothingIsLent() throws IOException {
        try (var files = Files.list(own.path())) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void anUnknownDeviceIsNamedWithTheNearest() throws IOException {
        farslot("lend", "nvmee,name=n0")
                .says(ExitCode.USAGE, "\"nvmee\"", "did you mean \"nvme\"?");
        nothingIsLent();
    }

    @Test
    void anUnknownOptionIsNamedWithTheNearest() throws IOException {
        Path image = folder.resolve("d.img");
        farslot("lend", "nvme,imag=" + image)
                .says(ExitCode.USAGE, "\"imag\"", "did you mean \"image\"?");
        farslot("lend", "edu", "--insecur")
                .says(ExitCode.USAGE, "\"--insecur\"", "did you mean \"--insecure\"?");
        nothingIsLent();
    }

    @Test
    void timesThatAreNoneAreRefused() throws IOException {
        Path socket = folder.resolve("s");
        farslot("borrow", "n0@m", "--vfio-user", socket, "--hold", "5")
                .says(ExitCode.USAGE, "--hold of more than 4 s", "--emulator-waits");
        farslot("borrow", "n0@m", "--vfio-user", socket, "--hold", "-4")
                .says(ExitCode.USAGE, "--hold", "not -4");
        farslot("borrow", "n0@m", "--vfio-user", socket, "--hold", "soon")
                .says(ExitCode.USAGE, "--hold", "soon");
        farslot("borrow", "n0@m", "--vfio-user", socket, "--grace", "1e9")
                .says(ExitCode.USAGE, "--grace", "86400");
        farslot("lend", "edu", "--grace", "-1").says(ExitCode.USAGE, "--grace", "not -1");
        nothingIsLent();
    }

    @Test
    void aSpecificationThatIsNoneIsExplained() throws IOException {
        farslot("lend", "edu,name").says(ExitCode.USAGE, "\"name\" is no KEY=VALUE");
        farslot("lend", "edu,name=a/b").says(ExitCode.USAGE, "\"a/b\" cannot be a name");
        farslot("lend", "edu,name=a", "edu,name=a").says(ExitCode.USAGE, "Two devices");
        nothingIsLent();
    }

    @Test
    void aMissingImageIsNotMadeWithoutASize() throws IOException {
        Path image = folder.resolve("missing.img");
        farslot("lend", "nvme,image=" + image).says(ExitCode.FAILED, image.toString(), "size=1G");
        assertFalse(Files.exists(image));
        nothingIsLent();
    }

    @Test
    void anImageInUseIsNotOpened() throws IOException {
        Path image = folder.resolve("used.img");
        Files.write(image, new byte[1 << 20]);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw");
                FileLock lock = file.getChannel().lock()) {
            assertTrue(lock.isValid());
            farslot("lend", "nvme,image=" + image)
                    .says(ExitCode.FAILED, image.toString(), "in use");
        }
        nothingIsLent();
    }

    @Test
    void anImageThatIsTooSmallStaysAsItIs() throws IOException {
        Path image = folder.resolve("small.img");
        Files.write(image, new byte[3]);
        farslot("lend", "nvme,image=" + image).says(ExitCode.FAILED, image.toString(), "too small");
        assertEquals(3, Files.size(image));
        nothingIsLent();
    }

    @Test
    void aTraceThatExistsIsNotOverwritten() throws IOException {
        Path trace = folder.resolve("old.fst");
        Files.writeString(trace, "precious");
        farslot("lend", "edu,name=e0", "--trace", trace).says(ExitCode.USAGE, trace.toString());
        assertEquals("precious", Files.readString(trace));
        nothingIsLent();
    }

    @Test
    void aPortInUseIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            farslot("lend", "edu,name=e0", "--listen", address, "--insecure")
                    .says(ExitCode.FAILED, address);
        }
        nothingIsLent();
    }

    @Test
    void tcpNeedsLeave() throws IOException {
        farslot("lend", "edu,name=e0", "--listen", "127.0.0.1:0")
                .says(ExitCode.USAGE, "--insecure");
        try (ServerSocket nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String there = "@127.0.0.1:" + nobody.getLocalPort();
            farslot("borrow", "n0" + there, "--vfio-user", own.path().resolve("v"))
                    .says(ExitCode.USAGE, "--insecure");
            farslot("list", there).says(ExitCode.USAGE, "--insecure");
        }
        nothingIsLent();
    }

    @Test
    void aNameThatNobodyLendsIsNotFound() throws IOException {
        farslot("borrow", "n9", "--vfio-user", own.path().resolve("v"))
                .says(ExitCode.NOT_FOUND, "\"n9\"", "n9@MACHINE");
        farslot("peek", "n9", "CFG", "0").says(ExitCode.NOT_FOUND, "\"n9\"");
        farslot("reset", "n9").says(ExitCode.NOT_FOUND, "\"n9\"");
        farslot("return", "n9").says(ExitCode.NOT_FOUND, "\"n9\"");
        farslot("stop", "n9").says(ExitCode.NOT_FOUND, "\"n9\"", "farslot ps");
        nothingIsLent();
    }

    @Test
    void anAddressThatIsNoneIsExplained() throws IOException {
        Path socket = own.path().resolve("v");
        farslot("borrow", "n0@", "--vfio-user", socket).says(ExitCode.USAGE, "HOST:PORT");
        farslot("borrow", "@lab", "--vfio-user", socket).says(ExitCode.USAGE, "no function");
        farslot("lend", "edu", "--listen", "lab:x", "--insecure").says(ExitCode.USAGE, "\"x\"");
        nothingIsLent();
    }

    @Test
    void whereNobodyListensNothingIsFound() throws IOException {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        farslot("list", "@127.0.0.1:" + port, "--insecure")
                .says(ExitCode.NOT_FOUND, "127.0.0.1:" + port);
    }

    /** Answers every connection with the same bytes. */
    private static ServerSocket answering(byte[] bytes) throws IOException {
        ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    while (true) {
                        try (Socket socket = server.accept()) {
                            OutputStream out = socket.getOutputStream();
                            out.write(bytes);
                            out.flush();
                            socket.getInputStream().readAllBytes();
                        } catch (IOException e) {
                            if (server.isClosed()) {
                                return;
                            }
                        }
                    }
                });
        return server;
    }

    @Test
    void aPeerThatIsNoFarslotIsRecognised() throws IOException {
        byte[] http = "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        try (ServerSocket web = answering(http)) {
            String there = "@127.0.0.1:" + web.getLocalPort();
            farslot("borrow", "n0" + there, "--insecure", "--vfio-user", own.path().resolve("v"))
                    .says(ExitCode.NOT_FOUND, there.substring(1));
            farslot("list", there, "--insecure").says(ExitCode.NOT_FOUND, there.substring(1));
        }
        nothingIsLent();
    }

    @Test
    void anotherVersionOfTheProtocolIsRefusedByNumber() throws IOException {
        ByteBuffer preamble = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        preamble.put("FARSLOT\n".getBytes(StandardCharsets.US_ASCII)).putShort((short) 77);
        try (ServerSocket future = answering(preamble.array())) {
            String there = "n0@127.0.0.1:" + future.getLocalPort();
            farslot("borrow", there, "--insecure", "--vfio-user", own.path().resolve("v"))
                    .says(ExitCode.REFUSED, "77");
        }
        nothingIsLent();
    }

    @Test
    void whatIsTakenIsRefusedWithWhoHasItSinceWhen() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            try (VerbProcess borrower = borrower("e0", "first")) {
                borrower.report();
                farslot("borrow", "e0", "--vfio-user", own.path().resolve("second.vfio"))
                        .says(
                                ExitCode.REFUSED,
                                "e0 is borrowed by \"first\"",
                                "(pid " + borrower.pid() + ")",
                                "since 20");
                assertFalse(Files.exists(own.path().resolve("second.vfio")));
                Ended list = farslot("list");
                assertTrue(list.out().contains("\"first\""), list.out());
                borrower.terminate();
            }
            farslot("borrow", "e1@unix:" + own.path().resolve("e0.lender.sock"), "--vfio-user", "v")
                    .says(ExitCode.NOT_FOUND, "\"e1\"", "did you mean \"e0\"?");
            farslot("lend", "edu,name=e0").says(ExitCode.USAGE, "\"e0\"", "farslot stop e0");
            farslot("peek", "e0", "BAR0", "LIVENES")
                    .says(ExitCode.NOT_FOUND, "\"LIVENES\"", "did you mean \"LIVENESS\"?");
            farslot("peek", "e0", "BAR3", "0", "--force").says(ExitCode.USAGE, "\"BAR3\"");
            farslot("peek", "e0", "CFG", "0x1000").says(ExitCode.USAGE, "0x1000");
            farslot("peek", "e0", "CFG", "zero", "4").says(ExitCode.NOT_FOUND, "\"zero\"");
            farslot("poke", "e0", "CFG", "4", "0x10000", "2").says(ExitCode.USAGE, "0x10000");
            farslot("reset", "e0", "--kind", "warm").says(ExitCode.USAGE, "\"warm\"");
            farslot("return", "e0").says(ExitCode.USAGE, "not borrowed");
            assertEquals(143, lender.terminate());
        }
    }

    private VerbProcess borrower(String what, String name) throws IOException {
        return VerbProcess.start(
                own.path(),
                "borrow",
                what,
                "--name",
                name,
                "--vfio-user",
                own.path().resolve(name + ".vfio").toString(),
                "--json");
    }

    @Test
    void operatorsOverTcpAreNotKnownAndMayNot() throws Exception {
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(),
                        "lend",
                        "edu,name=e0",
                        "--listen",
                        "127.0.0.1:0",
                        "--insecure",
                        "--json")) {
            String tcp = lender.report().get("addresses").get(1).asString();
            try (ControlLink link = Processes.connect(Address.parse(tcp), true)) {
                RefusedException e =
                        assertThrows(RefusedException.class, () -> link.operate("stop", Map.of()));
                assertEquals(RefusedException.Reason.NOT_ALLOWED, e.reason());
            }
        }
    }

    @Test
    void aDiskThatIsFullEndsTheVerbAndLeavesNothing() throws Exception {
        // A limit on the size of files stands for the disk: what the program sees is alike.
        Path trace = folder.resolve("big.fst");
        try (VerbProcess lender =
                VerbProcess.startLimited(
                        own.path(), 16, "lend", "edu,name=e0", "--trace", trace.toString())) {
            assertTrue(lender.exitCode() != ExitCode.OK);
            assertTrue(lender.talk().contains(trace.toString()), lender.talk());
        }
        assertFalse(Files.exists(own.path().resolve("e0.lender.sock")));
    }
}
