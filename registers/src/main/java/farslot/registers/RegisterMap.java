package farslot.registers;

import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
