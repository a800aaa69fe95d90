package farslot.lab;

import java.nio.file.Path;

/**
 * What a virtual machine is made of.
 *
 * @param qemu its emulator
 * @param kernel a Linux kernel for x86-64 (bzImage)
 * @param initrd the lab's initramfs for that kernel
 * @param kernelVersion as uname -r says; "" where the user brought the kernel
 */
public record PreparedLab(Qemu qemu, Path kernel, Path initrd, String kernelVersion) {
    /** The same with parts that the user brings; null leaves one as it is. */
    public PreparedLab with(Path otherQemu, Path otherKernel, Path otherInitrd) {
        return new PreparedLab(
                otherQemu == null ? qemu : Qemu.at(otherQemu),
                otherKernel == null ? kernel : Lab.readable(otherKernel, "kernel"),
                otherInitrd == null ? initrd : Lab.readable(otherInitrd, "initial RAM disk"),
                otherKernel == null ? kernelVersion : "");
    }
}
