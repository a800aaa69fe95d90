package farslot.registers;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Builds the domains and registers of a rules-ng-ng map from its elements (2.2, 2.3, 2.6, 2.7). */
final class RulesNgBuilder {
    /** Deepest chain of groups: what is deeper goes round in circles. */
    private static final int MAX_NESTING = 16;

    /** Elements of a stripe whose length the map does not know (rules-ng-ng: length 0). */
    private static final long UNKNOWN_LENGTH = 1 << 16;

    private static final Set<String> DOMAIN_ATTRIBUTES =
            Set.of(
                    "name",
                    "width",
                    "size",
                    "bare",
                    "prefix",
                    "varset",
                    "variants",
                    "f:read-effects",
                    "f:base");

    private static final Set<String> ARRAY_ATTRIBUTES =
            Set.of(
                    "name",
                    "offset",
                    "stride",
                    "length",
                    "varset",
                    "variants",
                    "prefix",
                    "f:read-effects",
                    "f:first",
                    "f:indexes");

    private static final Set<String> REGISTER_ATTRIBUTES =
            Set.of(
                    "name",
                    "offset",
                    "stride",
                    "length",
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
                    "f:volatile",
                    "f:read-effects",
                    "f:label",
                    "f:first",
                    "f:indexes");

    private final RulesNgDefinitions definitions;
    private final MapRemarks remarks;
    private final MapLimits limits;
    private final RulesNgNumbers numbers;
    private final RulesNgFields fields;

    RulesNgBuilder(RulesNgDefinitions definitions, MapRemarks remarks, MapLimits limits) {
        this.definitions = definitions;
        this.remarks = remarks;
        this.limits = limits;
        this.numbers = new RulesNgNumbers(remarks);
        this.fields = new RulesNgFields(definitions, remarks, limits);
    }

    List<RegisterDomain> domains() {
        List<RegisterDomain> result = new ArrayList<>();
        definitions.domains.forEach((name, parts) -> result.add(domain(name, parts)));
        return result;
    }

    private RegisterDomain domain(String name, List<MapElement> parts) {
        long size = 0;
        long base = 0;
        Doc doc = Doc.NONE;
        FoundRegisters found = new FoundRegisters(remarks, limits);
        for (MapElement part : parts) {
            checkAttributes(part, DOMAIN_ATTRIBUTES, remarks);
            long width = numbers.number(part, "width", 8);
            if (width != 8 && width != 16 && width != 32 && width != 64) {
                remarks.complain(part, "a domain's unit has 8, 16, 32 or 64 bits, not " + width);
                continue;
            }
            int cellBytes = (int) width / 8;
            if (part.has("size")) {
                long itsSize = numbers.scaled(part, numbers.number(part, "size", 0), cellBytes);
                if (itsSize < 0 || (size != 0 && size != itsSize)) {
                    remarks.complain(part, "the domain \"" + name + "\" has two sizes");
                }
                size = Math.max(size, itsSize);
            }
            base = numbers.number(part, "f:base", base);
            doc = doc.equals(Doc.NONE) ? part.doc() : doc;
            collect(part, Place.of(part, cellBytes, definitions), 0, found);
        }
        return new RegisterDomain(name, size, base, doc, found.registers());
    }

    /** Where a piece of the map stands: what surrounds it has added this up. */
    private record Place(
            int cellBytes,
            long offset,
            List<Register.Dimension> dimensions,
            String name,
            String label,
            String readEffects,
            Varsets varsets,
            Variants variants) {
        static Place of(MapElement domain, int cellBytes, RulesNgDefinitions definitions) {
            Varsets varsets = Varsets.NONE.within(domain);
            return new Place(
                    cellBytes,
                    0,
                    List.of(),
                    "",
                    "",
                    domain.attribute("f:read-effects"),
                    varsets,
                    definitions.variants(domain, varsets.active(), Variants.ALL));
        }
    }

    private void collect(MapElement parent, Place place, int depth, FoundRegisters into) {
        for (MapElement child : parent.children) {
            limits.countBuilt(child);
            switch (child.tag) {
                case "reg8" -> register(child, 8, place, into);
                case "reg16" -> register(child, 16, place, into);
                case "reg32" -> register(child, 32, place, into);
                case "reg64" -> register(child, 64, place, into);
                case "array" -> within(child, true, place, depth, into);
                case "stripe" -> within(child, false, place, depth, into);
                case "use-group" -> group(child, place, depth, into);
                default -> {
                    if (!RulesNgFields.ASIDE.contains(child.tag)) {
                        remarks.complain(
                                child, "<" + child.tag + "> means nothing among registers");
                    }
                }
            }
        }
    }

    private void group(MapElement use, Place place, int depth, FoundRegisters into) {
        String name = use.attribute("name", use.attribute("ref", ""));
        List<MapElement> parts = definitions.groups.get(name);
        if (parts == null) {
            remarks.complain(use, "there is no group named \"" + name + "\"");
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
            MapElement element, boolean array, Place place, int depth, FoundRegisters into) {
        checkAttributes(element, ARRAY_ATTRIBUTES, remarks);
        if (array && !(element.has("offset") && element.has("stride") && element.has("name"))) {
            remarks.complain(
                    element, "an <array> needs name, offset and stride; a <stripe> need not");
        }
        Place inner = repeated(element, place, numbers.number(element, "stride", 0));
        if (inner != null) {
            collect(element, inner, depth, into);
        }
    }

    /** The place within an array, a stripe, or a register that has a length. */
    private Place repeated(MapElement element, Place outer, long strideCells) {
        long offset =
                numbers.scaled(element, numbers.number(element, "offset", 0), outer.cellBytes);
        long length = numbers.number(element, "length", 1);
        long stride = numbers.scaled(element, strideCells, outer.cellBytes);
        if (length < 0 || stride < 0 || offset < 0) {
            remarks.complain(element, "offset, stride and length cannot be negative");
            return null;
        }
        if (length == 0) {
            length = UNKNOWN_LENGTH;
        }
        List<Register.Dimension> dimensions = outer.dimensions;
        String index = "";
        if (length != 1) {
            if (stride == 0) {
                remarks.complain(element, "several elements with the stride 0 lie over each other");
                return null;
            }
            index = "[{" + dimensions.size() + "}]";
            dimensions =
                    FoundRegisters.within(
                            element,
                            dimensions,
                            new Register.Dimension(
                                    stride,
                                    length,
                                    numbers.number(element, "f:first", 0),
                                    indexNames(element, length)));
        }
        String name = element.attribute("name", "");
        boolean register = element.tag.startsWith("reg");
        String dot = register ? "" : ".";
        String innerName = name.isEmpty() ? outer.name : outer.name + name + dot;
        String innerLabel =
                name.isEmpty() && index.isEmpty() ? outer.label : outer.label + name + index + dot;
        limits.checkName(element, innerName);
        limits.checkName(element, innerLabel);
        Varsets varsets = outer.varsets.within(element);
        return new Place(
                outer.cellBytes,
                numbers.added(element, outer.offset, offset),
                dimensions,
                innerName,
                innerLabel,
                element.attribute("f:read-effects", outer.readEffects),
                varsets,
                definitions.variants(element, varsets.active(), outer.variants));
    }

    /** A comma between the names of elements that are not called by their numbers. */
    private List<String> indexNames(MapElement element, long length) {
        String text = element.attribute("f:indexes");
        if (text == null) {
            return List.of();
        }
        List<String> names = List.of(text.split(",", -1));
        names.forEach(name -> limits.checkName(element, name));
        if (names.size() > length) {
            remarks.complain(element, "it has more names of indexes than elements");
            return names.subList(0, (int) length);
        }
        return names;
    }

    private void register(MapElement element, int widthBits, Place outer, FoundRegisters into) {
        limits.countRegister(element);
        if (!element.has("name") || !element.has("offset")) {
            remarks.complain(element, "a register needs a name and an offset");
            return;
        }
        checkAttributes(element, REGISTER_ATTRIBUTES, remarks);
        long ownStride = Math.max(1, widthBits / 8 / outer.cellBytes);
        Place place = repeated(element, outer, numbers.number(element, "stride", ownStride));
        if (place == null) {
            return;
        }
        into.add(
                element,
                new FoundRegisters.Place(
                        place.offset,
                        place.dimensions,
                        place.name,
                        element.attribute("f:label", place.label)),
                fields.whole(element, place.name, widthBits, place.varsets),
                readEffect(element, place.readEffects),
                place.variants);
    }

    static void checkAttributes(MapElement element, Set<String> known, MapRemarks remarks) {
        for (String attribute : element.attributes.keySet()) {
            if (!known.contains(attribute)) {
                remarks.complain(
                        element,
                        "the attribute \"" + attribute + "\" is unknown to <" + element.tag + ">");
            }
        }
    }

    private ReadEffect readEffect(MapElement element, String text) {
        return switch (text) {
            case null -> ReadEffect.UNKNOWN;
            case "none" -> ReadEffect.NONE;
            case "present" -> ReadEffect.PRESENT;
            case "unknown" -> ReadEffect.UNKNOWN;
            default -> {
                remarks.complain(
                        element, "read-effects is \"none\" or \"present\", not \"" + text + "\"");
                yield ReadEffect.UNKNOWN;
            }
        };
    }
}
