package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The life of lenders and slots as their user sees it. */
@Tag("processes")
@Timeout(120)
class LendingVerbsTest {
    @RegisterExtension final OwnFolder own = new OwnFolder();
    private String err;

    /** What a verb that succeeds prints. */
    private String farslot(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter talk = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(talk));
        int exitCode = line.execute(arguments);
        err = talk.toString();
        assertEquals(ExitCode.OK, exitCode, err);
        return out.toString();
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }

    private List<String> sockets() throws IOException {
        try (var files = Files.list(own.path())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".sock"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aLenderOfSeveralFunctionsAnswersToEachName() throws Exception {
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(), "lend", "edu,name=a", "edu,name=b", "edu", "--json")) {
            JsonNode report = lender.report();
            assertEquals("a", report.get("name").asString());
            assertEquals("edu0", report.get("functions").get(2).get("name").asString());
            assertEquals(List.of("a.lender.sock", "b.lender.sock", "edu0.lender.sock"), sockets());
            JsonNode processes = json(farslot("ps", "--json"));
            assertEquals(1, processes.size(), "one process: " + processes);
            assertEquals("a b edu0", processes.get(0).get("functions").asString());
            assertEquals(3, json(farslot("list", "--json")).size());
            String id = farslot("peek", "b", "CFG", "0", "--json");
            assertEquals(
                    "0x11e81234",
                    json(farslot("peek", "b", "CFG+0", "4", "--json")).get("value").asString());
            assertEquals("VENDOR", json(id).get("name").asString());
            farslot("stop", "b");
            assertEquals(ExitCode.OK, lender.exitCode(), "stopped, not killed");
        }
        assertEquals(List.of(), sockets());
    }

    @Test
    void registersAreReadWrittenAndNamed() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            assertTrue(farslot("list").contains("1234:11e8 Emulated teaching device edu"));
            farslot("poke", "e0", "CFG", "COMMAND", "2");
            assertTrue(farslot("peek", "e0", "CFG", "COMMAND").contains("MEM=1"));
            farslot("poke", "e0", "BAR0", "LIVENESS", "0x0f0f0f0f");
            assertEquals(
                    "BAR0+0x4  LIVENESS  0xf0f0f0f0",
                    farslot("peek", "e0", "bar0", "liveness").strip());
            assertEquals(
                    "0xf0f0f0f0",
                    json(farslot("peek", "e0", "BAR0+0x4", "4", "--force", "--json"))
                            .get("value")
                            .asString());
            assertTrue(farslot("peek", "e0", "CFG", "MSI.CONTROL").contains("MSI.CONTROL"));
            farslot("reset", "e0", "--kind", "cold");
            assertTrue(err.contains("generation 2"), err);
            assertTrue(farslot("peek", "e0", "CFG", "COMMAND").contains("MEM=0"));
        }
    }

    @Test
    void whatGoesOnInTheBackgroundIsFoundAndStopped() throws Exception {
        long pid;
        try (VerbProcess starter =
                VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json", "--detach")) {
            JsonNode report = starter.report();
            pid = report.get("pid").asLong();
            assertEquals(ExitCode.OK, starter.exitCode());
            assertTrue(pid != starter.pid());
        }
        try {
            JsonNode process = json(farslot("ps", "--json")).get(0);
            assertEquals("e0", process.get("name").asString());
            assertEquals(Long.toString(pid), process.get("pid").asString());
            farslot("stop", "e0");
            assertFalse(ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent());
            assertEquals(0, json(farslot("ps", "--json")).size());
        } finally {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void whatCannotStartInTheBackgroundSaysWhyInTheForeground() throws Exception {
        try (VerbProcess starter =
                VerbProcess.start(own.path(), "lend", "edu,nam=e0", "--detach")) {
            assertEquals(ExitCode.USAGE, starter.exitCode());
            assertTrue(starter.talk().contains("\"nam\""), starter.talk());
        }
    }

    @Test
    void aSlotIsSeenPeekedAtAndReturned() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            Path socket = own.path().resolve("v");
            try (VerbProcess borrower =
                    VerbProcess.start(
                            own.path(),
                            "borrow",
                            "e0",
                            "--vfio-user",
                            socket.toString(),
                            "--json")) {
                JsonNode report = borrower.report();
                assertEquals("e0-slot", report.get("name").asString());
                assertTrue(report.get("device").asString().contains(socket.toString()));
                assertTrue(farslot("list").contains("\"e0-slot\""));
                assertEquals(
                        "0x11e81234",
                        json(farslot("peek", "e0-slot", "CFG+0", "4", "--json"))
                                .get("value")
                                .asString());
                assertEquals("slot", json(farslot("ps", "--json")).get(1).get("role").asString());
                farslot("return", "e0-slot");
                assertEquals(ExitCode.OK, borrower.exitCode());
            }
            assertFalse(Files.exists(socket));
            assertEquals(List.of("e0.lender.sock"), sockets());
            assertEquals(
                    "free",
                    json(farslot("list", "--json")).get(0).get("details").get("state").asString());
        }
    }

    @Test
    void theLendersOperatorTakesAFunctionBack() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            try (VerbProcess borrower =
                    VerbProcess.start(
                            own.path(),
                            "borrow",
                            "e0",
                            "--vfio-user",
                            own.path().resolve("v").toString(),
                            "--json")) {
                borrower.report();
                farslot("return", "e0", "--role", "lender");
                assertTrue(err.contains("taken back from \"e0-slot\""), err);
                try (VerbProcess next =
                        VerbProcess.start(
                                own.path(),
                                "borrow",
                                "e0",
                                "--name",
                                "next",
                                "--vfio-user",
                                own.path().resolve("w").toString(),
                                "--json")) {
                    assertEquals("next", next.report().get("name").asString());
                    next.terminate();
                }
                borrower.terminate();
            }
        }
    }

    @Test
    void whoWaitsIsShownToldAndServedWhenTheLeaseIsBroken() throws Exception {
        try (VerbProcess lender = VerbProcess.start(own.path(), "lend", "edu,name=e0", "--json")) {
            lender.report();
            try (VerbProcess first = borrow("first", "v");
                    VerbProcess second = waiting("second", "w")) {
                JsonNode lease = json(farslot("lease", "list", "--json")).get(0);
                assertTrue(lease.get("borrower").asString().startsWith("\"first\""), "" + lease);
                assertEquals("lent", lease.get("state").asString());
                assertEquals("connected", lease.get("session").asString());
                assertTrue(lease.get("epoch").asLong() > 0, "" + lease);
                assertEquals(1, lease.get("waiting").asInt());
                assertTrue(lease.get("queue").asString().contains("second"), "" + lease);
                assertTrue(farslot("lease", "list").contains("1: \"second\""));
                farslot("lease", "break", "e0", "--reason", "It is needed.");
                assertTrue(err.contains("taken back from \"first\""), err);
                assertEquals("second", second.report().get("name").asString());
                assertTrue(
                        second.talk()
                                .contains("You are number 1 of 1; e0 is borrowed by \"first\""),
                        second.talk());
                second.terminate();
                first.terminate();
                assertTrue(first.talk().contains("It is needed."), first.talk());
            }
            farslot("stop", "e0");
        }
        List<String> told =
                Files.readAllLines(own.path().resolve("audit/e0.jsonl")).stream()
                        .map(line -> json(line))
                        .filter(line -> !line.get("what").asString().equals("refused"))
                        .map(line ->
                                line.get("what").asString() + " " + line.get("name").asString())
                        .toList();
        // The lease that an operator breaks ends while that is done: its line may be first.
        assertEquals(2, told.stream().filter("operated operator"::equals).count());
        assertEquals(
                List.of("granted first", "ended first", "granted second", "ended second"),
                told.stream().filter(line -> !line.equals("operated operator")).toList());
    }

    private VerbProcess borrow(String name, String socket) throws IOException {
        VerbProcess borrower = waiting(name, socket);
        borrower.report();
        return borrower;
    }

    /** Returns when it waits, or has it. */
    private VerbProcess waiting(String name, String socket) throws IOException {
        VerbProcess borrower =
                VerbProcess.start(
                        own.path(),
                        "borrow",
                        "--wait",
                        "e0",
                        "--name",
                        name,
                        "--vfio-user",
                        own.path().resolve(socket).toString(),
                        "--json");
        while (!farslot("list", "--json").contains(name)) {
            Thread.onSpinWait();
        }
        return borrower;
    }

    @Test
    void aPolicyThatChangesEndsWhatItAllowsNoMore() throws Exception {
        Path policy = own.path().resolve("rules.toml");
        Files.writeString(
                policy, "[[allow]]\nwho = \"anybody\"\nmay = [\"borrow\", \"observe\"]\n");
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(),
                        "lend",
                        "edu,name=e0",
                        "--policy",
                        policy.toString(),
                        "--listen",
                        "127.0.0.1:0",
                        "--insecure",
                        "--json")) {
            String address = lender.report().get("addresses").get(1).asString();
            assertTrue(farslot("list", "@" + address, "--insecure").contains("e0"));
            Files.writeString(policy, "[[allow]]\nwho = \"anybody\"\nmay = \"obsrve\"\n");
            while (!farslot("ps").contains("the last good policy stays")) {
                Thread.onSpinWait();
            }
            assertTrue(farslot("ps").contains("rules.toml, line 3, column 1"));
            assertTrue(farslot("list", "@" + address, "--insecure").contains("e0"));
            Files.writeString(policy, "# Nobody may do anything.\n");
            String said;
            do {
                said = refusal("list", "@" + address, "--insecure");
                // Who is connected at that very moment is turned away with other words.
            } while (said.isEmpty() || said.contains("The policy has changed"));
            assertEquals("farslot: You lack the right to observe e0.", said.strip());
            assertTrue(lender.talk().contains("add to " + policy), lender.talk());
            farslot("stop", "e0");
        }
    }

    /** What is said to somebody who is refused; empty where it is not. */
    private String refusal(String... arguments) {
        StringWriter talk = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(new StringWriter()));
        line.setErr(new PrintWriter(talk));
        int exitCode = line.execute(arguments);
        assertTrue(exitCode == ExitCode.OK || exitCode == ExitCode.REFUSED, talk.toString());
        return talk.toString();
    }

    @Test
    void aLenderKeepsItsFilesPrivateAndGainsNoRights() throws Exception {
        Path image = own.path().resolve("d.img");
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(), "lend", "nvme,name=n0,size=1M,image=" + image, "--json")) {
            lender.report();
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(image)));
            Path tasks = Path.of("/proc", Long.toString(lender.pid()), "task");
            int serving = 0;
            try (var threads = Files.list(tasks)) {
                for (Path thread : threads.toList()) {
                    String status = Files.readString(thread.resolve("status"));
                    if (status.startsWith("Name:\tfarslot-")) {
                        assertTrue(status.contains("NoNewPrivs:\t1"), status);
                        serving++;
                    }
                }
            }
            assertTrue(serving >= 2, serving + " threads serve");
            farslot("stop", "n0");
        }
    }

    @Test
    void ctrlCGivesEverythingBack() throws Exception {
        Path image = own.path().resolve("d.img");
        Path trace = own.path().resolve("d.fst");
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(),
                        "lend",
                        "nvme,name=n0,size=1M,image=" + image,
                        "--trace",
                        trace.toString(),
                        "--json")) {
            lender.report();
            new ProcessBuilder("kill", "-INT", Long.toString(lender.pid())).start().waitFor();
            assertEquals(ExitCode.INTERRUPTED, lender.exitCode());
        }
        assertEquals(List.of(), sockets());
        assertEquals(0, json(farslot("ps", "--json")).size());
        farslot("trace", "stats", trace.toString());
        try (VerbProcess again =
                VerbProcess.start(own.path(), "lend", "nvme,name=n0,image=" + image, "--json")) {
            assertEquals("n0", again.report().get("name").asString());
            again.terminate();
        }
    }

    @Test
    void theSocketsOfTheKilledAreRemoved() throws Exception {
        try (VerbProcess lender =
                VerbProcess.start(own.path(), "lend", "edu,name=a", "edu,name=b", "--json")) {
            lender.report();
        }
        assertEquals(List.of("a.lender.sock", "b.lender.sock"), sockets());
        for (String name : sockets()) {
            Path socket = own.path().resolve(name);
            if (!Files.isSymbolicLink(socket)) {
                // As if it had been killed a while ago: one of this moment may just be starting.
                Files.setLastModifiedTime(socket, FileTime.fromMillis(0));
            }
        }
        farslot("ps");
        assertFalse(Files.exists(own.path().resolve("a.lender.sock"), LinkOption.NOFOLLOW_LINKS));
        // A dead name can be used again whether ps has seen it or not.
        try (VerbProcess again = VerbProcess.start(own.path(), "lend", "edu,name=b", "--json")) {
            assertEquals("b", again.report().get("name").asString());
            again.terminate();
        }
    }

    @Test
    void aTraceTellsOfLeasesAndOfOperators() throws Exception {
        Path trace = own.path().resolve("e0.fst");
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(), "lend", "edu,name=e0", "--trace", trace.toString(), "--json")) {
            lender.report();
            try (VerbProcess borrower =
                    VerbProcess.start(
                            own.path(),
                            "borrow",
                            "e0",
                            "--vfio-user",
                            own.path().resolve("v").toString(),
                            "--json")) {
                borrower.report();
                farslot("peek", "e0-slot", "CFG", "DEVICE");
                farslot("poke", "e0", "CFG", "COMMAND", "6", "--role", "lender");
                borrower.terminate();
            }
            farslot("stop", "e0");
        }
        String shown = farslot("trace", "show", trace.toString());
        for (String word : List.of("is borrowed by \"e0-slot\"", "DEVICE", "COMMAND", "poke")) {
            assertTrue(shown.contains(word), word + " is not in\n" + shown);
        }
    }
}
