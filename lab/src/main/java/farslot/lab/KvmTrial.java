package farslot.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Finds out whether KVM works here by booting a machine with it: that /dev/kvm can be opened says
 * too little where machines are nested. The answer is remembered in the cache folder until this
 * computer starts anew or QEMU or kernel change.
 */
final class KvmTrial {
    private static final Path DEVICE = Path.of("/dev/kvm");

    /** KVM boots the lab's kernel in a second or two; what takes longer is no gain over TCG. */
    private static final Duration LIMIT = Duration.ofSeconds(12);

    private static final Pattern TROUBLE =
            Pattern.compile("KVM internal error|KVM: entry failed|emulation failure");

    private final Path file;

    KvmTrial(Path cache) {
        file = cache.resolve("kvm-trial");
    }

    /** "kvm" or "tcg" as found before, or "". */
    String remembered(PreparedLab lab) throws IOException {
        if (!Files.isReadable(file)) {
            return "";
        }
        String[] words = Files.readString(file).trim().split(" ", 2);
        return words.length == 2 && words[1].equals(key(lab)) ? words[0] : "";
    }

    Accelerator find(PreparedLab lab, Consumer<String> progress) {
        if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
            progress.accept(
                    "TCG: there is no "
                            + DEVICE
                            + " that you may use, so instructions are translated");
            return Accelerator.TCG;
        }
        try {
            String remembered = remembered(lab);
            if (!remembered.isEmpty()) {
                boolean works = remembered.equals(Accelerator.KVM.word());
                progress.accept(works ? "KVM" : "TCG: KVM did not boot a machine here before");
                return works ? Accelerator.KVM : Accelerator.TCG;
            }
            Accelerator found = boots(lab) ? Accelerator.KVM : Accelerator.TCG;
            progress.accept(
                    found == Accelerator.KVM
                            ? "KVM: a trial boot succeeded"
                            : "TCG: there is a /dev/kvm, but a trial boot with it failed");
            Files.createDirectories(file.getParent());
            Files.writeString(file, found.word() + " " + key(lab) + "\n");
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void forget() throws IOException {
        Files.deleteIfExists(file);
    }

    private static boolean boots(PreparedLab lab) {
        try (Vm vm = Vm.builder(lab, Accelerator.KVM).name("kvm-trial").start()) {
            Thread.ofVirtual().start(() -> endAtTrouble(vm));
            vm.guest().awaitReady(LIMIT);
            return true;
        } catch (LabException e) {
            return false;
        }
    }

    /** QEMU stops a machine whose processor fails, and waits: that need not take the whole time. */
    private static void endAtTrouble(Vm vm) {
        try {
            vm.console().await(TROUBLE, LIMIT);
            vm.close();
        } catch (LabException e) {
            // No trouble: the machine was closed, or its time is up.
        }
    }

    /** Changes when the answer may: this start of the computer, QEMU, kernel. */
    private static String key(PreparedLab lab) throws IOException {
        Path boot = Path.of("/proc/sys/kernel/random/boot_id");
        CRC32C sum = new CRC32C();
        sum.update(Files.readAllBytes(boot));
        String parts =
                lab.qemu().command() + lab.qemu().version() + lab.kernel() + lab.kernelVersion();
        sum.update(parts.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits((int) sum.getValue());
    }
}
