package farslot.link;

import farslot.link.BrokenFrameException.Code;
import farslot.link.Messages.FollowEnd;
import farslot.link.Messages.Following;
import farslot.link.Messages.Header;
import farslot.link.Messages.Kept;
import farslot.link.Messages.Records;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Sends the records of one feed to who follows, on a thread of its own. It goes as fast as the
 * follower gives credit; the feed is not held up by that, and says what was gone meanwhile.
 */
final class RecordSender {
    /** Of one RECORDS: as much as a chunk of the outbox takes, with its header. */
    private static final int PIECE_BYTES = 0x20000;

    /** Of one FOLLOWING. */
    private static final int HEADER_PIECE_BYTES = 0x8000;

    /** Of all that a trace has in front of its records. */
    private static final int MOST_HEADER_BYTES = 0x100000;

    private final Connection link;
    private final RecordFeed feed;
    private final MemorySegment piece = Arena.ofAuto().allocate(PIECE_BYTES, 8);

    /** Behind the last record that was sent. */
    private volatile long next;

    RecordSender(Connection link, RecordFeed feed) {
        this.link = link;
        this.feed = feed;
        next = feed.first();
    }

    /** Answers FOLLOW, and begins to send. */
    void start(int tag) {
        byte[] header = feed.header();
        long first = feed.first();
        int at = 0;
        do {
            int bytes = Math.min(HEADER_PIECE_BYTES, header.length - at);
            int more = at + bytes < header.length ? Header.MORE : 0;
            Composer payload = new Composer().u64(first).u32(RecordFeed.RECORD_BYTES).u32(0);
            payload.bytes(java.util.Arrays.copyOfRange(header, at, at + bytes));
            link.send(Following.TYPE, Messages.COMPLETION | more, tag, payload.toBytes());
            at += bytes;
        } while (at < header.length);
        Thread.ofPlatform().daemon(true).name("farslot-records").start(this::sendAll);
    }

    private void sendAll() {
        try {
            boolean going = true;
            while (going && !link.isEnded()) {
                going = sendSome();
            }
        } catch (RuntimeException e) {
            Connection.LOG.log(Level.ERROR, "Sending a trace's records failed", e);
            sendEnd("The recorder failed: " + e);
        }
    }

    private boolean sendSome() {
        // Asked first: what came before the end is taken then.
        String over = feed.over();
        RecordFeed.Batch batch = feed.next(piece);
        if (batch.count() > 0) {
            return send(batch);
        }
        if (over != null) {
            sendEnd(over);
            return false;
        }
        return true;
    }

    private boolean send(RecordFeed.Batch batch) {
        long data = (long) batch.count() * RecordFeed.RECORD_BYTES;
        int bytes = Records.DATA_AT + (int) data;
        Outbox out = link.out;
        // Before it is on its way: the answer may come at once.
        next = Math.max(next, batch.first() + batch.count());
        int at = out.begin(Records.TYPE, Messages.POSTED, link.generation(), 0, bytes);
        if (at < 0) {
            return false;
        }
        MemorySegment to = out.memory();
        Records.FIRST.set(to, at, batch.first());
        Records.LOST.set(to, at, feed.lost());
        Records.FLAGS.set(to, at, batch.waitedFor() ? Records.WAITED_FOR : 0);
        MemorySegment.copy(piece, 0, to, at + (long) Records.DATA_AT, data);
        out.end(true);
        return true;
    }

    private void sendEnd(String sentence) {
        byte[] payload =
                new Composer()
                        .u64(feed.end())
                        .u64(feed.lost())
                        .text(sentence, Messages.MAX_SENTENCE_BYTES)
                        .toBytes();
        link.send(FollowEnd.TYPE, Messages.POSTED, 0, payload);
    }

    /** The follower has said what it keeps. */
    void kept(MemorySegment frame, long at) throws BrokenFrameException {
        long kept = Kept.NEXT.get(frame, at);
        if (Long.compareUnsigned(kept, next) > 0) {
            throw Messages.bad(
                    Kept.TYPE,
                    "records up to "
                            + Long.toUnsignedString(kept)
                            + " are kept, and "
                            + next
                            + " were sent");
        }
        feed.kept(kept);
    }

    void finish() {
        feed.finish();
    }

    void close() {
        feed.close();
    }

    // The follower's side.

    /** What FOLLOWING said, in one frame or several. */
    static ControlLink.Followed beginning(MemorySegment frames) throws BrokenFrameException {
        Composer header = new Composer();
        long first = 0;
        for (long at = 0; at < frames.byteSize(); ) {
            int length = Header.LENGTH.getInt(frames, at);
            first = Following.FIRST.get(frames, at);
            long bytes = Following.RECORD_BYTES.get(frames, at);
            if (bytes != RecordFeed.RECORD_BYTES) {
                throw Messages.bad(
                        Following.TYPE,
                        "records have " + bytes + " bytes; this side knows such of 64");
            }
            long data = (long) length - Following.DATA_AT;
            header.bytes(
                    frames.asSlice(at + Following.DATA_AT, data).toArray(ValueLayout.JAVA_BYTE));
            at += length;
        }
        if (header.length() > MOST_HEADER_BYTES) {
            throw Messages.bad(
                    Following.TYPE,
                    "a trace begins with " + header.length() + " bytes; 1 MiB at most");
        }
        return new ControlLink.Followed(first, header.toBytes());
    }

    /** The records of a frame, checked. */
    static MemorySegment records(MemorySegment frame, long at, int length)
            throws BrokenFrameException {
        long bytes = (long) length - Records.DATA_AT;
        long first = Records.FIRST.get(frame, at);
        if (bytes == 0 || bytes % RecordFeed.RECORD_BYTES != 0) {
            throw Messages.bad(Records.TYPE, bytes + " bytes are no whole records");
        }
        if (first < 0 || first + bytes < 0) {
            throw Messages.bad(
                    Records.TYPE, "records begin with number " + Long.toUnsignedString(first));
        }
        return frame.asSlice(at + Records.DATA_AT, bytes);
    }

    static BrokenFrameException notFollowing(int type) {
        return new BrokenFrameException(
                Code.OUT_OF_STATE,
                type,
                Messages.name(type)
                        + " came on a link that follows nothing: FOLLOW was not"
                        + " answered, or it has ended.");
    }

    /** FOLLOW's payload. */
    static byte[] payload(FollowRequest request) {
        Composer payload = new Composer();
        Messages.compose(request, payload);
        return payload.toBytes();
    }
}
