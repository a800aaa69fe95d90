package farslot.registers;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** All that can be named in a map, merged over its files (rules-ng-ng, 2.1). */
final class RulesNgDefinitions {
    private static final Pattern SPACE = Pattern.compile("\\s+");

    /** Names of a set of variants; of the hardware that is described there are some hundred. */
    private static final int MAX_VARIANTS = 4096;

    final Map<String, List<MapElement>> domains = new LinkedHashMap<>();
    final Map<String, List<MapElement>> groups = new LinkedHashMap<>();
    final Map<String, List<MapElement>> enums = new LinkedHashMap<>();
    final Map<String, List<MapElement>> bitsets = new LinkedHashMap<>();

    private final MapRemarks remarks;
    private final MapLimits limits;
    private final Map<String, VariantSet> variantSets = new HashMap<>();
    private final Map<String, Variants.Condition> conditions = new HashMap<>();

    RulesNgDefinitions(MapRemarks remarks, MapLimits limits) {
        this.remarks = remarks;
        this.limits = limits;
    }

    /** Top-level entities may stand anywhere; where they stand means nothing. */
    void add(MapElement element) {
        for (MapElement child : element.children) {
            switch (child.tag) {
                case "domain" -> define(domains, child);
                case "group" -> define(groups, child);
                case "enum" -> define(enums, child);
                case "bitset" -> define(bitsets, child);
                default -> {}
            }
            add(child);
        }
    }

    private void define(Map<String, List<MapElement>> where, MapElement element) {
        String name = element.attribute("name");
        if (name == null || name.isEmpty()) {
            remarks.complain(element, "the <" + element.tag + "> has no name");
            return;
        }
        where.computeIfAbsent(name, n -> new ArrayList<>()).add(element);
    }

    /**
     * What variants an element is on, beyond what surrounds it (2.3, "variants").
     *
     * @param set the name of the enumeration that its variants are of; null where none is active
     */
    Variants variants(MapElement element, String set, Variants outer) {
        Variants all = outer;
        String expression = element.attribute("variants");
        if (expression != null) {
            all = and(all, element, set, expression);
        }
        for (MapElement child : element.children) {
            if (child.tag.equals("f:variants")) {
                String are = child.attribute("are", "");
                all = and(all, child, child.attribute("set"), are);
            }
        }
        return all;
    }

    private Variants and(Variants outer, MapElement element, String set, String expression) {
        if (set == null) {
            remarks.complain(
                    element, "variants are named here, and no varset says of which enumeration");
            return outer;
        }
        VariantSet known = variantSets.get(set);
        if (known == null) {
            known = variantSet(element, set);
            variantSets.put(set, known);
        }
        String key = set + '\0' + expression;
        Variants.Condition condition = conditions.get(key);
        if (condition == null) {
            limits.countName(element, known.names().size() / 8 + expression.length());
            condition = condition(element, known, MapElement.inOneLine(expression));
            conditions.put(key, condition);
        }
        return outer.and(condition);
    }

    /** Without names where they cannot be told: then whatever depends on it counts as there. */
    private VariantSet variantSet(MapElement user, String name) {
        List<String> names = new ArrayList<>();
        for (MapElement part : enums.getOrDefault(name, List.of())) {
            for (MapElement value : part.children) {
                if (value.tag.equals("value") && value.has("name")) {
                    names.add(value.attribute("name"));
                }
            }
        }
        if (!enums.containsKey(name)) {
            remarks.complain(user, "there is no enumeration \"" + name + "\" of variants");
        } else if (names.size() > MAX_VARIANTS) {
            remarks.complain(
                    user,
                    "\"" + name + "\" has more than " + MAX_VARIANTS + " names, too many variants");
            names.clear();
        }
        return new VariantSet(name, names);
    }

    private Variants.Condition condition(MapElement element, VariantSet set, String expression) {
        BitSet members = new BitSet();
        for (String token : SPACE.split(expression, -1)) {
            if (!set.names().isEmpty()
                    && !token.isEmpty()
                    && !addRange(set.names(), token, members)) {
                remarks.complain(
                        element, "\"" + token + "\" names no variants of \"" + set.name() + "\"");
            }
        }
        return new Variants.Condition(set, expression, members);
    }

    /** "A", "A-B" with B, "A:B" without it, and either without a beginning or an end. */
    private static boolean addRange(List<String> names, String token, BitSet into) {
        int whole = names.indexOf(token);
        if (whole >= 0) {
            into.set(whole);
            return true;
        }
        for (int at = 0; at < token.length(); at++) {
            char c = token.charAt(at);
            if (c == '-' || c == ':') {
                int from = at == 0 ? 0 : names.indexOf(token.substring(0, at));
                String last = token.substring(at + 1);
                int to = last.isEmpty() ? names.size() : names.indexOf(last);
                if (from >= 0 && to >= 0) {
                    to += c == '-' && !last.isEmpty() ? 1 : 0;
                    into.set(from, Math.max(from, to));
                    return true;
                }
            }
        }
        return false;
    }
}
