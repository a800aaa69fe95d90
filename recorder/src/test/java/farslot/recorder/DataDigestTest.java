package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link DataDigest}: published values, and those of a second implementation for whole pieces. */
class DataDigestTest {
    @ParameterizedTest
    @CsvSource({
        "'', ef46db3751d8e999",
        "a, d24ec4f1a98c6e5b",
        "abc, 44bc2cf5ad770999",
        "Nobody inspects the spammish repetition, fbcea83c8a378bf1"
    })
    void shouldBeWhatIsPublished(String text, String digest) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        assertEquals(digest, hex(MemorySegment.ofArray(bytes)));
    }

    @ParameterizedTest
    @CsvSource({
        "31, a2aa5f33cc4a6119",
        "32, 23c3c17ef790fd97",
        "33, 50a7cfc7ba588784",
        "1023, 349c9611dd290da2",
        "1024, e6816a6e134b7a33",
        "1055, f0376318d808ad07",
        "1056, 7fa7bece906ec501",
        "5003, 7cbe3dd72db5a1f1"
    })
    void shouldBeTheSameForMemoryOfEachKind(int length, String digest) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + 3);
        }
        MemorySegment heap = MemorySegment.ofArray(bytes);
        assertEquals(digest, hex(heap));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unaligned = arena.allocate(length + 1L).asSlice(1);
            unaligned.copyFrom(heap);
            assertEquals(digest, hex(unaligned));
        }
    }

    private static String hex(MemorySegment data) {
        return String.format("%016x", DataDigest.of(data));
    }
}
