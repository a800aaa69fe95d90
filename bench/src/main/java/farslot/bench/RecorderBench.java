package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.ForwardingFunction;
import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.recorder.TracePoint;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What recording adds to an access, in processor time of the thread that makes it: an access of a
 * function that does nothing, recorded, less the same not recorded. And how many events a second
 * two functions at once can record, each by a thread and into a trace of its own, until both are on
 * their way to the disk; what is lost does not count. And what the place for recorders costs an
 * access of the teaching device where there is none in it. In a process of its own, as a device's
 * is: what other rows have taught Java's compiler is nothing to it.
 */
final class RecorderBench {
    private static final int ACCESSES = 1_000_000;

    /** By each of two functions: twice what is made ready before it is needed, at the most. */
    private static final int SUSTAINED = 2_000_000;

    /** What the place for recorders may cost an access where nothing is recorded. */
    private static final double OFF_NANOS = 10;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private RecorderBench() {}

    static List<Row> run(Workbench bench, Rounds rounds) throws IOException {
        int count = rounds.of(ACCESSES);
        int sustained = rounds.of(SUSTAINED);
        Peer recorder = bench.keep(Peer.farSide("recorder", bench.file().toString()));
        Peer memory =
                bench.hasBaselines()
                        ? bench.keep(Peer.program(bench.program("memory"), bench.file()))
                        : null;
        Contest access =
                new Contest(
                        "recorder.access",
                        "ns",
                        Target.ratioAtMost(3),
                        Workbench.turn(recorder, "access " + count),
                        Workbench.turn(memory, "store " + count));
        Contest both =
                new Contest(
                        "recorder.sustained",
                        "1/s",
                        Target.valueAtLeast(5_000_000),
                        Contest.perSecond(Workbench.turn(recorder, "sustained " + sustained), 1),
                        Contest.perSecond(Workbench.turn(memory, "stores " + sustained), 1));
        Contest off =
                new Contest(
                        "recorder.off",
                        "ns",
                        Target.atMost(1, OFF_NANOS),
                        Workbench.turn(recorder, "off " + count),
                        Workbench.turn(recorder, "bare " + count));
        return List.of(
                access.run(rounds, bench.progress()),
                both.run(rounds, bench.progress()),
                off.run(rounds, bench.progress()));
    }

    /**
     * The recorder's process: answers for each line, what is to be measured and a number of
     * accesses, how many nanoseconds each takes.
     */
    static void answer(Path file, PrintStream answers) throws IOException {
        EduKind kind = new EduKind();
        BufferedReader orders =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (DeviceFunction edu =
                DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())))) {
            PciFunction quiet = new Quiet(edu);
            PciFunction point = new TracePoint(edu);
            for (String order = orders.readLine(); order != null; order = orders.readLine()) {
                int count = Integer.parseInt(order.substring(order.indexOf(' ') + 1));
                answers.println(
                        switch (order.substring(0, order.indexOf(' '))) {
                            case "access" -> recorded(quiet, file, count) - nanosEach(quiet, count);
                            case "sustained" -> sustained(quiet, file, count);
                            case "off" -> nanosEach(point, count);
                            case "bare" -> nanosEach(edu, count);
                            default -> throw new IllegalArgumentException(order);
                        });
            }
        } catch (DeviceCreationException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static final class Quiet extends ForwardingFunction {
        Quiet(PciFunction next) {
            super(next);
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
            return CompletionStatus.SUCCESS;
        }
    }

    private static double recorded(PciFunction function, Path file, int count) throws IOException {
        try (RecorderTap tap = RecorderTap.recording(function, file, TraceOptions.DEFAULT)) {
            return nanosEach(tap, count);
        } catch (TraceException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** For each of the events of two functions, which are kept. */
    private static double sustained(PciFunction function, Path file, int count) throws IOException {
        List<Path> files = List.of(file.resolveSibling("a.fst"), file.resolveSibling("b.fst"));
        AtomicLong lost = new AtomicLong();
        AtomicReference<IOException> failed = new AtomicReference<>();
        long begun = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        for (Path each : files) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    lost.addAndGet(use(function, each, count));
                                } catch (IOException e) {
                                    failed.set(e);
                                }
                            }));
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
        long nanos = System.nanoTime() - begun;
        for (Path each : files) {
            Files.deleteIfExists(each);
        }
        if (failed.get() != null) {
            throw failed.get();
        }
        return (double) nanos / (2L * count - lost.get());
    }

    private static long use(PciFunction function, Path file, int count) throws IOException {
        RecorderTap tap = RecorderTap.recording(function, file, TraceOptions.DEFAULT);
        nanosEach(tap, count);
        tap.close();
        return tap.trace().lost();
    }

    private static double nanosEach(PciFunction function, int count) {
        MemorySegment data = Arena.ofAuto().allocate(4);
        long begun = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < count; i++) {
            function.write(0, i & 0xffff, data, 4, PciFunction.ALL_BYTES);
        }
        return (double) (THREADS.getCurrentThreadCpuTime() - begun) / count;
    }
}
