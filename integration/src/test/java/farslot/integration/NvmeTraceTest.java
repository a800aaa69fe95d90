package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.Decoders;
import farslot.analysis.TransactionReader;
import farslot.analysis.diff.DiffReport;
import farslot.analysis.diff.TraceDiff;
import farslot.core.PciFunction;
import farslot.devices.nvme.DriverRun;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.sdk.decode.Transaction;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What traces of the disk controller say of what its driver did. */
@Timeout(60)
class NvmeTraceTest {
    private static final int TRANSFERS = 20;

    @TempDir Path folder;

    private RecorderTap recorder;

    private PciFunction recorded(PciFunction function, Path trace) {
        try {
            TraceOptions options =
                    TraceOptions.DEFAULT
                            .withDmaData(TraceOptions.DmaData.FULL)
                            .withWindowBytes(1 << 16);
            recorder = RecorderTap.recording(function, trace, options);
            return recorder;
        } catch (TraceException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Records a driver that does one thing after another. */
    private Path run(String name, Route route, long seed) throws Exception {
        Path trace = folder.resolve(name + ".fst");
        try (Route.Open open =
                new Route.Open(
                        route,
                        folder.resolve("disk"), // whose name the serial number is made of
                        function -> recorded(function, trace),
                        UnaryOperator.identity())) {
            new DriverRun(open.driver, open.driver::reset, seed, note -> {}).inOrder(TRANSFERS);
        } finally {
            recorder.close();
        }
        return trace;
    }

    @Test
    void shouldShowEveryCommandWithItsStages() throws Exception {
        List<Transaction> commands = new ArrayList<>();
        List<String> remarks;
        try (TraceReader reader = TraceReader.open(run("t", Route.VFIO_USER_THEN_TCP, 20))) {
            TransactionReader transactions =
                    new TransactionReader(reader, Decoders.of(reader.description()));
            for (Transaction one = transactions.next(); one != null; one = transactions.next()) {
                if (one.stream().matches("SQ[1-9]")) {
                    commands.add(one);
                }
            }
            remarks = transactions.remarks();
        }
        assertEquals(List.of(), remarks);
        assertTrue(commands.size() >= 2 * TRANSFERS, commands.size() + " commands");
        for (Transaction command : commands) {
            assertEquals(Transaction.SUCCESS, command.status(), command.toString());
            String stages =
                    String.join(
                            " ", command.stages().stream().map(Transaction.Stage::name).toList());
            assertTrue(
                    stages.matches("doorbell fetch( data)? completion interrupt acknowledged"),
                    stages);
        }
    }

    /** Runs of one driver are alike wherever the device is; another one does other things. */
    @Test
    void shouldFindTheSameInTwoRunsOfOneDriver() throws Exception {
        Path one = run("one", Route.DIRECT, 7);
        Path other = run("other", Route.VFIO_USER_THEN_TCP, 7);
        DiffReport report = ofQueues(TraceDiff.of(one, other, NvmeTraceTest::names));
        assertTrue(report.same(), () -> String.join("\n", report.lines(0)));
        assertTrue(
                report.streams().stream().mapToLong(DiffReport.StreamCounts::same).sum()
                        > 2 * TRANSFERS);
        DiffReport same = TraceDiff.of(one, one, NvmeTraceTest::names);
        assertTrue(same.same(), () -> String.join("\n", same.lines(0)));

        DiffReport differing =
                TraceDiff.of(one, run("third", Route.DIRECT, 8), NvmeTraceTest::names);
        assertFalse(differing.same());
        assertTrue(
                differing.groups().stream()
                        .anyMatch(group ->
                                group.stream().equals("SQ1")
                                        && group.examples().getFirst().values().stream()
                                                .anyMatch(value -> value.name().equals("SLBA"))));
    }

    private static TraceNames names(TraceReader reader) {
        return TraceNames.of(reader.description());
    }

    /** How a slot begins and ends with a function is its own affair. */
    private static DiffReport ofQueues(DiffReport report) {
        return new DiffReport(
                report.a(),
                report.b(),
                report.description(),
                report.streams().stream()
                        .filter(stream -> stream.stream().matches("SQ\\d+"))
                        .toList(),
                report.groups().stream().filter(group -> group.stream().matches("SQ\\d+")).toList(),
                report.leftOut());
    }
}
