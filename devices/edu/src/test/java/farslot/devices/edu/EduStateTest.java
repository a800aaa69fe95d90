package farslot.devices.edu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.sdk.testbench.Freshness;
import farslot.sdk.testbench.TestBench;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Saved, loaded, and as fresh as new. */
class EduStateTest {
    private static final long MEMORY_AT = 0x10_0000;
    private static final int MEMORY_BYTES = 0x2000;
    private static final long BUFFER_AT = 0x40000;

    private static TestBench bench(Map<String, String> options) throws Exception {
        return TestBench.of(new EduKind(), options);
    }

    /** A device at its driver, with the driver's memory. */
    private static final class Driven implements AutoCloseable {
        private TestBench bench;
        private MemorySegment memory;

        Driven() throws Exception {
            bench = bench(Map.of());
            memory = bench.memory(MEMORY_AT, MEMORY_BYTES);
        }

        /** Goes on with another device. */
        void handOver() throws Exception {
            TestBench old = bench;
            MemorySegment content = memory;
            byte[] state = old.save();
            bench = bench(Map.of());
            memory = bench.memory(MEMORY_AT, MEMORY_BYTES).copyFrom(content);
            bench.load(state);
            old.close();
        }

        /** One thing that a driver does, and all that it can see then. */
        List<Object> step(Random random) {
            switch (random.nextInt(9)) {
                case 0 -> bench.write("FACTORIAL", random.nextInt(40)).settle();
                case 1 -> bench.write("STATUS", random.nextInt(256));
                case 2 -> bench.write("IRQ_RAISE", 1 << random.nextInt(10));
                case 3 -> bench.write("IRQ_ACK", random.nextInt());
                case 4 -> transfer(random);
                case 5 -> bench.advance(Duration.ofMillis(100));
                case 6 -> bench.unmaskIntx();
                case 7 -> memory.fill((byte) random.nextInt());
                default -> begin(random);
            }
            List<Object> seen = new java.util.ArrayList<>(bench.interrupts());
            seen.add(Freshness.of(bench.function(), new EduKind().registerMap()));
            seen.add(Arrays.hashCode(TestBench.bytes(memory, 0, MEMORY_BYTES)));
            return seen;
        }

        private void transfer(Random random) {
            boolean out = random.nextBoolean();
            long count = random.nextInt(200);
            long inBuffer = BUFFER_AT + random.nextInt(3000);
            long inMemory = MEMORY_AT + random.nextInt(4096);
            bench.write("DMA_SOURCE", out ? inBuffer : inMemory)
                    .write("DMA_DESTINATION", out ? inMemory : inBuffer)
                    .write("DMA_COUNT", count)
                    .write("DMA_COMMAND", out ? 7 : 5);
        }

        private void begin(Random random) {
            switch (random.nextInt(3)) {
                case 0 -> bench.start();
                case 1 -> bench.useMsi(1);
                default -> bench.reset(ResetKind.FLR).start();
            }
        }

        @Override
        public void close() {
            bench.close();
        }
    }

    @Property(tries = 30)
    void shouldGoOnInAnotherDeviceAsIfItWereTheSame(@ForAll long seed) throws Exception {
        try (Driven moving = new Driven();
                Driven staying = new Driven()) {
            moving.bench.start();
            staying.bench.start();
            Random handovers = new Random(seed);
            for (int i = 0; i < 100; i++) {
                if (handovers.nextInt(8) == 0) {
                    moving.handOver();
                    // The device that stays rests and begins its transfer again, too.
                    staying.bench.save();
                    staying.bench.function().resume();
                }
                assertEquals(staying.step(new Random(seed + i)), moving.step(new Random(seed + i)));
            }
            assertEquals(
                    staying.bench.function().generation(), moving.bench.function().generation());
            assertArrayEquals(staying.bench.save(), moving.bench.save());
        }
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldBeAsNewAfterAReset(ResetKind kind) throws Exception {
        try (Driven used = new Driven();
                TestBench fresh = bench(Map.of())) {
            used.bench.start();
            for (int i = 0; i < 200; i++) {
                used.step(new Random(i));
            }
            used.bench.reset(kind);
            assertEquals(
                    List.of(),
                    Freshness.of(used.bench.function(), new EduKind().registerMap())
                            .differencesFrom(
                                    Freshness.of(fresh.function(), new EduKind().registerMap())));
        }
    }

    @Test
    void shouldRefuseWhatIsNotItsStateAndStayAsNew() throws Exception {
        byte[] state;
        try (Driven driven = new Driven()) {
            driven.bench.start();
            driven.bench.write("LIVENESS", 7).write("IRQ_RAISE", 3);
            state = driven.bench.save();
        }
        Random random = new Random(5);
        try (TestBench fresh = bench(Map.of());
                TestBench io = bench(Map.of("bar", "io"))) {
            byte[] asNew = fresh.save();
            io.function().attach(null);
            fresh.function().attach(null);
            for (int i = 0; i < 500; i++) {
                byte[] spoilt = state.clone();
                spoilt[random.nextInt(spoilt.length)] ^= (byte) (1 << random.nextInt(8));
                assertThrows(StateException.class, () -> fresh.function().load(spoilt));
                byte[] cut = Arrays.copyOf(state, random.nextInt(state.length));
                assertThrows(StateException.class, () -> fresh.function().load(cut));
            }
            StateException other =
                    assertThrows(StateException.class, () -> io.function().load(state));
            assertEquals(
                    "\"configuration\" of the state is that of another function.",
                    other.getMessage());
            fresh.function().quiesce();
            assertArrayEquals(asNew, fresh.function().save());
            fresh.function().load(state);
        }
    }
}
