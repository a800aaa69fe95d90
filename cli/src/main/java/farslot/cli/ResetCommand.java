package farslot.cli;

import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Resets a function, borrowed or not. */
@Command(
        name = "reset",
        header = "Reset a function",
        description = {
            "%nResets a function in its order, also while it is borrowed: its driver will notice."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot reset n0 --kind flr")
final class ResetCommand extends Verb {
    @Parameters(paramLabel = "NAME", description = "A slot's, or a lent function's.")
    String name;

    @Option(
            names = "--kind",
            defaultValue = "flr",
            description = "flr (function level), hot or cold. Default: ${DEFAULT-VALUE}.")
    String kind;

    @Mixin RoleOption roles = new RoleOption();

    @Override
    public Integer call() {
        Place place = Processes.ofUser().find(name, roles.orElse(Role.SLOT, Role.LENDER));
        Map<String, String> arguments = new LinkedHashMap<>();
        arguments.put("kind", kind);
        if (place.role() == Role.LENDER) {
            arguments.put("function", name);
        }
        Map<String, String> row = Processes.operate(place, "reset", arguments).getFirst();
        say(name + " is reset; it is generation " + row.get("generation") + " now.");
        return ExitCode.OK;
    }
}
