package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.posix.Descriptor;
import farslot.posix.Memfd;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No descriptor that a peer sends stays, whatever becomes of the wire that it came by. */
@Timeout(60)
class UnixWireTest {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final String NAME = "farslot-wire-test";

    private final MemorySegment word = Arena.ofAuto().allocate(8, 8);

    private static long open() throws IOException {
        try (Stream<Path> all = Files.list(DESCRIPTORS)) {
            List<Path> now = all.toList();
            long count = 0;
            for (Path one : now) {
                // One that has been closed meanwhile is none of ours.
                count += Files.isSymbolicLink(one) && target(one).contains(NAME) ? 1 : 0;
            }
            return count;
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }

    @Test
    void shouldCloseWhatNobodyTookWhenItIsClosed() throws Exception {
        try (UnixStream.Pair pair = UnixStream.pair();
                Descriptor memory = Memfd.create(NAME, 0x1000)) {
            UnixWire wire = new UnixWire(pair.first());
            pair.second().write(word, memory.number(), memory.number());
            assertEquals(8, wire.read(word));
            assertEquals(2, wire.waitingDescriptors());
            Descriptor taken = wire.takeDescriptor();
            assertEquals(1, wire.waitingDescriptors());
            wire.close();
            assertEquals(0, wire.waitingDescriptors());
            assertTrue(taken.isOpen(), "it is who took it that closes it");
            assertEquals(2, open());
            taken.close();
        }
        assertEquals(0, open());
    }

    @Test
    void shouldCloseWhatComesWhileItIsClosed() throws Exception {
        CyclicBarrier together = new CyclicBarrier(2);
        for (int round = 0; round < 300; round++) {
            try (UnixStream.Pair pair = UnixStream.pair();
                    Descriptor memory = Memfd.create(NAME, 0x1000)) {
                UnixWire wire = new UnixWire(pair.first());
                pair.second().write(word, memory.number());
                Thread reader =
                        Thread.ofPlatform()
                                .start(() -> {
                                    try {
                                        together.await();
                                        wire.read(Arena.ofAuto().allocate(8, 8));
                                    } catch (Exception closed) {
                                        // It was closed before.
                                    }
                                });
                together.await();
                wire.close();
                reader.join();
                assertFalse(reader.isAlive());
                assertEquals(1, open(), "the test's own");
            }
        }
    }
}
