package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** Recording and following what another process lends, as the user sees it. */
@Tag("processes")
@Timeout(120)
class TraceVerbsTest {
    private Path runtime;
    private String runtimeBefore;
    private String out;
    private String err;

    @BeforeEach
    void useOwnControlSockets() throws IOException {
        // Short: socket paths have 107 bytes.
        runtime = Files.createTempDirectory("fs");
        runtimeBefore = System.getProperty("farslot.runtime");
        System.setProperty("farslot.runtime", runtime.toString());
    }

    @AfterEach
    void removeThem() throws IOException {
        if (runtimeBefore == null) {
            System.clearProperty("farslot.runtime");
        } else {
            System.setProperty("farslot.runtime", runtimeBefore);
        }
        try (var files = Files.walk(runtime)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private int farslot(String... arguments) {
        StringWriter data = new StringWriter();
        StringWriter talk = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(data));
        line.setErr(new PrintWriter(talk));
        int exitCode = line.execute(arguments);
        out = data.toString();
        err = talk.toString();
        return exitCode;
    }

    private void does(String... arguments) {
        assertEquals(ExitCode.OK, farslot(arguments), () -> err);
    }

    /** Waits until the lender says that there is somebody who does this. */
    private void await(String what) {
        do {
            does("list", "--json");
        } while (!out.contains(what));
    }

    @Test
    void aLentFunctionIsRecordedMarkedAndFollowed() throws Exception {
        Path file = runtime.resolve("e0.fst");
        try (VerbProcess lender = VerbProcess.start(runtime, "lend", "edu,name=e0", "--json")) {
            lender.report();
            assertEquals(ExitCode.USAGE, farslot("trace", "mark", "e0", "too early"));
            assertTrue(err.contains("no trace can be marked"), err);
            VerbProcess recorder =
                    VerbProcess.start(
                            runtime, "trace", "record", "e0", "-o", file.toString(), "--json");
            await("recorded-by");
            VerbProcess viewer =
                    VerbProcess.start(
                            runtime, "trace", "show", "e0", "--follow", "--where", "mark");
            await("followed-by");
            does("poke", "e0", "CFG", "COMMAND", "2");
            does("poke", "e0", "BAR0", "LIVENESS", "0x0f0f0f0f");
            does("trace", "mark", "e0", "the cable is out");
            assertTrue(err.contains("Marked 1 trace."), err);
            // It grows, and can be read meanwhile.
            do {
                does("trace", "show", file.toString());
            } while (!out.contains("the cable is out"));
            assertEquals(130, recorder.terminate() - 13, "by its signal, in order");
            assertTrue(viewer.output().contains("the cable is out"));
            assertEquals(ExitCode.OK, viewer.exitCode(), viewer.talk());
            assertTrue(viewer.talk().contains("The recording of e0 has ended."), viewer.talk());
            does("trace", "show", file.toString());
            assertTrue(out.contains("LIVENESS"), out);
            assertTrue(out.contains("the cable is out"), out);
            assertEquals("", err, "the file is whole");
            does("trace", "show", file.toString(), "--follow");
            assertTrue(out.contains("the cable is out"), out);
        }
    }

    @Test
    void aRecordingEndsAfterItsTimeAndReports() throws Exception {
        Path file = runtime.resolve("e0.fst");
        try (VerbProcess lender = VerbProcess.start(runtime, "lend", "edu,name=e0", "--json")) {
            lender.report();
            String path = file.toString();
            does("trace", "record", "e0", "-o", path, "--for", "300ms", "--dma", "head:64");
            assertTrue(err.contains("The recording of e0 has ended."), err);
            assertEquals(ExitCode.USAGE, farslot("trace", "record", "e0", "-o", path));
            assertTrue(err.contains("the file exists"), err);
            assertEquals(ExitCode.USAGE, farslot("trace", "record", "e0", "-o", "x", "--for", "3"));
            assertEquals(
                    ExitCode.USAGE, farslot("trace", "record", "e0", "-o", "x", "--limit", "big"));
            assertEquals(
                    ExitCode.USAGE, farslot("trace", "record", "e0", "-o", "x", "--dma", "most"));
            assertEquals(ExitCode.NOT_FOUND, farslot("trace", "record", "e1", "-o", "x"));
            assertTrue(err.contains("did you mean \"e0\"?"), err);
            assertEquals(
                    ExitCode.USAGE,
                    farslot("trace", "record", "e0@machine", "-o", "x", "--at", "slot"));
            assertFalse(Files.exists(Path.of("x")));
            assertEquals(List.of(), buffers());
        }
    }

    private List<String> buffers() throws IOException {
        try (var files = Files.list(runtime.resolve("traces"))) {
            return files.map(Path::toString).toList();
        }
    }
}
