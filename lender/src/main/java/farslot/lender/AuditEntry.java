package farslot.lender;

import farslot.link.Peer;
import java.time.Instant;

/**
 * One line of an audit log.
 *
 * @param what "granted", "refused", "operated", "observing", "recording", "following", "ended",
 *     "away", "back", "policy"
 * @param who whom it is about, or null where nobody is
 * @param action the right or action that was asked for ("borrow", "list", "poke ..."); may be empty
 * @param function empty where it is about none or all
 * @param epoch of the lease, or 0
 * @param why the rule that allowed it and where it is written, or the reason of a refusal or end
 */
public record AuditEntry(
        Instant time,
        String what,
        Peer who,
        String action,
        String function,
        long epoch,
        String why) {}
