package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.core.PciFunction;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that ends in the middle of recording leaves what it had recorded. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KilledWriterTest {
    private static final int THREADS = 2;

    @TempDir Path folder;

    /** Records on several threads until it is killed, or until {@code records} each are done. */
    static final class Child {
        public static void main(String[] args) throws Exception {
            RecorderTap tap =
                    RecorderTap.recording(
                            new MemoryFunction(),
                            Path.of(args[0]),
                            RecorderTapTest.PATIENT.withLimitBytes(Long.parseLong(args[1])));
            long records = Long.parseLong(args[2]);
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                long thread = t;
                threads.add(Thread.ofPlatform().start(() -> record(tap, thread, records)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            System.out.println("lost " + tap.trace().lost());
            tap.close();
        }

        private static void record(RecorderTap tap, long thread, long records) {
            MemorySegment data = MemorySegment.ofArray(new byte[24]);
            for (long i = 0; i < records; i++) {
                tap.write(
                        0,
                        thread << 40 | i,
                        i % 3 == 0 ? data : data.asSlice(0, 4),
                        4,
                        PciFunction.ALL_BYTES);
                if (i % 10_000 == 9_999) {
                    System.out.println(thread + " " + (i + 1));
                }
            }
        }
    }

    private Process child(List<String> before, Path file, long limit, long records)
            throws IOException {
        List<String> command = new ArrayList<>(before);
        Collections.addAll(
                command,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                file.toString(),
                Long.toString(limit),
                Long.toString(records));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    @Test
    void nothingThatWasRecordedIsLostByAKill() throws Exception {
        Path file = folder.resolve("killed.fst");
        Process child = child(List.of(), file, 1L << 30, Long.MAX_VALUE);
        long[] told = new long[THREADS];
        try (BufferedReader output = child.inputReader()) {
            while (told[0] < 50_000 || told[1] < 50_000) {
                String[] words = output.readLine().split(" ", 2);
                told[Integer.parseInt(words[0])] = Long.parseLong(words[1]);
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        long[] next = new long[THREADS];
        try (TraceReader reader = TraceReader.open(file)) {
            assertFalse(reader.closed());
            assertEquals(MemoryFunction.DESCRIPTION, reader.description());
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                TraceEvent.Access access = (TraceEvent.Access) event;
                int thread = (int) (access.offset() >>> 40);
                assertEquals(next[thread]++, access.offset() & 0xFF_FFFF_FFFFL);
            }
            assertTrue(
                    reader.damaged() + reader.unfinished() <= 3 * THREADS,
                    "only what each thread was just writing: " + reader.remarks());
        }
        for (int t = 0; t < THREADS; t++) {
            assertTrue(next[t] >= told[t], next[t] + " of at least " + told[t]);
        }
    }

    /** A limit on the size of files stands for a full disk: both are errors of the file system. */
    @Test
    void aFileThatCannotGrowCountsWhatIsLost() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "Skipped: there is no /bin/sh.");
        Path file = folder.resolve("full.fst");
        long perThread = 200_000;
        // 12000 blocks of 512 or 1024 bytes: far less than the records need.
        Process child =
                child(
                        List.of("/bin/sh", "-c", "ulimit -f 12000 && exec \"$@\"", "sh"),
                        file,
                        1L << 30,
                        perThread);
        List<String> output;
        try (BufferedReader reader = child.inputReader()) {
            output = reader.readAllLines();
        }
        assertEquals(0, child.waitFor(), () -> String.join("\n", output));
        assertTrue(
                output.stream().anyMatch(line -> line.contains("its disk gives no more room")),
                () -> String.join("\n", output));
        long kept = 0;
        try (TraceReader reader = TraceReader.open(file)) {
            long told = 0;
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                kept += event instanceof TraceEvent.Access ? 1 : 0;
                told += event instanceof TraceEvent.Lost lost ? lost.count() : 0;
            }
            assertEquals(THREADS * perThread, kept + reader.lost());
            assertEquals(reader.lost(), told);
            assertTrue(reader.lost() > 0);
            assertEquals(0, reader.damaged());
        }
    }

    @Test
    void aTraceThatFindsNoRoomAtAllLeavesNothingBehind() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "Skipped: there is no /bin/sh.");
        Path file = folder.resolve("none.fst");
        Process child =
                child(
                        List.of("/bin/sh", "-c", "ulimit -f 40 && exec \"$@\"", "sh"),
                        file,
                        1L << 30,
                        1);
        try (BufferedReader reader = child.inputReader()) {
            List<String> output = reader.readAllLines();
            assertTrue(
                    output.stream().anyMatch(line -> line.contains("none.fst cannot be made: ")),
                    () -> String.join("\n", output));
        }
        assertEquals(1, child.waitFor());
        assertFalse(Files.exists(file));
    }
}
