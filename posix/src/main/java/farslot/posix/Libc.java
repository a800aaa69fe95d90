package farslot.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library's functions that this package calls, one class each, so that a handle is made only
 * when its function is first called: handles are what a small process pays most for.
 *
 * <p>Every call captures errno in a segment of its thread; {@link #errno} means something only
 * right after a call of the same thread that returned -1.
 */
final class Libc {
    static final int AF_UNIX = 1;
    static final int SOCK_STREAM = 1;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_SOCKET = 1;
    static final int SO_SNDBUF = 7;
    static final int SO_RCVBUF = 8;
    static final int SO_PEERCRED = 17;
    static final int SO_RCVTIMEO = 20;
    static final int SO_SNDTIMEO = 21;
    static final int SCM_RIGHTS = 1;
    static final int SHUT_RDWR = 2;
    static final int MSG_CTRUNC = 0x8;
    static final int MSG_DONTWAIT = 0x40;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int MSG_CMSG_CLOEXEC = 0x40000000;
    static final short POLLIN = 0x1;
    static final short POLLRDHUP = 0x2000;
    static final int EFD_CLOEXEC = 0x80000;
    static final int EFD_NONBLOCK = 0x800;
    static final int MFD_CLOEXEC = 0x1;
    static final int MFD_ALLOW_SEALING = 0x2;
    static final int F_DUPFD_CLOEXEC = 1030;
    static final int PROT_READ = 1;
    static final int PROT_WRITE = 2;
    static final int MAP_SHARED = 1;
    static final int AT_EMPTY_PATH = 0x1000;
    static final int PR_SET_DUMPABLE = 4;
    static final int PR_SET_NO_NEW_PRIVS = 38;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final ThreadLocal<MemorySegment> CALL_STATE =
            ThreadLocal.withInitial(
                    () -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));
    private static final long ERRNO_OFFSET =
            Linker.Option.captureStateLayout()
                    .byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private Libc() {}

    /** The error of this thread's last call that returned -1. */
    static int errno() {
        return CALL_STATE.get().get(JAVA_INT, ERRNO_OFFSET);
    }

    private static final class Close {
        static final MethodHandle CALL = bind("close", JAVA_INT, JAVA_INT);
    }

    static int close(int descriptor) {
        try {
            return (int) Close.CALL.invokeExact(CALL_STATE.get(), descriptor);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Socket {
        static final MethodHandle CALL = bind("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    }

    static int socket(int domain, int type, int protocol) {
        try {
            return (int) Socket.CALL.invokeExact(CALL_STATE.get(), domain, type, protocol);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class SocketPair {
        static final MethodHandle CALL =
                bind("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    }

    static int socketpair(int domain, int type, int protocol, MemorySegment pair) {
        try {
            return (int)
                    SocketPair.CALL.invokeExact(CALL_STATE.get(), domain, type, protocol, pair);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Bind {
        static final MethodHandle CALL = bind("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    }

    static int bind(int descriptor, MemorySegment address, int length) {
        try {
            return (int) Bind.CALL.invokeExact(CALL_STATE.get(), descriptor, address, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Connect {
        static final MethodHandle CALL = bind("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    }

    static int connect(int descriptor, MemorySegment address, int length) {
        try {
            return (int) Connect.CALL.invokeExact(CALL_STATE.get(), descriptor, address, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Listen {
        static final MethodHandle CALL = bind("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    }

    static int listen(int descriptor, int backlog) {
        try {
            return (int) Listen.CALL.invokeExact(CALL_STATE.get(), descriptor, backlog);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Accept4 {
        static final MethodHandle CALL =
                bind("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    }

    static int accept4(int descriptor, int flags) {
        try {
            return (int)
                    Accept4.CALL.invokeExact(
                            CALL_STATE.get(),
                            descriptor,
                            MemorySegment.NULL,
                            MemorySegment.NULL,
                            flags);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Shutdown {
        static final MethodHandle CALL = bind("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
    }

    static int shutdown(int descriptor, int how) {
        try {
            return (int) Shutdown.CALL.invokeExact(CALL_STATE.get(), descriptor, how);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class GetSockOpt {
        static final MethodHandle CALL =
                bind("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    }

    static int getsockopt(
            int descriptor, int level, int name, MemorySegment value, MemorySegment length) {
        try {
            return (int)
                    GetSockOpt.CALL.invokeExact(
                            CALL_STATE.get(), descriptor, level, name, value, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class SetSockOpt {
        static final MethodHandle CALL =
                bind("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    }

    static int setsockopt(int descriptor, int level, int name, MemorySegment value, int length) {
        try {
            return (int)
                    SetSockOpt.CALL.invokeExact(
                            CALL_STATE.get(), descriptor, level, name, value, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Recv {
        static final MethodHandle CALL =
                bind("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    }

    static long recv(int descriptor, MemorySegment into, long length, int flags) {
        try {
            return (long) Recv.CALL.invokeExact(CALL_STATE.get(), descriptor, into, length, flags);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Send {
        static final MethodHandle CALL =
                bind("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    }

    static long send(int descriptor, MemorySegment from, long length, int flags) {
        try {
            return (long) Send.CALL.invokeExact(CALL_STATE.get(), descriptor, from, length, flags);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    // recvmsg and sendmsg reach their data through the message header, where the JDK cannot see
    // it. The fourth argument, which C never looks at, keeps that data's arena from being closed
    // during the call.

    private static final class RecvMsg {
        static final MethodHandle CALL =
                bind("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
    }

    static long recvmsg(int descriptor, MemorySegment header, int flags, MemorySegment data) {
        try {
            return (long)
                    RecvMsg.CALL.invokeExact(CALL_STATE.get(), descriptor, header, flags, data);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class SendMsg {
        static final MethodHandle CALL =
                bind("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
    }

    static long sendmsg(int descriptor, MemorySegment header, int flags, MemorySegment data) {
        try {
            return (long)
                    SendMsg.CALL.invokeExact(CALL_STATE.get(), descriptor, header, flags, data);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Read {
        static final MethodHandle CALL = bind("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    }

    static long read(int descriptor, MemorySegment into, long length) {
        try {
            return (long) Read.CALL.invokeExact(CALL_STATE.get(), descriptor, into, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Write {
        static final MethodHandle CALL = bind("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    }

    static long write(int descriptor, MemorySegment from, long length) {
        try {
            return (long) Write.CALL.invokeExact(CALL_STATE.get(), descriptor, from, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Poll {
        static final MethodHandle CALL = bind("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    }

    static int poll(MemorySegment entries, long count, int timeoutMillis) {
        try {
            return (int) Poll.CALL.invokeExact(CALL_STATE.get(), entries, count, timeoutMillis);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class NewEventFd {
        static final MethodHandle CALL = bind("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    }

    static int eventfd(int initial, int flags) {
        try {
            return (int) NewEventFd.CALL.invokeExact(CALL_STATE.get(), initial, flags);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class MemfdCreate {
        static final MethodHandle CALL = bind("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
    }

    static int memfdCreate(MemorySegment name, int flags) {
        try {
            return (int) MemfdCreate.CALL.invokeExact(CALL_STATE.get(), name, flags);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Ftruncate {
        static final MethodHandle CALL = bind("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    }

    static int ftruncate(int descriptor, long length) {
        try {
            return (int) Ftruncate.CALL.invokeExact(CALL_STATE.get(), descriptor, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Mmap {
        static final MethodHandle CALL =
                bind("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    }

    static MemorySegment mmap(
            MemorySegment where,
            long length,
            int protection,
            int flags,
            int descriptor,
            long offset) {
        try {
            return (MemorySegment)
                    Mmap.CALL.invokeExact(
                            CALL_STATE.get(), where, length, protection, flags, descriptor, offset);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    /** Gives back the room of a shared mapping in its file, which reads as zeros from then on. */
    static final int MADV_REMOVE = 9;

    private static final class Madvise {
        static final MethodHandle CALL = bind("madvise", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    }

    static int madvise(MemorySegment where, long length, int advice) {
        try {
            return (int) Madvise.CALL.invokeExact(CALL_STATE.get(), where, length, advice);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Munmap {
        static final MethodHandle CALL = bind("munmap", JAVA_INT, ADDRESS, JAVA_LONG);
    }

    static int munmap(MemorySegment where, long length) {
        try {
            return (int) Munmap.CALL.invokeExact(CALL_STATE.get(), where, length);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Statx {
        static final MethodHandle CALL =
                bind("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    }

    /** statx rather than fstat: its layout is the same on every machine. */
    static int statx(int directory, MemorySegment path, int flags, int mask, MemorySegment result) {
        try {
            return (int)
                    Statx.CALL.invokeExact(CALL_STATE.get(), directory, path, flags, mask, result);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Fcntl {
        static final MethodHandle CALL =
                LINKER.downcallHandle(
                        LINKER.defaultLookup().findOrThrow("fcntl"),
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
                        Linker.Option.captureCallState("errno"),
                        Linker.Option.firstVariadicArg(2));
    }

    static int fcntl(int descriptor, int command, int argument) {
        try {
            return (int) Fcntl.CALL.invokeExact(CALL_STATE.get(), descriptor, command, argument);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Prctl {
        static final MethodHandle CALL =
                LINKER.downcallHandle(
                        LINKER.defaultLookup().findOrThrow("prctl"),
                        FunctionDescriptor.of(
                                JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                        Linker.Option.captureCallState("errno"),
                        Linker.Option.firstVariadicArg(1));
    }

    /** prctl(2) with one argument; the unused ones are zero, as some options demand. */
    static int prctl(int option, long argument) {
        try {
            return (int) Prctl.CALL.invokeExact(CALL_STATE.get(), option, argument, 0L, 0L, 0L);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class Umask {
        static final MethodHandle CALL = bind("umask", JAVA_INT, JAVA_INT);
    }

    static int umask(int mask) {
        try {
            return (int) Umask.CALL.invokeExact(CALL_STATE.get(), mask);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class GetEuid {
        static final MethodHandle CALL = bind("geteuid", JAVA_INT);
    }

    static int geteuid() {
        try {
            return (int) GetEuid.CALL.invokeExact(CALL_STATE.get());
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static final class StrError {
        static final MethodHandle CALL =
                LINKER.downcallHandle(
                        LINKER.defaultLookup().findOrThrow("strerror"),
                        FunctionDescriptor.of(
                                ADDRESS.withTargetLayout(
                                        MemoryLayout.sequenceLayout(
                                                1024, java.lang.foreign.ValueLayout.JAVA_BYTE)),
                                JAVA_INT));
    }

    /** What the C library says about an error number. */
    static String errorText(int errno) {
        try {
            return ((MemorySegment) StrError.CALL.invokeExact(errno)).getString(0);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    private static MethodHandle bind(
            String name, MemoryLayout returned, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(returned, arguments),
                Linker.Option.captureCallState("errno"));
    }

    /** Downcalls throw what the caller did wrong: a closed arena, a segment of the heap. */
    private static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof RuntimeException exception) {
            return exception;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(thrown);
    }
}
