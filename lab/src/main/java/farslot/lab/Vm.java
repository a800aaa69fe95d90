package farslot.lab;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One virtual machine, running: QEMU as a child process that ends with this program at the latest.
 *
 * <p>A q35 with SeaBIOS, the lab's kernel and initramfs, a serial console, a second serial port for
 * {@link Guest}, and nothing else but what was asked for. Its memory can be mapped by other
 * processes unless told otherwise, since a slot's DMA by messages is the slower way.
 */
public final class Vm implements AutoCloseable {
    /** Of a socket's path: the kernel takes 107 bytes, and QEMU some for itself. */
    private static final int LONGEST_SOCKET_PATH = 100;

    /** On a busy computer too few ticks come while Linux tries its timer, and it gives up. */
    private static final String KERNEL_WORDS = "console=ttyS0 panic=-1 quiet no_timer_check";

    /** What a machine is to be. It may be started again when the last one has ended. */
    public static final class Builder {
        private final PreparedLab lab;
        private final Accelerator accelerator;
        private final List<String> devices = new ArrayList<>();
        private final List<String> arguments = new ArrayList<>();
        private final StringBuilder kernelWords = new StringBuilder();
        private String name = "vm";
        private int memoryMiB = 512;
        private boolean sharedMemory = true;
        private boolean restarts;
        private boolean patient;
        private boolean terminal;
        private boolean shell;
        private int nextAddress = 4;
        private OutputStream consoleCopy;

        Builder(PreparedLab lab, Accelerator accelerator) {
            this.lab = lab;
            this.accelerator = accelerator;
        }

        /** For messages and threads. */
        public Builder name(String newName) {
            name = newName;
            return this;
        }

        public Builder memoryMiB(int newMemoryMiB) {
            memoryMiB = newMemoryMiB;
            return this;
        }

        /**
         * Whether devices in other processes can map the memory; they can unless told otherwise.
         */
        public Builder sharedMemory(boolean shared) {
            sharedMemory = shared;
            return this;
        }

        /** A guest that reboots starts again; else the machine ends there. */
        public Builder restarts() {
            restarts = true;
            return this;
        }

        /** Console and a shell on this program's own terminal; there is no {@link Guest} then. */
        public Builder onTerminal() {
            terminal = true;
            return this;
        }

        /** A shell on the console, beside what {@link Guest} does. */
        public Builder shell() {
            shell = true;
            return this;
        }

        /** Where the console's bytes go too; on a terminal they go there instead of it. */
        public Builder consoleCopy(OutputStream copy) {
            consoleCopy = copy;
            return this;
        }

        /** More for the kernel's command line. */
        public Builder kernelWords(String words) {
            kernelWords.append(' ').append(words);
            return this;
        }

        /** A function of Farslot: QEMU's client of the slot that listens at this socket. */
        public Builder vfioUser(Path socket) {
            String address = Integer.toHexString(nextAddress++);
            devices.add(Vm.vfioUserDevice(socket, "pcie.0", address, patient));
            return this;
        }

        /**
         * QEMU waits for the slots that are added from now on for as long as they take; it gives up
         * after 5 s else. Meanwhile the whole machine stands still.
         */
        public Builder waitingForSlots() {
            patient = true;
            return this;
        }

        /** A device as -device takes it. */
        public Builder device(String words) {
            devices.add(words);
            return this;
        }

        /** More arguments of QEMU, as they are. */
        public Builder arguments(List<String> more) {
            arguments.addAll(more);
            return this;
        }

        /**
         * Starts QEMU.
         *
         * @throws LabException where it cannot be started; what it complains of later ends the
         *     waiting of {@link Console} and {@link Guest}
         */
        public Vm start() {
            try {
                return new Vm(this);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private final String name;
    private final TemporaryFolder folder;
    private final MachineSocket agentSocket;
    private final MachineSocket qmpSocket;
    private final ChildProcess process;
    private final Console console;
    private final Guest guest;
    private final Qmp qmp;

    private Vm(Builder builder) throws IOException {
        name = builder.name;
        folder = socketFolder();
        agentSocket = new MachineSocket(folder.path().resolve("agent"));
        qmpSocket = new MachineSocket(folder.path().resolve("qmp"));
        List<String> words = words(builder, agentSocket.path(), qmpSocket.path());
        ProcessBuilder process = new ProcessBuilder(words);
        process.environment().putAll(builder.lab.qemu().environment());
        if (builder.terminal) {
            process.inheritIO();
            if (builder.consoleCopy != null) {
                process.redirectOutput(ProcessBuilder.Redirect.PIPE);
            }
        } else {
            // QEMU's complaints and the guest's words in one text: whoever waits sees both.
            process.redirectErrorStream(true);
        }
        boolean started = false;
        try {
            this.process = ChildProcess.start(process);
            started = true;
        } finally {
            if (!started) {
                removeSockets();
            }
        }
        Process running = this.process.process();
        var _ = running.onExit().thenRun(this::removeSockets);
        console =
                builder.terminal && builder.consoleCopy == null
                        ? null
                        : new Console(
                                name,
                                running.getInputStream(),
                                running.getOutputStream(),
                                builder.consoleCopy);
        guest = builder.terminal ? null : new Guest(agentSocket, console);
        qmp = new Qmp(qmpSocket);
    }

    /** A machine of this lab. */
    public static Builder builder(PreparedLab lab, Accelerator accelerator) {
        return new Builder(lab, accelerator);
    }

    /** The argument of -device for a slot's socket at a place on a bus. */
    public static String vfioUserDevice(Path socket, String bus, String address) {
        return vfioUserDevice(socket, bus, address, false);
    }

    private static String vfioUserDevice(Path socket, String bus, String address, boolean patient) {
        // The longest: 0 and 4294967295, which look like "never", time out at once.
        String timeout = patient ? ",\"x-msg-timeout\":2147483647" : "";
        return "{\"driver\":\"%s\",\"bus\":\"%s\",\"addr\":\"%s\",\"socket\":{\"type\":\"unix\",\"path\":%s}%s}"
                .formatted(
                        Qemu.CLIENT,
                        bus,
                        address,
                        jsonString(socket.toAbsolutePath().toString()),
                        timeout);
    }

    public String name() {
        return name;
    }

    /** The serial console; null on a terminal, unless it is copied from there. */
    public Console console() {
        return console;
    }

    /** Runs commands inside; null on a terminal. */
    public Guest guest() {
        return guest;
    }

    public Qmp qmp() {
        return qmp;
    }

    /** QEMU's process id. */
    public long pid() {
        return process.process().pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for QEMU's end. */
    public boolean await(Duration time) {
        return process.await(time);
    }

    /** QEMU's exit code, once it has ended. */
    public int exitCode() {
        return process.process().exitValue();
    }

    /** Ends the machine at once, as pulling its plug does. */
    @Override
    public void close() {
        process.close();
        removeSockets();
    }

    private static List<String> words(Builder builder, Path agent, Path qmp) {
        PreparedLab lab = builder.lab;
        List<String> words = new ArrayList<>(lab.qemu().command());
        String size = builder.memoryMiB + "M";
        Stream.of("-name", builder.name, "-accel", builder.accelerator.word(), "-m", size)
                .forEach(words::add);
        if (builder.accelerator == Accelerator.KVM) {
            words.addAll(List.of("-cpu", "host"));
        }
        if (builder.sharedMemory) {
            words.addAll(
                    List.of(
                            "-object",
                            "memory-backend-memfd,id=ram,share=on,size=" + size,
                            "-machine",
                            "q35,memory-backend=ram"));
        } else {
            words.addAll(List.of("-machine", "q35"));
        }
        words.addAll(List.of("-nographic", "-nodefaults"));
        // Ctrl-C on a terminal ends the machine, and with it all that was started for it.
        words.addAll(
                List.of("-chardev", "stdio,id=console,signal=on", "-serial", "chardev:console"));
        words.addAll(List.of("-chardev", "socket,id=agent,path=" + comma(agent)));
        words.addAll(List.of("-serial", "chardev:agent"));
        words.addAll(List.of("-qmp", "unix:" + comma(qmp)));
        words.addAll(
                List.of("-kernel", lab.kernel().toString(), "-initrd", lab.initrd().toString()));
        String mode = builder.terminal ? "" : " farslot.agent=ttyS1";
        mode += builder.terminal || builder.shell ? " farslot.shell=1" : "";
        words.addAll(List.of("-append", KERNEL_WORDS + mode + builder.kernelWords));
        if (!builder.restarts) {
            words.add("-no-reboot");
        }
        for (String device : builder.devices) {
            words.addAll(List.of("-device", device));
        }
        words.addAll(builder.arguments);
        return words;
    }

    /** In QEMU's lists of options a comma within a value is doubled. */
    private static String comma(Path path) {
        return path.toString().replace(",", ",,");
    }

    private static String jsonString(String text) {
        StringBuilder json = new StringBuilder("\"");
        text.chars()
                .forEach(c -> {
                    if (c == '"' || c == '\\') {
                        json.append('\\').append((char) c);
                    } else if (c < ' ') {
                        json.append(String.format("\\u%04x", c));
                    } else {
                        json.append((char) c);
                    }
                });
        return json.append('"').toString();
    }

    private static TemporaryFolder socketFolder() throws IOException {
        TemporaryFolder folder = TemporaryFolder.create("farslot-vm-");
        Path longest = folder.path().resolve("agent");
        if (longest.toString().getBytes(StandardCharsets.UTF_8).length <= LONGEST_SOCKET_PATH) {
            return folder;
        }
        folder.close();
        return TemporaryFolder.createIn(Path.of("/tmp"), "farslot-vm-");
    }

    private void removeSockets() {
        agentSocket.close();
        qmpSocket.close();
        folder.close();
    }
}
