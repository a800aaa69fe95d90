package farslot.cli;

import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** What {@code peek} and {@code poke} share: whose register, and how the result is printed. */
abstract class RegisterAccessVerb extends Verb {
    @Parameters(
            index = "0",
            paramLabel = "NAME",
            description = "A slot's, or a function's that is lent on this machine.")
    String name;

    @Mixin RoleOption roles = new RoleOption();

    @Mixin MapOption maps;

    @Mixin JsonOption output;

    /** The process to ask. */
    final Place process() {
        return Processes.ofUser().find(name, roles.orElse(Role.SLOT, Role.LENDER));
    }

    /** What the function there tells of itself. */
    final List<Map<String, String>> description(Place process) {
        Map<String, String> arguments =
                process.role() == Role.LENDER ? Map.of("function", name) : Map.of();
        return Processes.operate(process, "describe", arguments);
    }

    /** Does the action and prints what the register has. */
    final void operate(Place process, String action, RegisterPlace place, String value) {
        Map<String, String> arguments = place.arguments();
        if (process.role() == Role.LENDER) {
            arguments.put("function", name);
        }
        if (value != null) {
            arguments.put("value", value);
        }
        Map<String, String> row =
                new LinkedHashMap<>(Processes.operate(process, action, arguments).getFirst());
        row.put("name", place.name());
        row.put("fields", place.fields(RegisterPlace.number(row.get("value"))));
        if (output.json) {
            Json.print(out(), row);
        } else {
            String line =
                    row.get("region")
                            + "+"
                            + row.get("offset")
                            + "  "
                            + row.get("name")
                            + "  "
                            + row.get("value")
                            + "  "
                            + row.get("fields");
            out().println(line.stripTrailing());
        }
    }
}
