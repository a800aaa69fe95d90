package farslot.cli;

import farslot.link.LinkOptions;
import farslot.registers.Nearest;
import farslot.slot.Supervisor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code farslot VERB}: the verbs in their groups, and what all of them share. */
@Command(
        name = Program.NAME,
        header = "A PCI slot that can be anywhere.",
        synopsisHeading = "%nUsage: ",
        customSynopsis = "farslot VERB [OPTION | ARGUMENT]...",
        description = {
            "",
            "Lets a PCI device, real or emulated, on one machine be used by the driver of another,"
                    + " through an open protocol in which every access can be recorded and named.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:tried, and failed",
            "2:wrong command line or input; nothing was changed",
            "3:refused by the other side",
            "4:not found, or cannot be reached",
            "5:something is lacking on this machine; \"farslot doctor\" says what",
            "130, 143:ended by Ctrl-C, by SIGTERM"
        },
        footer = {
            "",
            "\"farslot VERB --help\" explains a verb and shows an example."
                    + " Begin with \"farslot demo\".",
            "FARSLOT_DEBUG=1 adds stack traces to errors, NO_COLOR=1 takes colours away."
        },
        optionListHeading = "%nOptions:%n")
public final class Main implements Runnable {
    /** In the order in which help prints them. */
    private static final Map<String, List<Class<? extends Verb>>> GROUPS = groups();

    @Spec CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    boolean helpAsked;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print the version and exit.")
    boolean versionAsked;

    private Main() {}

    /** Runs one verb and ends the process with its exit code. */
    public static void main(String[] args) {
        if (args.length == 1 && args[0].equals(Program.SUPERVISE)) {
            supervise();
            return;
        }
        Logging.inOneLine();
        if (Boolean.getBoolean("farslot.rehearse")) {
            rehearse();
        }
        int exitCode = run(args);
        if (exitCode == ExitCode.OK && System.out.checkError() && !isOutputPipe()) {
            System.err.println("farslot: Standard output takes no more; what it has is not all.");
            exitCode = ExitCode.FAILED;
        }
        System.exit(exitCode);
    }

    /** Who reads from a pipe, as "head" does, may leave when there is enough. */
    private static boolean isOutputPipe() {
        try {
            String output = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return output.startsWith("pipe:") || output.startsWith("socket:");
        } catch (IOException e) {
            return true;
        }
    }

    /** A slot's other process: without all that verbs need. */
    private static void supervise() {
        try {
            Supervisor.run(
                    System.in,
                    lender ->
                            LinkOptions.named("supervisor")
                                    .withTrust(Processes.trust(lender, false)));
            System.exit(ExitCode.OK);
        } catch (IOException | CommandFailure e) {
            System.exit(ExitCode.FAILED);
        }
    }

    /** Uses what most verbs use, so that the launcher's cache of loaded classes has it. */
    private static void rehearse() {
        run("version", "--json");
        run("version", "--unknown");
        run("list", "--help");
    }

    /** Runs one verb and returns its exit code; what {@link #main} does but for ending. */
    static int run(String... args) {
        return commandLine().execute(args);
    }

    /** The whole command line, as {@code completion} and the tests want it too. */
    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        line.getCommandSpec().version(Program.NAME + " " + Program.VERSION);
        for (List<Class<? extends Verb>> verbs : GROUPS.values()) {
            verbs.forEach(line::addSubcommand);
        }
        line.setOut(new PrintWriter(System.out, false, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        line.setUsageHelpAutoWidth(true);
        // "@machine" is an address, not a file of arguments.
        line.setExpandAtFiles(false);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setColorScheme(Help.defaultColorScheme(Ansi.AUTO));
        line.setParameterExceptionHandler(Main::wrongCommandLine);
        line.setExecutionExceptionHandler(Main::failed);
        line.setExecutionStrategy(Main::executed);
        line.getHelpSectionMap()
                .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, Main::verbsInGroups);
        return line;
    }

    /** {@code farslot} alone. */
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static Map<String, List<Class<? extends Verb>>> groups() {
        Map<String, List<Class<? extends Verb>>> groups = new LinkedHashMap<>();
        groups.put(
                "Lend",
                List.of(
                        LendCommand.class,
                        PsCommand.class,
                        StopCommand.class,
                        LeaseCommand.class,
                        PolicyCommand.class,
                        TrustCommand.class));
        groups.put(
                "Use",
                List.of(
                        DemoCommand.class,
                        ListCommand.class,
                        BorrowCommand.class,
                        ReturnCommand.class,
                        VmCommand.class));
        groups.put(
                "Watch",
                List.of(
                        TraceCommand.class,
                        PeekCommand.class,
                        PokeCommand.class,
                        ResetCommand.class,
                        RegsCommand.class));
        groups.put(
                "Develop",
                List.of(
                        DoctorCommand.class,
                        LabCommand.class,
                        BenchCommand.class,
                        TestCommand.class,
                        FormatCommand.class,
                        CompletionCommand.class,
                        VersionCommand.class));
        return groups;
    }

    private static String verbsInGroups(Help help) {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, List<Class<? extends Verb>>> group : GROUPS.entrySet()) {
            text.append(help.colorScheme().ansi().string("@|bold " + group.getKey() + "|@"));
            text.append(System.lineSeparator());
            for (Class<? extends Verb> verb : group.getValue()) {
                Command command = verb.getAnnotation(Command.class);
                String name = help.colorScheme().commandText(command.name()).toString();
                text.append("  ").append(name).repeat(' ', 12 - command.name().length());
                text.append(command.header()[0]).append(System.lineSeparator());
            }
        }
        return text.toString();
    }

    private static int executed(ParseResult result) {
        try {
            return new CommandLine.RunLast().execute(result);
        } finally {
            result.commandSpec().commandLine().getOut().flush();
            ParseResult last = result;
            while (last.hasSubcommand()) {
                last = last.subcommand();
                last.commandSpec().commandLine().getOut().flush();
            }
        }
    }

    private static int wrongCommandLine(ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        complain(
                line,
                sentence(e)
                        + " \""
                        + line.getCommandSpec().qualifiedName()
                        + " --help\" says more.");
        trace(line, e);
        return ExitCode.USAGE;
    }

    private static String sentence(ParameterException e) {
        CommandLine line = e.getCommandLine();
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            String word = unmatched.getUnmatched().getFirst();
            String name = line.getCommandSpec().qualifiedName();
            if (word.startsWith("-")) {
                return name
                        + " has no option \""
                        + word
                        + "\""
                        + Nearest.question(word, line.getCommandSpec().optionsMap().keySet());
            }
            if (!line.getSubcommands().isEmpty()) {
                return name
                        + " has no verb \""
                        + word
                        + "\""
                        + Nearest.question(word, line.getSubcommands().keySet());
            }
            return name + " does not take the argument \"" + word + "\".";
        }
        // What picocli says of Java's types means nothing to a user.
        String message =
                e.getMessage()
                        .replaceFirst(" is not an? (int|long)$", " is not a whole number")
                        .replaceFirst(" is not a (double|float)$", " is not a number");
        return message.endsWith(".") ? message : message + ".";
    }

    private static int failed(Exception e, CommandLine line, ParseResult result) {
        if (e instanceof CommandFailure failure) {
            complain(line, failure.getMessage());
            trace(line, failure);
            return failure.exitCode();
        }
        complain(
                line,
                line.getCommandName()
                        + " failed in a way that it should not: "
                        + e
                        + ". FARSLOT_DEBUG=1 shows where.");
        trace(line, e);
        return ExitCode.FAILED;
    }

    private static void complain(CommandLine line, String sentence) {
        line.getOut().flush();
        line.getErr().println(Program.NAME + ": " + sentence);
        line.getErr().flush();
    }

    private static void trace(CommandLine line, Exception e) {
        if (Program.debugging()) {
            e.printStackTrace(line.getErr());
        }
    }
}
