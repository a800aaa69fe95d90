package farslot.lender;

/**
 * What one identity may use of a lender at most. Peers that prove nothing share one account for
 * each address that they come from; the user who lends, and root, have no limits.
 *
 * @param connections links at the same time
 * @param functions borrowed or waited for at the same time
 * @param bufferedBytes of what it has sent and the functions have not taken yet, over all links
 * @param requestsPerSecond to borrow, list, operate and observe, on average; twice as many may come
 *     at once. Accesses to functions are not counted
 */
public record Limits(int connections, int functions, long bufferedBytes, int requestsPerSecond) {
    public static final Limits DEFAULT = new Limits(256, 64, 256L << 20, 200);
}
