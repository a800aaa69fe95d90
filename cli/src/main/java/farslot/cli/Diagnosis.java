package farslot.cli;

import farslot.lab.Accelerator;
import farslot.lab.Lab;
import farslot.lab.LabException;
import farslot.lab.Qemu;
import farslot.link.RuntimeDirectory;
import farslot.registers.PciNames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * What this machine has and lacks, tried rather than guessed. Changes nothing, except that KVM's
 * trial boot, where it can be made, is remembered as always.
 */
final class Diagnosis {
    /** How a finding is to be taken. */
    enum State {
        /** There, and works. */
        OK,
        /** For information: absent or small, and not needed by what most people do. */
        NOTE,
        /** Works, but less well than it could. */
        WARNING,
        /** Farslot's main uses fail without it. */
        LACKING
    }

    /**
     * One thing that was looked at.
     *
     * @param name of the thing: part of {@code --json}
     * @param found what there is, as half a sentence
     * @param advice what to do about it; "" where there is nothing to do
     */
    record Finding(String name, State state, String found, String advice) {}

    /** A VM of the lab, its slot and its lender, with room to breathe. */
    private static final long NEEDED_MEMORY_MIB = 1200;

    /** The lab unpacked, and what is downloaded for it. */
    private static final long NEEDED_DISK_MIB = 1200;

    /** Three for each function, some tens for a process. */
    private static final long NEEDED_OPEN_FILES = 1024;

    private final Lab lab;
    private final Consumer<String> progress;
    private final List<Finding> findings = new ArrayList<>();

    private Diagnosis(Lab lab, Consumer<String> progress) {
        this.lab = lab;
        this.progress = progress;
    }

    /** Looks at everything; {@code progress} hears of what takes its time. */
    static List<Finding> make(Lab lab, Consumer<String> progress) {
        Diagnosis diagnosis = new Diagnosis(lab, progress);
        diagnosis.java();
        diagnosis.processors();
        diagnosis.memory();
        diagnosis.lab();
        diagnosis.vfio();
        diagnosis.runtimeDirectory();
        diagnosis.openFiles();
        diagnosis.lockedMemory();
        diagnosis.names(PciNames.ofSystem());
        diagnosis.program(
                "setpriv",
                "only for ending what \"demo\" and \"vm run\" started when they end by kill -9");
        diagnosis.program("gcc", "only for checking the protocol with clients in C");
        diagnosis.program("python3", "only for checking the protocol with devices in Python");
        return List.copyOf(diagnosis.findings);
    }

    private void note(String name, State state, String found, String advice) {
        findings.add(new Finding(name, state, found, advice));
    }

    /** Where names of vendors, devices and classes come from. */
    private void names(PciNames names) {
        Path source = names.source().orElse(null);
        if (source != null) {
            note("pci.ids", State.OK, "names of vendors and devices from " + source, "");
        } else {
            note("pci.ids", State.NOTE, "only Farslot's own few names", PciNames.ADVICE);
        }
    }

    private void java() {
        note("java", State.OK, Runtime.version() + " at " + System.getProperty("java.home"), "");
    }

    private void processors() {
        int processors = Runtime.getRuntime().availableProcessors();
        if (processors > 1) {
            note("processors", State.OK, Integer.toString(processors), "");
        } else {
            note(
                    "processors",
                    State.WARNING,
                    "1",
                    "A lender, a slot and a VM share it: accesses take several times as long.");
        }
    }

    private void memory() {
        long available = kibibytes(Path.of("/proc/meminfo"), "MemAvailable:") / 1024;
        if (available < 0) {
            note(
                    "memory",
                    State.NOTE,
                    "unknown: there is no /proc/meminfo",
                    "Farslot runs on Linux so far.");
        } else if (available >= NEEDED_MEMORY_MIB) {
            note("memory", State.OK, available + " MiB available", "");
        } else {
            note(
                    "memory",
                    State.WARNING,
                    available + " MiB available",
                    "A VM of the lab and what belongs to it take about "
                            + NEEDED_MEMORY_MIB
                            + " MiB: end something else first.");
        }
    }

    /** QEMU, the lab and KVM, which hang together. */
    private void lab() {
        Lab.Status status;
        Qemu system;
        try {
            system = Qemu.ofSystem();
            status = lab.status();
        } catch (LabException | UncheckedIOException e) {
            note("lab", State.LACKING, e.getMessage(), "Run \"farslot lab clean\", then again.");
            return;
        }
        systemQemu(system);
        String why = Lab.unpreparable();
        if (status.prepared()) {
            note(
                    "lab",
                    State.OK,
                    String.format(
                            Locale.ROOT,
                            "prepared in %s (%d MiB): QEMU %s, Linux %s",
                            status.folder(),
                            status.sizeBytes() >> 20,
                            status.qemuVersion(),
                            status.kernelVersion()),
                    "");
        } else if (why == null) {
            note(
                    "lab",
                    State.NOTE,
                    "not prepared yet",
                    "\"farslot lab prepare\" does it, or the first demo or test; it needs the"
                            + " network, but not root.");
            disk(status.folder());
        } else {
            note(
                    "lab",
                    State.LACKING,
                    "not prepared, and cannot be: " + why,
                    system == null
                            ? "Mend that, or bring a QEMU 10.1 or newer, a kernel and an initramfs"
                                    + " by --qemu, --kernel and --initrd."
                            : "Mend that, or bring a kernel and an initramfs by --kernel and"
                                    + " --initrd.");
        }
        kvm(status.prepared());
    }

    private void systemQemu(Qemu system) {
        if (system != null) {
            note("qemu", State.OK, system.version() + ", with " + Qemu.CLIENT, "");
            return;
        }
        String name = "qemu-system-x86_64";
        boolean there = inPath(name);
        note(
                "qemu",
                State.NOTE,
                there
                        ? "the system's " + name + " has no " + Qemu.CLIENT
                        : "the system has no " + name,
                "Nothing needs to be done: the lab brings its own. For VMs of yours, install QEMU"
                        + " 10.1 or newer.");
    }

    private void disk(Path folder) {
        Path there = folder;
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        try {
            long free = Files.getFileStore(there).getUsableSpace() >> 20;
            if (free >= NEEDED_DISK_MIB) {
                note("disk", State.OK, free + " MiB free in " + there, "");
            } else {
                note(
                        "disk",
                        State.LACKING,
                        free + " MiB free in " + there,
                        "The lab needs "
                                + NEEDED_DISK_MIB
                                + " MiB there; make room, or name another folder by"
                                + " XDG_CACHE_HOME.");
            }
        } catch (IOException e) {
            note("disk", State.WARNING, there + " cannot be looked at: " + e.getMessage(), "");
        }
    }

    private void kvm(boolean labPrepared) {
        Path device = Path.of("/dev/kvm");
        String slower = "VMs run by translation (TCG): slower, but everything works. ";
        if (!Files.exists(device)) {
            note("kvm", State.NOTE, "there is no /dev/kvm", slower.strip());
        } else if (!Files.isReadable(device) || !Files.isWritable(device)) {
            note(
                    "kvm",
                    State.NOTE,
                    "/dev/kvm is there, but you may not use it",
                    slower + "To use it, become a member of the group that owns it (kvm).");
        } else if (!labPrepared) {
            note(
                    "kvm",
                    State.NOTE,
                    "/dev/kvm can be opened; whether it boots a machine was not tried",
                    "It is tried as soon as the lab is prepared.");
        } else {
            tryKvm(slower);
        }
    }

    private void tryKvm(String slower) {
        try {
            if (lab.accelerator(lab.open(), progress) == Accelerator.KVM) {
                note("kvm", State.OK, "a trial boot succeeded", "");
            } else {
                note(
                        "kvm",
                        State.NOTE,
                        "/dev/kvm is there, but a trial boot with it failed",
                        slower + "That is usual where this machine is a virtual one itself.");
            }
        } catch (LabException | UncheckedIOException e) {
            note("kvm", State.WARNING, "could not be tried: " + e.getMessage(), slower.strip());
        }
    }

    private void vfio() {
        String advice = "Only needed to lend real hardware, which this version does not do yet.";
        if (!Files.exists(Path.of("/dev/vfio/vfio"))) {
            note("vfio", State.NOTE, "there is no /dev/vfio/vfio", advice);
            return;
        }
        long all = entries(Path.of("/sys/kernel/iommu_groups"));
        // Beside the groups there is "vfio" itself, and with newer kernels "devices".
        long bound = 0;
        try (Stream<Path> files = Files.list(Path.of("/dev/vfio"))) {
            bound = files.filter(f -> f.getFileName().toString().matches("\\d+")).count();
        } catch (IOException e) {
            note("vfio", State.NOTE, "/dev/vfio may not be read", advice);
            return;
        }
        note("vfio", State.OK, all + " IOMMU groups, " + bound + " of them given to VFIO", advice);
    }

    private void runtimeDirectory() {
        try {
            note("sockets", State.OK, RuntimeDirectory.ofUser().path().toString(), "");
        } catch (IOException e) {
            note(
                    "sockets",
                    State.LACKING,
                    e.getMessage(),
                    "Lenders, slots and VMs of this machine meet there; name a folder of yours by"
                            + " XDG_RUNTIME_DIR.");
        }
    }

    private void openFiles() {
        long limit = limit("Max open files");
        if (limit < 0 || limit >= NEEDED_OPEN_FILES) {
            note("open files", State.OK, limit < 0 ? "unlimited" : "at most " + limit, "");
        } else {
            note(
                    "open files",
                    State.WARNING,
                    "at most " + limit,
                    "Raise it: ulimit -n " + NEEDED_OPEN_FILES + ".");
        }
    }

    private void lockedMemory() {
        long limit = limit("Max locked memory");
        note(
                "locked memory",
                State.OK,
                limit < 0 ? "unlimited" : "at most " + (limit >> 10) + " KiB",
                "");
    }

    private void program(String name, String what) {
        if (inPath(name)) {
            note(name, State.OK, "there", "");
        } else {
            note(name, State.NOTE, "not there", "Needed " + what + ".");
        }
    }

    private static boolean inPath(String program) {
        String path = System.getenv("PATH");
        return path != null
                && Stream.of(path.split(":", -1))
                        .filter(folder -> !folder.isEmpty())
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    /** The soft limit of this process; -1 where there is none or it cannot be known. */
    private static long limit(String name) {
        // "Max open files            1024                 4096                 files"
        return numberAfter(Path.of("/proc/self/limits"), name);
    }

    private static long kibibytes(Path file, String name) {
        return numberAfter(file, name);
    }

    /** The number that follows {@code name} at the beginning of a line of {@code file}, or -1. */
    private static long numberAfter(Path file, String name) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(name)) {
                    String first = line.substring(name.length()).strip().split("\\s+", 2)[0];
                    return first.matches("\\d+") ? Long.parseLong(first) : -1;
                }
            }
        } catch (IOException e) {
            // Only Linux has it; elsewhere nothing is known.
        }
        return -1;
    }

    private static long entries(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        } catch (IOException e) {
            return 0;
        }
    }
}
