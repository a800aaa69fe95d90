package farslot.registers;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What CMSIS-SVD's {@code dim}, {@code dimIncrement} and {@code dimIndex} say of an element: that
 * there are several of it, how far apart, and what they are called.
 *
 * @param length how many
 * @param stride in the unit of its parent's addresses: bytes, or bits for fields
 * @param first what they are counted from, where they have no names
 * @param names what they are called, or empty
 * @param name with "%s" where that goes
 */
record SvdArray(long length, long stride, long first, List<String> names, String name) {
    private static final Pattern NUMBERS = Pattern.compile("([0-9]{1,9})-([0-9]{1,9})");
    private static final Pattern LETTERS = Pattern.compile("([A-Za-z])-([A-Za-z])");

    /** A single element, unless it says otherwise. */
    static SvdArray of(MapElement element, MapRemarks remarks, MapLimits limits) {
        SvdNumbers numbers = new SvdNumbers(remarks);
        String name = element.childText("name");
        if (name == null || name.isEmpty()) {
            remarks.complain(element, "the <" + element.tag + "> has no name");
            name = "";
        }
        limits.checkName(element, name);
        long length = numbers.number(element, "dim", 1);
        if (element.child("dim") == null) {
            return new SvdArray(1, 0, 0, List.of(), name);
        }
        long stride = numbers.number(element, "dimIncrement", 0);
        if (length < 1 || stride < 1) {
            remarks.complain(
                    element, "an array has a dim and a dimIncrement of at least 1; one is taken");
            return new SvdArray(1, 0, 0, List.of(), name.replace("[%s]", "").replace("%s", ""));
        }
        if (!name.contains("%s")) {
            remarks.complain(element, "it is an array, and its name has no %s for the index");
            name += "[%s]";
        }
        String index = element.childText("dimIndex");
        if (index == null) {
            return new SvdArray(length, stride, 0, enumerated(element, length), name);
        }
        Matcher range = NUMBERS.matcher(index);
        if (range.matches()) {
            long first = Long.parseLong(range.group(1));
            if (Long.parseLong(range.group(2)) - first + 1 != length) {
                remarks.complain(element, "its dimIndex has not as many names as dim says");
            }
            return new SvdArray(length, stride, first, List.of(), name);
        }
        List<String> names = names(index);
        names.forEach(one -> limits.checkName(element, one));
        if (names.size() != length) {
            remarks.complain(element, "its dimIndex has not as many names as dim says");
            names = names.subList(0, (int) Math.min(names.size(), length));
        }
        return new SvdArray(length, stride, 0, counted(names) ? List.of() : names, name);
    }

    private static List<String> names(String index) {
        Matcher letters = LETTERS.matcher(index);
        if (!letters.matches()) {
            return List.of(index.split("\\s*,\\s*", -1));
        }
        List<String> names = new ArrayList<>();
        for (char c = letters.group(1).charAt(0); c <= letters.group(2).charAt(0); c++) {
            names.add(String.valueOf(c));
        }
        return names;
    }

    /** Whether they are called "0", "1", "2", ... */
    private static boolean counted(List<String> names) {
        for (int i = 0; i < names.size(); i++) {
            if (!names.get(i).equals(Integer.toString(i))) {
                return false;
            }
        }
        return true;
    }

    /** The names that {@code dimArrayIndex} gives to all indexes, or none. */
    private static List<String> enumerated(MapElement element, long length) {
        MapElement named = element.child("dimArrayIndex");
        if (named == null || length > named.children.size()) {
            return List.of();
        }
        String[] names = new String[(int) length];
        for (MapElement value : named.children) {
            String text = value.childText("value");
            SvdNumbers.Pattern index = text == null ? null : SvdNumbers.parse(text);
            String name = value.childText("name");
            if (index != null && name != null && index.value() >= 0 && index.value() < length) {
                names[(int) index.value()] = name.replace(',', '_');
            }
        }
        for (String name : names) {
            if (name == null || name.length() > MapLimits.MAX_NAME) {
                return List.of();
            }
        }
        return List.of(names);
    }

    /** What one of them is called. */
    String nameOf(int index) {
        String word = index < names.size() ? names.get(index) : Long.toString(first + index);
        return length == 1 && stride == 0 ? name : name.replace("[%s]", word).replace("%s", word);
    }

    /** What they are called without their index. */
    String plainName() {
        return length == 1 ? nameOf(0) : name.replace("[%s]", "").replace("%s", "");
    }

    /** What they are called, with "{2}" where the index of that dimension goes. */
    String label(int dimension) {
        return length == 1 ? nameOf(0) : name.replace("%s", "{" + dimension + "}");
    }

    Register.Dimension dimension() {
        return new Register.Dimension(stride, length, first, names);
    }
}
