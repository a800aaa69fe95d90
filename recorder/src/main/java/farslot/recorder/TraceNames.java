package farslot.recorder;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.registers.ConfigurationMap;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapException;
import farslot.registers.RegisterMapLoader;
import farslot.registers.RegisterMapProvider;
import farslot.registers.RegisterText;
import java.io.ByteArrayInputStream;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;

/**
 * Names what a function's regions hold: BARs by its kind's register map, configuration space by the
 * header and the capabilities that it has.
 */
public final class TraceNames {
    private static final System.Logger LOG = System.getLogger("farslot.recorder");

    private final String kind;
    private final String function;
    private final String[] labels = new String[Region.COUNT];
    private final RegisterDomain[] domains;

    private TraceNames(String kind, String function, RegisterDomain[] domains) {
        this.kind = kind;
        this.function = function;
        this.domains = domains;
        for (int index = 0; index < Region.COUNT; index++) {
            labels[index] =
                    switch (index) {
                        case Region.ROM -> "ROM";
                        case Region.CONFIGURATION -> "CFG";
                        default -> "BAR" + index;
                    };
        }
    }

    private TraceNames(FunctionDescription description, RegisterMap map) {
        this(description.kind(), "", new RegisterDomain[Region.COUNT]);
        for (int index = 0; index < Region.COUNT; index++) {
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

    /**
     * Names by the register map that a trace brought along; where it has none that can be used, by
     * that of the function's kind.
     */
    public static TraceNames of(TraceReader trace) {
        return of(trace.description(), mapOf(trace)).named(trace.origin().function());
    }

    /**
     * The register map that {@link #of(TraceReader)} names by; empty where there is none at all.
     */
    public static RegisterMap mapOf(TraceReader trace) {
        try {
            if (trace.registerMap().isPresent()) {
                byte[] text = trace.registerMap().get().getBytes(StandardCharsets.UTF_8);
                return RegisterMapLoader.lenient()
                        .load(trace.file() + "'s register map", new ByteArrayInputStream(text));
            }
        } catch (RegisterMapException e) {
            LOG.log(Level.WARNING, e.getMessage());
        }
        return RegisterMapProvider.find(trace.description().kind()).orElse(RegisterMap.EMPTY);
    }

    /** No names: every register is its offset. */
    public static TraceNames none() {
        return new TraceNames("", "", new RegisterDomain[Region.COUNT]);
    }

    /** Names by a given map, whose domains are called as the regions are ("BAR0"). */
    public static TraceNames of(FunctionDescription description, RegisterMap map) {
        return new TraceNames(description, map);
    }

    /** The function's kind: "nvme". */
    public String kind() {
        return kind;
    }

    /** The same, of a function that is lent by this name ("n0"). */
    public TraceNames named(String lentName) {
        return new TraceNames(kind, lentName, domains);
    }

    /** Whether the function's kind ("nvme") or name ("n0") is this one. */
    boolean isFunction(String kindOrName) {
        return kind.equals(kindOrName) || (!function.isEmpty() && function.equals(kindOrName));
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
        return register(access.region(), access.offset(), access.data().length());
    }

    /** As {@link #register(TraceEvent.Access)}, of {@code length} bytes at {@code offset}. */
    String register(int region, long offset, long length) {
        return RegisterText.name(domain(region), offset, Math.max(1, length));
    }

    /** As {@link #register}, but "0x5c ?" where the region's map has nothing there. */
    public String place(TraceEvent.Access access) {
        String name = register(access);
        boolean unknown = domain(access.region()) != null && name.startsWith("0x");
        return unknown && name.indexOf(',') < 0 ? name + " ?" : name;
    }
}
