package farslot.link;

import farslot.link.BrokenFrameException.Code;
import farslot.link.Messages.Data;
import farslot.link.Messages.DmaWrite;
import farslot.link.Messages.Header;
import farslot.link.Messages.Preamble;
import farslot.link.Messages.Records;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Cuts what comes over the wire into frames. Long ones do not pass through its buffer: as soon as
 * their beginning has come, the rest is read to where it belongs.
 *
 * <p>{@link #read} is for who has the connection's reading, without its lock; all else is guarded
 * by the lock, and while somebody reads nobody else touches it.
 */
final class FrameReader {
    private static final int BUFFER_BYTES = 0x10000;

    /** From here on a frame is long. */
    private static final int LONG_FRAME_BYTES = 0x4000;

    /** After a long frame, what is read into the buffer at once: the next may be long too. */
    private static final int BEGINNING_BYTES = 0x1000;

    private static final int MOST_WAITING_DESCRIPTORS = 16;

    /** Where a frame is, once all of it has come. */
    enum Place {
        /** In the buffer, which is used again: to be copied. */
        BUFFER,
        /** Where {@link Inbox#reserve} has said. */
        INBOX,
        /** Its fixed part in the buffer, its data where the request wants them. */
        REQUEST
    }

    private Wire wire;
    private final Connection connection;
    private final Inbox inbox;
    private MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES, 8);
    private int begin;
    private int end;
    private boolean preambleSeen;
    private boolean afterLongFrame;

    /** The long frame that is coming: where its next bytes go, and how many are missing. */
    private MemorySegment rest;

    private long restAt;
    private long missing;

    private int longLength;
    private int inboxAt;

    /** The request whose data the long frame brings; null where it goes to the inbox. */
    private Request request;

    FrameReader(Wire wire, Connection connection, Inbox inbox) {
        this.wire = wire;
        this.connection = connection;
        this.inbox = inbox;
    }

    /** Goes on with the next whole frame, from another wire; nobody reads meanwhile. */
    void attach(Wire next) {
        clear();
        preambleSeen = true;
        wire = next;
    }

    /** Whether more has come than the frame that ends here. */
    boolean hasMore(int frameEnd) {
        return end > frameEnd;
    }

    /** Reads once, and waits for that; -1 at the end. */
    int read() throws IOException {
        if (rest != null) {
            return wire.read(rest.asSlice(restAt, missing));
        }
        long room = buffer.byteSize() - end;
        if (afterLongFrame && begin == end) {
            room = Math.min(room, BEGINNING_BYTES);
        }
        return wire.read(buffer.asSlice(end, room));
    }

    /** Takes what was read, and hands over the frames that are complete. */
    void took(int count) throws BrokenFrameException {
        if (rest == null) {
            end += count;
        } else {
            restAt += count;
            missing -= count;
            if (missing > 0) {
                return;
            }
            longFrameCame();
            if (!connection.isReadable()) {
                return;
            }
        }
        cut();
    }

    /** Forgets what has come of a frame; nothing is read to where a request wants it any more. */
    void clear() {
        begin = 0;
        end = 0;
        if (rest != null && request == null) {
            inbox.giveUp(inboxAt);
        }
        rest = null;
        if (request != null) {
            request.received();
            request = null;
        }
    }

    private void cut() throws BrokenFrameException {
        if (!preambleSeen && !preambleCame()) {
            return;
        }
        while (end - begin >= Header.BYTES) {
            int length = Messages.length(buffer, begin, connection.longestFrame());
            if (end - begin < length) {
                if (length < LONG_FRAME_BYTES || !isLongFrameComing(length)) {
                    makeRoom(length);
                }
                return;
            }
            afterLongFrame = length >= LONG_FRAME_BYTES;
            connection.handle(buffer, begin, length, Place.BUFFER);
            if (!connection.isReadable()) {
                return;
            }
            begin += length;
        }
        if (begin == end) {
            begin = 0;
            end = 0;
            if (wire.waitingDescriptors() > 0) {
                throw new BrokenFrameException(
                        Code.BAD_DESCRIPTOR, 0, "A descriptor came that no frame announced.");
            }
        } else {
            makeRoom(Header.BYTES);
        }
        if (wire.waitingDescriptors() > MOST_WAITING_DESCRIPTORS) {
            throw new BrokenFrameException(
                    Code.BAD_DESCRIPTOR, 0, "More descriptors came than frames with them.");
        }
    }

    private boolean preambleCame() {
        if (!connection.acceptsPreamble(buffer, end)) {
            return false;
        }
        preambleSeen = true;
        begin = Preamble.BYTES;
        return true;
    }

    /**
     * Looks where the rest of a long frame can be read to. What must hold for that is checked here;
     * the frame as a whole is checked like every other once it is there.
     */
    private boolean isLongFrameComing(int length) {
        int type = Header.TYPE.getInt(buffer, begin);
        int have = end - begin;
        if (type == Data.TYPE && have >= Data.DATA_AT) {
            int data = length - Data.DATA_AT;
            request = connection.receiver(buffer, begin, data);
            if (request == null) {
                return false;
            }
            int came = have - Data.DATA_AT;
            rest = request.receiving();
            MemorySegment.copy(buffer, begin + (long) Data.DATA_AT, rest, 0, came);
            restAt = came;
            missing = (long) data - came;
            end -= came;
        } else if (type == DmaWrite.TYPE || type == Records.TYPE) {
            inboxAt = inbox.reserve(length);
            if (inboxAt < 0) {
                return false;
            }
            rest = inbox.reserved();
            MemorySegment.copy(buffer, begin, rest, inboxAt, have);
            restAt = inboxAt + (long) have;
            missing = (long) length - have;
            begin = end;
        } else {
            return false;
        }
        longLength = length;
        return true;
    }

    private void longFrameCame() throws BrokenFrameException {
        MemorySegment there = rest;
        rest = null;
        afterLongFrame = true;
        if (request == null) {
            connection.handle(there, inboxAt, longLength, Place.INBOX);
        } else {
            request.received();
            request = null;
            connection.handle(buffer, begin, longLength, Place.REQUEST);
        }
        begin = end;
    }

    /** Room for a frame of this length at {@code begin}. */
    private void makeRoom(int length) {
        if (buffer.byteSize() - begin >= length) {
            return;
        }
        MemorySegment roomier = buffer;
        if (length > buffer.byteSize()) {
            roomier = Arena.ofAuto().allocate(Math.max(length, 2 * buffer.byteSize()), 8);
        }
        MemorySegment.copy(buffer, begin, roomier, 0, end - begin);
        buffer = roomier;
        end -= begin;
        begin = 0;
    }
}
