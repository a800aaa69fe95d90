package farslot.registers;

import java.util.ArrayList;
import java.util.List;

/** The registers of a domain while it is built, within what a lookup among them may cost. */
final class FoundRegisters {
    /** Arrays in arrays: what is deeper describes no hardware. */
    static final int MAX_DIMENSIONS = 8;

    private final MapRemarks remarks;
    private final MapLimits limits;
    private final List<Register> registers = new ArrayList<>();
    private double lookupCost;

    FoundRegisters(MapRemarks remarks, MapLimits limits) {
        this.remarks = remarks;
        this.limits = limits;
    }

    List<Register> registers() {
        return registers;
    }

    /** What surrounds a register has been added up to this. */
    record Place(long offset, List<Register.Dimension> dimensions, String name, String label) {}

    /**
     * Adds a register, or says why not.
     *
     * @param element that it comes from
     * @param place its own offset and name included
     */
    void add(
            MapElement element,
            Place place,
            RegisterField whole,
            ReadEffect readEffect,
            Variants variants) {
        limits.checkName(element, place.label);
        try {
            Register register =
                    new Register(
                            place.name,
                            place.label,
                            place.offset,
                            whole.widthBits(),
                            place.dimensions,
                            whole,
                            readEffect,
                            variants);
            double cost = register.lookupCost();
            if (cost > MapLimits.MAX_LOOKUP_COST
                    || lookupCost + cost > MapLimits.MAX_DOMAIN_LOOKUP_COST) {
                remarks.complain(
                        element, "arrays lie over each other so that a lookup takes too long");
                return;
            }
            lookupCost += cost;
            registers.add(register);
        } catch (ArithmeticException e) {
            remarks.complain(element, "its last element lies beyond 2^63");
        }
    }

    /** One array more around what is within {@code outer}. */
    static List<Register.Dimension> within(
            MapElement element, List<Register.Dimension> outer, Register.Dimension inner) {
        if (outer.size() == MAX_DIMENSIONS) {
            throw new RegisterMapException(
                    element.place()
                            + ": more than "
                            + MAX_DIMENSIONS
                            + " arrays stand within each other.");
        }
        List<Register.Dimension> all = new ArrayList<>(outer);
        all.add(inner);
        return all;
    }
}
