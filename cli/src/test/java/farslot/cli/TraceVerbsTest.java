package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import picocli.CommandLine;

/** Recording and following what another process lends, as the user sees it. */
@Tag("processes")
@Timeout(120)
class TraceVerbsTest {
    @RegisterExtension final OwnFolder own = new OwnFolder();
    private String out;
    private String err;

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
        Path file = own.path().resolve("e0.fst");
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            assertEquals(ExitCode.USAGE, farslot("trace", "mark", "e0", "too early"));
            assertTrue(err.contains("no trace can be marked"), err);
            VerbProcess recorder =
                    VerbProcess.start(
                            own.path(), "trace", "record", "e0", "-o", file.toString(), "--json");
            await("recorded-by");
            VerbProcess viewer =
                    VerbProcess.start(
                            own.path(), "trace", "show", "e0", "--follow", "--where", "mark");
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
            assertTrue(recorder.talk().contains("The recording of e0 has ended."));
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
    void followingEndsAfterSoManyEventsOrByASignalWithoutAComplaint() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            does("trace", "show", "e0", "--follow", "--count", "1");
            assertEquals(1, out.lines().count(), out);
            VerbProcess viewer = VerbProcess.start(own.path(), "trace", "show", "e0", "--follow");
            await("recorded-by");
            viewer.terminate();
            assertFalse(viewer.talk().contains("cannot be read"), viewer.talk());
        }
    }

    @Test
    void aRecordingEndsAfterItsTimeAndReports() throws Exception {
        Path file = own.path().resolve("e0.fst");
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
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

    @Test
    void aLentFunctionIsClonedFromWhatItsDriverDoesUntilCtrlC() throws Exception {
        Path home = Path.of(System.getProperty("farslot.home"));
        Path folder = Files.createTempDirectory(home.resolve("cli/target"), "clone");
        Files.delete(folder);
        String to = folder.toString();
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            try (VerbProcess cloner =
                    VerbProcess.start(
                            own.path(), "trace", "clone", "e0", "-o", to, "--name", "mine")) {
                // From then on Ctrl-C ends the watching and not the cloning.
                do {
                    await("recorded-by");
                } while (!cloner.talk().contains("Watching e0."));
                does("poke", "e0", "CFG", "COMMAND", "2");
                does("poke", "e0", "BAR0", "LIVENESS", "0x0f0f0f0f");
                assertEquals(130, cloner.terminate() - 13, cloner.talk());
                String talk = cloner.talk();
                assertTrue(talk.contains("Nothing was recorded of e0"), talk);
                assertTrue(talk.contains("The kind \"mine\" is in " + to), talk);
            }
            String map =
                    Files.readString(
                            folder.resolve("src/main/resources/farslot/devices/mine/mine.xml"));
            assertTrue(map.contains("LIVENESS") && map.contains("0xf0f0f0f"), map);
            assertTrue(Files.readString(folder.resolve("README.md")).contains("e0"));
            awaitNoBuffers();
            assertEquals(ExitCode.USAGE, farslot("trace", "clone", "e0", "-o", to));
            assertTrue(err.contains("is there already, and is not changed"), err);
        } finally {
            remove(folder);
        }
    }

    @Test
    void aLentFunctionIsClonedForATime() throws Exception {
        Path home = Path.of(System.getProperty("farslot.home"));
        Path folder = Files.createTempDirectory(home.resolve("cli/target"), "clone");
        String to = folder.toString();
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            does("trace", "clone", "e0", "-o", to, "--for", "200ms");
            assertTrue(err.contains("The recording of e0 has ended."), err);
            assertTrue(err.contains("BAR0: no register of it was accessed."), err);
            assertTrue(Files.readString(folder.resolve("README.md")).contains("d123411e8"));
            awaitNoBuffers();
            assertEquals(ExitCode.NOT_FOUND, farslot("trace", "clone", "e1", "-o", to + "/a"));
            assertTrue(err.contains("did you mean \"e0\"?"), err);
            assertEquals(
                    ExitCode.USAGE, farslot("trace", "clone", "e0", "-o", to + "/a", "--for", "3"));
            assertEquals(
                    ExitCode.USAGE,
                    farslot("trace", "clone", "e0", "-o", to + "/a", "--name", "A"));
            assertTrue(err.contains("cannot be called \"A\""), err);
            assertEquals(
                    ExitCode.USAGE,
                    farslot("trace", "clone", "./e0.fst", "-o", to + "/a", "--for", "3s"));
            assertTrue(err.contains("--for is for a NAME"), err);
            assertFalse(Files.exists(folder.resolve("a")));
        } finally {
            remove(folder);
        }
    }

    private static void remove(Path folder) throws IOException {
        try (var all = Files.walk(folder)) {
            for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** The lender removes what it kept for a viewer soon after that has ended. */
    private void awaitNoBuffers() throws IOException {
        while (!buffers().isEmpty()) {
            does("list");
        }
    }

    @Test
    void aRecordingKeepsWhatIsAskedForAndIsChangedWhileItRuns() throws Exception {
        Path file = own.path().resolve("e0.fst");
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            assertEquals(ExitCode.USAGE, farslot("trace", "mode", "e0", "CFG=off"));
            assertTrue(err.contains("Nothing is recorded of e0"), err);
            VerbProcess recorder =
                    VerbProcess.start(
                            own.path(),
                            "trace",
                            "record",
                            "e0",
                            "-o",
                            file.toString(),
                            "--ring=1M",
                            "--where=write",
                            "--mode=CFG=off",
                            "--until=LIVENESS == 0x03030303");
            await("recorded-by");
            does("poke", "e0", "CFG", "COMMAND", "2");
            does("poke", "e0", "BAR0", "LIVENESS", "0x01010101");
            assertEquals(ExitCode.USAGE, farslot("trace", "mode", "e0", "CFG=on"));
            assertTrue(err.contains("There is no mode \"on\""), err);
            assertEquals(ExitCode.USAGE, farslot("trace", "mode", "e0", "BAR0=flush"));
            assertTrue(err.contains("a ring is recorded"), err);
            does("trace", "mode", "e0", "BAR0=off", "CFG=record");
            assertTrue(err.contains("Changed in 1 trace."), err);
            does("poke", "e0", "BAR0", "LIVENESS", "0x02020202");
            does("poke", "e0", "CFG", "COMMAND", "6");
            does("trace", "mode", "e0", "*=record");
            does("trace", "show", file.toString());
            assertFalse(out.contains("LIVENESS"), "nothing comes before the end");
            does("poke", "e0", "BAR0", "LIVENESS", "0x03030303");
            assertEquals(ExitCode.OK, recorder.exitCode(), recorder.talk());
            assertTrue(
                    recorder.talk().contains("e0 has ended, since LIVENESS == 0x03030303."),
                    recorder.talk());
            does("trace", "show", file.toString());
            assertEquals("", err, "the file is whole");
            assertTrue(out.contains("0x01010101"), out);
            assertFalse(out.contains("0x02020202"), out);
            assertTrue(out.contains("0x03030303"), out);
            assertEquals(1, out.lines().filter(line -> line.contains("COMMAND")).count(), out);
            assertTrue(out.contains("--mode BAR0=off --mode CFG=record"), out);
        }
    }

    @Test
    void aSlotIsRecordedAndChangedLikeALender() throws Exception {
        Path file = own.path().resolve("s0.fst");
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json");
                VerbProcess slot = borrow(lender)) {
            slot.report();
            assertEquals(ExitCode.USAGE, farslot("trace", "mode", "e0", "--at=slot", "CFG=off"));
            try (VerbProcess recorder =
                    VerbProcess.start(
                            own.path(),
                            "trace",
                            "record",
                            "e0",
                            "--at=slot",
                            "-o",
                            file.toString(),
                            "--mode=BAR0=off")) {
                while (farslot("trace", "mode", "e0", "--at=slot", "CFG=count") != ExitCode.OK) {
                    assertTrue(err.contains("Nothing is recorded"), err);
                }
                assertTrue(err.contains("Changed in 1 trace."), err);
                do {
                    farslot("trace", "show", file.toString());
                } while (!out.contains("CFG=count"));
                assertEquals(130, recorder.terminate() - 13, recorder.talk());
            }
            does("trace", "show", file.toString());
            assertTrue(out.contains("--mode BAR0=off --mode CFG=count"), out);
        }
    }

    private VerbProcess borrow(VerbProcess lender) throws IOException {
        lender.report();
        String socket = own.path().resolve("v").toString();
        return VerbProcess.start(own.path(), "borrow", "e0", "--vfio-user", socket, "--json");
    }

    @Test
    void aRecordingIsRefusedByTheRecorderInItsWords() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            refuses("--where=LIVENES == 1", "did you mean \"LIVENESS\"?\n  LIVENES");
            refuses("--until=write and", "--until: ");
            refuses("--mode=BAR0:0x0-0x=off", "is no offset");
            refuses("--ring=64", "128 KiB is the least");
            refuses("--ring=much", "a size is wanted");
            refuses("--ring=64G", "256 MiB is the most");
            refuses("--files=0", "1 to 1000 are possible");
            refuses("--files=2 --limit=1M", "8 MiB is the least");
            assertFalse(Files.exists(Path.of("x")));
        }
    }

    private void refuses(String options, String sentence) {
        List<String> line = new ArrayList<>(List.of("trace", "record", "e0", "-o", "x"));
        line.addAll(List.of(options.split(" (?=--)", -1)));
        assertEquals(ExitCode.USAGE, farslot(line.toArray(new String[0])), options);
        assertTrue(err.contains(sentence), err);
    }

    @Test
    void bothEndsOfALinkBecomeOneTraceThatSaysWhatTheLinkTook() throws Exception {
        Path file = own.path().resolve("e0.fst");
        String path = file.toString();
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            assertEquals(
                    ExitCode.NOT_FOUND,
                    farslot("trace", "record", "e0", "-o", path, "--at", "both"));
            Path socket = own.path().resolve("v");
            VerbProcess slot =
                    VerbProcess.start(
                            own.path(),
                            "borrow",
                            "e0",
                            "--name",
                            "s0",
                            "--vfio-user",
                            socket.toString(),
                            "--json");
            slot.report();
            assertEquals(
                    ExitCode.USAGE,
                    farslot("trace", "record", "e0", "-o", path, "--at", "both", "--ring", "1M"));
            assertTrue(err.contains("--ring and --files are for one"), err);
            VerbProcess recorder =
                    VerbProcess.start(
                            own.path(), "trace", "record", "s0", "-o", path, "--at", "both");
            await("recorded-by");
            while (!recorder.talk().contains("Recording s0")) {
                Thread.onSpinWait();
            }
            does("trace", "mark", "s0", "of both", "--at", "both");
            assertTrue(err.contains("Marked 2 traces."), err);
            does("trace", "mode", "s0", "BAR0:0x4=record", "--at", "slot");
            assertTrue(err.contains("Changed in 1 trace."), err);
            does("poke", "s0", "CFG", "COMMAND", "2");
            does("poke", "s0", "BAR0", "LIVENESS", "0x0f0f0f0f");
            does("peek", "s0", "BAR0", "LIVENESS");
            recorder.terminate();
            assertTrue(
                    recorder.talk().contains("3 accesses, transfers and interrupts were seen"),
                    recorder.talk());
            does("trace", "show", path);
            for (String kind : List.of("write +CFG", "read +BAR0", "write +BAR0")) {
                String line = "(?s).*  " + kind + "[^\\n]* link=[0-9.]+[a-z]+\\n.*";
                assertTrue(out.matches(line), out);
            }
            does("trace", "stats", path);
            assertTrue(out.contains("LINK"), out);
            does("trace", "query", path, "SELECT count(link_nanos) AS n FROM events", "--json");
            assertTrue(out.contains("3"), out);
            assertFalse(Files.exists(own.path().resolve("e0.fst.slot")));
            assertFalse(Files.exists(own.path().resolve("e0.fst.lender")));
            assertEquals(
                    ExitCode.USAGE, farslot("trace", "record", "s0", "-o", path, "--at", "both"));
            slot.close();
        }
    }

    private List<String> buffers() throws IOException {
        try (var files = Files.list(own.path().resolve("traces"))) {
            return files.map(Path::toString).toList();
        }
    }
}
