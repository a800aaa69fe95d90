package farslot.sdk;

import farslot.core.ConfigurationSpace;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.IntxState;
import farslot.core.PciHost;
import farslot.core.StateException;
import java.util.BitSet;

/**
 * A device's interrupts. The device speaks of its sources, vectors 0 to n, and whether each needs
 * service; how the driver hears of it, by MSI-X, MSI or the pin, follows from what the driver
 * enabled:
 *
 * <ul>
 *   <li>MSI-X: {@link #raise} sends the vector's message.
 *   <li>MSI: the same; where the driver granted fewer messages, vectors share them, by their number
 *       modulo what was granted.
 *   <li>INTx: the pin is asserted as long as any vector is raised and not {@link #lower lowered}.
 * </ul>
 *
 * <p>So a device raises a vector each time there is something new, and lowers it when there is
 * nothing left to serve; one that never lowers storms on INTx. What cannot be sent yet, because the
 * vector is not taken or the function is no bus master, is sent once later.
 *
 * <p>Any thread may call, and nothing here waits for the driver. Calls by a task that a reset made
 * stale do nothing.
 */
public final class Interrupts {
    /** What a device may call a source: MSI-X has no more vectors (PCI 3.0, 6.8.2). */
    private static final int MOST_VECTORS = 2048;

    private final DeviceFunction function;
    private final IntxState pin = new IntxState();
    private final BitSet raised = new BitSet();
    private Messages msi = new Messages(0);
    private Messages msix = new Messages(0);
    private ConfigurationSpace configuration;

    /** The vectors of one kind of message. */
    private static final class Messages {
        final int count;
        final BitSet taken = new BitSet();
        final BitSet masked = new BitSet();
        final BitSet pending = new BitSet();

        Messages(int count) {
            this.count = count;
        }

        void apply(int first, int vectors, InterruptAction action) {
            int end = first + vectors;
            switch (action) {
                case ENABLE -> {
                    taken.set(first, end);
                    masked.clear(first, end);
                }
                case DISABLE -> {
                    taken.clear(first, end);
                    masked.clear(first, end);
                    pending.clear(first, end);
                }
                case MASK -> masked.set(first, end);
                case UNMASK -> masked.clear(first, end);
            }
        }

        /** A pending vector that can be sent, no longer pending then; -1 for none. */
        int next() {
            for (int vector = pending.nextSetBit(0);
                    vector >= 0;
                    vector = pending.nextSetBit(vector + 1)) {
                if (taken.get(vector) && !masked.get(vector)) {
                    pending.clear(vector);
                    return vector;
                }
            }
            return -1;
        }

        void forget() {
            taken.clear();
            masked.clear();
            pending.clear();
        }

        void save(StateWriter state) {
            state.put("taken", taken.toByteArray());
            state.put("masked", masked.toByteArray());
            state.put("pending", pending.toByteArray());
        }

        void load(StateReader state) throws StateException {
            loadBits(state, "taken", taken, count);
            loadBits(state, "masked", masked, count);
            loadBits(state, "pending", pending, count);
        }
    }

    Interrupts(DeviceFunction function) {
        this.function = function;
    }

    void assemble(ConfigurationSpace space, int msiVectors, int msixVectors) {
        configuration = space;
        msi = new Messages(msiVectors);
        msix = new Messages(msixVectors);
    }

    /** How the driver hears of interrupts at present. */
    public InterruptKind kind() {
        synchronized (raised) {
            return kindNow();
        }
    }

    /** How many vectors the driver can tell apart at present: 1 with INTx. */
    public int vectors() {
        synchronized (raised) {
            return switch (kindNow()) {
                case INTX -> 1;
                case MSI -> configuration.msiVectorsGranted();
                case MSIX -> msix.count;
            };
        }
    }

    /**
     * The vector's source has something new for the driver.
     *
     * @throws IndexOutOfBoundsException where MSI-X is on and the function has no such vector
     */
    public void raise(int vector) {
        Binding binding = function.caller();
        if (function.isStale(binding)) {
            return;
        }
        synchronized (raised) {
            raised.set(vector);
            switch (kindNow()) {
                case MSIX -> msix.pending.set(java.util.Objects.checkIndex(vector, msix.count));
                case MSI -> msi.pending.set(vector & (configuration.msiVectorsGranted() - 1));
                case INTX -> {}
            }
        }
        send(binding);
    }

    /** Nothing of this vector's source is left to serve. */
    public void lower(int vector) {
        Binding binding = function.caller();
        if (function.isStale(binding)) {
            return;
        }
        synchronized (raised) {
            raised.clear(vector);
        }
        send(binding);
    }

    /** What the driver's side asks for. */
    void apply(InterruptKind kind, int first, int count, InterruptAction action) {
        Binding binding = function.binding();
        boolean asserts = false;
        synchronized (raised) {
            switch (kind) {
                case MSIX -> msix.apply(first, count, action);
                case MSI -> msi.apply(first, count, action);
                case INTX -> asserts = pin.apply(action);
            }
        }
        if (asserts) {
            signal(binding, InterruptKind.INTX, 0);
        }
        send(binding);
    }

    /** The command register, or a capability's enable bit, has changed. */
    void configurationChanged() {
        boolean asserts;
        synchronized (raised) {
            asserts = pin.disabled(configuration.intxDisabled());
        }
        Binding binding = function.binding();
        if (asserts) {
            signal(binding, InterruptKind.INTX, 0);
        }
        send(binding);
    }

    /**
     * Nothing needs service any more. Which vectors the driver's side takes stays: that is its own
     * business, which it goes on with after a reset that it has not heard of.
     */
    void reset() {
        synchronized (raised) {
            raised.clear();
            msi.pending.clear();
            msix.pending.clear();
            pin.reset();
            configuration.interruptStatus(false);
        }
    }

    /** Another host: nothing is taken. */
    void hostChanged() {
        synchronized (raised) {
            msi.forget();
            msix.forget();
            pin.apply(InterruptAction.DISABLE);
        }
    }

    void save(StateWriter state) {
        synchronized (raised) {
            state.put("raised", raised.toByteArray());
            state.put("pin", pin.save());
            state.group("MSI", msi::save);
            state.group("MSI-X", msix::save);
        }
    }

    /** Sends nothing: that is for {@link #resume}. */
    void load(StateReader state) throws StateException {
        synchronized (raised) {
            loadBits(state, "raised", raised, MOST_VECTORS);
            pin.load(state.int32("pin", 0, 0x1f));
            msi.load(state.group("MSI"));
            msix.load(state.group("MSI-X"));
        }
    }

    private static void loadBits(StateReader state, String name, BitSet into, int count)
            throws StateException {
        BitSet bits = BitSet.valueOf(state.bytes(name));
        if (bits.length() > count) {
            throw state.wrong(name, "has vector " + (bits.length() - 1) + " of " + count);
        }
        into.clear();
        into.or(bits);
    }

    /** Sends what can be sent now. */
    void resume() {
        send(function.binding());
    }

    /** The MSI-X pending bits, as a driver reads them. */
    long msixPending(long offset, int sizeBytes) {
        synchronized (raised) {
            long value = 0;
            for (int bit = 0; bit < 8 * sizeBytes; bit++) {
                value |= msix.pending.get((int) offset * 8 + bit) ? 1L << bit : 0;
            }
            return value;
        }
    }

    private InterruptKind kindNow() {
        if (msix.count > 0 && (configuration.msixEnabled() || !msix.taken.isEmpty())) {
            return InterruptKind.MSIX;
        }
        if (msi.count > 0 && (configuration.msiEnabled() || !msi.taken.isEmpty())) {
            return InterruptKind.MSI;
        }
        return InterruptKind.INTX;
    }

    /** Sends all that can be sent now, with nothing held. */
    private void send(Binding binding) {
        while (true) {
            InterruptKind kind;
            int vector;
            synchronized (raised) {
                kind = kindNow();
                boolean needsService = kind == InterruptKind.INTX && !raised.isEmpty();
                if (pin.level() != needsService) {
                    configuration.interruptStatus(needsService);
                }
                vector = pin.level(needsService) ? 0 : -1;
                if (kind != InterruptKind.INTX) {
                    boolean may = configuration.busMaster() && binding.host != null;
                    vector = !may ? -1 : kind == InterruptKind.MSIX ? msix.next() : msi.next();
                }
            }
            if (vector < 0) {
                return;
            }
            signal(binding, kind, vector);
            if (kind == InterruptKind.INTX) {
                return;
            }
        }
    }

    private static void signal(Binding binding, InterruptKind kind, int vector) {
        PciHost host = binding.host;
        if (host != null) {
            host.interrupt(binding.generation, kind, vector);
        }
    }
}
