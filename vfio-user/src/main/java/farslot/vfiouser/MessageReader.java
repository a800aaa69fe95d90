package farslot.vfiouser;

import farslot.posix.ReceivedDescriptors;
import farslot.posix.UnixStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * Cuts the stream of a client into messages and gives descriptors to the message they came with.
 *
 * <p>Descriptors ride on the first byte of a message, but the kernel tells only which bytes came
 * with one read. So in the phases where messages with descriptors follow each other the reader
 * takes exactly one message at a time, as other servers always do; while accesses run it takes what
 * there is, which saves a system call for each. Then descriptors belong to the last message of what
 * was read that can have any, because the kernel ends a read behind a piece with descriptors.
 *
 * <p>For one thread.
 */
final class MessageReader {
    private static final int FIRST_BUFFER_BYTES = 0x10000;

    private final UnixStream stream;
    private final Complaints complaints;
    private final ReaderState state;
    private final Message message = new Message();
    private MemorySegment buffer;

    /** Unread bytes are from begin to end. */
    private long begin;

    private long end;

    /** The position in the stream of the buffer's first byte. */
    private long base;

    private boolean exactly = true;
    private ReceivedDescriptors receiving = new ReceivedDescriptors();
    private final ArrayDeque<Arrival> arrivals = new ArrayDeque<>();

    /** Descriptors, and between which positions of the stream their message begins. */
    private record Arrival(long from, long to, ReceivedDescriptors descriptors) {}

    MessageReader(UnixStream stream, Complaints complaints, ReaderState state) {
        this.stream = stream;
        this.complaints = complaints;
        this.state = state;
        buffer = Arena.ofAuto().allocate(FIRST_BUFFER_BYTES, 8);
    }

    /**
     * A reader that goes on behind the last message, with a buffer of its own; this one is not used
     * any more, but the message it gave stays readable.
     */
    MessageReader successor() {
        MessageReader successor = new MessageReader(stream, complaints, state);
        long rest = end - begin;
        successor.buffer = Arena.ofAuto().allocate(Math.max(rest, FIRST_BUFFER_BYTES), Long.BYTES);
        MemorySegment.copy(buffer, begin, successor.buffer, 0, rest);
        successor.end = rest;
        successor.base = base + begin;
        successor.arrivals.addAll(arrivals);
        arrivals.clear();
        return successor;
    }

    /**
     * The next message, valid until the next call; null where the client has left.
     *
     * @throws IOException where the stream broke, or a frame's size is nonsense
     */
    Message next() throws IOException {
        message.descriptors().close();
        while (true) {
            long available = end - begin;
            long wanted = Messages.HEADER_BYTES;
            if (available >= Messages.HEADER_BYTES) {
                wanted = sizeAt(begin);
            }
            if (available < wanted) {
                if (!fill(wanted)) {
                    return null;
                }
            } else if (mayDeliver()) {
                message.point(buffer, begin);
                begin += wanted;
                exactly =
                        message.command() != Messages.REGION_READ
                                && message.command() != Messages.REGION_WRITE;
                return message;
            } else if (!fill(available + 1)) {
                throw new EOFException("The connection ended within a message.");
            }
        }
    }

    /** Closes what descriptors were read and not given to a message. */
    void close() {
        message.descriptors().close();
        receiving.close();
        arrivals.forEach(arrival -> arrival.descriptors().close());
        arrivals.clear();
    }

    private long sizeAt(long at) throws IOException {
        long size = buffer.get(Messages.U32, at + Messages.HEADER_SIZE) & 0xffffffffL;
        if (size < Messages.HEADER_BYTES || size > Messages.MAX_MESSAGE_BYTES) {
            throw new IOException(
                    String.format(
                            "A frame says that it has 0x%x bytes; 0x%x to 0x%x are possible, so"
                                    + " where the next one begins is not known.",
                            size, Messages.HEADER_BYTES, Messages.MAX_MESSAGE_BYTES));
        }
        return size;
    }

    /**
     * Finds the descriptors of the message at {@code begin}.
     *
     * @return false where that needs more of what was read with them
     */
    private boolean mayDeliver() throws IOException {
        if (arrivals.isEmpty()) {
            return true;
        }
        long position = base + begin;
        dropUnclaimed(position);
        Arrival first = arrivals.peek();
        int command = commandAt(begin);
        if (first == null || position < first.from() || !Messages.takesDescriptors(command)) {
            return true;
        }
        for (long at = begin + sizeAt(begin); base + at < first.to(); at += sizeAt(at)) {
            if (at + Messages.HEADER_BYTES > end) {
                return false;
            }
            if (Messages.takesDescriptors(commandAt(at))) {
                return true;
            }
        }
        message.descriptors(first.descriptors());
        arrivals.remove();
        return true;
    }

    private void dropUnclaimed(long position) {
        while (!arrivals.isEmpty() && arrivals.peek().to() <= position) {
            ReceivedDescriptors nobodys = arrivals.remove().descriptors();
            complaints.say(
                    nobodys.count() + " descriptors came with no message that takes any; closed.");
            nobodys.close();
        }
    }

    private int commandAt(long at) {
        return buffer.get(Messages.U16, at + Messages.HEADER_COMMAND) & 0xffff;
    }

    /** Reads at least one byte, with room for {@code wanted} from {@code begin} on. */
    private boolean fill(long wanted) throws IOException {
        makeRoom(wanted);
        long available = end - begin;
        if (available == 0) {
            state.awaitMore(stream);
        }
        long most = exactly ? wanted - available : buffer.byteSize() - end;
        int count = stream.read(buffer, end, most, receiving);
        if (count < 0) {
            if (available == 0) {
                return false;
            }
            throw new EOFException("The connection ended within a message.");
        }
        if (receiving.count() > 0) {
            arrivals.add(new Arrival(base + end, base + end + count, receiving));
            receiving = new ReceivedDescriptors();
        }
        end += count;
        return true;
    }

    private void makeRoom(long wanted) {
        if (begin == end) {
            base += begin;
            begin = 0;
            end = 0;
        }
        if (begin + wanted <= buffer.byteSize()) {
            return;
        }
        MemorySegment target = buffer;
        if (wanted > buffer.byteSize()) {
            target = Arena.ofAuto().allocate(Messages.MAX_MESSAGE_BYTES, 8);
        }
        MemorySegment.copy(buffer, begin, target, 0, end - begin);
        buffer = target;
        base += begin;
        end -= begin;
        begin = 0;
    }
}
