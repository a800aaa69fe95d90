package farslot.recorder;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.registers.ConfigurationMap;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapProvider;
import farslot.registers.RegisterText;

/**
 * Names what a function's regions hold: BARs by its kind's register map, configuration space by the
 * header and the capabilities that it has.
 */
public final class TraceNames {
    private final String kind;
    private final String[] labels = new String[Region.COUNT];
    private final RegisterDomain[] domains = new RegisterDomain[Region.COUNT];

    private TraceNames(FunctionDescription description, RegisterMap map) {
        this.kind = description.kind();
        for (int index = 0; index < Region.COUNT; index++) {
            labels[index] =
                    switch (index) {
                        case Region.ROM -> "ROM";
                        case Region.CONFIGURATION -> "CFG";
                        default -> "BAR" + index;
                    };
            domains[index] = map.has(labels[index]) ? map.domain(labels[index]) : null;
        }
        domains[Region.CONFIGURATION] =
                ConfigurationMap.of(
                        description.capabilities().stream()
                                .map(place ->
                                        new ConfigurationMap.Capability(
                                                place.id(),
                                                place.extended(),
                                                place.offset(),
                                                place.lengthBytes()))
                                .toList(),
                        domains[Region.CONFIGURATION]);
    }

    /**
     * Names by the register map of the function's kind, as far as this program has one ({@link
     * RegisterMapProvider}).
     */
    public static TraceNames of(FunctionDescription description) {
        RegisterMap map = RegisterMapProvider.find(description.kind()).orElse(RegisterMap.EMPTY);
        return of(description, map);
    }

    /** Names by a given map, whose domains are called as the regions are ("BAR0"). */
    public static TraceNames of(FunctionDescription description, RegisterMap map) {
        return new TraceNames(description, map);
    }

    /** The function's kind: "nvme". */
    public String kind() {
        return kind;
    }

    /** The region's label: "BAR0". */
    public String label(int region) {
        return region >= 0 && region < labels.length ? labels[region] : "R" + region;
    }

    /** The registers of a region, or null. */
    public RegisterDomain domain(int region) {
        return region >= 0 && region < domains.length ? domains[region] : null;
    }

    /** What an access reached: "CC", "CAP[63:32]", "0x1f0". */
    public String register(TraceEvent.Access access) {
        return RegisterText.name(
                domain(access.region()), access.offset(), Math.max(1, access.data().length()));
    }
}
