package farslot.link;

import java.time.Duration;

/**
 * What a slot asks for when it borrows.
 *
 * @param function the name under which the lender lists it, at most 255 bytes of UTF-8
 * @param patience how long to wait until it is free, behind those who wait already, where others
 *     have it; zero for not at all. What travels is whether, and at a lender this is zero or {@link
 *     #FOREVER}
 * @param takeOver whether to end the lease that an earlier session of the same slot (the same
 *     proven peer, calling itself the same) still has on it
 */
public record Wish(String function, Duration patience, boolean takeOver) {
    public static final Duration FOREVER = Duration.ofDays(36_500);

    /** Asks for it now, and takes it from nobody. */
    public Wish(String function) {
        this(function, Duration.ZERO, false);
    }

    public boolean waits() {
        return !patience.isZero();
    }
}
