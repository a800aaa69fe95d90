package farslot.analysis.export;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapLoader;
import java.io.ByteArrayInputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** A function that stores what it is told, its register map, and a recording of its use. */
final class Widget implements PciFunction {
    static final FunctionDescription DESCRIPTION =
            new FunctionDescription(
                    "widget",
                    new Identity(0x1234, 0x5678, 0x1af4, 0x1100, 0x01_08_02, 3),
                    List.of(
                            new Region(
                                    0,
                                    Region.Space.MEMORY,
                                    0x1000,
                                    Set.of(Region.Attribute.BITS_64),
                                    0x1000),
                            new Region(2, Region.Space.IO_PORT, 16, Set.of(), 4),
                            new Region(
                                    Region.CONFIGURATION,
                                    Region.Space.CONFIGURATION,
                                    4096,
                                    Set.of(),
                                    4)),
                    List.of(
                            new CapabilityPlace(0x10, false, 0x40, 0x3c),
                            new CapabilityPlace(0x11, false, 0x80, 12),
                            new CapabilityPlace(0x01, true, 0x100, 0x48)),
                    1,
                    0,
                    4,
                    Set.of(ResetKind.FLR, ResetKind.COLD),
                    Set.of());

    private static final String MAP =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <database xmlns="http://nouveau.freedesktop.org/">
              <domain name="BAR0" size="0x1000">
                <reg32 offset="0x0" name="CTRL">
                  <bitfield pos="0" name="EN" type="boolean"/>
                  <bitfield low="1" high="2" name="MODE">
                    <value value="0" name="IDLE"/>
                    <value value="1" name="FAST"/>
                  </bitfield>
                </reg32>
                <reg32 offset="0x4" name="STATUS"/>
                <reg64 offset="0x8" name="BELL"/>
              </domain>
            </database>
            """;

    private final byte[][] regions = new byte[Region.COUNT][4096];
    private int generation = 1;
    private PciHost host;

    static RegisterMap map() {
        return RegisterMapLoader.lenient()
                .load("widget.xml", new ByteArrayInputStream(MAP.getBytes(StandardCharsets.UTF_8)));
    }

    static TraceNames names(TraceReader reader) {
        return TraceNames.of(reader.description(), map());
    }

    /** A trace that has one of nearly all that a trace can have. */
    static Path record(Path folder) throws TraceException {
        Path file = folder.resolve("widget.fst");
        Widget widget = new Widget();
        TraceOptions options = TraceOptions.DEFAULT.withDmaData(TraceOptions.DmaData.FULL);
        try (RecorderTap tap = RecorderTap.recording(widget, file, options)) {
            tap.attach(new Memory());
            PciHost driver = widget.host;
            tap.write(7, 0x10, number(4, 0xFFFF_FFFFL), 4, ALL_BYTES);
            tap.write(7, 0x10, number(4, 0xFE00_0000L), 4, ALL_BYTES);
            tap.write(7, 0x14, number(4, 0x38), 4, ALL_BYTES);
            tap.write(7, 0x18, number(4, 0xC001), 4, ALL_BYTES);
            tap.write(7, 0x04, number(2, 7), 2, ALL_BYTES);
            tap.trace().mark("the driver is loaded");
            tap.write(0, 0x0, number(4, 3), 4, ALL_BYTES);
            tap.read(0, 0x4, number(4, 0), 4);
            tap.read(0, 0x2000, number(4, 0), 4);
            tap.write(2, 0x3, number(1, 0xA5), 1, ALL_BYTES);
            tap.write(0, 0x100, pattern(300), 0, ALL_BYTES);
            tap.write(0, 0x8, number(8, -2), 8, 0x0F);
            tap.map(new DmaMap(0x10000, 0x10000, Direction.READ_WRITE, null, true));
            tap.interrupts(InterruptKind.MSIX, 0, 4, InterruptAction.ENABLE);
            driver.read(1, 0x10000, number(8, 0));
            driver.write(1, 0x10040, pattern(1500));
            driver.write(1, 0x90000, pattern(4));
            driver.interrupt(1, InterruptKind.MSIX, 2);
            driver.near(1, 0x10000, 64, Direction.READ);
            driver.event(new FunctionEvent.Error(false, "a \"quoted\"\nsentence"));
            driver.event(
                    new FunctionEvent.DmaRefused(0x90000, 4, Direction.WRITE, "not mapped there"));
            tap.trace().mark("farslot read\tlike our own");
            tap.reset(ResetKind.FLR);
            tap.write(7, 0x10, number(4, 0xFD00_0000L), 4, ALL_BYTES);
            tap.read(0, 0x8, number(8, 0), 8);
            tap.write(0, 0xFFF, number(1, 0x80), 1, ALL_BYTES);
            tap.unmap(0, 0);
        }
        return file;
    }

    static MemorySegment number(int bytes, long value) {
        ByteBuffer buffer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        return MemorySegment.ofBuffer(buffer.putLong(value).flip().limit(bytes));
    }

    private static MemorySegment pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + i / 256);
        }
        return MemorySegment.ofArray(bytes);
    }

    @Override
    public FunctionDescription describe() {
        return DESCRIPTION;
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
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        if (offset + into.byteSize() > 4096) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        MemorySegment memory = MemorySegment.ofArray(regions[region]);
        MemorySegment.copy(memory, offset, into, 0, into.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        MemorySegment memory = MemorySegment.ofArray(regions[region]);
        MemorySegment.copy(from, 0, memory, offset, from.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {}

    @Override
    public void map(DmaMap map) {}

    @Override
    public CompletionStatus unmap(long address, long length) {
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        generation++;
        return CompletionStatus.SUCCESS;
    }

    /** A driver's side with 512 KiB of memory. */
    private static final class Memory implements PciHost {
        private final MemorySegment memory = MemorySegment.ofArray(new byte[0x80000]);

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            MemorySegment.copy(memory, address, into, 0, into.byteSize());
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            if (address >= memory.byteSize()) {
                return CompletionStatus.COMPLETER_ABORT;
            }
            MemorySegment.copy(from, 0, memory, address, from.byteSize());
            return CompletionStatus.SUCCESS;
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return null;
        }

        @Override
        public boolean servedWhileWaiting(long address, long length) {
            return true;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {}

        @Override
        public void event(FunctionEvent event) {}
    }
}
