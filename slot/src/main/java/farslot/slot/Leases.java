package farslot.slot;

import farslot.core.PciFunction;
import farslot.link.ClockRelation;
import farslot.link.HeldAccess;
import farslot.watch.Recordings;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Tells what is recorded at a slot of the leases under which it has its function.
 *
 * <p>Any thread may call.
 */
final class Leases implements Source {
    private final Source source;
    private final String slot;
    private Recordings recordings;
    private Borrow current;

    /**
     * @param slot its name
     */
    Leases(Source source, String slot) {
        this.source = source;
        this.slot = slot;
    }

    /** From now on these are told; of a lease that there is, at once. */
    synchronized void tell(Recordings of) {
        recordings = of;
        if (current != null) {
            tellBegun();
        }
    }

    @Override
    public String address() {
        return source.address();
    }

    @Override
    public Borrow borrow(LossListener lost) throws BorrowException, InterruptedException {
        AtomicReference<Leased> leased = new AtomicReference<>();
        Borrow borrow =
                source.borrow(
                        new LossListener() {
                            @Override
                            public void lost(String why) {
                                if (leased.get() != null) {
                                    ended(leased.get(), why);
                                }
                                lost.lost(why);
                            }

                            @Override
                            public void held(HeldAccess access) {
                                lost.held(access);
                            }

                            @Override
                            public void detached(String why) {
                                lost.detached(why);
                            }

                            @Override
                            public void resumed() {
                                lost.resumed();
                            }
                        });
        Leased now = new Leased(borrow);
        begun(now);
        leased.set(now);
        if (borrow.isLost()) {
            ended(now, borrow.whyLost());
        }
        return now;
    }

    private synchronized void begun(Borrow borrow) {
        current = borrow;
        tellBegun();
    }

    private void tellBegun() {
        if (recordings != null) {
            recordings.leaseBegun(slot, "", current.epoch(), current::clock);
        }
    }

    private synchronized void ended(Borrow borrow, String why) {
        if (!borrow.equals(current)) {
            return;
        }
        current = null;
        if (recordings != null) {
            recordings.leaseEnded(slot, "", borrow.epoch(), why);
        }
    }

    /** A borrow whose end is told. */
    private final class Leased implements Borrow {
        private final Borrow borrow;

        Leased(Borrow borrow) {
            this.borrow = borrow;
        }

        @Override
        public PciFunction function() {
            return borrow.function();
        }

        @Override
        public long epoch() {
            return borrow.epoch();
        }

        @Override
        public ClockRelation clock() {
            return borrow.clock();
        }

        @Override
        public boolean isLost() {
            return borrow.isLost();
        }

        @Override
        public String whyLost() {
            return borrow.whyLost();
        }

        @Override
        public void giveBack() {
            ended(this, "The slot has given it back.");
            borrow.giveBack();
        }
    }
}
