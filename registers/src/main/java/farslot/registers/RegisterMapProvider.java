package farslot.registers;

import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Gives the register map of a kind of device to whoever reads its traces. A device's module {@code
 * provides} one; it is found by {@link ServiceLoader}.
 */
public interface RegisterMapProvider {
    /** The kind, as in {@code FunctionDescription.kind()}: "nvme". */
    String kind();

    /** The map. Its domains for regions are named by the region's label: "BAR0", "CFG". */
    RegisterMap registerMap();

    /** The kinds that there are maps for, sorted. */
    static List<String> kinds() {
        return ServiceLoader.load(RegisterMapProvider.class).stream()
                .map(provider -> provider.get().kind())
                .sorted()
                .distinct()
                .toList();
    }

    /** The map of a kind, from the first provider that has it. */
    static Optional<RegisterMap> find(String kind) {
        return ServiceLoader.load(RegisterMapProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(provider -> provider.kind().equals(kind))
                .findFirst()
                .map(RegisterMapProvider::registerMap);
    }
}
