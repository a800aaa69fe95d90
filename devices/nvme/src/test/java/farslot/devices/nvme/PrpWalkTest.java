package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

final class PrpWalkTest {
    private static final int PAGE = 4096;

    /** Memory from address 0 on. */
    private static final class Array implements DriverMemory {
        final byte[] bytes = new byte[2 << 20];

        void put(long address, long value) {
            MemorySegment.ofArray(bytes).set(LittleEndian.LONG, address, value);
        }

        @Override
        public CompletionStatus read(long address, MemorySegment into) {
            if (address < 0 || address > bytes.length - into.byteSize()) {
                return CompletionStatus.COMPLETER_ABORT;
            }
            into.copyFrom(MemorySegment.ofArray(bytes).asSlice(address, into.byteSize()));
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(long address, MemorySegment from) {
            throw new AssertionError("a walk writes nothing");
        }

        @Override
        public CompletionStatus readAll(List<DmaSegment> segments) {
            segments.forEach(segment -> read(segment.address(), segment.data()));
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus writeAll(List<DmaSegment> segments) {
            throw new AssertionError("a walk writes nothing");
        }
    }

    private final Array memory = new Array();

    private List<DmaSegment> walk(long prp1, long prp2, int bytes) throws CommandException {
        return PrpWalk.segments(memory, PAGE, prp1, prp2, MemorySegment.ofArray(new byte[bytes]));
    }

    private void assertRefused(StatusCode status, long prp1, long prp2, int bytes) {
        CommandException refusal =
                assertThrows(CommandException.class, () -> walk(prp1, prp2, bytes));
        assertEquals(status, refusal.status());
    }

    @Test
    void onePageNeedsPrp1Only() throws CommandException {
        List<DmaSegment> segments = walk(0x5004, 0xFFFF, PAGE - 4);
        assertEquals(1, segments.size());
        assertEquals(0x5004, segments.getFirst().address());
    }

    @Test
    void theRestOfTwoPagesIsInPrp2() throws CommandException {
        List<DmaSegment> segments = walk(0x5800, 0x9000, PAGE);
        assertEquals(2, segments.size());
        assertEquals(0x800, segments.getFirst().data().byteSize());
        assertEquals(0x9000, segments.getLast().address());
    }

    @Test
    void pagesThatFollowOneAnotherAreOnePiece() throws CommandException {
        assertEquals(1, walk(0x5800, 0x6000, PAGE).size());
    }

    @Test
    void aListMayBeginInAPageAndGoOnInAnother() throws CommandException {
        // One entry is left in the first page: it points to the next list (4.3).
        memory.put(0x1FF8, 0x3000);
        memory.put(0x3000, 0x8000);
        memory.put(0x3008, 0xA000);
        List<DmaSegment> segments = walk(0x5000, 0x1FF8, 3 * PAGE);
        assertEquals(List.of(0x5000L, 0x8000L, 0xA000L), addresses(segments));
    }

    @Test
    void theLastEntryOfAPageIsDataWhereNothingMoreIsNeeded() throws CommandException {
        memory.put(0x1FF0, 0x8000);
        memory.put(0x1FF8, 0xA000);
        assertEquals(List.of(0x5000L, 0x8000L, 0xA000L), addresses(walk(0x5000, 0x1FF0, 3 * PAGE)));
    }

    private static List<Long> addresses(List<DmaSegment> segments) {
        return segments.stream().map(DmaSegment::address).toList();
    }

    @Test
    void badOffsetsAreRefused() {
        assertRefused(StatusCode.PRP_OFFSET_INVALID, 0x5001, 0, 512);
        assertRefused(StatusCode.PRP_OFFSET_INVALID, 0x5002, 0, 512);
        assertRefused(StatusCode.PRP_OFFSET_INVALID, 0x5000, 0x9004, 2 * PAGE);
        assertRefused(StatusCode.PRP_OFFSET_INVALID, 0x5000, 0x1004, 3 * PAGE);
        memory.put(0x1000, 0x8000);
        memory.put(0x1008, 0xA008);
        assertRefused(StatusCode.PRP_OFFSET_INVALID, 0x5000, 0x1000, 3 * PAGE);
        memory.put(0x1FF8, 0x3008);
        assertRefused(StatusCode.PRP_OFFSET_INVALID, 0x5000, 0x1FF8, 3 * PAGE);
    }

    @Test
    void aListThatCannotBeReadIsADataTransferError() {
        assertRefused(StatusCode.DATA_TRANSFER_ERROR, 0x5000, 0x7FFF_0000_0000L, 3 * PAGE);
        memory.put(0x1FF8, 0x7FFF_0000_0000L);
        assertRefused(StatusCode.DATA_TRANSFER_ERROR, 0x5000, 0x1FF8, 3 * PAGE);
    }

    /** However pages and lists are laid out, the data comes together in order. */
    @Property(tries = 300)
    void gathersWhatWasScattered(
            @ForAll @IntRange(min = 1, max = 600 << 10) int length, @ForAll long seed)
            throws CommandException {
        Random random = new Random(seed);
        byte[] data = new byte[length];
        random.nextBytes(data);
        PrpLayout layout = new PrpLayout(random, length, 0, memory.bytes.length);
        layout.scatter(MemorySegment.ofArray(memory.bytes), data);
        byte[] gathered = new byte[length];
        List<DmaSegment> segments =
                PrpWalk.segments(
                        memory, PAGE, layout.prp1, layout.prp2, MemorySegment.ofArray(gathered));
        assertTrue(memory.readAll(segments).isSuccess());
        assertArrayEquals(data, gathered);
        long total = segments.stream().mapToLong(segment -> segment.data().byteSize()).sum();
        assertEquals(length, total);
        assertEquals(
                gathered[length - 1],
                segments.getLast()
                        .data()
                        .get(ValueLayout.JAVA_BYTE, segments.getLast().data().byteSize() - 1));
    }
}
