package farslot.registers;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The registers of one function's configuration space: the type 0 header, and each capability where
 * that function has it, its registers named "PCIE.DEVCTL".
 */
public final class ConfigurationMap {
    /**
     * Where a capability stands.
     *
     * @param id its capability id
     * @param extended whether it is in the list that begins at 0x100
     * @param offset of its header
     * @param lengthBytes header included; 0 where unknown
     */
    public record Capability(int id, boolean extended, int offset, int lengthBytes) {}

    /** What {@link #pci} is called. */
    public static final String NAME = "pci";

    private static final int SPACE_BYTES = 0x1000;

    private ConfigurationMap() {}

    /** Loaded once, when first needed. */
    private static final class Holder {
        static final RegisterMap PCI =
                RegisterMap.ofResource(
                        NAME + ".xml", ConfigurationMap.class.getResourceAsStream("pci.xml"));
    }

    /** The map of all that configuration spaces share: HEADER, and a domain a capability. */
    public static RegisterMap pci() {
        return Holder.PCI;
    }

    /**
     * Joins a function's configuration space.
     *
     * @param capabilities what the function has
     * @param own what the device's own map says of its configuration space, preferred; or null
     */
    public static RegisterDomain of(List<Capability> capabilities, RegisterDomain own) {
        List<Register> registers = new ArrayList<>();
        if (own != null) {
            registers.addAll(own.registers());
        }
        registers.addAll(pci().domain("HEADER").registers());
        Map<String, Integer> seen = new HashMap<>();
        for (Capability capability : capabilities) {
            RegisterDomain domain = pci().domain(domainOf(capability));
            String name = nameOf(capability);
            int count = seen.merge(name, 1, Integer::sum);
            String prefix = count == 1 ? name + "." : name + "_" + count + ".";
            for (Register register : domain.registers()) {
                boolean within =
                        capability.lengthBytes == 0 || register.offset() < capability.lengthBytes;
                boolean inSpace =
                        capability.offset >= 0
                                && capability.offset + register.endOffset() <= SPACE_BYTES;
                if (within && inSpace) {
                    registers.add(register.moved(prefix, capability.offset));
                }
            }
        }
        return new RegisterDomain(
                "CFG", SPACE_BYTES, Doc.brief("PCI configuration space"), registers);
    }

    /** A capability's short name: "PCIE"; "CAP_5" where it is not known. */
    public static String nameOf(Capability capability) {
        String domain = domainOf(capability);
        return switch (domain) {
            case "CAP", "ECAP" -> domain + "_" + Integer.toHexString(capability.id);
            case "MSI32", "MSI64", "MSI32M", "MSI64M" -> "MSI";
            default -> domain;
        };
    }

    /** PCI Code and ID Assignment 1.11, chapters 2 and 3. */
    private static String domainOf(Capability capability) {
        if (capability.extended) {
            return switch (capability.id) {
                case 0x01 -> "AER";
                case 0x02, 0x09 -> "VC";
                case 0x03 -> "SN";
                case 0x0B -> "VSEC";
                case 0x0D -> "ACS";
                case 0x0E -> "ARI";
                case 0x0F -> "ATS";
                case 0x10 -> "SRIOV";
                case 0x15 -> "REBAR";
                case 0x18 -> "LTR";
                case 0x1B -> "PASID";
                case 0x1E -> "L1SS";
                default -> "ECAP";
            };
        }
        return switch (capability.id) {
            case 0x01 -> "PM";
            case 0x05 -> messageSignalled(capability.lengthBytes);
            case 0x09 -> "VNDR";
            case 0x10 -> "PCIE";
            case 0x11 -> "MSIX";
            default -> "CAP";
        };
    }

    /** The layout shows in the length: 10, 14, 20 or 24 bytes, or what alignment makes of them. */
    private static String messageSignalled(int lengthBytes) {
        if (lengthBytes > 0 && lengthBytes <= 12) {
            return "MSI32";
        }
        if (lengthBytes == 0 || lengthBytes <= 16) {
            return "MSI64";
        }
        return lengthBytes <= 20 ? "MSI32M" : "MSI64M";
    }
}
