package farslot.analysis.diff;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapLoader;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** A trace that is written in the test. */
final class ScriptedTrace implements DiffInput {
    private static final RegisterMap MAP =
            RegisterMapLoader.strict()
                    .load(
                            "disk.xml",
                            new ByteArrayInputStream(
                                    """
                                    <database><domain name="BAR0">
                                    <reg32 offset="0x8" name="VERSION"/>
                                    <reg32 offset="0x14" name="CC">
                                      <bitfield pos="0" name="EN"/>
                                      <bitfield low="14" high="15" name="SHN">
                                        <value value="0" name="NONE"/>
                                        <value value="1" name="NORMAL"/></bitfield>
                                    </reg32>
                                    <reg32 offset="0x1c" name="CSTS">
                                      <bitfield pos="0" name="RDY"/>
                                    </reg32>
                                    <reg32 offset="0x24" name="TIMER"/>
                                    <reg32 offset="0x1000" name="DOORBELL"/>
                                    </domain></database>
                                    """
                                            .getBytes(StandardCharsets.UTF_8)));

    private final List<TraceEvent> events = new ArrayList<>();
    private final long stepNanos;

    ScriptedTrace(long stepNanos) {
        this.stepNanos = stepNanos;
    }

    @Override
    public String name() {
        return "script";
    }

    @Override
    public FunctionDescription function() {
        return new FunctionDescription(
                "disk",
                new Identity(1, 2, 3, 4, 5, 6),
                List.of(
                        new Region(0, Region.Space.MEMORY, 0x4000, Set.of(), 8),
                        new Region(7, Region.Space.CONFIGURATION, 4096, Set.of(), 4)),
                List.of(),
                1,
                0,
                4,
                Set.of(ResetKind.FLR),
                Set.of());
    }

    @Override
    public TraceNames names() {
        return TraceNames.of(function(), MAP);
    }

    @Override
    public List<String> forEach(Consumer<TraceEvent> consumer) {
        events.forEach(consumer);
        return List.of();
    }

    private TraceEvent.Stamp stamp() {
        long nanos = stepNanos * (events.size() + 1);
        return new TraceEvent.Stamp(events.size(), nanos, stepNanos / 2, 1, false);
    }

    private ScriptedTrace access(boolean write, long offset, int length, long value) {
        events.add(
                new TraceEvent.Access(
                        stamp(),
                        write,
                        0,
                        offset,
                        length,
                        -1,
                        CompletionStatus.SUCCESS,
                        data(value, length)));
        return this;
    }

    ScriptedTrace read(long offset, long value) {
        return access(false, offset, 4, value);
    }

    ScriptedTrace reads(int times, long offset, long value) {
        for (int i = 0; i < times; i++) {
            read(offset, value);
        }
        return this;
    }

    ScriptedTrace write(long offset, long value) {
        return access(true, offset, 4, value);
    }

    ScriptedTrace write64(long offset, long value) {
        return access(true, offset, 8, value);
    }

    ScriptedTrace dma(boolean write, long address, int length, long value) {
        events.add(
                new TraceEvent.Dma(
                        stamp(), write, address, CompletionStatus.SUCCESS, data(value, length)));
        return this;
    }

    ScriptedTrace interrupt(int vector) {
        events.add(new TraceEvent.Interrupt(stamp(), InterruptKind.MSIX, vector));
        return this;
    }

    ScriptedTrace mark(String text) {
        events.add(new TraceEvent.Mark(stamp(), text));
        return this;
    }

    private static TraceEvent.Data data(long value, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < Math.min(8, length); i++) {
            bytes[i] = (byte) (value >>> (8 * i));
        }
        return new TraceEvent.Data(length, bytes, null);
    }
}
