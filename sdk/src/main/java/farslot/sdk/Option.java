package farslot.sdk;

import java.util.List;

/**
 * One option of a device kind.
 *
 * @param name as written before the "=": lower-case letters, digits, '-' and '_'
 * @param type what stands behind it
 * @param choices what a {@link Type#CHOICE} may be, else empty
 * @param defaultValue what counts when it is not given, written as a user would; null for none
 * @param required whether it must be given
 * @param doc one line for help, without a full stop
 */
public record Option(
        String name,
        Type type,
        List<String> choices,
        String defaultValue,
        boolean required,
        String doc) {

    /** What a value looks like. */
    public enum Type {
        TEXT("text"),
        /** A decimal number, or a hexadecimal one with 0x. */
        NUMBER("number"),
        /** A number of bytes, with K, M, G or T for powers of 1024. */
        SIZE("size"),
        /** "on" or "off". */
        SWITCH("on|off"),
        PATH("path"),
        CHOICE("choice");

        private final String label;

        Type(String label) {
            this.label = label;
        }
    }

    public Option {
        choices = List.copyOf(choices);
    }

    /** An option that must be given. */
    public static Option required(String name, Type type, String doc) {
        return new Option(name, type, List.of(), null, true, doc);
    }

    /** An option that may be left out; {@code defaultValue} may be null. */
    public static Option optional(String name, Type type, String defaultValue, String doc) {
        return new Option(name, type, List.of(), defaultValue, false, doc);
    }

    /** One of several words; the first one is the default. */
    public static Option choice(String name, List<String> choices, String doc) {
        return new Option(name, Type.CHOICE, choices, choices.getFirst(), false, doc);
    }

    /** What help shows: "size=SIZE", "bar=memory|io". */
    public String synopsis() {
        String value = type == Type.CHOICE ? String.join("|", choices) : type.label;
        return name + "=" + value;
    }
}
