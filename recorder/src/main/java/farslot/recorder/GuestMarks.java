package farslot.recorder;

import farslot.core.Region;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * Marks that come from inside the guest, without a channel of their own: as text that is written to
 * the vendor and device ID (configuration space, bytes 0 to 3), which are read-only in every
 * function, so that nothing else writes there (PCI 3.0, 6.2.1). A zero byte or the end of a line
 * ends a mark.
 *
 * <p>Any thread may call.
 */
final class GuestMarks {
    /** The longest mark, in bytes of UTF-8; the rest is left out. */
    static final int MOST_BYTES = 256;

    private static final int ID_BYTES = 4;

    private final TraceWriter trace;
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();

    GuestMarks(TraceWriter trace) {
        this.trace = trace;
    }

    /** The guest writes something somewhere; the function is given it all the same. */
    void written(int region, long offset, MemorySegment data, long byteEnables) {
        long length = data.byteSize();
        if (region != Region.CONFIGURATION || offset < 0 || offset > ID_BYTES - length) {
            return;
        }
        for (int i = 0; i < length; i++) {
            if ((byteEnables >>> i & 1) != 0) {
                take(data.get(ValueLayout.JAVA_BYTE, i));
            }
        }
    }

    private synchronized void take(byte one) {
        boolean ends = one == 0 || one == '\n' || one == '\r';
        if (!ends && text.size() < MOST_BYTES) {
            text.write(one);
        }
        if (ends && text.size() > 0) {
            trace.guestMark(text.toString(StandardCharsets.UTF_8));
            text.reset();
        }
    }
}
