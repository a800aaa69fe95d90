package farslot.cli;

import farslot.lender.LendingException;
import farslot.lender.Limits;
import farslot.lender.Policy;
import farslot.lender.PolicyFile;
import farslot.lender.Right;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tries a lender's policy file. */
@Command(
        name = "policy",
        header = "Try a lender's policy file",
        description = {
            "%nA policy file says who may borrow, observe and operate which functions; \"farslot lend"
                    + " --policy FILE\" uses it. docs/security.md says what may stand there."
        },
        subcommands = PolicyCommand.Check.class,
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot policy check policy.toml --as alice")
final class PolicyCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("policy wants check.");
    }

    /** Reads a policy file and says what it allows. */
    @Command(
            name = "check",
            header = "Read a policy file and print what it allows",
            optionListHeading = "%nOptions:%n")
    static final class Check extends Verb {
        @Parameters(paramLabel = "FILE", description = "The policy file.")
        Path file;

        @Option(
                names = "--as",
                paramLabel = "SUBJECT",
                description =
                        "Only what this one may do: a certificate's name, user:NAME, or anybody for"
                                + " whoever proves nothing.")
        String subject;

        @Mixin JsonOption output;

        /** What {@code --json} prints. */
        record Report(String file, List<Allowed> allowed, Limits limits) {}

        /** One permission of the report. */
        record Allowed(List<String> who, List<String> may, List<String> functions, String where) {}

        @Override
        public Integer call() {
            Policy policy;
            try {
                policy = PolicyFile.open(file).policy();
            } catch (LendingException e) {
                throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
            }
            List<Allowed> allowed = new ArrayList<>();
            for (Policy.Rule rule : policy.rules()) {
                if (subject == null
                        || rule.who().contains(subject)
                        || rule.who().contains(Policy.ANYBODY)) {
                    allowed.add(
                            new Allowed(
                                    rule.who(),
                                    rule.rights().stream().sorted().map(Right::word).toList(),
                                    rule.functions(),
                                    rule.origin()));
                }
            }
            if (output.json) {
                Json.print(out(), new Report(file.toString(), allowed, policy.limits()));
                return ExitCode.OK;
            }
            Table table = new Table("WHO", "MAY", "FUNCTIONS", "WHERE");
            for (Allowed rule : allowed) {
                table.row(
                        subject != null ? subject : String.join(" ", rule.who()),
                        String.join(" ", rule.may()),
                        String.join(" ", rule.functions()),
                        rule.where());
            }
            table.print(out());
            if (allowed.isEmpty()) {
                say((subject == null ? "Nobody" : subject) + " may do nothing by this file.");
            }
            return ExitCode.OK;
        }
    }
}
