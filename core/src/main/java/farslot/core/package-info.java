/**
 * The waist of Farslot: {@link farslot.core.PciFunction}, which everything with a driver asks, and
 * {@link farslot.core.PciHost}, which everything that is a device asks. Around them what all
 * functions share and nobody should write twice: configuration space with its capabilities and BAR
 * sizing, the MSI and MSI-X tables, INTx, the table of DMA maps.
 *
 * <p>Uses the JDK alone; has no threads and does no input or output (held by a test). Begin with
 * {@code PciFunction}.
 */
package farslot.core;
