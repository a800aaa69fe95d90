package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** struct sockaddr_un, unix(7). */
final class UnixAddress {
    static final int BYTES = 110;
    private static final long FAMILY = 0;
    private static final int PATH = 2;

    /** The path ends in NUL within 108 bytes. */
    private static final int MAX_PATH_BYTES = 107;

    private UnixAddress() {}

    static MemorySegment of(Path path, Arena arena) throws IOException {
        byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > MAX_PATH_BYTES) {
            throw new IOException(
                    "The socket path "
                            + path
                            + " has "
                            + bytes.length
                            + " bytes; 1 to "
                            + MAX_PATH_BYTES
                            + " are possible. Choose a shorter one.");
        }
        MemorySegment address = arena.allocate(BYTES, 2);
        address.set(JAVA_SHORT, FAMILY, (short) Libc.AF_UNIX);
        MemorySegment.copy(bytes, 0, address, JAVA_BYTE, PATH, bytes.length);
        return address;
    }
}
