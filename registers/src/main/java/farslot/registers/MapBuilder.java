package farslot.registers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Builds the domains, registers and fields of a map from its elements. */
final class MapBuilder {
    /** Deepest chain of groups, and of bitsets in bitsets: what is deeper goes round in circles. */
    private static final int MAX_NESTING = 16;

    private static final int MAX_DIMENSIONS = 8;

    /** Each register has its own copy of the names of what it is in. */
    private static final int MAX_NAME = 1024;

    /** Elements of a stripe whose length the map does not know (rules-ng-ng: length 0). */
    private static final long UNKNOWN_LENGTH = 1 << 16;

    /** The most indexes that one lookup may have to try. */
    private static final double MAX_LOOKUP_COST = 1 << 16;

    private static final Pattern TYPE_SEPARATOR = Pattern.compile("\\s+");

    private final RegisterMapLoader.MapDefinitions definitions;
    private int registers;
    private int built;

    MapBuilder(RegisterMapLoader.MapDefinitions definitions) {
        this.definitions = definitions;
    }

    List<RegisterDomain> domains() {
        List<RegisterDomain> result = new ArrayList<>();
        definitions.domains.forEach((name, parts) -> result.add(domain(name, parts)));
        return result;
    }

    private RegisterDomain domain(String name, List<MapElement> parts) {
        long size = 0;
        String brief = "";
        List<Register> found = new ArrayList<>();
        for (MapElement part : parts) {
            long width = number(part, "width", 8);
            if (width != 8 && width != 16 && width != 32 && width != 64) {
                definitions.complain(
                        part, "a domain's unit has 8, 16, 32 or 64 bits, not " + width);
                continue;
            }
            int cellBytes = (int) width / 8;
            if (part.has("size")) {
                size = Math.max(size, scaled(part, number(part, "size", 0), cellBytes));
            }
            brief = brief.isEmpty() ? part.brief() : brief;
            Place place =
                    new Place(
                            cellBytes,
                            0,
                            List.of(),
                            "",
                            "",
                            part.attribute("f:read-effects"),
                            part.attribute("variants", ""));
            collect(part, place, 0, found);
        }
        return new RegisterDomain(name, size, brief, found);
    }

    /** Where a piece of the map stands: what surrounds it has added this up. */
    private record Place(
            int cellBytes,
            long offset,
            List<Register.Dimension> dimensions,
            String name,
            String label,
            String readEffects,
            String variants) {}

    /** What a few lines name again and again is built each time: that is bounded, too. */
    private void countBuilt(MapElement element) {
        if (++built > RegisterMapLoader.MAX_BUILT) {
            throw new RegisterMapException(
                    element.place()
                            + ": the register map has more than "
                            + RegisterMapLoader.MAX_BUILT
                            + " registers, fields and values once what they name is copied.");
        }
    }

    private void collect(MapElement parent, Place place, int depth, List<Register> into) {
        for (MapElement child : parent.children) {
            countBuilt(child);
            switch (child.tag) {
                case "reg8" -> register(child, 8, place, into);
                case "reg16" -> register(child, 16, place, into);
                case "reg32" -> register(child, 32, place, into);
                case "reg64" -> register(child, 64, place, into);
                case "array" -> within(child, true, place, depth, into);
                case "stripe" -> within(child, false, place, depth, into);
                case "use-group" -> group(child, place, depth, into);
                case "brief", "doc", "domain", "group", "enum", "bitset", "import" -> {}
                default ->
                        definitions.complain(
                                child, "<" + child.tag + "> means nothing among registers");
            }
        }
    }

    private void group(MapElement use, Place place, int depth, List<Register> into) {
        String name = use.attribute("name", use.attribute("ref", ""));
        List<MapElement> parts = definitions.groups.get(name);
        if (parts == null) {
            definitions.complain(use, "there is no group named \"" + name + "\"");
            return;
        }
        if (depth >= MAX_NESTING) {
            throw new RegisterMapException(
                    use.place() + ": the group \"" + name + "\" contains itself.");
        }
        for (MapElement part : parts) {
            collect(part, place, depth + 1, into);
        }
    }

    private void within(
            MapElement element, boolean array, Place place, int depth, List<Register> into) {
        if (array && !(element.has("offset") && element.has("stride") && element.has("length"))) {
            definitions.complain(element, "an <array> needs offset, stride and length");
        }
        Place inner = repeated(element, place, number(element, "stride", 0), array);
        if (inner != null) {
            collect(element, inner, depth, into);
        }
    }

    /** The place within an array, a stripe, or a register that has a length. */
    private Place repeated(MapElement element, Place outer, long strideCells, boolean array) {
        long offset = scaled(element, number(element, "offset", 0), outer.cellBytes);
        long length = number(element, "length", 1);
        long stride = scaled(element, strideCells, outer.cellBytes);
        if (length < 0 || stride < 0 || offset < 0) {
            definitions.complain(element, "offset, stride and length cannot be negative");
            return null;
        }
        if (length == 0) {
            length = UNKNOWN_LENGTH;
        }
        String name = element.attribute("name", "");
        if (array && name.isEmpty()) {
            definitions.complain(element, "an <array> needs a name; a <stripe> need not");
        }
        List<Register.Dimension> dimensions = outer.dimensions;
        String index = "";
        if (length != 1) {
            if (stride == 0) {
                definitions.complain(
                        element, "several elements with the stride 0 lie over each other");
                return null;
            }
            if (dimensions.size() == MAX_DIMENSIONS) {
                throw new RegisterMapException(
                        element.place() + ": more than 8 arrays stand within each other.");
            }
            index = "[{" + dimensions.size() + "}]";
            dimensions = new ArrayList<>(dimensions);
            dimensions.add(new Register.Dimension(stride, length));
        }
        boolean register = element.tag.startsWith("reg");
        String dot = register ? "" : ".";
        String innerName = name.isEmpty() ? outer.name : outer.name + name + dot;
        String innerLabel =
                name.isEmpty() && index.isEmpty() ? outer.label : outer.label + name + index + dot;
        if (innerName.length() > MAX_NAME || innerLabel.length() > MAX_NAME) {
            throw new RegisterMapException(
                    element.place()
                            + ": a register's name is longer than "
                            + MAX_NAME
                            + " characters, with the names of the arrays that it is in.");
        }
        return new Place(
                outer.cellBytes,
                added(element, outer.offset, offset),
                dimensions,
                innerName,
                innerLabel,
                element.attribute("f:read-effects", outer.readEffects),
                element.attribute("variants", outer.variants));
    }

    private void register(MapElement element, int widthBits, Place outer, List<Register> into) {
        if (++registers > RegisterMapLoader.MAX_REGISTERS) {
            throw new RegisterMapException(
                    element.place()
                            + ": the register map has more than "
                            + RegisterMapLoader.MAX_REGISTERS
                            + " registers once its groups are copied.");
        }
        if (!element.has("name") || !element.has("offset")) {
            definitions.complain(element, "a register needs a name and an offset");
            return;
        }
        checkAttributes(element);
        long ownStride = Math.max(1, widthBits / 8 / outer.cellBytes);
        Place place = repeated(element, outer, number(element, "stride", ownStride), false);
        if (place == null) {
            return;
        }
        Scope scope = Scope.ofRegister(widthBits);
        RegisterField whole = field(element, place.name, 0, widthBits - 1, scope);
        try {
            Register register =
                    new Register(
                            place.name,
                            element.attribute("f:label", place.label),
                            place.offset,
                            widthBits,
                            place.dimensions,
                            whole,
                            readEffect(element, place.readEffects),
                            place.variants);
            if (register.lookupCost() > MAX_LOOKUP_COST) {
                definitions.complain(
                        element, "its arrays lie over each other so that a lookup takes too long");
                return;
            }
            into.add(register);
        } catch (ArithmeticException e) {
            definitions.complain(element, "its last element lies beyond 2^63");
        }
    }

    private void checkAttributes(MapElement element) {
        for (String attribute : element.attributes.keySet()) {
            switch (attribute) {
                case "name", "offset", "low", "high", "pos", "access", "type", "shr" -> {}
                case "varset", "variants", "stride", "length" -> {}
                // What other databases add for display and for writing values.
                case "align", "radix", "min", "max", "add" -> {}
                case "f:access", "f:reset", "f:write-once", "f:volatile" -> {}
                case "f:read-effects", "f:label" -> {}
                default ->
                        definitions.complain(
                                element,
                                "the attribute \""
                                        + attribute
                                        + "\" is unknown to <"
                                        + element.tag
                                        + ">");
            }
        }
    }

    private ReadEffect readEffect(MapElement element, String text) {
        return switch (text) {
            case null -> ReadEffect.UNKNOWN;
            case "none" -> ReadEffect.NONE;
            case "present" -> ReadEffect.PRESENT;
            default -> {
                definitions.complain(
                        element, "read-effects is \"none\" or \"present\", not \"" + text + "\"");
                yield ReadEffect.UNKNOWN;
            }
        };
    }

    /** What holds for a field unless it says otherwise. */
    private record Scope(
            int widthBits,
            RegisterAccess access,
            boolean writeOnce,
            boolean isVolatile,
            int depth) {
        static Scope ofRegister(int widthBits) {
            return new Scope(widthBits, RegisterAccess.UNKNOWN, false, false, 0);
        }
    }

    private RegisterField field(MapElement element, String name, int low, int high, Scope outer) {
        RegisterAccess access = access(element, outer.access);
        boolean writeOnce = yes(element, "f:write-once", outer.writeOnce);
        boolean isVolatile = yes(element, "f:volatile", outer.isVolatile);
        Scope scope = new Scope(high - low + 1, access, writeOnce, isVolatile, outer.depth + 1);
        Contents contents = contents(element, scope);
        boolean resetKnown = element.has("f:reset");
        long reset = number(element, "f:reset", 0);
        if ((reset & ~RegisterField.lowBits(high - low + 1)) != 0) {
            definitions.complain(element, "its reset value does not fit its bits");
            reset &= RegisterField.lowBits(high - low + 1);
        }
        long shift = number(element, "shr", 0);
        if (shift < 0 || shift > 63) {
            definitions.complain(element, "shr is 0 to 63, not " + shift);
            shift = 0;
        }
        return new RegisterField(
                name,
                low,
                high,
                contents.type,
                (int) shift,
                access,
                writeOnce,
                isVolatile,
                resetKnown,
                reset,
                contents.values,
                contents.fields,
                element.brief());
    }

    private record Contents(FieldType type, List<NamedValue> values, List<RegisterField> fields) {}

    /** What the type says, and what stands inline; the default type is rules-ng-ng's (2.3). */
    private Contents contents(MapElement element, Scope scope) {
        List<NamedValue> values = new ArrayList<>();
        List<RegisterField> fields = new ArrayList<>();
        inline(element, scope, values, fields);
        FieldType type =
                !fields.isEmpty()
                        ? FieldType.BITSET
                        : !values.isEmpty()
                                ? FieldType.ENUM
                                : scope.widthBits == 1 ? FieldType.BOOLEAN : FieldType.HEX;
        for (String name : TYPE_SEPARATOR.splitAsStream(element.attribute("type", "")).toList()) {
            FieldType simple = simpleType(name);
            if (name.isEmpty()) {
                continue;
            }
            if (simple != null) {
                type = simple;
            } else if (definitions.enums.containsKey(name)) {
                definitions.enums.get(name).forEach(e -> values(e, values));
                type = fields.isEmpty() ? FieldType.ENUM : FieldType.BITSET;
            } else if (definitions.bitsets.containsKey(name)) {
                if (scope.depth > MAX_NESTING) {
                    throw new RegisterMapException(
                            element.place() + ": the bitset \"" + name + "\" contains itself.");
                }
                definitions.bitsets.get(name).forEach(b -> inline(b, scope, values, fields));
                type = FieldType.BITSET;
            } else if (!definitions.domains.containsKey(name)) {
                definitions.complain(element, "there is no type named \"" + name + "\"");
            }
        }
        return new Contents(type, values, fields);
    }

    private static FieldType simpleType(String name) {
        return switch (name) {
            case "uint" -> FieldType.UINT;
            case "int" -> FieldType.INT;
            case "hex" -> FieldType.HEX;
            case "float" -> FieldType.FLOAT;
            case "boolean" -> FieldType.BOOLEAN;
            case "enum" -> FieldType.ENUM;
            case "bitset" -> FieldType.BITSET;
            default -> null;
        };
    }

    private void inline(
            MapElement element, Scope scope, List<NamedValue> values, List<RegisterField> fields) {
        for (MapElement child : element.children) {
            countBuilt(child);
            switch (child.tag) {
                case "value" -> value(child, values);
                case "bitfield" -> bitfield(child, scope, fields);
                case "brief", "doc", "domain", "group", "enum", "bitset", "import" -> {}
                default ->
                        definitions.complain(
                                child, "<" + child.tag + "> means nothing among fields");
            }
        }
    }

    private void values(MapElement parent, List<NamedValue> into) {
        for (MapElement child : parent.children) {
            countBuilt(child);
            if (child.tag.equals("value")) {
                value(child, into);
            }
        }
    }

    private void value(MapElement element, List<NamedValue> into) {
        String name = element.attribute("name");
        if (name == null) {
            definitions.complain(element, "a <value> needs a name");
        } else if (element.has("value")) {
            into.add(new NamedValue(number(element, "value", 0), name, element.brief()));
        }
    }

    private void bitfield(MapElement element, Scope scope, List<RegisterField> into) {
        String name = element.attribute("name");
        long low = number(element, "low", number(element, "pos", -1));
        long high = number(element, "high", number(element, "pos", -1));
        if (name == null || low < 0 || high < low || high >= scope.widthBits) {
            definitions.complain(
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
        checkAttributes(element);
        into.add(field(element, name, (int) low, (int) high, scope));
    }

    private RegisterAccess access(MapElement element, RegisterAccess inherited) {
        String ours = element.attribute("f:access");
        if (ours != null) {
            for (RegisterAccess access : RegisterAccess.values()) {
                if (access.name().toLowerCase(Locale.ROOT).equals(ours)) {
                    return access;
                }
            }
            definitions.complain(
                    element, "access is ro, rw, wo, w1c, w1s or rsvd, not \"" + ours + "\"");
        }
        return switch (element.attribute("access")) {
            case null -> inherited;
            case "r" -> RegisterAccess.RO;
            case "w" -> RegisterAccess.WO;
            case "rw" -> RegisterAccess.RW;
            default -> {
                definitions.complain(element, "access is r, w or rw");
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
                definitions.complain(element, attribute.substring(2) + " is \"yes\" or \"no\"");
                yield inherited;
            }
        };
    }

    /** A number, decimal or hexadecimal with 0x, of up to 64 bits. */
    private long number(MapElement element, String attribute, long otherwise) {
        String text = element.attribute(attribute);
        if (text == null) {
            return otherwise;
        }
        String digits = text.strip();
        try {
            return digits.startsWith("0x") || digits.startsWith("0X")
                    ? Long.parseUnsignedLong(digits.substring(2), 16)
                    : Long.parseLong(digits);
        } catch (NumberFormatException e) {
            definitions.complain(element, attribute + " is \"" + text + "\", which is no number");
            return otherwise;
        }
    }

    private long scaled(MapElement element, long cells, int cellBytes) {
        try {
            return Math.multiplyExact(cells, (long) cellBytes);
        } catch (ArithmeticException e) {
            definitions.complain(element, "it reaches beyond 2^63");
            return 0;
        }
    }

    private long added(MapElement element, long a, long b) {
        try {
            return Math.addExact(a, b);
        } catch (ArithmeticException e) {
            definitions.complain(element, "it reaches beyond 2^63");
            return 0;
        }
    }
}
