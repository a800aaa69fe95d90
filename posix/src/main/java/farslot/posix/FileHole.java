package farslot.posix;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A piece of a file that takes no room on the disk and reads as zeros; the file is as long as
 * before. Not every file system has such.
 */
public final class FileHole {
    private FileHole() {}

    /**
     * Gives the room of a piece back: madvise(2), MADV_REMOVE.
     *
     * @param offset within the file, as its length a multiple of 4096
     * @throws IOException where the file system cannot do it
     */
    public static void make(Path file, long offset, long length) throws IOException {
        try (FileChannel channel =
                        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment piece =
                    channel.map(FileChannel.MapMode.READ_WRITE, offset, length, arena);
            if (Libc.madvise(piece, length, Libc.MADV_REMOVE) != 0) {
                throw new PosixException("Cannot give back the room of " + file, Libc.errno());
            }
        }
    }
}
