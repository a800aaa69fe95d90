package farslot.bench;

import farslot.core.Region;
import farslot.posix.UnixStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The emulator's side of vfio-user, as little of it as two accesses need: the version exchange,
 * REGION_READ, and REGION_WRITE posted as QEMU posts it (QEMU, docs/interop/vfio-user.rst).
 */
final class VfioUserClient implements Target {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;

    // Header: u16 id, u16 command, u32 size with header, u32 flags, u32 errno.
    private static final int HEADER_BYTES = 16;
    private static final int VERSION = 1;
    private static final int REGION_READ = 9;
    private static final int REGION_WRITE = 10;
    private static final int FLAG_NO_REPLY = 0x10;
    private static final int FLAG_ERROR = 0x20;

    /** Header; u64 offset, u32 region, u32 count. */
    private static final int ACCESS_BYTES = HEADER_BYTES + 16;

    private static final int MAX_REPLY_BYTES = 4096;

    private final String name;
    private final UnixStream stream;
    private final MemorySegment request = Arena.ofAuto().allocate(MAX_REPLY_BYTES, 8);
    private final MemorySegment reply = Arena.ofAuto().allocate(MAX_REPLY_BYTES, 8);
    private short id;

    private VfioUserClient(String name, UnixStream stream) {
        this.name = name;
        this.stream = stream;
    }

    static VfioUserClient connect(String name, Path socket) throws IOException {
        VfioUserClient client = new VfioUserClient(name, UnixStream.connect(socket));
        byte[] json = "{\"capabilities\":{}}\0".getBytes(StandardCharsets.UTF_8);
        // u16 major, u16 minor, JSON.
        client.request.set(U16, HEADER_BYTES, (short) 0);
        client.request.set(U16, HEADER_BYTES + 2, (short) 0);
        MemorySegment.copy(
                json, 0, client.request, ValueLayout.JAVA_BYTE, HEADER_BYTES + 4, json.length);
        client.send(VERSION, HEADER_BYTES + 4 + json.length, 0);
        client.receive();
        client.request.set(U32, ACCESS_BYTES, FunctionTarget.COMMAND_MEMORY);
        client.access(Region.CONFIGURATION, FunctionTarget.COMMAND, FunctionTarget.COMMAND_BYTES);
        client.send(REGION_WRITE, ACCESS_BYTES + FunctionTarget.COMMAND_BYTES, 0);
        client.receive();
        return client;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String baseline() {
        return PingPong.UNIX;
    }

    @Override
    public void read() throws IOException {
        access(FunctionTarget.REGION, FunctionTarget.LIVENESS, FunctionTarget.WORD_BYTES);
        send(REGION_READ, ACCESS_BYTES, 0);
        receive();
    }

    @Override
    public void write() throws IOException {
        access(FunctionTarget.REGION, FunctionTarget.LIVENESS, FunctionTarget.WORD_BYTES);
        send(REGION_WRITE, ACCESS_BYTES + FunctionTarget.WORD_BYTES, FLAG_NO_REPLY);
    }

    private void access(int region, int offset, int count) {
        request.set(U64, HEADER_BYTES, offset);
        request.set(U32, HEADER_BYTES + 8, region);
        request.set(U32, HEADER_BYTES + 12, count);
    }

    private void send(int command, int size, int flags) throws IOException {
        request.set(U16, 0, ++id);
        request.set(U16, 2, (short) command);
        request.set(U32, 4, size);
        request.set(U32, 8, flags);
        request.set(U32, 12, 0);
        stream.write(request.asSlice(0, size));
    }

    private void receive() throws IOException {
        readFully(0, HEADER_BYTES);
        int size = reply.get(U32, 4);
        if (size < HEADER_BYTES || size > MAX_REPLY_BYTES) {
            throw new IOException("The vfio-user server's reply has " + size + " bytes.");
        }
        readFully(HEADER_BYTES, size - HEADER_BYTES);
        if ((reply.get(U32, 8) & FLAG_ERROR) != 0) {
            throw new IOException("The vfio-user server answered error " + reply.get(U32, 12));
        }
    }

    private void readFully(int offset, int length) throws IOException {
        if (!stream.readFully(reply.asSlice(offset, length))) {
            throw new EOFException("The vfio-user server has closed the connection.");
        }
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
