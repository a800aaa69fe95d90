package farslot.cli;

import farslot.bench.AccessBench;
import farslot.bench.DiskBench;
import farslot.bench.Measured;
import farslot.bench.Throughput;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs and prints {@link AccessBench} and {@link DiskBench}. */
@Command(
        name = "bench",
        header = "Measure register accesses and DMA on every path",
        description = {
            "",
            "Measures 4-byte reads and posted writes of a register, in this process and through every"
                    + " kind of link, with and without the recorder, as a ratio to what a bare"
                    + " socket costs in the same rounds. Use the ratios: the times belong to the"
                    + " machine and its load.",
            "Then reads an NVMe disk on each path, and checks what came."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot bench --rounds 9 --json")
final class BenchCommand extends Verb {
    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "Turns that each path has. Default: ${DEFAULT-VALUE}.")
    int rounds = 5;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Reads, and writes, in each turn. Default: ${DEFAULT-VALUE}.")
    int count = 5000;

    @Option(
            names = "--disk",
            paramLabel = "MIB",
            description =
                    "What each turn reads of the disk; 0 to leave it out. Default: ${DEFAULT-VALUE}.")
    int mebibytes = 32;

    @Mixin JsonOption output;

    /** What {@code --json} prints. */
    record Report(List<Measured> accesses, List<Throughput> disk) {}

    @Override
    public Integer call() {
        if (rounds < 1 || count < 1 || rounds > 1000 || count > 1_000_000) {
            throw usage("--rounds is 1 to 1000, --count 1 to 1000000.");
        }
        if (mebibytes < 0 || mebibytes > 4096) {
            throw usage("--disk is 0 to 4096.");
        }
        Logging.warningsOnly();
        List<Measured> accesses;
        List<Throughput> disk = List.of();
        try {
            accesses = AccessBench.run(rounds, count, this::say);
            if (mebibytes > 0) {
                disk = DiskBench.run(rounds, mebibytes, this::say);
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "The measurement broke off: " + e.getMessage(), e);
        }
        if (output.json) {
            Json.print(out(), new Report(accesses, disk));
        } else {
            print(accesses);
            printDisk(disk);
        }
        return ExitCode.OK;
    }

    private void print(List<Measured> all) {
        Table table = new Table("PATH", "READ µs", "P99 µs", "RATIO", "WRITE µs", "RATIO", "TO");
        for (Measured one : all) {
            table.row(
                    one.path(),
                    micros(one.readMedianNanos()),
                    micros(one.readP99Nanos()),
                    ratio(one.readRatio()),
                    micros(one.writeNanos()),
                    ratio(one.writeRatio()),
                    one.baseline() == null ? "" : one.baseline());
        }
        table.print(out());
    }

    private void printDisk(List<Throughput> disk) {
        if (disk.isEmpty()) {
            return;
        }
        out().println();
        Table table = new Table("DISK READ", "MB/s", "RATIO");
        for (Throughput one : disk) {
            String rate = String.format(Locale.ROOT, "%.0f", one.megabytesPerSecond());
            table.row(one.path(), rate, ratio(one.ratio()));
        }
        table.print(out());
    }

    private static String micros(double nanos) {
        return String.format(Locale.ROOT, "%.2f", nanos / 1000);
    }

    private static String ratio(double ratio) {
        return ratio == 0 ? "-" : String.format(Locale.ROOT, "%.2f", ratio);
    }
}
