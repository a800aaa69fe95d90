package farslot.core;

import java.lang.foreign.MemorySegment;

/**
 * One piece of a scatter-gather transfer.
 *
 * @param address a DMA address
 * @param data the device's own buffer for it: filled by a read, sent by a write; its length is the
 *     transfer's
 */
public record DmaSegment(long address, MemorySegment data) {}
