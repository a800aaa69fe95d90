package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.ForwardingFunction;
import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
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
import java.util.Map;

/**
 * What recording adds to an access, in processor time of the thread that makes it: an access of a
 * function that does nothing, recorded, less the same not recorded. In a process of its own, as a
 * device's is: what other rows have taught Java's compiler is nothing to it.
 */
final class RecorderBench {
    private static final int ACCESSES = 1_000_000;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private RecorderBench() {}

    static Row run(Workbench bench, Rounds rounds) throws IOException {
        int count = rounds.of(ACCESSES);
        Peer recorder = bench.keep(Peer.farSide("recorder", bench.file().toString()));
        Peer memory =
                bench.hasBaselines()
                        ? bench.keep(Peer.program(bench.program("memory"), bench.file()))
                        : null;
        return new Contest(
                        "recorder.access",
                        "ns",
                        Target.ratioAtMost(3),
                        Workbench.turn(recorder, Integer.toString(count)),
                        Workbench.turn(memory, "store " + count))
                .run(rounds, bench.progress());
    }

    /** The recorder's process: for each line, a number of accesses, answers what each costs. */
    static void answer(Path file, PrintStream answers) throws IOException {
        EduKind kind = new EduKind();
        BufferedReader orders =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (DeviceFunction edu =
                DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())))) {
            PciFunction quiet = new Quiet(edu);
            for (String order = orders.readLine(); order != null; order = orders.readLine()) {
                int count = Integer.parseInt(order);
                answers.println(recorded(quiet, file, count) - nanosEach(quiet, count));
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

    private static double nanosEach(PciFunction function, int count) {
        MemorySegment data = Arena.ofAuto().allocate(4);
        long begun = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < count; i++) {
            function.write(0, i & 0xffff, data, 4, PciFunction.ALL_BYTES);
        }
        return (double) (THREADS.getCurrentThreadCpuTime() - begun) / count;
    }
}
