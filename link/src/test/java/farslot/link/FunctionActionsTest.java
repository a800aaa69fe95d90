package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FunctionActionsTest {
    private final Memory function = new Memory();
    private final FunctionActions actions = new FunctionActions(function);

    /** 16 bytes of memory as a function, which can be reset by FLR alone. */
    private static final class Memory implements PciFunction {
        final byte[] bytes = new byte[16];
        final List<String> asked = new ArrayList<>();
        CompletionStatus answer = CompletionStatus.SUCCESS;

        @Override
        public FunctionDescription describe() {
            return new FunctionDescription(
                    "memory",
                    new FunctionDescription.Identity(1, 2, 0, 0, 0, 0),
                    List.of(new Region(0, Region.Space.MEMORY, 16, Set.of(), 8)),
                    List.of(),
                    0,
                    0,
                    0,
                    Set.of(ResetKind.FLR),
                    Set.of());
        }

        @Override
        public void attach(PciHost host) {}

        @Override
        public int generation() {
            return 7;
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
            asked.add("read " + width);
            MemorySegment.copy(MemorySegment.ofArray(bytes), offset, into, 0, into.byteSize());
            return answer;
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int width, long byteEnables) {
            asked.add("write " + width);
            MemorySegment.copy(from, 0, MemorySegment.ofArray(bytes), offset, from.byteSize());
            return answer;
        }

        @Override
        public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {}

        @Override
        public void map(DmaMap map) {}

        @Override
        public CompletionStatus unmap(long address, long length) {
            return answer;
        }

        @Override
        public CompletionStatus reset(ResetKind kind) {
            asked.add("reset " + kind);
            return answer;
        }
    }

    private static Map<String, String> place(String region, String offset, String width) {
        return Map.of("region", region, "offset", offset, "width", width);
    }

    @Test
    void whatIsPokedIsPeeked() throws RefusedException {
        actions.operate(
                "poke",
                Map.of("region", "BAR0", "offset", "0x4", "width", "4", "value", "0xcafe0001"));
        assertEquals(
                Map.of("region", "BAR0", "offset", "0x4", "width", "2", "value", "0x0001"),
                actions.operate("peek", place("bar0", "4", "2")).getFirst());
        assertEquals(
                "0xcafe000100000000",
                actions.operate("peek", place("BAR0", "0", "8")).getFirst().get("value"));
        assertEquals(List.of("write 4", "read 2", "read 8"), function.asked);
    }

    @Test
    void aResetTellsTheGeneration() throws RefusedException {
        assertEquals(
                Map.of("kind", "flr", "generation", "7"),
                actions.operate("reset", Map.of()).getFirst());
        assertEquals(List.of("reset FLR"), function.asked);
    }

    @ParameterizedTest
    @CsvSource({
        "BAR1, 0, 4, has no region",
        "BAR0, 0, 3, '1, 2, 4 or 8 bytes'",
        "BAR0, 13, 4, are not within BAR0",
        "BAR0, 0xffffffffffffffff, 4, are not within BAR0",
        "BAR0, here, 4, is no number",
        "BAR0, 0x, 4, is no number"
    })
    void refusesWhatIsNoPlace(String region, String offset, String width, String why) {
        RefusedException e =
                assertThrows(
                        RefusedException.class,
                        () -> actions.operate("peek", place(region, offset, width)));
        assertEquals(RefusedException.Reason.BAD_ARGUMENT, e.reason());
        assertTrue(e.getMessage().contains(why), e.getMessage());
        assertEquals(List.of(), function.asked);
    }

    @Test
    void refusesWhatIsMissingOrUnknown() {
        assertEquals(
                RefusedException.Reason.BAD_ARGUMENT,
                assertThrows(
                                RefusedException.class,
                                () -> actions.operate("peek", Map.of("region", "BAR0")))
                        .reason());
        assertEquals(
                RefusedException.Reason.BAD_ARGUMENT,
                assertThrows(
                                RefusedException.class,
                                () -> actions.operate("reset", Map.of("kind", "warm")))
                        .reason());
        assertEquals(
                RefusedException.Reason.UNSUPPORTED,
                assertThrows(
                                RefusedException.class,
                                () -> actions.operate("reset", Map.of("kind", "cold")))
                        .reason());
        assertEquals(
                RefusedException.Reason.NOT_FOUND,
                assertThrows(RefusedException.class, () -> actions.operate("eject", Map.of()))
                        .reason());
        assertEquals(List.of(), function.asked);
    }

    @Test
    void saysWhatTheFunctionAnswered() {
        function.answer = CompletionStatus.UNSUPPORTED_REQUEST;
        RefusedException e =
                assertThrows(
                        RefusedException.class,
                        () -> actions.operate("peek", place("BAR0", "0", "4")));
        assertEquals(RefusedException.Reason.FAILED, e.reason());
        assertTrue(e.getMessage().contains("command register"), e.getMessage());
    }
}
