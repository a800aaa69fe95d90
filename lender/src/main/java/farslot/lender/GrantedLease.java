package farslot.lender;

import java.time.Instant;

/**
 * The right of one slot to one reset group.
 *
 * @param epoch the fencing number: greater than that of every lease before it on this group. What
 *     carries an older one is refused
 * @param borrower who has it, as people are told: the slot's own words and what is known of its
 *     address
 * @param since when it was granted
 */
public record GrantedLease(long epoch, String borrower, Instant since) {}
