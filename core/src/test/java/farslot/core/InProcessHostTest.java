package farslot.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InProcessHostTest {
    /** A function that only remembers what it is asked. */
    private static final class StillFunction implements PciFunction {
        final List<String> asked = new ArrayList<>();
        PciHost host;
        int generation = 1;

        @Override
        public FunctionDescription describe() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void attach(PciHost newHost) {
            host = newHost;
        }

        @Override
        public int generation() {
            return generation;
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int width, long byteEnables) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }

        @Override
        public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {}

        @Override
        public void map(DmaMap map) {
            asked.add("map " + Long.toHexString(map.address()));
        }

        @Override
        public CompletionStatus unmap(long address, long length) {
            asked.add("unmap " + Long.toHexString(address));
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus reset(ResetKind kind) {
            generation++;
            return CompletionStatus.SUCCESS;
        }
    }

    private final StillFunction function = new StillFunction();
    private final List<Object> heard = new ArrayList<>();
    private final InProcessHost host =
            new InProcessHost(
                    function,
                    new InProcessHost.Listener() {
                        @Override
                        public void interrupt(InterruptKind kind, int vector) {
                            heard.add(kind + " " + vector);
                        }

                        @Override
                        public void event(FunctionEvent event) {
                            heard.add(event);
                        }
                    });

    private static MemorySegment bytes(int count) {
        return MemorySegment.ofArray(new byte[count]);
    }

    @Test
    void shouldAttachItselfAndTellTheFunctionOfItsMaps() {
        assertSame(host, function.host);
        host.map(0x1000, bytes(16), Direction.READ);
        assertThrows(
                IllegalArgumentException.class, () -> host.map(0x1008, bytes(16), Direction.READ));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, host.unmap(0x1008, 8));
        assertEquals(CompletionStatus.SUCCESS, host.unmap(0x1000, 16));
        assertEquals(List.of("map 1000", "unmap 1000"), function.asked);
        assertEquals(CompletionStatus.COMPLETER_ABORT, host.read(1, 0x1000, bytes(1)));
        assertInstanceOf(FunctionEvent.DmaRefused.class, heard.getFirst());
    }

    @Test
    void shouldDropWhatBelongsToAnOlderGeneration() {
        host.map(0x1000, bytes(16), Direction.READ_WRITE);
        assertEquals(CompletionStatus.SUCCESS, host.write(1, 0x1000, bytes(16)));
        assertNotNull(host.near(1, 0x1000, 16, Direction.READ));
        function.reset(ResetKind.HOT);
        assertEquals(CompletionStatus.STALE_GENERATION, host.write(1, 0x1000, bytes(16)));
        assertEquals(CompletionStatus.STALE_GENERATION, host.read(1, 0x1000, bytes(16)));
        assertNull(host.near(1, 0x1000, 16, Direction.READ));
        host.interrupt(1, InterruptKind.MSI, 3);
        host.interrupt(2, InterruptKind.MSI, 4);
        assertEquals(List.of("MSI 4"), heard);
    }
}
