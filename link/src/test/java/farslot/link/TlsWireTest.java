package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.link.Bench.Over;
import farslot.link.RecordProxy.Meddling;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** TLS under a link: what arrives is what was sent or an error, whoever meddles or dawdles. */
@Timeout(180)
class TlsWireTest {
    private static final TestSite.Member ALICE = TestSite.SITE.member("alice");
    private static final TestSite.Member BOB = TestSite.SITE.member("bob");
    private static final LinkOptions CLIENT = LinkOptions.named("client").withTrust(BOB);

    /** As many keys of a direction as are used up by what is sent in the test of key updates. */
    private static final int KEYS = 8;

    @TempDir Path folder;

    /** Both ends of a TLS connection, with a proxy between. */
    private static final class Ends implements AutoCloseable {
        final Wire client;
        final Wire server;
        private final ServerSocketChannel listening;

        Ends(RecordProxy proxy, ServerSocketChannel listening) throws Exception {
            this.listening = listening;
            CompletableFuture<Wire> accepted =
                    CompletableFuture.supplyAsync(() -> {
                        try {
                            return TlsHandshake.accept(listening.accept(), ALICE).wire();
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    });
            client = Connector.connect(proxy.address(), CLIENT).wire();
            server = accepted.get(60, TimeUnit.SECONDS);
        }

        @Override
        public void close() throws IOException {
            client.close();
            server.close();
            listening.close();
        }
    }

    private static ServerSocketChannel listen() throws IOException {
        ServerSocketChannel listening = ServerSocketChannel.open();
        return listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    private static Address.Tcp address(ServerSocketChannel listening) {
        return new Address.Tcp("127.0.0.1", listening.socket().getLocalPort());
    }

    private static byte patternAt(long place) {
        return (byte) (place * 31 + (place >>> 9));
    }

    /** Sends so many bytes of the pattern in pieces of any size, small and long. */
    private static void send(Wire wire, long bytes, long seed) throws IOException {
        Random random = new Random(seed);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(0x20000);
            long sent = 0;
            while (sent < bytes) {
                int most = random.nextBoolean() ? 200 : 0x20000;
                int length = (int) Math.min(bytes - sent, 1 + random.nextInt(most));
                if (length == RecordProxy.LIKE_A_KEY_UPDATE) {
                    length--;
                }
                for (int at = 0; at < length; at++) {
                    piece.set(ValueLayout.JAVA_BYTE, at, patternAt(sent + at));
                }
                wire.write(piece.asSlice(0, length));
                sent += length;
            }
        }
    }

    /** Receives the pattern until so many bytes have come or the end; gives how many were right. */
    private static long receive(Wire wire, long bytes, long seed) throws IOException {
        Random random = new Random(seed);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(0x20000);
            long received = 0;
            while (received < bytes) {
                int room = 1 + random.nextInt(random.nextBoolean() ? 100 : 0x20000);
                int count = wire.read(piece.asSlice(0, room));
                if (count < 0) {
                    return received;
                }
                for (int at = 0; at < count; at++) {
                    assertEquals(
                            patternAt(received + at),
                            piece.get(ValueLayout.JAVA_BYTE, at),
                            "byte " + (received + at));
                }
                received += count;
            }
            return received;
        }
    }

    private static CompletableFuture<Long> started(java.util.concurrent.Callable<Long> work) {
        CompletableFuture<Long> result = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon(true)
                .start(() -> {
                    try {
                        result.complete(work.call());
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                });
        return result;
    }

    @Test
    void whatIsSentBothWaysArrivesThroughManyChangesOfKeys() throws Exception {
        long bytes = (long) KEYS << TestSite.KEY_LIMIT_LOG2;
        try (ServerSocketChannel listening = listen();
                RecordProxy proxy = new RecordProxy(address(listening), Meddling.NOT_AT_ALL, 0);
                Ends ends = new Ends(proxy, listening)) {
            List<CompletableFuture<Long>> all =
                    List.of(
                            started(() -> receive(ends.client, bytes, 1)),
                            started(() -> receive(ends.server, bytes, 2)),
                            started(() -> {
                                send(ends.client, bytes, 3);
                                return bytes;
                            }),
                            started(() -> {
                                send(ends.server, bytes, 4);
                                return bytes;
                            }));
            for (CompletableFuture<Long> one : all) {
                assertEquals(bytes, one.get(120, TimeUnit.SECONDS));
            }
            assertTrue(proxy.keyUpdates() >= KEYS, proxy.keyUpdates() + " key updates");
            ends.client.finishWriting();
            assertEquals(0, receive(ends.server, 1, 5));
            // The other direction goes on.
            send(ends.server, 1000, 6);
            assertEquals(1000, receive(ends.client, 1000, 7));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOT_AT_ALL")
    void whoeverMeddlesWithRecordsEndsTheConnectionAndNothingWrongArrives(Meddling how)
            throws Exception {
        long bytes = 300_000;
        int ended = 0;
        for (int at = 0; at < 16; at++) {
            try (ServerSocketChannel listening = listen();
                    RecordProxy proxy = new RecordProxy(address(listening), how, at)) {
                Ends ends;
                try {
                    ends = new Ends(proxy, listening);
                } catch (LinkException | java.util.concurrent.ExecutionException handshake) {
                    ended++;
                    continue;
                }
                CompletableFuture<Long> sending =
                        started(() -> {
                            send(ends.client, bytes, 3);
                            return bytes;
                        });
                try (ends) {
                    CompletableFuture<Long> came =
                            started(() -> {
                                long right = receive(ends.server, bytes, 4);
                                return right;
                            });
                    long right = came.exceptionally(TlsWireTest::unlessWrong).get();
                    assertTrue(right < bytes, how + " of record " + at + " went unnoticed");
                    ended++;
                }
                sending.exceptionally(TlsWireTest::unlessWrong).get();
            }
        }
        assertEquals(16, ended);
    }

    /** An error is what there should be; wrong data is not. */
    private static long unlessWrong(Throwable failed) {
        if (failed instanceof IOException) {
            return 0;
        }
        throw new IllegalStateException(failed);
    }

    @Test
    void aCloseWakesWhoReadsAndWhoWrites() throws Exception {
        try (ServerSocketChannel listening = listen();
                RecordProxy proxy = new RecordProxy(address(listening), Meddling.NOT_AT_ALL, 0);
                Ends ends = new Ends(proxy, listening)) {
            CompletableFuture<Long> reading = started(() -> receive(ends.client, 1, 1));
            CompletableFuture<Long> writing =
                    started(() -> {
                        // Nobody reads it.
                        send(ends.client, 1L << 32, 2);
                        return 0L;
                    });
            proxy.awaitRecords(20);
            ends.client.close();
            assertThrows(Exception.class, () -> reading.get(60, TimeUnit.SECONDS));
            assertThrows(
                    java.util.concurrent.ExecutionException.class,
                    () -> writing.get(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void plainTextAtATlsPortAndTheReverseAreNamedOnBothSides() throws Exception {
        try (Bench tls = new Bench(Over.TLS, folder);
                Bench plain = new Bench(Over.TCP, folder)) {
            LinkException toTls =
                    assertThrows(
                            LinkException.class,
                            () -> ControlLink.connect(tls.address, Bench.SLOT));
            assertEquals(LinkException.Cause.UNTRUSTED, toTls.what(), toTls.getMessage());
            assertTrue(toTls.getMessage().contains("leave --insecure out here"), toTls::getMessage);
            LinkException toPlain =
                    assertThrows(
                            LinkException.class, () -> ControlLink.connect(plain.address, CLIENT));
            assertEquals(LinkException.Cause.UNTRUSTED, toPlain.what(), toPlain.getMessage());
            assertTrue(
                    toPlain.getMessage().contains("leave --insecure out there"),
                    toPlain::getMessage);
            assertEquals(2, tls.control().list().size());
            assertEquals(2, plain.control().list().size());
        }
    }

    @Test
    void whoDawdlesInTheHandshakeIsCut() throws Exception {
        byte[][] beginnings = {{}, {0x16}, {0x16, 3, 1, 2, 0, 1, 0}};
        try (Bench bench = new Bench(Over.TLS, folder)) {
            List<SocketChannel> slow = new ArrayList<>();
            for (byte[] beginning : beginnings) {
                SocketChannel channel = connect(bench.address);
                channel.write(ByteBuffer.wrap(beginning));
                slow.add(channel);
            }
            // Others are served meanwhile.
            assertEquals(2, bench.control().list().size());
            for (SocketChannel channel : slow) {
                assertEnds(channel);
                channel.close();
            }
        }
    }

    private static SocketChannel connect(Address address) throws IOException {
        Address.Tcp tcp = (Address.Tcp) address;
        return SocketChannel.open(new InetSocketAddress(tcp.host(), tcp.port()));
    }

    private static void assertEnds(SocketChannel channel) {
        ByteBuffer buffer = ByteBuffer.allocate(0x1000);
        try {
            while (channel.read(buffer) >= 0) {
                buffer.clear();
            }
        } catch (IOException reset) {
            // That is an end, too.
        }
    }

    @Test
    void aThousandIdleConnectionsLeaveABorrowerAlone() throws Exception {
        int half = System.getProperty("farslot.rounds", "short").equals("few") ? 50 : 500;
        List<AutoCloseable> idle = new ArrayList<>();
        try (Bench bench = new Bench(Over.TLS, folder)) {
            RemoteFunction function = bench.borrow("f0");
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            bench.lender.f0().logsAccesses = false;
            for (int one = 0; one < half; one++) {
                idle.add(connect(bench.address));
                idle.add(bench.peer());
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            }
            for (int access = 0; access < 1000; access++) {
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            }
            assertEquals(2, bench.control().list().size());
        } finally {
            for (AutoCloseable one : idle) {
                one.close();
            }
        }
    }
}
