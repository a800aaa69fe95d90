package farslot.integration;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What processes leave behind, as /proc and the file system tell it. */
final class Remains {
    private static final long LOOK_NANOS = 20_000_000;

    private Remains() {}

    /**
     * What a process has open and mapped, of what others can leave it with.
     *
     * @param descriptors by kind: "socket", "anon_inode:[eventfd]", "memfd"
     * @param sharedMappings of memory that is another's: memfds, /dev/shm
     */
    record Holdings(Map<String, Integer> descriptors, int sharedMappings) {
        static Holdings of(long pid) {
            Path process = Path.of("/proc", Long.toString(pid));
            Map<String, Integer> descriptors = new TreeMap<>();
            try (Stream<Path> all = Files.list(process.resolve("fd"))) {
                all.forEach(link ->
                        kind(link).ifPresent(kind -> descriptors.merge(kind, 1, Integer::sum)));
                try (Stream<String> maps = Files.lines(process.resolve("maps"))) {
                    return new Holdings(descriptors, (int) maps.filter(Holdings::isShared).count());
                }
            } catch (IOException | UncheckedIOException e) {
                throw new AssertionError("process " + pid + " is gone: " + e);
            }
        }

        private static java.util.Optional<String> kind(Path link) {
            try {
                String to = Files.readSymbolicLink(link).toString();
                return Stream.of("socket", "anon_inode:[eventfd]", "/memfd", "/dev/shm")
                        .filter(to::startsWith)
                        .findFirst();
            } catch (IOException e) {
                return java.util.Optional.empty(); // Closed since.
            }
        }

        private static boolean isShared(String map) {
            return map.contains("/memfd:") || map.contains("/dev/shm/");
        }

        /** What this is more than before; "" where it is nothing. */
        String beyond(Holdings before) {
            List<String> more = new ArrayList<>();
            descriptors.forEach((kind, count) -> {
                int had = before.descriptors.getOrDefault(kind, 0);
                if (count > had) {
                    more.add(count + " " + kind + " (before: " + had + ")");
                }
            });
            if (sharedMappings > before.sharedMappings) {
                more.add(sharedMappings + " mappings of shared memory");
            }
            return String.join(", ", more);
        }
    }

    /** Processes that have this text among their words or in their environment. */
    static List<String> processes(String text) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                .filter(process ->
                        file(process, "environ").contains(text)
                                || file(process, "cmdline").contains(text))
                .map(process -> process.pid() + " " + file(process, "cmdline").replace('\0', ' '))
                .toList();
    }

    /** What a process was started with, a zero byte after each word; "" where it is gone. */
    static String words(long pid) {
        return ProcessHandle.of(pid).map(process -> file(process, "cmdline")).orElse("");
    }

    private static String file(ProcessHandle process, String name) {
        try {
            Path file = Path.of("/proc", Long.toString(process.pid()), name);
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // Ended since, or another user's.
        }
    }

    /** UNIX sockets that are bound below a folder. */
    static List<String> sockets(String folder) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/net/unix"))) {
            return lines.filter(line -> line.contains(folder)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Files that are no folders, below a folder. */
    static List<String> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(path -> !Files.isDirectory(path))
                    .map(path -> folder.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }

    /** Java's own files about processes that have ended. */
    static List<String> ofJava(Set<Long> pids) throws IOException {
        List<String> found = new ArrayList<>();
        Path temporary = Path.of("/tmp");
        try (Stream<Path> all = Files.list(temporary)) {
            for (Path folder :
                    all.filter(path -> path.getFileName().toString().startsWith("hsperfdata_"))
                            .toList()) {
                pids.stream()
                        .map(pid -> folder.resolve(Long.toString(pid)))
                        .filter(Files::exists)
                        .forEach(file -> found.add(file.toString()));
            }
        }
        return found;
    }

    /** Shared memory by name: what is there and was not before. */
    static Set<String> sharedMemory() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/dev/shm"))) {
            return all.map(Path::toString).collect(java.util.stream.Collectors.toSet());
        }
    }

    /** Looks until it is empty or the time is up; what is there then. */
    static String awaitNone(Supplier<String> remains, Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        while (true) {
            String found = remains.get();
            if (found.isEmpty() || System.nanoTime() - deadline > 0) {
                return found;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }
}
