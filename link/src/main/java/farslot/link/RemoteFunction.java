package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;

/**
 * A borrowed function, at the slot: the near end of a link whose far end is a lender.
 *
 * <p>Once the link has ended every access ends at once in {@link CompletionStatus#TIMED_OUT}, and
 * what is posted goes nowhere; a new function has to be borrowed then.
 *
 * <p><b>Threads.</b> As {@link PciFunction} says. The host that is attached is called by the link's
 * own thread, never by a caller of this; interrupts and DMA go on while accesses wait.
 */
public final class RemoteFunction implements PciFunction, AutoCloseable {
    private RemoteFunction() {}

    /** Hears what becomes of the link. Called by the link's threads; must not block. */
    public interface Listener {
        /**
         * The link has ended, and not by {@link RemoteFunction#close}: GOODBYE when the lender said
         * so, LOST when it is silent or gone, PROTOCOL. Called once.
         */
        void ended(LinkException why);

        /**
         * An access waits at the lender, which is alive: a debugger or a slow device holds it. Told
         * again with each notice, about four times a second.
         *
         * @param millis for how long the lender has held it
         */
        default void held(int region, long offset, boolean write, long millis) {}
    }

    /**
     * Connects and borrows.
     *
     * @throws RefusedException the lender's refusal: not found, taken, ...
     * @throws LinkException unreachable, no Farslot, another version, TCP without leave, ...
     */
    public static RemoteFunction borrow(
            Address address, Wish wish, LinkOptions options, Listener listener)
            throws RefusedException, LinkException {
        return null;
    }

    /** Who lends. */
    public Peer lender() {
        return null;
    }

    /** The fencing epoch of the lease. */
    public long epoch() {
        return 0;
    }

    /** Whether the link has ended, by either side. */
    public boolean isEnded() {
        return true;
    }

    @Override
    public FunctionDescription describe() {
        return null;
    }

    @Override
    public void attach(PciHost host) {}

    @Override
    public int generation() {
        return 0;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        return CompletionStatus.TIMED_OUT;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        return CompletionStatus.TIMED_OUT;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {}

    @Override
    public void map(DmaMap map) {}

    @Override
    public CompletionStatus unmap(long address, long length) {
        return CompletionStatus.TIMED_OUT;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        return CompletionStatus.TIMED_OUT;
    }

    /** Gives the function back and returns when the lender has it; the listener hears nothing. */
    @Override
    public void close() {}
}
