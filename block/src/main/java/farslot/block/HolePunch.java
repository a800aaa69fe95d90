package farslot.block;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * Gives a file's room back to its file system, by fallocate(2); the JDK has no such call.
 *
 * <p>It has a descriptor of its own, since the JDK shows nobody a channel's. POSIX locks of a
 * process end when it closes <em>any</em> descriptor of the file (fcntl(2)): close this after the
 * channel that holds the lock.
 */
final class HolePunch implements AutoCloseable {
    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    private static final int FALLOC_FL_ZERO_RANGE = 0x10;

    private final int descriptor;
    private final boolean works;

    private HolePunch(int descriptor, long sizeBytes) {
        this.descriptor = descriptor;
        // A hole behind the end changes nothing, and tells whether the file system knows holes.
        this.works = discard(sizeBytes, 4096);
    }

    /**
     * A hole punch for the file of this size, or null where there is none: no Linux, or no native
     * access.
     */
    static HolePunch of(Path file, long sizeBytes) {
        if (!System.getProperty("os.name").equals("Linux")
                || !HolePunch.class.getModule().isNativeAccessEnabled()) {
            return null;
        }
        int descriptor = Calls.open(file.toString());
        return descriptor < 0 ? null : new HolePunch(descriptor, sizeBytes);
    }

    /** Whether the file system knows holes. */
    boolean works() {
        return works;
    }

    /** Whether the range is now a hole, which reads as zeros. */
    boolean discard(long offset, long lengthBytes) {
        return Calls.fallocate(
                descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, lengthBytes);
    }

    /** Whether the range now reads as zeros and has its room on the disk. */
    boolean zero(long offset, long lengthBytes) {
        return Calls.fallocate(
                descriptor, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, lengthBytes);
    }

    @Override
    public void close() {
        Calls.close(descriptor);
    }

    /** Bound when first needed: a method handle of a foreign call costs megabytes. */
    private static final class Calls {
        private static final MethodHandle OPEN =
                bind(
                        "open",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT),
                        Linker.Option.firstVariadicArg(2));
        private static final MethodHandle CLOSE =
                bind("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        private static final MethodHandle FALLOCATE =
                bind(
                        "fallocate",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG));

        private static MethodHandle bind(
                String name, FunctionDescriptor type, Linker.Option... options) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, options);
        }

        static int open(String path) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment name = arena.allocateFrom(path);
                return (int) OPEN.invokeExact(name, O_RDWR | O_CLOEXEC, 0);
            } catch (Throwable e) {
                throw new LinkageError("open(2) could not be called", e);
            }
        }

        static boolean fallocate(int descriptor, int mode, long offset, long lengthBytes) {
            try {
                return (int) FALLOCATE.invokeExact(descriptor, mode, offset, lengthBytes) == 0;
            } catch (Throwable e) {
                throw new LinkageError("fallocate(2) could not be called", e);
            }
        }

        static void close(int descriptor) {
            try {
                int ignored = (int) CLOSE.invokeExact(descriptor);
            } catch (Throwable e) {
                throw new LinkageError("close(2) could not be called", e);
            }
        }
    }
}
