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
        }
    }

    private static void readAll(TraceReader reader, Whole whole) throws TraceException {
        assertTrue(whole.isTrace());
        assertHarmless(reader.began().toString());
        assertHarmless(reader.origin().toString());
        TraceText text = new TraceText(TraceNames.of(reader.description()));
        long given = 0;
        long before = -1;
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            TraceEvent.Stamp stamp = event.stamp();
            assertTrue(stamp.number() > before, stamp.number() + " after " + before);
            before = stamp.number();
            int slot = (int) (stamp.number() - whole.firstNumber);
            assertTrue(whole.heads.get(slot), "no record is at " + slot);
            if (stamp.verification() == TraceEvent.Verification.SEALED) {
                assertTrue(whole.sealed.get(slot / TraceFormat.BLOCK_SLOTS), "sealed? " + slot);
            }
            given++;
            assertHarmless(text.line(event));
            String json = text.json(event);
            assertHarmless(json);
            assertTrue(JSON.matcher(json).matches(), json);
        }
        List<String> remarks = reader.remarks();
        remarks.forEach(TraceFuzzTest::assertHarmless);
        long passedOver = whole.heads.cardinality() - whole.unknown - given + whole.strays;
        assertTrue(passedOver <= reader.damaged(), passedOver + " passed over, but " + remarks);
        assertEquals(whole.damaged > 0, String.join(" ", remarks).contains("not what was written"));
    }

    private static void assertHarmless(String line) {
        assertFalse(line.chars().anyMatch(Character::isISOControl), line);
    }

    /** What of a file is whole, by docs/trace-format.md alone. */
    private static final class Whole {
        private final MemorySegment trace;
        private final int headerBytes;
        private final int slots;
        final long firstNumber;

        /** The blocks with a seal that is right. */
        final BitSet sealed = new BitSet();

        /** How many blocks have one that is not. */
        int damaged;

        /** The slots in which events begin, also those whose fields mean nothing. */
        final BitSet heads = new BitSet();

        /** How many of them are of kinds that are not known. */
        long unknown;

        /** How many records belong to no event. */
        long strays;

        Whole(byte[] bytes) {
            trace = Arena.ofAuto().allocate(Math.max(bytes.length, 16), 8);
            MemorySegment.copy(bytes, 0, trace, ValueLayout.JAVA_BYTE, 0, bytes.length);
            headerBytes = isTrace() ? trace.get(TraceFormat.INT, 0x10) : 0;
            long number = headerBytes > 0 ? trace.get(TraceFormat.LONG, 0x30) : 0;
            boolean intact =
                    headerBytes > 0
                            && trace.get(TraceFormat.INT, 0x3c)
                                    == TraceFormat.check(trace, 0x08, 0x34)
                            && number >= 0
                            && number <= Long.MAX_VALUE / 2;
            firstNumber = intact ? number : 0;
            int there = headerBytes == 0 ? 0 : (bytes.length - headerBytes) / 64;
            boolean ended =
                    headerBytes > 0
                            && trace.get(TraceFormat.INT, 0x40) == 1
                            && trace.get(TraceFormat.INT, 0x58)
                                    == TraceFormat.check(trace, 0x40, 0x18);
            long said = ended ? Math.max(0, trace.get(TraceFormat.LONG, 0x50)) : there;
            slots = (int) Math.min(said, there);
            int lastSeal = -1;
            if (slots % 1024 > 0 && ((ended && said <= there) || kind(slots - 1) == 0x7e)) {
                lastSeal = slots - 1;
            }
            for (int block = 0; block * 1024 < slots; block++) {
                int seal = block * 1024 + 1023 < slots ? block * 1024 + 1023 : lastSeal;
                if (seal < 0 || (commit(seal) == 0 && !ended)) {
                    continue;
                }
                boolean right = isRight(block, seal);
                sealed.set(block, right && intact);
                damaged += right ? 0 : 1;
            }
            for (int slot = 0; slot < slots; slot++) {
                boolean isSeal = slot % 1024 == 1023 || slot == lastSeal;
                if (isSeal || commit(slot) == 0) {
                    continue;
                }
                if (kind(slot) == 0x7e || kind(slot) == 0x7f) {
                    strays++;
                    continue;
                }
                heads.set(slot);
                unknown += kind(slot) > TraceFormat.LAST_KIND ? 1 : 0;
                slot = lastOf(slot);
            }
        }

        private boolean isRight(int block, int seal) {
            int first = block * 1024;
            return commit(seal) == (0x7e | (long) (seal - first) << 16)
                    && trace.get(TraceFormat.LONG, place(seal) + 8) == firstNumber + first
                    && trace.get(TraceFormat.INT, place(seal) + 0x3c)
                            == TraceFormat.check(
                                    trace, place(first), place(seal) + 0x3c - place(first));
        }

        private int lastOf(int head) {
            int last = head;
            for (int index = 1, slot = head + 1; index <= continuations(head); index++, slot++) {
                slot += slot % 1024 == 1023 ? 1 : 0;
                if (slot >= slots) {
                    return slots;
                }
                boolean continues = kind(slot) == 0x7f && continuations(slot) == index;
                if (commit(slot) != 0 && !continues) {
                    return slot - 1;
                }
                last = slot;
            }
            return last;
        }

        boolean isTrace() {
            if (trace.byteSize() < 0x80
                    || trace.get(TraceFormat.LONG, 0) != TraceFormat.MAGIC
                    || trace.get(TraceFormat.SHORT_UNALIGNED, 8) != 2
                    || trace.get(TraceFormat.INT, 0x0c) != 64
                    || trace.get(TraceFormat.INT, 0x14) != 0x10000) {
                return false;
            }
            int length = trace.get(TraceFormat.INT, 0x10);
            return length >= 0x1000
                    && length % 0x1000 == 0
                    && length <= 32 << 20
                    && length <= trace.byteSize();
        }

        private long place(int slot) {
            return headerBytes + (long) slot * 64;
        }

        private long commit(int slot) {
            return trace.get(TraceFormat.LONG, place(slot));
        }

        private int kind(int slot) {
            return (int) commit(slot) & 0xff;
        }

        private int continuations(int slot) {
            return (int) (commit(slot) >>> 16) & 0xffff;
        }
    }
}
