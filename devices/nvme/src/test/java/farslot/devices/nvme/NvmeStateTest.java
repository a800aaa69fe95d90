package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.ConfigurationSpace;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.testbench.Freshness;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Saved, loaded by another process's controller, and as fresh as new. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
final class NvmeStateTest {
    private static final boolean FULL = System.getProperty("farslot.rounds", "").equals("full");

    @TempDir Path folder;

    private FunctionSide side(String... more) throws Exception {
        String[] options = Arrays.copyOf(more, more.length + 2);
        options[more.length] = "image=" + folder.resolve("d.img");
        options[more.length + 1] = "size=4M";
        return new FunctionSide(options);
    }

    private static void settle(FunctionSide side) {
        assertTrue(side.function.awaitTasks(Duration.ofSeconds(60)));
    }

    private static int command(AdminOpcode opcode, NvmeDriver driver, int dword10, int dword11) {
        return driver.admin
                .call(NvmeDriver.admin(opcode).dword(10, dword10).dword(11, dword11))
                .ok()
                .result();
    }

    /** Commands under way, unfetched ones, aborts and resets are all in the midst of it. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldGoOnInAnotherDeviceAsIfItWereTheSame(long seed) throws Exception {
        Random random = new Random(seed);
        DiskModel[] models = {new DiskModel(8192, 512), new DiskModel(8192, 512)};
        String[] options = {
            "more=" + folder.resolve("e.img"), "cache=" + (seed % 2 == 0 ? "on" : "off")
        };
        try (FunctionSide side = side(options).use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            RandomLoad load = new RandomLoad(driver, random, models);
            load.createQueues(4, 5);
            for (int i = 0; i < (FULL ? 100 : 15); i++) {
                for (int steps = random.nextInt(40); steps > 0; steps--) {
                    load.step();
                }
                side.handOver();
            }
            load.completeAll();
        }
        assertArrayEquals(models[0].content(), Files.readAllBytes(folder.resolve("d.img")));
        assertArrayEquals(models[1].content(), Files.readAllBytes(folder.resolve("e.img")));
    }

    @ParameterizedTest
    @EnumSource(InterruptKind.class)
    void shouldLoseNoInterruptAndSendNoneTwice(InterruptKind kind) throws Exception {
        try (FunctionSide side = side().use(kind)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 0);
            settle(side);
            side.unmaskPin();
            int before = side.interrupts(kind, 0);
            queue.submit(NvmeDriver.io(NvmOpcode.FLUSH));
            settle(side);
            assertEquals(before + 1, side.interrupts(kind, 0));
            side.handOver();
            assertEquals(before + 1, side.interrupts(kind, 0), "sent already");
            assertEquals(kind == InterruptKind.INTX, side.interruptStatus());
            queue.acknowledgeAll();
            side.unmaskPin();
            assertFalse(side.interruptStatus());
            queue.submit(NvmeDriver.io(NvmOpcode.FLUSH));
            settle(side);
            assertEquals(before + 2, side.interrupts(kind, 0));
        }
    }

    @Test
    void shouldKeepWhatWasPendingWhileVectorsWereMasked() throws Exception {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 3);
            side.function.interrupts(InterruptKind.MSIX, 3, 1, InterruptAction.MASK);
            queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            side.handOver();
            assertEquals(0, side.interrupts(InterruptKind.MSIX, 3));
            side.function.interrupts(InterruptKind.MSIX, 3, 1, InterruptAction.UNMASK);
            assertEquals(1, side.interrupts(InterruptKind.MSIX, 3));
        }
    }

    @Test
    void shouldKeepRequestsForEventsAndEventsHeldBack() throws Exception {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Entry request = NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST);
            int first = driver.admin.submit(request);
            side.handOver();
            side.write(NvmeDriver.DOORBELLS + 8 * 3, 1);
            assertEquals(0x01_00_00, driver.admin.await(first).ok().result());
            side.write(NvmeDriver.DOORBELLS + 8 * 3, 1);
            side.handOver();
            int second =
                    driver.admin.submit(NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
            driver.identify(Identify.CONTROLLER, 0);
            assertNull(driver.admin.poll(second), "held back until the log is read");
            side.handOver();
            long page = driver.allocate(1);
            NvmeDriver.Entry log = NvmeDriver.admin(AdminOpcode.GET_LOG_PAGE).prp(page, 0);
            driver.admin.call(log.dword(10, LogPages.ERROR_INFORMATION | 127 << 16)).ok();
            assertEquals(2, driver.memory(page, 8).get(LittleEndian.LONG, 0), "error count");
            side.write(NvmeDriver.DOORBELLS + 8 * 3, 1);
            assertEquals(0x01_00_00, driver.admin.await(second).ok().result());
        }
    }

    @Test
    void shouldAbortWhatIsFetchedOnlyAfterwards() throws Exception {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 2, 1);
            // The one entry of the completion queue is taken, so the next command stays in the
            // ring.
            queue.submit(NvmeDriver.io(NvmOpcode.FLUSH));
            settle(side);
            assertTrue(queue.take());
            int target = queue.submit(NvmeDriver.io(NvmOpcode.FLUSH));
            int abort =
                    driver.admin.submit(
                            NvmeDriver.admin(AdminOpcode.ABORT).dword(10, 1 | target << 16));
            int abortOfAbort =
                    driver.admin.submit(NvmeDriver.admin(AdminOpcode.ABORT).dword(10, abort << 16));
            driver.identify(Identify.CONTROLLER, 0);
            side.handOver();
            driver.identify(Identify.CONTROLLER, 0);
            assertNull(driver.admin.poll(abort));
            queue.acknowledge();
            queue.await(target).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
            assertEquals(0, driver.admin.await(abort).ok().result());
            assertEquals(1, driver.admin.await(abortOfAbort).ok().result(), "was not aborted");
        }
    }

    @Test
    void shouldKeepFeaturesCountersAndMasks() throws Exception {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            command(AdminOpcode.SET_FEATURES, driver, Features.ARBITRATION, 0x0403_0202);
            command(AdminOpcode.SET_FEATURES, driver, Features.NUMBER_OF_QUEUES, 0x0002_0002);
            command(
                    AdminOpcode.SET_FEATURES,
                    driver,
                    Features.TEMPERATURE_THRESHOLD,
                    299 | 1 << 20);
            side.write(NvmeDriver.INTMS, 5);
            driver.createQueue(1, 16, 1).call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            byte[] first = side.handOver();
            byte[] second = side.handOver();
            assertEquals(withoutTimes(first), withoutTimes(second));
            assertEquals(
                    0x0403_0202,
                    command(AdminOpcode.GET_FEATURES, driver, Features.ARBITRATION, 0));
            assertEquals(
                    299,
                    command(
                            AdminOpcode.GET_FEATURES,
                            driver,
                            Features.TEMPERATURE_THRESHOLD,
                            1 << 20));
            assertEquals(5, side.read(NvmeDriver.INTMC));
            // Queues exist, and their number is set.
            NvmeDriver.Entry set = NvmeDriver.admin(AdminOpcode.SET_FEATURES);
            driver.admin
                    .call(set.dword(10, Features.NUMBER_OF_QUEUES).dword(11, 0))
                    .assertStatus(StatusCode.COMMAND_SEQUENCE_ERROR);
        }
    }

    /** Texts, so that a difference can be read; nanoseconds differ, and checksums with them. */
    private static List<String> withoutTimes(byte[] state) throws Exception {
        List<String> lines = new ArrayList<>();
        addLines("", StateReader.of(state), lines);
        return lines;
    }

    private static void addLines(String where, StateReader state, List<String> lines)
            throws StateException {
        for (String name : state.names()) {
            if (name.endsWith("nanos") || name.equals("checksum")) {
                continue;
            }
            if (name.equals("state") || name.equals("device")) {
                addLines(where, StateReader.of(state.bytes(name)), lines);
                continue;
            }
            try {
                addLines(where + name + "/", state.group(name), lines);
            } catch (StateException notAGroup) {
                try {
                    lines.add(where + name + " " + state.number(name));
                } catch (StateException notANumber) {
                    lines.add(where + name + " " + Arrays.toString(state.bytes(name)));
                }
            }
        }
    }

    @Test
    void shouldStayShutDownOrFailed() throws Exception {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
            side.write(NvmeDriver.CC, NvmeDriver.ENABLED | 1 << 14);
            driver.awaitStatus(0xC, 8);
            side.handOver();
            assertEquals(9, side.read(NvmeDriver.CSTS), "ready, and shut down");
            int left = queue.submit(NvmeDriver.io(NvmOpcode.FLUSH));
            assertTrue(side.function.quiesce().isSuccess());
            assertNull(queue.poll(left), "nothing is fetched after a shutdown");
            side.function.resume();
            side.write(NvmeDriver.CC, 0);
            driver.awaitStatus(1, 0);
            driver.enable().createQueue(1, 16, 1).call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            side.write(NvmeDriver.CC, 0);
            driver.awaitStatus(1, 0);
            side.write(NvmeDriver.CC, NvmeDriver.ENABLED | 7 << 4);
            assertEquals(2, side.read(NvmeDriver.CSTS));
            side.handOver();
            assertEquals(2, side.read(NvmeDriver.CSTS), "failed");
            side.write(NvmeDriver.CC, 0);
            driver.enable().createQueue(1, 16, 1).call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
        }
    }

    @Test
    void shouldWorkOnWhenTheHandoverIsCalledOff() throws Exception {
        Random random = new Random(3);
        DiskModel model = new DiskModel(8192, 512);
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            RandomLoad load = new RandomLoad(driver, random, model);
            load.createQueues(4, 5);
            for (int i = 0; i < 10; i++) {
                for (int steps = 0; steps < 30; steps++) {
                    load.step();
                }
                assertTrue(side.function.quiesce().isSuccess());
                side.function.save();
                side.function.resume();
            }
            load.completeAll();
        }
    }

    @Test
    void shouldRefuseAStateThatDoesNotFitAndStayAsNew() throws Exception {
        byte[] state;
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            driver.createQueue(1, 16, 1).call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            state = side.handOver();
        }
        for (String other : List.of("queues=4", "cache=off", "serial=X1", "model=Other")) {
            try (FunctionSide side = side(other)) {
                side.function.attach(null);
                StateException refused =
                        assertThrows(StateException.class, () -> side.function.load(state));
                assertTrue(
                        refused.getMessage().contains("another disk")
                                || refused.getMessage().contains("another function"),
                        refused.getMessage());
            }
        }
        Random random = new Random(9);
        try (FunctionSide side = side();
                FunctionSide fresh =
                        new FunctionSide("image=" + folder.resolve("f.img"), "size=4M")) {
            side.function.attach(null);
            fresh.function.attach(null);
            side.function.reset(ResetKind.COLD);
            fresh.function.reset(ResetKind.COLD);
            for (int i = 0; i < 500; i++) {
                byte[] spoilt = state.clone();
                spoilt[random.nextInt(spoilt.length)] ^= (byte) (1 << random.nextInt(8));
                assertThrows(StateException.class, () -> side.function.load(spoilt));
                byte[] cut = Arrays.copyOf(state, random.nextInt(state.length));
                assertThrows(StateException.class, () -> side.function.load(cut));
            }
            assertEquals(List.of(), look(side).differencesFrom(look(fresh)));
            side.function.load(state);
            assertEquals(1, side.read(NvmeDriver.CSTS));
        }
    }

    private static Freshness look(FunctionSide side) {
        return Freshness.of(side.function, new NvmeKind().registerMap());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldBeAsNewAfterAReset(ResetKind kind) throws Exception {
        Random random = new Random(11);
        DiskModel model = new DiskModel(8192, 512);
        try (FunctionSide used = side().use(InterruptKind.MSIX);
                FunctionSide fresh =
                        new FunctionSide("image=" + folder.resolve("f.img"), "size=4M")) {
            fresh.configure(ConfigurationSpace.COMMAND, 2, 0);
            NvmeDriver driver = new NvmeDriver(used).enable();
            RandomLoad load = new RandomLoad(driver, random, model);
            load.createQueues(4, 5);
            for (int i = 0; i < 200; i++) {
                load.step();
            }
            for (int entry = 0; entry < 9 * 16; entry += 4) {
                used.write(4, entry, 4, random.nextInt());
            }
            assertFalse(look(used).differencesFrom(look(fresh)).isEmpty());
            for (int at = 4; at < 0x100; at += 4) {
                used.function.write(
                        7,
                        at,
                        MemorySegment.ofArray(new int[] {random.nextInt()}),
                        4,
                        PciFunction.ALL_BYTES);
            }
            used.function.reset(kind);
            assertEquals(List.of(), look(used).differencesFrom(look(fresh)));
        }
    }
}
