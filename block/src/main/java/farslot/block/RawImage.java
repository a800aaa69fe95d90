package farslot.block;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An image that is a plain file with the disk's bytes and nothing else ("raw" in QEMU's words).
 * While it is open no other process, and nobody else in this one, can open it.
 */
public final class RawImage implements BlockImage {
    /** The smallest image that is taken. */
    public static final long MIN_SIZE_BYTES = 4096;

    private static final int ZEROS_AT_ONCE = 1 << 20;

    /**
     * The files open in this process. The operating system's lock does not tell two openings of one
     * process apart, and is lost when the second is closed: so a second one never comes about.
     */
    private static final Set<Object> OPEN = new HashSet<>();

    private final Path path;
    private final Object key;
    private final FileChannel channel;
    private final HolePunch holePunch;
    private final long sizeBytes;
    private final ReadWriteLock users = new ReentrantReadWriteLock();
    private boolean closed;

    private RawImage(
            Path path, Object key, FileChannel channel, HolePunch holePunch, long sizeBytes) {
        this.path = path;
        this.key = key;
        this.channel = channel;
        this.holePunch = holePunch;
        this.sizeBytes = sizeBytes;
    }

    /**
     * Opens an image, or creates it.
     *
     * @param path the file
     * @param size in bytes: an image that does not exist is created with it, taking no room yet;
     *     one that exists must have it. Empty: the image must exist and is used as it is
     * @param granuleBytes the size must be a multiple of it: the device's block size
     * @throws ImageException whose message is a sentence for the user; no file was changed or left
     *     behind
     */
    public static RawImage open(Path path, OptionalLong size, int granuleBytes)
            throws ImageException {
        try {
            boolean created = false;
            if (size.isPresent()) {
                checkSize(path, size.getAsLong(), granuleBytes);
                created = create(path);
            }
            return reserveAndOpen(path, size, granuleBytes, created);
        } catch (IOException e) {
            throw explain(path, e);
        }
    }

    private static RawImage reserveAndOpen(
            Path path, OptionalLong size, int granuleBytes, boolean created) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            throw new ImageException(
                    "Image "
                            + path
                            + " is "
                            + (attributes.isDirectory() ? "a directory" : "no regular file")
                            + "; name a file.");
        }
        checkAccess(path);
        Object key = Objects.requireNonNullElse(attributes.fileKey(), path.toRealPath());
        reserve(path, key);
        boolean opened = false;
        try {
            RawImage image = openAndLock(path, key, size, granuleBytes, created);
            opened = true;
            return image;
        } finally {
            if (!opened) {
                release(key);
            }
        }
    }

    private static RawImage openAndLock(
            Path path, Object key, OptionalLong size, int granuleBytes, boolean created)
            throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        boolean locked = false;
        boolean opened = false;
        try {
            lock(path, file.getChannel());
            locked = true;
            if (created) {
                file.setLength(size.getAsLong());
            }
            long sizeBytes = file.length();
            checkExisting(path, sizeBytes, size, granuleBytes);
            HolePunch holePunch = HolePunch.of(path.toRealPath(), sizeBytes);
            opened = true;
            return new RawImage(path, key, file.getChannel(), holePunch, sizeBytes);
        } finally {
            if (!opened) {
                file.close();
                if (created && locked) {
                    Files.deleteIfExists(path);
                }
            }
        }
    }

    private static boolean create(Path path) throws IOException {
        try {
            Files.createFile(path);
            return true;
        } catch (FileAlreadyExistsException _) {
            return false;
        }
    }

    private static void reserve(Path path, Object key) throws ImageException {
        synchronized (OPEN) {
            if (!OPEN.add(key)) {
                throw new ImageException(
                        "Image "
                                + path
                                + " is in use by another device of this process; stop that one"
                                + " first or name another image.");
            }
        }
    }

    private static void release(Object key) {
        synchronized (OPEN) {
            OPEN.remove(key);
        }
    }

    private static void lock(Path path, FileChannel channel) throws IOException {
        try {
            if (channel.tryLock() != null) {
                return;
            }
        } catch (OverlappingFileLockException _) {
            // Another part of this process locked it by other means.
        }
        throw new ImageException(
                "Image "
                        + path
                        + " is in use by another process; stop that one first or name another"
                        + " image.");
    }

    private static void checkAccess(Path path) throws ImageException {
        if (!Files.isReadable(path) || !Files.isWritable(path)) {
            throw new ImageException(
                    "Image "
                            + path
                            + " may not be read and written by this user; change its permissions"
                            + " or name another image.");
        }
    }

    private static void checkSize(Path path, long sizeBytes, int granuleBytes)
            throws ImageException {
        if (sizeBytes < MIN_SIZE_BYTES) {
            throw new ImageException(
                    "Image "
                            + path
                            + " would have "
                            + sizeBytes
                            + " bytes, which is too small; give at least "
                            + MIN_SIZE_BYTES
                            + " (size=1G makes one of a gibibyte).");
        }
        checkMultiple(path, sizeBytes, granuleBytes);
    }

    private static void checkExisting(
            Path path, long sizeBytes, OptionalLong size, int granuleBytes) throws ImageException {
        if (size.isPresent() && size.getAsLong() != sizeBytes) {
            throw new ImageException(
                    "Image "
                            + path
                            + " exists with "
                            + sizeBytes
                            + " bytes, not the "
                            + size.getAsLong()
                            + " asked for; leave the size out to use it as it is, or name another"
                            + " image.");
        }
        if (sizeBytes < MIN_SIZE_BYTES) {
            throw new ImageException(
                    "Image "
                            + path
                            + " has only "
                            + sizeBytes
                            + " bytes, which is too small; at least "
                            + MIN_SIZE_BYTES
                            + " are needed.");
        }
        checkMultiple(path, sizeBytes, granuleBytes);
    }

    private static void checkMultiple(Path path, long sizeBytes, int granuleBytes)
            throws ImageException {
        if (sizeBytes % granuleBytes != 0) {
            throw new ImageException(
                    "Image "
                            + path
                            + ": its size of "
                            + sizeBytes
                            + " bytes is no multiple of the block size, "
                            + granuleBytes
                            + "; give another size or block size.");
        }
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        Objects.checkFromIndexSize(offset, into.byteSize(), sizeBytes);
        ByteBuffer buffer = into.asByteBuffer();
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, offset + buffer.position()) < 0) {
                    throw new ImageException(
                            "Image " + path + " has been cut short by somebody else.");
                }
            }
        } catch (IOException e) {
            throw explain(path, e);
        }
    }

    @Override
    public void write(long offset, MemorySegment from) throws IOException {
        Objects.checkFromIndexSize(offset, from.byteSize(), sizeBytes);
        write(offset, from.asByteBuffer());
    }

    private void write(long offset, ByteBuffer buffer) throws IOException {
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer, offset + buffer.position());
            }
        } catch (IOException e) {
            throw explain(path, e);
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            channel.force(false);
        } catch (IOException e) {
            throw explain(path, e);
        }
    }

    @Override
    public void writeZeroes(long offset, long lengthBytes, boolean mayDiscard) throws IOException {
        Objects.checkFromIndexSize(offset, lengthBytes, sizeBytes);
        if (lengthBytes == 0 || allocateZeroes(offset, lengthBytes, mayDiscard)) {
            return;
        }
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(lengthBytes, ZEROS_AT_ONCE));
        for (long done = 0; done < lengthBytes; done += zeros.limit()) {
            zeros.clear().limit((int) Math.min(lengthBytes - done, zeros.capacity()));
            write(offset + done, zeros);
        }
    }

    private boolean allocateZeroes(long offset, long lengthBytes, boolean mayDiscard)
            throws IOException {
        return withHolePunch(punch ->
                mayDiscard ? punch.discard(offset, lengthBytes) : punch.zero(offset, lengthBytes));
    }

    @Override
    public void discard(long offset, long lengthBytes) throws IOException {
        Objects.checkFromIndexSize(offset, lengthBytes, sizeBytes);
        if (lengthBytes > 0 && discardReadsZeroes()) {
            writeZeroes(offset, lengthBytes, true);
        }
    }

    @Override
    public boolean discardReadsZeroes() {
        return holePunch != null && holePunch.works();
    }

    private interface Punching {
        boolean by(HolePunch punch);
    }

    /**
     * The descriptor must not be closed, and perhaps be another file's, in the middle of a call.
     */
    private boolean withHolePunch(Punching punching) throws IOException {
        if (!discardReadsZeroes()) {
            return false;
        }
        users.readLock().lock();
        try {
            if (closed) {
                throw new ImageException("Image " + path + " is closed.");
            }
            return punching.by(holePunch);
        } finally {
            users.readLock().unlock();
        }
    }

    @Override
    public void close() throws IOException {
        users.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            closeFile();
        } finally {
            users.writeLock().unlock();
        }
    }

    private void closeFile() throws IOException {
        try {
            flush();
        } finally {
            channel.close();
            if (holePunch != null) {
                holePunch.close();
            }
            release(key);
        }
    }

    static ImageException explain(Path path, IOException e) {
        String reason = Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
        return switch (e) {
            case ImageException sentence -> sentence;
            case NoSuchFileException missing when missing.getFile().equals(path.toString()) ->
                    missing(path, e);
            case AccessDeniedException _ ->
                    new ImageException(
                            "Image "
                                    + path
                                    + " may not be made there by this user; change the folder's"
                                    + " permissions or name another image.",
                            e);
            case ClosedChannelException _ -> new ImageException("Image " + path + " is closed.", e);
            default ->
                    isFull(reason)
                            ? new ImageFullException(
                                    "Image "
                                            + path
                                            + " cannot grow: "
                                            + reason
                                            + "; make room on that disk.",
                                    e)
                            : new ImageException("Image " + path + " failed: " + reason + ".", e);
        };
    }

    private static ImageException missing(Path path, IOException cause) {
        Path folder = path.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            return new ImageException(
                    "Image " + path + " cannot be opened: there is no folder " + folder + ".",
                    cause);
        }
        return new ImageException(
                "There is no image " + path + "; give a size (size=1G) to create it.", cause);
    }

    /** The JDK tells ENOSPC, EDQUOT and EFBIG by strerror(3)'s words only. */
    private static boolean isFull(String reason) {
        String words = reason.toLowerCase(Locale.ROOT);
        return words.contains("no space left")
                || words.contains("quota exceeded")
                || words.contains("file too large");
    }
}
