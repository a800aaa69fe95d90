package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.link.Bench.Over;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A function across a link is the function itself, for what its driver can see. */
@Timeout(60)
class BorrowTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void describesItselfInFullWhenItIsBorrowed(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            assertEquals(FakeFunction.description(), function.describe());
            assertEquals(1, function.generation());
            assertEquals(1, function.epoch());
            assertEquals("lender", function.lender().name());
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsGiveWhatWritesLeft(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            MemorySegment data = MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
            assertEquals(CompletionStatus.SUCCESS, function.write(0, 0x10, data, 4, -1));
            assertEquals(CompletionStatus.SUCCESS, function.write(2, 0x8, data, 0, 0x0f));
            MemorySegment into = MemorySegment.ofArray(new byte[24]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, into, 8));
            assertEquals(0x0000000004030201L, into.get(ValueLayout.JAVA_LONG_UNALIGNED, 8));
            assertEquals(0x0807060504030201L, into.get(ValueLayout.JAVA_LONG_UNALIGNED, 16));
            assertEquals(
                    List.of(
                            "attached",
                            "write 0+0x10 8/4 ffffffffffffffff",
                            "write 2+0x8 8/0 f",
                            "read 0+0x0 24/8"),
                    bench.lender.f0().log);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLongestAccessGoesThroughAndOneByteMoreIsRefused(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder);
                Arena arena = Arena.ofConfined()) {
            RemoteFunction function = bench.borrow("f0");
            MemorySegment data = arena.allocate(0x100001);
            for (long at = 0; at < 0x100000; at++) {
                data.set(ValueLayout.JAVA_BYTE, at, (byte) (at * 7 + (at >> 9)));
            }
            MemorySegment longest = data.asSlice(0, 0x100000);
            assertEquals(CompletionStatus.SUCCESS, function.write(0, 0, longest, 0, -1));
            MemorySegment into = arena.allocate(0x100000);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, into, 0));
            assertEquals(-1, longest.mismatch(into));
            assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, function.write(0, 0, data, 0, -1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDmaReadIsServedWhileTheAccessThatNeedsItWaits(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ, null, true));
            host.memory.set(ValueLayout.JAVA_LONG, 0x20, 0x1122334455667788L);
            FakeFunction fake = bench.lender.f0();
            fake.onRead =
                    (region, offset, data) -> {
                        MemorySegment at = fake.memory.asSlice(offset, 8);
                        fake.host.read(1, FakeHost.BASE + 0x20, at);
                    };
            MemorySegment into = MemorySegment.ofArray(new byte[8]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, into, 8));
            assertEquals(0x1122334455667788L, into.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void memoryThatIsTakenBackIsNotReachedAnyMoreThoughTheLinkEndsMeanwhile(Over over)
            throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            CountDownLatch reached = new CountDownLatch(1);
            CountDownLatch goesOn = new CountDownLatch(1);
            host.onRead =
                    () -> {
                        reached.countDown();
                        Connection.awaitUninterruptibly(goesOn);
                    };
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ, null, true));
            function.read(0, 0, MemorySegment.ofArray(new byte[8]), 8);
            PciHost device = bench.lender.f0().host;
            Thread dma =
                    Thread.ofPlatform()
                            .start(() -> device.read(1, FakeHost.BASE, Arena.ofAuto().allocate(8)));
            reached.await();
            bench.lender.leases.get("f0").revoke("It is needed elsewhere.");
            while (!function.isEnded()) {
                Thread.onSpinWait();
            }
            Thread driver = Thread.ofPlatform().start(() -> function.attach(null));
            while (driver.getState() != Thread.State.WAITING && driver.isAlive()) {
                Thread.onSpinWait();
            }
            assertTrue(driver.isAlive(), "the function reaches the memory still");
            goesOn.countDown();
            driver.join();
            dma.join();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDmaWriteIsVisibleBeforeItsInterruptAndBeforeALaterReadCompletes(Over over)
            throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x10000, Direction.READ_WRITE, null, true));
            FakeFunction fake = bench.lender.f0();
            fake.logsAccesses = false;
            MemorySegment value = MemorySegment.ofArray(new byte[8]);
            fake.onRead =
                    (region, offset, data) -> {
                        value.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, offset);
                        fake.host.write(1, FakeHost.BASE, value);
                    };
            fake.onWrite =
                    (region, offset, data) -> {
                        value.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, offset);
                        fake.host.write(1, FakeHost.BASE + 8, value);
                        fake.host.interrupt(1, InterruptKind.MSIX, 3);
                    };
            host.onInterrupt = () -> host.told.add("sees " + host.word(FakeHost.BASE + 8));
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            for (int round = 0; round < 1000; round++) {
                assertEquals(CompletionStatus.SUCCESS, function.read(0, round, into, 4));
                assertEquals(round, host.word(FakeHost.BASE));
            }
            for (int round = 0; round < 1000; round++) {
                function.write(0, round, into, 4, -1);
                assertEquals("sees " + round, host.next());
                assertEquals("MSIX 3 in 1", host.next());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void dmaOutsideTheMapsOrInTheWrongDirectionIsRefusedAndTold(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ, null, true));
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            function.read(0, 0, into, 4);
            PciHostCalls calls = new PciHostCalls(bench.lender.f0());
            assertEquals(CompletionStatus.COMPLETER_ABORT, calls.write(FakeHost.BASE, 8));
            assertEquals(
                    new FunctionEvent.DmaRefused(
                                    FakeHost.BASE,
                                    8,
                                    Direction.WRITE,
                                    "The driver mapped no memory there for the function to write.")
                            .toString(),
                    host.next());
            assertEquals(CompletionStatus.COMPLETER_ABORT, calls.read(FakeHost.BASE + 0xffc, 8));
            assertTrue(host.next().contains("direction=READ"));
            assertEquals(CompletionStatus.SUCCESS, calls.read(FakeHost.BASE + 0xff8, 8));
            assertEquals(CompletionStatus.SUCCESS, function.unmap(0, 0));
            assertEquals(CompletionStatus.COMPLETER_ABORT, calls.read(FakeHost.BASE, 8));
        }
    }

    /** What a device does, in one line. */
    private record PciHostCalls(FakeFunction fake) {
        CompletionStatus read(long address, int bytes) {
            return fake.host.read(
                    fake.generation(), address, MemorySegment.ofArray(new byte[bytes]));
        }

        CompletionStatus write(long address, int bytes) {
            return fake.host.write(
                    fake.generation(), address, MemorySegment.ofArray(new byte[bytes]));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aResetBeginsAGenerationAndWhatIsOlderIsDropped(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            function.attach(host);
            assertEquals(CompletionStatus.SUCCESS, function.reset(ResetKind.FLR));
            assertEquals(2, function.generation());
            assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, function.reset(ResetKind.HOT));
            FakeFunction fake = bench.lender.f0();
            fake.host.interrupt(1, InterruptKind.MSI, 0);
            fake.host.interrupt(2, InterruptKind.MSI, 1);
            assertEquals("MSI 1 in 2", host.next());
            assertEquals(
                    CompletionStatus.STALE_GENERATION,
                    fake.host.read(1, FakeHost.BASE, MemorySegment.ofArray(new byte[8])));
        }
    }

    @ParameterizedTest
    @EnumSource
    void interruptActionsTravelInOrderWithWrites(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            MemorySegment data = MemorySegment.ofArray(new byte[4]);
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
            function.write(0, 0, data, 4, -1);
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
            function.interrupts(InterruptKind.MSIX, 3, 13, InterruptAction.MASK);
            function.read(0, 0, data, 4);
            assertEquals(
                    List.of(
                            "attached",
                            "interrupts INTX 0 1 ENABLE",
                            "write 0+0x0 4/4 ffffffffffffffff",
                            "interrupts INTX 0 1 UNMASK",
                            "interrupts MSIX 3 13 MASK",
                            "read 0+0x0 4/4"),
                    bench.lender.f0().log);
        }
    }

    @ParameterizedTest
    @EnumSource
    void returnsAndRefusalsSayWhoAndWhy(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RefusedException none = assertThrows(RefusedException.class, () -> bench.borrow("f9"));
            assertEquals(RefusedException.Reason.NOT_FOUND, none.reason());
            assertTrue(none.getMessage().contains("\"f0\" is near"));
            RemoteFunction function = bench.borrow("f0");
            RefusedException taken = assertThrows(RefusedException.class, () -> bench.borrow("f0"));
            assertEquals(RefusedException.Reason.TAKEN, taken.reason());
            assertTrue(taken.getMessage().contains("\"s1\""), taken.getMessage());
            function.close();
            assertEquals("RETURNED f0", bench.lender.ending());
            assertEquals("detached", bench.lender.f0().log.getLast());
            assertEquals(
                    CompletionStatus.TIMED_OUT,
                    function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4));
            assertEquals(2, bench.borrow("f0").epoch());
        }
    }
}
