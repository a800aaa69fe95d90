package farslot.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;

/** Prints the script that completes verbs and options in bash and zsh. */
@Command(
        name = "completion",
        header = "Print the shell's completion script (bash, zsh)",
        description = "%nPrints a script that completes verbs and options in bash and zsh.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  source <(farslot completion)")
final class CompletionCommand extends Verb {
    @Override
    public Integer call() {
        out().print(AutoComplete.bash(Program.NAME, spec.root().commandLine()));
        return ExitCode.OK;
    }
}
