package farslot.lender;

import farslot.core.PciFunction;
import farslot.sdk.BadOptionException;
import farslot.sdk.Device;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.DeviceKinds;
import farslot.sdk.Options;

/**
 * A device that this process has, made from a {@link Specification}. Close it after the {@link
 * Lender} that lends it: it gives back what it took (its image is flushed and unlocked).
 */
public final class HostedDevice implements AutoCloseable {
    private final String name;
    private final DeviceFunction function;

    private HostedDevice(String name, DeviceFunction function) {
        this.name = name;
        this.function = function;
    }

    /**
     * Makes a device.
     *
     * @param specification with a name
     * @throws LendingException where there is no such kind or option (with the nearest), or the
     *     device cannot be made; nothing is left behind
     */
    public static HostedDevice make(Specification specification) throws LendingException {
        try {
            DeviceKind kind = DeviceKinds.named(specification.kind());
            Options options = Options.check(kind, specification.options());
            Device device = kind.create(options);
            try {
                return new HostedDevice(
                        specification.name(), DeviceFunction.of(kind.kind(), device, options));
            } catch (RuntimeException e) {
                device.close();
                throw e;
            }
        } catch (BadOptionException e) {
            throw LendingException.badInput(e.getMessage());
        } catch (DeviceCreationException e) {
            throw LendingException.failed(e.getMessage(), e);
        }
    }

    public String name() {
        return name;
    }

    /** The device's function, with no taps yet. */
    public PciFunction function() {
        return function;
    }

    @Override
    public void close() {
        function.close();
    }
}
