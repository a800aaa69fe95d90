package farslot.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher, in a checkout that holds one source, a Maven that only counts how often it is
 * called, and Javas that only print their arguments.
 */
@Timeout(120)
class LauncherTest {
    private static final String JAVA =
            """
            #!/bin/sh
            [ "$1" != -version ] || { echo 'openjdk version "@VERSION@"' >&2; exit; }
            case "$*" in *farslot.rehearse*) exit ;; esac
            echo "java @VERSION@"
            for argument; do echo "argument $argument"; done
            case "$*" in *"hold") echo holding; exec cat ;; esac
            """;

    private static final String MAVEN =
            """
            #!/bin/sh
            here=$(pwd)
            echo "$*" >>"$MAVEN_LOG"
            sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status >"$MAVEN_LOG.ignored"
            case "$here" in
            */work) ;;
            *)
                case "$*" in *test-compile) exit ;; esac
                if [ -e "$MAVEN_LOG.hang" ]; then
                    echo '[INFO] Running farslot.ATest'
                    echo '[INFO] Running farslot.BTest'
                    echo '[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s -- in farslot.ATest'
                    echo '[ERROR] There was a timeout in the fork'
                    exit
                fi
                echo '[INFO] Tests run: 4, Failures: 1, Errors: 1, Skipped: 1, Time elapsed: 1 s -- in A'
                echo '[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s -- in B'
                echo '[INFO] Tests run: 9, Failures: 1, Errors: 1, Skipped: 1'
                exit
                ;;
            esac
            if grep -q broken core/src/main/A.java; then
                echo "[ERROR] $here/core/src/main/A.java is broken"
                exit 1
            fi
            if grep -q endless core/src/main/A.java; then
                echo '[INFO] Building core 0.1.0 [1/2]'
                exec cat "$MAVEN_LOG.fifo"
            fi
            mkdir -p cli/target/lib
            find core -type f >cli/target/lib/core.jar
            cp core/src/main/A.java cli/target/cli-0.1.0.jar
            """;

    @TempDir Path folder;
    private Path checkout;
    private Path source;
    private Path mavenLog;

    private record Ended(int exitCode, String out, String err) {}

    @BeforeEach
    void makeCheckout() throws IOException {
        checkout = Files.createDirectories(folder.resolve("a checkout"));
        mavenLog = folder.resolve("maven.log");
        Files.copy(
                Path.of(System.getProperty("farslot.home"), "farslot"),
                checkout.resolve("farslot"));
        script(checkout.resolve("mvnw"), MAVEN);
        Files.writeString(checkout.resolve("pom.xml"), "<modules/>\n");
        source = checkout.resolve("core/src/main/A.java");
        Files.createDirectories(source.getParent());
        Files.writeString(source, "first");
        // Whatever Java this machine has in /usr/bin, the default one of these tests is 17.
        java("default", "17.0.15");
    }

    private static void script(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Makes a Java whose version is known from its "release" file, as most are. */
    private Path java(String name, String version) throws IOException {
        Path home = folder.resolve(name);
        script(home.resolve("bin/java"), JAVA.replace("@VERSION@", version));
        script(home.resolve("bin/javac"), "#!/bin/sh\n");
        Files.writeString(
                home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private Process start(Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(checkout.resolve("farslot").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        Map<String, String> all = builder.environment();
        all.keySet().removeIf(name -> name.startsWith("FARSLOT_") || name.equals("JAVA_HOME"));
        all.put("PATH", folder.resolve("default/bin") + ":" + all.get("PATH"));
        all.put("HOME", folder.toString());
        all.put("MAVEN_LOG", mavenLog.toString());
        all.put("FARSLOT_JAVA_PLACES", folder + "/jdk*");
        all.putAll(environment);
        builder.redirectError(Files.createTempFile(folder, "err", "").toFile());
        return builder.start();
    }

    private Ended farslot(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        Process process = start(environment, arguments);
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        int exitCode = process.waitFor();
        return new Ended(exitCode, out, newestErrors());
    }

    private Ended farslot(String... arguments) throws IOException, InterruptedException {
        return farslot(Map.of(), arguments);
    }

    private String newestErrors() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            StringBuilder text = new StringBuilder();
            for (Path file :
                    files.filter(f -> f.getFileName().toString().startsWith("err")).toList()) {
                text.append(Files.readString(file));
                Files.delete(file);
            }
            return text.toString();
        }
    }

    private int mavenRuns() throws IOException {
        return Files.exists(mavenLog) ? Files.readAllLines(mavenLog).size() : 0;
    }

    private List<Path> builds() throws IOException {
        try (Stream<Path> files = Files.list(checkout.resolve(".build"))) {
            return files.filter(f -> Files.exists(f.resolve("java.args"))).sorted().toList();
        }
    }

    @Test
    void shouldSayWhatToInstallWhenThereIsNoJava() throws Exception {
        java("jdk-21", "21.0.2");
        Ended ended = farslot("version");
        assertEquals(ExitCode.LACKING, ended.exitCode());
        assertTrue(ended.err().startsWith("farslot: Farslot needs a JDK 25 or newer"), ended.err());
        assertTrue(ended.err().contains("the default one here is 17"), ended.err());
        assertTrue(ended.err().contains("adoptium.net"), ended.err());
        assertEquals(0, mavenRuns());
    }

    @Test
    void shouldFindTheJavaThatFitsAmongSeveral() throws Exception {
        Path old = java("jdk-11", "11.0.2");
        java("jdk-21", "21");
        java("jdk-26", "26-ea");
        Ended ended = farslot(Map.of("JAVA_HOME", old.toString()), "version", "an argument");
        assertEquals(ExitCode.OK, ended.exitCode(), ended.err());
        assertTrue(ended.out().startsWith("java 26-ea\n"), ended.out());
        assertTrue(ended.out().endsWith("argument version\nargument an argument\n"), ended.out());
    }

    @Test
    void shouldAskAJavaForItsVersionWhenItHasNoReleaseFile() throws Exception {
        Files.delete(java("jdk-25", "25.0.3").resolve("release"));
        assertEquals(ExitCode.OK, farslot("version").exitCode());
    }

    @Test
    void shouldPreferJavaHome() throws Exception {
        java("jdk-25", "25.0.3");
        Path chosen = java("chosen", "27");
        Ended ended = farslot(Map.of("JAVA_HOME", chosen.toString()), "version");
        assertTrue(ended.out().startsWith("java 27\n"), ended.out());
    }

    @Test
    void shouldBuildOnceAndAgainWhenASourceChanged() throws Exception {
        java("jdk-25", "25.0.3");
        assertEquals(ExitCode.OK, farslot("version").exitCode());
        assertEquals(ExitCode.OK, farslot("version").exitCode());
        assertEquals(1, mavenRuns());
        Path first = builds().getFirst();
        Files.writeString(source, "second");
        assertEquals(ExitCode.OK, farslot("version").exitCode());
        assertEquals(2, mavenRuns());
        assertNotEquals(List.of(first), builds());
        assertEquals(1, builds().size(), "the build that nobody uses is removed");
    }

    @Test
    void shouldNoticeADeletedSource() throws Exception {
        java("jdk-25", "25.0.3");
        Path second = source.resolveSibling("B.java");
        Files.writeString(second, "B");
        farslot("version");
        Files.delete(second);
        farslot("version");
        assertEquals(2, mavenRuns());
        String built = Files.readString(builds().getFirst().resolve("lib/core.jar"));
        assertFalse(built.contains("B.java"), built);
    }

    @Test
    void shouldNotBuildWhenOnlyTheTimeOfASourceOrATestChanged() throws Exception {
        java("jdk-25", "25.0.3");
        farslot("version");
        Files.setLastModifiedTime(source, FileTime.fromMillis(0));
        Files.createDirectories(checkout.resolve("core/src/test"));
        Files.writeString(checkout.resolve("core/src/test/ATest.java"), "test");
        farslot("version");
        assertEquals(1, mavenRuns());
    }

    @Test
    void shouldKeepTheBuildThatAProcessUses() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/flock")), "only where there is flock");
        java("jdk-25", "25.0.3");
        Process held = start(Map.of(), "hold");
        try {
            untilLine(held, "holding");
            Path used = builds().getFirst();
            Files.writeString(source, "second");
            assertEquals(ExitCode.OK, farslot("version").exitCode());
            assertEquals(2, builds().size());
            assertTrue(Files.exists(used.resolve("lib/core.jar")));
        } finally {
            held.getOutputStream().close();
            held.waitFor();
        }
        Files.writeString(source, "third");
        farslot("version");
        assertEquals(1, builds().size());
    }

    @Test
    void shouldBuildOnceWhenTwoLaunchersStartTogether() throws Exception {
        java("jdk-25", "25.0.3");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(start(Map.of(), "version"));
        }
        for (Process process : processes) {
            process.getInputStream().readAllBytes();
            assertEquals(ExitCode.OK, process.waitFor(), newestErrors());
        }
        assertEquals(1, mavenRuns());
    }

    @Test
    void shouldStartCleanlyAfterABuildWasStopped() throws Exception {
        java("jdk-25", "25.0.3");
        Files.writeString(source, "endless");
        assertEquals(
                0, new ProcessBuilder("mkfifo", mavenLog + ".fifo").inheritIO().start().waitFor());
        Process process = start(Map.of(), "version");
        // Opens when the endless Maven has opened its end.
        try (var endless = Files.newOutputStream(Path.of(mavenLog + ".fifo"))) {
            process.destroy();
            assertEquals(143, process.waitFor());
            endless.flush();
        }
        assertTrue(newestErrors().contains("farslot: stopped"));
        assertEquals(List.of(), builds());
        Files.writeString(source, "second");
        assertEquals(ExitCode.OK, farslot("version").exitCode());
        assertEquals(1, builds().size());
    }

    @Test
    void shouldSayWhyWhenTheBuildFails() throws Exception {
        java("jdk-25", "25.0.3");
        farslot("version");
        Files.writeString(source, "broken");
        Ended ended = farslot("version");
        assertEquals(ExitCode.FAILED, ended.exitCode());
        assertTrue(ended.err().contains("[ERROR] core/src/main/A.java is broken"), ended.err());
        assertTrue(ended.err().contains("farslot: the build failed"), ended.err());
        assertEquals("", ended.out());
    }

    @Test
    void shouldRunTheLastBuildWhenToldNotToBuild() throws Exception {
        java("jdk-25", "25.0.3");
        Map<String, String> noBuild = Map.of("FARSLOT_NO_BUILD", "1");
        assertEquals(ExitCode.LACKING, farslot(noBuild, "version").exitCode());
        farslot("version");
        Files.writeString(source, "second");
        Ended ended = farslot(noBuild, "version");
        assertEquals(ExitCode.OK, ended.exitCode(), ended.err());
        assertEquals(1, mavenRuns());
    }

    @Test
    void shouldRunFromACheckoutThatMayOnlyBeRead() throws Exception {
        assumeFalse(System.getProperty("user.name").equals("root"), "root may write anywhere");
        java("jdk-25", "25.0.3");
        farslot("version");
        Files.setPosixFilePermissions(
                checkout.resolve(".build"), PosixFilePermissions.fromString("r-xr-xr-x"));
        try {
            assertEquals(ExitCode.OK, farslot("version").exitCode());
            Files.writeString(source, "second");
            assertEquals(ExitCode.OK, farslot("version").exitCode());
            assertEquals(ExitCode.OK, farslot("version").exitCode());
            assertEquals(2, mavenRuns());
            assertTrue(Files.exists(folder.resolve(".cache/farslot")));
        } finally {
            Files.setPosixFilePermissions(
                    checkout.resolve(".build"), PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    @Test
    void shouldCountWhatTheTestsDid() throws Exception {
        java("jdk-25", "25.0.3");
        Ended ended = farslot("test", "--long", "--", "-Dtest=A");
        assertEquals(ExitCode.FAILED, ended.exitCode(), ended.err());
        assertTrue(ended.out().endsWith("\n6 passed, 2 failed, 1 skipped\n"), ended.out());
        List<String> asked = Files.readAllLines(mavenLog);
        assertTrue(asked.get(1).contains("-P strict -Dtest=A clean test-compile"), asked.get(1));
        for (String word :
                List.of("-Dfarslot.excluded=none", "-Dfarslot.rounds=full", "-Dtest=A", "test")) {
            assertTrue(asked.get(2).contains(word), asked.get(2));
        }
    }

    @Test
    void shouldNameTheTestsThatHang() throws Exception {
        java("jdk-25", "25.0.3");
        Files.writeString(Path.of(mavenLog + ".hang"), "");
        Ended ended = farslot("test");
        assertEquals(ExitCode.FAILED, ended.exitCode(), ended.err());
        assertTrue(
                ended.out()
                        .endsWith(
                                """
                                [ERROR] There was a timeout in the fork
                                it was running: farslot.BTest
                                4 passed, 1 failed, 0 skipped
                                """),
                ended.out());
    }

    @Test
    void shouldLetCtrlCReachWhatTheTestsStart() throws Exception {
        java("jdk-25", "25.0.3");
        farslot("test");
        String mask = Files.readString(Path.of(mavenLog + ".ignored")).strip();
        assumeFalse(mask.isEmpty(), "only where there is /proc");
        int interrupt = 1 << 1; // SIGINT is 2: signal(7); bit n - 1: proc_pid_status(5)
        assertEquals(0, Long.parseUnsignedLong(mask, 16) & interrupt, mask);
    }

    @Test
    void shouldRefuseAnUnknownOptionOfTest() throws Exception {
        java("jdk-25", "25.0.3");
        Ended ended = farslot("test", "--fats");
        assertEquals(ExitCode.USAGE, ended.exitCode());
        assertEquals(0, mavenRuns());
    }

    @Test
    void shouldLeaveHelpOfTestToTheProgram() throws Exception {
        java("jdk-25", "25.0.3");
        Ended ended = farslot("test", "--help");
        assertTrue(ended.out().endsWith("argument test\nargument --help\n"), ended.out());
    }

    private static void untilLine(Process process, String wanted) throws IOException {
        var reader = process.inputReader();
        String line = reader.readLine();
        while (line != null && !line.equals(wanted)) {
            line = reader.readLine();
        }
        assertEquals(wanted, line);
    }
}
