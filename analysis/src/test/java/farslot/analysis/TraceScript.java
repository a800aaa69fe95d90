package farslot.analysis;

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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Events as a driver and a small disk controller would make them, a microsecond after each other,
 * each of which takes 0.2 µs.
 */
final class TraceScript {
    static final FunctionDescription DESCRIPTION =
            new FunctionDescription(
                    "disk",
                    new Identity(1, 2, 3, 4, 5, 6),
                    List.of(
                            new Region(0, Region.Space.MEMORY, 0x4000, Set.of(), 8),
                            new Region(2, Region.Space.MEMORY, 0x1000, Set.of(), 8),
                            new Region(
                                    Region.CONFIGURATION,
                                    Region.Space.CONFIGURATION,
                                    4096,
                                    Set.of(),
                                    4)),
                    List.of(),
                    1,
                    0,
                    4,
                    Set.of(ResetKind.FLR),
                    Set.of());
    private static final RegisterMap MAP =
            RegisterMapLoader.strict()
                    .load(
                            "disk.xml",
                            new ByteArrayInputStream(
                                    """
                                    <database><domain name="BAR0">
                                    <reg32 offset="0x14" name="CC">
                                      <bitfield pos="0" name="EN"/>
                                      <bitfield low="14" high="15" name="SHN">
                                        <value value="0" name="NONE"/>
                                        <value value="1" name="NORMAL"/></bitfield>
                                    </reg32>
                                    <reg32 offset="0x1c" name="CSTS">
                                      <bitfield pos="0" name="RDY"/>
                                      <bitfield low="2" high="3" name="SHST">
                                        <value value="0" name="NORMAL"/>
                                        <value value="2" name="COMPLETE"/></bitfield>
                                    </reg32>
                                    <reg32 offset="0x24" name="TIMER"/>
                                    <reg32 offset="0x1000" name="DOORBELL"/>
                                    </domain></database>
                                    """
                                            .getBytes(StandardCharsets.UTF_8)));
    static final TraceNames NAMES = TraceNames.of(DESCRIPTION, MAP);

    private final List<TraceEvent> events = new ArrayList<>();
    private long nanos = 1_000_000;

    List<TraceEvent> events() {
        return events;
    }

    private TraceEvent.Stamp stamp() {
        nanos += 1_000;
        return new TraceEvent.Stamp(events.size(), nanos, 200, 1, false);
    }

    private TraceScript access(boolean write, int region, long offset, int length, long value) {
        events.add(
                new TraceEvent.Access(
                        stamp(),
                        write,
                        region,
                        offset,
                        length,
                        -1,
                        CompletionStatus.SUCCESS,
                        data(value, length)));
        return this;
    }

    TraceScript read(long offset, long value) {
        return access(false, 0, offset, 4, value);
    }

    TraceScript reads(int times, long offset, long value) {
        for (int i = 0; i < times; i++) {
            read(offset, value);
        }
        return this;
    }

    TraceScript write(long offset, long value) {
        return access(true, 0, offset, 4, value);
    }

    TraceScript writeUnnamed(long offset, long value) {
        return access(true, 2, offset, 2, value);
    }

    TraceScript failedRead(long offset) {
        events.add(
                new TraceEvent.Access(
                        stamp(),
                        false,
                        0,
                        offset,
                        4,
                        -1,
                        CompletionStatus.TIMED_OUT,
                        new TraceEvent.Data(4, new byte[0], null)));
        return this;
    }

    TraceScript dma(boolean write, long address, int length) {
        events.add(
                new TraceEvent.Dma(
                        stamp(), write, address, CompletionStatus.SUCCESS, data(address, length)));
        return this;
    }

    TraceScript interrupt(int vector) {
        TraceEvent.Stamp stamp = stamp();
        events.add(
                new TraceEvent.Interrupt(
                        new TraceEvent.Stamp(stamp.number(), stamp.nanos(), 0, 1, false),
                        InterruptKind.MSIX,
                        vector));
        return this;
    }

    TraceScript mark(String text) {
        events.add(new TraceEvent.Mark(stamp(), text));
        return this;
    }

    private static TraceEvent.Data data(long value, int length) {
        byte[] bytes = new byte[Math.max(8, length)];
        MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        return new TraceEvent.Data(length, Arrays.copyOf(bytes, length), null);
    }
}
