package farslot.core;

/**
 * A piece of the driver's memory that a function may reach, at a DMA address.
 *
 * @param address the first DMA address, as the device uses it
 * @param length in bytes, at least 1; address + length does not pass 2^64
 * @param direction what the function may do there
 * @param near the memory itself where this process can reach it, else null: then DMA goes through
 *     {@link PciHost}
 * @param servedWhileWaiting whether DMA there is served while a driver's access waits for its
 *     completion. False only for an emulator that shares no memory (docs/architecture.md,
 *     "Memory"): there a handler of a non-posted access cannot use DMA
 */
public record DmaMap(
        long address,
        long length,
        Direction direction,
        NearMemory near,
        boolean servedWhileWaiting) {
    public DmaMap {
        if (length < 1 || Long.compareUnsigned(address + length - 1, address) < 0) {
            throw new IllegalArgumentException(
                    "A DMA map of 0x"
                            + Long.toHexString(length)
                            + " bytes at 0x"
                            + Long.toHexString(address)
                            + " is empty or passes 2^64.");
        }
    }
}
