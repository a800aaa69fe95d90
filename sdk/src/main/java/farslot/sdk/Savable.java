package farslot.sdk;

import farslot.core.StateException;

/**
 * What a {@link Device} also is whose state can be saved, and loaded into a new one with the same
 * options: so that a borrowed function goes on in another process.
 *
 * <p>The SDK saves what it knows itself: configuration space, the registers' values, memory of
 * BARs, interrupts, the generation. The device saves what else it has. Both methods run in the
 * function's order, while the device is quiesced: no task runs, and no timer.
 */
public interface Savable {
    /** The version of what {@link #save} writes, from 1; another one is not loaded. */
    int stateVersion();

    /**
     * Writes the device's own state.
     *
     * @throws StateException where that cannot be done now, with the sentence
     */
    void save(StateWriter state) throws StateException;

    /**
     * Takes over what {@link #save} wrote: into a device as after power came on, whose registers
     * have the saved values already. Begins no work: {@link Device#resume} follows.
     *
     * @throws StateException with the sentence, where it does not fit. The device is reset then
     */
    void load(StateReader state) throws StateException;
}
