/**
 * Virtual machines for the demo, the tests and people who try a device: Debian's own kernel in
 * QEMU, prepared in the user's cache folder without root.
 *
 * <p>What for: {@link farslot.lab.Lab} prepares QEMU, kernel and initramfs once; {@link
 * farslot.lab.Vm} starts a virtual machine from them, with its console as text that can be waited
 * for and, by {@link farslot.lab.Guest}, commands that run inside.
 *
 * <p>May use: the JDK, and the programs that Debian has anyway (apt-get, dpkg-deb). It knows
 * nothing of lenders and slots: a device is a line of QEMU's arguments.
 *
 * <p>Begin with {@link farslot.lab.Lab#prepare} and {@link farslot.lab.Vm.Builder}.
 */
package farslot.lab;
