package farslot.recorder;

import java.util.Locale;

/** Builds one JSON object on one line (RFC 8259). For one thread. */
public final class JsonLine {
    private final StringBuilder json = new StringBuilder("{");

    /** An object without members. */
    public JsonLine() {}

    public JsonLine number(String name, long value) {
        name(name).append(value);
        return this;
    }

    public JsonLine truth(String name, boolean value) {
        name(name).append(value);
        return this;
    }

    /** A number or truth that is text already. */
    public JsonLine literal(String name, String value) {
        name(name).append(value);
        return this;
    }

    public JsonLine hex(String name, long value) {
        name(name).append("\"0x").append(Long.toHexString(value)).append('"');
        return this;
    }

    public JsonLine text(String name, String value) {
        name(name).append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || (c >= 0x7F && c < 0xA0) || Character.isSurrogate(c)) {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
        return this;
    }

    /** The line, without its end. */
    public String end() {
        return json.append('}').toString();
    }

    private StringBuilder name(String name) {
        return json.append(json.length() > 1 ? "," : "").append('"').append(name).append("\":");
    }
}
