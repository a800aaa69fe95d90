package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import picocli.CommandLine;

/** docs/register-maps.md, its file and its commands as they stand there, with edu as the card. */
@Tag("processes")
@Timeout(120)
class RegisterMapsPageTest {
    private static final Path PAGE = Path.of("../docs/register-maps.md");
    private static final Pattern BLOCK = Pattern.compile("(?s)```(\\w*)\\n(.*?)```");

    @RegisterExtension final OwnFolder own = new OwnFolder();

    private static List<String> blocks(String language) throws IOException {
        Matcher block = BLOCK.matcher(Files.readString(PAGE));
        return block.results()
                .filter(found -> found.group(1).equals(language))
                .map(found -> found.group(2))
                .toList();
    }

    /** A command, and what it prints. */
    private record Shown(String command, List<String> lines) {}

    private static List<Shown> commands() throws IOException {
        List<Shown> shown = new ArrayList<>();
        for (String block : blocks("console")) {
            for (String line : block.lines().toList()) {
                if (line.startsWith("$ farslot ")) {
                    shown.add(new Shown(line.substring("$ farslot ".length()), new ArrayList<>()));
                } else {
                    shown.getLast().lines.add(line);
                }
            }
        }
        return shown;
    }

    @Test
    void shouldDoAsThePageSays() throws Exception {
        Files.writeString(own.path().resolve("timer.svd"), blocks("xml").getFirst());
        String trace = own.path().resolve("card.fst").toString();
        int run = 0;
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(), "lend", "edu,name=card", "--trace", trace, "--json")) {
            lender.report();
            for (Shown shown : commands()) {
                if (shown.command.startsWith("trace ")) {
                    run("stop card");
                }
                List<String> printed = run(shown.command).lines().toList();
                assertEquals(shown.lines.size(), printed.size(), shown + " printed " + printed);
                for (int i = 0; i < printed.size(); i++) {
                    assertTrue(like(shown.lines.get(i), printed.get(i)), shown + ": " + printed);
                }
                run++;
            }
        }
        assertEquals(9, run);
    }

    /** What differs from time to time is "..." on the page. */
    private static boolean like(String shown, String printed) {
        String[] parts = shown.split(Pattern.quote("..."), -1);
        StringBuilder pattern = new StringBuilder();
        for (String part : parts) {
            pattern.append(pattern.isEmpty() ? "" : ".*")
                    .append(Pattern.quote(parts.length == 1 ? part : part.strip()));
        }
        return printed.matches(pattern.toString());
    }

    private String run(String command) {
        List<String> words = new ArrayList<>();
        for (String word : command.split(" ", -1)) {
            words.add(
                    word.replace("timer.svd", own.path().resolve("timer.svd").toString())
                            .replace("card.fst", own.path().resolve("card.fst").toString()));
        }
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        assertEquals(ExitCode.OK, line.execute(words.toArray(String[]::new)), err.toString());
        return out.toString().replace(own.path() + "/", "");
    }
}
