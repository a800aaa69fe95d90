package farslot.lender;

import farslot.core.StateException;
import farslot.link.SavedSession;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What a lender leaves for the next one of its name: each function that is lent at the moment, with
 * its lease and its session. It is a file beside the control sockets, for its user only, since it
 * holds the sessions' secrets.
 *
 * @param written when it was made
 */
record Handover(Instant written, List<Part> parts) {
    private static final int VERSION = 1;

    /** More than any device of this program has in its registers and memory. */
    private static final long MOST_BYTES = 1L << 30;

    /**
     * One function.
     *
     * @param state as {@link farslot.core.PciFunction#save} gave it
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Part(String function, byte[] state, GrantedLease lease, SavedSession session) {}

    Handover {
        parts = List.copyOf(parts);
    }

    /** Makes the file, whole and durable, or leaves none. */
    void write(Path file) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        var onlyOwner =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try {
            var how = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try (FileChannel channel = FileChannel.open(fresh, how, onlyOwner)) {
                ByteBuffer bytes = ByteBuffer.wrap(toBytes());
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /**
     * Reads a file that {@link #write} made.
     *
     * @throws StateException with a sentence, where it is not one, or others could have written it
     */
    static Handover read(Path file) throws StateException {
        try {
            Object owner = Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            Object self = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || !owner.equals(self)) {
                throw new StateException("It is not a file of this user.");
            }
            try (InputStream in = Files.newInputStream(file)) {
                byte[] bytes = in.readNBytes((int) Math.min(Files.size(file) + 1, MOST_BYTES));
                return of(bytes);
            }
        } catch (IOException e) {
            throw new StateException("It cannot be read: " + e, e);
        }
    }

    byte[] toBytes() {
        StateWriter content = new StateWriter().put("written", written.toEpochMilli());
        for (Part part : parts) {
            content.group(
                    "function " + part.function,
                    fields -> {
                        fields.put("state", part.state);
                        fields.put("epoch", part.lease.epoch());
                        fields.put("borrower", part.lease.borrower());
                        fields.put("since", part.lease.since().toEpochMilli());
                        fields.put("session", part.session.state());
                    });
        }
        byte[] bytes = content.toBytes();
        return new StateWriter()
                .put("farslot handover", VERSION)
                .put("checksum", checksum(bytes))
                .put("content", bytes)
                .toBytes();
    }

    static Handover of(byte[] bytes) throws StateException {
        StateReader file = StateReader.of(bytes);
        file.number("farslot handover", VERSION, VERSION);
        byte[] inside = file.bytes("content");
        if (file.number("checksum") != checksum(inside)) {
            throw new StateException("It is spoilt: its checksum differs.");
        }
        StateReader content = StateReader.of(inside);
        List<Part> parts = new ArrayList<>();
        for (String name : content.names()) {
            if (name.startsWith("function ")) {
                parts.add(part(name.substring("function ".length()), content.group(name)));
            }
        }
        return new Handover(Instant.ofEpochMilli(content.number("written")), parts);
    }

    private static Part part(String function, StateReader fields) throws StateException {
        long epoch = fields.number("epoch", 1, Long.MAX_VALUE);
        Instant since = Instant.ofEpochMilli(fields.number("since"));
        return new Part(
                function,
                fields.bytes("state"),
                new GrantedLease(epoch, fields.text("borrower"), since),
                new SavedSession(function, epoch, fields.bytes("session")));
    }

    private static long checksum(byte[] bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return sum.getValue();
    }
}
