package farslot.sdk;

import farslot.registers.Nearest;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The options given for one device, checked against what its kind declares. Asking for an option
 * that the kind does not declare, or as another type, is the kind's own mistake and throws {@link
 * IllegalArgumentException}.
 */
public final class Options {
    private final Map<String, Option> declared = new LinkedHashMap<>();
    private final Map<String, String> given;

    private Options(List<Option> declared, Map<String, String> given) {
        for (Option option : declared) {
            this.declared.put(option.name(), option);
        }
        this.given = Map.copyOf(given);
    }

    /**
     * Checks what was given for a kind.
     *
     * @throws BadOptionException with the sentence: which option, what is wrong, what is possible
     */
    public static Options check(DeviceKind kind, Map<String, String> given)
            throws BadOptionException {
        Options options = new Options(kind.options(), given);
        List<String> names = kind.options().stream().map(Option::name).toList();
        for (Map.Entry<String, String> entry : given.entrySet()) {
            Option option = options.declared.get(entry.getKey());
            if (option == null) {
                throw new BadOptionException(
                        kind.kind()
                                + " has no option named \""
                                + entry.getKey()
                                + "\"; "
                                + Nearest.hint(entry.getKey(), names));
            }
            checkValue(kind, option, entry.getValue());
        }
        for (Option option : kind.options()) {
            if (option.required() && !given.containsKey(option.name())) {
                throw new BadOptionException(
                        kind.kind() + " needs " + option.synopsis() + ": " + option.doc() + ".");
            }
        }
        return options;
    }

    private static void checkValue(DeviceKind kind, Option option, String value)
            throws BadOptionException {
        String needed =
                switch (option.type()) {
                    case TEXT -> value.isEmpty() ? "a text" : null;
                    case NUMBER -> parse(value, false) < 0 ? "a number, as in 16 or 0x10" : null;
                    case SIZE -> parse(value, true) < 0 ? "a size, as in 4096, 64K or 1G" : null;
                    case SWITCH -> value.equals("on") || value.equals("off") ? null : "on or off";
                    case PATH -> isPath(value) ? null : "a path";
                    case CHOICE ->
                            option.choices().contains(value)
                                    ? null
                                    : "one of " + String.join(", ", option.choices());
                };
        if (needed != null) {
            throw new BadOptionException(
                    kind.kind()
                            + ": "
                            + option.name()
                            + "="
                            + value
                            + " is not "
                            + needed
                            + " ("
                            + option.doc()
                            + ").");
        }
    }

    private static boolean isPath(String value) {
        try {
            return !Path.of(value).toString().isEmpty();
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /** Each option's value, given or default, in the kind's order; paths in full. */
    Map<String, String> values() {
        Map<String, String> values = new LinkedHashMap<>();
        for (Option option : declared.values()) {
            String value = given.getOrDefault(option.name(), option.defaultValue());
            if (value != null) {
                boolean path = option.type() == Option.Type.PATH;
                values.put(
                        option.name(),
                        path ? Path.of(value).toAbsolutePath().normalize().toString() : value);
            }
        }
        return values;
    }

    /** Whether the option was given, and does not have its default only. */
    public boolean isGiven(String name) {
        option(name);
        return given.containsKey(name);
    }

    /** Whether there is a value: given, or a default. */
    public boolean has(String name) {
        return given.containsKey(name) || option(name).defaultValue() != null;
    }

    public String text(String name) {
        return value(name, Option.Type.TEXT);
    }

    /** Not negative. */
    public long number(String name) {
        return parse(value(name, Option.Type.NUMBER), false);
    }

    /** In bytes. */
    public long sizeBytes(String name) {
        return parse(value(name, Option.Type.SIZE), true);
    }

    public boolean isOn(String name) {
        return value(name, Option.Type.SWITCH).equals("on");
    }

    public Path path(String name) {
        return Path.of(value(name, Option.Type.PATH));
    }

    public String choice(String name) {
        return value(name, Option.Type.CHOICE);
    }

    private Option option(String name) {
        Option option = declared.get(name);
        if (option == null) {
            throw new IllegalArgumentException("No option named " + name + " is declared.");
        }
        return option;
    }

    private String value(String name, Option.Type type) {
        Option option = option(name);
        String value = given.getOrDefault(name, option.defaultValue());
        if (option.type() != type || value == null) {
            throw new IllegalArgumentException(
                    "Option "
                            + name
                            + " is "
                            + option.type()
                            + " and has the value "
                            + value
                            + ".");
        }
        return value;
    }

    /** The number, or -1 where it is none or does not fit 63 bits. */
    private static long parse(String text, boolean suffixes) {
        int shift = 0;
        String digits = text;
        if (suffixes && !text.isEmpty() && !text.startsWith("0x")) {
            int unit = "KMGT".indexOf(Character.toUpperCase(text.charAt(text.length() - 1)));
            if (unit >= 0) {
                shift = 10 * (unit + 1);
                digits = text.substring(0, text.length() - 1);
            }
        }
        try {
            long number =
                    digits.startsWith("0x")
                            ? Long.parseLong(digits.substring(2), 16)
                            : Long.parseLong(digits);
            boolean signed = digits.startsWith("-") || digits.startsWith("+");
            boolean fits = number >= 0 && number <= Long.MAX_VALUE >> shift;
            return signed || !fits ? -1 : number << shift;
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
