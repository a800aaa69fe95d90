package farslot.cli;

import farslot.link.RuntimeDirectory.Role;
import java.util.List;
import picocli.CommandLine.Option;

/** The {@code --role} of verbs that go to a process by its name. */
final class RoleOption {
    @Option(
            names = "--role",
            paramLabel = "ROLE",
            description = "Mean the lender, slot or vm of that name: ${COMPLETION-CANDIDATES}.")
    Role role;

    /** The roles to look for. */
    List<Role> orElse(Role... roles) {
        return role == null ? List.of(roles) : List.of(role);
    }
}
