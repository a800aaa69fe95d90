package farslot.integration;

import farslot.core.FunctionDescription;
import java.lang.foreign.MemorySegment;

/**
 * A device model of another program, such as one of QEMU's in a process of its own: a register
 * interface on one side and a bus on the other, on which its messages are memory writes like any.
 * It owns its MSI-X table and honours it.
 */
interface AddressedModel {
    /** What it masters. Any thread of the model may call. */
    interface Bus {
        void read(long address, MemorySegment into);

        void write(long address, MemorySegment from);

        /** The level of its interrupt pin. */
        void pin(boolean asserted);
    }

    FunctionDescription describe();

    void connect(Bus bus);

    void read(int region, long offset, MemorySegment into);

    void write(int region, long offset, MemorySegment from);

    void reset();
}
