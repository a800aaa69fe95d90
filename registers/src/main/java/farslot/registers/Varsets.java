package farslot.registers;

/**
 * Which enumeration variants are of, at a place in a rules-ng-ng map: the one that an element
 * names, else the one of the innermost prefix, else the one that an outer element named (2.3,
 * "varset").
 *
 * @param prefix the enumeration whose names are prefixes there, or null
 * @param varset the one that was named where no prefix stands between, or null
 */
record Varsets(String prefix, String varset) {
    static final Varsets NONE = new Varsets(null, null);

    /** What holds within an element. */
    Varsets within(MapElement element) {
        String ownPrefix = element.attribute("prefix", prefix);
        String inner = "none".equals(ownPrefix) ? null : ownPrefix;
        return new Varsets(inner, element.attribute("varset", inner == null ? varset : null));
    }

    /**
     * What holds within an enumeration or a bitset: its own, or its user's where it says nothing.
     */
    Varsets withinNamed(MapElement element) {
        Varsets own = NONE.within(element);
        return own.active() == null ? this : own;
    }

    /** The enumeration's name, or null. */
    String active() {
        return varset == null ? prefix : varset;
    }
}
