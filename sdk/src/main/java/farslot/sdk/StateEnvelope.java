package farslot.sdk;

import farslot.core.StateException;
import java.util.zip.CRC32C;

/**
 * What is round a saved state: of which kind of device it is, of which versions, and a checksum, so
 * that what is cut off, spoilt or another's is known before any of it is used.
 */
final class StateEnvelope {
    /** The version of what the SDK itself saves. */
    private static final int SDK_VERSION = 1;

    private StateEnvelope() {}

    static byte[] seal(String kind, int version, byte[] state) {
        return new StateWriter()
                .put("kind", kind)
                .put("version", version)
                .put("SDK version", SDK_VERSION)
                .put("checksum", checksum(state))
                .put("state", state)
                .toBytes();
    }

    static byte[] open(String kind, int version, byte[] sealed) throws StateException {
        StateReader envelope = StateReader.of(sealed);
        String savedKind = envelope.text("kind");
        if (!savedKind.equals(kind)) {
            throw new StateException(
                    "The state is of the device kind \"" + savedKind + "\", not " + kind + ".");
        }
        check(kind, "version", envelope.number("version"), version);
        check(kind, "SDK version", envelope.number("SDK version"), SDK_VERSION);
        byte[] state = envelope.bytes("state");
        if (envelope.number("checksum") != checksum(state)) {
            throw new StateException("The state of " + kind + " is spoilt: its checksum differs.");
        }
        return state;
    }

    private static void check(String kind, String what, long saved, int known)
            throws StateException {
        if (saved != known) {
            throw new StateException(
                    "The state of "
                            + kind
                            + " has the "
                            + what
                            + " "
                            + saved
                            + ", and this program knows "
                            + known
                            + ".");
        }
    }

    private static long checksum(byte[] state) {
        CRC32C sum = new CRC32C();
        sum.update(state);
        return sum.getValue();
    }
}
