package farslot.link;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Names a peer that does not speak the link protocol, by its first bytes. */
final class Stranger {
    private Stranger() {}

    /** Whether they can be a TLS record: an alert or a handshake (RFC 8446, 5.1). */
    static boolean isTls(byte[] seen) {
        return seen.length > 0
                && (seen[0] == 0x15 || seen[0] == 0x16)
                && (seen.length == 1 || seen[1] == 0x03);
    }

    static String name(byte[] seen) {
        String text = new String(seen, StandardCharsets.ISO_8859_1);
        if (text.startsWith("HTTP/")) {
            return "it answers as a web server does (HTTP)";
        }
        if (text.matches("(?s)(GET|POST|PUT|HEAD|OPTIONS|CONNECT|PRI) .*")) {
            return "it asks as a web browser does (HTTP)";
        }
        if (text.startsWith("SSH-")) {
            return "it speaks SSH";
        }
        if (isTls(seen)) {
            return "it speaks TLS";
        }
        if (seen.length >= 4 && seen[2] == 0x01 && seen[3] == 0x00) {
            return "it speaks vfio-user, as QEMU does to a slot's socket";
        }
        byte[] first = Arrays.copyOf(seen, Math.min(seen.length, 16));
        StringBuilder hex = new StringBuilder();
        for (byte value : first) {
            hex.append(hex.isEmpty() ? "" : " ").append(String.format("%02x", value));
        }
        return "its first bytes are " + hex;
    }
}
