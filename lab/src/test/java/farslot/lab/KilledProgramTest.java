package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a program that was killed, and had no chance to clean up. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class KilledProgramTest {
    @TempDir Path folder;

    /** A program with a child and a folder, started by a thread that has ended since. */
    static final class Parent {
        private Parent() {}

        public static void main(String[] args) throws Exception {
            TemporaryFolder temporary = TemporaryFolder.createIn(Path.of(args[0]), "run-");
            Files.writeString(temporary.path().resolve("large"), "much");
            Thread starter =
                    new Thread(() -> ChildProcess.start(new ProcessBuilder("sleep", "1000")));
            starter.start();
            starter.join();
            System.out.println("ready");
            System.in.read();
            System.exit(0);
        }
    }

    @Test
    void shouldEndItsChildrenAndRemoveItsFolderWhenKilled() throws Exception {
        assumeTrue(Command.exists("setpriv"), "the kernel is asked by setpriv");
        Process parent = startParent();
        List<ProcessHandle> children = parent.children().toList();
        assertEquals(2, children.size(), "the child, and the folder's watcher");
        assertTrue(children.stream().allMatch(ProcessHandle::isAlive));
        assertEquals(1, names().size());

        parent.destroyForcibly().waitFor();
        for (ProcessHandle child : children) {
            child.onExit().get(60, TimeUnit.SECONDS);
        }
        assertEquals(List.of(), names());
    }

    @Test
    void shouldLeaveNothingEitherWhenItEndsByItself() throws Exception {
        Process parent = startParent();
        List<ProcessHandle> children = parent.children().toList();
        parent.getOutputStream().close();
        assertTrue(parent.waitFor(60, TimeUnit.SECONDS));
        assertFalse(children.stream().anyMatch(ProcessHandle::isAlive));
        assertEquals(List.of(), names());
    }

    @Test
    void shouldSayWhyAFolderCannotBeMade() {
        IOException e =
                assertThrows(
                        IOException.class,
                        () -> TemporaryFolder.createIn(folder.resolve("absent"), "run-"));
        assertTrue(e.getMessage().contains("absent/run-"), e.getMessage());
    }

    private Process startParent() throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        Parent.class.getName(),
                        folder.toString());
        Process parent = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals("ready", parent.inputReader().readLine());
        return parent;
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> path.getFileName().toString()).toList();
        }
    }
}
