package farslot.cli;

import farslot.lab.Accelerator;
import farslot.lab.ChildProcess;
import farslot.lab.Console;
import farslot.lab.GuestDisk;
import farslot.lab.Lab;
import farslot.lab.LabException;
import farslot.lab.PreparedLab;
import farslot.lab.Vm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The demo's steps, in the order in which they are read: three processes beside this one (lender,
 * slot, VM), each started as a user would start it. Closing ends them, the last first.
 */
final class Demo implements AutoCloseable {
    private static final int DATA_MIB = 64;
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration BOOT = Duration.ofMinutes(3);
    private static final Pattern LENT = Pattern.compile("(127\\.0\\.0\\.1:[1-9][0-9]*)");

    private final Path folder;
    private final Consumer<String> print;
    private final String name = "demo-" + ProcessHandle.current().pid();
    private final long beginNanos = System.nanoTime();
    private final List<FarslotProcess> running = new ArrayList<>();

    Demo(Path folder, Consumer<String> print) {
        this.folder = folder;
        this.print = print;
    }

    /**
     * Does all of it.
     *
     * @param trace where the slot's recorder is to write
     * @param keep leaves the VM's console to the user at the end
     * @throws LabException when a step fails; what else is running is still to be closed
     */
    void run(LabOptions options, Path trace, boolean keep) throws IOException {
        try {
            runSteps(options, trace, keep);
        } catch (LabException e) {
            throw blame(e);
        }
    }

    /** Where a process ended by itself that is the reason, and not what was noticed of it. */
    private LabException blame(LabException e) {
        for (FarslotProcess process : running) {
            if (!process.process().isAlive()) {
                String words = process.console().lastLines(2);
                return new LabException(process.role() + " ended by itself: " + words, e);
            }
        }
        return e;
    }

    private void runSteps(LabOptions options, Path trace, boolean keep) throws IOException {
        step("lab");
        Lab ofUser = Lab.ofUser();
        PreparedLab lab = options.open(ofUser, this::detail);
        detail("QEMU " + lab.qemu().version() + ", Linux " + lab.kernelVersion());
        Accelerator accelerator = ofUser.accelerator(lab, this::detail);

        step("lender: a process with an NVMe controller, whose disk is a new file");
        String address = lend();
        step("slot: a process that borrows it over TCP and waits for QEMU");
        detail("(--insecure: it is on this machine only; \"farslot trust\" is for others)");
        Path socket = borrow(address, trace);
        step("VM: Debian's kernel in QEMU, with the slot's socket as a PCI device");
        try (Vm vm = boot(lab, accelerator, socket, keep)) {
            String checksum = use(vm);
            if (keep) {
                leaveTo(vm);
            }
            powerOff(vm);
            step("what is in the lender's file");
            endProcesses();
            compareFile(lab, checksum);
        }
        step("what the driver did, by register");
        showStatistics(trace);
    }

    private String lend() {
        String image = folder.resolve("disk.img").toString();
        Console lender =
                start(
                        "the lender",
                        "lend",
                        "nvme,name=" + name + ",image=" + image + ",size=1G",
                        "--listen",
                        "127.0.0.1:0",
                        "--audit",
                        folder.resolve("audit.jsonl").toString(),
                        "--insecure");
        return lender.await(LENT, START).group(1);
    }

    private Path borrow(String address, Path trace) {
        Path socket = folder.resolve("slot.sock");
        Console slot =
                start(
                        "the slot",
                        "borrow",
                        name + "@" + address,
                        "--insecure",
                        "--vfio-user",
                        socket.toString(),
                        "--trace",
                        trace.toString());
        // The words for QEMU are printed once the socket can be connected to.
        slot.await("vfio-user-pci", START);
        return socket;
    }

    private Vm boot(PreparedLab lab, Accelerator accelerator, Path socket, boolean keep) {
        Vm.Builder builder = Vm.builder(lab, accelerator).name("the VM").vfioUser(socket);
        if (keep) {
            builder.shell();
        }
        Vm vm = builder.start();
        // Without its disk the machine would try for minutes before Linux gives up.
        for (FarslotProcess process : running) {
            var _ = process.process().process().onExit().thenRun(vm::close);
        }
        detail("-device " + Vm.vfioUserDevice(socket, "pcie.0", "4"));
        vm.guest().awaitReady(BOOT);
        detail("Linux is up: " + vm.guest().sh("uname -sr"));
        return vm;
    }

    private String use(Vm vm) {
        step("Linux binds its nvme driver");
        GuestDisk disk = GuestDisk.bind(vm.guest());
        GuestDisk.Identity identity = disk.identity();
        detail("model       " + identity.model() + ", serial " + identity.serial());
        detail("capacity    " + identity.sizeBytes() + " bytes");
        detail("PCI         " + vm.guest().sh("lspci -n -s " + identity.pciAddress()));
        detail("interrupts  " + disk.interrupts());
        step("Linux makes a file system, mounts it and writes " + DATA_MIB + " MiB");
        disk.format();
        disk.mount();
        String written = disk.fill(DATA_MIB);
        detail("sha256      " + written);
        step("Linux unmounts and checks the file system");
        disk.unmount();
        disk.check();
        detail("nothing to repair");
        step("Linux mounts it again and reads");
        disk.mount();
        String read = disk.checksum();
        detail("sha256      " + read);
        detail("interrupts  " + disk.interrupts());
        disk.unmount();
        if (!read.equals(written)) {
            throw new LabException("the data read differs from the data written");
        }
        String complaints = disk.complaints();
        if (!complaints.isEmpty()) {
            throw new LabException("Linux complained of the disk: " + complaints);
        }
        return written;
    }

    private void powerOff(Vm vm) {
        if (!vm.isAlive()) {
            return;
        }
        vm.guest().begin("poweroff -f");
        if (!vm.await(START)) {
            throw new LabException("the VM did not power off");
        }
    }

    private void leaveTo(Vm vm) throws IOException {
        step("the VM is yours; \"exit\" goes on with the demo");
        Terminal.lend(vm.console(), () -> !vm.isAlive());
    }

    /** The file system's own tool reads the file out of the image: no Farslot, no Linux. */
    private void compareFile(PreparedLab lab, String checksum) throws IOException {
        List<String> words = new ArrayList<>(lab.tool("debugfs"));
        if (words.isEmpty()) {
            detail("not compared: this lab was brought along, and has no debugfs");
            return;
        }
        words.add("-R");
        words.add("cat " + GuestDisk.FILE);
        words.add(folder.resolve("disk.img").toString());
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        try (ChildProcess debugfs = ChildProcess.start(builder)) {
            String found = sha256(debugfs.process().getInputStream());
            detail("sha256      " + found + " (by debugfs)");
            if (!found.equals(checksum)) {
                throw new LabException("the lender's file holds other data than Linux wrote");
            }
        }
    }

    private static String sha256(InputStream data) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (DigestInputStream all = new DigestInputStream(data, digest)) {
                byte[] buffer = new byte[1 << 16];
                while (all.read(buffer) >= 0) {
                    // The digest has seen it.
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private void showStatistics(Path trace) {
        try (FarslotProcess stats =
                FarslotProcess.start(
                        "farslot trace stats", List.of("trace", "stats", trace.toString()))) {
            boolean ended = stats.process().await(START) && stats.console().awaitEnd(START);
            stats.console().text().lines().forEach(this::detail);
            if (!ended || stats.process().process().exitValue() != 0) {
                throw new LabException("the log could not be read");
            }
        }
    }

    private Console start(String role, String... arguments) {
        detail("farslot " + String.join(" ", arguments));
        FarslotProcess process = FarslotProcess.start(role, List.of(arguments));
        running.add(process);
        return process.console();
    }

    private void step(String title) {
        double seconds = (System.nanoTime() - beginNanos) / 1e9;
        print.accept(String.format(Locale.ROOT, "[%5.1f s] %s", seconds, title));
    }

    private void detail(String line) {
        print.accept("          " + line);
    }

    @Override
    public void close() {
        endProcesses();
    }

    /** Ends slot and lender, in this order, and waits until they are gone. */
    void endProcesses() {
        running.reversed().forEach(FarslotProcess::close);
        running.clear();
    }
}
