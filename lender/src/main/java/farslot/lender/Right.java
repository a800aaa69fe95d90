package farslot.lender;

import java.util.Locale;

/** What somebody may do with a function. */
public enum Right {
    /** Have it in a slot, under a lease. */
    BORROW,
    /** See it in lists, hear what happens to it, follow what is recorded of it. */
    OBSERVE,
    /** Peek at it, change it, reset it, record it, take it back from its slot. */
    OPERATE;

    /** As the policy file and people write it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
