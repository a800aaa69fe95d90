package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ConsoleTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    @Test
    void waitsForWordsInTheirOrder() {
        try (ChildProcess cat = ChildProcess.start(new ProcessBuilder("cat"))) {
            Console console = Console.of("cat", cat, null);
            console.type("port 17\nport 18\n");
            assertEquals("17", console.await(Pattern.compile("port (\\d+)"), LONG).group(1));
            assertEquals("18", console.await(Pattern.compile("port (\\d+)"), LONG).group(1));
        }
    }

    @Test
    void saysWhatAProgramSaidThatEndedFirst() {
        try (ChildProcess echo = ChildProcess.start(new ProcessBuilder("echo", "no room"))) {
            Console console = Console.of("echo", echo, null);
            LabException e = assertThrows(LabException.class, () -> console.await("ready", LONG));
            assertTrue(e.getMessage().contains("echo ended before"), e.getMessage());
            assertTrue(e.getMessage().contains("no room"), e.getMessage());
        }
    }

    @Test
    void keepsTheEndOfAFlood() {
        ProcessBuilder flood =
                new ProcessBuilder("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end");
        try (ChildProcess process = ChildProcess.start(flood)) {
            Console console = Console.of("flood", process, null);
            assertTrue(console.awaitEnd(LONG));
            assertEquals(Console.KEPT_CHARACTERS, console.text().length());
            assertTrue(console.text().endsWith("xend\n"));
        }
    }

    @Test
    void aChildThatIsClosedIsGone() {
        ChildProcess stubborn =
                ChildProcess.start(new ProcessBuilder("sh", "-c", "exec sleep 1000"));
        stubborn.close();
        assertFalse(stubborn.isAlive());
    }

    @Test
    void saysThatAProgramIsNotThere() {
        LabException e =
                assertThrows(
                        LabException.class,
                        () -> ChildProcess.start(new ProcessBuilder("/no/such/program")));
        assertTrue(e.getMessage().contains("/no/such/program"), e.getMessage());
    }
}
