package farslot.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MsiStateTest {
    private final List<String> sent = new ArrayList<>();

    private MsiState state(int control) {
        return new MsiState(
                control,
                (vector, address, data) ->
                        sent.add(
                                vector
                                        + ":"
                                        + Long.toHexString(address)
                                        + "="
                                        + Integer.toHexString(data)));
    }

    private static void write(MsiState state, int offset, int... bytes) {
        byte[] array = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            array[i] = (byte) bytes[i];
        }
        state.write(offset, MemorySegment.ofArray(array), PciFunction.ALL_BYTES);
    }

    @Test
    void shouldPutTheVectorIntoTheLowBitsOfTheData() {
        MsiState state = state(0x0084); // 4 vectors, 64 bits
        write(state, 4, 0x03, 0x10, 0xe0, 0xfe, 0x02, 0, 0, 0, 0x47, 0x12);
        write(state, 2, 0x21);
        assertTrue(state.enabled());
        state.signal(2);
        assertEquals(List.of("2:2fee01000=1246"), sent);
    }

    @Test
    void shouldPlaceDataSoonerWith32BitAddresses() {
        MsiState state = state(0x0000);
        write(state, 4, 0, 0x10, 0xe0, 0xfe, 0x34, 0x12);
        write(state, 2, 0x01);
        state.signal(0);
        assertEquals(List.of("0:fee01000=1234"), sent);
    }

    @Test
    void shouldDropWhatIsNotGrantedOrNotEnabled() {
        MsiState state = state(0x0086);
        state.signal(0);
        write(state, 2, 0x11);
        state.signal(2);
        assertEquals(List.of(), sent);
        state.signal(1);
        assertEquals(List.of("1:0=1"), sent);
    }

    @Test
    void shouldKeepAMaskedVectorPending() {
        MsiState state = state(0x0186); // 8 vectors, 64 bits, masking
        write(state, 16, 0xff, 0, 0, 0);
        write(state, 2, 0x31);
        state.signal(5);
        state.signal(5);
        assertEquals(1 << 5, state.pending());
        assertEquals(List.of(), sent);
        write(state, 16, 0xdf, 0, 0, 0);
        assertEquals(List.of("5:0=5"), sent);
        assertEquals(0, state.pending());
    }

    @Test
    void shouldForgetAtResetAndWhenTurnedOff() {
        MsiState state = state(0x0100);
        write(state, 12, 1, 0, 0, 0);
        write(state, 2, 1);
        state.signal(0);
        write(state, 2, 0);
        assertEquals(0, state.pending());
        write(state, 2, 1);
        state.signal(0);
        state.reset();
        assertEquals(0, state.pending());
        assertFalse(state.enabled());
    }

    @Test
    void shouldIgnoreBytesBeyondTheCapability() {
        MsiState state = state(0x0000);
        write(state, -2, 9, 9, 9, 9, 1, 9, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9);
        state.signal(0);
        assertEquals(List.of("0:0=0"), sent);
    }
}
