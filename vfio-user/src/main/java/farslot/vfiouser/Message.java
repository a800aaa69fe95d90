package farslot.vfiouser;

import farslot.posix.ReceivedDescriptors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A message that was read: its header's fields, and where its payload stands. A reader uses one
 * object again and again; {@link #copy} makes one that lasts.
 */
final class Message {
    private MemorySegment buffer = MemorySegment.NULL;
    private long payload;
    private int id;
    private int command;
    private int flags;
    private int errno;
    private int payloadBytes;
    private ReceivedDescriptors descriptors = new ReceivedDescriptors();

    /** Points this object at the whole message that begins at {@code at}. */
    void point(MemorySegment within, long at) {
        buffer = within;
        payload = at + Messages.HEADER_BYTES;
        id = within.get(Messages.U16, at + Messages.HEADER_ID) & 0xffff;
        command = within.get(Messages.U16, at + Messages.HEADER_COMMAND) & 0xffff;
        flags = within.get(Messages.U32, at + Messages.HEADER_FLAGS);
        errno = within.get(Messages.U32, at + Messages.HEADER_ERRNO);
        payloadBytes = within.get(Messages.U32, at + Messages.HEADER_SIZE) - Messages.HEADER_BYTES;
    }

    Message copy() {
        long size = Messages.HEADER_BYTES + (long) payloadBytes;
        MemorySegment own = Arena.ofAuto().allocate(size);
        MemorySegment.copy(buffer, payload - Messages.HEADER_BYTES, own, 0, size);
        Message copy = new Message();
        copy.point(own, 0);
        copy.descriptors = descriptors;
        descriptors = new ReceivedDescriptors();
        return copy;
    }

    int id() {
        return id;
    }

    int command() {
        return command;
    }

    int flags() {
        return flags;
    }

    int errno() {
        return errno;
    }

    boolean isReply() {
        return (flags & Messages.TYPE_MASK) == Messages.TYPE_REPLY;
    }

    boolean isError() {
        return (flags & Messages.FLAG_ERROR) != 0;
    }

    /** Whether the client waits for an answer. */
    boolean wantsReply() {
        return (flags & (Messages.FLAG_NO_REPLY | Messages.TYPE_MASK)) == Messages.TYPE_COMMAND;
    }

    int payloadBytes() {
        return payloadBytes;
    }

    /** A field of the payload; its place was checked against {@link #payloadBytes}. */
    int u8(long offset) {
        return buffer.get(java.lang.foreign.ValueLayout.JAVA_BYTE, payload + offset) & 0xff;
    }

    int u16(long offset) {
        return buffer.get(Messages.U16, payload + offset) & 0xffff;
    }

    int u32(long offset) {
        return buffer.get(Messages.U32, payload + offset);
    }

    long u64(long offset) {
        return buffer.get(Messages.U64, payload + offset);
    }

    void copyPayload(long offset, MemorySegment into, long intoOffset, long length) {
        MemorySegment.copy(buffer, payload + offset, into, intoOffset, length);
    }

    MemorySegment slice(long offset, long length) {
        return buffer.asSlice(payload + offset, length);
    }

    /** The descriptors that came with this message; closed with the next unless taken. */
    ReceivedDescriptors descriptors() {
        return descriptors;
    }

    void descriptors(ReceivedDescriptors arrived) {
        descriptors.close();
        descriptors = arrived;
    }
}
