package farslot.lender;

import farslot.link.Caller;
import farslot.link.Peer;
import farslot.link.RefusedException;
import farslot.link.Trust;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Decides what each peer may do here, keeps it within its limits, and has all of it written down.
 *
 * <p>The user who lends, and root, may do everything without limits: they could end this process or
 * change its files anyway. Everybody else may do what the policy allows.
 *
 * <p>Any thread may call; nothing blocks.
 */
final class Access {
    private static final String OWNER = "the user who lends, or root";

    private final int ownUid;
    private final PolicyFile file;
    private final boolean insecure;
    private final Trust trust;
    private final Audit audit;
    private final Consumer<String> talk;
    private final Accounts accounts = new Accounts(System::nanoTime);
    private final Set<Caller> callers = ConcurrentHashMap.newKeySet();

    /**
     * @param ownUid the user who lends
     * @param file or null where there is none
     * @param insecure what holds without a file: whether anybody may borrow and observe
     * @param trust who the user who lends is over the network; or null
     * @param talk is told of refusals, with what would allow it
     */
    Access(
            int ownUid,
            PolicyFile file,
            boolean insecure,
            Trust trust,
            Audit audit,
            Consumer<String> talk) {
        this.ownUid = ownUid;
        this.file = file;
        this.insecure = insecure;
        this.trust = trust;
        this.audit = audit;
        this.talk = talk;
    }

    Policy policy() {
        if (file != null) {
            return file.policy();
        }
        return insecure ? Policy.INSECURE : Policy.NONE;
    }

    boolean isInsecure() {
        return insecure;
    }

    Audit audit() {
        return audit;
    }

    private boolean isOwner(Peer peer) {
        if (!peer.known()) {
            return false;
        }
        return peer.uid() >= 0
                ? peer.uid() == ownUid || peer.uid() == 0
                : trust != null && peer.subject().equals(trust.name());
    }

    /** What allows it, in words; or null. */
    String allowing(Peer peer, Right right, String function) {
        if (isOwner(peer)) {
            return OWNER;
        }
        Policy.Rule rule = policy().allowing(subject(peer), right, function);
        return rule == null ? null : rule.origin();
    }

    /** A certificate's name that reads as a local user or a group is nobody's. */
    private static String subject(Peer peer) {
        return peer.uid() < 0 && peer.subject().indexOf(':') >= 0 ? "" : peer.subject();
    }

    /** What this peer may do with a function. */
    Set<Right> rights(Peer peer, String function) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        for (Right right : Right.values()) {
            if (allowing(peer, right, function) != null) {
                rights.add(right);
            }
        }
        return rights;
    }

    /**
     * Demands a right.
     *
     * @param action what is to be done, for the audit log
     * @return what allows it, in words
     * @throws RefusedException which names the missing right and nothing more
     */
    String demand(Peer peer, Right right, String function, String action) throws RefusedException {
        String why = allowing(peer, right, function);
        if (why != null) {
            return why;
        }
        record("refused", peer, action, function, 0, "no rule allows it");
        talk.accept(advice(peer, right, function));
        throw new RefusedException(
                RefusedException.Reason.NOT_ALLOWED,
                "You lack the right to " + right.word() + " " + function + ".");
    }

    private String advice(Peer peer, Right right, String function) {
        String begin = peer + " asked to " + right.word() + " " + function + " and may not.";
        String who = peer.subject().isEmpty() ? Policy.ANYBODY : peer.subject();
        String rule =
                "[[allow]] with who = \""
                        + who
                        + "\", may = \""
                        + right.word()
                        + "\", functions = \""
                        + function
                        + "\"";
        return begin
                + " To allow it, "
                + (file == null
                        ? "lend with --policy FILE, and in that file "
                        : "add to " + file.path() + ": ")
                + rule
                + (peer.subject().isEmpty()
                        ? ", which allows everybody, since nothing proves who this is."
                        : ".");
    }

    /** Counts a request, or refuses it. */
    void request(Peer peer, String action, String function) throws RefusedException {
        if (!isOwner(peer)) {
            try {
                accounts.request(peer, policy().limits());
            } catch (RefusedException e) {
                throw noted(peer, action, function, e);
            }
        }
    }

    /** Counts a function that is borrowed or waited for, until {@link #giveBack}; or refuses it. */
    void take(Peer peer, String function) throws RefusedException {
        if (!isOwner(peer)) {
            try {
                accounts.take(peer, policy().limits());
            } catch (RefusedException e) {
                throw noted(peer, "borrow", function, e);
            }
        }
    }

    void giveBack(Peer peer) {
        if (!isOwner(peer)) {
            accounts.giveBack(peer);
        }
    }

    /** Writes a refusal down that this class did not decide. */
    RefusedException noted(Peer peer, String action, String function, RefusedException e) {
        record("refused", peer, action, function, 0, e.getMessage());
        return e;
    }

    void record(String what, Peer who, String action, String function, long epoch, String why) {
        audit.record(new AuditEntry(Instant.now(), what, who, action, function, epoch, why));
    }

    // Links.

    void arrived(Caller caller) throws RefusedException {
        if (!isOwner(caller.peer())) {
            try {
                accounts.connect(caller, policy().limits());
            } catch (RefusedException e) {
                throw noted(caller.peer(), "connect", "", e);
            }
        }
        callers.add(caller);
    }

    void left(Caller caller) {
        callers.remove(caller);
        if (!isOwner(caller.peer())) {
            accounts.disconnect(caller);
        }
    }

    /** Ends what buffers more than it may. */
    void endExcesses() {
        for (Accounts.Excess excess : accounts.excesses(policy().limits())) {
            Peer peer = excess.caller().peer();
            record("ended", peer, "connect", "", 0, excess.sentence());
            talk.accept("A link of " + peer + " is ended: " + excess.sentence());
            excess.caller().turnAway(excess.sentence());
        }
    }

    /**
     * Looks whether the policy has changed.
     *
     * @return whether rights may be others now
     */
    boolean policyChanged() {
        if (file == null) {
            return false;
        }
        Policy before = file.policy();
        String sentence = file.look();
        if (sentence == null) {
            return false;
        }
        talk.accept(sentence);
        record("policy", null, "", "", 0, sentence);
        return !file.policy().equals(before);
    }

    /** What is wrong with the policy file at this moment, or empty. */
    String trouble() {
        return file == null ? "" : file.trouble();
    }

    /** Turns away who has lost the right that its link lives from. */
    void endLinksWithoutRights(List<String> functions) {
        for (Caller caller : new ArrayList<>(callers)) {
            Peer peer = caller.peer();
            boolean observes = false;
            boolean any = false;
            for (String function : functions) {
                Set<Right> rights = rights(peer, function);
                any |= !rights.isEmpty();
                observes |= rights.contains(Right.OBSERVE);
            }
            if (!any || (caller.observes() && !observes)) {
                String lost = any ? "observe" : "do anything";
                String sentence =
                        "The policy has changed: you lack the right to " + lost + " here.";
                record("ended", peer, any ? "observe" : "connect", "", 0, "the policy has changed");
                talk.accept("A link of " + peer + " is ended: the policy has changed.");
                caller.turnAway(sentence);
            }
        }
    }
}
