package farslot.cli;

import farslot.link.Entry;
import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import java.util.LinkedHashMap;
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

    @Mixin JsonOption output;

    /** The process to ask. */
    final Place process() {
        return Processes.ofUser().find(name, roles.orElse(Role.SLOT, Role.LENDER));
    }

    /** The kind of the function there. */
    final String kind(Place process) {
        if (process.role() == Role.SLOT) {
            return Processes.operate(process, "status", Map.of())
                    .getFirst()
                    .getOrDefault("kind", "");
        }
        return Processes.list(process.address(), false).stream()
                .filter(entry -> entry.name().equals(name))
                .map(Entry::kind)
                .findFirst()
                .orElse("");
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
