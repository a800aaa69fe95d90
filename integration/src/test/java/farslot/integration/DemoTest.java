package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.lab.ChildProcess;
import farslot.lab.Console;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The demo as a newcomer runs it, and as an impatient one ends it. */
@Tag("qemu")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class DemoTest {
    private static final Duration DEMO = Duration.ofMinutes(8);
    private static final String NOBODY = "65534";

    /** Short: sockets lie in it. */
    private Path folder;

    @TempDir Path large;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory("fs-demo-");
    }

    @AfterEach
    void removeFolder() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }

    @Test
    void endsWithOkAndKeepsTheTrace() throws Exception {
        Bench.lab();
        Path trace = large.resolve("demo.fst");
        try (ChildProcess demo = start(Bench.program(), "demo", "--trace", trace.toString())) {
            Console console = Console.of("the demo", demo, null);
            assertTrue(demo.await(DEMO) && console.awaitEnd(Bench.START), console::text);
            assertEquals("demo: ok", console.lastLines(1), console::text);
            assertEquals(0, demo.process().exitValue());
            assertTrue(Files.size(trace) > 0);
        }
        assertNothingLeft();
    }

    /** At each of these words of the demo, Ctrl-C. */
    @ParameterizedTest
    @ValueSource(strings = {"lab", "farslot lend", "farslot borrow", "-device", "MiB"})
    void leavesNothingWhenInterrupted(String words) throws Exception {
        Bench.lab();
        // As at a terminal: what runs these tests in the background ignores Ctrl-C, and a child
        // would inherit that.
        List<String> program = new ArrayList<>(List.of("env", "--default-signal=INT"));
        program.addAll(Bench.program());
        try (ChildProcess demo = start(program, "demo")) {
            Console console = Console.of("the demo", demo, null);
            console.await(words, DEMO);
            new ProcessBuilder("kill", "-INT", Long.toString(demo.process().pid()))
                    .start()
                    .waitFor();
            assertTrue(demo.await(Bench.START), console::text);
            assertEquals(130, demo.process().exitValue(), console::text);
        }
        assertNothingLeft();
    }

    /** And kill -9, after which it can do nothing itself. */
    @ParameterizedTest
    @ValueSource(strings = {"lab", "farslot lend", "farslot borrow", "-device", "MiB"})
    void leavesNothingWhenKilled(String words) throws Exception {
        Bench.lab();
        try (ChildProcess demo = start(Bench.program(), "demo")) {
            Console console = Console.of("the demo", demo, null);
            console.await(words, DEMO);
            List<ProcessHandle> started = demo.process().descendants().toList();
            demo.process().destroyForcibly();
            assertTrue(demo.await(Bench.START), console::text);
            for (ProcessHandle child : started) {
                child.onExit().get(Bench.START.toSeconds(), TimeUnit.SECONDS);
            }
        }
        assertNothingLeft();
    }

    @Test
    void saysThatItsLenderEnded() throws Exception {
        Bench.lab();
        try (ChildProcess demo = start(Bench.program(), "demo")) {
            Console console = Console.of("the demo", demo, null);
            console.await("MiB", DEMO);
            demo.process()
                    .children()
                    .filter(child -> words(child.pid()).contains("\0lend\0"))
                    .forEach(ProcessHandle::destroy);
            assertTrue(demo.await(Bench.START) && console.awaitEnd(Bench.START), console::text);
            assertEquals(1, demo.process().exitValue(), console::text);
            assertTrue(
                    console.text().contains("demo: failed: the lender ended by itself"),
                    console::text);
        }
        assertNothingLeft();
    }

    /** From an empty cache: the lab is prepared by an ordinary user too. */
    @Test
    void worksForAnOrdinaryUserFromNothing() throws Exception {
        assumeTrue(
                "root".equals(System.getProperty("user.name"))
                        && Files.isExecutable(Path.of("/usr/bin/setpriv")),
                "becoming another user needs root and setpriv");
        Path home = large.resolve("home");
        Files.createDirectory(home);
        for (Path path : List.of(large, home, folder)) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "setpriv",
                                "--reuid=" + NOBODY,
                                "--regid=" + NOBODY,
                                "--clear-groups",
                                "env",
                                "-u",
                                "XDG_CACHE_HOME",
                                "HOME=" + home));
        words.addAll(withClassPath(readableClassPath()));
        try (ChildProcess demo = start(words, "demo")) {
            Console console = Console.of("the demo", demo, null);
            assertTrue(demo.await(DEMO) && console.awaitEnd(Bench.START), console::text);
            assertEquals("demo: ok", console.lastLines(1), console::text);
        }
        assertNothingLeft();
    }

    /** All that the demo starts has a path below {@link #folder} among its words. */
    private ChildProcess start(List<String> program, String... arguments) {
        List<String> words = new ArrayList<>(program);
        int main = words.size() - 1;
        words.add(main, "-Djava.io.tmpdir=" + folder);
        words.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.redirectErrorStream(true);
        builder.environment().put("XDG_RUNTIME_DIR", folder.toString());
        return ChildProcess.start(builder);
    }

    private void assertNothingLeft() throws IOException {
        List<String> processes =
                ProcessHandle.allProcesses()
                        .map(process -> words(process.pid()))
                        .filter(line -> line.contains(folder.toString()))
                        .toList();
        assertEquals(List.of(), processes);
        try (Stream<Path> all = Files.walk(folder)) {
            // The folder of control sockets may stay; nothing in it may.
            assertEquals(List.of(), all.filter(path -> !Files.isDirectory(path)).toList());
        }
        try (Stream<Path> all = Files.list(folder)) {
            List<String> names = all.map(path -> path.getFileName().toString()).toList();
            assertTrue(
                    List.of().equals(names) || List.of("farslot").equals(names), names::toString);
        }
    }

    private static String words(long pid) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    private static List<String> withClassPath(String classPath) {
        List<String> words = new ArrayList<>(Bench.program());
        words.set(words.indexOf("-cp") + 1, classPath);
        return words;
    }

    /** A copy of what this test runs from, where everybody may read it. */
    private String readableClassPath() throws IOException {
        Path copies = Files.createDirectory(large.resolve("classpath"));
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path from = Path.of(entry);
            if (entry.isEmpty() || !Files.exists(from)) {
                continue;
            }
            Path to = copies.resolve(entries.size() + "-" + from.getFileName());
            try (Stream<Path> all = Files.walk(from)) {
                for (Path path : all.toList()) {
                    Path target = to.resolve(from.relativize(path).toString());
                    Files.copy(path, Files.isDirectory(from) ? target : to);
                }
            }
            entries.add(to.toString());
        }
        return String.join(File.pathSeparator, entries);
    }
}
