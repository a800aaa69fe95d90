package farslot.lender;

import farslot.link.Caller;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * What one identity uses of a lender at this moment. Guarded by {@link Accounts}' lock.
 *
 * <p>Requests are a bucket of tokens: it holds two seconds' worth, and a request takes one.
 */
final class Account {
    final String holder;
    private final Set<Caller> callers = new HashSet<>();
    private int functions;
    private double tokens = -1;
    private long filledNanos;

    Account(String holder) {
        this.holder = holder;
    }

    Collection<Caller> callers() {
        return callers;
    }

    boolean connect(Caller caller, Limits limits) {
        return callers.size() < limits.connections() && callers.add(caller);
    }

    void disconnect(Caller caller) {
        callers.remove(caller);
    }

    boolean take(Limits limits) {
        if (functions >= limits.functions()) {
            return false;
        }
        functions++;
        return true;
    }

    void giveBack() {
        functions--;
    }

    boolean request(Limits limits, long nowNanos) {
        double most = 2.0 * limits.requestsPerSecond();
        double earned = (nowNanos - filledNanos) * 1e-9 * limits.requestsPerSecond();
        tokens = tokens < 0 ? most : Math.min(most, tokens + earned);
        filledNanos = nowNanos;
        if (tokens < 1) {
            return false;
        }
        tokens--;
        return true;
    }

    /** Whether nothing would be forgotten with it. */
    boolean isIdle(Limits limits, long nowNanos) {
        boolean full =
                tokens < 0
                        || tokens + (nowNanos - filledNanos) * 1e-9 * limits.requestsPerSecond()
                                >= 2.0 * limits.requestsPerSecond();
        return callers.isEmpty() && functions == 0 && full;
    }
}
