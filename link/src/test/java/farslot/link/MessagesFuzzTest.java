package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.code_intelligence.jazzer.junit.FuzzTest;
import farslot.link.Messages.Header;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Any frame is refused by name, or means something, and composed again means the same. */
@Timeout(60)
class MessagesFuzzTest {
    @FuzzTest(maxDuration = "30m")
    void frame(byte[] input) {
        refusedOrTheSameAgain(input);
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldRefuseOrComposeAgainWhatWasFoundBefore(Path input) throws IOException {
        refusedOrTheSameAgain(Files.readAllBytes(input));
    }

    static List<Path> corpus() throws IOException {
        return Corpus.of(MessagesFuzzTest.class, "frame");
    }

    private static void refusedOrTheSameAgain(byte[] input) {
        MemorySegment frame =
                MemorySegment.ofArray(Arrays.copyOf(input, Math.max(input.length, Header.BYTES)));
        // A connection waits until so many bytes are there.
        Header.LENGTH.set(frame, 0, frame.byteSize());
        String meaning;
        Layout layout;
        try {
            meaning = Meaning.of(frame);
            layout = Messages.of(Header.TYPE.getInt(frame, 0));
        } catch (BrokenFrameException refused) {
            assertFalse(refused.getMessage().isBlank());
            return;
        }
        try {
            assertEquals(meaning, Meaning.of(again(layout, frame)));
        } catch (BrokenFrameException refused) {
            throw new AssertionError(meaning, refused);
        }
    }

    /** The frame that this side composes for what a frame means. */
    private static MemorySegment again(Layout layout, MemorySegment frame)
            throws BrokenFrameException {
        Composer tail = new Composer();
        switch (layout.tail()) {
            case NONE -> {}
            case DATA ->
                    tail.bytes(frame.asSlice(layout.fixedEnd()).toArray(ValueLayout.JAVA_BYTE));
            case TEXTS -> composeTexts(layout, frame, tail);
            case STRUCTURE -> composeStructure(layout, frame, tail);
        }
        byte[] bytes = tail.toBytes();
        int fixed = layout.fixedEnd();
        MemorySegment again = MemorySegment.ofArray(new byte[fixed + bytes.length]);
        List.of(
                        Header.TYPE,
                        Header.FLAGS,
                        Header.DESCRIPTORS,
                        Header.GENERATION,
                        Header.TAG,
                        Header.SEQUENCE,
                        Header.ACKNOWLEDGED)
                .forEach(field -> field.set(again, 0, field.get(frame, 0)));
        Header.LENGTH.set(again, 0, again.byteSize());
        layout.fields().forEach(field -> field.set(again, 0, field.get(frame, 0)));
        MemorySegment.copy(bytes, 0, again, ValueLayout.JAVA_BYTE, fixed, bytes.length);
        return again;
    }

    private static void composeTexts(Layout layout, MemorySegment frame, Composer to)
            throws BrokenFrameException {
        int length = (int) frame.byteSize();
        switch (layout.type()) {
            case Messages.Hello.TYPE -> {
                Messages.Names names = Messages.Names.decode(frame, 0, length);
                to.text(names.name(), Messages.MAX_NAME_BYTES);
                to.text(names.program(), Messages.MAX_NAME_BYTES);
            }
            case Messages.Observed.TYPE -> {
                Composer whole = new Composer();
                Messages.compose(Messages.observed(frame, 0, length), whole);
                int fields = layout.fixedEnd() - Header.BYTES;
                byte[] bytes = whole.toBytes();
                to.bytes(Arrays.copyOfRange(bytes, fields, bytes.length));
            }
            default -> {
                boolean name = layout.type() == Messages.Borrow.TYPE;
                to.text(
                        Messages.text(layout, frame, 0, length),
                        name ? Messages.MAX_NAME_BYTES : Messages.MAX_SENTENCE_BYTES);
            }
        }
    }

    private static void composeStructure(Layout layout, MemorySegment frame, Composer to)
            throws BrokenFrameException {
        switch (layout.type()) {
            case Messages.Borrowed.TYPE, Messages.Description.TYPE -> {
                Cursor cursor = Messages.tail(layout, frame, 0, frame.byteSize());
                Messages.compose(Messages.description(layout.type(), cursor), to);
            }
            case Messages.Listed.TYPE -> {
                for (Entry entry : Messages.items(layout, frame, Messages::entry)) {
                    Messages.compose(entry, to);
                }
            }
            case Messages.Result.TYPE -> {
                for (Map<String, String> row : Messages.items(layout, frame, Cursor::pairs)) {
                    to.pairs(row);
                }
            }
            case Messages.Follow.TYPE -> {
                Composer whole = new Composer();
                Messages.compose(Messages.follow(frame, 0, (int) frame.byteSize()), whole);
                int fields = layout.fixedEnd() - Header.BYTES;
                byte[] bytes = whole.toBytes();
                to.bytes(Arrays.copyOfRange(bytes, fields, bytes.length));
            }
            default -> Messages.Order.decode(frame, 0, (int) frame.byteSize()).compose(to);
        }
    }
}
