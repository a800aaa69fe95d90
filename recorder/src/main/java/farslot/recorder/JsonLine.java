package farslot.recorder;

import java.util.Locale;

/** Builds one JSON object on one line. */
final class JsonLine {
    private final StringBuilder json = new StringBuilder("{");

    JsonLine number(String name, long value) {
        name(name).append(value);
        return this;
    }

    JsonLine truth(String name, boolean value) {
        name(name).append(value);
        return this;
    }

    JsonLine hex(String name, long value) {
        name(name).append("\"0x").append(Long.toHexString(value)).append('"');
        return this;
    }

    JsonLine text(String name, String value) {
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

    String end() {
        return json.append('}').toString();
    }

    private StringBuilder name(String name) {
        return json.append(json.length() > 1 ? "," : "").append('"').append(name).append("\":");
    }
}
