package farslot.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a virtual machine is made of.
 *
 * @param qemu its emulator
 * @param kernel a Linux kernel for x86-64 (bzImage)
 * @param initrd the lab's initramfs for that kernel
 * @param kernelVersion as uname -r says; "" where the user brought the kernel
 */
public record PreparedLab(Qemu qemu, Path kernel, Path initrd, String kernelVersion) {
    /**
     * The command that runs a program of Debian's e2fsprogs on this machine, without its arguments;
     * empty where the lab was brought by the user and has none.
     */
    public List<String> tool(String name) {
        Path root = kernel.toAbsolutePath().resolveSibling("root");
        Path program = root.resolve("usr/sbin").resolve(name);
        if (!Files.exists(program)) {
            return List.of();
        }
        List<String> words = new ArrayList<>(Programs.runner(root));
        words.add(program.toString());
        return words;
    }

    /** The same with parts that the user brings; null leaves one as it is. */
    public PreparedLab with(Path otherQemu, Path otherKernel, Path otherInitrd) {
        return new PreparedLab(
                otherQemu == null ? qemu : Qemu.at(otherQemu),
                otherKernel == null ? kernel : Lab.readable(otherKernel, "kernel"),
                otherInitrd == null ? initrd : Lab.readable(otherInitrd, "initial RAM disk"),
                otherKernel == null ? kernelVersion : "");
    }
}
