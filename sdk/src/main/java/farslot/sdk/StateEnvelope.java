package farslot.sdk;

import farslot.core.StateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/**
 * What is round a saved state: of what device it is and of which versions, and a checksum, so that
 * what is cut off, spoilt or another's is known before any of it is used.
 *
 * @param version of what the device itself saves
 * @param options that the device was made with
 */
record StateEnvelope(String kind, int version, Map<String, String> options) {
    /** The version of what the SDK itself saves. */
    private static final int SDK_VERSION = 1;

    byte[] seal(byte[] state) {
        return new StateWriter()
                .put("kind", kind)
                .put("version", version)
                .put("SDK version", SDK_VERSION)
                .group("options", fields -> options.forEach(fields::put))
                .put("checksum", checksum(state))
                .put("state", state)
                .toBytes();
    }

    byte[] open(byte[] sealed) throws StateException {
        StateReader envelope = StateReader.of(sealed);
        String savedKind = envelope.text("kind");
        if (!savedKind.equals(kind)) {
            throw new StateException(
                    "The state is of the device kind \"" + savedKind + "\", not " + kind + ".");
        }
        check("version", envelope.number("version"), version);
        check("SDK version", envelope.number("SDK version"), SDK_VERSION);
        checkOptions(envelope.group("options"));
        byte[] state = envelope.bytes("state");
        if (envelope.number("checksum") != checksum(state)) {
            throw new StateException("The state of " + kind + " is spoilt: its checksum differs.");
        }
        return state;
    }

    private void check(String what, long saved, int known) throws StateException {
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

    private void checkOptions(StateReader saved) throws StateException {
        TreeSet<String> names = new TreeSet<>(options.keySet());
        names.addAll(saved.names());
        List<String> differences = new ArrayList<>();
        for (String name : names) {
            String before = saved.has(name) ? saved.text(name) : "not given";
            String now = options.getOrDefault(name, "not given");
            if (!before.equals(now)) {
                differences.add(name + " was " + before + " and is " + now);
            }
        }
        if (!differences.isEmpty()) {
            throw new StateException(
                    "The state is of a device with other options: "
                            + String.join(", ", differences)
                            + ".");
        }
    }

    private static long checksum(byte[] state) {
        CRC32C sum = new CRC32C();
        sum.update(state);
        return sum.getValue();
    }
}
