package farslot.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.PciHost;
import farslot.link.Bench.Over;
import farslot.link.Cutter.Cut;
import farslot.link.Messages.Data;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.KeepAlive;
import farslot.link.Messages.MapMemory;
import farslot.link.Messages.Read;
import farslot.link.Messages.Refused;
import farslot.link.Messages.Resume;
import farslot.link.Messages.Resumed;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may go on with a session, and what ends one. */
@Timeout(60)
class ResumeChecksTest {
    private static final long NOT_FOUND = 1;
    private static final long TAKEN = 2;
    private static final long NOT_ALLOWED = 3;
    private static final byte[] READ = {0, 4, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

    @TempDir Path folder;

    private static RawPeer able(RawPeer peer) {
        peer.abilities |= Messages.Hello.RESUME;
        return peer;
    }

    /** A slot whose session the lender knows to be known. */
    private static RawPeer borrow(Bench bench) throws IOException {
        RawPeer peer = able(bench.peer()).borrow("f0");
        read(peer);
        peer.send(KeepAlive.TYPE, Messages.LINK, 1, 0, new byte[0]);
        return peer;
    }

    private static void read(RawPeer peer) {
        peer.send(Read.TYPE, Messages.NON_POSTED, 1, 7, READ);
        peer.next(Data.TYPE);
    }

    private static RawPeer resume(Bench bench, byte[] session, long received, long attempt)
            throws IOException {
        return able(bench.peer()).resume(session, received, attempt);
    }

    /** The reason of the refusal, and the connection ends behind it. */
    private static long refusal(RawPeer peer) {
        long reason = peer.next(Refused.TYPE).payload().getShort(0);
        assertThrows(IllegalStateException.class, peer::next);
        return reason;
    }

    /** Goes on with the session where another connection left it. */
    private static RawPeer goOn(RawPeer peer) {
        RawPeer.Frame resumed = peer.next(Resumed.TYPE);
        peer.sequence = resumed.payload().getLong(0) + 1;
        return peer;
    }

    @Test
    void aSessionGoesOnByHandAsTheDocumentSays() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer first = borrow(bench)) {
            long sent = first.sequence - 1;
            first.vanish();
            try (RawPeer second = resume(bench, first.session, first.received, 1)) {
                RawPeer.Frame resumed = second.next(Resumed.TYPE);
                assertEquals(sent, resumed.payload().getLong(0));
                assertEquals(0, resumed.payload().getInt(8));
                second.sequence = sent + 1;
                read(second);
                assertEquals(first.session.length, Session.BYTES);
            }
            assertEquals("detached", bench.lender.change());
            assertEquals("resumed", bench.lender.change());
        }
    }

    @Test
    void anUnknownAWrongAndAnEndedSessionLookTheSame() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer slot = borrow(bench)) {
            byte[] wrong = slot.session.clone();
            wrong[15] ^= 1;
            List<byte[]> secrets = new ArrayList<>(List.of(wrong, new byte[Session.BYTES]));
            slot.send(
                    Goodbye.TYPE,
                    Messages.LINK,
                    1,
                    0,
                    new Composer().u16(Goodbye.DONE).text("", 1).toBytes());
            assertEquals("ABANDONED f0", bench.lender.ending());
            secrets.add(slot.session);
            List<String> sentences = new ArrayList<>();
            for (byte[] secret : secrets) {
                try (RawPeer peer = resume(bench, secret, 0, 1)) {
                    RawPeer.Frame refused = peer.next(Refused.TYPE);
                    assertEquals(NOT_FOUND, refused.payload().getShort(0));
                    sentences.add(new String(refused.payload().array(), StandardCharsets.UTF_8));
                }
            }
            assertEquals(1, sentences.stream().distinct().count(), sentences::toString);
        }
    }

    @Test
    void aWrongSecretDoesNotDisturbTheSession() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer slot = borrow(bench)) {
            byte[] wrong = slot.session.clone();
            wrong[0] ^= 1;
            try (RawPeer stranger = resume(bench, wrong, slot.received, 9)) {
                assertEquals(NOT_FOUND, refusal(stranger));
            }
            read(slot);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 4, 5})
    void anAttemptThatIsNotTheLatestIsRefusedAndTheSessionGoesOn(long attempt) throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer first = borrow(bench);
                RawPeer second = resume(bench, first.session, first.received, 5)) {
            goOn(second);
            read(second);
            try (RawPeer replay = resume(bench, first.session, first.received, attempt)) {
                assertEquals(TAKEN, refusal(replay));
            }
            read(second);
        }
    }

    @Test
    void ofTwoAtOnceTheLatestGoesOn() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer first = borrow(bench)) {
            List<CompletableFuture<RawPeer>> both = new ArrayList<>();
            for (long attempt = 1; attempt <= 2; attempt++) {
                long number = attempt;
                both.add(
                        CompletableFuture.supplyAsync(
                                () -> {
                                    try {
                                        return resume(bench, first.session, first.received, number);
                                    } catch (IOException e) {
                                        throw new IllegalStateException(e);
                                    }
                                },
                                task -> new Thread(task).start()));
            }
            try (RawPeer older = both.getFirst().get(20, TimeUnit.SECONDS);
                    RawPeer later = both.getLast().get(20, TimeUnit.SECONDS)) {
                goOn(later);
                read(later);
                assertThrows(IllegalStateException.class, () -> older.next(Data.TYPE));
            }
        }
    }

    @Test
    void anotherSubjectMayNotGoOnThoughItKnowsTheSecret() throws Exception {
        // The slot says nothing while the thief shakes hands, which takes its time on a busy
        // machine.
        LinkOptions patient =
                LinkOptions.named("lender")
                        .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(50));
        try (Bench bench = new Bench(Over.TLS, folder, patient);
                RawPeer slot = borrow(bench)) {
            LinkOptions carol = Bench.SLOT.withTrust(TestSite.SITE.member("carol"));
            Wire wire = Connector.connect(bench.address, carol.withInsecure(false)).wire();
            try (RawPeer thief = able(new RawPeer(wire)).resume(slot.session, slot.received, 9)) {
                assertEquals(NOT_ALLOWED, refusal(thief));
            }
            read(slot);
        }
    }

    @ParameterizedTest
    @CsvSource({"-1000", "1000"})
    void anImpossibleNumberEndsTheSession(long offset) throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer slot = borrow(bench);
                RawPeer liar = resume(bench, slot.session, slot.received + offset, 1)) {
            assertEquals(NOT_FOUND, refusal(liar));
            assertEquals("BROKEN f0", bench.lender.ending());
        }
    }

    @Test
    void resumeComesRightBehindHelloAndAloneOrIsAnError() throws Exception {
        byte[] resume = new byte[32];
        try (Bench bench = new Bench(Over.TCP, folder)) {
            try (RawPeer late = borrow(bench)) {
                late.send(Resume.TYPE, Messages.NON_POSTED, 1, 9, resume);
                assertEquals("OUT_OF_STATE", late.error());
            }
            assertEquals("BROKEN f0", bench.lender.ending());
            try (RawPeer second = able(bench.peer())) {
                second.start(Messages.Hello.CLIENT);
                second.readPreamble();
                second.send(KeepAlive.TYPE, Messages.LINK, 0, 0, new byte[0]);
                second.send(Resume.TYPE, Messages.NON_POSTED, 0, 9, resume);
                assertEquals("OUT_OF_STATE", second.error());
            }
            try (RawPeer hasty = able(bench.peer())) {
                hasty.start(Messages.Hello.CLIENT);
                hasty.readPreamble();
                byte[] one = hasty.frame(Resume.TYPE, Messages.NON_POSTED, 0, 9, resume);
                byte[] two = hasty.frame(KeepAlive.TYPE, Messages.LINK, 0, 0, new byte[0]);
                hasty.bytes(ByteBuffer.allocate(one.length + two.length).put(one).put(two).array());
                assertEquals("OUT_OF_STATE", hasty.error());
            }
        }
    }

    @Test
    void whoAcknowledgesNothingIsEndedWhenNoMoreIsKept() throws Exception {
        LinkOptions patient =
                LinkOptions.named("lender")
                        .withInsecure(true)
                        .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(20));
        try (Bench bench = new Bench(Over.TCP, folder, patient);
                RawPeer slot = borrow(bench)) {
            Composer map = new Composer().u64(0x1000).u64(0x100000).u64(0).u8(3).u8(1);
            slot.send(MapMemory.TYPE, Messages.POSTED, 1, 0, map.bytes(new byte[6]).toBytes());
            read(slot);
            slot.acknowledges = false;
            slot.stayAlive();
            CompletableFuture<String> error = CompletableFuture.supplyAsync(slot::error);
            PciHost host = bench.lender.f0().host;
            MemorySegment data = MemorySegment.ofArray(new byte[0x100000]);
            int written = 0;
            while (host.write(1, 0x1000, data).isSuccess()) {
                written++;
                assertTrue(written < 100);
            }
            assertEquals(15, written);
            assertEquals("INTERNAL", error.get(20, TimeUnit.SECONDS));
            assertEquals("ABANDONED f0", bench.lender.ending());
        }
    }

    @Test
    void aSessionThatNobodyComesBackToEndsAfterItsGraceTime() throws Exception {
        LinkOptions brief =
                LinkOptions.named("lender").withInsecure(true).withGrace(Duration.ofMillis(300));
        try (Bench bench = new Bench(Over.TCP, folder, brief);
                Cutter cutter = new Cutter(bench.address)) {
            Bench.Hearing hearing = new Bench.Hearing();
            RemoteFunction function = bench.borrow(cutter.address(), "f0", Bench.SLOT, hearing);
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            cutter.refuse(true);
            cutter.cut(Cut.RESET);
            assertEquals("ABANDONED f0", bench.lender.ending());
            LinkException why = hearing.await();
            assertEquals(LinkException.Cause.LOST, why.what());
            assertTrue(why.getMessage().contains("did not come back"), why.getMessage());
        }
    }

    /** The lender's grace time is longer than this test waits. */
    @Test
    void theEndOfAUnixSocketIsTheSlotsEnd() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            borrow(bench).vanish();
            assertEquals("ABANDONED f0", bench.lender.ending());
        }
    }

    @Test
    void aSupervisorAbandonsASessionAtOnce() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer slot = borrow(bench)) {
            assertArrayEquals(slot.session, bench.lender.leases.get("f0").session());
            slot.vanish();
            assertEquals("detached", bench.lender.change());
            Peer slotItself = bench.lender.leases.get("f0").borrower();
            Peer other = new Peer("uid 1", "user:other", "", true, 1, 1, "");
            LinkServer server = bench.server;
            assertFalse(server.abandon(new byte[Session.BYTES], slotItself, "Nobody."));
            assertFalse(server.abandon(slot.session, other, "By another."));
            assertTrue(server.abandon(slot.session, slotItself, "The slot was killed."));
            assertEquals("ABANDONED f0", bench.lender.ending());
        }
    }

    @Test
    void whatIsDetachedIsGivenBackWhenTheLenderCanBeReached() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                Cutter cutter = new Cutter(bench.address)) {
            RemoteFunction function =
                    bench.borrow(cutter.address(), "f0", Bench.SLOT, new Bench.Hearing());
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            cutter.cut(Cut.RESET);
            function.close();
            assertEquals("RETURNED f0", bench.lender.ending());
        }
    }
}
