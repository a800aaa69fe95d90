package farslot.cli;

import farslot.sdk.BadOptionException;
import farslot.sdk.DeviceKind;
import farslot.sdk.DeviceKinds;
import farslot.sdk.Option;
import java.io.PrintWriter;

/** What {@code farslot lend KIND,help} prints. */
final class DeviceHelp {
    private DeviceHelp() {}

    static void print(PrintWriter out, String kindName) {
        DeviceKind kind;
        try {
            kind = DeviceKinds.named(kindName);
        } catch (BadOptionException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
        out.println(kind.kind() + ": " + kind.summary() + ".");
        Table table = new Table("OPTION", "DEFAULT", "MEANING");
        table.row("name=NAME", kind.kind() + "0, ...", "Under which it is lent");
        for (Option option : kind.options()) {
            String without =
                    option.required()
                            ? "required"
                            : option.defaultValue() == null ? "none" : option.defaultValue();
            table.row(option.synopsis(), without, option.doc());
        }
        table.print(out);
    }
}
