package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.function.LongConsumer;

/**
 * Measures what recording costs an access, against a bare loop that stores 64 bytes into a mapped
 * file, in processor time of the recording thread. Rounds are interleaved; compare the ratios. Not
 * a test: run its main.
 */
@SuppressWarnings("EnumOrdinal")
final class RecorderCost {
    private static final int RECORDS = 2_000_000;
    private static final int ROUNDS = 7;

    private RecorderCost() {}

    public static void main(String[] args) throws Exception {
        Path folder = Files.createTempDirectory("farslot-cost");
        double[][] nanos = new double[8][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            nanos[0][round] = stores(folder.resolve("bare"), false);
            nanos[1][round] = stores(folder.resolve("timed"), true);
            nanos[2][round] = access(new QuietFunction());
            nanos[3][round] = recorded(folder.resolve("a.fst"), 1);
            nanos[4][round] = recorded(folder.resolve("b.fst"), 2);
            for (TraceOptions.DmaData kept : TraceOptions.DmaData.values()) {
                nanos[5 + kept.ordinal()][round] = dma(folder.resolve("c.fst"), kept);
            }
        }
        Files.delete(folder);
        print("bare stores of 64 bytes", nanos[0]);
        print("bare stores, two times of day", nanos[1]);
        print("access of a function that does nothing", nanos[2]);
        print("the same, recorded", nanos[3]);
        print("the same, recorded, by each of two threads", nanos[4]);
        print("DMA of 4 KiB, recorded, first bytes", nanos[5]);
        print("DMA of 4 KiB, recorded, digest", nanos[6]);
        print("DMA of 4 KiB, recorded, all data", nanos[7]);
    }

    private static void print(String what, double[] nanos) {
        double[] sorted = nanos.clone();
        java.util.Arrays.sort(sorted);
        System.out.printf(
                Locale.ROOT,
                "%-46s best %6.1f  median %6.1f ns%n",
                what,
                sorted[0],
                sorted[ROUNDS / 2]);
    }

    private static final class QuietFunction extends MemoryFunction {
        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
            return CompletionStatus.SUCCESS;
        }
    }

    private static double timed(LongConsumer body) {
        return timed(RECORDS, body);
    }

    private static double timed(int count, LongConsumer body) {
        long from = processorNanos();
        for (long i = 0; i < count; i++) {
            body.accept(i);
        }
        return (double) (processorNanos() - from) / count;
    }

    /** Processor time of this thread: proc(5), /proc/pid/schedstat. */
    private static long processorNanos() {
        try {
            String text = Files.readString(Path.of("/proc/thread-self/schedstat"));
            return Long.parseLong(text.substring(0, text.indexOf(' ')));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double stores(Path file, boolean times) throws Exception {
        long size = (long) RECORDS * TraceFormat.RECORD_BYTES;
        try (Arena arena = Arena.ofShared();
                FileChannel channel =
                        FileChannel.open(
                                file,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE)) {
            MemorySegment trace = channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
            for (long at = 0; at < size; at += 4096) {
                trace.set(TraceFormat.LONG, at, 1);
            }
            return timed(i -> {
                long at = i * TraceFormat.RECORD_BYTES;
                long begun = times ? System.nanoTime() : i;
                for (int word = 1; word < 8; word++) {
                    trace.set(TraceFormat.LONG, at + word * 8L, begun + word);
                }
                long end = times ? System.nanoTime() : i;
                TraceFormat.LONG_HANDLE.setRelease(trace, at, end);
            });
        } finally {
            Files.delete(file);
        }
    }

    private static double access(PciFunction function) {
        MemorySegment data = MemorySegment.ofArray(new byte[4]);
        return timed(i -> function.write(0, i, data, 4, PciFunction.ALL_BYTES));
    }

    private static double dma(Path file, TraceOptions.DmaData kept) throws Exception {
        MemorySegment data = MemorySegment.ofArray(new byte[4096]);
        MemoryFunction function = new MemoryFunction();
        TraceOptions options = TraceOptions.DEFAULT.withWindowBytes(16 << 20).withDmaData(kept);
        try (RecorderTap tap = RecorderTap.recording(function, file, options)) {
            tap.attach(
                    new MemoryHost() {
                        @Override
                        public CompletionStatus write(
                                int generation, long address, MemorySegment from) {
                            return CompletionStatus.SUCCESS;
                        }
                    });
            return timed(RECORDS / 20, i -> function.host.write(1, i, data));
        } finally {
            Files.delete(file);
        }
    }

    private static double recorded(Path file, int threads) throws Exception {
        try (RecorderTap tap =
                RecorderTap.recording(
                        new QuietFunction(),
                        file,
                        TraceOptions.DEFAULT.withWindowBytes(16 << 20))) {
            if (threads == 1) {
                return access(tap);
            }
            Thread other = Thread.ofPlatform().start(() -> access(tap));
            double mine = access(tap);
            other.join();
            return mine;
        } finally {
            Files.delete(file);
        }
    }
}
