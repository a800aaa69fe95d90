package farslot.sdk;

import farslot.core.StateException;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntToLongFunction;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * The registers of a BAR, as its domain in the device's register map describes them. The map gives
 * places, widths, reset values and what a write may change; the device binds behaviour to names:
 *
 * <pre>{@code
 * registers.onWrite("CC", (old, now) -> ...);
 * registers.onWritten("RAISE", bits -> ...);
 * registers.onRead("FACTORIAL", () -> ...);
 * }</pre>
 *
 * <p>An access of part of a register reads or writes that part; one that covers several goes to
 * each, ascending. Offsets without a register read as 0 ({@link #reservedReads}); writes there are
 * ignored.
 *
 * <p>Binding belongs to {@link Device#assemble}; after that any thread may look up registers.
 */
public final class RegisterFile {
    /** Registers beyond this offset belong in an area. */
    private static final long MAX_EXTENT = 1 << 20;

    private final RegisterDomain domain;
    private final Map<Long, RegisterState> byOffset = new HashMap<>();

    /** The register that holds each byte, up to the last register. */
    private RegisterState[] at = {};

    private long reserved;

    RegisterFile(RegisterDomain domain) {
        this.domain = domain;
    }

    /** A handler of one register out of an array. */
    @FunctionalInterface
    public interface ElementWriteHandler {
        /**
         * Called at each write of an element.
         *
         * @param index of the element, from 0
         * @param written the bits as they were written
         */
        void write(int index, long written);
    }

    /**
     * The register with this name.
     *
     * @throws IllegalArgumentException where the map has none, or an array
     */
    public RegisterState register(String name) {
        Register register = domain.register(name);
        if (register.dimensions() != 0) {
            throw new IllegalArgumentException(
                    "Register " + name + " of " + domain.name() + " is an array: name an element.");
        }
        return state(register, register.offset());
    }

    /** One register of an array. */
    public RegisterState register(String name, int index) {
        Register register = domain.register(name);
        return state(register, register.offset(index));
    }

    /** {@link RegisterState#onRead}. */
    public RegisterFile onRead(String name, LongSupplier handler) {
        register(name).onRead(handler);
        return this;
    }

    /** {@link RegisterState#onWrite}. */
    public RegisterFile onWrite(String name, RegisterState.WriteHandler handler) {
        register(name).onWrite(handler);
        return this;
    }

    /** {@link RegisterState#onWritten}. */
    public RegisterFile onWritten(String name, LongConsumer handler) {
        register(name).onWritten(handler);
        return this;
    }

    /** {@link RegisterState#onRead} for each element of an array. */
    public RegisterFile onReadOfEach(String name, IntToLongFunction handler) {
        for (int i = 0; i < elements(name); i++) {
            int index = i;
            register(name, i).onRead(() -> handler.applyAsLong(index));
        }
        return this;
    }

    /** {@link RegisterState#onWritten} for each element of an array. */
    public RegisterFile onWrittenOfEach(String name, ElementWriteHandler handler) {
        for (int i = 0; i < elements(name); i++) {
            int index = i;
            register(name, i).onWritten(bits -> handler.write(index, bits));
        }
        return this;
    }

    private int elements(String name) {
        Register register = domain.register(name);
        if (register.dimensions() != 1) {
            throw new IllegalArgumentException(
                    "Register " + name + " of " + domain.name() + " is no array.");
        }
        return Math.toIntExact(register.length(0));
    }

    /** What each byte without a register reads as. */
    public RegisterFile reservedReads(int value) {
        reserved = (value & 0xff) * 0x0101_0101_0101_0101L;
        return this;
    }

    private RegisterState state(Register register, long offset) {
        return byOffset.computeIfAbsent(offset, place -> new RegisterState(register, place));
    }

    /** Makes the table for looking up, of all registers that lie in no area. */
    void freeze(Bar bar) {
        long extent = 0;
        for (Register register : domain.registers()) {
            if (register.dimensions() == 0) {
                extent = Math.max(extent, place(bar, register, register.offset()));
            } else if (register.dimensions() == 1) {
                for (int i = 0; i < register.length(0); i++) {
                    extent = Math.max(extent, place(bar, register, register.offset(i)));
                }
            } else if (!bar.isArea(register.offset(), register.endOffset())) {
                throw new IllegalArgumentException(
                        "Register "
                                + register.name()
                                + " of "
                                + domain.name()
                                + " is an array of arrays: put an area there.");
            }
        }
        at = new RegisterState[(int) extent];
        for (RegisterState state : byOffset.values()) {
            for (int i = 0; i < state.widthBytes(); i++) {
                int place = (int) state.offset() + i;
                if (at[place] == null || at[place].widthBytes() > state.widthBytes()) {
                    at[place] = state;
                }
            }
        }
    }

    /** The end of the register, or 0 where it lies in an area. */
    private long place(Bar bar, Register register, long offset) {
        long end = offset + register.widthBytes();
        if (bar.isArea(offset, end)) {
            byOffset.remove(offset);
            return 0;
        }
        if (end > Math.min(bar.sizeBytes(), MAX_EXTENT)) {
            throw new IllegalArgumentException(
                    "Register "
                            + register.name()
                            + " of "
                            + domain.name()
                            + " ends at 0x"
                            + Long.toHexString(end)
                            + ", beyond its BAR or 1 MiB: put an area there.");
        }
        state(register, offset);
        return end;
    }

    void reset() {
        byOffset.values().forEach(RegisterState::reset);
    }

    void save(StateWriter state) {
        byOffset.values().stream()
                .sorted(Comparator.comparingLong(RegisterState::offset))
                .forEach(register -> register.save(state));
    }

    void load(StateReader state) throws StateException {
        for (RegisterState register : byOffset.values()) {
            register.load(state);
        }
    }

    /** Reads 1 to 8 bytes. */
    long read(long offset, int sizeBytes) {
        if (offset < at.length) {
            RegisterState state = at[(int) offset];
            if (state != null && state.offset() == offset && state.widthBytes() == sizeBytes) {
                return state.read();
            }
        }
        return readParts(offset, sizeBytes);
    }

    private long readParts(long offset, int sizeBytes) {
        long value = 0;
        RegisterState last = null;
        long lastValue = 0;
        for (int i = 0; i < sizeBytes; i++) {
            long place = offset + i;
            RegisterState state = place < at.length ? at[(int) place] : null;
            if (state != null && state != last) {
                last = state;
                lastValue = state.read();
            }
            long part =
                    state == null ? reserved : lastValue >>> (8 * (int) (place - state.offset()));
            value |= (part & 0xff) << (8 * i);
        }
        return value;
    }

    /** Writes the bytes of {@code value} that {@code mask} selects, 1 to 8 of them. */
    void write(long offset, int sizeBytes, long value, long mask) {
        if (offset < at.length) {
            RegisterState state = at[(int) offset];
            if (state != null && state.offset() == offset && state.widthBytes() == sizeBytes) {
                state.write(value, mask);
                return;
            }
        }
        writeParts(offset, sizeBytes, value, mask);
    }

    private void writeParts(long offset, int sizeBytes, long value, long mask) {
        for (int i = 0; i < sizeBytes; ) {
            long place = offset + i;
            RegisterState state = place < at.length ? at[(int) place] : null;
            int next = i + 1;
            while (state != null
                    && next < sizeBytes
                    && offset + next < at.length
                    && at[(int) offset + next] == state) {
                next++;
            }
            if (state != null) {
                int into = 8 * (int) (place - state.offset());
                long part = bytes(next - i);
                long selected = (mask >>> (8 * i)) & part;
                if (selected != 0) {
                    state.write(((value >>> (8 * i)) & part) << into, selected << into);
                }
            }
            i = next;
        }
    }

    static long bytes(int count) {
        return count >= Long.BYTES ? -1L : (1L << (8 * count)) - 1;
    }
}
