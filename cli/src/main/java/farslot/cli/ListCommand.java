package farslot.cli;

import farslot.link.Address;
import farslot.link.Entry;
import farslot.link.RuntimeDirectory.Role;
import farslot.registers.Nearest;
import farslot.registers.PciNames;
import farslot.slot.FunctionAddress;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists the functions that a lender offers, and who has them. */
@Command(
        name = "list",
        header = "List what a lender lends",
        description = {
            "%nLists the functions that a machine's lender offers, who has each, and since when.",
            "Without a machine: all that this user's lenders on this one offer."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot list @machine")
final class ListCommand extends Verb {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    /** What a lender's summary begins with, where it is of a PCI function. */
    private static final Pattern IDENTITY =
            Pattern.compile("([0-9a-f]{4}):([0-9a-f]{4}) class ([0-9a-f]{6})");

    @Parameters(
            arity = "0..1",
            paramLabel = "[NAME]@MACHINE[:PORT]",
            description = "Whose functions; with a name that one alone.")
    String where;

    @Option(
            names = "--insecure",
            description = "Use TCP as it is: nothing proves who answers, nothing is encrypted.")
    boolean insecure;

    @Mixin JsonOption output;

    @Override
    public Integer call() {
        List<Listed> entries =
                entries(this, where, insecure).stream()
                        .map(entry -> Listed.of(entry, PciNames.ofSystem()))
                        .toList();
        if (output.json) {
            Json.print(out(), entries);
            return ExitCode.OK;
        }
        Table table = new Table("NAME", "KIND", "FUNCTION", "STATE", "BORROWER", "SINCE");
        boolean nameless = false;
        for (Listed entry : entries) {
            boolean taken = !entry.borrower.isEmpty();
            table.row(
                    entry.name,
                    entry.kind,
                    entry.function,
                    entry.state(),
                    taken ? entry.borrower : "-",
                    taken ? TIME.format(Instant.ofEpochMilli(entry.sinceMillis)) : "-");
            nameless |= !entry.isNamedBy(PciNames.ofSystem());
        }
        table.print(out());
        if (nameless && PciNames.ofSystem().source().isEmpty()) {
            say(PciNames.ADVICE);
        }
        return ExitCode.OK;
    }

    /**
     * An entry as it is printed.
     *
     * @param function its summary with the names of vendor, device and class, as far as they are
     *     known
     */
    record Listed(
            String name,
            String kind,
            String summary,
            String function,
            int generation,
            String borrower,
            long sinceMillis,
            Map<String, String> details) {
        static Listed of(Entry entry, PciNames names) {
            Matcher ids = IDENTITY.matcher(entry.summary());
            return new Listed(
                    entry.name(),
                    entry.kind(),
                    entry.summary(),
                    ids.matches()
                            ? names.describe(id(ids, 1), id(ids, 2), id(ids, 3))
                            : entry.summary(),
                    entry.generation(),
                    entry.borrower(),
                    entry.sinceMillis(),
                    entry.details());
        }

        private static int id(Matcher ids, int group) {
            return Integer.parseInt(ids.group(group), 16);
        }

        boolean isNamedBy(PciNames names) {
            Matcher ids = IDENTITY.matcher(summary);
            return !ids.matches() || names.device(id(ids, 1), id(ids, 2)).isPresent();
        }

        String state() {
            String state = details.getOrDefault("state", borrower.isEmpty() ? "free" : "lent");
            return details.containsKey("insecure") ? state + ", insecure" : state;
        }
    }

    /**
     * What is lent there.
     *
     * @param verb whose argument it is
     * @param where {@code [NAME]@MACHINE[:PORT]}, or null for all of this user's lenders
     */
    static List<Entry> entries(Verb verb, String where, boolean insecure) {
        FunctionAddress address;
        try {
            address = FunctionAddress.parseAny(where == null ? "" : where);
        } catch (IllegalArgumentException e) {
            throw verb.usage(e.getMessage());
        }
        List<Entry> entries =
                address.isHere() ? ofThisMachine() : Processes.list(address.address(), insecure);
        if (address.name().isEmpty()) {
            return entries;
        }
        List<Entry> named =
                entries.stream().filter(entry -> entry.name().equals(address.name())).toList();
        if (named.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.NOT_FOUND,
                    "No function \""
                            + address.name()
                            + "\" is lent there"
                            + Nearest.question(
                                    address.name(), entries.stream().map(Entry::name).toList()));
        }
        return named;
    }

    private static List<Entry> ofThisMachine() {
        List<Entry> entries = new ArrayList<>();
        for (Map<String, String> process : Processes.ofUser().running()) {
            if (Role.LENDER.label().equals(process.get("role"))
                    && process.containsKey("addresses")) {
                Address control = Address.parse(process.get("addresses").split(" ", 2)[0]);
                entries.addAll(Processes.list(control, false));
            }
        }
        return entries;
    }
}
