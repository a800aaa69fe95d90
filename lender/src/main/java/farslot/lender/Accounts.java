package farslot.lender;

import farslot.link.Caller;
import farslot.link.Peer;
import farslot.link.RefusedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Who uses how much of a lender, and that nobody uses more than {@link Limits} allow. An identity
 * that is proven has an account of its own; all that prove nothing share that of the address they
 * come from.
 *
 * <p>Any thread may call; nothing blocks.
 */
final class Accounts {
    /** Accounts that would be forgotten are looked for when there are more. */
    private static final int MANY = 256;

    private final LongSupplier nanoTime;
    private final Map<String, Account> accounts = new HashMap<>();

    /**
     * @param nanoTime as {@link System#nanoTime}
     */
    Accounts(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** How people are told whose account it is. */
    static String holder(Peer peer) {
        return peer.subject().isEmpty() ? "whoever comes from " + peer.address() : peer.subject();
    }

    /** Counts a link, or refuses it. */
    synchronized void connect(Caller caller, Limits limits) throws RefusedException {
        Account account = account(caller.peer(), limits);
        if (!account.connect(caller, limits)) {
            throw refused(account, "have " + limits.connections() + " connections to this lender");
        }
    }

    synchronized void disconnect(Caller caller) {
        Account account = accounts.get(holder(caller.peer()));
        if (account != null) {
            account.disconnect(caller);
        }
    }

    /** Counts a request, or refuses it. */
    synchronized void request(Peer peer, Limits limits) throws RefusedException {
        Account account = account(peer, limits);
        if (!account.request(limits, nanoTime.getAsLong())) {
            throw refused(
                    account,
                    "ask this lender for something "
                            + limits.requestsPerSecond()
                            + " times a second");
        }
    }

    /** Counts a function that is borrowed or waited for, or refuses it. */
    synchronized void take(Peer peer, Limits limits) throws RefusedException {
        Account account = account(peer, limits);
        if (!account.take(limits)) {
            throw refused(account, "borrow or wait for " + limits.functions() + " functions");
        }
    }

    synchronized void giveBack(Peer peer) {
        Account account = accounts.get(holder(peer));
        if (account != null) {
            account.giveBack();
        }
    }

    /** What is to be ended over too much that is buffered, and the sentence that says so. */
    record Excess(Caller caller, String sentence) {}

    /** The link that buffers most, of each identity whose links buffer too much. */
    List<Excess> excesses(Limits limits) {
        List<List<Caller>> all = new ArrayList<>();
        synchronized (this) {
            accounts.values().forEach(account -> all.add(new ArrayList<>(account.callers())));
        }
        List<Excess> excesses = new ArrayList<>();
        for (List<Caller> callers : all) {
            long bytes = callers.stream().mapToLong(Caller::bufferedBytes).sum();
            if (bytes > limits.bufferedBytes()) {
                Caller most =
                        callers.stream()
                                .max(Comparator.comparingLong(Caller::bufferedBytes))
                                .orElseThrow();
                excesses.add(
                        new Excess(
                                most,
                                holder(most.peer())
                                        + " may have "
                                        + limits.bufferedBytes()
                                        + " bytes waiting at this lender, and has "
                                        + bytes
                                        + "."));
            }
        }
        return excesses;
    }

    private Account account(Peer peer, Limits limits) {
        if (accounts.size() > MANY) {
            long now = nanoTime.getAsLong();
            accounts.values().removeIf(account -> account.isIdle(limits, now));
        }
        return accounts.computeIfAbsent(holder(peer), Account::new);
    }

    private static RefusedException refused(Account account, String what) {
        return new RefusedException(
                RefusedException.Reason.UNAVAILABLE,
                "The limit is reached: " + account.holder + " may " + what + ".");
    }
}
