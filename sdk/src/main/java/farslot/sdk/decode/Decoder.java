package farslot.sdk.decode;

import java.util.List;

/**
 * Finds the transactions of one trace. It is shown everything in order, once, and gives each
 * transaction as soon as it has ended; what it remembers is bounded by what the hardware can have
 * under way, since a trace may be longer than memory. What it is shown may be anything: a trace
 * begins in the middle, lacks data, or comes from a driver that is wrong; nothing of it makes a
 * decoder throw.
 *
 * <p>For one thread.
 */
public interface Decoder {
    /**
     * Takes the next observation.
     *
     * @return whether it is part of a transaction, given now or later: then nobody need look at it
     *     itself. A setting that a transaction depends on is not part of it
     */
    boolean observe(Observation observation);

    /** The trace is over: gives what is still under way. */
    void end();

    /** What a reader of all transactions should know, a sentence each. */
    List<String> remarks();
}
