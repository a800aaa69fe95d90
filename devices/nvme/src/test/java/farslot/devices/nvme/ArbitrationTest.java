package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.devices.nvme.Arbitration.Priority;
import farslot.devices.nvme.Arbitration.Standing;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whose turn it is (NVMe 1.4, 4.13), and that a slow queue does not take the others' turns. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ArbitrationTest {
    private final Arbitration arbitration = new Arbitration();
    private final Map<SubmissionQueue, Standing> standings = new HashMap<>();

    private SubmissionQueue queue(int id, Priority priority) {
        CompletionQueue completions = new CompletionQueue(id, null, 0, 2, false, 0);
        SubmissionQueue queue = new SubmissionQueue(id, 0, 2, completions, priority);
        standings.put(queue, Standing.READY);
        assertTrue(arbitration.list(queue));
        return queue;
    }

    /** The queues of so many turns, by their identifiers. */
    private String turns(int count) {
        StringBuilder ids = new StringBuilder();
        for (int i = 0; i < count; i++) {
            SubmissionQueue next = arbitration.next(standings::get);
            ids.append(next == null ? "-" : next.id());
        }
        return ids.toString();
    }

    @Test
    void shouldServeQueuesInTurnWhenAllAreOfOneClass() {
        for (int id = 1; id <= 3; id++) {
            queue(id, Priority.MEDIUM);
        }
        assertEquals("123123123", turns(9));
    }

    /** 5.21.1.1: AB, two to whose power commands are of one turn; 7 is no limit. */
    @Test
    void shouldServeAsManyCommandsATurnAsTheBurstSays() {
        queue(1, Priority.MEDIUM);
        queue(2, Priority.MEDIUM);
        arbitration.configure(2);
        assertEquals("111122221111", turns(12));
        arbitration.configure(7);
        assertEquals("222222222222", turns(12));
    }

    @Test
    void shouldPassOverAQueueWhenItIsServedAlready() {
        SubmissionQueue first = queue(1, Priority.MEDIUM);
        queue(2, Priority.MEDIUM);
        standings.put(first, Standing.HELD);
        assertEquals("222", turns(3));
        standings.put(first, Standing.READY);
        assertEquals("1212", turns(4));
    }

    @Test
    void shouldForgetAQueueWhenItHasNoWork() {
        SubmissionQueue first = queue(1, Priority.MEDIUM);
        standings.put(first, Standing.IDLE);
        assertNull(arbitration.next(standings::get));
        assertFalse(arbitration.isReady(standings::get));
        standings.put(first, Standing.READY);
        assertEquals("-", turns(1), "until it is listed again");
        assertTrue(arbitration.list(first));
        assertFalse(arbitration.list(first), "once");
        assertEquals("11", turns(2));
    }

    /** 4.13.2: the admin queue, then urgent ones, then the others by their weights. */
    @Test
    void shouldServeByClassAndWeight() {
        SubmissionQueue admin = queue(0, Priority.ADMIN);
        SubmissionQueue urgent = queue(1, Priority.URGENT);
        queue(2, Priority.HIGH);
        queue(3, Priority.MEDIUM);
        queue(4, Priority.LOW);
        arbitration.configure(3 << 24 | 1 << 16 | 0);
        assertEquals("000", turns(3));
        standings.put(admin, Standing.IDLE);
        assertEquals("111", turns(3));
        standings.put(urgent, Standing.HELD);
        assertEquals("2222334", turns(7));
        assertEquals("2222334", turns(7));
    }

    @Test
    void shouldGiveTheWeightOfAnIdleClassToTheOthers() {
        SubmissionQueue high = queue(2, Priority.HIGH);
        queue(4, Priority.LOW);
        arbitration.configure(1 << 24);
        assertEquals("224224", turns(6));
        standings.put(high, Standing.IDLE);
        assertEquals("444", turns(3));
    }

    /** 5.4: QPRIO counts where CC.AMS says so. */
    @Test
    void shouldTakeQueuePrioritiesWhenWeightedRoundRobinIsChosen() throws IOException {
        MemoryImage image = new MemoryImage(1 << 20);
        try (ControllerBench bench = new ControllerBench(image)) {
            NvmeDriver driver = new NvmeDriver(bench);
            driver.enableWith(NvmeDriver.ENABLED | 1 << 11, 32);
            for (int id = 1; id <= 4; id++) {
                NvmeDriver.Queue queue = driver.new Queue(id, 16, 16);
                driver.admin.call(driver.createCompletionQueue(id, 16, queue.completions, 1)).ok();
                NvmeDriver.Entry create =
                        driver.createSubmissionQueue(id, 16, queue.submissions, id);
                create.dwords[11] |= (id - 1) << 1;
                driver.admin.call(create).ok();
                queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            }
        }
        assertEquals(4, image.flushes.get());
    }

    /** However many commands of other queues are slow, a queue and the admin queue are served. */
    @Test
    void shouldServeAQueueWhenAllOthersAreSlow() throws IOException {
        MemoryImage slow = new MemoryImage(1 << 20);
        MemoryImage fast = new MemoryImage(1 << 20);
        try (ControllerBench bench = new ControllerBench(slow, fast)) {
            NvmeDriver driver = new NvmeDriver(bench).enable();
            slow.closeGate();
            for (int id = 1; id <= 3; id++) {
                NvmeDriver.Queue queue = driver.createQueue(id, 64, 1);
                for (int i = 0; i < 40; i++) {
                    queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
                }
                queue.ring();
            }
            while (slow.waiting.get() < Workers.SHARED + 3) {
                Thread.onSpinWait();
            }
            NvmeDriver.Queue queue = driver.createQueue(4, 16, 1);
            long page = driver.allocate(1);
            for (int i = 0; i < 20; i++) {
                queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, i, 1, page, 0).namespace(2)).ok();
                driver.identify(1, 0);
            }
            assertEquals(Workers.SHARED + 3, slow.waiting.get());
            slow.openGate();
        }
        assertEquals(20, fast.writes.get());
    }
}
