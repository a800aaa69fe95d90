package farslot.lender;

/**
 * Where a lender writes down who was given or refused what. Called on the threads that serve: it
 * may write to a file, and must neither throw nor wait for anything else. Any thread may call.
 */
@FunctionalInterface
public interface Audit {
    /** Writes nothing. */
    Audit NONE = entry -> {};

    void record(AuditEntry entry);
}
