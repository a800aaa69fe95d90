package farslot.vfiouser;

import farslot.posix.Errno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a client's VERSION message says, and the answer. QEMU drops a connection whose answer is
 * longer than its request or has another minor number.
 *
 * @param maxDataBytes the most data that the client takes in one message
 */
record VersionExchange(int maxDataBytes) {
    /** The specification's value where a client says nothing. */
    private static final int DEFAULT_MAX_DATA_BYTES = 1 << 20;

    private static final int MAX_JSON_BYTES = 0x10000;

    /** What this server says, the fullest first: the first that fits is sent. */
    private static final String[] ANSWERS = {
        "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576}}\0", "{}\0", ""
    };

    static VersionExchange of(Message request) throws Refused {
        if (request.payloadBytes() < Messages.VERSION_JSON) {
            throw new Refused(
                    Errno.EINVAL,
                    "VERSION has " + request.payloadBytes() + " bytes; at least 4 are needed.");
        }
        int major = request.u16(Messages.VERSION_MAJOR);
        if (major != 0) {
            throw new Refused(
                    Errno.EINVAL,
                    "The client speaks vfio-user "
                            + major
                            + "."
                            + request.u16(Messages.VERSION_MINOR)
                            + "; this server speaks 0.0.");
        }
        int jsonBytes = request.payloadBytes() - Messages.VERSION_JSON;
        return new VersionExchange(jsonBytes == 0 ? DEFAULT_MAX_DATA_BYTES : maxData(request));
    }

    private static int maxData(Message request) throws Refused {
        JsonNode capabilities = parse(request).path("capabilities");
        if (!capabilities.isMissingNode() && !capabilities.isObject()) {
            throw new Refused(Errno.EINVAL, "VERSION's \"capabilities\" is no JSON object.");
        }
        JsonNode maxData = capabilities.path("max_data_xfer_size");
        if (maxData.isMissingNode()) {
            return DEFAULT_MAX_DATA_BYTES;
        }
        if (!maxData.isIntegralNumber() || !maxData.canConvertToLong() || maxData.asLong() < 1) {
            throw new Refused(
                    Errno.EINVAL,
                    "VERSION's \"max_data_xfer_size\" is no number of bytes: " + maxData + ".");
        }
        return (int) Math.min(maxData.asLong(), Messages.MAX_DATA_BYTES);
    }

    private static JsonNode parse(Message request) throws Refused {
        int length = request.payloadBytes() - Messages.VERSION_JSON;
        if (length > MAX_JSON_BYTES) {
            throw new Refused(
                    Errno.E2BIG,
                    "VERSION brings " + length + " bytes of JSON; at most 65536 are read.");
        }
        byte[] bytes = request.slice(Messages.VERSION_JSON, length).toArray(ValueLayout.JAVA_BYTE);
        if (bytes[length - 1] != 0) {
            throw new Refused(Errno.EINVAL, "VERSION's JSON does not end in NUL.");
        }
        String text = new String(bytes, 0, length - 1, StandardCharsets.UTF_8);
        try {
            JsonNode node = JsonMapper.shared().readTree(text);
            if (node == null || !node.isObject()) {
                throw new Refused(Errno.EINVAL, "VERSION's JSON is no object.");
            }
            return node;
        } catch (JacksonException notJson) {
            throw new Refused(
                    Errno.EINVAL, "VERSION's JSON is not JSON: " + notJson.getOriginalMessage());
        }
    }

    /** Writes the answer's payload; its length, never more than the request's. */
    static int answer(Message request, MemorySegment into, long at) {
        into.set(Messages.U16, at + Messages.VERSION_MAJOR, (short) 0);
        into.set(Messages.U16, at + Messages.VERSION_MINOR, (short) 0);
        int room = request.payloadBytes() - Messages.VERSION_JSON;
        for (String answer : ANSWERS) {
            byte[] bytes = answer.getBytes(StandardCharsets.US_ASCII);
            if (bytes.length <= room) {
                MemorySegment.copy(
                        bytes,
                        0,
                        into,
                        ValueLayout.JAVA_BYTE,
                        at + Messages.VERSION_JSON,
                        bytes.length);
                return Messages.VERSION_JSON + bytes.length;
            }
        }
        return Messages.VERSION_JSON;
    }
}
