package farslot.core;

import java.lang.foreign.MemorySegment;

/**
 * One PCI function, as its driver sees it: the lower half of the waist on which all of Farslot
 * stands (docs/architecture.md). Every slot asks one; devices, links and taps are ones.
 *
 * <p><b>Order.</b> Everything asked of a function travels in its one order. A posted write returns
 * when the function has taken it into that order, which may be before it is done; everything else
 * returns when it is done, behind the posted writes before it.
 *
 * <p><b>Threads.</b> Any thread may call. Calls of one thread are done in its order; calls of
 * several are done one after another. A call may block, for as long as the device or a debugger
 * takes, and nothing may be held meanwhile that the function's {@link PciHost} needs to go on: a
 * handler may use DMA before it answers. A platform thread is expected where the caller is on the
 * hot path.
 *
 * <p><b>Errors.</b> What a driver can cause ends in a {@link CompletionStatus}; exceptions are for
 * programming errors only.
 */
public interface PciFunction {
    /** All byte enables on. */
    long ALL_BYTES = -1L;

    /** The function's description; the same until {@link FunctionEvent.DescriptionChanged}. */
    FunctionDescription describe();

    /**
     * Connects the function to its driver's side; null takes it away. Without a host the function
     * neither uses DMA nor interrupts. DMA maps and interrupt states do not survive a change of
     * host.
     */
    void attach(PciHost host);

    /** The current generation, from 1: counts the resets since the function was made. */
    int generation();

    /**
     * Reads {@code into.byteSize()} bytes.
     *
     * @param region its index
     * @param offset of the first byte within the region
     * @param into filled on success only; the caller makes it all-ones otherwise, as PCI does
     * @param widthBytes the size of each single transfer where the driver's instruction is known
     *     (1, 2, 4, 8, ...), else 0. A function that cares takes a longer access as a sequence of
     *     such transfers
     */
    CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes);

    /**
     * Writes {@code from.byteSize()} bytes. To a memory region the write is posted: {@code SUCCESS}
     * says that it was taken.
     *
     * @param region its index
     * @param offset of the first byte within the region
     * @param from read before this returns; the caller may then use it again
     * @param widthBytes as for {@link #read}
     * @param byteEnables bit n enables byte n, for writes of up to 64 bytes; {@link #ALL_BYTES}
     *     always for longer ones
     */
    CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables);

    /**
     * The driver's side enables, disables, masks or unmasks vectors. Posted, in order with writes.
     *
     * <p>INTx is auto-masked: an assertion masks it, and UNMASK travels behind the posted writes
     * before it, so the function, and only it, decides from its own state then whether to assert
     * again. MSI and MSI-X masks are told only by sides that know them (QEMU does not tell).
     *
     * @param first the first vector; 0 for INTx
     * @param count how many, at least 1, within what the description says
     */
    void interrupts(InterruptKind kind, int first, int count, InterruptAction action);

    /**
     * The driver's side lets the function reach a piece of memory from now on. Posted. Maps never
     * overlap; the same range again replaces it.
     */
    void map(DmaMap map);

    /**
     * Takes back all maps within the range; on return no DMA of this function reaches them any
     * more. (0, 0) takes back all.
     *
     * @return UNSUPPORTED_REQUEST, and nothing done, where the range cuts a map in two or names
     *     none
     */
    CompletionStatus unmap(long address, long length);

    /** Resets the function and begins a new generation, which has begun when this returns. */
    CompletionStatus reset(ResetKind kind);

    /**
     * Waits until the function has no work of its own under way, no DMA and no interrupts to come;
     * it begins none before {@link #resume}, a reset, or an access that asks for it. Needs {@link
     * Ability#QUIESCE}.
     *
     * @return TIMED_OUT, and the function works on, where it cannot come to rest
     */
    default CompletionStatus quiesce() {
        return CompletionStatus.UNSUPPORTED_ABILITY;
    }

    /**
     * Lets a function that is quiesced, or was loaded, work on its own again; else does nothing.
     */
    default void resume() {}

    /**
     * The state of a quiesced function: all but its DMA maps, which are its driver's side's. Needs
     * {@link Ability#SAVE_LOAD}.
     *
     * @throws StateException where it cannot be saved
     */
    default byte[] save() throws StateException {
        throw new StateException("This function cannot be saved.");
    }

    /**
     * Makes a function without a host what {@link #save} saw, generation included. It is quiesced
     * then; the host that is attached next finds its interrupts as they were, maps its memory
     * again, and says {@link #resume}.
     *
     * @throws StateException where the state is not one of such a function; nothing has changed
     */
    default void load(byte[] state) throws StateException {
        throw new StateException("This function cannot load a state.");
    }
}
