package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** From fresh settings to a function that another user borrows over TLS, by the command line. */
@Timeout(300)
class TrustCommandTest {
    private Path alice;
    private Path bob;

    @BeforeEach
    void makeFolders() throws Exception {
        // Short: socket paths have 107 bytes.
        alice = Files.createTempDirectory("fsa");
        bob = Files.createTempDirectory("fsb");
    }

    @AfterEach
    void clean() throws Exception {
        for (Path folder : new Path[] {alice, bob}) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** Runs a verb to its end and gives what it said, both ways. */
    private static String run(int exitCode, Path home, String... words) throws Exception {
        try (VerbProcess verb = VerbProcess.start(home, words)) {
            String out = verb.output();
            assertEquals(exitCode, verb.exitCode(), () -> out + talk(verb));
            return out + verb.talk();
        }
    }

    private static String talk(VerbProcess verb) {
        try {
            return verb.talk();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void assertSays(String said, String... words) {
        for (String word : words) {
            assertTrue(said.contains(word), said);
        }
    }

    @Test
    void fiveCommandsLendFromOneUserToAnother() throws Exception {
        assertSays(
                run(ExitCode.USAGE, alice, "lend", "edu,name=e0", "--listen", "127.0.0.1:0"),
                "farslot trust init");
        assertSays(run(ExitCode.USAGE, bob, "list", "@127.0.0.1:1"), "farslot trust init");
        assertSays(
                run(
                        ExitCode.OK,
                        alice,
                        "trust",
                        "init",
                        "lab",
                        "--as",
                        "alice",
                        "--host",
                        "127.0.0.1"),
                "You are \"alice\"",
                "fingerprint");
        Path bundle = alice.resolve("bob.pem");
        run(ExitCode.OK, alice, "trust", "issue", "bob", "-o", bundle.toString());
        assertSays(
                run(ExitCode.OK, bob, "trust", "import", bundle.toString()),
                "You are \"bob\" of the site \"lab\"");
        Path policy = alice.resolve("policy.toml");
        Path audit = alice.resolve("audit.jsonl");
        Files.writeString(
                policy,
                """
                [[allow]]
                who = "bob"
                may = ["borrow", "observe"]
                functions = "e0"
                """);
        try (VerbProcess lender =
                VerbProcess.start(
                        alice,
                        "lend",
                        "edu,name=e0",
                        "edu,name=e1",
                        "--listen",
                        "0.0.0.0:0",
                        "--policy",
                        policy.toString(),
                        "--audit",
                        audit.toString(),
                        "--json")) {
            JsonNode report = lender.report();
            String port = report.get("addresses").toString().replaceAll(".*:(\\d+).*", "$1");
            String there = "@127.0.0.1:" + port;
            // The lender's own user may do all, the other what the policy says.
            assertSays(run(ExitCode.OK, alice, "list", there), "e0", "e1");
            String seen = run(ExitCode.OK, bob, "list", there);
            assertSays(seen, "e0");
            assertFalse(seen.contains("e1"), seen);
            assertFalse(seen.contains("insecure"), seen);
            assertSays(
                    run(ExitCode.REFUSED, bob, "list", "@127.0.0.2:" + port),
                    "proves to be \"alice\"",
                    "not for 127.0.0.2");
            assertSays(
                    run(ExitCode.REFUSED, bob, "list", there, "--insecure"), "--insecure", "TLS");
            try (VerbProcess slot =
                    VerbProcess.start(
                            bob,
                            "borrow",
                            "e0" + there,
                            "--vfio-user",
                            bob.resolve("v").toString(),
                            "--json")) {
                assertEquals("edu", slot.report().get("kind").asString());
                assertSays(run(ExitCode.OK, alice, "list"), "bob at 127.0.0.1:");
                // Revoked, bob loses it within seconds, though it was lent.
                assertSays(run(ExitCode.OK, alice, "trust", "revoke", "bob"), "Revoked: 1");
                String left = "bob at";
                while (left.contains("bob at")) {
                    left = run(ExitCode.OK, alice, "list");
                }
                assertSays(
                        run(ExitCode.REFUSED, bob, "list", there),
                        "does not take this side's certificate");
                // Who is not even let in is in the audit log too; he is told before it is written.
                List<String> refused = List.of();
                while (refused.isEmpty()) {
                    refused =
                            Files.readAllLines(audit).stream()
                                    .filter(line -> line.contains("\"action\":\"connect\""))
                                    .filter(line -> line.contains("was revoked"))
                                    .toList();
                }
                assertSays(refused.getFirst(), "\"what\":\"refused\"", "127.0.0.1");
            }
        }
        assertSays(run(ExitCode.OK, alice, "trust", "show"), "bob", "revoked", "lab", "good");
        assertSays(
                run(ExitCode.NOT_FOUND, alice, "trust", "revoke", "bobb"), "did you mean \"bob\"?");
    }

    @Test
    void whatIsInsecureIsCalledSo() throws Exception {
        try (VerbProcess lender =
                VerbProcess.start(
                        alice,
                        "lend",
                        "edu,name=e0",
                        "--listen",
                        "127.0.0.1:0",
                        "--insecure",
                        "--json")) {
            JsonNode report = lender.report();
            String port = report.get("addresses").toString().replaceAll(".*:(\\d+).*", "$1");
            try (VerbProcess slot =
                    VerbProcess.start(
                            bob,
                            "borrow",
                            "e0@127.0.0.1:" + port,
                            "--insecure",
                            "--vfio-user",
                            bob.resolve("v").toString(),
                            "--json")) {
                slot.report();
                assertSays(run(ExitCode.OK, alice, "ps"), "lending, insecure");
                assertSays(run(ExitCode.OK, bob, "ps"), ", insecure");
                assertSays(run(ExitCode.OK, alice, "list"), "lent, insecure", "(insecure)");
            }
        }
    }
}
