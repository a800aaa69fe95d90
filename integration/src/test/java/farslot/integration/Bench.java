package farslot.integration;

import farslot.lab.Accelerator;
import farslot.lab.ChildProcess;
import farslot.lab.Console;
import farslot.lab.Lab;
import farslot.lab.PreparedLab;
import farslot.lab.Vm;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The processes of one test, started as users start them. Closing ends them, the newest first. Its
 * control sockets are its own, so tests meet no lender of whoever runs them.
 */
final class Bench implements AutoCloseable {
    static final Duration START = Duration.ofSeconds(90);
    static final Duration BOOT = Duration.ofMinutes(4);

    private static final Pattern LISTENING = Pattern.compile("([0-9.]+:[1-9][0-9]*)\\s");

    private static PreparedLab lab;
    private static PreparedLab tools;
    private static Accelerator accelerator;

    /** A farslot process: a lender or a slot. */
    record Running(ChildProcess process, Console console, List<String> arguments)
            implements Closeable {
        @Override
        public void close() {
            process.close();
        }

        /** As when it crashes. */
        void kill() {
            process.process().destroyForcibly();
            process.await(START);
        }
    }

    private final Path folder;
    private final Path runtime;
    private final Deque<Closeable> running = new ArrayDeque<>();
    private List<String> lenderPrefix = List.of();
    private List<String> slotPrefix = List.of();
    private List<String> program = program();
    private String listenAddress = "127.0.0.1";

    private Bench(Path folder) throws IOException {
        this.folder = folder;
        // Sockets' paths are short: a test's own folder may not be.
        runtime = Files.createTempDirectory("fs-");
        running.push(() -> remove(runtime));
    }

    static Bench in(Path folder) throws IOException {
        return new Bench(folder);
    }

    /**
     * Starts farslot by its launcher, as modules, as users do; its temporary files lie among this
     * test's sockets.
     */
    Bench byLauncher() {
        program = List.of(Path.of(System.getProperty("farslot.home"), "farslot").toString());
        return this;
    }

    /** Where control sockets and temporary files are. */
    Path runtime() {
        return runtime;
    }

    /** Starts lenders by these words, and lets them listen there: for network namespaces. */
    Bench lendersBy(List<String> prefix, String address) {
        lenderPrefix = prefix;
        listenAddress = address;
        return this;
    }

    /** Starts slots by these words. */
    Bench slotsBy(List<String> prefix) {
        slotPrefix = prefix;
        return this;
    }

    /** An absent disk image. */
    Path image(String name) {
        return folder.resolve(name);
    }

    /** Lends a device and returns the lender. */
    Running lend(String specification) {
        return lendAt(specification, 0);
    }

    /** The same on a port of before. */
    Running lendAt(String specification, int port) {
        return start(
                "the lender",
                lenderPrefix,
                List.of(
                        "lend",
                        specification,
                        "--listen",
                        listenAddress + ":" + port,
                        "--insecure"));
    }

    /** Where a lender listens: ADDRESS:PORT. */
    static String address(Running lender) {
        return lender.console().await(LISTENING, START).group(1);
    }

    /** Borrows and returns the socket for QEMU, which waits there. */
    Path borrow(String address) {
        return borrow(address, List.of());
    }

    Path borrow(String address, List<String> more) {
        Path socket = runtime.resolve("slot" + running.size());
        List<String> words = new ArrayList<>(List.of("borrow", address, "--insecure"));
        words.addAll(List.of("--vfio-user", socket.toString()));
        words.addAll(more);
        start("the slot", slotPrefix, words).console().await("vfio-user-pci", START);
        return socket;
    }

    /** A machine, not started, for {@link #boot}. */
    Vm.Builder machine() {
        return Vm.builder(lab(), accelerator());
    }

    /** The same with Debian's fio and nvme-cli in it. */
    Vm.Builder machineWithTools() {
        return Vm.builder(tools(), accelerator()).memoryMiB(1024);
    }

    /** Starts a machine and waits until Linux is up. */
    Vm boot(Vm.Builder builder) {
        Vm vm = builder.start();
        running.push(vm::close);
        vm.guest().awaitReady(BOOT);
        return vm;
    }

    /** Starts {@code farslot ARGUMENT...}. */
    Running farslot(String... arguments) {
        return start("farslot " + arguments[0], List.of(), List.of(arguments));
    }

    /** Runs it to its end and returns what it said; it must succeed. */
    String said(String... arguments) {
        Running process = farslot(arguments);
        boolean ended = process.process().await(BOOT) && process.console().awaitEnd(START);
        String text = process.console().text();
        if (!ended || process.process().process().exitValue() != 0) {
            throw new AssertionError("farslot " + String.join(" ", arguments) + ":\n" + text);
        }
        return text;
    }

    static synchronized PreparedLab lab() {
        if (lab == null) {
            lab = Lab.ofUser().prepare(System.out::println);
            accelerator = Lab.ofUser().accelerator(lab, System.out::println);
        }
        return lab;
    }

    private static synchronized PreparedLab tools() {
        if (tools == null) {
            lab();
            tools = Lab.ofUser().prepareTools(System.out::println);
        }
        return tools;
    }

    static synchronized Accelerator accelerator() {
        lab();
        return accelerator;
    }

    /** The command that runs farslot as this test's class path has it. */
    static List<String> program() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "farslot.cli.Main");
    }

    Running start(String role, List<String> prefix, List<String> arguments) {
        List<String> words = new ArrayList<>(prefix);
        words.addAll(program);
        words.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.redirectErrorStream(true);
        builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
        builder.environment().put("XDG_STATE_HOME", runtime.toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("FARSLOT_"));
        // A lender hides what it holds from all but root, unless it is debugged.
        builder.environment().put("FARSLOT_DEBUG", "1");
        builder.environment()
                .put("FARSLOT_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -Djava.io.tmpdir=" + runtime);
        ChildProcess process = ChildProcess.start(builder);
        Running started = new Running(process, Console.of(role, process, null), arguments);
        running.push(started);
        return started;
    }

    @Override
    public void close() throws IOException {
        while (!running.isEmpty()) {
            running.pop().close();
        }
    }

    /** Removes a folder with all that is in it. */
    static void remove(Path folder) throws IOException {
        try (var all = Files.walk(folder)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
