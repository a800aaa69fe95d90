package farslot.link;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a peer is given new credit. */
class AccountsTest {
    @ParameterizedTest
    @ValueSource(ints = {Messages.POSTED, Messages.NON_POSTED, Messages.COMPLETION})
    void shouldGiveCreditWhenLessThanALongestFrameIsLeft(int trafficClass) {
        Accounts accounts = new Accounts();
        int used = Accounts.BYTES[trafficClass] - Messages.MAX_FRAME_BYTES + 1;
        while (used > Messages.MAX_FRAME_BYTES) {
            accounts.consumed(trafficClass, Messages.MAX_FRAME_BYTES);
            used -= Messages.MAX_FRAME_BYTES;
        }
        assertTrue(accounts.consumed(trafficClass, used));
    }

    @ParameterizedTest
    @ValueSource(ints = {Messages.POSTED, Messages.NON_POSTED, Messages.COMPLETION})
    void shouldGiveCreditWhenHalfOfTheFramesAreUsedUp(int trafficClass) {
        Accounts accounts = new Accounts();
        for (int frame = 1; frame < Accounts.FRAMES[trafficClass] / 2; frame++) {
            assertFalse(accounts.consumed(trafficClass, Messages.Header.BYTES));
        }
        assertTrue(accounts.consumed(trafficClass, Messages.Header.BYTES));
    }
}
