package farslot.lab;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Writes an initramfs: a cpio archive in "newc" format (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and to
 * the beginning of time, so the same content gives the same bytes. Folders are made before what
 * lies in them.
 */
final class Cpio implements Closeable {
    private static final int FOLDER = 0040755;
    private static final int SYMBOLIC_LINK = 0120777;
    private static final int FILE = 0100000;

    private final OutputStream out;
    private final Set<String> folders = new HashSet<>();
    private int inode = 1;
    private long written;

    /** Owns {@code out} from now on. */
    Cpio(OutputStream out) {
        this.out = out;
    }

    /** A folder, with those above it; once only. */
    void folder(String name) throws IOException {
        if (name.isEmpty() || !folders.add(name)) {
            return;
        }
        folder(parent(name));
        entry(name, FOLDER, new byte[0]);
    }

    /** A file; {@code permissions} as chmod takes them. */
    void file(String name, int permissions, byte[] content) throws IOException {
        folder(parent(name));
        entry(name, FILE | permissions, content);
    }

    void file(String name, int permissions, Path content) throws IOException {
        file(name, permissions, Files.readAllBytes(content));
    }

    void link(String name, String target) throws IOException {
        folder(parent(name));
        entry(name, SYMBOLIC_LINK, target.getBytes(StandardCharsets.UTF_8));
    }

    /** Ends the archive and closes its stream. */
    @Override
    public void close() throws IOException {
        entry("TRAILER!!!", 0, new byte[0]);
        out.close();
    }

    private static String parent(String name) {
        int slash = name.lastIndexOf('/');
        return slash < 0 ? "" : name.substring(0, slash);
    }

    /** The header is 6 characters of magic and 13 numbers of 8 hexadecimal digits each. */
    private void entry(String name, int mode, byte[] content) throws IOException {
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        int links = mode == FOLDER ? 2 : 1;
        int[] fields = {
            inode++,
            mode,
            0, // user
            0, // group
            links,
            0, // modification time
            content.length,
            0, // device, major
            0, // device, minor
            0, // device of a special file, major
            0, // device of a special file, minor
            nameBytes.length + 1, // with the NUL
            0 // check sum, of another format
        };
        StringBuilder header = new StringBuilder("070701");
        for (int field : fields) {
            header.append(String.format(Locale.ROOT, "%08X", field));
        }
        write(header.toString().getBytes(StandardCharsets.US_ASCII));
        write(nameBytes);
        write(new byte[1]);
        pad();
        write(content);
        pad();
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    /** Names and contents begin at multiples of 4. */
    private void pad() throws IOException {
        write(new byte[(int) (-written & 3)]);
    }
}
