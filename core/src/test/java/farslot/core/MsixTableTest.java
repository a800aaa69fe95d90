package farslot.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class MsixTableTest {
    private final List<String> sent = new ArrayList<>();
    private final MsixTable table =
            new MsixTable(
                    70,
                    (vector, address, data) ->
                            sent.add(vector + ":" + Long.toHexString(address) + "=" + data));

    private static MemorySegment words(int... words) {
        byte[] bytes = new byte[words.length * 4];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (words[i / 4] >>> (8 * (i % 4)));
        }
        return MemorySegment.ofArray(bytes);
    }

    private void program(int vector, int control) {
        table.write(
                vector * 16L, words(0xfee0_1000, 1, 100 + vector, control), PciFunction.ALL_BYTES);
    }

    private void control(int vector, int control) {
        table.write(vector * 16L + 12, words(control), PciFunction.ALL_BYTES);
    }

    private long pending() {
        byte[] bytes = new byte[16];
        assertEquals(CompletionStatus.SUCCESS, table.readPending(0, MemorySegment.ofArray(bytes)));
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value |= (bytes[i] & 0xffL) << (8 * i);
        }
        return value;
    }

    @Test
    void shouldSendTheMessageThatTheDriverAskedFor() {
        table.control(true, false);
        program(3, 0);
        table.signal(3);
        assertEquals(List.of("3:1fee01000=103"), sent);
    }

    @Test
    void shouldKeepAMaskedVectorPendingAndSendItOnceWhenUnmasked() {
        table.control(true, false);
        program(5, 1);
        table.signal(5);
        table.signal(5);
        assertEquals(List.of(), sent);
        assertEquals(1 << 5, pending());
        control(5, 0);
        assertEquals(List.of("5:1fee01000=105"), sent);
        assertEquals(0, pending());
    }

    @Test
    void shouldHoldAllBackByTheFunctionMask() {
        table.control(true, true);
        program(0, 0);
        program(1, 0);
        table.signal(1);
        table.signal(0);
        assertEquals(List.of(), sent);
        assertEquals(3, pending());
        table.control(true, false);
        assertEquals(List.of("0:1fee01000=100", "1:1fee01000=101"), sent);
    }

    @Test
    void shouldForgetWhatComesWhileItIsOff() {
        program(0, 0);
        table.signal(0);
        table.control(true, false);
        assertEquals(List.of(), sent);
    }

    @Test
    void shouldMaskEverythingAfterAReset() {
        table.control(true, false);
        program(0, 0);
        table.reset();
        MemorySegment control = words(0);
        table.read(12, control);
        assertEquals(1, control.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0));
        table.control(true, false);
        table.signal(0);
        assertEquals(List.of(), sent);
    }

    @Test
    void shouldKeepItsReservedBitsZero() {
        table.write(0, words(-1, -1, -1, -1), PciFunction.ALL_BYTES);
        MemorySegment entry = words(0, 0, 0, 0);
        table.read(0, entry);
        assertEquals(-1, words(0xffff_fffc, -1, -1, 1).mismatch(entry));
    }

    @Test
    void shouldRefuseWhatLiesOutside() {
        assertEquals(1120, table.sizeBytes());
        assertEquals(16, table.pendingSizeBytes());
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, table.read(1117, words(0)));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, table.write(-4, words(0), -1));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, table.readPending(13, words(0)));
        assertThrows(IndexOutOfBoundsException.class, () -> table.signal(70));
    }

    /** However masks come and go: nothing is lost, nothing comes twice, nothing passes a mask. */
    @Property(tries = 200)
    void shouldLoseNothingAndSendNothingTwice(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int vectors = 5;
        int[] came = new int[vectors];
        int[] expected = new int[vectors];
        boolean[] masked = new boolean[vectors];
        boolean[] waiting = new boolean[vectors];
        MsixTable real = new MsixTable(vectors, (vector, address, data) -> came[vector]++);
        real.control(true, false);
        boolean all = false;
        java.util.Arrays.fill(masked, true);
        for (int step = 0; step < 60; step++) {
            int vector = random.nextInt(vectors);
            switch (random.nextInt(3)) {
                case 0 -> {
                    real.signal(vector);
                    waiting[vector] = true;
                }
                case 1 -> {
                    masked[vector] = random.nextBoolean();
                    real.write(
                            vector * 16L + 12,
                            words(masked[vector] ? 1 : 0),
                            PciFunction.ALL_BYTES);
                }
                default -> {
                    all = random.nextBoolean();
                    real.control(true, all);
                }
            }
            for (int v = 0; v < vectors; v++) {
                if (waiting[v] && !masked[v] && !all) {
                    waiting[v] = false;
                    expected[v]++;
                }
                assertEquals(expected[v], came[v]);
            }
        }
    }
}
