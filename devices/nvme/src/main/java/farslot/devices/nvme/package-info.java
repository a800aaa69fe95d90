/**
 * An NVM Express 1.4 controller with one namespace, behind which a disk image lies: as much as an
 * unmodified operating system needs, and honest to the end of that. What is not there is not
 * claimed, and refused with the status that the specification has for it.
 *
 * <p>{@link farslot.devices.nvme.NvmeKind} makes it of options. Inside: {@code NvmeDevice} binds
 * registers to the {@code Controller}, whose every enabling is an {@code Enablement} with its
 * queues; {@code AdminCommands} and {@code NvmCommands} execute what {@code Command}s ask. The
 * registers and queue entries are described in {@code nvme.xml}.
 *
 * <p>Uses {@code farslot.sdk} and {@code farslot.block}. Sections cited are of the NVM Express base
 * specification, revision 1.4. Begin with {@code Controller}.
 */
package farslot.devices.nvme;
