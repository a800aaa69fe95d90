package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.CompletionStatus;
import farslot.link.Bench.Over;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Posted writes that come faster than they can be sent one by one. */
@Timeout(60)
class PostedBurstTest {
    private static final int BURSTS = 400;
    private static final int LONGEST_BURST = 300;
    private static final int THREADS = 3;

    @TempDir Path folder;

    /** What arrives: the register and the value of each write. */
    private record Written(long offset, long value) {}

    private static BlockingQueue<Written> listen(FakeFunction function) {
        BlockingQueue<Written> arrived = new LinkedBlockingQueue<>();
        function.logsAccesses = false;
        function.onWrite =
                (region, offset, data) ->
                        arrived.add(
                                new Written(offset, data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0)));
        return arrived;
    }

    private static void post(RemoteFunction function, long offset, long value) {
        MemorySegment data = MemorySegment.ofArray(new long[] {value});
        assertEquals(CompletionStatus.SUCCESS, function.write(0, offset, data, 8, -1));
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepTheOrderOfBurstsAndOfReadsBetween(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            BlockingQueue<Written> arrived = listen(bench.lender.f0());
            MemorySegment into = MemorySegment.ofArray(new long[1]);
            Random random = new Random(5);
            long value = 0;
            for (int burst = 0; burst < BURSTS; burst++) {
                int length = random.nextInt(1, LONGEST_BURST);
                for (int i = 0; i < length; i++) {
                    post(function, 0x40, ++value);
                }
                if (random.nextBoolean()) {
                    assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x40, into, 8));
                    assertEquals(value, into.get(ValueLayout.JAVA_LONG, 0));
                }
            }
            for (long next = 1; next <= value; next++) {
                assertEquals(new Written(0x40, next), arrived.poll(20, TimeUnit.SECONDS));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepEachThreadsOrderWhenSeveralPost(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            BlockingQueue<Written> arrived = listen(bench.lender.f0());
            int each = BURSTS * LONGEST_BURST / 10;
            List<Thread> threads = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                long offset = 8L * thread;
                threads.add(
                        Thread.ofPlatform()
                                .start(() -> {
                                    for (int i = 0; i < each; i++) {
                                        post(function, offset, i);
                                    }
                                }));
            }
            long[] next = new long[THREADS];
            for (int i = 0; i < THREADS * each; i++) {
                Written written = arrived.poll(20, TimeUnit.SECONDS);
                assertEquals(next[(int) written.offset() / 8]++, written.value());
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }
}
