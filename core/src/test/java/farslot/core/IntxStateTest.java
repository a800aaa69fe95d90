package farslot.core;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class IntxStateTest {
    private final IntxState pin = new IntxState();

    @Test
    void shouldSignalOnceAndAgainOnlyAfterUnmasking() {
        pin.apply(InterruptAction.ENABLE);
        assertTrue(pin.level(true));
        assertFalse(pin.level(true));
        assertTrue(pin.apply(InterruptAction.UNMASK));
        assertTrue(pin.level());
    }

    @Test
    void shouldNotSignalForWhatTheDriverHasDealtWith() {
        pin.apply(InterruptAction.ENABLE);
        pin.level(true);
        assertFalse(pin.level(false));
        assertFalse(pin.apply(InterruptAction.UNMASK));
    }

    @Test
    void shouldSignalANewNeedAfterTheMaskIsGone() {
        pin.apply(InterruptAction.ENABLE);
        pin.level(true);
        pin.level(false);
        assertFalse(pin.level(true), "still masked by the first assertion");
        assertTrue(pin.apply(InterruptAction.UNMASK));
    }

    @Test
    void shouldForgetItsAssertionInAResetAndKeepTheDriversMask() {
        pin.apply(InterruptAction.ENABLE);
        pin.level(true);
        pin.reset();
        assertFalse(pin.level());
        assertTrue(pin.level(true), "still taken, no longer masked by the last assertion");
        pin.apply(InterruptAction.MASK);
        pin.reset();
        assertFalse(pin.level(true));
        assertTrue(pin.apply(InterruptAction.UNMASK));
    }

    @Test
    void shouldWaitUntilSomebodyTakesInterrupts() {
        assertFalse(pin.level(true));
        assertTrue(pin.apply(InterruptAction.ENABLE));
        pin.apply(InterruptAction.DISABLE);
        assertFalse(pin.apply(InterruptAction.UNMASK));
        assertTrue(pin.apply(InterruptAction.ENABLE));
    }

    @Test
    void shouldHoldBackWhileDisabledByCommandOrMasked() {
        pin.apply(InterruptAction.ENABLE);
        pin.disabled(true);
        assertFalse(pin.level(true));
        assertTrue(pin.disabled(false));
        pin.apply(InterruptAction.MASK);
        pin.level(false);
        assertFalse(pin.level(true));
        assertTrue(pin.apply(InterruptAction.UNMASK));
    }
}
