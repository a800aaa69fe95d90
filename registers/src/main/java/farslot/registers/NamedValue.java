package farslot.registers;

/** A value of a field that has a name ({@code <value>} in rules-ng-ng). */
public record NamedValue(long value, String name, String brief) {}
