package farslot.sdk;

import farslot.core.StateException;
import farslot.registers.Register;
import farslot.registers.RegisterAccess;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * One register of a device: its value, the rules for writing it that its register map gives, and
 * its handlers.
 *
 * <p>Any thread may get and set the value; each such call is atomic, also against a driver's write.
 */
public final class RegisterState {
    private static final VarHandle VALUE;

    static {
        try {
            VALUE = MethodHandles.lookup().findVarHandle(RegisterState.class, "value", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Register definition;
    private final long offset;
    private final int widthBytes;
    private final long readable;
    private final long writable;
    private final Effect set;
    private final Effect cleared;
    private final Effect toggled;
    private final long writeOnce;
    private long written;
    private volatile long value;

    private LongSupplier onRead;
    private WriteHandler onWrite;
    private LongConsumer onWritten;

    /** What a driver's write means to the device. */
    @FunctionalInterface
    public interface WriteHandler {
        /**
         * Called after the value has changed by the register's rules, also when it stays the same.
         *
         * @param old the value before
         * @param now the value since
         */
        void write(long old, long now);
    }

    /** The bits to which something happens when a 1, a 0 or anything is written to them. */
    private record Effect(long byOne, long byZero, long always) {
        long of(long bits, long mask) {
            return ((bits & byOne) | (~bits & byZero) | always) & mask;
        }
    }

    RegisterState(Register definition, long offset) {
        this.definition = definition;
        this.offset = offset;
        this.widthBytes = definition.widthBytes();
        this.readable = ~definition.mask(RegisterAccess.WO);
        this.writable =
                definition.mask(RegisterAccess.RW)
                        | definition.mask(RegisterAccess.WO)
                        | definition.mask(RegisterAccess.UNKNOWN);
        this.set = effect(RegisterAccess.W1S, RegisterAccess.W0S, RegisterAccess.WS);
        this.cleared = effect(RegisterAccess.W1C, RegisterAccess.W0C, RegisterAccess.WC);
        this.toggled = effect(RegisterAccess.W1T, RegisterAccess.W0T, null);
        this.writeOnce = definition.writeOnceMask();
        this.value = definition.resetValue();
    }

    private Effect effect(RegisterAccess byOne, RegisterAccess byZero, RegisterAccess always) {
        return new Effect(
                definition.mask(byOne),
                definition.mask(byZero),
                always == null ? 0 : definition.mask(always));
    }

    /** Its entry in the register map. */
    public Register definition() {
        return definition;
    }

    /** Where it stands in its BAR, in bytes. */
    public long offset() {
        return offset;
    }

    public int widthBytes() {
        return widthBytes;
    }

    public long get() {
        return value;
    }

    /** Sets the value, whatever a driver may write. */
    public void set(long newValue) {
        value = newValue;
    }

    /** Sets these bits; gives the value before. */
    public long setBits(long bits) {
        return (long) VALUE.getAndBitwiseOr(this, bits);
    }

    /** Clears these bits; gives the value before. */
    public long clearBits(long bits) {
        return (long) VALUE.getAndBitwiseAnd(this, ~bits);
    }

    /** A field's value. */
    public long field(String name) {
        return definition.field(name).get(value);
    }

    /** Sets a field's value. */
    public void setField(String name, long fieldValue) {
        long old;
        do {
            old = value;
        } while (!VALUE.compareAndSet(this, old, definition.field(name).set(old, fieldValue)));
    }

    /** The value that a read gives is what this says, instead of {@link #get}. */
    public RegisterState onRead(LongSupplier handler) {
        onRead = handler;
        return this;
    }

    /** Called at each write, with the values before and after. */
    public RegisterState onWrite(WriteHandler handler) {
        onWrite = handler;
        return this;
    }

    /**
     * Called at each write, with the bits that were written as they were written; bytes that were
     * not are 0. For registers where that counts and not the value: commands, doorbells.
     */
    public RegisterState onWritten(LongConsumer handler) {
        onWritten = handler;
        return this;
    }

    void reset() {
        written = 0;
        value = definition.resetValue();
    }

    /** Left out where it is as after a reset. */
    void save(StateWriter state) {
        long now = value;
        if (now != definition.resetValue()) {
            state.put(name(), now);
        }
        if ((written & writeOnce) != 0) {
            state.put(name() + " written", written & writeOnce);
        }
    }

    void load(StateReader state) throws StateException {
        reset();
        if (state.has(name())) {
            value = state.number(name());
        }
        if (state.has(name() + " written")) {
            written = state.number(name() + " written");
        }
    }

    private String name() {
        return definition.nameAt(offset);
    }

    long read() {
        LongSupplier handler = onRead;
        return handler == null ? value & readable : handler.getAsLong();
    }

    /** The driver writes the bits of {@code mask}. In the function's order. */
    void write(long bits, long mask) {
        long changeable = mask & ~(written & writeOnce);
        long old;
        long now;
        do {
            old = value;
            now = (old & ~(writable & changeable)) | (bits & writable & changeable);
            now = (now | set.of(bits, mask)) & ~cleared.of(bits, mask);
            now ^= toggled.of(bits, mask);
        } while (!VALUE.compareAndSet(this, old, now));
        written |= mask;
        if (onWrite != null) {
            onWrite.write(old, now);
        }
        if (onWritten != null) {
            onWritten.accept(bits & mask);
        }
    }
}
