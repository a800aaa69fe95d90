package farslot.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The C programs among the resources, compiled into a folder. */
final class Baselines {
    private static final List<String> WITH_LIBRARY = List.of("socket", "vfio-user", "memory");

    /** Runs under whatever kernel and C library the guest has, so it does without the latter. */
    private static final String FOR_GUEST = "guest";

    /** And small, since it goes into the guest by a serial port. */
    private static final List<String> FREESTANDING =
            List.of("-static", "-nostdlib", "-ffreestanding", "-s", "-Wl,-n,--build-id=none");

    private Baselines() {}

    /**
     * Compiles all of them; each becomes a program of its name.
     *
     * @return false where there is no gcc
     * @throws IOException where gcc is there and fails
     */
    static boolean compile(Path folder) throws IOException {
        copy("common.h", folder);
        for (String name : WITH_LIBRARY) {
            if (!gcc(name, folder, List.of())) {
                return false;
            }
        }
        return gcc(FOR_GUEST, folder, FREESTANDING);
    }

    private static void copy(String name, Path folder) throws IOException {
        try (InputStream source = Baselines.class.getResourceAsStream(name)) {
            Files.copy(source, folder.resolve(name));
        }
    }

    private static boolean gcc(String name, Path folder, List<String> more) throws IOException {
        copy(name + ".c", folder);
        List<String> words = new ArrayList<>(List.of("gcc", "-O2", "-std=gnu11", "-pthread"));
        words.addAll(more);
        words.addAll(List.of("-o", name, name + ".c"));
        ProcessBuilder builder = new ProcessBuilder(words).directory(folder.toFile());
        Process process;
        try {
            process = builder.redirectErrorStream(true).start();
        } catch (IOException absent) {
            return false;
        }
        byte[] said = process.getInputStream().readAllBytes();
        try {
            if (process.waitFor() == 0) {
                return true;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new IOException(
                "gcc cannot compile the baseline "
                        + name
                        + ".c: "
                        + new String(said, StandardCharsets.UTF_8));
    }
}
