package farslot.devices.nvme;

import farslot.core.InterruptKind;
import java.lang.foreign.MemorySegment;

/** What a driver has in its hands: registers, memory that it lends, and its interrupts. */
public interface DriverSide {
    /** Where {@link #ram} lies in DMA addresses. */
    long RAM_ADDRESS = 0x1_0000_0000L;

    int read(int offset);

    void write(int offset, int value);

    MemorySegment ram();

    /** How often this interrupt was signalled. */
    int interrupts(InterruptKind kind, int vector);

    /** Grows with each DMA write and each interrupt. */
    long changes();

    /** Waits until {@link #changes} is no longer what was seen. */
    void awaitChange(long seen);

    /** Waits until this interrupt was signalled so often. */
    default void awaitInterrupts(InterruptKind kind, int vector, int count) {
        long seen = changes();
        while (interrupts(kind, vector) < count) {
            awaitChange(seen);
            seen = changes();
        }
    }
}
