package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.code_intelligence.jazzer.junit.Lifecycle;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A file that calls itself a trace gives all that is whole in it, in text that commands no
 * terminal, and says where it is damaged; or it is refused in a sentence.
 */
@Timeout(120)
class TraceFuzzTest {
    private static final Path CORPUS =
            Path.of("src/test/resources/farslot/recorder/TraceFuzzTestInputs/read");

    /** One line of JSON as the reader of a trace writes it: one object, of flat values. */
    private static final Pattern JSON =
            Pattern.compile(
                    "\\{MEMBER(,MEMBER)*+}"
                            .replace("MEMBER", "(\"\\w+\":VALUE)")
                            .replace(
                                    "VALUE",
                                    "(true|false|-?\\d+|\"([^\"\\\\]|\\\\[\"\\\\u])*+\")"));

    private static final Pattern FIRST = Pattern.compile("the first is number (\\d+),");

    @TempDir static Path folder;
    private static byte[] header;

    @BeforeAll
    static void makeHeader() throws IOException {
        header = TraceForge.header(folder);
    }

    @FuzzTest(maxDuration = "30m", lifecycle = Lifecycle.PER_TEST)
    void read(byte[] input) throws IOException {
        readOrRefused(input);
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldReadOrRefuseWhatWasFoundBefore(Path input) throws IOException {
        readOrRefused(Files.readAllBytes(input));
    }

    static List<Path> corpus() throws IOException {
        int step = "few".equals(System.getProperty("farslot.rounds")) ? 8 : 1;
        try (Stream<Path> files = Files.list(CORPUS)) {
            List<Path> all = files.sorted().toList();
            return IntStream.range(0, all.size())
                    .filter(index -> index % step == 0)
                    .mapToObj(all::get)
                    .toList();
        }
    }

    private static void readOrRefused(byte[] input) throws IOException {
        byte[] bytes = TraceForge.trace(input, header);
        Path file = Files.write(folder.resolve("fuzz.fst"), bytes);
        Whole whole = new Whole(bytes);
        try (TraceReader reader = TraceReader.open(file)) {
            readAll(reader, whole);
        } catch (TraceException refused) {
            assertTrue(refused.getMessage().endsWith("."), refused.getMessage());
            assertFalse(whole.isTrace(), refused.getMessage());
            return;
        }
        try (TraceReader reader = TraceReader.open(file)) {
            for (String line : TraceStatistics.of(reader).lines(10)) {
                assertHarmless(line);
            }
        }
    }

    private static void readAll(TraceReader reader, Whole whole) throws TraceException {
        assertTrue(whole.isTrace());
        assertHarmless(reader.began().toString());
        TraceText text = new TraceText(TraceNames.of(reader.description()));
        long given = 0;
        long before = -1;
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            long number = event.stamp().number();
            assertTrue(number > before, number + " after " + before);
            assertTrue(whole.heads.get((int) number), "no whole record is at " + number);
            before = number;
            given++;
            assertHarmless(text.line(event));
            String json = text.json(event);
            assertHarmless(json);
            assertTrue(JSON.matcher(json).matches(), json);
        }
        List<String> remarks = reader.remarks();
        remarks.forEach(TraceFuzzTest::assertHarmless);
        long passedOver = whole.heads.cardinality() - whole.unknown - given + whole.damaged;
        assertTrue(passedOver <= reader.damaged(), passedOver + " passed over, but " + remarks);
        Matcher first = FIRST.matcher(String.join(" ", remarks));
        assertEquals(reader.damaged() > 0, first.find(), "where is it damaged? " + remarks);
        if (whole.damaged > 0) {
            long number = Long.parseLong(first.group(1));
            assertTrue(number <= whole.firstDamaged, whole.firstDamaged + ": " + remarks);
        }
    }

    private static void assertHarmless(String line) {
        assertFalse(line.chars().anyMatch(Character::isISOControl), line);
    }

    /** What of a file is whole, by docs/trace-format.md alone. */
    private static final class Whole {
        private final MemorySegment trace;

        /** The slots in which events begin, also those whose fields mean nothing. */
        final BitSet heads = new BitSet();

        /** How many of them are of kinds that are not known. */
        long unknown;

        /** How many records belong to no event. */
        long damaged;

        long firstDamaged = -1;

        Whole(byte[] bytes) {
            trace = Arena.ofAuto().allocate(Math.max(bytes.length, 16), 8);
            MemorySegment.copy(bytes, 0, trace, ValueLayout.JAVA_BYTE, 0, bytes.length);
            int slots = (bytes.length - TraceFormat.HEADER_BYTES) / TraceFormat.RECORD_BYTES;
            for (int slot = 0; isTrace() && slot < slots; slot++) {
                if (commit(slot) == 0) {
                    continue;
                }
                if (!isIntact(slot) || kind(slot) == TraceFormat.KIND_CONTINUATION) {
                    firstDamaged = damaged++ == 0 ? slot : firstDamaged;
                    continue;
                }
                heads.set(slot);
                unknown += kind(slot) > TraceFormat.LAST_KIND ? 1 : 0;
                int head = slot;
                for (int index = 1; index <= continuations(head); index++) {
                    if (head + index >= slots || isAnother(head + index, index)) {
                        break;
                    }
                    slot = head + index;
                }
            }
        }

        boolean isTrace() {
            return trace.byteSize() >= TraceFormat.HEADER_BYTES
                    && trace.get(TraceFormat.LONG, 0) == TraceFormat.MAGIC
                    && trace.get(TraceFormat.SHORT_UNALIGNED, 8) == 1;
        }

        private static long place(int slot) {
            return TraceFormat.HEADER_BYTES + (long) slot * TraceFormat.RECORD_BYTES;
        }

        private long commit(int slot) {
            return trace.get(TraceFormat.LONG, place(slot));
        }

        private boolean isIntact(int slot) {
            long low = commit(slot) & 0xffff_ffffL;
            return commit(slot) >>> 32 == TraceFormat.check(trace, place(slot), slot, low);
        }

        /** Whether a whole record stands where a continuation should. */
        private boolean isAnother(int slot, int index) {
            boolean continues =
                    kind(slot) == TraceFormat.KIND_CONTINUATION && continuations(slot) == index;
            return commit(slot) != 0 && isIntact(slot) && !continues;
        }

        private int kind(int slot) {
            return (int) commit(slot) & 0xff;
        }

        private int continuations(int slot) {
            return (int) (commit(slot) >>> 16) & 0xffff;
        }
    }
}
