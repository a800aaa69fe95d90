package farslot.registers;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * On which variants of the hardware something exists: one condition for each enclosing element that
 * made one, all of which must hold. Immutable, so any thread may use it.
 */
public final class Variants {
    /** Whatever the hardware. */
    public static final Variants ALL = new Variants(List.of());

    /**
     * One condition.
     *
     * @param expression as the map writes it: "NV50- G80:GF100"
     * @param members the indexes in {@code set} that it names
     */
    record Condition(VariantSet set, String expression, BitSet members) {
        boolean has(String variant) {
            int index = set.names().indexOf(variant);
            return set.names().isEmpty() || (index >= 0 && members.get(index));
        }

        /** Of variants that are not listed, those that are written differently are others. */
        boolean meets(Condition other) {
            return set.names().isEmpty()
                    ? expression.equals(other.expression)
                    : members.intersects(other.members);
        }
    }

    private final List<Condition> conditions;

    private Variants(List<Condition> conditions) {
        this.conditions = conditions;
    }

    /** These, where the condition holds, too. */
    Variants and(Condition condition) {
        if (conditions.contains(condition)) {
            return this;
        }
        List<Condition> both = new ArrayList<>(conditions);
        both.add(condition);
        return new Variants(List.copyOf(both));
    }

    /** Whether it exists whatever the hardware. */
    public boolean isAll() {
        return conditions.isEmpty();
    }

    /**
     * Whether it exists on this hardware.
     *
     * @param chosen the name of a variant by the name of its set; a set that is not in it is not
     *     asked for
     */
    public boolean has(Map<String, String> chosen) {
        for (Condition condition : conditions) {
            String variant = chosen.get(condition.set.name());
            if (variant != null && !condition.has(variant)) {
                return false;
            }
        }
        return true;
    }

    /** Whether there is hardware that has both, as far as the sets tell. */
    boolean meets(Variants other) {
        for (Condition mine : conditions) {
            for (Condition theirs : other.conditions) {
                if (mine.set.equals(theirs.set) && !mine.meets(theirs)) {
                    return false;
                }
            }
        }
        return true;
    }

    List<Condition> conditions() {
        return conditions;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Variants that && conditions.equals(that.conditions);
    }

    @Override
    public int hashCode() {
        return conditions.hashCode();
    }

    /** "chipset NV50-, class G80_3D", or "". */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Condition condition : conditions) {
            text.append(text.isEmpty() ? "" : ", ");
            text.append(condition.set.name()).append(' ').append(condition.expression);
        }
        return text.toString();
    }
}
