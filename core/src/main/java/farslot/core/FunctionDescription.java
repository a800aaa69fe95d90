package farslot.core;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All that a slot or a trace needs to know of a function before its first access. A function
 * describes itself in full when it is borrowed.
 *
 * @param kind what it is, as {@code farslot lend} names it ("nvme", "edu"); also the name of its
 *     register map. At most 64 bytes of UTF-8
 * @param identity the read-only identity registers of its configuration header
 * @param regions in ascending index; configuration space is always there
 * @param capabilities where each capability stands in configuration space, so that offsets can be
 *     named
 * @param intxPin 0 for none, 1 to 4 for INTA to INTD
 * @param msiVectors 0 for none, else a power of two up to 32
 * @param msixVectors 0 for none, else 1 to 2048
 * @param resetKinds what {@link PciFunction#reset} takes
 * @param abilities what else it can do
 */
public record FunctionDescription(
        String kind,
        Identity identity,
        List<Region> regions,
        List<CapabilityPlace> capabilities,
        int intxPin,
        int msiVectors,
        int msixVectors,
        Set<ResetKind> resetKinds,
        Set<Ability> abilities) {

    /**
     * PCI 3.0, 6.2.1 and 6.2.4.
     *
     * @param classCode 24 bits: base class, sub-class, programming interface
     */
    public record Identity(
            int vendor,
            int device,
            int subsystemVendor,
            int subsystem,
            int classCode,
            int revision) {}

    /**
     * Where a capability stands.
     *
     * @param id its capability id; an extended one's has 16 bits
     * @param extended whether it is in the list that begins at 0x100
     * @param offset of its header in configuration space
     * @param lengthBytes header included
     */
    public record CapabilityPlace(int id, boolean extended, int offset, int lengthBytes) {}

    public FunctionDescription {
        regions = List.copyOf(regions);
        capabilities = List.copyOf(capabilities);
        resetKinds = Set.copyOf(resetKinds);
        abilities = Set.copyOf(abilities);
    }

    /** The region with this index, if the function has it. */
    public Optional<Region> region(int index) {
        return regions.stream().filter(region -> region.index() == index).findFirst();
    }

    /** How many vectors of this kind the function has; INTx has one or none. */
    public int vectors(InterruptKind kind) {
        return switch (kind) {
            case INTX -> intxPin == 0 ? 0 : 1;
            case MSI -> msiVectors;
            case MSIX -> msixVectors;
        };
    }
}
