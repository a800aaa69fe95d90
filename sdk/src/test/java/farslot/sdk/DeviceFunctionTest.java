package farslot.sdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.FunctionEvent;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.registers.RegisterMap;
import farslot.sdk.testbench.TestBench;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Order, threads, DMA, generations and resets. */
@Timeout(60)
class DeviceFunctionTest {
    /** What handlers of the test's device do: set by each test. */
    private volatile Runnable onRead = () -> {};

    private volatile Runnable onWrite = () -> {};
    private volatile Runnable onPortWrite = () -> {};
    private final List<ResetKind> resets = new ArrayList<>();
    private volatile Runnable onReset = () -> {};

    private Dma dma;
    private Tasks tasks;
    private Interrupts interrupts;
    private volatile boolean closed;

    private final TestBench bench = TestBench.of("test", new TestDevice(), RegisterMap.EMPTY);

    private final class TestDevice implements Device {
        @Override
        public void assemble(FunctionBuilder function) {
            dma = function.dma();
            tasks = function.tasks();
            interrupts = function.interrupts();
            tasks.limit(3, 5);
            function.identity(RegisterFileTest.IDENTITY).intx(1);
            function.memoryBar(0, 0x1000).area(0, 0x1000, handler(() -> onWrite.run()));
            function.rom(new byte[] {0x55, (byte) 0xaa, 1});
            function.ioBar(1, 16).area(0, 16, handler(() -> onPortWrite.run()));
        }

        private AreaHandler handler(Runnable write) {
            return new AreaHandler() {
                @Override
                public long read(long offset, int sizeBytes) {
                    onRead.run();
                    return 42;
                }

                @Override
                public void write(long offset, int sizeBytes, long value) {
                    write.run();
                }
            };
        }

        @Override
        public void reset(ResetKind kind) {
            resets.add(kind);
            onReset.run();
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private static MemorySegment bytes(int count) {
        return MemorySegment.ofArray(new byte[count]);
    }

    /** Runs something as a task and gives what it gave. */
    private <T> T inTask(java.util.concurrent.Callable<T> work) {
        LinkedBlockingQueue<Object> result = new LinkedBlockingQueue<>();
        assertTrue(
                tasks.start(() -> {
                    try {
                        result.add(work.call());
                    } catch (Exception e) {
                        result.add(e);
                    }
                }));
        Object got = take(result);
        if (got instanceof Exception e) {
            throw new AssertionError(e);
        }
        @SuppressWarnings("unchecked")
        T value = (T) got;
        return value;
    }

    private static <T> T take(LinkedBlockingQueue<T> queue) {
        try {
            T got = queue.poll(20, TimeUnit.SECONDS);
            assertNotNull(got, "nothing came");
            return got;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldAnswerOnlyInEnabledSpacesAndItsRegions() {
        assertEquals(0xffff_ffffL, bench.read(0, 0, 4));
        bench.configure(ConfigurationSpace.COMMAND, 2, 2);
        assertEquals(42, bench.read(0, 0, 4));
        assertEquals(0xffff_ffffL, bench.read(1, 0, 4));
        bench.configure(ConfigurationSpace.COMMAND, 2, 1);
        assertEquals(42, bench.read(1, 0, 4));
        bench.start();
        for (int region : new int[] {-1, 2, 6, 8, Integer.MAX_VALUE}) {
            assertEquals(0xff, bench.read(region, 0, 1));
        }
        for (long offset : new long[] {-1, 0xffd, 0x1000, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertEquals(0xffff_ffffL, bench.read(0, offset, 4));
            assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, bench.write(0, offset, 4, 0));
        }
        assertEquals(
                CompletionStatus.UNSUPPORTED_REQUEST,
                bench.function().read(0, 0, MemorySegment.ofArray(new byte[0]), 0));
    }

    @Test
    void shouldShowItsRomOnceItIsEnabledAndNeverChangeIt() {
        bench.start();
        assertEquals(0xffff, bench.read(Region.ROM, 0, 2));
        bench.configure(ConfigurationSpace.ROM_BASE, 4, 0xfff0_0001);
        assertEquals(0xfff0_0001, bench.configuration(ConfigurationSpace.ROM_BASE, 4));
        bench.write(Region.ROM, 0, 4, 0);
        assertEquals(0x0001_aa55, bench.read(Region.ROM, 0, 4));
        assertEquals(0, bench.read(Region.ROM, 0x7ff, 1));
        assertEquals(0xff, bench.read(Region.ROM, 0x800, 1));
    }

    @Test
    void shouldGoOnAfterAHandlerFailed() {
        bench.start();
        onRead =
                () -> {
                    throw new IllegalStateException("a bug in the device");
                };
        assertEquals(CompletionStatus.COMPLETER_ABORT, bench.function().read(0, 0, bytes(4), 4));
        onRead = () -> {};
        assertEquals(42, bench.read(0, 0, 4));
    }

    @Test
    void shouldRunHandlersOneAtATime() throws InterruptedException {
        bench.start();
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        int[] plain = new int[1];
        Runnable handler =
                () -> {
                    overlaps.addAndGet(inside.getAndIncrement());
                    plain[0]++;
                    inside.decrementAndGet();
                };
        onRead = handler;
        onWrite = handler;
        int rounds = 2000;
        List<Thread> drivers = new ArrayList<>();
        for (int driver = 0; driver < 4; driver++) {
            int number = driver;
            drivers.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                for (int i = 0; i < rounds; i++) {
                                    if (number == 0) {
                                        tasks.inOrder(handler);
                                    } else if (number == 1) {
                                        bench.write(0, 0, 4, 1);
                                    } else {
                                        bench.read(0, 0, 4);
                                    }
                                }
                            }));
        }
        for (Thread driver : drivers) {
            driver.join();
        }
        assertEquals(0, overlaps.get());
        assertEquals(4 * rounds, plain[0]);
    }

    @Test
    void shouldUseTheDriversMemoryFromHandlersAndTasks() {
        bench.start();
        MemorySegment memory = bench.memory(0x1000, 0x2000);
        memory.set(ValueLayout.JAVA_INT, 0, 77);
        List<Object> heard = new ArrayList<>();
        MemorySegment mine = bytes(8);
        onRead = () -> heard.add(dma.read(0x1000, mine));
        bench.read(0, 0, 4);
        assertEquals(List.of(CompletionStatus.SUCCESS), heard);
        assertEquals(77, mine.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
        assertEquals(CompletionStatus.SUCCESS, inTask(() -> dma.write(0x1800, mine)));
        assertEquals(77, memory.get(ValueLayout.JAVA_INT, 0x800));
        MemorySegment one = bytes(4);
        MemorySegment two = bytes(4);
        List<DmaSegment> list = List.of(new DmaSegment(0x1000, one), new DmaSegment(0x1800, two));
        assertTrue(dma.readAll(list).isSuccess());
        assertEquals(-1, one.mismatch(two));
        assertTrue(dma.writeAll(list).isSuccess());
        assertEquals(0x10, dma.near(0x1000, 0x10, Direction.WRITE).byteSize());
    }

    @Test
    void shouldRefuseDmaThatTheDriverHasNotAllowed() {
        bench.start();
        bench.memory(0x1000, 0x1000);
        assertEquals(CompletionStatus.COMPLETER_ABORT, dma.read(0x1ffe, bytes(4)));
        assertEquals(0x1000, bench.configuration(ConfigurationSpace.STATUS, 2) & 0x1000);
        assertInstanceOf(FunctionEvent.DmaRefused.class, bench.events().getFirst());
        bench.configure(ConfigurationSpace.COMMAND, 2, 3);
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, dma.read(0x1000, bytes(4)));
        assertNull(dma.near(0x1000, 4, Direction.READ));
        bench.start().function().attach(null);
        assertEquals(CompletionStatus.COMPLETER_ABORT, dma.read(0x1000, bytes(4)));
        interrupts.raise(0);
        assertEquals(List.of(), bench.interrupts());
    }

    @Test
    void shouldRefuseByNameDmaThatWouldWaitForItself() {
        bench.start();
        bench.unsharedMemory(0, 0x1000);
        List<Object> heard = new ArrayList<>();
        Runnable access =
                () -> {
                    try {
                        heard.add(dma.read(0, bytes(4)));
                    } catch (DmaRefusedException e) {
                        assertTrue(e.getMessage().contains("Move the DMA to a task"));
                        heard.add("refused");
                    }
                };
        onRead = access;
        onWrite = access;
        onPortWrite = access;
        bench.read(0, 0, 4);
        bench.write(1, 0, 4, 0);
        bench.write(0, 0, 4, 0);
        tasks.inOrder(access);
        access.run();
        assertEquals(
                List.of(
                        "refused",
                        "refused",
                        CompletionStatus.SUCCESS,
                        "refused",
                        CompletionStatus.SUCCESS),
                heard);
        assertEquals(CompletionStatus.SUCCESS, inTask(() -> dma.read(0, bytes(4))));
        onRead = () -> dma.read(0, bytes(4));
        assertEquals(CompletionStatus.COMPLETER_ABORT, bench.function().read(0, 0, bytes(4), 4));
    }

    @Test
    void shouldTreatUnmappedMemoryAsRefusedAndNotAsWaiting() {
        bench.start();
        onRead = () -> assertEquals(CompletionStatus.COMPLETER_ABORT, dma.read(0, bytes(4)));
        assertEquals(42, bench.read(0, 0, 4));
    }

    @Test
    void shouldBeginANewGenerationAtEachReset() {
        assertEquals(1, bench.function().generation());
        bench.start();
        for (ResetKind kind : ResetKind.values()) {
            bench.reset(kind);
        }
        assertEquals(List.of(ResetKind.values()), resets);
        assertEquals(4, bench.function().generation());
        assertEquals(0, bench.configuration(ConfigurationSpace.COMMAND, 2));
        assertEquals(List.of(), bench.events());
    }

    @Test
    void shouldTellOfAResetThatTheDriverWrote() {
        bench.start();
        int control = bench.capability(0x10) + 8;
        bench.configure(control, 2, 0x8000);
        assertEquals(List.of(ResetKind.FLR), resets);
        assertEquals(List.of(new FunctionEvent.NewGeneration(2, ResetKind.FLR)), bench.events());
        assertEquals(0, bench.configuration(control, 2) & 0x8000);
    }

    @Test
    void shouldMakeTasksOfBeforeAResetHarmless() {
        bench.start();
        MemorySegment memory = bench.memory(0, 0x1000);
        memory.fill((byte) 1);
        CountDownLatch begun = new CountDownLatch(1);
        LinkedBlockingQueue<Object> heard = new LinkedBlockingQueue<>();
        tasks.start(() -> {
            begun.countDown();
            waitUntilStale();
            heard.add(dma.write(0, bytes(8)));
            heard.add(dma.read(0, bytes(8)));
            heard.add(tasks.inOrder(() -> heard.add("ran")));
            heard.add(tasks.start(() -> heard.add("ran")));
            interrupts.raise(0);
            heard.add(tasks.isStale());
        });
        await(begun);
        onReset = () -> heard.add("reset");
        bench.reset(ResetKind.HOT);
        List<Object> got = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            got.add(take(heard));
        }
        assertEquals(
                List.of(
                        CompletionStatus.STALE_GENERATION,
                        CompletionStatus.STALE_GENERATION,
                        false,
                        false,
                        true,
                        "reset"),
                got,
                "the reset waits for its tasks");
        assertEquals(List.of(), bench.interrupts());
        assertArrayEquals(new byte[] {1, 1}, TestBench.bytes(memory, 0, 2));
        bench.start();
        assertEquals(CompletionStatus.SUCCESS, inTask(() -> dma.write(1, bytes(1))));
        assertArrayEquals(new byte[] {1, 0, 1}, TestBench.bytes(memory, 0, 3));
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldResetThoughATaskDoesNotEnd() {
        bench.start();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        tasks.start(() -> {
            begun.countDown();
            await(never);
        });
        await(begun);
        bench.reset(ResetKind.COLD);
        assertEquals(2, bench.function().generation());
        never.countDown();
        bench.settle();
    }

    @Test
    void shouldBoundTasksAndDropThoseThatWaitAtAReset() {
        bench.start();
        CountDownLatch gate = new CountDownLatch(1);
        CountDownLatch running = new CountDownLatch(3);
        AtomicInteger ran = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            assertTrue(
                    tasks.start(() -> {
                        running.countDown();
                        await(gate);
                    }));
        }
        await(running);
        for (int i = 0; i < 5; i++) {
            assertTrue(tasks.start(ran::incrementAndGet));
        }
        assertFalse(tasks.start(ran::incrementAndGet));
        Thread resetting = Thread.ofPlatform().start(() -> bench.reset(ResetKind.HOT));
        while (bench.function().generation() == 1) {
            Thread.onSpinWait();
        }
        gate.countDown();
        join(resetting);
        bench.settle();
        assertEquals(0, ran.get());
        assertTrue(tasks.start(ran::incrementAndGet));
        bench.settle();
        assertEquals(1, ran.get());
    }

    @Test
    void shouldRunTasksBesideEachOtherAndBesideHandlers() {
        bench.start();
        CyclicBarrier meeting = new CyclicBarrier(3);
        Runnable meet =
                () -> {
                    try {
                        meeting.await(20, TimeUnit.SECONDS);
                    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                        throw new AssertionError(e);
                    }
                };
        tasks.start(meet);
        tasks.start(meet);
        onRead = meet;
        assertEquals(42, bench.read(0, 0, 4));
    }

    @Test
    void shouldGoOnAfterATaskFailed() {
        tasks.start(() -> {
            throw new IllegalStateException("a bug in the device");
        });
        assertEquals(7, inTask(() -> 7));
        bench.settle();
    }

    @Test
    void shouldAbandonTasksForAResetWithinTheDevice() {
        bench.start();
        CountDownLatch begun = new CountDownLatch(1);
        List<Object> heard = new ArrayList<>();
        tasks.after(Duration.ofMillis(5), () -> heard.add("timer"));
        tasks.start(() -> {
            begun.countDown();
            waitUntilStale();
            heard.add(tasks.inOrder(() -> heard.add("ran")));
        });
        await(begun);
        onWrite = () -> heard.add(tasks.abandon());
        bench.write(0, 0, 4, 0);
        bench.advance(Duration.ofSeconds(1));
        assertEquals(List.of(false, true), heard);
        assertEquals(1, bench.function().generation());
    }

    @Test
    void shouldLetTasksFinishInOrderWhileAHandlerDrains() {
        bench.start();
        List<Object> heard = new ArrayList<>();
        CountDownLatch handling = new CountDownLatch(1);
        tasks.start(() -> {
            await(handling);
            tasks.inOrder(() -> heard.add("task"));
        });
        onWrite =
                () -> {
                    handling.countDown();
                    heard.add(tasks.drain());
                };
        bench.write(0, 0, 4, 0);
        assertEquals(List.of("task", true), heard);
    }

    @Test
    void shouldRunTimersWhenTheirTimeComesAndNoneAfterAReset() {
        List<String> heard = new ArrayList<>();
        tasks.after(Duration.ofMillis(20), () -> heard.add("b"));
        tasks.after(Duration.ofMillis(10), () -> heard.add("a"));
        tasks.after(Duration.ofMillis(15), () -> heard.add("never")).cancel();
        bench.advance(Duration.ofMillis(9));
        assertEquals(List.of(), heard);
        bench.advance(Duration.ofMillis(1)).advance(Duration.ofMillis(10));
        assertEquals(List.of("a", "b"), heard);
        tasks.after(Duration.ofMillis(1), () -> heard.add("never"));
        bench.reset(ResetKind.HOT).advance(Duration.ofSeconds(1));
        assertEquals(List.of("a", "b"), heard);
    }

    @Test
    void shouldBoundTimers() {
        for (int i = 0; i < 5; i++) {
            tasks.after(Duration.ofMillis(1), () -> {});
        }
        assertThrows(
                IllegalStateException.class, () -> tasks.after(Duration.ofMillis(1), () -> {}));
        bench.advance(Duration.ofMillis(1));
        tasks.after(Duration.ofMillis(1), () -> {}).cancel();
    }

    @Test
    void shouldUseTheMachinesClockOutsideOfTests() {
        LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
        try (DeviceFunction function =
                DeviceFunction.of(
                        "test",
                        builder -> {
                            builder.identity(RegisterFileTest.IDENTITY);
                            tasks = builder.tasks();
                        })) {
            assertEquals(1, function.generation());
            tasks.after(Duration.ofMillis(1), () -> heard.add("now"));
            assertEquals("now", take(heard));
            assertTrue(function.quiesce().isSuccess());
        }
    }

    @Test
    void shouldBeQuietOnceTasksAndTimersAreDone() {
        bench.start();
        tasks.start(() -> {});
        assertEquals(CompletionStatus.SUCCESS, bench.function().quiesce());
    }

    @Test
    void shouldKeepTheRulesOfUnmap() {
        bench.function().map(new DmaMap(0x1000, 0x1000, Direction.READ, null, true));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, bench.function().unmap(0x1800, 0x800));
        assertEquals(CompletionStatus.SUCCESS, bench.function().unmap(0x1000, 0x1000));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, bench.function().unmap(0x1000, 0x1000));
        assertEquals(CompletionStatus.SUCCESS, bench.function().unmap(0, 0));
    }

    @Test
    void shouldAnswerNothingOnceClosed() {
        bench.start().function().close();
        assertTrue(closed);
        assertEquals(0xffff_ffffL, bench.read(0, 0, 4));
        assertEquals(0xffff_ffffL, bench.read(Region.CONFIGURATION, 0, 4));
        assertFalse(tasks.start(() -> {}));
    }

    @Test
    void shouldBeginAnewWithAnotherHost() {
        bench.start();
        bench.memory(0, 0x1000);
        LinkedBlockingQueue<Object> heard = new LinkedBlockingQueue<>();
        CountDownLatch begun = new CountDownLatch(1);
        tasks.start(() -> {
            begun.countDown();
            waitUntilStale();
            heard.add(dma.read(0, bytes(4)));
        });
        await(begun);
        bench.function().attach(bench.host());
        assertEquals(CompletionStatus.STALE_GENERATION, take(heard));
        interrupts.raise(0);
        assertEquals(List.of(), bench.interrupts(), "nobody takes INTx now");
    }

    private void waitUntilStale() {
        while (!tasks.isStale()) {
            Thread.onSpinWait();
        }
    }
}
