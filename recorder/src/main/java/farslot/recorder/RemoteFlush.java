package farslot.recorder;

/** Another computer that takes a trace's records while they are written. */
@FunctionalInterface
public interface RemoteFlush {
    /**
     * Waits until the other computer has a record and all before it. Called by the thread that
     * makes the access, before the access is done.
     *
     * @param record how many records are in front of it in the trace, as {@link TraceTail} counts
     * @return false where there is no such computer, or it does not answer; what is to be recorded
     *     is forced to this machine's disk then
     */
    boolean await(long record);
}
