package farslot.analysis;

import farslot.core.Region;
import java.util.Arrays;

/** Configuration space, as far as it is known. */
final class KnownBytes {
    private final byte[] bytes = new byte[Region.CONFIGURATION_SIZE_BYTES];
    private final boolean[] known = new boolean[Region.CONFIGURATION_SIZE_BYTES];

    /** All of it. */
    static KnownBytes all(byte[] configuration) {
        KnownBytes all = new KnownBytes();
        System.arraycopy(configuration, 0, all.bytes, 0, configuration.length);
        Arrays.fill(all.known, 0, configuration.length, true);
        return all;
    }

    /** What was read of it before it was written. */
    static KnownBytes of(SeenRegisters.InRegion configuration) {
        KnownBytes some = new KnownBytes();
        for (SeenRegisters.Seen seen : configuration.registers()) {
            for (int i = 0; i < seen.sizeBytes(); i++) {
                boolean isKnown = ((seen.resetMask() >>> (8 * i)) & 0xFF) == 0xFF;
                long at = seen.offset() + i;
                if (isKnown && at < some.bytes.length) {
                    some.bytes[(int) at] = (byte) (seen.reset() >>> (8 * i));
                    some.known[(int) at] = true;
                }
            }
        }
        return some;
    }

    /** Unknown ones are 0. */
    byte[] bytes() {
        return bytes;
    }

    boolean knows(int offset, int length) {
        if (offset < 0 || offset + length > bytes.length) {
            return false;
        }
        for (int i = offset; i < offset + length; i++) {
            if (!known[i]) {
                return false;
            }
        }
        return true;
    }
}
