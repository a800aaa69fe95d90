package farslot.posix;

import java.io.IOException;

/** This process: who it runs as, and rights that it gives up for good. */
public final class OwnProcess {
    private OwnProcess() {}

    /** The user id that the kernel asks for: geteuid(2). */
    public static int userId() {
        return Libc.geteuid();
    }

    /**
     * Files that are made from now on are their owner's alone, however they are made: umask 077.
     */
    public static void keepFilesPrivate() {
        Libc.umask(077);
    }

    /**
     * This thread, all that it starts from now on, and what they execute, never gain a right that
     * they do not have: prctl(2), PR_SET_NO_NEW_PRIVS. Threads that are there already are not
     * touched.
     */
    public static void gainNoRights() throws IOException {
        set(Libc.PR_SET_NO_NEW_PRIVS, 1, "Cannot give up gaining rights");
    }

    /**
     * No other process of the same user can attach to this one or read its memory, and nothing of
     * it is written to a core file: prctl(2), PR_SET_DUMPABLE. Its files in /proc belong to root
     * from now on.
     */
    public static void hideMemory() throws IOException {
        set(Libc.PR_SET_DUMPABLE, 0, "Cannot hide this process's memory");
    }

    private static void set(int option, long value, String what) throws IOException {
        if (Libc.prctl(option, value) < 0) {
            throw new PosixException(what, Libc.errno());
        }
    }
}
