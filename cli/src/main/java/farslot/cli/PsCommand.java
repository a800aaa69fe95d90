package farslot.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists the running lenders, slots and VMs of this user on this machine. */
@Command(
        name = "ps",
        header = "List lenders, slots and VMs of this user",
        description = {
            "%nLists the running lenders, slots and VMs of this user on this machine, and removes"
                    + " the control sockets of those that were killed."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot ps --json")
final class PsCommand extends Verb {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    @Mixin JsonOption output;

    @Override
    public Integer call() {
        List<Map<String, String>> running = Processes.ofUser().running();
        if (output.json) {
            Json.print(out(), running);
            return ExitCode.OK;
        }
        Table table = new Table("NAME", "ROLE", "PID", "SINCE", "STATE", "WHAT");
        for (Map<String, String> process : running) {
            table.row(
                    process.get("name"),
                    process.get("role"),
                    process.getOrDefault("pid", "?"),
                    since(process.get("since")),
                    state(process),
                    what(process));
        }
        table.print(out());
        return ExitCode.OK;
    }

    private static String since(String millis) {
        try {
            return TIME.format(Instant.ofEpochMilli(Long.parseLong(millis)));
        } catch (NumberFormatException e) {
            return "?";
        }
    }

    /**
     * With what is not proven, with what is held at this moment, and since when there is no
     * connection.
     */
    private static String state(Map<String, String> process) {
        String state = process.getOrDefault("state", "?");
        if ("lender".equals(process.get("role")) && process.containsKey("trouble")) {
            state += " (" + process.get("trouble") + ")";
        }
        if (process.containsKey("insecure")) {
            state += ", insecure";
        }
        if (process.containsKey("detached-since")) {
            state += ", no connection since " + since(process.get("detached-since"));
        }
        return process.containsKey("held")
                ? state
                        + ", held: "
                        + process.get("held")
                        + " since "
                        + since(process.get("held-since"))
                : state;
    }

    /** What it is about, by the words that each role uses. */
    private static String what(Map<String, String> process) {
        for (String key : List.of("functions", "function", "what")) {
            if (process.containsKey(key)) {
                return process.get(key);
            }
        }
        return "-";
    }
}
