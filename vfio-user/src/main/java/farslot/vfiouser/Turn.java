package farslot.vfiouser;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The message that is being answered now, and who may answer it: the thread that serves, or, when
 * the function takes too long, the watchdog. Exactly one of them gets it, so no answer is sent
 * twice or late.
 *
 * <p>A ticket is a number that no other message has, with what the message is in its low bits.
 */
final class Turn {
    static final long NONE = 0;

    /** Nobody waits for the answer. */
    private static final long POSTED = 1;

    /** The watchdog has it. */
    private static final long TAKEN = 2;

    /** The client waits for the answer. */
    private static final long OWED = 3;

    private static final long KIND = 3;
    private static final long NEXT = 4;

    private final AtomicLong state = new AtomicLong(NONE);
    private long number;

    // What the watchdog needs for its answer; written before the state, read after it.
    private int id;
    private int command;
    private long offset;
    private int region;
    private int count;

    /** Begins a turn; by the thread that serves. */
    long begin(Message message) {
        id = message.id();
        command = message.command();
        boolean access =
                (command == Messages.REGION_READ || command == Messages.REGION_WRITE)
                        && message.payloadBytes() >= Messages.REGION_ACCESS_DATA;
        offset = access ? message.u64(Messages.REGION_ACCESS_OFFSET) : 0;
        region = access ? message.u32(Messages.REGION_ACCESS_REGION) : 0;
        count = access ? message.u32(Messages.REGION_ACCESS_COUNT) : 0;
        number += NEXT;
        long ticket = number | (message.wantsReply() ? OWED : POSTED);
        state.set(ticket);
        return ticket;
    }

    /** Takes the right to answer; false where the watchdog was first. */
    boolean claim(long ticket) {
        return state.compareAndSet(ticket, ticket & ~KIND);
    }

    /** Takes the right to answer away from the thread that serves. */
    boolean take(long ticket) {
        return state.compareAndSet(ticket, (ticket & ~KIND) | TAKEN);
    }

    /** The ticket of the message that is being answered, or {@link #NONE}. */
    long current() {
        long now = state.get();
        return isServing(now) ? now : NONE;
    }

    private static boolean isServing(long state) {
        return (state & 1) == 1;
    }

    /** Something that changes whenever a message comes. */
    long activity() {
        return state.get();
    }

    static boolean isOwed(long ticket) {
        return (ticket & KIND) == OWED;
    }

    int id() {
        return id;
    }

    int command() {
        return command;
    }

    long offset() {
        return offset;
    }

    int region() {
        return region;
    }

    int count() {
        return count;
    }
}
