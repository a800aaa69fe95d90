package farslot.sdk;

import farslot.registers.RegisterMapProvider;
import java.util.List;

/**
 * A kind of device that can be lent: what {@code farslot lend KIND,...} names. A module {@code
 * provides} its kinds, and the same class as {@link RegisterMapProvider}; {@link DeviceKinds} finds
 * them.
 *
 * <p>{@link #kind} is its name: lower-case letters, digits and '-', as in "nvme".
 */
public interface DeviceKind extends RegisterMapProvider {
    /** One line for lists and help, without a full stop: "NVM Express disk controller". */
    String summary();

    /** The options that {@link #create} understands, in the order in which help shows them. */
    List<Option> options();

    /**
     * Makes a device. What it takes for that (a disk image) it gives back when it is closed.
     *
     * @param options checked against {@link #options}
     * @throws DeviceCreationException with a sentence for the person who lends it: what, where,
     *     why, and what to do; nothing is left behind
     */
    Device create(Options options) throws DeviceCreationException;
}
