package farslot.cli;

import farslot.lab.Lab;
import farslot.lab.LabException;
import farslot.lab.PreparedLab;
import java.util.function.IntSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Fetches QEMU and a guest into the user's cache folder, without root. */
@Command(
        name = "lab",
        header = "Prepare the virtual machines of tests and demos",
        description = {
            "",
            "Fetches QEMU, Debian's kernel and what a guest needs into the user's cache folder"
                    + " ($XDG_CACHE_HOME/farslot or ~/.cache/farslot), without root: about 150 MB"
                    + " from the Debian mirror that this system uses, checked by apt. The system's"
                    + " own QEMU is used if it has vfio-user-pci (10.1 and newer)."
        },
        subcommands = {
            LabCommand.Prepare.class,
            LabCommand.ShowStatus.class,
            LabCommand.Clean.class
        },
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot lab prepare")
final class LabCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("lab wants one of prepare, status, clean.");
    }

    /** Runs what uses the lab: what it lacks becomes the verb's failure. */
    static int run(IntSupplier body) {
        try {
            return body.getAsInt();
        } catch (LabException e) {
            throw new CommandFailure(ExitCode.LACKING, e.getMessage(), e);
        }
    }

    @Command(
            name = "prepare",
            header = "Fetch what is not there yet, and try whether KVM works",
            optionListHeading = "%nOptions:%n")
    static final class Prepare extends Verb {
        @Override
        public Integer call() {
            return run(() -> {
                Lab lab = Lab.ofUser();
                PreparedLab prepared = lab.prepare(this::say);
                lab.accelerator(prepared, this::say);
                return ExitCode.OK;
            });
        }
    }

    @Command(name = "status", header = "Show what is there", optionListHeading = "%nOptions:%n")
    static final class ShowStatus extends Verb {
        @Mixin JsonOption output;

        @Override
        public Integer call() {
            return run(() -> {
                Lab.Status status = Lab.ofUser().status();
                if (output.json) {
                    Json.print(out(), new Report(status));
                } else {
                    print(status);
                }
                return ExitCode.OK;
            });
        }

        /** What {@code --json} prints. */
        record Report(
                boolean prepared,
                String folder,
                long sizeBytes,
                String qemuVersion,
                boolean systemQemu,
                String kernelVersion,
                String accelerator) {
            Report(Lab.Status status) {
                this(
                        status.prepared(),
                        status.folder().toString(),
                        status.sizeBytes(),
                        status.qemuVersion(),
                        status.systemQemu(),
                        status.kernelVersion(),
                        status.accelerator());
            }
        }

        private void print(Lab.Status status) {
            out().println("prepared     " + (status.prepared() ? "yes" : "no"));
            out().println("folder       " + status.folder());
            out().println("size         " + (status.sizeBytes() + 999_999) / 1_000_000 + " MB");
            String origin = status.systemQemu() ? "the system's" : "the lab's";
            out().println(
                            "QEMU         "
                                    + (status.qemuVersion().isEmpty()
                                            ? "none"
                                            : status.qemuVersion() + ", " + origin));
            out().println("kernel       " + known(status.kernelVersion()));
            out().println("accelerator  " + known(status.accelerator()));
        }

        private static String known(String text) {
            return text.isEmpty() ? "not known yet" : text;
        }
    }

    @Command(
            name = "clean",
            header = "Remove all of it from the cache folder",
            optionListHeading = "%nOptions:%n")
    static final class Clean extends Verb {
        @Override
        public Integer call() {
            return run(() -> {
                Lab.ofUser().clean();
                return ExitCode.OK;
            });
        }
    }
}
