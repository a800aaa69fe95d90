package farslot.cli;

import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Gives a borrowed function back: by its slot's name, or taken back by its own. */
@Command(
        name = "return",
        header = "Return a borrowed function",
        description = {
            "%nBy a slot's name: the slot returns its function and ends.",
            "By the name of a function that is lent on this machine: its lender takes it back, and"
                    + " does not lend it to that slot again for half a minute, so that another can"
                    + " have it."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot return n0-slot")
final class ReturnCommand extends Verb {
    @Parameters(paramLabel = "NAME", description = "A slot's, or a lent function's.")
    String name;

    @Mixin RoleOption roles = new RoleOption();

    @Override
    public Integer call() {
        Place place = Processes.ofUser().find(name, roles.orElse(Role.SLOT, Role.LENDER));
        Map<String, String> arguments =
                place.role() == Role.LENDER ? Map.of("function", name) : Map.of();
        List<Map<String, String>> result = Processes.operate(place, "return", arguments);
        if (place.role() == Role.LENDER && !result.isEmpty()) {
            say(name + " is taken back from " + result.getFirst().get("borrower") + ".");
        } else {
            say("The slot " + name + " returns its function and ends.");
        }
        return ExitCode.OK;
    }
}
