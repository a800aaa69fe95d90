package farslot.cli;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.Entry;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory.Role;
import farslot.slot.FunctionAddress;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows leases, and ends one. */
@Command(
        name = "lease",
        header = "Show who has what and who waits; end a lease",
        description = {
            "%nA lease is the right of one slot to one function. Its lender grants it, and ends it when"
                    + " the slot returns the function, is gone, or an operator says so."
        },
        subcommands = {LeaseCommand.Show.class, LeaseCommand.Break.class},
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot lease list @machine:6727",
            "  farslot lease break n0 --reason \"needed for the release\""
        })
final class LeaseCommand extends Verb {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    @Override
    public Integer call() {
        throw usage("lease wants one of list, break.");
    }

    /** Lists leases and queues. */
    @Command(
            name = "list",
            header = "List each function with its borrower and who waits for it",
            optionListHeading = "%nOptions:%n")
    static final class Show extends Verb {
        @Parameters(
                arity = "0..1",
                paramLabel = "[NAME]@MACHINE[:PORT]",
                description = "Whose; without a machine, all of this user's lenders on this one.")
        String where;

        @Option(names = "--insecure", description = "Allow TCP where nothing proves who answers.")
        boolean insecure;

        @Mixin JsonOption output;

        /** One line of the report; a time is in milliseconds since 1970, 0 for none. */
        record Lease(
                String function,
                String state,
                String borrower,
                long sinceMillis,
                long epoch,
                String session,
                long awaySinceMillis,
                int waiting,
                String queue) {
            Lease(Entry entry) {
                this(
                        entry.name(),
                        entry.details().getOrDefault("state", ""),
                        entry.borrower(),
                        entry.sinceMillis(),
                        number(entry, "epoch"),
                        entry.details().getOrDefault("session", ""),
                        number(entry, "away-since"),
                        (int) number(entry, "waiting"),
                        entry.details().getOrDefault("queue", ""));
            }

            private static long number(Entry entry, String detail) {
                String text = entry.details().getOrDefault(detail, "0");
                return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
            }
        }

        @Override
        public Integer call() {
            List<Lease> leases =
                    ListCommand.entries(this, where, insecure).stream().map(Lease::new).toList();
            if (output.json) {
                Json.print(out(), leases);
                return ExitCode.OK;
            }
            Table table =
                    new Table(
                            "FUNCTION", "STATE", "BORROWER", "SINCE", "EPOCH", "SESSION", "QUEUE");
            for (Lease lease : leases) {
                boolean taken = !lease.borrower().isEmpty();
                table.row(
                        lease.function(),
                        lease.state(),
                        taken ? lease.borrower() : "-",
                        taken ? time(lease.sinceMillis()) : "-",
                        lease.epoch() == 0 ? "-" : lease.epoch(),
                        session(lease),
                        lease.waiting() == 0 ? "-" : lease.waiting() + ": " + lease.queue());
            }
            table.print(out());
            return ExitCode.OK;
        }

        private static String session(Lease lease) {
            if (lease.session().isEmpty()) {
                return "-";
            }
            return lease.awaySinceMillis() == 0
                    ? lease.session()
                    : lease.session() + " since " + time(lease.awaySinceMillis());
        }

        private static String time(long millis) {
            return TIME.format(Instant.ofEpochMilli(millis));
        }
    }

    /** Ends a lease by an operator's order. */
    @Command(
            name = "break",
            header = "Take a function back from the slot that has it",
            description = {
                "%nThe slot is told, and cannot borrow the function again for half a minute, so that"
                        + " another can have it. The function is reset, as after every lease."
            },
            optionListHeading = "%nOptions:%n")
    static final class Break extends Verb {
        @Parameters(paramLabel = "NAME[@MACHINE[:PORT]]", description = "A lent function.")
        String what;

        @Option(names = "--reason", paramLabel = "TEXT", description = "What its slot is told.")
        String reason;

        @Option(names = "--insecure", description = "Allow TCP where nothing proves who answers.")
        boolean insecure;

        @Override
        public Integer call() {
            FunctionAddress address;
            try {
                address = FunctionAddress.parse(what);
            } catch (IllegalArgumentException e) {
                throw usage(e.getMessage());
            }
            Address lender =
                    address.isHere()
                            ? Processes.ofUser()
                                    .find(address.name(), List.of(Role.LENDER))
                                    .address()
                            : address.address();
            Map<String, String> arguments = new LinkedHashMap<>();
            arguments.put("function", address.name());
            if (reason != null) {
                arguments.put("reason", reason);
            }
            try (ControlLink link = Processes.connect(lender, insecure)) {
                String borrower = link.operate("return", arguments).getFirst().get("borrower");
                say(address.name() + " is taken back from " + borrower + ".");
            } catch (LinkException e) {
                throw Processes.failure(e);
            } catch (RefusedException e) {
                throw Processes.failure(e);
            }
            return ExitCode.OK;
        }
    }
}
