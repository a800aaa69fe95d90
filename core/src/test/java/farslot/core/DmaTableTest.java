package farslot.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DmaTableTest {
    private static final int PAGE = 0x1000;

    private final Arena arena = Arena.ofAuto();
    private final DmaTable table = new DmaTable();

    private DmaMap near(long address, long length, Direction direction) {
        return new DmaMap(
                address, length, direction, new NearMemory(arena.allocate(length, 8), -1, 0), true);
    }

    private static DmaMap far(long address, long length) {
        return new DmaMap(address, length, Direction.READ_WRITE, null, false);
    }

    private static MemorySegment bytes(int... values) {
        byte[] array = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            array[i] = (byte) values[i];
        }
        return MemorySegment.ofArray(array);
    }

    @Test
    void shouldWriteAndReadAcrossAdjacentMaps() {
        table.add(near(0x1000, PAGE, Direction.READ_WRITE));
        table.add(near(0x2000, PAGE, Direction.READ_WRITE));
        assertEquals(CompletionStatus.SUCCESS, table.write(0x1ffd, bytes(1, 2, 3, 4, 5, 6), null));
        byte[] back = new byte[6];
        assertEquals(
                CompletionStatus.SUCCESS, table.read(0x1ffd, MemorySegment.ofArray(back), null));
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6}, back);
        assertEquals(2, table.resolve(0x1ffd, 6, Direction.READ).size());
    }

    @Test
    void shouldRefuseAWriteWholeWhereItsEndIsNotMapped() {
        DmaMap map = near(0x1000, PAGE, Direction.READ_WRITE);
        table.add(map);
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.write(0x1fff, bytes(7, 7), null));
        assertEquals(0, map.near().segment().get(ValueLayout.JAVA_BYTE, 0xfff));
    }

    @Test
    void shouldRefuseTheWrongDirection() {
        table.add(near(0x1000, PAGE, Direction.READ));
        table.add(near(0x2000, PAGE, Direction.WRITE));
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.write(0x1000, bytes(1), null));
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.read(0x2000, bytes(1), null));
        assertTrue(table.resolve(0x1fff, 2, Direction.READ).isEmpty());
    }

    @Test
    void shouldReachTheLastByteOfTheAddressSpace() {
        table.add(near(-0x1000L, PAGE, Direction.READ_WRITE));
        assertEquals(CompletionStatus.SUCCESS, table.write(-1L, bytes(1), null));
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.write(-1L, bytes(1, 2), null));
    }

    @Test
    void shouldReplaceTheSameRangeAndRefuseAnyOtherOverlap() {
        DmaMap first = far(0x1000, 0x2000);
        table.add(first);
        assertEquals(List.of(first), table.add(far(0x1000, 0x2000)).removed());
        for (DmaMap overlapping :
                List.of(far(0, 0x1001), far(0x1000, 1), far(0x2fff, 1), far(0, 0x10000))) {
            assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, table.add(overlapping).status());
        }
        assertEquals(1, table.maps().size());
    }

    @Test
    void shouldRefuseToCutAMapAndToRemoveNothing() {
        table.add(far(0x1000, 0x2000));
        for (long[] range : new long[][] {{0x1000, 0x1000}, {0x2000, 0x1000}, {0x4000, 0x1000}}) {
            assertEquals(
                    CompletionStatus.UNSUPPORTED_REQUEST,
                    table.remove(range[0], range[1]).status());
        }
        assertEquals(1, table.remove(0, 0x10000).removed().size());
        assertTrue(table.remove(0, 0).status().isSuccess());
    }

    @Test
    void shouldReachFarPiecesByMessagesInOrder() {
        table.add(near(0x1000, PAGE, Direction.READ_WRITE));
        table.add(far(0x2000, PAGE));
        List<String> asked = new ArrayList<>();
        DmaTable.Far messages =
                new DmaTable.Far() {
                    @Override
                    public CompletionStatus read(long address, MemorySegment into) {
                        asked.add("read " + Long.toHexString(address) + " " + into.byteSize());
                        return CompletionStatus.SUCCESS;
                    }

                    @Override
                    public CompletionStatus write(long address, MemorySegment from) {
                        asked.add("write " + Long.toHexString(address) + " " + from.byteSize());
                        return CompletionStatus.SUCCESS;
                    }
                };
        assertTrue(table.write(0x1ffe, bytes(1, 2, 3), messages).isSuccess());
        assertTrue(table.read(0x2000, bytes(0, 0), messages).isSuccess());
        assertEquals(List.of("write 2000 1", "read 2000 2"), asked);
        assertFalse(table.servedWhileWaiting(0x1ff0, 0x20));
        assertTrue(table.servedWhileWaiting(0x1000, 0x1000));
        assertTrue(table.servedWhileWaiting(0x9000, 0x1000));
        assertNull(table.near(0x2000, 1, Direction.READ));
        assertNull(table.near(0x1fff, 2, Direction.READ));
        assertNotNull(table.near(0x1fff, 1, Direction.READ));
    }

    @Test
    void shouldTellWhyAFarPieceFailed() {
        table.add(near(0x1000, PAGE, Direction.READ_WRITE));
        table.add(far(0x2000, PAGE));
        DmaTable.Far messages =
                new DmaTable.Far() {
                    @Override
                    public CompletionStatus read(long address, MemorySegment into) {
                        return CompletionStatus.TIMED_OUT;
                    }

                    @Override
                    public CompletionStatus write(long address, MemorySegment from) {
                        return CompletionStatus.STALE_GENERATION;
                    }
                };
        assertEquals(CompletionStatus.TIMED_OUT, table.read(0x1ffe, bytes(1, 2, 3), messages));
        assertEquals(CompletionStatus.STALE_GENERATION, table.write(0x2000, bytes(1, 2), messages));
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.read(0x2000, bytes(1), null));
    }

    @Test
    void shouldReportMemoryThatVanished() {
        try (Arena owner = Arena.ofShared()) {
            MemorySegment memory = owner.allocate(PAGE, 8);
            table.add(
                    new DmaMap(0, PAGE, Direction.READ_WRITE, new NearMemory(memory, -1, 0), true));
        }
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.write(0, bytes(1), null));
        assertEquals(CompletionStatus.COMPLETER_ABORT, table.read(0, bytes(1), null));
    }

    /** When remove returns, no copy of another thread reaches the memory any more. */
    @Test
    @Timeout(60)
    void shouldKeepCopiesOffMemoryThatWasTakenBack() throws InterruptedException {
        int rounds = "full".equals(System.getProperty("farslot.rounds")) ? 100_000 : 2_000;
        AtomicBoolean done = new AtomicBoolean();
        MemorySegment ones = MemorySegment.ofArray(new byte[256]).fill((byte) 1);
        Thread device =
                new Thread(() -> {
                    while (!done.get()) {
                        table.write(0x1000, ones, null);
                    }
                });
        device.start();
        DmaMap map = near(0x1000, PAGE, Direction.WRITE);
        MemorySegment memory = map.near().segment();
        long reached = 0;
        for (int round = 0; round < rounds; round++) {
            table.add(map);
            Thread.onSpinWait();
            table.remove(0x1000, PAGE);
            memory.fill((byte) 0);
            reached += memory.mismatch(MemorySegment.ofArray(new byte[PAGE])) < 0 ? 0 : 1;
        }
        done.set(true);
        device.join();
        assertEquals(0, reached);
    }

    /** What a byte-by-byte table of 64 addresses would do. */
    private static final class NaiveTable {
        private final DmaMap[] byteOwner = new DmaMap[64];

        CompletionStatus add(DmaMap map) {
            int first = (int) map.address();
            int end = (int) (map.address() + map.length());
            for (int at = first; at < end; at++) {
                DmaMap owner = byteOwner[at];
                if (owner != null && (owner.address() != first || owner.length() != map.length())) {
                    return CompletionStatus.UNSUPPORTED_REQUEST;
                }
            }
            for (int at = first; at < end; at++) {
                byteOwner[at] = map;
            }
            return CompletionStatus.SUCCESS;
        }

        CompletionStatus remove(int address, int length) {
            boolean any = false;
            for (int at = address; at < address + length; at++) {
                DmaMap owner = byteOwner[at];
                if (owner != null) {
                    any = true;
                    if (owner.address() < address
                            || owner.address() + owner.length() > address + length) {
                        return CompletionStatus.UNSUPPORTED_REQUEST;
                    }
                }
            }
            if (!any) {
                return CompletionStatus.UNSUPPORTED_REQUEST;
            }
            for (int at = address; at < address + length; at++) {
                byteOwner[at] = null;
            }
            return CompletionStatus.SUCCESS;
        }

        boolean reaches(int address, int length, Direction direction) {
            for (int at = address; at < address + length; at++) {
                if (at >= 64
                        || byteOwner[at] == null
                        || !byteOwner[at].direction().allows(direction)) {
                    return false;
                }
            }
            return true;
        }
    }

    record Step(boolean adds, int address, int length, Direction direction) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(true, true, false),
                        Arbitraries.integers().between(0, 63),
                        Arbitraries.integers().between(1, 16),
                        Arbitraries.of(Direction.class))
                .as((adds, at, size, way) -> new Step(adds, at, Math.min(size, 64 - at), way))
                .list()
                .ofMaxSize(40);
    }

    @Property(tries = 300)
    void shouldAgreeWithANaiveTable(@ForAll("steps") List<Step> steps) {
        DmaTable real = new DmaTable();
        NaiveTable naive = new NaiveTable();
        for (Step step : steps) {
            if (step.adds) {
                DmaMap map = new DmaMap(step.address, step.length, step.direction, null, true);
                assertEquals(naive.add(map), real.add(map).status());
            } else {
                assertEquals(
                        naive.remove(step.address, step.length),
                        real.remove(step.address, step.length).status());
            }
            for (int at = 0; at < 64; at++) {
                for (int length : new int[] {1, 2, 7}) {
                    for (Direction way : Direction.values()) {
                        List<DmaTable.Piece> pieces = real.resolve(at, length, way);
                        assertEquals(naive.reaches(at, length, way), !pieces.isEmpty());
                        long next = at;
                        for (DmaTable.Piece piece : pieces) {
                            assertEquals(next, piece.address());
                            next += piece.length();
                        }
                        assertTrue(pieces.isEmpty() || next == at + length);
                    }
                }
            }
        }
    }
}
