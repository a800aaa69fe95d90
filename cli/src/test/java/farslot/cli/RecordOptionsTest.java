package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.devices.edu.EduKind;
import farslot.recorder.TraceOptions;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

@Timeout(120)
class RecordOptionsTest {
    @RegisterExtension final OwnFolder own = new OwnFolder();
    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int farslot(Object... arguments) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        return line.execute(words);
    }

    @Command
    private static final class Holder {
        @CommandLine.Mixin RecordOptions recording;
    }

    private static TraceOptions options(String... words) throws Exception {
        Holder holder = new Holder();
        new CommandLine(holder).parseArgs(words);
        EduKind kind = new EduKind();
        try (DeviceFunction edu =
                DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())))) {
            return holder.recording.of(edu.describe());
        }
    }

    @Test
    void shouldBeWhatIsRecordedWithoutOptions() throws Exception {
        assertEquals(TraceOptions.DEFAULT, options());
    }

    @Test
    void shouldSayWhatIsRecorded() throws Exception {
        TraceOptions options =
                options(
                        "--dma=head:64",
                        "--mode=BAR0:0x0-0xff=count",
                        "--mode=CFG=off",
                        "--where=write or irq",
                        "--until=failed",
                        "--ring=64M",
                        "--guest-marks",
                        "--limit=2G",
                        "--files=3",
                        "--sync=500");
        assertEquals("head:64", options.dmaData().toString());
        assertEquals("CFG=off", options.rules().modes().get(1).toString());
        assertEquals("failed", options.rules().until().toString());
        assertTrue(options.rules().guestMarks());
        assertEquals(64L << 20, options.ringBytes());
        assertEquals(2L << 30, options.limitBytes());
        assertEquals(3, options.files());
        assertEquals(500, options.forceMillis());
    }

    @ParameterizedTest
    @CsvSource({
        "--dma=all,          does not say what is kept of DMA",
        "--mode=BAR9=off,    There is no region \"BAR9\"",
        "--mode=BAR0=of,     did you mean \"off\"?",
        "--where=CSTS ==,    --where: ",
        "--until=nonsense,   --until: ",
        "--ring=12,          128 KiB is the least",
        "--limit=lots,       a size is wanted",
        "--limit=9999999T,   more than any disk",
        "--files=0,          1 to 1000 are possible",
    })
    void shouldBeRefusedWithASentence(String option, String sentence) {
        CommandFailure failure = assertThrows(CommandFailure.class, () -> options(option));
        assertTrue(failure.getMessage().contains(sentence), failure.getMessage());
    }

    @Test
    void shouldWantATraceToBeAbout() {
        assertEquals(ExitCode.USAGE, farslot("lend", "edu", "--ring", "1M"));
        assertTrue(err.toString().contains("--trace FILE.fst must be given too"), err.toString());
    }

    @Test
    @Tag("processes")
    void shouldRecordByThemWhileAFunctionIsLent() throws Exception {
        Path trace = folder.resolve("e0.fst");
        try (VerbProcess lender =
                VerbProcess.start(
                        own.path(),
                        "lend",
                        "edu,name=e0",
                        "--json",
                        "--trace",
                        trace.toString(),
                        "--mode=CFG:0x0-0x3=count",
                        "--ring=1M")) {
            lender.report();
            for (int i = 0; i < 3; i++) {
                assertEquals(ExitCode.OK, farslot("peek", "e0", "CFG+0", "4"), err::toString);
            }
            assertEquals(ExitCode.OK, farslot("peek", "e0", "CFG+8", "4"), err::toString);
            assertFalse(Files.exists(trace), "a ring is in memory");
            assertEquals(ExitCode.OK, farslot("stop", "e0"), err::toString);
            assertEquals(ExitCode.OK, lender.exitCode());
        }
        StringWriter shown = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(shown));
        line.setErr(new PrintWriter(err));
        assertEquals(ExitCode.OK, line.execute("trace", "show", trace.toString(), "--json"));
        String text = shown.toString();
        assertTrue(text.contains("\"first\":\"0x0\",\"last\":\"0x3\",\"reads\":3"), text);
        assertTrue(text.contains("\"setting\":\"--mode CFG:0x0-0x3=count\""), text);
        assertEquals(1, text.lines().filter(one -> one.contains("\"kind\":\"read\"")).count());
    }
}
