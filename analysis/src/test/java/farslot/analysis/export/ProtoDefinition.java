package farslot.analysis.export;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads messages strictly by their published definition ({@code .proto} files, proto2): a field
 * that is not defined, or has another type, is an error.
 */
final class ProtoDefinition {
    private static final Pattern TOKEN =
            Pattern.compile("\"[^\"]*\"|[A-Za-z_][A-Za-z0-9_.]*|-?[0-9][0-9a-fx]*|[^\\s]");

    /** A field by its number. */
    private record Field(String type, String name, String scope) {}

    private final Map<String, Map<Integer, Field>> messages = new HashMap<>();
    private final Map<String, Map<Integer, String>> enums = new HashMap<>();

    /** A message that was read: each field's values by its name, in order. */
    record Message(Map<String, List<Object>> fields) {
        boolean has(String name) {
            return fields.containsKey(name);
        }

        long number(String name) {
            return (Long) fields.get(name).getFirst();
        }

        String text(String name) {
            return (String) fields.get(name).getFirst();
        }

        Message message(String name) {
            return (Message) fields.get(name).getFirst();
        }

        List<Object> all(String name) {
            return fields.getOrDefault(name, List.of());
        }
    }

    /** All definitions of a folder. */
    static ProtoDefinition of(Path folder) throws IOException {
        ProtoDefinition definition = new ProtoDefinition();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".proto")).toList()) {
                definition.parse(Files.readString(file));
            }
        }
        return definition;
    }

    private void parse(String text) {
        String code = text.replaceAll("(?s)/\\*.*?\\*/", " ").replaceAll("//[^\n]*", " ");
        Matcher matcher = TOKEN.matcher(code);
        List<String> tokens = new ArrayList<>();
        while (matcher.find()) {
            tokens.add(matcher.group());
        }
        new Parser(tokens).body("", null);
    }

    /** Of the language only what those files use. */
    private final class Parser {
        private final List<String> tokens;
        private int at;

        Parser(List<String> tokens) {
            this.tokens = tokens;
        }

        private String next() {
            return tokens.get(at++);
        }

        private void skipBehind(String token) {
            while (!next().equals(token)) {}
        }

        /** What stands between braces, or the file. */
        void body(String scope, Map<Integer, Field> fields) {
            while (at < tokens.size()) {
                String token = next();
                switch (token) {
                    case "}" -> {
                        return;
                    }
                    case ";" -> {}
                    case "syntax", "import", "package", "option", "reserved", "extensions" ->
                            skipBehind(";");
                    case "message" -> message(scope);
                    case "enum" -> enumeration(scope);
                    case "oneof" -> {
                        at += 2;
                        body(scope, fields);
                    }
                    case "optional", "repeated", "required" -> field(next(), scope, fields);
                    default -> field(token, scope, fields);
                }
            }
        }

        private void message(String scope) {
            String name = scope + next();
            at++;
            Map<Integer, Field> fields = new TreeMap<>();
            messages.put(name, fields);
            body(name + ".", fields);
        }

        private void enumeration(String scope) {
            String name = scope + next();
            at++;
            Map<Integer, String> values = new HashMap<>();
            for (String token = next(); !token.equals("}"); token = next()) {
                if (!token.equals("option") && !token.equals("reserved")) {
                    at++;
                    values.put(Integer.decode(next()), token);
                }
                skipBehind(";");
            }
            enums.put(name, values);
        }

        private void field(String type, String scope, Map<Integer, Field> fields) {
            String name = next();
            at++;
            fields.put(Integer.decode(next()), new Field(type, name, scope));
            skipBehind(";");
        }
    }

    /** The type that a field's definition means: the innermost of that name. */
    private static <T> T resolve(Map<String, T> known, String type, String scope) {
        for (String outer = scope; ; outer = outer.replaceFirst("[^.]+\\.$", "")) {
            T found = known.get(outer + type);
            if (found != null || outer.isEmpty()) {
                return found;
            }
        }
    }

    Message read(String type, byte[] bytes) {
        Map<Integer, Field> fields = messages.get(type);
        return read(type, fields, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    }

    private Message read(String type, Map<Integer, Field> fields, ByteBuffer in) {
        Map<String, List<Object>> values = new LinkedHashMap<>();
        while (in.hasRemaining()) {
            long tag = varint(in);
            Field field = fields.get((int) (tag >>> 3));
            if (field == null) {
                throw new AssertionError(type + " has no field " + (tag >>> 3));
            }
            Object value = value(field, (int) tag & 7, in);
            values.computeIfAbsent(field.name(), _ -> new ArrayList<>()).add(value);
        }
        return new Message(values);
    }

    private Object value(Field field, int wireType, ByteBuffer in) {
        return switch (field.type()) {
            case "uint64", "int64" -> expect(field, wireType, 0, varint(in));
            case "uint32" -> inRange(field, expect(field, wireType, 0, varint(in)), 0, 1L << 32);
            case "int32" ->
                    inRange(field, expect(field, wireType, 0, varint(in)), -1L << 31, 1L << 31);
            case "bool" -> inRange(field, expect(field, wireType, 0, varint(in)), 0, 2);
            case "fixed64" -> expect(field, wireType, 1, in.getLong());
            case "string" -> text(expect(field, wireType, 2, delimited(in)));
            default -> compound(field, wireType, in);
        };
    }

    private Object compound(Field field, int wireType, ByteBuffer in) {
        Map<Integer, String> names = resolve(enums, field.type(), field.scope());
        if (names != null) {
            long value = expect(field, wireType, 0, varint(in));
            String name = names.get((int) value);
            return expect(field, name == null ? -1 : 0, 0, name);
        }
        Map<Integer, Field> fields = resolve(messages, field.type(), field.scope());
        if (fields == null) {
            throw new AssertionError(field + " is of a type that is not among the test's data");
        }
        return read(field.type(), fields, expect(field, wireType, 2, delimited(in)));
    }

    private static <T> T expect(Field field, int is, int should, T value) {
        if (is != should) {
            throw new AssertionError(field + ": " + value + " is of type " + is);
        }
        return value;
    }

    private static long inRange(Field field, long value, long from, long to) {
        return expect(field, value >= from && value < to ? 0 : 1, 0, value);
    }

    private static ByteBuffer delimited(ByteBuffer in) {
        int length = (int) varint(in);
        ByteBuffer value = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + length);
        return value;
    }

    private static String text(ByteBuffer bytes) {
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(bytes);
            return text.toString();
        } catch (CharacterCodingException e) {
            throw new AssertionError("A string is no UTF-8", e);
        }
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte b = in.get();
            value |= (b & 0x7FL) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new AssertionError("A number has more than 64 bits");
    }
}
