package farslot.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
}
