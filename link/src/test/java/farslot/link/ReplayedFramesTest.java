package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Bench.Over;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Frames of a session that is over: a session is its connection's, so whoever sends them again has
 * to send them in another session, where they are nothing. The lease of that one is not touched.
 */
@Timeout(60)
class ReplayedFramesTest {
    @TempDir Path folder;

    private static byte[] write(RawPeer peer) {
        byte[] payload =
                new Composer()
                        .u8(0)
                        .u8(4)
                        .u16(0)
                        .u32(4)
                        .u64(0x10)
                        .u64(-1)
                        .bytes(new byte[] {1, 2, 3, 4})
                        .toBytes();
        return peer.frame(Messages.Write.TYPE, Messages.POSTED, 1, 0, payload);
    }

    private static byte[] read(RawPeer peer) {
        byte[] payload = new Composer().u8(0).u8(4).u16(0).u32(4).u64(0x10).toBytes();
        return peer.frame(Messages.Read.TYPE, Messages.NON_POSTED, 1, 7, payload);
    }

    private static long writes(Bench bench) {
        List<String> log = bench.lender.f0().log;
        synchronized (log) {
            return log.stream().filter(line -> line.startsWith("write")).count();
        }
    }

    @ParameterizedTest
    @EnumSource(Over.class)
    void shouldReachNothingInTheNextSession(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            byte[] firstWrite;
            byte[] secondWrite;
            try (RawPeer old = bench.peer().borrow("f0")) {
                firstWrite = write(old);
                secondWrite = write(old);
                old.bytes(firstWrite);
                old.bytes(secondWrite);
                old.bytes(read(old));
                old.next(Messages.Data.TYPE);
                old.send(Messages.Return.TYPE, Messages.NON_POSTED, 1, 9, new byte[0]);
                old.next(Messages.Done.TYPE);
                // Once it is given back, also its own connection reaches nothing.
                old.bytes(write(old));
                assertEquals("OUT_OF_STATE", old.error());
            }
            assertEquals("RETURNED f0", bench.lender.ending());
            assertEquals(2, writes(bench));
            for (byte[] replayed : List.of(firstWrite, secondWrite)) {
                try (RawPeer next = bench.peer().borrow("f0")) {
                    next.bytes(write(next));
                    next.bytes(write(next));
                    next.bytes(replayed);
                    assertEquals("BAD_SEQUENCE", next.error());
                }
                assertEquals("BROKEN f0", bench.lender.ending());
            }
            // Two of its own each time at most, and no other.
            assertTrue(writes(bench) <= 6, bench.lender.f0().log.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Over.class)
    void shouldReachNothingOnAConnectionThatHasBorrowedNothing(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            try (RawPeer holder = bench.peer().borrow("f0");
                    RawPeer other = bench.peer()) {
                other.start(Messages.Hello.CLIENT);
                other.readPreamble();
                other.bytes(write(other));
                assertEquals("BAD_GENERATION", other.error());
                holder.bytes(read(holder));
                holder.next(Messages.Data.TYPE);
            }
            assertEquals(0, writes(bench));
            assertTrue(bench.lender.ending().startsWith("ABANDONED"));
        }
    }

    @ParameterizedTest
    @EnumSource(Over.class)
    void shouldEndTheSessionWhenTheyComeTwiceOrOutOfOrder(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            try (RawPeer peer = bench.peer().borrow("f0")) {
                byte[] first = write(peer);
                byte[] second = write(peer);
                peer.bytes(first);
                peer.bytes(second);
                peer.bytes(first);
                assertEquals("BAD_SEQUENCE", peer.error());
            }
            assertEquals("BROKEN f0", bench.lender.ending());
            try (RawPeer peer = bench.peer().borrow("f0")) {
                write(peer);
                peer.bytes(write(peer));
                assertEquals("BAD_SEQUENCE", peer.error());
            }
            assertEquals("BROKEN f0", bench.lender.ending());
            assertFalse(writes(bench) > 2, bench.lender.f0().log.toString());
        }
    }
}
