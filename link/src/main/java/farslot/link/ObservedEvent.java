package farslot.link;

/**
 * Something that happened at a lender or slot, for who observes it.
 *
 * @param timeMillis milliseconds since 1970 UTC
 * @param subject the name of the function or slot that it is about
 * @param what in one word, for programs: "borrowed", "returned", "reset", "dma-refused", ...
 * @param sentence for people
 * @param lostBefore how many events were dropped before this one since the observer reads too
 *     slowly; made by the link, 0 when given to it
 */
public record ObservedEvent(
        long timeMillis, String subject, String what, String sentence, int lostBefore) {
    public ObservedEvent(long timeMillis, String subject, String what, String sentence) {
        this(timeMillis, subject, what, sentence, 0);
    }
}
