package farslot.recorder;

import java.lang.foreign.MemorySegment;

/**
 * A piece of a trace in memory: the slots {@code index << shift} and on.
 *
 * @param index of all windows of the trace, in the order of their slots
 */
record Window(long index, MemorySegment memory) {}
