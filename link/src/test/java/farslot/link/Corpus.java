package farslot.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The inputs that fuzzing found worth keeping; they are run again with the other tests. */
final class Corpus {
    private static final Path ROOT = Path.of("src/test/resources/farslot/link");

    private Corpus() {}

    /** All inputs of a fuzz test's method; a few where the tests are to be fast. */
    static List<Path> of(Class<?> test, String method) throws IOException {
        int step = "few".equals(System.getProperty("farslot.rounds")) ? 16 : 1;
        Path folder = ROOT.resolve(test.getSimpleName() + "Inputs").resolve(method);
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.sorted().toList();
            return IntStream.range(0, all.size())
                    .filter(index -> index % step == 0)
                    .mapToObj(all::get)
                    .toList();
        }
    }
}
