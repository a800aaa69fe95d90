package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import farslot.lab.ChildProcess;
import farslot.lab.Console;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pages as a reader follows them: in a copy of the checkout their files are made, their lines put
 * in, their commands run, and what they say is compared with the page. There, "…" stands for any
 * text; lines that begin with "$ " are for the checkout's folder, with "# " for the machine that
 * was started last.
 */
@Tag("qemu")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class TutorialTest {
    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final Set<String> LEFT_OUT = Set.of(".git", ".build", "target");
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)\n(.*?)^```$");
    private static final Pattern NEW_FILE = Pattern.compile("New file `([^`]+)`:\\s*$");
    private static final Pattern INSERTION =
            Pattern.compile("In `([^`]+)`, after the line `([^`]+)`:\\s*$");

    @TempDir Path folder;

    private Path checkout;
    private Path runtime;
    private Console machine;
    private int commands;

    @Test
    void shouldWorkAsWritten() throws Exception {
        checkout = copyOf(Path.of(System.getProperty("farslot.home")));
        runtime = Files.createTempDirectory("fs-");
        try {
            // One build serves all.
            follow("write-a-device.md", "c0", 15);
            follow("reverse-engineering.md", "x0", 18);
        } finally {
            Bench.remove(runtime);
        }
    }

    private void follow(String name, String lender, int atLeast) throws Exception {
        String page = Files.readString(checkout.resolve("docs").resolve(name));
        commands = 0;
        int from = 0;
        try {
            for (Matcher block = BLOCK.matcher(page); block.find(); from = block.end()) {
                String before = page.substring(from, block.start());
                if (block.group(1).equals("console")) {
                    follow(block.group(2).lines().toList());
                } else {
                    put(before, block.group(2));
                }
            }
        } finally {
            run("./farslot stop " + lender);
        }
        assertTrue(commands >= atLeast, name + " has commands: " + commands);
    }

    private void put(String before, String text) throws IOException {
        Matcher newFile = NEW_FILE.matcher(before);
        if (newFile.find()) {
            Path file = checkout.resolve(newFile.group(1));
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
            return;
        }
        Matcher insertion = INSERTION.matcher(before);
        assertTrue(insertion.find(), () -> "The page does not say where this goes:\n" + text);
        Path file = checkout.resolve(insertion.group(1));
        String old = Files.readString(file);
        int line = old.indexOf(insertion.group(2));
        assertTrue(line >= 0, () -> file + " has no line " + insertion.group(2));
        int after = old.indexOf('\n', line) + 1;
        Files.writeString(file, old.substring(0, after) + text + old.substring(after));
    }

    /** Commands, and below each what it says. */
    private void follow(List<String> lines) throws Exception {
        for (int i = 0; i < lines.size(); ) {
            String command = lines.get(i++);
            StringBuilder expected = new StringBuilder();
            while (i < lines.size() && !lines.get(i).matches("[$#] .*")) {
                expected.append(lines.get(i++)).append('\n');
            }
            commands++;
            String said =
                    command.startsWith("# ") ? inMachine(command.substring(2)) : here(command);
            assertTrue(
                    says(said, expected.toString()),
                    () -> command + "\nshould say:\n" + expected + "\nand said:\n" + said);
        }
    }

    /** Whether the pieces between "…" come in this order. How they are spaced does not matter. */
    private static boolean says(String said, String expected) {
        String text = said.replaceAll("\\s+", " ");
        int from = 0;
        for (String piece : expected.strip().replaceAll("\\s+", " ").split("…", -1)) {
            int at = text.indexOf(piece.strip(), from);
            if (at < 0) {
                return false;
            }
            from = at + piece.strip().length();
        }
        return true;
    }

    private String here(String line) throws Exception {
        String command = line.substring(2);
        if (command.startsWith("./farslot vm run")) {
            machine = Console.of("the machine", process(command), null);
            machine.await(Pattern.compile("[/~] # $"), PATIENCE);
            return machine.text();
        }
        Ended ended = run(command);
        return ended.exitCode == 0 ? ended.text : fail(command + "\n" + ended.text);
    }

    /** Types it, and waits for the mark that is typed behind it. */
    private String inMachine(String command) {
        int before = machine.text().length();
        if (command.equals("poweroff -f")) {
            machine.type(command + "\n");
            assertTrue(machine.awaitEnd(PATIENCE), machine.lastLines(10));
            return "";
        }
        String mark = "end-" + commands;
        machine.type(command + "; echo \"$?\"" + "@" + mark + "\n");
        Matcher end = machine.await(Pattern.compile("(\\d+)@" + mark + "\\s"), PATIENCE);
        String said = machine.text().substring(before);
        assertTrue(end.group(1).equals("0"), () -> command + "\n" + said);
        return said;
    }

    private record Ended(int exitCode, String text) {}

    private Ended run(String command) {
        try (ChildProcess process = process(command)) {
            Console console = Console.of(command, process, null);
            if (!process.await(PATIENCE) || !console.awaitEnd(PATIENCE)) {
                return fail(command + " does not end: " + console.text());
            }
            return new Ended(process.process().exitValue(), console.text());
        }
    }

    private ChildProcess process(String command) {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", command);
        builder.directory(checkout.toFile()).redirectErrorStream(true);
        builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
        builder.environment().put("TERM", "dumb");
        return ChildProcess.start(builder);
    }

    private Path copyOf(Path home) throws IOException {
        Path copy = folder.resolve("checkout");
        Files.walkFileTree(
                home,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path path, BasicFileAttributes attributes) throws IOException {
                        if (LEFT_OUT.contains(path.getFileName().toString())) {
                            return FileVisitResult.SKIP_SUBTREE;
                        }
                        Files.createDirectories(copy.resolve(home.relativize(path)));
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path path, BasicFileAttributes attributes)
                            throws IOException {
                        if (!path.getFileName().toString().equals(".git")) {
                            Path to = copy.resolve(home.relativize(path));
                            Files.copy(path, to, StandardCopyOption.COPY_ATTRIBUTES);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
        return copy;
    }
}
