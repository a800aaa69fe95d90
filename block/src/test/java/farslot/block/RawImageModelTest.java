package farslot.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever is asked of an image, it holds what an array of bytes would. */
final class RawImageModelTest {
    private static final int SIZE = 64 << 10;

    enum Kind {
        WRITE,
        ZERO,
        ZERO_AND_KEEP,
        DISCARD,
        FLUSH,
        REOPEN,
        READ
    }

    record Step(Kind kind, int offset, int length, int seed) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(Kind.class),
                        Arbitraries.integers().between(0, SIZE),
                        Arbitraries.integers().between(0, 3 * 4096),
                        Arbitraries.integers())
                .as((kind, offset, length, seed) ->
                        new Step(kind, offset, Math.min(length, SIZE - offset), seed))
                .list()
                .ofMaxSize(40);
    }

    @Property(tries = 60)
    void holdsWhatAnArrayWould(@ForAll("steps") List<Step> steps) throws IOException {
        Path path = Files.createTempFile("farslot-model", ".img");
        Files.delete(path);
        byte[] model = new byte[SIZE];
        RawImage image = RawImage.open(path, OptionalLong.of(SIZE), 512);
        try {
            for (Step step : steps) {
                if (step.kind == Kind.REOPEN) {
                    image.close();
                    image = RawImage.open(path, OptionalLong.empty(), 512);
                } else {
                    apply(step, image, model);
                }
            }
            assertArrayEquals(model, read(image, 0, SIZE));
            image.close();
            assertArrayEquals(model, Files.readAllBytes(path));
        } finally {
            image.close();
            Files.delete(path);
        }
    }

    private static void apply(Step step, RawImage image, byte[] model) throws IOException {
        int end = step.offset + step.length;
        switch (step.kind) {
            case WRITE -> {
                byte[] bytes = new byte[step.length];
                new Random(step.seed).nextBytes(bytes);
                image.write(step.offset, MemorySegment.ofArray(bytes));
                System.arraycopy(bytes, 0, model, step.offset, step.length);
            }
            case ZERO, ZERO_AND_KEEP -> {
                image.writeZeroes(step.offset, step.length, step.kind == Kind.ZERO);
                Arrays.fill(model, step.offset, end, (byte) 0);
            }
            case DISCARD -> {
                image.discard(step.offset, step.length);
                if (image.discardReadsZeroes()) {
                    Arrays.fill(model, step.offset, end, (byte) 0);
                }
            }
            case FLUSH -> image.flush();
            default ->
                    assertArrayEquals(
                            Arrays.copyOfRange(model, step.offset, end),
                            read(image, step.offset, step.length));
        }
    }

    private static byte[] read(RawImage image, long offset, int length) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(Math.max(1, length)).asSlice(0, length);
            image.read(offset, into);
            return into.toArray(ValueLayout.JAVA_BYTE);
        }
    }
}
