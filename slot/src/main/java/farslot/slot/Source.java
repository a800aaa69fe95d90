package farslot.slot;

import farslot.core.PciFunction;
import farslot.link.ClockRelation;
import farslot.link.HeldAccess;

/** Where a slot gets its function from, and gets it again after a loss: one lender's one name. */
public interface Source {
    /**
     * Borrows the function. Blocks, a few seconds at most; one thread at a time calls.
     *
     * @param lost called once, from any thread and possibly before this returns, when the borrow
     *     ends without {@link Borrow#giveBack}; the sentence says why. It must return at once
     * @throws BorrowException when it cannot be had now
     */
    Borrow borrow(LossListener lost) throws BorrowException, InterruptedException;

    /** The function's address, for people. */
    String address();

    /** Hears what becomes of a borrow's connection, and that the borrow ended by itself. */
    @FunctionalInterface
    interface LossListener {
        void lost(String why);

        /** The lender holds an access, and is alive; told again about four times a second. */
        default void held(HeldAccess access) {}

        /**
         * The connection broke. Accesses wait, and posted ones are kept, until {@link #resumed} or
         * {@link #lost}.
         */
        default void detached(String why) {}

        /** The borrow goes on over another connection; nothing was lost. */
        default void resumed() {}
    }

    /** A function while it is borrowed. */
    interface Borrow {
        /**
         * The function: a fresh one, without host, maps and interrupts. Once the borrow is lost its
         * calls end at once, unsuccessfully.
         */
        PciFunction function();

        /** The fencing epoch of its lease; 0 where there is none. */
        default long epoch() {
            return 0;
        }

        /** {@link farslot.link.RemoteFunction#clock}. */
        default ClockRelation clock() {
            return null;
        }

        /** Whether the borrow has ended. */
        boolean isLost();

        /**
         * Why, as a sentence, also before {@link LossListener#lost} says so; "" while it is not.
         */
        String whyLost();

        /** Returns the function to its lender. Again, or after a loss, it does nothing. */
        void giveBack();
    }
}
