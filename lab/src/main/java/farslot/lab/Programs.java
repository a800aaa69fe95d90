package farslot.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Programs of Debian with the libraries that they need, out of the folder that packages were
 * unpacked into, on their way into an initramfs.
 */
final class Programs {
    private static final String LOADER = "ld-linux-x86-64.so.2";

    private final Path root;
    private final Map<String, Path> programs = new LinkedHashMap<>();
    private final Map<String, Path> libraries = new LinkedHashMap<>();

    Programs(Path root) {
        this.root = root;
    }

    /** The words before a program that run it from that folder, with its libraries there. */
    static List<String> runner(Path root) {
        Path libraries = root.resolve("usr/lib/x86_64-linux-gnu");
        return List.of(
                root.resolve("usr/lib64").resolve(LOADER).toString(),
                "--library-path",
                // Ceph's, which fio is linked with, find each other by an absolute path.
                libraries + ":" + libraries.resolve("ceph"));
    }

    static Path find(Path root, String program) {
        for (String folder : List.of("usr/bin", "usr/sbin", "bin", "sbin")) {
            Path candidate = root.resolve(folder).resolve(program);
            if (Files.exists(candidate)) {
                return candidate;
            }
        }
        throw new LabException("Debian's packages hold no program called " + program + ".");
    }

    /** A program and, as its loader lists them, its libraries. */
    void add(String name) {
        Path program = find(root, name);
        List<String> words = new ArrayList<>(runner(root));
        words.addAll(List.of("--list", program.toString()));
        Command.Outcome outcome = Command.of(words).run();
        if (!outcome.ok() || outcome.text().contains("not found")) {
            throw new LabException(
                    "The libraries of Debian's " + name + " are not complete: " + outcome.text());
        }
        programs.put(name, program);
        // "libc.so.6 => PATH (0xADDRESS)"
        for (String line : outcome.text().lines().toList()) {
            String[] parts = line.trim().split("\\s+", -1);
            if (parts.length >= 3 && parts[1].equals("=>")) {
                libraries.put(Path.of(parts[0]).getFileName().toString(), Path.of(parts[2]));
            }
        }
    }

    void write(Cpio cpio) throws IOException {
        for (Map.Entry<String, Path> program : programs.entrySet()) {
            cpio.file("bin/" + program.getKey(), 0755, program.getValue());
        }
        cpio.file("lib64/" + LOADER, 0755, root.resolve("usr/lib64").resolve(LOADER));
        libraries.remove(LOADER);
        for (Map.Entry<String, Path> library : libraries.entrySet()) {
            cpio.file("lib/x86_64-linux-gnu/" + library.getKey(), 0755, library.getValue());
        }
    }
}
