package farslot.registers;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Looks for what a map says against itself: beyond what the loader says, which reads one element
 * after another.
 */
public final class RegisterMapCheck {
    /** How many findings are kept; a map that is worse than that is not read to the end. */
    private static final int MAX_FINDINGS = 10_000;

    /** How many pairs of registers are compared in a domain. */
    private static final int MAX_COMPARED = 5_000_000;

    /**
     * One thing that was found.
     *
     * @param wrong whether it cannot be meant; else it may be: two views of the same bytes
     * @param sentence with the domain and the register
     */
    public record Finding(boolean wrong, String sentence) {}

    private final List<Finding> findings = new ArrayList<>();
    private final Set<Set<Register>> pairs = new HashSet<>();
    private int compared;

    private RegisterMapCheck() {}

    /** All that is found in a map, domain by domain. */
    public static List<Finding> of(RegisterMap map) {
        RegisterMapCheck check = new RegisterMapCheck();
        map.domains().forEach(check::domain);
        return check.findings;
    }

    private void domain(RegisterDomain domain) {
        compared = 0;
        pairs.clear();
        Map<String, List<Register>> byLabel = new HashMap<>();
        for (Register register : domain.registers()) {
            if (findings.size() >= MAX_FINDINGS) {
                return;
            }
            String name = domain.name() + ", " + register.nameAt(register.offset());
            if (domain.sizeBytes() > 0 && register.endOffset() > domain.sizeBytes()) {
                add(
                        true,
                        name,
                        "ends at 0x"
                                + Long.toHexString(register.endOffset())
                                + ", and the domain at 0x"
                                + Long.toHexString(domain.sizeBytes()));
            }
            List<Register> same =
                    byLabel.computeIfAbsent(register.label(), label -> new ArrayList<>());
            for (Register other : same) {
                if (compared++ < MAX_COMPARED && register.variants().meets(other.variants())) {
                    add(
                            true,
                            name,
                            "is also the name of what is at 0x" + Long.toHexString(other.offset()));
                    break;
                }
            }
            same.add(register);
            overlaps(domain, register, name);
            fields(register.whole(), name);
        }
    }

    /** Whether the first or the last element lies over another register that comes before it. */
    private void overlaps(RegisterDomain domain, Register register, String name) {
        long last = register.endOffset() - register.widthBytes();
        for (long at : new long[] {register.offset(), last}) {
            if (compared > MAX_COMPARED) {
                return;
            }
            List<Register> there = domain.findAll(at);
            compared += there.size();
            for (Register other : there) {
                if (!other.equals(register)
                        && register.variants().meets(other.variants())
                        && pairs.add(Set.of(register, other))) {
                    add(
                            false,
                            name,
                            "and "
                                    + other.nameAt(at)
                                    + " share the byte at 0x"
                                    + Long.toHexString(at));
                    return;
                }
            }
        }
    }

    private void fields(RegisterField outer, String name) {
        List<RegisterField> fields = outer.fields();
        for (int i = 0; i < fields.size(); i++) {
            RegisterField field = fields.get(i);
            for (RegisterField other : fields.subList(0, i)) {
                if ((field.mask() & other.mask()) != 0
                        && compared++ < MAX_COMPARED
                        && field.variants().meets(other.variants())) {
                    add(
                            false,
                            name,
                            "has " + other.name() + " and " + field.name() + " share bits");
                    break;
                }
            }
            fields(field, name + "." + field.name());
        }
        for (NamedValue value : outer.values()) {
            if ((value.value() & ~RegisterField.lowBits(outer.widthBits())) != 0) {
                add(
                        true,
                        name,
                        "has the value "
                                + value.name()
                                + ", 0x"
                                + Long.toHexString(value.value())
                                + ", which "
                                + outer.widthBits()
                                + " bits cannot hold");
            }
        }
    }

    private void add(boolean wrong, String name, String what) {
        if (findings.size() < MAX_FINDINGS) {
            findings.add(new Finding(wrong, name + " " + what + "."));
        }
    }
}
