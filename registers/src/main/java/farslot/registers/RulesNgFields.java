package farslot.registers;

import farslot.registers.FieldFormat.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Builds the fields and values of registers from their elements (rules-ng-ng, 2.3 to 2.5). */
final class RulesNgFields {
    /** Deepest chain of fields in fields: what is deeper goes round in circles. */
    private static final int MAX_NESTING = 16;

    private static final Pattern SPACE = Pattern.compile("\\s+");

    /** What documents or defines, wherever it stands. */
    static final Set<String> ASIDE =
            Set.of("brief", "doc", "domain", "group", "enum", "bitset", "import", "f:variants");

    private final RulesNgDefinitions definitions;
    private final MapRemarks remarks;
    private final MapLimits limits;
    private final RulesNgNumbers numbers;

    RulesNgFields(RulesNgDefinitions definitions, MapRemarks remarks, MapLimits limits) {
        this.definitions = definitions;
        this.remarks = remarks;
        this.limits = limits;
        this.numbers = new RulesNgNumbers(remarks);
    }

    /** What holds for a field unless it says otherwise. */
    private record Scope(int widthBits, FieldRules rules, Varsets varsets, int depth) {}

    /**
     * All of a register as one field.
     *
     * @param varsets within the register
     */
    RegisterField whole(MapElement register, String name, int widthBits, Varsets varsets) {
        Scope scope = new Scope(widthBits, FieldRules.UNKNOWN, varsets, 0);
        return field(register, name, 0, widthBits - 1, scope, Variants.ALL);
    }

    private RegisterField field(
            MapElement element, String name, int low, int high, Scope outer, Variants variants) {
        int widthBits = high - low + 1;
        FieldRules rules = rules(element, outer.rules, widthBits);
        Scope scope = new Scope(widthBits, rules, outer.varsets, outer.depth + 1);
        Contents contents = contents(element, scope);
        return new RegisterField(
                name,
                low,
                high,
                format(element, contents.type),
                rules,
                contents.values,
                contents.fields,
                variants,
                element.doc());
    }

    private FieldRules rules(MapElement element, FieldRules outer, int widthBits) {
        long bits = RegisterField.lowBits(widthBits);
        long reset = numbers.number(element, "f:reset", 0);
        long mask = element.has("f:reset") ? numbers.number(element, "f:reset-mask", bits) : 0;
        if ((reset & ~(mask & bits)) != 0 || (mask & ~bits) != 0) {
            remarks.complain(element, "its reset value does not fit its bits");
            mask &= bits;
            reset &= mask;
        }
        return new FieldRules(
                access(element, outer.access()),
                yes(element, "f:write-once", outer.writeOnce()),
                yes(element, "f:volatile", outer.changesByItself()),
                mask,
                reset);
    }

    private FieldFormat format(MapElement element, FieldType type) {
        Limits limitsOfValue =
                new Limits(
                        optional(element, "min"),
                        optional(element, "max"),
                        Math.max(1, numbers.number(element, "align", 1)));
        return new FieldFormat(
                type,
                shift(element, "shr"),
                numbers.number(element, "add", 0),
                shift(element, "radix"),
                limitsOfValue.equals(Limits.NONE) ? Limits.NONE : limitsOfValue);
    }

    private int shift(MapElement element, String attribute) {
        long shift = numbers.number(element, attribute, 0);
        if (shift < 0 || shift > 63) {
            remarks.complain(element, attribute + " is 0 to 63, not " + shift);
            return 0;
        }
        return (int) shift;
    }

    private Long optional(MapElement element, String attribute) {
        long value = numbers.number(element, attribute, 0);
        return element.has(attribute) ? value : null;
    }

    private record Contents(FieldType type, List<NamedValue> values, List<RegisterField> fields) {}

    /** What the type says, and what stands inline; the default type is rules-ng-ng's (2.3). */
    private Contents contents(MapElement element, Scope scope) {
        List<NamedValue> values = new ArrayList<>();
        List<RegisterField> fields = new ArrayList<>();
        inline(element, scope, Variants.ALL, values, fields);
        FieldType type =
                !fields.isEmpty()
                        ? FieldType.BITSET
                        : !values.isEmpty()
                                ? FieldType.ENUM
                                : scope.widthBits == 1 ? FieldType.BOOLEAN : FieldType.HEX;
        for (String name : SPACE.split(element.attribute("type", ""), -1)) {
            FieldType simple = simpleType(name);
            if (name.isEmpty()) {
                continue;
            }
            if (simple != null) {
                type = simple;
            } else if (definitions.enums.containsKey(name)) {
                definitions.enums.get(name).forEach(e -> values(e, scope, values));
                type = fields.isEmpty() ? FieldType.ENUM : FieldType.BITSET;
            } else if (definitions.bitsets.containsKey(name)) {
                if (scope.depth > MAX_NESTING) {
                    throw new RegisterMapException(
                            element.place() + ": the bitset \"" + name + "\" contains itself.");
                }
                definitions.bitsets.get(name).forEach(b -> bitset(b, scope, values, fields));
                type = FieldType.BITSET;
            } else if (!definitions.domains.containsKey(name)) {
                remarks.complain(element, "there is no type named \"" + name + "\"");
            }
        }
        return new Contents(type, values, fields);
    }

    /** The last line's are of nouveau's and Linux msm's maps: handles, and addresses. */
    private static FieldType simpleType(String name) {
        return switch (name) {
            case "uint" -> FieldType.UINT;
            case "int" -> FieldType.INT;
            case "hex" -> FieldType.HEX;
            case "float" -> FieldType.FLOAT;
            case "fixed" -> FieldType.FIXED;
            case "ufixed" -> FieldType.UFIXED;
            case "boolean" -> FieldType.BOOLEAN;
            case "enum" -> FieldType.ENUM;
            case "bitset" -> FieldType.BITSET;
            case "object", "address", "waddress" -> FieldType.HEX;
            default -> null;
        };
    }

    private void bitset(
            MapElement bitset, Scope user, List<NamedValue> values, List<RegisterField> fields) {
        Varsets varsets = user.varsets.withinNamed(bitset);
        Scope scope = new Scope(user.widthBits, user.rules, varsets, user.depth);
        Variants variants = definitions.variants(bitset, varsets.active(), Variants.ALL);
        inline(bitset, scope, variants, values, fields);
    }

    private void inline(
            MapElement element,
            Scope scope,
            Variants variants,
            List<NamedValue> values,
            List<RegisterField> fields) {
        for (MapElement child : element.children) {
            limits.countBuilt(child);
            if (child.tag.equals("value")) {
                value(child, scope, variants, values);
            } else if (child.tag.equals("bitfield")) {
                bitfield(child, scope, variants, fields);
            } else if (!ASIDE.contains(child.tag)) {
                remarks.complain(child, "<" + child.tag + "> means nothing among fields");
            }
        }
    }

    private void values(MapElement parent, Scope user, List<NamedValue> into) {
        Varsets varsets = user.varsets.withinNamed(parent);
        Scope scope = new Scope(user.widthBits, user.rules, varsets, user.depth);
        Variants variants = definitions.variants(parent, varsets.active(), Variants.ALL);
        for (MapElement child : parent.children) {
            limits.countBuilt(child);
            if (child.tag.equals("value")) {
                value(child, scope, variants, into);
            }
        }
    }

    private void value(MapElement element, Scope scope, Variants variants, List<NamedValue> into) {
        RulesNgBuilder.checkAttributes(element, VALUE_ATTRIBUTES, remarks);
        String name = element.attribute("name");
        if (name == null) {
            remarks.complain(element, "a <value> needs a name");
            return;
        }
        if (!element.has("value")) {
            return; // it stands for a variant
        }
        long value = numbers.number(element, "value", 0);
        long mask = numbers.number(element, "f:mask", -1);
        if (value < 0 && element.attribute("value").strip().startsWith("-")) {
            value &= RegisterField.lowBits(scope.widthBits);
        }
        if ((value & ~mask) != 0) {
            remarks.complain(element, "its value has bits that its mask has not");
            value &= mask;
        }
        Varsets varsets = scope.varsets.within(element);
        Variants all = definitions.variants(element, varsets.active(), variants);
        into.add(new NamedValue(value, mask, name, all, element.doc()));
    }

    private void bitfield(
            MapElement element, Scope scope, Variants variants, List<RegisterField> into) {
        String name = element.attribute("name");
        long pos = numbers.number(element, "pos", -1);
        long low = numbers.number(element, "low", pos);
        long high = numbers.number(element, "high", pos);
        if (name == null || low < 0 || high < low || high >= scope.widthBits) {
            remarks.complain(
                    element,
                    "the field "
                            + (name == null ? "without a name" : name)
                            + " has the bits "
                            + high
                            + " to "
                            + low
                            + ", and "
                            + (scope.widthBits - 1)
                            + " to 0 are there");
            return;
        }
        if (scope.depth > MAX_NESTING) {
            throw new RegisterMapException(
                    element.place() + ": fields stand deeper in fields than " + MAX_NESTING + ".");
        }
        RulesNgBuilder.checkAttributes(element, FIELD_ATTRIBUTES, remarks);
        Varsets varsets = scope.varsets.within(element);
        Scope inner = new Scope(scope.widthBits, scope.rules, varsets, scope.depth);
        Variants all = definitions.variants(element, varsets.active(), variants);
        into.add(field(element, name, (int) low, (int) high, inner, all));
    }

    private static final Set<String> VALUE_ATTRIBUTES =
            Set.of("name", "value", "varset", "variants", "f:mask");

    private static final Set<String> FIELD_ATTRIBUTES =
            Set.of(
                    "name",
                    "low",
                    "high",
                    "pos",
                    "access",
                    "type",
                    "shr",
                    "add",
                    "radix",
                    "min",
                    "max",
                    "align",
                    "varset",
                    "variants",
                    "f:access",
                    "f:reset",
                    "f:reset-mask",
                    "f:write-once",
                    "f:volatile");

    private RegisterAccess access(MapElement element, RegisterAccess inherited) {
        String ours = element.attribute("f:access");
        if (ours != null) {
            for (RegisterAccess access : RegisterAccess.values()) {
                if (access.name().toLowerCase(Locale.ROOT).equals(ours)) {
                    return access;
                }
            }
            remarks.complain(
                    element,
                    "access is ro, rw, wo, w1c, w1s, w1t, w0c, w0s, w0t, wc, ws or rsvd, not \""
                            + ours
                            + "\"");
        }
        return switch (element.attribute("access")) {
            case null -> inherited;
            case "r" -> RegisterAccess.RO;
            case "w" -> RegisterAccess.WO;
            case "rw" -> RegisterAccess.RW;
            default -> {
                remarks.complain(element, "access is r, w or rw");
                yield RegisterAccess.UNKNOWN;
            }
        };
    }

    private boolean yes(MapElement element, String attribute, boolean inherited) {
        return switch (element.attribute(attribute)) {
            case null -> inherited;
            case "yes" -> true;
            case "no" -> false;
            default -> {
                remarks.complain(element, attribute.substring(2) + " is \"yes\" or \"no\"");
                yield inherited;
            }
        };
    }
}
