package farslot.registers;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What CMSIS-SVD's {@code derivedFrom} stands for: the element that it names, with what the
 * deriving one says in place of it. A name is looked for beside the deriving element, then in what
 * surrounds that, then from the device's peripherals on; "UART0.CR.EN" is a path.
 */
final class SvdDerivation {
    /** Longest chain of derivations: what is longer goes round in circles. */
    private static final int MAX_CHAIN = 64;

    /** What has nothing of its own but more elements with names. */
    private static final Set<String> CONTAINERS = Set.of("peripherals", "registers", "fields");

    private static final Set<String> NAMED =
            Set.of("peripheral", "cluster", "register", "field", "enumeratedValues");

    private final MapRemarks remarks;
    private final MapLimits limits;
    private final Map<MapElement, Map<String, MapElement>> children = new HashMap<>();
    private final Set<MapElement> underWay = new HashSet<>();
    private final Map<String, MapElement> enumerations = new HashMap<>();

    SvdDerivation(MapElement device, MapRemarks remarks, MapLimits limits) {
        this.remarks = remarks;
        this.limits = limits;
        findEnumerations(device);
    }

    private void findEnumerations(MapElement element) {
        for (MapElement child : element.children) {
            if (child.tag.equals("enumeratedValues") && child.child("name") != null) {
                enumerations.putIfAbsent(child.childText("name"), child);
            }
            findEnumerations(child);
        }
    }

    private record Found(MapElement element, List<MapElement> scopes) {}

    /**
     * An element with what it derives.
     *
     * @param scopes the elements around it, outermost first, derived themselves
     */
    MapElement derived(MapElement element, List<MapElement> scopes) {
        String from = element.attribute("derivedFrom");
        if (from == null) {
            return element;
        }
        Found base = find(from.strip(), element, scopes);
        if (base == null) {
            remarks.complain(
                    element,
                    "it derives from \"" + from + "\", and there is no such " + element.tag);
            return element;
        }
        if (underWay.size() >= MAX_CHAIN || !underWay.add(element)) {
            throw new RegisterMapException(
                    element.place() + ": it derives from itself, or through too many others.");
        }
        try {
            return merged(derived(base.element, base.scopes), element);
        } finally {
            underWay.remove(element);
        }
    }

    private Found find(String path, MapElement element, List<MapElement> scopes) {
        String[] names = path.split("\\.", -1);
        for (int n = scopes.size(); n > 0; n--) {
            List<MapElement> around = new ArrayList<>(scopes.subList(0, n));
            MapElement at = around.getLast();
            for (int i = 0; i < names.length && at != null; i++) {
                at = children(at).get(names[i]);
                if (i < names.length - 1 && at != null) {
                    around.add(at);
                }
            }
            if (at != null && at != element && at.tag.equals(element.tag)) {
                return new Found(at, around);
            }
        }
        MapElement enumeration = enumerations.get(names[names.length - 1]);
        return element.tag.equals("enumeratedValues")
                        && enumeration != null
                        && enumeration != element
                ? new Found(enumeration, scopes)
                : null;
    }

    /** What stands in an element and has a name. */
    private Map<String, MapElement> children(MapElement element) {
        Map<String, MapElement> known = children.get(element);
        if (known == null) {
            known = new HashMap<>();
            addNamed(element, known);
            children.put(element, known);
        }
        return known;
    }

    private static void addNamed(MapElement element, Map<String, MapElement> into) {
        for (MapElement child : element.children) {
            if (CONTAINERS.contains(child.tag)) {
                addNamed(child, into);
            } else if (NAMED.contains(child.tag) && child.child("name") != null) {
                into.putIfAbsent(child.childText("name"), child);
            }
        }
    }

    private MapElement merged(MapElement base, MapElement own) {
        limits.countBuilt(own, base.children.size());
        Map<Object, MapElement> all = new LinkedHashMap<>();
        for (MapElement child : base.children) {
            all.put(key(child), child);
        }
        for (MapElement child : own.children) {
            MapElement before = all.get(key(child));
            boolean joined = before != null && CONTAINERS.contains(child.tag);
            all.put(key(child), joined ? merged(before, child) : child);
        }
        return own.with(new ArrayList<>(all.values()));
    }

    /** Registers, fields and the like are told apart by their names, all else by what it is. */
    private static Object key(MapElement element) {
        String name = NAMED.contains(element.tag) ? element.childText("name") : null;
        if (name != null) {
            return List.of(element.tag, name);
        }
        return element.tag.equals("addressBlock") || element.tag.equals("interrupt")
                ? element
                : element.tag;
    }
}
