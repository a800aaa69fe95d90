package farslot.cli;

import farslot.lab.ChildProcess;
import farslot.lab.LabException;
import farslot.lab.TemporaryFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Boots a VM whose NVMe disk is a process at the other end of a TCP connection. */
@Command(
        name = "demo",
        header = "Show the whole: a VM uses an NVMe disk of another process",
        description = {
            "",
            "Starts a lender with an NVMe disk, a slot that borrows it over TCP, and a VM in which"
                    + " Debian's own kernel formats, mounts, writes, checks and reads that disk;"
                    + " then counts what its driver did, register by register. Everything it"
                    + " started is gone afterwards. The first time it fetches QEMU and a kernel"
                    + " (see \"farslot lab --help\")."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot demo --trace demo.fst")
final class DemoCommand extends Verb {
    /** How much later than its children this program may notice Ctrl-C. */
    private static final Duration INTERRUPTION = Duration.ofMillis(300);

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description = "Keep the log of all accesses: read it by \"farslot trace show FILE\".")
    Path trace;

    @Option(
            names = "--keep",
            description = "When all is done leave the VM's console to you, until it powers off.")
    boolean keep;

    @Mixin LabOptions lab;

    @Override
    public Integer call() {
        checkTrace();
        try (TemporaryFolder folder = TemporaryFolder.create("farslot-run-");
                Demo demo = new Demo(folder.path(), this::print)) {
            Path file = trace == null ? folder.path().resolve("demo.fst") : trace;
            demo.run(lab, file, keep);
            if (trace != null) {
                print("The log of all accesses is " + trace + ": farslot trace show " + trace);
            }
            demo.endProcesses();
            print("demo: ok");
            return ExitCode.OK;
        } catch (LabException | IOException e) {
            if (ChildProcess.isEndingWithin(INTERRUPTION)) {
                print("demo: interrupted");
                return ExitCode.INTERRUPTED;
            }
            print("demo: failed: " + e.getMessage());
            return ExitCode.FAILED;
        }
    }

    /** A demo of a minute must not fail in its last second. */
    private void checkTrace() {
        if (trace == null) {
            return;
        }
        Path folder = trace.toAbsolutePath().getParent();
        if (Files.exists(trace)) {
            throw usage(trace + " is there already; name another file for --trace.");
        }
        if (!Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw usage(
                    "--trace cannot be written: there is no folder " + folder + " to write to.");
        }
    }

    private void print(String line) {
        out().println(line);
        out().flush();
    }
}
