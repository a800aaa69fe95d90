package farslot.registers;

import farslot.registers.FieldFormat.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Builds the fields and values of CMSIS-SVD's registers from their elements. */
final class SvdFields {
    private static final Pattern BIT_RANGE =
            Pattern.compile("\\[\\s*([0-9]{1,3})\\s*:\\s*([0-9]{1,3})\\s*\\]");

    private static final Set<String> FIELD_TAGS =
            Set.of(
                    "name",
                    "description",
                    "bitOffset",
                    "bitWidth",
                    "lsb",
                    "msb",
                    "bitRange",
                    "access",
                    "modifiedWriteValues",
                    "writeConstraint",
                    "readAction",
                    "enumeratedValues",
                    "dim",
                    "dimIncrement",
                    "dimIndex",
                    "dimName",
                    "dimArrayIndex");

    private final SvdDerivation derivation;
    private final MapRemarks remarks;
    private final MapLimits limits;
    private final SvdNumbers numbers;

    SvdFields(SvdDerivation derivation, MapRemarks remarks, MapLimits limits) {
        this.derivation = derivation;
        this.remarks = remarks;
        this.limits = limits;
        this.numbers = new SvdNumbers(remarks);
    }

    /**
     * What a device says for its peripherals, they for their registers, and those for their fields,
     * unless these say it themselves.
     *
     * @param access as the file has it, or null
     * @param written what modifiedWriteValues says, or null
     * @param reset the value after a reset, of those bits of {@code resetMask}
     * @param resetKnown whether any value is said
     */
    record Inherited(
            long widthBits,
            String access,
            String written,
            long reset,
            long resetMask,
            boolean resetKnown) {
        static final Inherited NOTHING = new Inherited(32, null, null, 0, -1, false);
    }

    Inherited within(MapElement element, Inherited outer) {
        String access = element.childText("access");
        String written = element.childText("modifiedWriteValues");
        return new Inherited(
                numbers.number(element, "size", outer.widthBits),
                access == null ? outer.access : access,
                written == null ? outer.written : written,
                numbers.number(element, "resetValue", outer.reset),
                numbers.number(element, "resetMask", outer.resetMask),
                outer.resetKnown || element.child("resetValue") != null);
    }

    /**
     * All of a register as one field.
     *
     * @param scopes what it stands in, for names that it derives from
     */
    RegisterField whole(
            MapElement register,
            String name,
            int widthBits,
            Inherited said,
            List<MapElement> scopes) {
        List<MapElement> inner = new ArrayList<>(scopes);
        inner.add(register);
        List<RegisterField> fields = new ArrayList<>();
        MapElement container = register.child("fields");
        if (container != null) {
            for (MapElement child : container.children) {
                limits.countBuilt(child);
                if (child.tag.equals("field")) {
                    fields(child, widthBits, said, inner, fields);
                } else {
                    SvdBuilder.unknown(child, "fields", remarks);
                }
            }
        }
        FieldType type =
                !fields.isEmpty()
                        ? FieldType.BITSET
                        : widthBits == 1 ? FieldType.BOOLEAN : FieldType.HEX;
        long bits = RegisterField.lowBits(widthBits);
        long mask = said.resetKnown ? said.resetMask & bits : 0;
        FieldRules rules = rules(register, said);
        return new RegisterField(
                name,
                0,
                widthBits - 1,
                new FieldFormat(type, 0, 0, 0, constraint(register)),
                new FieldRules(rules.access(), rules.writeOnce(), false, mask, said.reset & mask),
                List.of(),
                fields,
                Variants.ALL,
                register.description());
    }

    /** One field, or those of an array of fields. */
    private void fields(
            MapElement element,
            int widthBits,
            Inherited outer,
            List<MapElement> scopes,
            List<RegisterField> into) {
        MapElement field = derivation.derived(element, scopes);
        SvdBuilder.checkTags(field, FIELD_TAGS, remarks);
        SvdArray array = SvdArray.of(field, remarks, limits);
        long[] bits = bits(field);
        if (bits == null || bits[0] < 0 || bits[1] < bits[0] || bits[1] >= widthBits) {
            remarks.complain(
                    field,
                    "the field "
                            + array.plainName()
                            + (bits == null
                                    ? " says not where its bits are"
                                    : " has the bits " + bits[1] + " to " + bits[0])
                            + ", and "
                            + (widthBits - 1)
                            + " to 0 are there");
            return;
        }
        List<MapElement> inner = new ArrayList<>(scopes);
        inner.add(field);
        List<NamedValue> values = values(field, inner);
        FieldType type =
                !values.isEmpty()
                        ? FieldType.ENUM
                        : bits[0] == bits[1] ? FieldType.BOOLEAN : FieldType.HEX;
        FieldFormat format = new FieldFormat(type, 0, 0, 0, constraint(field));
        FieldRules rules = rules(field, within(field, outer));
        for (int i = 0; i < array.length(); i++) {
            limits.countBuilt(field);
            long by = i == 0 ? 0 : Math.min(array.stride(), 64) * i;
            if (bits[1] + by >= widthBits) {
                remarks.complain(field, "the array of fields reaches beyond its register");
                return;
            }
            into.add(
                    new RegisterField(
                            array.nameOf(i),
                            (int) (bits[0] + by),
                            (int) (bits[1] + by),
                            format,
                            rules,
                            values,
                            List.of(),
                            Variants.ALL,
                            field.description()));
        }
    }

    /** The lowest and the highest bit, in whichever of three forms; null where there is none. */
    private long[] bits(MapElement field) {
        String range = field.childText("bitRange");
        if (range != null) {
            Matcher parts = BIT_RANGE.matcher(range);
            return parts.matches()
                    ? new long[] {Long.parseLong(parts.group(2)), Long.parseLong(parts.group(1))}
                    : null;
        }
        long low = numbers.number(field, "bitOffset", -1);
        if (low >= 0 && low < 64) {
            return new long[] {low, low + Math.min(numbers.number(field, "bitWidth", 1), 65) - 1};
        }
        low = numbers.number(field, "lsb", -1);
        return low < 0 ? null : new long[] {low, numbers.number(field, "msb", -1)};
    }

    private Limits constraint(MapElement element) {
        MapElement constraint = element.child("writeConstraint");
        MapElement range = constraint == null ? null : constraint.child("range");
        return range == null
                ? Limits.NONE
                : new Limits(
                        numbers.number(range, "minimum", 0),
                        numbers.number(range, "maximum", -1),
                        1);
    }

    /**
     * What a driver may do. Of what can only be written and does something by that, what it does is
     * kept.
     */
    private FieldRules rules(MapElement element, Inherited said) {
        RegisterAccess access =
                switch (said.access) {
                    case null -> RegisterAccess.UNKNOWN;
                    case "read-only" -> RegisterAccess.RO;
                    case "write-only", "writeOnce" -> RegisterAccess.WO;
                    case "read-write", "read-writeOnce" -> RegisterAccess.RW;
                    default -> {
                        remarks.complain(
                                element, "access is \"" + said.access + "\", which is unknown");
                        yield RegisterAccess.UNKNOWN;
                    }
                };
        if (access != RegisterAccess.RO) {
            access =
                    switch (said.written) {
                        case null -> access;
                        case "modify" -> access;
                        case "oneToClear" -> RegisterAccess.W1C;
                        case "oneToSet" -> RegisterAccess.W1S;
                        case "oneToToggle" -> RegisterAccess.W1T;
                        case "zeroToClear" -> RegisterAccess.W0C;
                        case "zeroToSet" -> RegisterAccess.W0S;
                        case "zeroToToggle" -> RegisterAccess.W0T;
                        case "clear" -> RegisterAccess.WC;
                        case "set" -> RegisterAccess.WS;
                        default -> {
                            remarks.complain(
                                    element,
                                    "modifiedWriteValues is \""
                                            + said.written
                                            + "\", which is unknown");
                            yield RegisterAccess.UNKNOWN;
                        }
                    };
        }
        boolean once = "writeOnce".equals(said.access) || "read-writeOnce".equals(said.access);
        return new FieldRules(access, once, false, 0, 0);
    }

    /** Those for reads, then what only writes have. */
    private List<NamedValue> values(MapElement field, List<MapElement> scopes) {
        List<NamedValue> read = new ArrayList<>();
        List<NamedValue> written = new ArrayList<>();
        for (MapElement child : field.children) {
            if (child.tag.equals("enumeratedValues")) {
                MapElement set = derivation.derived(child, scopes);
                boolean forWrites = "write".equals(set.childText("usage"));
                for (MapElement value : set.children) {
                    limits.countBuilt(value);
                    if (value.tag.equals("enumeratedValue")) {
                        value(value, forWrites ? written : read);
                    }
                }
            }
        }
        for (NamedValue value : written) {
            if (read.stream()
                    .noneMatch(r -> r.value() == value.value() && r.mask() == value.mask())) {
                read.add(value);
            }
        }
        return read;
    }

    private void value(MapElement element, List<NamedValue> into) {
        String name = element.childText("name");
        String text = element.childText("value");
        boolean others = "true".equals(element.childText("isDefault"));
        SvdNumbers.Pattern value = text == null ? null : SvdNumbers.parse(text);
        if (name == null || (value == null && !others)) {
            remarks.complain(element, "a value needs a name and a number");
            return;
        }
        long mask = others ? 0 : value.mask();
        into.add(
                new NamedValue(
                        others ? 0 : value.value(),
                        mask,
                        MapElement.inOneLine(name),
                        Variants.ALL,
                        element.description()));
    }
}
