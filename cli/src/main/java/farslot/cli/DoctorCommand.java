package farslot.cli;

import farslot.cli.Diagnosis.Finding;
import farslot.cli.Diagnosis.State;
import farslot.lab.Lab;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints a {@link Diagnosis}. */
@Command(
        name = "doctor",
        header = "Say what this machine has and lacks",
        description = {
            "",
            "Looks at Java, processors, memory, QEMU, the lab, KVM, VFIO, limits, names and tools, by trying"
                    + " where that is the only way to know, and says what to do about what is"
                    + " lacking.",
            "",
            "Ends with exit code 5 where something is lacking that most people need."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = {"  farslot doctor", "  farslot doctor --json"})
final class DoctorCommand extends Verb {
    @Mixin JsonOption output;

    @Override
    public Integer call() {
        List<Finding> findings = Diagnosis.make(Lab.ofUser(), this::say);
        if (output.json) {
            Json.print(out(), findings);
        } else {
            print(findings);
        }
        boolean lacking = findings.stream().anyMatch(f -> f.state() == State.LACKING);
        return lacking ? ExitCode.LACKING : ExitCode.OK;
    }

    private void print(List<Finding> findings) {
        for (Finding finding : findings) {
            out().printf(
                            "%-8s  %-14s  %s%n",
                            finding.state().name().toLowerCase(Locale.ROOT),
                            finding.name(),
                            finding.found());
            if (!finding.advice().isEmpty()) {
                out().printf("%26s%s%n", "", finding.advice());
            }
        }
    }
}
