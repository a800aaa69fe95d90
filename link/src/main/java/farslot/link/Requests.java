package farslot.link;

import farslot.core.CompletionStatus;
import farslot.link.BrokenFrameException.Code;
import farslot.link.Messages.Data;
import farslot.link.Messages.Done;
import farslot.link.Messages.Header;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The non-posted requests of this side, by their tags, and what is checked of the completions that
 * come for them. Guarded by the connection's lock.
 */
final class Requests implements Connection.Wait {
    private static final int PLACES = 256;

    private final Request[] all = new Request[PLACES];
    private final int[] freePlaces = new int[PLACES];
    private final Condition freed;
    private int freeCount;

    Requests(ReentrantLock lock) {
        freed = lock.newCondition();
        for (int place = 0; place < PLACES; place++) {
            all[place] = new Request(place, lock.newCondition());
            freePlaces[freeCount++] = PLACES - 1 - place;
        }
    }

    /** Whether a place is free: that is what is waited for. */
    @Override
    public boolean isOver() {
        return freeCount > 0;
    }

    @Override
    public Condition signal() {
        return freed;
    }

    /** Begins a request in a place that is free. */
    Request begin(int type, MemorySegment into, boolean waitsForEver) {
        Request request = all[freePlaces[--freeCount]];
        request.begin(type, into, waitsForEver);
        return request;
    }

    void free(Request request) {
        request.phase = Request.Phase.FREE;
        freePlaces[freeCount++] = request.place;
        freed.signal();
    }

    /** Any that is not answered yet, or null. */
    Request underWay() {
        for (Request request : all) {
            if (request.phase != Request.Phase.FREE) {
                return request;
            }
        }
        return null;
    }

    /** Those that the peer holds, and that were not asked for since it said so. */
    List<Request> newlyHeld() {
        List<Request> news = new ArrayList<>();
        for (Request request : all) {
            boolean answered =
                    request.phase == Request.Phase.DONE || request.phase == Request.Phase.FREE;
            if (request.heldIsNew && !answered) {
                news.add(request);
            }
            request.heldIsNew = false;
        }
        return news;
    }

    /**
     * The request whose data a long DATA frame can be read to directly, or null.
     *
     * @param stranger a thread that waits for nothing
     */
    Request receiver(MemorySegment frame, int at, int bytes, Thread stranger) {
        boolean success =
                Data.STATUS.getInt(frame, at) == CompletionStatus.SUCCESS.code()
                        && Header.TYPE.getInt(frame, at) == Data.TYPE;
        Request request = success ? byTag(Header.TAG.getInt(frame, at)) : null;
        return request != null && request.canReceive(bytes, stranger) ? request : null;
    }

    /** The request with this tag that waits for its completion, or null. */
    Request byTag(int tag) {
        Request request = all[tag & PLACES - 1];
        boolean known =
                request.tag == tag
                        && (request.phase == Request.Phase.WAITING
                                || request.phase == Request.Phase.ABANDONED);
        return known ? request : null;
    }

    /**
     * Takes a completion.
     *
     * @return the request, where its whole answer has come now; null where more will follow
     */
    Request answer(Layout layout, MemorySegment in, int at, int length, FrameReader.Place place)
            throws BrokenFrameException {
        Request request = byTag(Header.TAG.getInt(in, at));
        if (request == null) {
            throw new BrokenFrameException(
                    Code.BAD_TAG,
                    layout.type(),
                    layout.name()
                            + " answers tag "
                            + Integer.toUnsignedString(Header.TAG.getInt(in, at))
                            + ", which nothing waits for.");
        }
        boolean begun = request.answerLength() > 0;
        if (!Messages.answers(request.type, layout.type())
                || (begun && request.answerType != layout.type())) {
            throw new BrokenFrameException(
                    Code.OUT_OF_STATE,
                    layout.type(),
                    layout.name()
                            + (begun ? " goes on with no " : " is no answer to ")
                            + Messages.name(begun ? request.answerType : request.type)
                            + ".");
        }
        if (layout.type() == Data.TYPE) {
            takeData(request, in, at, length, place);
        } else if (layout.type() == Done.TYPE) {
            request.status = status(layout, Done.STATUS.getInt(in, at));
            if (request.wanted() > 0 && request.status.isSuccess()) {
                throw Messages.bad(Done.TYPE, "a read cannot succeed without data");
            }
        } else if (takeAnswer(request, layout, in, at, length)) {
            return null;
        }
        request.answerType = layout.type();
        return request;
    }

    private void takeData(
            Request request, MemorySegment in, int at, int length, FrameReader.Place place)
            throws BrokenFrameException {
        CompletionStatus status = status(Data.LAYOUT, Data.STATUS.getInt(in, at));
        long wanted = status.isSuccess() ? request.wanted() : 0;
        if (length - Data.DATA_AT != wanted) {
            throw Messages.bad(
                    Data.TYPE,
                    String.format(
                            "it brings %d bytes with status %s; %d are wanted",
                            length - Data.DATA_AT, status, wanted));
        }
        request.status = status;
        if (wanted > 0
                && place != FrameReader.Place.REQUEST
                && request.phase == Request.Phase.WAITING) {
            request.take(in, at + (long) Data.DATA_AT, (int) wanted);
        }
    }

    /** Takes one frame of an answer; true where more follow. */
    private boolean takeAnswer(Request request, Layout layout, MemorySegment in, int at, int length)
            throws BrokenFrameException {
        if (request.answerLength() + length > Messages.MAX_ANSWER_BYTES) {
            throw Messages.bad(
                    Header.TYPE.getInt(in, at),
                    "an answer may have "
                            + Messages.MAX_ANSWER_BYTES
                            + " bytes in all, and this one has more");
        }
        request.append(in.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE));
        request.answerType = layout.type();
        return (Header.FLAGS.getInt(in, at) & Header.MORE) != 0;
    }

    private static CompletionStatus status(Layout layout, int code) throws BrokenFrameException {
        CompletionStatus status = CompletionStatus.ofCode(code);
        if (status == null) {
            throw Messages.bad(layout.type(), "there is no status " + code);
        }
        return status;
    }
}
