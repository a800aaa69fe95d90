package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import farslot.core.StateException;
import farslot.link.SavedSession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file between two lenders. */
class HandoverTest {
    private static final Instant WRITTEN = Instant.ofEpochMilli(1_764_000_000_123L);

    @TempDir Path folder;

    private static Handover handover() {
        GrantedLease lease = new GrantedLease(77, "\"v1\", uid alice (pid 4)", WRITTEN);
        return new Handover(
                WRITTEN,
                List.of(
                        new Handover.Part(
                                "n0",
                                new byte[] {1, 2, 3},
                                lease,
                                new SavedSession("n0", 77, new byte[] {9})),
                        new Handover.Part(
                                "n1",
                                new byte[0],
                                new GrantedLease(80, "v2", WRITTEN),
                                new SavedSession("n1", 80, new byte[5000]))));
    }

    @Test
    void shouldBeReadAsItWasWrittenAndByItsUserOnly() throws Exception {
        Path file = folder.resolve("n0.handover");
        handover().write(file);
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        try (Stream<Path> all = Files.list(folder)) {
            assertEquals(1, all.count(), "no other file stays");
        }
        Handover read = Handover.read(file);
        assertEquals(WRITTEN, read.written());
        assertEquals(2, read.parts().size());
        for (int i = 0; i < 2; i++) {
            Handover.Part expected = handover().parts().get(i);
            Handover.Part part = read.parts().get(i);
            assertEquals(expected.function(), part.function());
            assertEquals(expected.lease(), part.lease());
            assertArrayEquals(expected.state(), part.state());
            assertEquals(expected.function(), part.session().function());
            assertEquals(expected.session().epoch(), part.session().epoch());
            assertArrayEquals(expected.session().state(), part.session().state());
        }
    }

    @Test
    void shouldRefuseWhatIsSpoiltCutOffOrAnother() {
        byte[] whole = handover().toBytes();
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            byte[] spoilt = whole.clone();
            spoilt[random.nextInt(spoilt.length)] ^= (byte) (1 << random.nextInt(8));
            assertThrows(StateException.class, () -> Handover.of(spoilt));
            byte[] cut = Arrays.copyOf(whole, random.nextInt(whole.length));
            assertThrows(StateException.class, () -> Handover.of(cut));
            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            assertThrows(StateException.class, () -> Handover.of(noise));
        }
    }

    @Test
    void shouldRefuseALinkAndWhatIsNotThere() throws Exception {
        Path file = folder.resolve("n0.handover");
        handover().write(file);
        Path link = Files.createSymbolicLink(folder.resolve("n1.handover"), file);
        assertThrows(StateException.class, () -> Handover.read(link));
        assertThrows(StateException.class, () -> Handover.read(folder.resolve("n2.handover")));
    }
}
