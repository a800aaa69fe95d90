package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The tests and files that docs/ names are there. */
class DocumentedNamesTest {
    private static final Path HOME = Path.of(System.getProperty("farslot.home"));
    private static final Pattern TEST = Pattern.compile("`(\\w+Test)\\.(\\w+)`");
    private static final Pattern FILE = Pattern.compile("`([\\w-]+)/(\\w+)`");

    /** In the order of their columns, without the heading's. */
    private static List<String[]> rows(String document, String from) throws IOException {
        String text = Files.readString(HOME.resolve("docs").resolve(document));
        return text.substring(text.indexOf(from))
                .lines()
                .filter(line -> line.startsWith("| ") && !line.startsWith("| ---"))
                .map(line -> line.split(" *\\| *", -1))
                .toList();
    }

    private static List<MatchResult> names(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.results().toList();
    }

    private static Map<String, List<Path>> sources;

    @BeforeAll
    static void findSources() throws IOException {
        sources = new HashMap<>();
        Files.walkFileTree(
                HOME,
                new SimpleFileVisitor<Path>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path folder, BasicFileAttributes what) {
                        String name = folder.getFileName().toString();
                        boolean ours = folder.equals(HOME) || !name.matches("\\..*|target");
                        return ours ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes what) {
                        String name = file.getFileName().toString();
                        if (name.endsWith(".java")) {
                            sources.computeIfAbsent(
                                            name.substring(0, name.length() - 5),
                                            of -> new ArrayList<>())
                                    .add(file);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    /** The source files with this name, in whichever module. */
    private static List<Path> sources(String name) {
        return sources.getOrDefault(name, List.of());
    }

    @Test
    void shouldFindEachTestThatIsNamedAgainstADanger() throws IOException {
        List<String> missing = new ArrayList<>();
        int found = 0;
        for (String[] row : rows("dangers.md", "# Dangers")) {
            for (MatchResult name : names(TEST, row[3])) {
                found++;
                if (!isThere(name)) {
                    missing.add(name.group());
                }
            }
        }
        assertEquals(List.of(), missing);
        assertTrue(found > 40, found + " tests are named");
    }

    /** Whether there is this test. Of two classes of one name, one has it. */
    private static boolean isThere(MatchResult name) throws IOException {
        int there = 0;
        for (Path source : sources(name.group(1))) {
            if (Files.readString(source).contains(" void " + name.group(2) + "(")) {
                there++;
            }
        }
        return there == 1;
    }

    @Test
    void shouldFindTheTestsOfEachPromise() throws IOException {
        List<String> wrong = new ArrayList<>();
        int promises = 0;
        for (String[] row : rows("security.md", "## Against a hostile network")) {
            if (row[1].equals("promise")) {
                continue;
            }
            promises++;
            List<MatchResult> tests = names(TEST, row[2]);
            if (tests.isEmpty()) {
                wrong.add("without a test: " + row[1]);
            }
            for (MatchResult name : tests) {
                if (!isThere(name)) {
                    wrong.add(name.group());
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(promises > 20, promises + " promises are made");
    }

    @Test
    void shouldFindEachFileThatWillChangeAndNoneThatWillBeAdded() throws IOException {
        List<String> wrong = new ArrayList<>();
        int changed = 0;
        for (String[] row : rows("architecture.md", "## What comes")) {
            if (row.length != 5 || !row[0].isEmpty()) {
                continue;
            }
            for (MatchResult file : names(FILE, row[3])) {
                changed++;
                if (sources(file.group(2)).stream().noneMatch(path -> isIn(path, file.group(1)))) {
                    wrong.add("changed: " + file.group());
                }
            }
            for (MatchResult file : names(FILE, row[2])) {
                boolean exists =
                        sources(file.group(2)).stream().anyMatch(path -> isIn(path, file.group(1)));
                if (exists != file.group(1).equals("core")) {
                    wrong.add("added: " + file.group());
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(changed > 10, changed + " files are named");
    }

    private static boolean isIn(Path source, String module) {
        return source.toString().contains("/src/main/java/farslot/" + module + "/");
    }
}
