package farslot.slot;

import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the driver's side has asked of a function's interrupts, to ask it again of a fresh one. Not
 * thread-safe.
 */
final class InterruptSettings {
    private final Map<InterruptKind, BitSet> enabled = new EnumMap<>(InterruptKind.class);
    private final Map<InterruptKind, BitSet> masked = new EnumMap<>(InterruptKind.class);

    InterruptSettings() {
        clear();
    }

    private InterruptSettings(InterruptSettings other) {
        other.enabled.forEach((kind, set) -> enabled.put(kind, (BitSet) set.clone()));
        other.masked.forEach((kind, set) -> masked.put(kind, (BitSet) set.clone()));
    }

    InterruptSettings copy() {
        return new InterruptSettings(this);
    }

    void clear() {
        for (InterruptKind kind : InterruptKind.values()) {
            enabled.put(kind, new BitSet());
            masked.put(kind, new BitSet());
        }
    }

    void apply(InterruptKind kind, int first, int count, InterruptAction action) {
        int end = first + count;
        switch (action) {
            case ENABLE -> enabled.get(kind).set(first, end);
            case DISABLE -> {
                enabled.get(kind).clear(first, end);
                masked.get(kind).clear(first, end);
            }
            case MASK -> masked.get(kind).set(first, end);
            case UNMASK -> masked.get(kind).clear(first, end);
        }
    }

    /** Asks it all of a function that knows nothing of it. */
    void replayTo(PciFunction function) {
        for (InterruptKind kind : InterruptKind.values()) {
            replay(function, kind, enabled.get(kind), InterruptAction.ENABLE);
            replay(function, kind, masked.get(kind), InterruptAction.MASK);
        }
    }

    private static void replay(
            PciFunction function, InterruptKind kind, BitSet vectors, InterruptAction action) {
        for (int first = vectors.nextSetBit(0); first >= 0; ) {
            int end = vectors.nextClearBit(first);
            function.interrupts(kind, first, end - first, action);
            first = vectors.nextSetBit(end);
        }
    }
}
