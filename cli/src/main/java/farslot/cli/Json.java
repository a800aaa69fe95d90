package farslot.cli;

import java.io.PrintWriter;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Prints data for programs: records, maps and lists become one indented JSON text. Names of members
 * are the records' (camel case, units in the name), and are API.
 */
final class Json {
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private static final JsonMapper LINES = JsonMapper.builder().build();

    private Json() {}

    /** Prints {@code value}, then a line end. */
    static void print(PrintWriter out, Object value) {
        out.println(MAPPER.writeValueAsString(value));
        out.flush();
    }

    /** {@code value} on one line, for what prints many. */
    static String line(Object value) {
        return LINES.writeValueAsString(value);
    }
}
