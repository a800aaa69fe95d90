package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Wrong command lines of vm, lab and demo are refused before anything is fetched or started. */
class VmCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int farslot(String... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    vm                                   | vm wants one of run, list, stop.
                    lab                                  | lab wants one of prepare, status, clean.
                    vm run --memory 12                   | --memory is a number with M or G
                    vm run --memory 64M                  | need 192M
                    vm run --share maybe                 | --share is on or off
                    vm run --name a/b                    | --name is letters
                    vm run --borrow a,b                  | --borrow: "a,b" is no address
                    vm run --trace t.fst                 | --trace records one function
                    vm run --hold 0                      | --hold is a number of seconds from 0.1 to 86400, not 0
                    vm run --hold NaN                    | --hold is a number of seconds
                    vm run --grace -1                    | --grace is a number of seconds from 0
                    vm run --crash-pattern (             | --crash-pattern: "(" is no regular expression
                    vm run --restarts 3                  | --restarts needs --watch-crash
                    vm run --watch-crash --restarts -1   | --restarts is 0 or more
                    vm run --kernel vmlinuz              | --kernel needs --initrd
                    demo --kernel vmlinuz                | --kernel needs --initrd
                    demo --trace /no/such/folder/t.fst   | there is no folder /no/such/folder
                    """)
    void shouldSayWhatIsWrong(String words, String sentence) {
        assertEquals(ExitCode.USAGE, farslot(words.split(" ", -1)), err::toString);
        assertTrue(err.toString().contains(sentence), err::toString);
        assertTrue(err.toString().lines().count() == 1, err::toString);
    }

    @Test
    void shouldNotOverwriteATrace(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("t.fst"), "precious");
        assertEquals(ExitCode.USAGE, farslot("demo", "--trace", file.toString()));
        assertEquals("precious", Files.readString(file));
    }
}
