package farslot.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The program as users start it: by the launcher, as modules. All other tests run on the class
 * path, where a lacking export, service or module goes unnoticed.
 */
@Timeout(600)
class AssembledProgramTest {
    private static final Path HOME = Path.of(System.getProperty("farslot.home"));

    @TempDir Path folder;

    private record Ended(int exitCode, String out, String err) {}

    private ProcessBuilder command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(HOME.resolve("farslot").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        // Sockets of lenders and slots of this test alone.
        builder.environment().put("XDG_RUNTIME_DIR", folder.toString());
        builder.environment().put("XDG_STATE_HOME", folder.toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("FARSLOT_"));
        return builder;
    }

    private Ended farslot(String... arguments) throws IOException, InterruptedException {
        Path err = Files.createTempFile(folder, "err", "");
        Process process = command(arguments).redirectError(err.toFile()).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Ended(process.waitFor(), out, Files.readString(err));
    }

    @Test
    void shouldShowHelp() throws Exception {
        Ended ended = farslot("--help");
        assertEquals(ExitCode.OK, ended.exitCode(), ended.err());
        assertTrue(ended.out().contains("Usage: farslot VERB"), ended.out());
    }

    @Test
    void shouldRunAsModulesWithNothingButDataOnStandardOutput() throws Exception {
        Ended ended = farslot("version", "--json");
        assertEquals(ExitCode.OK, ended.exitCode(), ended.err());
        assertTrue(ended.out().startsWith("{"), ended.out());
        assertTrue(ended.out().endsWith("}\n"), ended.out());
    }

    @Test
    @EnabledOnOs(
            value = OS.LINUX,
            architectures = {"amd64", "aarch64"})
    void shouldAnswerSqlWithoutUnpackingDuckDb() throws Exception {
        Path text = folder.resolve("t.mmiotrace");
        Files.writeString(
                text,
                """
                VERSION 20070824
                PCIDEV 0100 12345678 0 f0000000 0 0 0 0 0 0 1000 0 0 0 0 0 0 widget
                R 4 1.5 1 0xf0000004 0x7 0x0 0
                """);
        assertEquals(
                ExitCode.OK, farslot("trace", "import", "t.mmiotrace", "-o", "t.fst").exitCode());
        String sql = "SELECT value FROM events WHERE kind = 'read'";
        ProcessBuilder query = command("trace", "query", "t.fst", sql, "--format", "csv");
        query.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        query.environment().put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=/nowhere");
        Process process = query.redirectError(folder.resolve("err").toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(ExitCode.OK, process.waitFor(), Files.readString(folder.resolve("err")));
        assertEquals(List.of("value", "7"), out.lines().toList());
    }

    @Test
    void shouldHaveEveryModuleInItsBuild() throws Exception {
        String build = Files.readAllLines(HOME.resolve(".build/current")).getFirst();
        try (Stream<Path> jars = Files.list(HOME.resolve(".build").resolve(build).resolve("lib"))) {
            List<String> names = jars.map(jar -> jar.getFileName().toString()).sorted().toList();
            for (String module : List.of("core", "link", "lender", "slot", "device-nvme", "cli")) {
                assertTrue(names.contains(module + "-" + Program.VERSION + ".jar"), names + "");
            }
            assertTrue(names.stream().noneMatch(name -> name.startsWith("junit")), names + "");
        }
    }

    @Test
    void shouldEndWithTheDocumentedCodeWhenTheVerbIsUnknown() throws Exception {
        Ended ended = farslot("brorow");
        assertEquals(ExitCode.USAGE, ended.exitCode());
        assertTrue(ended.err().contains("did you mean \"borrow\"?"), ended.err());
        assertEquals("", ended.out());
    }

    @Test
    void shouldLendInOneProcessAndListInAnother() throws Exception {
        Process lender =
                command("lend", "edu,name=e0", "--json", "--listen", "127.0.0.1:0", "--insecure")
                        .redirectError(folder.resolve("lender.err").toFile())
                        .start();
        try {
            String report = untilWholeJson(lender);
            Matcher tcp = Pattern.compile("127\\.0\\.0\\.1:(\\d+)").matcher(report);
            assertTrue(tcp.find(), report);

            Ended here = farslot("list", "--json");
            assertEquals(ExitCode.OK, here.exitCode(), here.err());
            assertTrue(here.out().contains("\"e0\""), here.out());

            Ended across = farslot("list", "@127.0.0.1:" + tcp.group(1), "--insecure");
            assertEquals(ExitCode.OK, across.exitCode(), across.err());
            assertTrue(across.out().contains("e0"), across.out());

            Ended stopped = farslot("stop", "e0");
            assertEquals(ExitCode.OK, stopped.exitCode(), stopped.err());
            lender.waitFor();
            Ended gone = farslot("list", "e0@127.0.0.1:" + tcp.group(1), "--insecure");
            assertEquals(ExitCode.NOT_FOUND, gone.exitCode(), gone.err());
        } finally {
            lender.destroyForcibly().waitFor();
        }
    }

    /** What a process that goes on has printed, when its outermost brace has closed. */
    private String untilWholeJson(Process process) throws IOException {
        StringBuilder text = new StringBuilder();
        BufferedReader out = process.inputReader(UTF_8);
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            text.append(line).append('\n');
            if (line.equals("}")) {
                return text.toString();
            }
        }
        throw new AssertionError(
                "It ended: " + text + Files.readString(folder.resolve("lender.err")));
    }
}
