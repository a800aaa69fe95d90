/**
 * An NVM Express 1.4 controller whose namespaces are disk images: all mandatory commands, and those
 * optional ones that Identify names. What is not there is not claimed, and refused with the status
 * that the specification has for it.
 *
 * <p>{@link farslot.devices.nvme.NvmeKind} makes it of options. Inside, a file is one thing of the
 * specification:
 *
 * <ul>
 *   <li>{@code NvmeDevice} is the PCI function: it binds the registers of {@code nvme.xml} to the
 *       {@code Controller}, which is enabled, disabled and shut down. Each enabling is an {@code
 *       Enablement} with its queues.
 *   <li>{@code Workers} fetch and execute commands of the queue that {@code Arbitration} names.
 *   <li>{@code AdminCommands} and {@code NvmCommands} execute; {@code QueueCommands}, {@code
 *       Identify}, {@code LogPages}, {@code Features}, {@code Abort} and {@code AsynchronousEvents}
 *       are commands that are a subject of their own.
 *   <li>{@code DataPointer} finds the driver's data, by {@code PrpWalk} or {@code SglWalk}; {@code
 *       Namespace} is the disk.
 * </ul>
 *
 * <p>Uses {@code farslot.sdk} and {@code farslot.block}. Sections cited are of the NVM Express base
 * specification, revision 1.4. Begin with {@code Controller}.
 */
package farslot.devices.nvme;
