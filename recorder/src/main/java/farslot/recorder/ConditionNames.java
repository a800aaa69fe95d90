package farslot.recorder;

import farslot.registers.Nearest;
import farslot.registers.Register;
import farslot.registers.RegisterField;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Finds the registers and fields that a condition names: "CSTS.RDY", "BAR0.CSTS", "SQ1TDBL",
 * "PCIE.DEVCTL.MPS". As written first, and where there is none so, whatever the case.
 */
final class ConditionNames {
    /** More names than these are not searched for one that may have been meant. */
    private static final int MAX_CANDIDATES = 20_000;

    private static final int MAX_LISTED = 12;

    /** No register map has longer names. */
    private static final int MAX_NAME = 1024;

    /** Nor are elements nested so deeply in one; each part is looked for with all before it. */
    private static final int MAX_PARTS = 64;

    private final TraceNames names;

    ConditionNames(TraceNames names) {
        this.names = names;
    }

    /**
     * A register, or a field of one.
     *
     * @param element the offset of one element of an array, or -1 for all
     * @param field the last of the path; all the register's bits where no field was named
     * @param low the field's lowest bit within the register
     * @param whole whether no field was named
     */
    record Named(
            int region,
            Register register,
            long element,
            RegisterField field,
            int low,
            boolean whole) {}

    /** What is wrong with a name, as a sentence. */
    static final class UnknownNameException extends Exception {
        private static final long serialVersionUID = 1L;

        UnknownNameException(String sentence) {
            super(sentence, null, false, false);
        }
    }

    /**
     * All that has this name, at least one; several where a map has variants.
     *
     * @param others words that may have been meant too
     */
    List<Named> find(String name, List<String> others) throws UnknownNameException {
        if (name.length() > MAX_NAME) {
            throw new UnknownNameException("No register has a name as long as this.");
        }
        if (name.chars().filter(c -> c == '.').count() >= MAX_PARTS) {
            throw new UnknownNameException("No register has a name of as many parts as this.");
        }
        int dot = name.indexOf('.');
        Long region =
                dot < 0
                        ? null
                        : ConditionField.regions()
                                .get(name.substring(0, dot).toUpperCase(Locale.ROOT));
        List<Integer> regions = new ArrayList<>();
        for (Map.Entry<String, Long> entry : ConditionField.regions().entrySet()) {
            boolean wanted = region == null || region.equals(entry.getValue());
            if (wanted && names.domain(entry.getValue().intValue()) != null) {
                regions.add(entry.getValue().intValue());
            }
        }
        String path = region == null ? name : name.substring(dot + 1);
        for (boolean anyCase : new boolean[] {false, true}) {
            List<Named> found = find(path, regions, anyCase);
            if (!found.isEmpty()) {
                return inOneRegion(name, found);
            }
        }
        throw unknown(name, path, regions, others);
    }

    private List<Named> inOneRegion(String name, List<Named> found) throws UnknownNameException {
        Set<String> labels = new LinkedHashSet<>();
        found.forEach(named -> labels.add(names.label(named.region)));
        if (labels.size() > 1) {
            throw new UnknownNameException(
                    "There is a "
                            + name
                            + " in "
                            + String.join(" and in ", labels)
                            + "; write "
                            + labels.iterator().next()
                            + "."
                            + name
                            + " or another.");
        }
        return found;
    }

    /** The longest register names first: configuration space has dots in them. */
    private List<Named> find(String path, List<Integer> regions, boolean anyCase) {
        List<Named> found = new ArrayList<>();
        int cut = path.length();
        while (cut > 0 && found.isEmpty()) {
            String name = path.substring(0, cut);
            String fields = cut == path.length() ? "" : path.substring(cut + 1);
            for (int region : regions) {
                for (Register register : names.domain(region).registers()) {
                    add(found, region, register, name, fields, anyCase);
                }
            }
            cut = path.lastIndexOf('.', cut - 1);
        }
        return found;
    }

    private static void add(
            List<Named> found,
            int region,
            Register register,
            String name,
            String fields,
            boolean anyCase) {
        boolean all = same(register.name(), name, anyCase) && register.dimensions() > 0;
        long element = all ? -1 : register.elementNamed(name, anyCase);
        if (!all && element < 0) {
            return;
        }
        RegisterField field = register.whole();
        int low = 0;
        String rest = fields;
        while (!rest.isEmpty()) {
            RegisterField inner = inner(field, rest, anyCase);
            if (inner == null) {
                return;
            }
            low += inner.low();
            field = inner;
            rest = rest.substring(Math.min(rest.length(), inner.name().length() + 1));
        }
        found.add(new Named(region, register, element, field, low, fields.isEmpty()));
    }

    /** The field that the path begins with, or null. */
    private static RegisterField inner(RegisterField outer, String path, boolean anyCase) {
        for (RegisterField field : outer.fields()) {
            int end = field.name().length();
            boolean ends = path.length() == end || (path.length() > end && path.charAt(end) == '.');
            if (ends && same(field.name(), path.substring(0, end), anyCase)) {
                return field;
            }
        }
        return null;
    }

    private static boolean same(String a, String b, boolean anyCase) {
        return anyCase ? a.equalsIgnoreCase(b) : a.equals(b);
    }

    private UnknownNameException unknown(
            String name, String path, List<Integer> regions, List<String> others) {
        int cut = path.lastIndexOf('.');
        while (cut > 0) {
            List<Named> registers = find(path.substring(0, cut), regions, true);
            if (!registers.isEmpty()) {
                return noField(registers.getFirst(), path.substring(cut + 1));
            }
            cut = path.lastIndexOf('.', cut - 1);
        }
        List<String> candidates = new ArrayList<>();
        for (int region : regions) {
            names.domain(region).registers().stream()
                    .limit(MAX_CANDIDATES)
                    .map(Register::name)
                    .forEach(candidates::add);
        }
        boolean described = !candidates.isEmpty();
        candidates.addAll(others);
        String what = "There is no register or word \"" + name + "\"";
        if (!described || Nearest.to(path, candidates).isPresent()) {
            String without =
                    "; no register map names this function's, so ask by place: BAR0[0x14].";
            String near = Nearest.question(path, candidates);
            return new UnknownNameException(what + (near.equals(".") ? without : near));
        }
        String upper = path.toUpperCase(Locale.ROOT);
        return new UnknownNameException(what + Nearest.question(upper, candidates));
    }

    private static UnknownNameException noField(Named named, String wanted) {
        List<String> fields = named.field.fields().stream().map(RegisterField::name).toList();
        String outer =
                named.whole
                        ? "Register " + named.register.name()
                        : "Field " + named.register.name() + "." + named.field.name();
        String what = outer + " has no field \"" + wanted + "\"";
        boolean few = fields.size() <= MAX_LISTED;
        String upper = wanted.toUpperCase(Locale.ROOT);
        return new UnknownNameException(
                what
                        + (few
                                ? Nearest.questionOrAll(upper, fields)
                                : Nearest.question(upper, fields)));
    }
}
