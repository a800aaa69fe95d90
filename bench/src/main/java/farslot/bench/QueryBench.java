package farslot.bench;

import com.sun.management.OperatingSystemMXBean;
import farslot.analysis.query.Answer;
import farslot.analysis.query.QueryOptions;
import farslot.analysis.query.TraceDatabase;
import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.ForwardingFunction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.devices.nvme.NvmeKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.sdk.DeviceFunction;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * How long it takes until a long trace, which nobody asked before, answers SQL, and how long a
 * question over all of it takes then. Each reading is a process of its own, from its start.
 *
 * <p>The trace is what the recorder makes of a driver of {@code nvme} that does one command after
 * another: doorbell, fetch, data, completion, interrupt, doorbell; in each fourth it also looks at
 * four registers. Nothing but the recorder runs for it, so it is made in seconds.
 *
 * <p>The baseline is DuckDB alone: it reads the same table from the Parquet files that the trace
 * became, and writes it to Parquet in the same form, so it has all of DuckDB's work and none of
 * ours.
 */
final class QueryBench {
    private static final int EVENTS = 20_000_000;

    /** Less is not kept as Parquet. */
    private static final int LEAST_EVENTS = 800_000;

    /** Each takes 20 s or so; the file is read from memory in all of them. */
    private static final int ROUNDS = 3;

    private static final Target READY = Target.valueAtMost(15);
    private static final Target GROUPED = Target.valueAtMost(500);
    private static final TraceOptions OPTIONS =
            TraceOptions.DEFAULT.withLimitBytes(8L << 30).withPatienceMillis(600_000);

    private static final String GROUP =
            "SELECT region, offset, count(*) FROM events GROUP BY region, offset";

    private QueryBench() {}

    static List<Row> run(Workbench bench, Rounds rounds) throws IOException {
        Path trace = bench.file();
        make(bench.file(), trace, Math.max(rounds.of(EVENTS), LEAST_EVENTS));
        int count = rounds.part() == 1 ? ROUNDS : 1;
        List<Took> asked = new ArrayList<>();
        List<Took> bare = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            bench.progress().accept("trace.query: " + i + " of " + count);
            Path kept = bench.file();
            asked.add(Took.by("asker", trace, kept));
            bare.add(Took.by("bare-asker", kept, bench.file()));
        }
        Files.delete(trace);
        return List.of(
                row("trace.query.ready", "s", READY, asked, bare, Took::seconds),
                row("trace.query.processor", "s", Target.NONE, asked, bare, Took::processor),
                row("trace.query.group", "ms", GROUPED, asked, bare, Took::groupMillis));
    }

    /**
     * Of one process.
     *
     * @param seconds from its start until it could be asked
     * @param processor of all its threads until then, in seconds
     * @param groupMillis for the question
     */
    private record Took(double seconds, double processor, double groupMillis) {
        static Took by(String kind, Path from, Path to) throws IOException {
            long begun = System.nanoTime();
            try (Peer peer = Peer.farSide(kind, from.toString(), to.toString())) {
                double processor = Double.parseDouble(peer.line());
                double seconds = (System.nanoTime() - begun) / 1e9;
                return new Took(seconds, processor, Double.parseDouble(peer.line()));
            }
        }
    }

    private static Row row(
            String name,
            String unit,
            Target target,
            List<Took> asked,
            List<Took> bare,
            ToDoubleFunction<Took> figure)
            throws IOException {
        Iterator<Took> ours = asked.iterator();
        Iterator<Took> others = bare.iterator();
        Contest contest =
                new Contest(
                        name,
                        unit,
                        target,
                        () -> figure.applyAsDouble(ours.next()),
                        () -> figure.applyAsDouble(others.next()));
        return contest.run(new Rounds(0, asked.size(), 1), said -> {});
    }

    /** Records so many events of a driver that does one command after another. */
    static void make(Path image, Path trace, int events) throws IOException {
        Map<String, String> options = Map.of("image", image.toString(), "size", "1M");
        try (DeviceFunction nvme = FarSide.device(new NvmeKind(), options)) {
            record(new Quiet(nvme), trace, events);
        }
        try (TraceReader reader = TraceReader.open(trace)) {
            if (reader.lost() > 0) {
                throw new IOException(reader.lost() + " events were lost: is the disk full?");
            }
        }
    }

    private static void record(Quiet quiet, Path trace, int events) throws IOException {
        try (RecorderTap tap = RecorderTap.recording(quiet, trace, OPTIONS)) {
            tap.attach(new Driver());
            Arena arena = Arena.ofAuto();
            MemorySegment word = arena.allocate(Integer.BYTES);
            MemorySegment entry = arena.allocate(64);
            MemorySegment completion = arena.allocate(16);
            MemorySegment page = arena.allocate(4096);
            PciHost host = quiet.host;
            for (int command = 0, made = 0; made < events; command++) {
                word.set(ValueLayout.JAVA_INT, 0, command & 0x3ff);
                entry.set(ValueLayout.JAVA_LONG, 0, command);
                completion.set(ValueLayout.JAVA_LONG, 0, command);
                tap.write(0, 0x1008, word, 4, PciFunction.ALL_BYTES);
                host.read(1, 0x10_0000 + command % 1024 * 64L, entry);
                host.write(1, 0x4000_0000L + command % 4096 * 4096L, page);
                host.write(1, 0x20_0000 + command % 1024 * 16L, completion);
                host.interrupt(1, InterruptKind.MSIX, 1);
                tap.write(0, 0x100c, word, 4, PciFunction.ALL_BYTES);
                made += 6;
                if (command % 4 == 0) {
                    tap.read(0, 0, entry.asSlice(0, 8), 8);
                    tap.read(0, 0x14, word, 4);
                    tap.read(0, 0x1c, word, 4);
                    tap.read(Region.CONFIGURATION, 4, word, 4);
                    made += 4;
                }
            }
        }
    }

    private static final class Quiet extends ForwardingFunction {
        PciHost host;

        Quiet(PciFunction next) {
            super(next);
        }

        @Override
        public void attach(PciHost newHost) {
            host = newHost;
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int width, long byteEnables) {
            return CompletionStatus.SUCCESS;
        }
    }

    private static final class Driver implements PciHost {
        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            return CompletionStatus.SUCCESS;
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction wanted) {
            return null;
        }

        @Override
        public boolean servedWhileWaiting(long address, long length) {
            return true;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {}

        @Override
        public void event(FunctionEvent event) {}
    }

    /** The process that asks a trace that was never asked. */
    static void ask(Path trace, Path kept, PrintStream answers) throws Exception {
        try (TraceDatabase database = TraceDatabase.empty(QueryOptions.of(kept))) {
            database.read(List.of(new TraceDatabase.Trace("t", trace, TraceNames::of)));
            answers.println(processorSeconds());
            long begun = System.nanoTime();
            try (Answer answer = database.ask(GROUP)) {
                while (answer.next() != null) {
                    // To the last row.
                }
            }
            answers.println((System.nanoTime() - begun) / 1e6);
        }
    }

    /** The process that makes of the table that was kept another, by DuckDB alone. */
    static void askBare(Path kept, Path folder, PrintStream answers) throws Exception {
        Files.createDirectory(folder);
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            String table = folder.resolve("t.parquet").toString();
            statement.execute(
                    "COPY (SELECT * FROM read_parquet('"
                            + kept.resolve("parts")
                            + "/*.parquet')) TO '"
                            + table
                            + "' "
                            + TraceDatabase.KEPT_FORM);
            answers.println(processorSeconds());
            long begun = System.nanoTime();
            String question = GROUP.replace("events", "read_parquet('" + table + "')");
            try (ResultSet rows =
                    statement.executeQuery(question.replace(" offset", " \"offset\""))) {
                while (rows.next()) {
                    // To the last row.
                }
            }
            answers.println((System.nanoTime() - begun) / 1e6);
        }
    }

    private static double processorSeconds() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime()
                / 1e9;
    }
}
