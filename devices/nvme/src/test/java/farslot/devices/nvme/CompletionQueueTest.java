package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** NVMe 1.4, 4.1. */
final class CompletionQueueTest {
    private Runnable whenVisible = () -> {};
    private final CompletionQueue queue = new CompletionQueue(1, new Memory(), 0x1000, 4, true, 0);

    /** Where the driver can do something the moment that it sees an entry. */
    private final class Memory implements DriverMemory {
        @Override
        public CompletionStatus write(long address, MemorySegment from) {
            whenVisible.run();
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus read(long address, MemorySegment into) {
            throw new AssertionError("a completion queue is only written");
        }

        @Override
        public CompletionStatus readAll(List<DmaSegment> segments) {
            throw new AssertionError("a completion queue is only written");
        }

        @Override
        public CompletionStatus writeAll(List<DmaSegment> segments) {
            throw new AssertionError("a completion queue is only written");
        }
    }

    private void post(int command) {
        assertEquals(1, queue.claim(1));
        assertTrue(queue.post(0, 1, 0, command, 0).isSuccess());
    }

    @Test
    void shouldHaveNothingToInterruptForWhenTheDriverAcknowledgesBeforeTheWriteHasReturned() {
        for (int command = 1; command <= 8; command++) {
            int next = command % 4;
            whenVisible =
                    () -> {
                        assertTrue(queue.acknowledge(next));
                        assertFalse(queue.hasUnacknowledgedEntries());
                    };
            post(command);
            assertFalse(queue.hasUnacknowledgedEntries());
        }
    }

    @Test
    void shouldHaveSomethingToInterruptForUntilAllIsAcknowledged() {
        post(1);
        whenVisible = () -> assertTrue(queue.hasUnacknowledgedEntries(), "the first is");
        post(2);
        assertTrue(queue.acknowledge(1));
        assertTrue(queue.hasUnacknowledgedEntries(), "the second is");
        assertTrue(queue.acknowledge(2));
        assertFalse(queue.hasUnacknowledgedEntries());
    }
}
