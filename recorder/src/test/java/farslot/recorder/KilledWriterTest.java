package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.core.PciFunction;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
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
            boolean each = args[3].equals("each");
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                long thread = t;
                threads.add(Thread.ofPlatform().start(() -> record(tap, thread, records, each)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            System.out.println("lost " + tap.trace().lost());
            tap.close();
        }

        private static void record(RecorderTap tap, long thread, long records, boolean each) {
            ByteBuffer acknowledgement = ByteBuffer.allocate(Long.BYTES);
            FileChannel output = new FileOutputStream(FileDescriptor.out).getChannel();
            MemorySegment data = MemorySegment.ofArray(new byte[24]);
            for (long i = 0; i < records; i++) {
                tap.write(
                        0,
                        thread << 40 | i,
                        i % 3 == 0 ? data : data.asSlice(0, 4),
                        4,
                        PciFunction.ALL_BYTES);
                if (each) {
                    acknowledge(output, acknowledgement.putLong(0, thread << 40 | (i + 1)));
                }
            }
        }
    }

    private static void acknowledge(FileChannel output, ByteBuffer acknowledgement) {
        try {
            output.write(acknowledgement.clear()); // so few bytes go into a pipe at once
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Process child(List<String> before, Path file, long limit, long records, String how)
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
                Long.toString(records),
                how);
        return new ProcessBuilder(command).redirectErrorStream(!how.equals("each")).start();
    }

    private static int kills() {
        return switch (System.getProperty("farslot.rounds", "short")) {
            case "few" -> 1;
            case "full" -> 200;
            default -> 4;
        };
    }

    /** Each event is acknowledged once it is recorded; what was, is there after any kill. */
    @Test
    @Timeout(value = 900, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void nothingThatWasAcknowledgedIsLostByAKill() throws Exception {
        Random random = new Random(200);
        for (int kill = 0; kill < kills(); kill++) {
            Path file = folder.resolve("killed.fst");
            long[] told = killed(file, 1 + random.nextInt(60_000));
            check(file, told);
            Files.delete(file);
        }
    }

    /**
     * Kills a child behind so many acknowledgements; what each thread has acknowledged till then.
     */
    private long[] killed(Path file, int acknowledgements) throws Exception {
        Process child = child(List.of(), file, 1L << 30, Long.MAX_VALUE, "each");
        long[] told = new long[THREADS];
        try (DataInputStream output =
                new DataInputStream(new BufferedInputStream(child.getInputStream()))) {
            for (int i = 0; i < acknowledgements; i++) {
                acknowledge(told, output.readLong());
            }
            child.toHandle().destroyForcibly(); // and what it had said before is to be read still
            byte[] rest = output.readAllBytes();
            ByteBuffer before = ByteBuffer.wrap(rest);
            while (before.remaining() >= Long.BYTES) {
                acknowledge(told, before.getLong());
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        return told;
    }

    private static void acknowledge(long[] told, long what) {
        int thread = (int) (what >>> 40);
        assertTrue(thread < THREADS, Long.toHexString(what));
        told[thread] = Math.max(told[thread], what & 0xFF_FFFF_FFFFL);
    }

    private static void check(Path file, long[] told) throws TraceException {
        long[] next = new long[THREADS];
        try (TraceReader reader = TraceReader.open(file)) {
            assertFalse(reader.closed());
            assertEquals(MemoryFunction.DESCRIPTION, reader.description());
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                TraceEvent.Access access = (TraceEvent.Access) event;
                int thread = (int) (access.offset() >>> 40);
                assertEquals(next[thread]++, access.offset() & 0xFF_FFFF_FFFFL);
                assertTrue(access.stamp().underWay() || access.data().complete());
            }
            assertEquals(0, reader.damaged(), () -> reader.remarks().toString());
            assertTrue(reader.unfinished() <= 3 * THREADS, () -> reader.remarks().toString());
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
                        perThread,
                        "end");
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
                        1,
                        "end");
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
