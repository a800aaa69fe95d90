package farslot.registers;

import java.util.List;

/**
 * Variants of the hardware that a map tells apart ("varset" of rules-ng-ng, 2.4): the names of an
 * enumeration, in its order, which is what "NV50-" and the like count by.
 *
 * @param name the enumeration's
 * @param names of the variants; none where the map does not list them, as where the file with them
 *     is missing: then whatever depends on it counts as there
 */
public record VariantSet(String name, List<String> names) {
    public VariantSet {
        names = List.copyOf(names);
    }
}
