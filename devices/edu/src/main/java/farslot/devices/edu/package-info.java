/**
 * QEMU's teaching device (docs/specs/edu.rst there): identification, liveness, factorials,
 * interrupts, DMA. The smallest device that does everything a device does: read it before writing
 * your own.
 *
 * <p>Uses {@code sdk}. Begin with {@link farslot.devices.edu.EduDevice}; its registers are in
 * {@code edu.xml}.
 */
package farslot.devices.edu;
