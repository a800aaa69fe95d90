package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapLoader;
import java.io.ByteArrayInputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceTextTest {
    private static final RegisterMap MAP =
            RegisterMapLoader.strict()
                    .load(
                            "memory.xml",
                            new ByteArrayInputStream(
                                    """
                                    <database xmlns:f="urn:farslot:registers"><domain name="BAR0">
                                    <reg64 offset="0" name="CAP"/>
                                    <reg32 offset="0x14" name="CC">
                                      <bitfield pos="0" name="EN"/>
                                      <bitfield low="4" high="6" name="CSS">
                                        <value value="0" name="NVM"/></bitfield>
                                      <bitfield low="7" high="31" name="REST"/>
                                    </reg32>
                                    <stripe offset="0x1000" stride="8" length="4">
                                      <reg32 offset="0" name="SQTDBL" f:label="SQ{0}TDBL"/>
                                    </stripe></domain></database>
                                    """
                                            .getBytes(StandardCharsets.UTF_8)));
    private static final TraceNames NAMES = TraceNames.of(MemoryFunction.DESCRIPTION, MAP);

    @TempDir Path folder;

    private final MemoryFunction function = new MemoryFunction();
    private final TraceText text = new TraceText(NAMES);

    private RecorderTap recording() throws TraceException {
        RecorderTap tap =
                RecorderTap.recording(function, folder.resolve("t.fst"), TraceOptions.DEFAULT);
        tap.attach(new MemoryHost());
        return tap;
    }

    private List<TraceEvent> endOf(RecorderTap tap) throws TraceException {
        tap.close();
        List<TraceEvent> events = RecorderTapTest.events(folder.resolve("t.fst"));
        return events.subList(1, events.size());
    }

    private static MemorySegment number(long value, int length) {
        MemorySegment all = MemorySegment.ofArray(new byte[8]);
        all.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        return all.asSlice(0, length);
    }

    /** The line without its time at the beginning and what it took at the end. */
    private String line(TraceEvent event) {
        return text.line(event).substring(18).replaceAll(" took=.*", "").stripTrailing();
    }

    @Test
    void anAccessIsNamedAndDecoded() throws TraceException {
        RecorderTap tap = recording();
        tap.write(0, 0x14, number(0x460001, 4), 4, PciFunction.ALL_BYTES);
        tap.write(0, 0x1008, number(3, 4), 4, PciFunction.ALL_BYTES);
        tap.read(0, 4, number(0, 4), 4);
        tap.write(Region.CONFIGURATION, 4, number(0x406, 2), 2, 1);
        tap.read(0, 1 << 20, number(0, 4), 4);
        tap.write(0, 0x2000, MemorySegment.ofArray(new byte[32]), 8, PciFunction.ALL_BYTES);
        tap.write(0, 0x2000, number(0x123456, 3), 0, PciFunction.ALL_BYTES);
        List<TraceEvent> events = endOf(tap);
        assertEquals(
                "write      BAR0  CC                     0x00460001         "
                        + "EN=1 CSS=NVM REST=0x8c00",
                line(events.get(0)));
        assertEquals("write      BAR0  SQ1TDBL                0x00000003", line(events.get(1)));
        assertEquals("read       BAR0  CAP[63:32]             0x00000000", line(events.get(2)));
        assertTrue(
                line(events.get(3))
                        .startsWith(
                                "write      CFG   COMMAND                0x0406             "
                                        + "bytes=0x1 IO=0 MEM=1 MASTER=1 SPECIAL=0"),
                line(events.get(3)));
        assertEquals(
                "read       BAR0  0x100000 ?             -                  4 bytes"
                        + " status=UNSUPPORTED_REQUEST",
                line(events.get(4)));
        assertEquals(
                "write      BAR0  0x2000 ?               32 bytes           "
                        + "00".repeat(16)
                        + "..",
                line(events.get(5)));
        assertEquals("write      BAR0  0x2000 ?               0x123456", line(events.get(6)));
    }

    @Test
    void anAccessThatReachesManyRegistersKeepsToItsColumn() throws TraceException {
        RecorderTap tap = recording();
        tap.read(Region.CONFIGURATION, 8, number(0, 4), 4);
        tap.read(Region.CONFIGURATION, 0, number(0, 4), 4);
        List<TraceEvent> events = endOf(tap);
        String many = "read       CFG   REVISION..CLASS        0x";
        assertTrue(line(events.get(0)).startsWith(many), line(events.get(0)));
        String two = "read       CFG   VENDOR,DEVICE          0x";
        assertTrue(line(events.get(1)).startsWith(two), line(events.get(1)));
        assertTrue(text.json(events.get(0)).contains("REVISION,PROG_IF,SUBCLASS,CLASS"));
    }

    @Test
    void everythingElseHasItsLine() throws TraceException {
        RecorderTap tap = recording();
        tap.interrupts(InterruptKind.MSIX, 0, 4, InterruptAction.ENABLE);
        tap.map(new DmaMap(0x1000, 0x20000, Direction.READ_WRITE, null, true));
        function.host.write(1, 0x2000, number(0x11223344, 4));
        function.host.interrupt(1, InterruptKind.MSIX, 3);
        function.host.event(new FunctionEvent.GoingAway("Bye.\u001b[31m"));
        tap.trace().mark("half-way");
        tap.reset(ResetKind.FLR);
        List<String> lines = endOf(tap).stream().map(this::line).toList();
        assertEquals(
                List.of(
                        "irq-ctl    MSIX  vectors 0 to 3         enable",
                        "map        MEM   0x1000                 0x20000 bytes      read-write",
                        "dma-write  MEM   0x2000                 4 bytes            44332211"
                                + " xxh64="
                                + digest(),
                        "irq        MSIX  vector 3",
                        "event      -     going away: Bye.\\u001b[31m",
                        "mark       -     half-way",
                        "reset      -     FLR generation 1 to 2"),
                lines);
    }

    private static String digest() {
        return String.format("%016x", DataDigest.of(number(0x11223344, 4)));
    }

    @Test
    void anEventIsOneLineOfJson() throws TraceException {
        RecorderTap tap = recording();
        tap.write(0, 0x14, number(0x460001, 4), 4, PciFunction.ALL_BYTES);
        tap.trace().mark("a \"quoted\" \n word");
        List<TraceEvent> events = endOf(tap);
        String write = text.json(events.get(0)).replaceAll("anos\":[0-9]+", "anos\":0");
        assertEquals(
                "{\"number\":1,\"nanos\":0,\"kind\":\"write\",\"generation\":1,"
                        + "\"durationNanos\":0,\"region\":\"BAR0\",\"offset\":\"0x14\","
                        + "\"register\":\"CC\",\"widthBytes\":4,\"value\":\"0x460001\","
                        + "\"fields\":\"EN=1 CSS=NVM REST=0x8c00\",\"length\":4,"
                        + "\"data\":\"01004600\",\"status\":\"SUCCESS\"}",
                write);
        assertTrue(
                text.json(events.get(1)).endsWith("\"text\":\"a \\\"quoted\\\" \\u000a word\"}"));
    }
}
