package farslot.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DmaCopyTest {
    @Property(tries = 500)
    void shouldCopyAnyRangeAndNothingElse(
            @ForAll @IntRange(max = 15) int from,
            @ForAll @IntRange(max = 15) int to,
            @ForAll @IntRange(max = 1100) int length,
            @ForAll boolean nativeSource) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source =
                    nativeSource ? arena.allocate(1200, 8) : MemorySegment.ofArray(new byte[1200]);
            MemorySegment memory = arena.allocate(1200, 8);
            for (int i = 0; i < 1200; i++) {
                source.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7 + 1));
            }
            memory.fill((byte) 0xee);
            assertTrue(DmaCopy.write(source, from, memory, to, length).isSuccess());
            for (int i = 0; i < 1200; i++) {
                byte expected =
                        i >= to && i < to + length ? (byte) ((i - to + from) * 7 + 1) : (byte) 0xee;
                assertEquals(expected, memory.get(ValueLayout.JAVA_BYTE, i), "byte " + i);
            }
            MemorySegment back = MemorySegment.ofArray(new byte[1200]);
            assertTrue(DmaCopy.read(memory, to, back, from, length).isSuccess());
            assertEquals(-1, back.asSlice(from, length).mismatch(source.asSlice(from, length)));
        }
    }

    /** A driver that polls the last word must find all words before it. */
    @Test
    @Timeout(60)
    void shouldShowTheLastWordAfterAllOthers() throws InterruptedException {
        int words = 8;
        int rounds = "full".equals(System.getProperty("farslot.rounds")) ? 2_000_000 : 100_000;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(words * 8L, 64);
            AtomicLong wrong = new AtomicLong();
            Thread driver =
                    new Thread(() -> {
                        for (long seen = 0; seen < rounds; ) {
                            long last =
                                    (long)
                                            ValueLayout.JAVA_LONG
                                                    .varHandle()
                                                    .getAcquire(memory, (words - 1) * 8L);
                            for (int word = 0; word < words - 1; word++) {
                                if (memory.get(ValueLayout.JAVA_LONG, word * 8L) < last) {
                                    wrong.incrementAndGet();
                                }
                            }
                            seen = last;
                            Thread.onSpinWait();
                        }
                    });
            driver.start();
            MemorySegment entry = arena.allocate(words * 8L, 8);
            for (long round = 1; round <= rounds; round++) {
                for (int word = 0; word < words; word++) {
                    entry.set(ValueLayout.JAVA_LONG, word * 8L, round);
                }
                DmaCopy.write(entry, 0, memory, 0, words * 8L);
            }
            driver.join();
            assertEquals(0, wrong.get());
        }
    }
}
