package farslot.analysis;

import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.Region;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Where a function's MSI-X table and its pending bits are (PCI Local Bus 3.0, 6.8.2).
 *
 * @param tableOffset 16 bytes a vector
 * @param pendingOffset 8 bytes for each 64 vectors
 */
record MsixPlace(int vectors, int tableBar, long tableOffset, int pendingBar, long pendingOffset) {
    private static final int CAPABILITY_BYTES = 12;

    /** Null where the function has none, or the bytes of the capability are not known. */
    static MsixPlace of(FunctionDescription function, KnownBytes configuration) {
        for (FunctionDescription.CapabilityPlace place : function.capabilities()) {
            boolean msix = !place.extended() && place.id() == ConfigurationSpaceBuilder.ID_MSIX;
            if (msix && configuration.knows(place.offset() + 4, CAPABILITY_BYTES - 4)) {
                ByteBuffer bytes =
                        ByteBuffer.wrap(configuration.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                long table = Integer.toUnsignedLong(bytes.getInt(place.offset() + 4));
                long pending = Integer.toUnsignedLong(bytes.getInt(place.offset() + 8));
                return new MsixPlace(
                        function.msixVectors(),
                        (int) (table & 7),
                        table & ~7L,
                        (int) (pending & 7),
                        pending & ~7L);
            }
        }
        return null;
    }

    /** Where in a region, from a place on, the table or the pending bits begin; else its end. */
    long nextIn(Region region, long from) {
        long next = region.sizeBytes();
        if (region.index() == tableBar && tableOffset >= from) {
            next = Math.min(next, tableOffset);
        }
        if (region.index() == pendingBar && pendingOffset >= from) {
            next = Math.min(next, pendingOffset);
        }
        return next;
    }

    /** Where what begins at a place ends; the place itself where nothing begins. */
    long endOf(int bar, long at) {
        if (bar == tableBar && at == tableOffset) {
            return at + tableBytes();
        }
        return bar == pendingBar && at == pendingOffset ? at + pendingBytes() : at;
    }

    private long tableBytes() {
        return 16L * vectors;
    }

    private long pendingBytes() {
        return (vectors + 63L) / 64 * 8;
    }

    boolean isIn(int bar) {
        return bar == tableBar || bar == pendingBar;
    }

    boolean holds(int bar, long offset) {
        long inTable = offset - tableOffset;
        long inPending = offset - pendingOffset;
        return (bar == tableBar && inTable >= 0 && inTable < tableBytes())
                || (bar == pendingBar && inPending >= 0 && inPending < pendingBytes());
    }
}
