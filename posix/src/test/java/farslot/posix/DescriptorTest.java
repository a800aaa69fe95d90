package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DescriptorTest {
    private OpenDescriptors open;

    @BeforeEach
    void remember() {
        open = new OpenDescriptors();
    }

    @AfterEach
    void nothingStaysOpen() {
        open.close();
    }

    @Test
    void closesOnceAndSaysSoAfterwards() throws IOException {
        Descriptor descriptor = Memfd.create("farslot-test", 4096);
        int number = descriptor.number();
        descriptor.close();
        try (Descriptor reusesTheNumber = Memfd.create("farslot-test", 4096)) {
            assertEquals(number, reusesTheNumber.number());
            descriptor.close();
            assertEquals(4096, reusesTheNumber.sizeBytes());
        }
        assertFalse(descriptor.isOpen());
        assertThrows(IllegalStateException.class, descriptor::number);
        assertThrows(IOException.class, descriptor::duplicate);
        assertThrows(IllegalArgumentException.class, () -> Descriptor.own(-1));
    }

    @Test
    void aCallUnderWayKeepsTheNumber() throws IOException {
        Descriptor descriptor = Memfd.create("farslot-test", 4096);
        int number = descriptor.acquire();
        descriptor.close();
        try (Descriptor other = Memfd.create("farslot-test", 1)) {
            assertNotEquals(number, other.number());
        }
        descriptor.release();
    }

    @Test
    void aDuplicateLivesOnItsOwn() throws IOException {
        Descriptor first = Memfd.create("farslot-test", 12);
        try (Descriptor second = first.duplicate()) {
            first.close();
            assertEquals(12, second.sizeBytes());
        }
    }

    @Test
    void namesWhatIsNotMemory() throws IOException {
        try (EventFd event = EventFd.create();
                UnixStream.Pair pair = UnixStream.pair();
                Descriptor memory = Memfd.create("farslot-test", 8192)) {
            memory.requireMemory(4096, 4096);
            assertNotMemory(event.descriptor(), 0, 1, "an event descriptor");
            assertNotMemory(pair.first().descriptor(), 0, 1, "a socket");
            assertNotMemory(memory, 4096, 4097, "0x2000 bytes");
            assertNotMemory(memory, Long.MAX_VALUE, 1, "0x2000 bytes");
            assertNotMemory(memory, 0, Long.MAX_VALUE, "0x2000 bytes");
            assertNotMemory(memory, -4096, 4096, "0x2000 bytes");
            assertNotMemory(memory, 0, -1, "0x2000 bytes");
        }
    }

    private static void assertNotMemory(
            Descriptor descriptor, long offset, long length, String names) {
        NotMemoryException refused =
                assertThrows(
                        NotMemoryException.class, () -> descriptor.requireMemory(offset, length));
        assertTrue(refused.getMessage().contains(names), refused.getMessage());
        assertThrows(
                NotMemoryException.class,
                () ->
                        MappedMemory.map(
                                descriptor, offset, length, MappedMemory.Protection.READ_ONLY));
        assertTrue(descriptor.isOpen());
    }

    @Test
    void mappedMemoryIsSharedAndEndsCleanly() throws IOException {
        MappedMemory memory = MappedMemory.create("farslot-test", 8192);
        try (MappedMemory upper =
                MappedMemory.map(
                        memory.descriptor().duplicate(),
                        4096,
                        4096,
                        MappedMemory.Protection.READ_ONLY)) {
            memory.segment().set(JAVA_LONG, 4096, 77);
            assertEquals(77, upper.segment().get(JAVA_LONG, 0));
            assertTrue(upper.segment().isReadOnly());
            assertEquals(4096, upper.offset());
        }
        memory.close();
        memory.close();
        assertFalse(memory.isOpen());
        assertThrows(IllegalStateException.class, () -> memory.segment().get(JAVA_LONG, 0));
    }

    @Test
    void memoryThatIsCutShortIsAnErrorAndNotTheEnd() throws IOException {
        try (MappedMemory memory = MappedMemory.create("farslot-test", 4096)) {
            Memfd.resize(memory.descriptor(), 0);
            assertThrows(InternalError.class, () -> memory.segment().get(JAVA_LONG, 0));
        }
    }

    @Test
    void unmappingWaitsForASystemCall() throws Exception {
        MappedMemory memory = MappedMemory.create("farslot-test", 4096);
        try (UnixStream.Pair pair = UnixStream.pair();
                Arena arena = Arena.ofConfined()) {
            FutureTask<Boolean> read =
                    new FutureTask<>(() -> pair.first().readFully(memory.segment()));
            Thread reader = Thread.ofPlatform().daemon().start(read);
            while (reader.getState() != Thread.State.RUNNABLE && !read.isDone()) {
                Thread.onSpinWait();
            }
            Thread closer = Thread.ofPlatform().daemon().start(memory::close);
            pair.second().write(arena.allocate(4096));
            closer.join();
            assertFalse(memory.isOpen());
            try {
                assertTrue(read.get());
            } catch (java.util.concurrent.ExecutionException closedFirst) {
                assertEquals(IllegalStateException.class, closedFirst.getCause().getClass());
            }
        }
    }

    @Test
    void eventsAreCountedAndDrained() throws IOException {
        try (EventFd event = EventFd.create()) {
            assertEquals(0, event.drain());
            assertFalse(event.await(0));
            event.signal();
            event.signal();
            assertTrue(event.await(-1));
            assertEquals(2, event.drain());
            assertEquals(0, event.drain());
        }
    }

    @Test
    void onlyAnEventDescriptorIsOne() throws IOException {
        try (Descriptor memory = Memfd.create("farslot-test", 8)) {
            IOException refused = assertThrows(IOException.class, () -> EventFd.own(memory));
            assertTrue(refused.getMessage().contains("a regular file"), refused.getMessage());
        }
        EventFd closed = EventFd.create();
        closed.close();
        assertThrows(IOException.class, closed::signal);
    }

    @Test
    void aPollSetTellsWhichMemberIsReadyAndWakes() throws Exception {
        try (PollSet set = new PollSet();
                EventFd first = EventFd.create();
                EventFd second = EventFd.create();
                UnixStream.Pair pair = UnixStream.pair();
                Arena arena = Arena.ofConfined()) {
            set.add(first.descriptor());
            set.add(second.descriptor());
            set.add(pair.first().descriptor());
            assertFalse(set.await(0));

            second.signal();
            assertTrue(set.await(-1));
            assertFalse(set.isReady(first.descriptor()));
            assertTrue(set.isReady(second.descriptor()));

            second.drain();
            set.wake();
            assertFalse(set.await(-1));
            assertFalse(set.await(0));

            pair.second().write(arena.allocateFrom(JAVA_BYTE, (byte) 1));
            assertTrue(set.await(-1));
            assertTrue(set.isReady(pair.first().descriptor()));
            set.remove(pair.first().descriptor());
            assertFalse(set.await(0));

            FutureTask<Boolean> waiting = new FutureTask<>(() -> set.await(-1));
            Thread.ofPlatform().daemon().start(waiting);
            set.wake();
            assertFalse(waiting.get());
        }
    }

    @Test
    void aPollSetGrowsWithItsMembers() throws IOException {
        try (PollSet set = new PollSet();
                EventFd event = EventFd.create()) {
            for (int index = 0; index < 100; index++) {
                set.add(event.descriptor());
            }
            event.signal();
            assertTrue(set.await(-1));
        }
    }
}
