package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import farslot.core.Region;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestMarksTest {
    private static final RecordingRules MARKS = RecordingRules.ALL.withGuestMarks(true);

    @TempDir Path folder;

    private final List<String> written = new ArrayList<>();

    private RecorderTap recording(RecordingRules rules) throws TraceException {
        PciFunction function =
                new MemoryFunction() {
                    @Override
                    public CompletionStatus write(
                            int region, long offset, MemorySegment from, int width, long enables) {
                        written.add(region + "+" + offset);
                        return CompletionStatus.SUCCESS;
                    }
                };
        return RecorderTap.recording(
                function, folder.resolve("t.fst"), TraceOptions.DEFAULT.withRules(rules));
    }

    private static void write(PciFunction to, int region, long offset, byte[] data, long enables) {
        to.write(region, offset, MemorySegment.ofArray(data), data.length, enables);
    }

    private static void write(PciFunction to, long offset, String data) {
        write(
                to,
                Region.CONFIGURATION,
                offset,
                data.getBytes(StandardCharsets.UTF_8),
                PciFunction.ALL_BYTES);
    }

    private static void type(PciFunction to, byte[] text) {
        for (int at = 0; at < text.length; at += 4) {
            byte[] four = Arrays.copyOfRange(text, at, at + 4);
            write(to, Region.CONFIGURATION, 0, four, PciFunction.ALL_BYTES);
        }
    }

    private List<String> marks(RecorderTap tap) throws TraceException {
        tap.close();
        List<String> marks = new ArrayList<>();
        for (TraceEvent event : RecorderTapTest.events(folder.resolve("t.fst"))) {
            if (event instanceof TraceEvent.Mark mark) {
                assertTrue(mark.byGuest());
                marks.add(mark.text());
            }
        }
        return marks;
    }

    @Test
    void shouldTakeWhatIsWrittenToTheIdForText() throws Exception {
        RecorderTap tap = recording(MARKS);
        type(tap, "begin of mkfs\n".getBytes(StandardCharsets.UTF_8));
        type(tap, "Größe\0\0\0und mehr\r\n".getBytes(StandardCharsets.UTF_8));
        // As Linux cuts what is written to its file "config".
        write(tap, 0, "on");
        write(tap, 2, "e");
        write(tap, 3, "\n");
        assertEquals(List.of("begin of mkfs", "Größe", "und mehr", "one"), marks(tap));
    }

    @Test
    void shouldGiveTheFunctionWhatWasWrittenAndRecordIt() throws Exception {
        RecorderTap tap = recording(MARKS);
        write(tap, 0, "abc\n");
        tap.close();
        assertEquals(List.of("7+0"), written);
        List<TraceEvent> events = RecorderTapTest.events(folder.resolve("t.fst"));
        assertEquals("--guest-marks", ((TraceEvent.Setting) events.getFirst()).setting());
        TraceText text = new TraceText(TraceNames.none());
        assertEquals("guest: abc", text.line(events.get(1)).substring(18).split(" +", 3)[2]);
        assertTrue(text.json(events.get(1)).endsWith("\"text\":\"abc\",\"byGuest\":true}"));
        assertTrue(events.get(2) instanceof TraceEvent.Access);
    }

    @Test
    void shouldTakeNothingElseForText() throws Exception {
        RecorderTap tap = recording(MARKS);
        write(tap, 4, "no\n");
        write(tap, 1, "non\n");
        write(tap, 0, "five\n");
        write(tap, -1, "n");
        write(tap, 0, "\n\n\0");
        write(tap, Region.CONFIGURATION, 0, "aXc\n".getBytes(StandardCharsets.UTF_8), 0b1101);
        write(tap, 0, 0, "no\n".getBytes(StandardCharsets.UTF_8), PciFunction.ALL_BYTES);
        assertEquals(List.of("ac"), marks(tap));
    }

    @Test
    void shouldTakeNothingWithoutTheOptionNorAfterTheEnd() throws Exception {
        RecorderTap tap = recording(RecordingRules.ALL);
        write(tap, 0, "one\n");
        tap.change(MARKS);
        write(tap, 0, "two\n");
        tap.change(MARKS.withGuestMarks(false));
        write(tap, 0, "thr\n");
        tap.change(MARKS);
        tap.end();
        write(tap, 0, "for\n");
        assertEquals(List.of("two"), marks(tap));
    }

    @Test
    void shouldReplaceWhatIsNoText() throws Exception {
        RecorderTap tap = recording(MARKS);
        type(tap, new byte[] {'a', (byte) 0xff, (byte) 0xc3, '\n'});
        assertEquals(List.of("a\ufffd\ufffd"), marks(tap));
    }

    @Test
    void shouldLeaveOutWhatIsTooLong() throws Exception {
        RecorderTap tap = recording(MARKS);
        type(tap, ("x".repeat(300) + "\nnext\n").getBytes(StandardCharsets.UTF_8));
        assertEquals(List.of("x".repeat(GuestMarks.MOST_BYTES), "next"), marks(tap));
    }
}
