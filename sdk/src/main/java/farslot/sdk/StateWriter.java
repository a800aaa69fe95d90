package farslot.sdk;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What is saved of a device, as fields with names: numbers, bytes, texts, and groups of further
 * fields. {@link StateReader} reads it.
 *
 * <p>A field is the length of its name (one byte), the name in ASCII, and its type (one byte); then
 * a number's 8 bytes (type 1), or a length of 4 bytes and so many of bytes or of a text in UTF-8
 * (type 2), or of a group's fields (type 3). All numbers are little-endian.
 */
public final class StateWriter {
    static final int NUMBER = 1;
    static final int BYTES = 2;
    static final int GROUP = 3;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Set<String> names = new HashSet<>();

    /** Begins with no field. */
    public StateWriter() {}

    /**
     * Writes a number.
     *
     * @param name 1 to 255 ASCII characters, once in each group
     */
    public StateWriter put(String name, long number) {
        begin(name, NUMBER);
        little(number, Long.BYTES);
        return this;
    }

    /** Writes 1 or 0. */
    public StateWriter put(String name, boolean flag) {
        return put(name, flag ? 1 : 0);
    }

    /** Writes bytes, which are copied. */
    public StateWriter put(String name, byte[] bytes) {
        begin(name, BYTES);
        counted(bytes);
        return this;
    }

    /** Writes a text. */
    public StateWriter put(String name, String text) {
        return put(name, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes a group: what was written to another writer. */
    public StateWriter put(String name, StateWriter group) {
        begin(name, GROUP);
        counted(group.toBytes());
        return this;
    }

    /** Writes a group. */
    public StateWriter group(String name, Consumer<StateWriter> fields) {
        StateWriter group = new StateWriter();
        fields.accept(group);
        return put(name, group);
    }

    /** All that was written. */
    public byte[] toBytes() {
        return out.toByteArray();
    }

    private void begin(String name, int type) {
        byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
        if (ascii.length < 1 || ascii.length > 255 || !names.add(name)) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" is no name for a field, or is used twice.");
        }
        out.write(ascii.length);
        out.writeBytes(ascii);
        out.write(type);
    }

    private void counted(byte[] bytes) {
        little(bytes.length, Integer.BYTES);
        out.writeBytes(bytes);
    }

    private void little(long value, int sizeBytes) {
        for (int i = 0; i < sizeBytes; i++) {
            out.write((int) (value >>> (8 * i)));
        }
    }
}
