package farslot.sdk;

import farslot.core.StateException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What a {@link StateWriter} wrote, by name. Nothing in it is believed: whoever reads says what is
 * possible, and what is missing, of another type or out of its range is a {@link StateException}
 * that names it.
 */
public final class StateReader {
    private static final int DEEPEST = 16;

    private final String where;
    private final Map<String, Object> fields = new LinkedHashMap<>();

    /**
     * Reads the fields of some bytes.
     *
     * @throws StateException where they are not fields from the first to the last byte
     */
    public static StateReader of(byte[] bytes) throws StateException {
        return new StateReader("", ByteBuffer.wrap(bytes), DEEPEST);
    }

    private StateReader(String where, ByteBuffer from, int depthLeft) throws StateException {
        this.where = where;
        ByteBuffer bytes = from.order(ByteOrder.LITTLE_ENDIAN);
        try {
            while (bytes.hasRemaining()) {
                String name =
                        StandardCharsets.US_ASCII
                                .decode(part(bytes, Byte.toUnsignedInt(bytes.get())))
                                .toString();
                Object value =
                        switch (bytes.get()) {
                            case StateWriter.NUMBER -> bytes.getLong();
                            case StateWriter.BYTES -> bytes(part(bytes, bytes.getInt()));
                            case StateWriter.GROUP ->
                                    depthLeft == 0
                                            ? null
                                            : new StateReader(
                                                    where + name + "/",
                                                    part(bytes, bytes.getInt()),
                                                    depthLeft - 1);
                            default -> null;
                        };
                if (value == null || fields.put(name, value) != null) {
                    throw wrong(name, "is twice in it, or is no field");
                }
            }
        } catch (BufferUnderflowException e) {
            throw new StateException("The state ends within " + where + ": it is not whole.", e);
        }
    }

    private static ByteBuffer part(ByteBuffer bytes, int length) {
        if (length < 0 || length > bytes.remaining()) {
            throw new BufferUnderflowException();
        }
        ByteBuffer part = bytes.slice(bytes.position(), length);
        bytes.position(bytes.position() + length);
        return part;
    }

    private static byte[] bytes(ByteBuffer part) {
        byte[] bytes = new byte[part.remaining()];
        part.get(bytes);
        return bytes;
    }

    /** The names of the fields, in the order in which they were written. */
    public Set<String> names() {
        return fields.keySet();
    }

    public boolean has(String name) {
        return fields.containsKey(name);
    }

    /** A number. */
    public long number(String name) throws StateException {
        return field(name, Long.class);
    }

    /** A number within bounds, both included. */
    public long number(String name, long least, long most) throws StateException {
        long number = number(name);
        if (number < least || number > most) {
            throw wrong(name, "is " + number + ", and only " + least + " to " + most + " can be");
        }
        return number;
    }

    /** A number of 32 bits within bounds, both included. */
    public int int32(String name, int least, int most) throws StateException {
        return (int) number(name, least, most);
    }

    /** 32 bits of any value. */
    public int bits32(String name) throws StateException {
        return (int) number(name, Integer.MIN_VALUE, 0xffff_ffffL);
    }

    public boolean flag(String name) throws StateException {
        return number(name, 0, 1) != 0;
    }

    /** Bytes of any length. */
    public byte[] bytes(String name) throws StateException {
        return field(name, byte[].class);
    }

    /** So many bytes. */
    public byte[] bytes(String name, int length) throws StateException {
        byte[] bytes = bytes(name);
        if (bytes.length != length) {
            throw wrong(name, "has " + bytes.length + " bytes, and needs " + length);
        }
        return bytes;
    }

    /** A text; what is no UTF-8 in it is replaced. */
    public String text(String name) throws StateException {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    /** A group. */
    public StateReader group(String name) throws StateException {
        return field(name, StateReader.class);
    }

    private <T> T field(String name, Class<T> type) throws StateException {
        Object value = fields.get(name);
        if (value == null) {
            throw wrong(name, "is missing");
        }
        if (!type.isInstance(value)) {
            throw wrong(name, "is of another type");
        }
        return type.cast(value);
    }

    /** For what a reader finds wrong with a field: "\"queue\" of the state" and what is wrong. */
    public StateException wrong(String name, String what) {
        return new StateException("\"" + where + name + "\" of the state " + what + ".");
    }
}
