package farslot.lender;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What {@code farslot lend} is asked for: {@code KIND[,name=NAME][,KEY=VALUE]...}, the way QEMU's
 * users name devices. A comma within a value is written twice.
 *
 * @param kind the device kind, as {@code farslot.sdk.DeviceKind} names it; not checked here
 * @param name under which it is lent, or null where none was given
 * @param options the other keys, in the order given; not checked here
 */
public record Specification(String kind, String name, Map<String, String> options) {
    /** What a function may be called: it stands in addresses, file names and command lines. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,31}");

    public Specification {
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
    }

    /**
     * Reads one specification.
     *
     * @throws LendingException (BAD_INPUT) with the sentence that says what is wrong
     */
    public static Specification parse(String text) throws LendingException {
        List<String> parts = split(text);
        String kind = parts.getFirst();
        if (kind.isEmpty() || kind.indexOf('=') >= 0) {
            throw bad(text, "it has to begin with a device kind, as in \"nvme,name=n0\"");
        }
        String name = null;
        Map<String, String> options = new LinkedHashMap<>();
        for (String part : parts.subList(1, parts.size())) {
            int equals = part.indexOf('=');
            if (equals < 1) {
                throw bad(text, "\"" + part + "\" is no KEY=VALUE");
            }
            String key = part.substring(0, equals);
            String value = part.substring(equals + 1);
            boolean again = key.equals("name") ? name != null : options.containsKey(key);
            if (again) {
                throw bad(text, "\"" + key + "\" is given twice");
            }
            if (key.equals("name")) {
                name = checkedName(value);
            } else {
                options.put(key, value);
            }
        }
        return new Specification(kind, name, options);
    }

    /** The same under another name. */
    public Specification named(String newName) {
        return new Specification(kind, newName, options);
    }

    /**
     * Checks a name: letters, digits, '.', '_' and '-', at most 32 of them, the first a letter or
     * digit.
     *
     * @return the name
     */
    public static String checkedName(String name) throws LendingException {
        if (!NAME.matcher(name).matches()) {
            throw LendingException.badInput(
                    "\""
                            + name
                            + "\" cannot be a name: use letters, digits, '.', '_' and '-', 32 at"
                            + " most, a letter or digit first.");
        }
        return name;
    }

    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != ',') {
                part.append(c);
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(c);
                i++;
            } else {
                parts.add(part.toString());
                part.setLength(0);
            }
        }
        parts.add(part.toString());
        return parts;
    }

    private static LendingException bad(String text, String why) {
        return LendingException.badInput("Cannot lend \"" + text + "\": " + why + ".");
    }
}
