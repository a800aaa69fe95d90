package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What tests with cut connections look with. */
@Timeout(60)
class CuttingProxyTest {
    private static final int FRAMES = 4000;

    private ServerSocket lender;

    @BeforeEach
    void listen() throws IOException {
        lender = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void stop() throws IOException {
        lender.close();
    }

    /** Both ends of a connection through a proxy, and who reads there to the end. */
    private final class Ends implements AutoCloseable {
        final CuttingProxy proxy;
        final Socket slot;
        final Socket lenders;
        final Thread slotsReader;
        final Thread lendersReader;

        private final long acknowledgedByLender;

        Ends(Map<CuttingProxy.Cut, Integer> cuts, long seed) throws IOException {
            this(cuts, seed, 0);
        }

        /** The first frames pass before anything is cut. */
        Ends(Map<CuttingProxy.Cut, Integer> cuts, long seed, long acknowledgedByLender)
                throws IOException {
            this.acknowledgedByLender = acknowledgedByLender;
            proxy = CuttingProxy.cutting(lender.getLocalPort(), cuts, seed);
            slot = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
            lenders = lender.accept();
            greet(lenders, slot, acknowledgedByLender);
            greet(slot, lenders, 0);
            proxy.begin();
            slotsReader = Thread.ofPlatform().unstarted(() -> drain(slot));
            lendersReader = Thread.ofPlatform().unstarted(() -> drain(lenders));
        }

        private static void greet(Socket from, Socket to, long acknowledged) throws IOException {
            from.getOutputStream().write(RawFrames.PREAMBLE);
            from.getOutputStream().write(frame(1, acknowledged, 0));
            to.getInputStream().readNBytes(RawFrames.PREAMBLE.length + RawFrames.HEADER);
        }

        /** Sends frames from both ends until the one cut that is planned is done. */
        void exchange() throws Exception {
            slotsReader.start();
            lendersReader.start();
            Thread one = Thread.ofPlatform().start(() -> send(lenders, acknowledgedByLender));
            Thread other = Thread.ofPlatform().start(() -> send(slot, 0));
            proxy.await(1);
            one.join();
            other.join();
        }

        @Override
        public void close() throws IOException {
            slot.close();
            lenders.close();
            proxy.close();
        }
    }

    private static void drain(Socket socket) {
        try {
            byte[] buffer = new byte[1 << 16];
            int count = 0;
            while (count >= 0) {
                count = socket.getInputStream().read(buffer);
            }
        } catch (IOException e) {
            // Told of the end in this way.
        }
    }

    private static boolean isTold(Thread reader) throws InterruptedException {
        return reader.join(Duration.ofMillis(300));
    }

    private static byte[] frame(long sequence, long acknowledged, int bytes) {
        byte[] frame = RawFrames.frame(0x41, RawFrames.POSTED, 0, new byte[bytes]);
        ByteBuffer.wrap(frame)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(16, sequence)
                .putLong(24, acknowledged);
        return frame;
    }

    /** Each end acknowledges nothing that the other sends. */
    @Test
    void shouldCountWhenBothSidesHaveSomethingUnacknowledged() throws Exception {
        int both = 0;
        for (long seed = 1; seed <= 5; seed++) {
            try (Ends ends = new Ends(Map.of(CuttingProxy.Cut.RESET, 1), seed)) {
                ends.exchange();
                both += ends.proxy.bothWays();
            }
        }
        assertEquals(5, both);
    }

    /** In all they are longer than what any cut is drawn behind, and what it is waited for then. */
    private static void send(Socket to, long acknowledged) {
        try {
            for (int sequence = 2; sequence <= FRAMES; sequence++) {
                to.getOutputStream().write(frame(sequence, acknowledged, 1000));
            }
        } catch (IOException e) {
            // Cut.
        }
    }

    @Test
    void shouldPassEveryByteWhenNothingIsToBeCut() throws Exception {
        try (Ends ends = new Ends(Map.of(), 1)) {
            byte[] sent = new byte[300_000];
            new SplittableRandom(1).nextBytes(sent);
            for (List<Socket> way :
                    List.of(List.of(ends.slot, ends.lenders), List.of(ends.lenders, ends.slot))) {
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                way.getFirst().getOutputStream().write(sent);
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        });
                assertArrayEquals(sent, way.getLast().getInputStream().readNBytes(sent.length));
            }
            ends.slot.shutdownOutput();
            assertEquals(-1, ends.lenders.getInputStream().read());
            ends.lenders.shutdownOutput();
            assertEquals(-1, ends.slot.getInputStream().read());
            assertEquals(0, ends.proxy.done());
        }
    }

    @Test
    void shouldTellBothSidesWhenItResets() throws Exception {
        for (long seed = 1; seed <= 5; seed++) {
            try (Ends ends = new Ends(Map.of(CuttingProxy.Cut.RESET, 1), seed)) {
                ends.exchange();
                ends.slotsReader.join();
                ends.lendersReader.join();
                assertEquals(1, ends.proxy.done(CuttingProxy.Cut.RESET));
                assertEquals(0, ends.proxy.left());
            }
        }
    }

    @Test
    void shouldTellOneSideAloneWhenItIsHalfOpen() throws Exception {
        for (long seed = 1; seed <= 2; seed++) {
            try (Ends ends = new Ends(Map.of(CuttingProxy.Cut.HALF_OPEN, 1), seed)) {
                ends.exchange();
                boolean slotIsTold = isTold(ends.slotsReader);
                assertNotEquals(slotIsTold, isTold(ends.lendersReader), "seed " + seed);
                assertEquals(1, ends.proxy.done(CuttingProxy.Cut.HALF_OPEN));
            }
        }
    }

    @Test
    void shouldTellNobodyWhenItFallsSilent() throws Exception {
        try (Ends ends = new Ends(Map.of(CuttingProxy.Cut.SILENCE, 1), 3)) {
            ends.exchange();
            assertFalse(isTold(ends.slotsReader));
            assertFalse(isTold(ends.lendersReader));
            assertEquals(1, ends.proxy.done(CuttingProxy.Cut.SILENCE));
        }
    }

    /** Here the lender acknowledges, in its first frame, all that the slot will ever send. */
    @Test
    void shouldNotCountWhenOneSideHasNothingUnacknowledged() throws Exception {
        try (Ends ends = new Ends(Map.of(CuttingProxy.Cut.RESET, 1), 4, FRAMES)) {
            ends.exchange();
            assertEquals(1, ends.proxy.done());
            assertEquals(0, ends.proxy.bothWays());
        }
    }

    @Test
    void shouldPassNothingWhileItIsAway() throws Exception {
        try (Ends ends = new Ends(Map.of(), 5)) {
            ends.proxy.setAway(true);
            ends.slot.getOutputStream().write(1);
            ends.lenders.setSoTimeout(200);
            assertThrows(SocketTimeoutException.class, () -> ends.lenders.getInputStream().read());
            try (Socket later = new Socket(InetAddress.getLoopbackAddress(), ends.proxy.port())) {
                Socket unanswered = lender.accept();
                unanswered.setSoTimeout(200);
                later.getOutputStream().write(1);
                assertThrows(
                        SocketTimeoutException.class, () -> unanswered.getInputStream().read());
                ends.proxy.setAway(false);
                assertThrows(SocketException.class, () -> later.getInputStream().read());
                unanswered.close();
            }
            assertThrows(SocketException.class, () -> ends.slot.getInputStream().read());
        }
    }
}
