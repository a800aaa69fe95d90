/**
 * The slot for emulators: a function becomes a device of QEMU ({@code -device vfio-user-pci}) or of
 * any other client of the vfio-user protocol (QEMU's docs/interop/vfio-user.rst), over a UNIX
 * socket. The emulator's memory is mapped where it shares it, and reached by messages where not.
 *
 * <p>Uses {@code core} and {@code posix}, and Jackson for the version message alone. Begin with
 * {@link farslot.vfiouser.VfioUserServer}; then {@code Messages}, which holds the wire format, and
 * {@code Session}, which answers one client.
 */
package farslot.vfiouser;
