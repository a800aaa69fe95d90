package farslot.sdk;

import farslot.registers.Nearest;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** The kinds of devices that this program has. */
public final class DeviceKinds {
    private DeviceKinds() {}

    /** All kinds, by name. */
    public static List<DeviceKind> all() {
        return ServiceLoader.load(DeviceKind.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparing(DeviceKind::kind))
                .toList();
    }

    /**
     * The kind with this name.
     *
     * @throws BadOptionException where there is none; its sentence names the nearest
     */
    public static DeviceKind named(String name) throws BadOptionException {
        List<DeviceKind> kinds = all();
        for (DeviceKind kind : kinds) {
            if (kind.kind().equals(name)) {
                return kind;
            }
        }
        List<String> names = kinds.stream().map(DeviceKind::kind).toList();
        throw new BadOptionException(
                "There is no device kind named \"" + name + "\"; " + Nearest.hint(name, names));
    }
}
