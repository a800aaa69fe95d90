package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Abort (NVMe 1.4, 5.1) ends what has not had its effect. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class AbortTest {
    private static final int ABORTED = 0;
    private static final int NOT_ABORTED = 1;

    private final MemoryImage image = new MemoryImage(1 << 20);
    private ControllerBench bench;
    private NvmeDriver driver;

    @BeforeEach
    void build() {
        bench = new ControllerBench(image);
        driver = new NvmeDriver(bench).enable();
    }

    @AfterEach
    void close() throws IOException {
        image.openGate();
        bench.close();
    }

    private static NvmeDriver.Entry abort(int queue, int command) {
        return NvmeDriver.admin(AdminOpcode.ABORT).dword(10, queue | command << 16);
    }

    private NvmeDriver.Entry read(long page) {
        return NvmeDriver.transfer(NvmOpcode.READ, 0, 1, page, 0);
    }

    private void awaitAtTheGate(int commands) {
        while (image.waiting.get() < commands) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldEndACommandAtOnceWhenItsTurnHasNotCome() {
        NvmeDriver.Queue queue = driver.createQueue(1, 64, 1);
        image.closeGate();
        List<Integer> commands = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            commands.add(queue.put(NvmeDriver.io(NvmOpcode.FLUSH)));
        }
        queue.ring();
        awaitAtTheGate(Workers.SHARED + 1);
        int last = commands.getLast();
        assertEquals(ABORTED, driver.admin.call(abort(1, last)).ok().result());
        NvmeDriver.Completion completion = queue.takeOnly(last);
        assertNotNull(completion, "completed before the abort command");
        completion.assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
        assertEquals(0, bench.state.errors().count(), "the driver wanted it");
        image.openGate();
        commands.subList(0, 29).forEach(command -> queue.await(command).ok());
        assertEquals(29, image.flushes.get());
    }

    @Test
    void shouldKeepTheDriversMemoryAsItIsWhenARunningReadIsAborted() {
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        long page = driver.allocate(1);
        driver.memory(page, 512).fill((byte) 0x55);
        image.closeGate();
        int command = queue.submit(read(page));
        awaitAtTheGate(1);
        int abort = driver.admin.submit(abort(1, command));
        driver.identify(1, 0);
        assertNull(driver.admin.poll(abort), "it waits for the command's end");
        image.openGate();
        assertEquals(ABORTED, driver.admin.await(abort).ok().result());
        queue.takeOnly(command).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
        assertEquals(0x55, driver.memory(page, 1).get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void shouldNotAbortAWriteWhenItHasBegunToChangeTheDisk() {
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.closeGate();
        int command =
                queue.submit(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 1, driver.allocate(1), 0));
        awaitAtTheGate(1);
        assertEquals(NOT_ABORTED, driver.admin.call(abort(1, command)).ok().result());
        image.openGate();
        queue.await(command).ok();
        assertEquals(1, image.writes.get());
    }

    @Test
    void shouldAbortACommandThatIsNotFetchedYetWhenItIs() {
        // Room for one completion, so one command is fetched at a time.
        NvmeDriver.Queue queue = driver.createQueue(1, 8, 2, 1);
        image.closeGate();
        long page = driver.allocate(1);
        int first = queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
        int second = queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
        int third = queue.put(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 1, page, 0));
        queue.ring();
        awaitAtTheGate(1);
        int abort = driver.admin.submit(abort(1, third));
        int again = driver.admin.submit(abort(1, third));
        driver.identify(1, 0);
        assertNull(driver.admin.poll(abort));
        assertEquals(NOT_ABORTED, driver.admin.await(again).ok().result(), "once is enough");
        image.openGate();
        queue.await(first).ok();
        queue.await(second).ok();
        queue.await(third).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
        assertEquals(ABORTED, driver.admin.await(abort).ok().result());
        assertEquals(0, image.writes.get());
    }

    @Test
    void shouldEndAbortsWhenTheQueueOfTheirCommandsIsDeleted() {
        NvmeDriver.Queue queue = driver.createQueue(1, 8, 2, 1);
        image.closeGate();
        int first = queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
        int second = queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
        queue.ring();
        awaitAtTheGate(1);
        int abort = driver.admin.submit(abort(1, second));
        int deletion =
                driver.admin.submit(
                        NvmeDriver.admin(AdminOpcode.DELETE_IO_SUBMISSION_QUEUE).dword(10, 1));
        assertEquals(NOT_ABORTED, driver.admin.await(abort).ok().result());
        assertNull(driver.admin.poll(deletion), "a command of the queue still runs");
        image.openGate();
        driver.admin.await(deletion).ok();
        queue.await(first).ok();
        assertNull(queue.poll(second));
    }

    /** ACL. */
    @Test
    void shouldRefuseAnAbortWhenAsManyWaitAsMay() {
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.closeGate();
        long page = driver.allocate(1);
        int[] commands = new int[Abort.LIMIT + 1];
        int[] aborts = new int[commands.length];
        for (int i = 0; i < commands.length; i++) {
            commands[i] = queue.submit(read(page));
        }
        awaitAtTheGate(commands.length);
        for (int i = 0; i < commands.length; i++) {
            aborts[i] = driver.admin.submit(abort(1, commands[i]));
        }
        driver.admin
                .await(aborts[Abort.LIMIT])
                .assertStatus(StatusCode.ABORT_COMMAND_LIMIT_EXCEEDED);
        image.openGate();
        for (int i = 0; i < Abort.LIMIT; i++) {
            assertEquals(ABORTED, driver.admin.await(aborts[i]).ok().result());
            queue.await(commands[i]).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
        }
        queue.await(commands[Abort.LIMIT]).ok();
        assertEquals(NOT_ABORTED, driver.admin.call(abort(1, 99)).ok().result(), "may wait again");
    }

    @Test
    void shouldEndAnEventRequestAtOnce() {
        int request = driver.admin.submit(NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
        assertEquals(ABORTED, driver.admin.call(abort(0, request)).ok().result());
        driver.admin.await(request).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
    }

    @Test
    void shouldSaySoWhenThereIsNothingToAbort() {
        assertEquals(NOT_ABORTED, driver.admin.call(abort(0, 99)).ok().result(), "no command");
        assertEquals(NOT_ABORTED, driver.admin.call(abort(3, 1)).ok().result(), "no queue");
        assertEquals(NOT_ABORTED, driver.admin.call(abort(0xFFFF, 1)).ok().result(), "none ever");
        NvmeDriver.Entry itself = abort(0, 77);
        itself.dwords[0] |= 77 << 16;
        driver.admin.putRaw(itself);
        driver.admin.ring();
        assertEquals(NOT_ABORTED, driver.admin.await(77).ok().result());
    }
}
