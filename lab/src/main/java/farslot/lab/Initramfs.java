package farslot.lab;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * What a lab machine boots into: busybox, the few Debian programs that busybox has no equal of,
 * drivers, and our own init (the resource "init" beside this class). Made from the folder that the
 * packages were unpacked into.
 */
final class Initramfs {
    /** Drivers that a scenario may load by modprobe; what they need comes along. */
    private static final List<String> DRIVERS =
            List.of(
                    "nvme",
                    "ext4",
                    "vfat",
                    "nls_ascii",
                    "nls_cp437",
                    "crc32c_generic",
                    "crc32c_intel",
                    "ahci",
                    "sd_mod",
                    "pvpanic-pci",
                    "uio_pci_generic");

    /** Debian's, since busybox's mke2fs knows no ext4, and its lspci and fsck are thin. */
    private static final List<String> PROGRAMS = List.of("mke2fs", "e2fsck", "lspci", "setpci");

    private final Path root;
    private final String kernelVersion;
    private final Path scratch;

    /**
     * @param root where the packages were unpacked
     * @param scratch a folder for files on the way
     */
    Initramfs(Path root, String kernelVersion, Path scratch) {
        this.root = root;
        this.kernelVersion = kernelVersion;
        this.scratch = scratch;
    }

    void write(Path file) throws IOException {
        try (OutputStream stream = new BufferedOutputStream(Files.newOutputStream(file));
                Cpio cpio = new Cpio(stream)) {
            for (String folder : List.of("dev", "proc", "sys", "tmp", "mnt", "root", "etc")) {
                cpio.folder(folder);
            }
            try (InputStream init = Initramfs.class.getResourceAsStream("init")) {
                cpio.file("init", 0755, init.readAllBytes());
            }
            programs(cpio);
            busybox(cpio);
            modules(cpio);
        }
    }

    private void busybox(Cpio cpio) throws IOException {
        Path busybox = Programs.find(root, "busybox");
        cpio.file("bin/busybox", 0755, busybox);
        // What the kernel starts to load a module by itself (/proc/sys/kernel/modprobe).
        cpio.link("sbin/modprobe", "../bin/busybox");
        Command.Outcome applets = Command.of(busybox.toString(), "--list").run();
        for (String applet : applets.text().lines().toList()) {
            if (!applet.equals("busybox") && !PROGRAMS.contains(applet)) {
                cpio.link("bin/" + applet, "busybox");
            }
        }
    }

    private void programs(Cpio cpio) throws IOException {
        Programs programs = new Programs(root);
        PROGRAMS.forEach(programs::add);
        programs.write(cpio);
        cpio.link("bin/mkfs.ext4", "mke2fs");
        cpio.link("bin/fsck.ext4", "e2fsck");
        cpio.file("etc/mke2fs.conf", 0644, root.resolve("etc/mke2fs.conf"));
    }

    private void modules(Cpio cpio) throws IOException {
        String folder = "lib/modules/" + kernelVersion;
        KernelModules all =
                new KernelModules(root.resolve("usr").resolve(folder), this::unpackModule);
        SequencedMap<String, KernelModules.Module> modules = all.closure(DRIVERS);
        for (KernelModules.Module module : modules.values()) {
            cpio.file(folder + "/" + module.path(), 0644, module.plain());
        }
        text(cpio, folder + "/modules.dep", KernelModules.modulesDep(modules));
        text(cpio, folder + "/modules.alias", KernelModules.modulesAlias(modules));
    }

    private static void text(Cpio cpio, String name, String text) throws IOException {
        cpio.file(name, 0644, text.getBytes(StandardCharsets.UTF_8));
    }

    /** In TCG's slow machine every byte unpacked costs: modules go in unpacked. */
    private Path unpackModule(Path module) {
        String name = module.getFileName().toString();
        if (name.endsWith(".ko")) {
            return module;
        }
        Path plain = scratch.resolve(name.substring(0, name.indexOf(".ko") + 3));
        String program = name.endsWith(".zst") ? "zstd" : name.endsWith(".gz") ? "gzip" : "xz";
        Command.Outcome outcome = unpacker(program, module).runInto(plain);
        if (!outcome.ok()) {
            throw new LabException("Unpacking " + module + " failed: " + outcome.lastLines());
        }
        return plain;
    }

    private Command unpacker(String program, Path module) {
        if (Command.exists(program)) {
            return Command.of(program, "-dc", module.toString());
        }
        List<String> words = new ArrayList<>(Programs.runner(root));
        words.addAll(List.of(Programs.find(root, program).toString(), "-dc", module.toString()));
        return Command.of(words);
    }
}
