package farslot.slot;

import farslot.core.CompletionStatus;
import farslot.link.HeldAccess;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;

/** Lends scripted functions, one after another, as the test puts them there. */
final class ScriptedLender implements Source {
    private static final String KILLED = "the lender was killed";

    private final Deque<ScriptedFunction> offered = new ArrayDeque<>();

    /** One permit for each refusal: the slot has asked in vain. */
    final Semaphore refusals = new Semaphore(0);

    /** One permit for each return. */
    final Semaphore returns = new Semaphore(0);

    private ScriptedBorrow last;

    synchronized ScriptedFunction offer() {
        ScriptedFunction function = new ScriptedFunction();
        offered.add(function);
        return function;
    }

    synchronized void offer(ScriptedFunction function) {
        offered.add(function);
    }

    /** The lender is killed: accesses end, the slot hears of it. */
    void crash() {
        crashUnheard().listener.lost(KILLED);
    }

    /** The lender is killed: accesses end, and the slot has not heard of it yet. */
    ScriptedBorrow crashUnheard() {
        ScriptedBorrow dead;
        synchronized (this) {
            dead = last;
        }
        dead.lost = true;
        dead.function.answer = CompletionStatus.TIMED_OUT;
        dead.function.release.countDown();
        return dead;
    }

    /** The connection breaks; the session may go on. Accesses wait, as a link's do. */
    synchronized void detach() {
        last.listener.detached("the cable was cut");
    }

    /** The session goes on. */
    synchronized void resume() {
        last.listener.resumed();
    }

    /** The lender says that it holds an access. */
    synchronized void hold(HeldAccess access) {
        last.listener.held(access);
    }

    @Override
    public synchronized Borrow borrow(LossListener listener) throws BorrowException {
        ScriptedFunction function = offered.poll();
        if (function == null) {
            refusals.release();
            throw new BorrowException(BorrowException.Reason.NOT_FOUND, "Nobody is there.", null);
        }
        last = new ScriptedBorrow(function, listener);
        return last;
    }

    @Override
    public String address() {
        return "n0@test";
    }

    final class ScriptedBorrow implements Borrow {
        private final ScriptedFunction function;
        private final LossListener listener;
        private volatile boolean lost;

        ScriptedBorrow(ScriptedFunction function, LossListener listener) {
            this.function = function;
            this.listener = listener;
        }

        @Override
        public ScriptedFunction function() {
            return function;
        }

        @Override
        public boolean isLost() {
            return lost;
        }

        @Override
        public String whyLost() {
            return lost ? KILLED : "";
        }

        @Override
        public void giveBack() {
            lost = true;
            function.answer = CompletionStatus.TIMED_OUT;
            function.release.countDown();
            returns.release();
        }
    }
}
