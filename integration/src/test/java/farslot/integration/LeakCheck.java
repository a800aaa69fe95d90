package farslot.integration;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Whether this process has, after many times the same, what it had before: descriptors, threads,
 * mappings of shared memory, objects, and memory of the C library.
 *
 * <p>What is given back a little later (by a thread that ends, by a cleaner) is waited for.
 *
 * <p>Descriptors, threads and shared mappings must be as many as before. Of no class of Farslot may
 * there be nine more for ten cycles; over {@link #MANY} cycles and more of no class at all. The
 * heap's living objects may take {@link #HEAP_BYTES_EACH} bytes more a cycle, or {@link
 * #HEAP_BYTES_ANYWAY} where that is more; memory of the C library as much and {@link
 * #NATIVE_BYTES_ANYWAY}, since Java's compilers take and give much of it.
 */
final class LeakCheck {
    /** So few that 100 bytes a cycle are found over 10,000 cycles. */
    static final int HEAP_BYTES_EACH = 50;

    /** What Java itself comes to need while it runs. */
    static final int HEAP_BYTES_ANYWAY = 250_000;

    static final int NATIVE_BYTES_ANYWAY = 2 << 20;

    /** From here on classes of Java itself are counted too. */
    static final int MANY = 1000;

    /** For how long what is given back later is waited for. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** One time. */
    interface Cycle {
        void run(int number) throws Exception;
    }

    private LeakCheck() {}

    /**
     * Runs it so many times, after some for warming up.
     *
     * @param patience for what is given back a little later
     * @return what there is more than before; empty where there is no leak
     */
    static List<String> of(Duration patience, int cycles, Cycle cycle) throws Exception {
        // Classes are loaded, pools and caches filled.
        int warmUp = Math.clamp(cycles / 5, 10, 500);
        for (int number = 0; number < warmUp; number++) {
            cycle.run(number);
        }
        // What a cycle leaves to be done later is not to be taken for the state before.
        State before = State.settled();
        for (int number = 0; number < cycles; number++) {
            cycle.run(warmUp + number);
        }
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            State after = State.now();
            List<String> leaks = after.beyond(before, cycles);
            if (leaks.isEmpty() || System.nanoTime() - deadline > 0) {
                System.out.println(
                        cycles + " cycles: " + after.summary(before) + ", leaks: " + leaks);
                return leaks;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /**
     * What this process has.
     *
     * @param descriptors by kind or file
     * @param threads by name, numbers left out
     * @param objects living ones, by class
     * @param heapBytes of all living objects
     * @param nativeBytes that the C library has given out; 0 where it does not tell
     */
    private record State(
            Map<String, Integer> descriptors,
            Map<String, Integer> threads,
            int sharedMappings,
            Map<String, Long> objects,
            long heapBytes,
            long nativeBytes,
            long residentKib) {
        private static final Pattern CLASS =
                Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s+(\\d+)\\s+(\\S+).*");

        static State now() throws Exception {
            Map<String, Long> objects = new HashMap<>();
            long heapBytes = histogram(objects);
            return new State(
                    openDescriptors(),
                    runningThreads(),
                    sharedMappingCount(),
                    objects,
                    heapBytes,
                    Malloc.bytesInUse(),
                    residentKibibytes());
        }

        /** As it is when descriptors and threads change no more. */
        static State settled() throws Exception {
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            State last = now();
            while (true) {
                LockSupport.parkNanos(LOOK_NANOS);
                State next = now();
                boolean same =
                        next.descriptors.equals(last.descriptors)
                                && next.threads.equals(last.threads)
                                && next.sharedMappings == last.sharedMappings;
                if (same || System.nanoTime() - deadline > 0) {
                    return next;
                }
                last = next;
            }
        }

        List<String> beyond(State before, int cycles) {
            List<String> leaks = new ArrayList<>();
            more("descriptors", descriptors, before.descriptors, leaks);
            more("threads", threads, before.threads, leaks);
            if (sharedMappings > before.sharedMappings) {
                leaks.add(sharedMappings - before.sharedMappings + " mappings of shared memory");
            }
            objects.forEach((name, count) -> {
                long grown = count - before.objects.getOrDefault(name, 0L);
                boolean counts = name.contains("farslot.") || cycles >= MANY;
                if (counts && grown * 10 >= cycles * 9L) {
                    leaks.add(grown + " objects of " + name);
                }
            });
            long allowed = (long) HEAP_BYTES_EACH * cycles;
            long heap = heapBytes - before.heapBytes;
            if (heap > Math.max(allowed, HEAP_BYTES_ANYWAY)) {
                leaks.add(heap + " bytes of heap");
            }
            long natively = nativeBytes - before.nativeBytes;
            if (natively > allowed + NATIVE_BYTES_ANYWAY) {
                leaks.add(natively + " bytes of native memory");
            }
            return leaks;
        }

        String summary(State before) {
            return String.format(
                    "heap %+d bytes, native %+d bytes, resident %+d KiB",
                    heapBytes - before.heapBytes,
                    nativeBytes - before.nativeBytes,
                    residentKib - before.residentKib);
        }

        private static void more(
                String what,
                Map<String, Integer> now,
                Map<String, Integer> before,
                List<String> leaks) {
            now.forEach((name, count) -> {
                int grown = count - before.getOrDefault(name, 0);
                if (grown > 0) {
                    leaks.add(grown + " " + what + " " + name);
                }
            });
        }

        private static Map<String, Integer> openDescriptors() throws IOException {
            Map<String, Integer> open = new TreeMap<>();
            try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
                links.forEach(link -> {
                    try {
                        String to = Files.readSymbolicLink(link).toString();
                        if (!to.endsWith("/fd")) {
                            open.merge(withoutNumbers(to), 1, Integer::sum);
                        }
                    } catch (IOException e) {
                        // It was the list's own, or is closed since.
                    }
                });
            }
            return open;
        }

        private static Map<String, Integer> runningThreads() {
            Map<String, Integer> running = new TreeMap<>();
            Thread.getAllStackTraces()
                    .keySet()
                    .forEach(thread ->
                            running.merge(withoutNumbers(thread.getName()), 1, Integer::sum));
            return running;
        }

        private static String withoutNumbers(String name) {
            return name.replaceAll("[0-9]+", "#");
        }

        private static int sharedMappingCount() throws IOException {
            try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
                // "... rw-s ...": what is shared with others or with a file.
                return (int) maps.filter(map -> map.split(" ", 3)[1].endsWith("s")).count();
            }
        }

        /** Fills in how many objects live; this collects garbage. Gives the bytes of all. */
        private static long histogram(Map<String, Long> objects) throws JMException {
            String text =
                    (String)
                            ManagementFactory.getPlatformMBeanServer()
                                    .invoke(
                                            new ObjectName(
                                                    "com.sun.management:type=DiagnosticCommand"),
                                            "gcClassHistogram",
                                            new Object[] {new String[0]},
                                            new String[] {String[].class.getName()});
            long[] bytes = new long[1];
            text.lines()
                    .map(CLASS::matcher)
                    .filter(Matcher::matches)
                    .forEach(line -> {
                        // A lambda's class has a name of its own.
                        String name = line.group(3).replaceAll("/0x[0-9a-f]+", "");
                        objects.merge(name, Long.parseLong(line.group(1)), Long::sum);
                        bytes[0] += Long.parseLong(line.group(2));
                    });
            return bytes[0];
        }

        private static long residentKibibytes() throws IOException {
            try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                String line =
                        lines.filter(words -> words.startsWith("VmRSS:")).findFirst().orElseThrow();
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
    }

    /** mallinfo2(3) of glibc 2.33 and newer. */
    private static final class Malloc {
        private static final MemoryLayout RESULT =
                MemoryLayout.structLayout(
                        MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG).withName("fields"));

        /** uordblks, the eighth. */
        private static final long IN_USE = 7 * Long.BYTES;

        /** hblkhd, the fifth: what was large enough for mappings of its own. */
        private static final long MAPPED = 4 * Long.BYTES;

        private static final MethodHandle CALL =
                Linker.nativeLinker()
                        .defaultLookup()
                        .find("mallinfo2")
                        .map(function ->
                                Linker.nativeLinker()
                                        .downcallHandle(function, FunctionDescriptor.of(RESULT)))
                        .orElse(null);

        static long bytesInUse() {
            if (CALL == null) {
                return 0;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment info = (MemorySegment) CALL.invokeExact((SegmentAllocator) arena);
                return info.get(ValueLayout.JAVA_LONG, IN_USE)
                        + info.get(ValueLayout.JAVA_LONG, MAPPED);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }
}
