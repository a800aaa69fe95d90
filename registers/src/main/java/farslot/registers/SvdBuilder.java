package farslot.registers;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Builds the domains and registers of a CMSIS-SVD description (version 1.3 of its schema): each
 * peripheral becomes a domain, with its base address. What is no register's is passed over: the
 * processor, interrupts, protection.
 */
final class SvdBuilder {
    /** Deepest chain of clusters: what is deeper goes round in circles. */
    private static final int MAX_NESTING = 16;

    /** Elements of an array of peripherals, each of which becomes a domain. */
    private static final long MAX_PERIPHERALS = 4096;

    private static final Set<String> PERIPHERAL_TAGS =
            Set.of(
                    "name",
                    "description",
                    "version",
                    "alternatePeripheral",
                    "groupName",
                    "prependToName",
                    "appendToName",
                    "headerStructName",
                    "disableCondition",
                    "baseAddress",
                    "size",
                    "access",
                    "protection",
                    "resetValue",
                    "resetMask",
                    "addressBlock",
                    "interrupt",
                    "registers",
                    "dim",
                    "dimIncrement",
                    "dimIndex",
                    "dimName",
                    "dimArrayIndex");

    private static final Set<String> REGISTER_TAGS =
            Set.of(
                    "name",
                    "displayName",
                    "description",
                    "alternateGroup",
                    "alternateRegister",
                    "addressOffset",
                    "size",
                    "access",
                    "protection",
                    "resetValue",
                    "resetMask",
                    "dataType",
                    "modifiedWriteValues",
                    "writeConstraint",
                    "readAction",
                    "fields",
                    "dim",
                    "dimIncrement",
                    "dimIndex",
                    "dimName",
                    "dimArrayIndex");

    private static final Set<String> CLUSTER_TAGS =
            Set.of(
                    "name",
                    "description",
                    "alternateCluster",
                    "headerStructName",
                    "addressOffset",
                    "size",
                    "access",
                    "protection",
                    "resetValue",
                    "resetMask",
                    "register",
                    "cluster",
                    "dim",
                    "dimIncrement",
                    "dimIndex",
                    "dimName",
                    "dimArrayIndex");

    private final MapElement device;
    private final MapRemarks remarks;
    private final MapLimits limits;
    private final SvdNumbers numbers;
    private final SvdDerivation derivation;
    private final SvdFields fields;
    private final Set<String> names = new HashSet<>();

    SvdBuilder(MapElement device, MapRemarks remarks, MapLimits limits) {
        this.device = device;
        this.remarks = remarks;
        this.limits = limits;
        this.numbers = new SvdNumbers(remarks);
        this.derivation = new SvdDerivation(device, remarks, limits);
        this.fields = new SvdFields(derivation, remarks, limits);
    }

    List<RegisterDomain> domains() {
        List<RegisterDomain> result = new ArrayList<>();
        if (numbers.number(device, "addressUnitBits", 8) != 8) {
            remarks.complain(device, "its addresses count units that are no bytes");
        }
        SvdFields.Inherited said = fields.within(device, SvdFields.Inherited.NOTHING);
        MapElement container = device.child("peripherals");
        if (container == null) {
            remarks.complain(device, "it describes no peripherals");
            return result;
        }
        for (MapElement child : container.children) {
            if (child.tag.equals("peripheral")) {
                limits.countBuilt(child);
                peripheral(derivation.derived(child, List.of(container)), said, container, result);
            } else {
                unknown(child, "peripherals", remarks);
            }
        }
        return result;
    }

    private void peripheral(
            MapElement element,
            SvdFields.Inherited outer,
            MapElement container,
            List<RegisterDomain> into) {
        checkTags(element, PERIPHERAL_TAGS, remarks);
        SvdArray array = SvdArray.of(element, remarks, limits);
        FoundRegisters found = new FoundRegisters(remarks, limits);
        MapElement registers = element.child("registers");
        if (registers != null) {
            Place place =
                    new Place(
                            0,
                            List.of(),
                            "",
                            "",
                            text(element, "prependToName"),
                            text(element, "appendToName"),
                            fields.within(element, outer),
                            List.of(container, element));
            collect(registers, place, 0, found);
        }
        long size = size(element);
        long base = numbers.number(element, "baseAddress", 0);
        if (array.length() > MAX_PERIPHERALS) {
            remarks.complain(element, "more than " + MAX_PERIPHERALS + " peripherals are too many");
            return;
        }
        for (int i = 0; i < array.length(); i++) {
            String name = array.nameOf(i);
            if (i > 0) {
                limits.countBuilt(element, found.registers().size());
            }
            if (name.isEmpty() || !names.add(name)) {
                remarks.complain(element, "there are two peripherals \"" + name + "\"");
                continue;
            }
            into.add(
                    new RegisterDomain(
                            name,
                            size,
                            base + i * array.stride(),
                            element.description(),
                            found.registers()));
        }
    }

    private static String text(MapElement element, String tag) {
        String text = element.childText(tag);
        return text == null ? "" : text;
    }

    private long size(MapElement peripheral) {
        long size = 0;
        for (MapElement child : peripheral.children) {
            if (child.tag.equals("addressBlock")) {
                long end = numbers.number(child, "offset", 0) + numbers.number(child, "size", 0);
                size = Math.max(size, end);
            }
        }
        return size;
    }

    /** Where registers stand: what surrounds them has added this up. */
    private record Place(
            long offset,
            List<Register.Dimension> dimensions,
            String name,
            String label,
            String prefix,
            String suffix,
            SvdFields.Inherited said,
            List<MapElement> scopes) {}

    private void collect(MapElement parent, Place place, int depth, FoundRegisters into) {
        for (MapElement child : parent.children) {
            if (child.tag.equals("register")) {
                limits.countBuilt(child);
                register(derivation.derived(child, place.scopes), place, into);
            } else if (child.tag.equals("cluster")) {
                limits.countBuilt(child);
                if (depth >= MAX_NESTING) {
                    throw new RegisterMapException(
                            child.place()
                                    + ": clusters stand deeper in clusters than "
                                    + MAX_NESTING
                                    + ".");
                }
                cluster(derivation.derived(child, place.scopes), place, depth, into);
            } else if (parent.tag.equals("registers")) {
                unknown(child, "registers", remarks);
            }
        }
    }

    private void cluster(MapElement element, Place outer, int depth, FoundRegisters into) {
        checkTags(element, CLUSTER_TAGS, remarks);
        Place inner = within(element, outer, ".");
        if (inner != null) {
            collect(element, inner, depth + 1, into);
        }
    }

    /** The place within a cluster, or of a register; null where there is none. */
    private Place within(MapElement element, Place outer, String end) {
        SvdArray array = SvdArray.of(element, remarks, limits);
        long offset = numbers.number(element, "addressOffset", 0);
        if (offset < 0 || outer.offset + offset < 0) {
            remarks.complain(element, "it lies beyond 2^63");
            return null;
        }
        List<Register.Dimension> dimensions = outer.dimensions;
        if (array.length() > 1) {
            dimensions = FoundRegisters.within(element, dimensions, array.dimension());
        }
        boolean register = end.isEmpty();
        String before = register ? outer.prefix : "";
        String after = register ? outer.suffix : end;
        String name = outer.name + before + array.plainName() + after;
        String label = outer.label + before + array.label(outer.dimensions.size()) + after;
        limits.checkName(element, name);
        limits.checkName(element, label);
        List<MapElement> scopes = new ArrayList<>(outer.scopes);
        scopes.add(element);
        return new Place(
                outer.offset + offset,
                dimensions,
                name,
                label,
                outer.prefix,
                outer.suffix,
                fields.within(element, outer.said),
                scopes);
    }

    private void register(MapElement element, Place outer, FoundRegisters into) {
        limits.countRegister(element);
        checkTags(element, REGISTER_TAGS, remarks);
        Place place = within(element, outer, "");
        if (place == null || element.child("name") == null) {
            return;
        }
        long bits = place.said.widthBits();
        int widthBits = bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
        if (bits < 1 || bits > 64) {
            remarks.complain(element, "a register of " + bits + " bits is too wide for a name");
            return;
        }
        if (bits != widthBits) {
            remarks.complain(
                    element, "its " + bits + " bits are taken as the lower ones of " + widthBits);
        }
        RegisterField whole =
                fields.whole(element, place.name, widthBits, place.said, outer.scopes);
        into.add(
                element,
                new FoundRegisters.Place(place.offset, place.dimensions, place.name, place.label),
                whole,
                readEffect(element),
                Variants.ALL);
    }

    /**
     * That nothing is said of reading means, by the letter, that reading changes nothing; most
     * authors just leave it out.
     */
    private static ReadEffect readEffect(MapElement register) {
        boolean said = register.child("readAction") != null;
        MapElement container = register.child("fields");
        if (container != null) {
            said |= container.children.stream().anyMatch(f -> f.child("readAction") != null);
        }
        return said ? ReadEffect.PRESENT : ReadEffect.UNKNOWN;
    }

    static void checkTags(MapElement element, Set<String> known, MapRemarks remarks) {
        for (MapElement child : element.children) {
            if (!known.contains(child.tag)) {
                unknown(child, element.tag, remarks);
            }
        }
    }

    static void unknown(MapElement child, String parent, MapRemarks remarks) {
        if (!child.tag.equals("vendorExtensions")) {
            remarks.complain(child, "<" + child.tag + "> means nothing in <" + parent + ">");
        }
    }
}
