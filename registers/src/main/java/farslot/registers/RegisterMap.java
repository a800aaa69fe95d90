package farslot.registers;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The registers of a device: one domain for each of its regions, named by the region's label
 * ("BAR0", "CFG"), and one for each structure in memory.
 *
 * <p>Immutable, so any thread may use it.
 */
public final class RegisterMap {
    /** A map without any domain: every register is unknown. */
    public static final RegisterMap EMPTY = new RegisterMap("", List.of(), List.of());

    private final String name;
    private final Map<String, RegisterDomain> domains = new LinkedHashMap<>();
    private final List<String> remarks;

    RegisterMap(String name, List<RegisterDomain> domains, List<String> remarks) {
        this.name = name;
        for (RegisterDomain domain : domains) {
            this.domains.put(domain.name(), domain);
        }
        this.remarks = List.copyOf(remarks);
    }

    /** A map of these domains, whose names differ. */
    public RegisterMap(String name, List<RegisterDomain> domains) {
        this(name, domains, List.of());
    }

    /**
     * Loads one of our own maps from a device's module, strictly. The module opens the stream
     * itself, so nothing of it need be opened to others:
     *
     * <pre>{@code
     * RegisterMap.ofResource("nvme.xml", NvmeRegisters.class.getResourceAsStream("nvme.xml"))
     * }</pre>
     *
     * @param name the resource's name, for messages
     * @param stream its bytes, closed here; null where it is missing
     * @throws RegisterMapException where it is missing or wrong
     */
    public static RegisterMap ofResource(String name, InputStream stream) {
        if (stream == null) {
            throw new RegisterMapException(
                    "The register map " + name + " is missing: this build is not complete.");
        }
        return RegisterMapLoader.strict().load(name, stream);
    }

    /** The file's name without its ending. */
    public String name() {
        return name;
    }

    public List<RegisterDomain> domains() {
        return List.copyOf(domains.values());
    }

    /**
     * The domain with this name.
     *
     * @throws IllegalArgumentException where there is none: a device's own map is at fault
     */
    public RegisterDomain domain(String domainName) {
        RegisterDomain domain = domains.get(domainName);
        if (domain == null) {
            throw new IllegalArgumentException(
                    "Register map " + name + " has no domain named " + domainName + ".");
        }
        return domain;
    }

    public boolean has(String domainName) {
        return domains.containsKey(domainName);
    }

    /** The sets of variants that anything in it depends on. */
    public List<VariantSet> variantSets() {
        Map<String, VariantSet> sets = new TreeMap<>();
        for (RegisterDomain domain : domains.values()) {
            for (Register register : domain.registers()) {
                collect(register.variants(), sets);
                collect(register.whole(), sets);
            }
        }
        return List.copyOf(sets.values());
    }

    private static void collect(RegisterField field, Map<String, VariantSet> into) {
        collect(field.variants(), into);
        field.values().forEach(value -> collect(value.variants(), into));
        field.fields().forEach(inner -> collect(inner, into));
    }

    private static void collect(Variants variants, Map<String, VariantSet> into) {
        for (Variants.Condition condition : variants.conditions()) {
            into.putIfAbsent(condition.set().name(), condition.set());
        }
    }

    /**
     * As it is on the hardware that is chosen: without what that does not have.
     *
     * @param chosen the name of a variant by the name of its set; of other sets all stays
     */
    public RegisterMap on(Map<String, String> chosen) {
        return new RegisterMap(
                name, domains.values().stream().map(d -> d.on(chosen)).toList(), remarks);
    }

    /**
     * One domain of all, each register at its domain's {@link RegisterDomain#baseAddress} and
     * called "DOMAIN.REGISTER", for a region that shows a chip's addresses from {@code from} on.
     * What lies below is left out.
     */
    public RegisterDomain addressSpace(String spaceName, long from) {
        List<Register> all = new ArrayList<>();
        for (RegisterDomain domain : domains.values()) {
            for (Register register : domain.registers()) {
                long by = domain.baseAddress() - from;
                if (Long.compareUnsigned(domain.baseAddress(), from) >= 0
                        && by >= 0
                        && by <= Long.MAX_VALUE - register.endOffset()) {
                    all.add(register.moved(domain.name() + ".", by));
                }
            }
        }
        return new RegisterDomain(spaceName, 0, from, Doc.NONE, all);
    }

    /** Maps are equal where their domains are, in any order; names of files do not count. */
    @Override
    public boolean equals(Object other) {
        return other instanceof RegisterMap that && domains.equals(that.domains);
    }

    @Override
    public int hashCode() {
        return domains.keySet().hashCode();
    }

    /** What the loader passed over in a map from elsewhere, a sentence with file and line each. */
    public List<String> remarks() {
        return remarks;
    }
}
