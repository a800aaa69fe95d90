package farslot.core;

import java.lang.foreign.MemorySegment;

/**
 * Java code as the driver of a function: the simplest slot, for programs that drive a device
 * themselves and for tests. It lends the function memory of this process and hands its interrupts
 * and events to a {@link Listener}; accesses go to the function directly.
 *
 * <p>Any thread may call. The listener is called on the function's threads, with nothing held.
 */
public final class InProcessHost implements PciHost {
    /** What the driver hears of its function. Must not wait for the function. */
    public interface Listener {
        void interrupt(InterruptKind kind, int vector);

        default void event(FunctionEvent event) {}
    }

    private final PciFunction function;
    private final Listener listener;
    private final DmaTable maps = new DmaTable();

    /** Attaches itself to the function. */
    @SuppressWarnings("this-escape") // the function may call from here on, and everything is set
    public InProcessHost(PciFunction function, Listener listener) {
        this.function = function;
        this.listener = listener;
        function.attach(this);
    }

    /**
     * Lends memory to the function at a DMA address.
     *
     * @throws IllegalArgumentException where another map is in the way
     */
    public void map(long address, MemorySegment memory, Direction direction) {
        DmaMap map =
                new DmaMap(
                        address, memory.byteSize(), direction, new NearMemory(memory, -1, 0), true);
        map(map);
    }

    /** Lends memory to the function as a map says, which may be far: then DMA to it fails. */
    public void map(DmaMap map) {
        if (!maps.add(map).status().isSuccess()) {
            throw new IllegalArgumentException(
                    "Another DMA map is in the way of 0x"
                            + Long.toHexString(map.address())
                            + ", 0x"
                            + Long.toHexString(map.length())
                            + " bytes.");
        }
        function.map(map);
    }

    /** Takes memory back; on return the function reaches it no more. */
    public CompletionStatus unmap(long address, long length) {
        DmaTable.Change change = maps.remove(address, length);
        if (change.status().isSuccess()) {
            function.unmap(address, length);
        }
        return change.status();
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        if (generation != function.generation()) {
            return CompletionStatus.STALE_GENERATION;
        }
        CompletionStatus status = maps.read(address, into, null);
        return refusal(status, address, into.byteSize(), Direction.READ);
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        if (generation != function.generation()) {
            return CompletionStatus.STALE_GENERATION;
        }
        CompletionStatus status = maps.write(address, from, null);
        return refusal(status, address, from.byteSize(), Direction.WRITE);
    }

    private CompletionStatus refusal(
            CompletionStatus status, long address, long length, Direction direction) {
        if (!status.isSuccess()) {
            listener.event(
                    new FunctionEvent.DmaRefused(
                            address,
                            length,
                            direction,
                            "DMA "
                                    + direction
                                    + " of 0x"
                                    + Long.toHexString(length)
                                    + " bytes at 0x"
                                    + Long.toHexString(address)
                                    + " is outside what the driver mapped."));
        }
        return status;
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return generation == function.generation() ? maps.near(address, length, direction) : null;
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return maps.servedWhileWaiting(address, length);
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        if (generation == function.generation()) {
            listener.interrupt(kind, vector);
        }
    }

    @Override
    public void event(FunctionEvent event) {
        listener.event(event);
    }
}
