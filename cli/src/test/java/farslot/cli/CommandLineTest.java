package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;

class CommandLineTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int farslot(String... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    @Test
    void shouldListEveryVerbInItsGroupWhenHelpIsAsked() {
        assertEquals(ExitCode.OK, farslot("--help"));
        for (String word :
                List.of(
                        "Lend",
                        "Use",
                        "Watch",
                        "Develop",
                        "demo",
                        "test",
                        "format",
                        "doctor",
                        "lend",
                        "borrow",
                        "return",
                        "list",
                        "lease",
                        "policy",
                        "ps",
                        "stop",
                        "vm",
                        "trace",
                        "peek",
                        "poke",
                        "reset",
                        "regs",
                        "bench",
                        "lab",
                        "version",
                        "completion")) {
            assertTrue(out.toString().contains(word), word + " is not in\n" + out);
        }
        assertTrue(out.toString().contains("Exit codes"), out.toString());
    }

    @TestFactory
    Stream<DynamicTest> everyVerbShouldShowAnExample() {
        return Main.commandLine().getSubcommands().keySet().stream()
                .map(verb ->
                        DynamicTest.dynamicTest(
                                verb,
                                () -> {
                                    CommandLine line =
                                            Main.commandLine().getSubcommands().get(verb);
                                    String help = line.getUsageMessage();
                                    assertTrue(help.contains("farslot " + verb), help);
                                    assertTrue(help.contains("Example"), help);
                                }));
    }

    @Test
    void shouldNameTheNearestVerbWhenItIsUnknown() {
        assertEquals(ExitCode.USAGE, farslot("lned"));
        assertEquals(
                "farslot: farslot has no verb \"lned\"; did you mean \"lend\"?"
                        + " \"farslot --help\" says more.",
                err.toString().strip());
    }

    @Test
    void shouldNameTheNearestOptionWhenItIsUnknown() {
        assertEquals(ExitCode.USAGE, farslot("version", "--jsno"));
        assertEquals(
                "farslot: farslot version has no option \"--jsno\"; did you mean \"--json\"?"
                        + " \"farslot version --help\" says more.",
                err.toString().strip());
    }

    @Test
    void shouldPrintVersionsAsJson() {
        assertEquals(ExitCode.OK, farslot("version", "--json"));
        assertTrue(out.toString().contains("\"farslot\" : \"0.1.0\""), out.toString());
    }

    @Test
    void shouldPrintACompletionScriptForBash() {
        assertEquals(ExitCode.OK, farslot("completion"));
        assertAll(
                () -> assertTrue(out.toString().startsWith("#!/usr/bin/env bash")),
                () -> assertTrue(out.toString().contains("complete -F")),
                () -> assertFalse(out.toString().contains("\u001b[")));
    }
}
