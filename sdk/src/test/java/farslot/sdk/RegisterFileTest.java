package farslot.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.registers.RegisterMap;
import farslot.sdk.testbench.TestBench;
import java.io.ByteArrayInputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class RegisterFileTest {
    static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x5678, 0, 0, 0xff0000, 1);

    private static final String MAP =
            """
            <database xmlns:f="urn:farslot:registers">
              <domain name="BAR0">
                <reg32 offset="0x00" name="RO" f:access="ro" f:reset="0x11223344"/>
                <reg32 offset="0x04" name="RW" f:access="rw" f:reset="5"/>
                <reg32 offset="0x08" name="MIXED" f:reset="0xf0">
                  <bitfield low="0" high="3" name="FREE" f:access="rw"/>
                  <bitfield low="4" high="7" name="EVENT" f:access="w1c"/>
                  <bitfield low="8" high="11" name="MASK" f:access="w1s"/>
                  <bitfield low="12" high="15" name="FIXED" f:access="ro" f:reset="9"/>
                  <bitfield low="16" high="19" name="ONCE" f:access="rw" f:write-once="yes"/>
                </reg32>
                <reg32 offset="0x0c" name="COMMAND" f:access="wo"/>
                <reg64 offset="0x10" name="WIDE" f:access="rw"/>
                <reg16 offset="0x18" name="SHORT" f:access="rw"/>
                <reg8 offset="0x1a" name="BYTE" f:access="rw"/>
                <array name="QUEUE" offset="0x40" stride="8" length="4">
                  <reg32 offset="0" name="TAIL" f:access="rw"/>
                  <reg32 offset="4" name="HEAD" f:access="rw"/>
                </array>
              </domain>
            </database>
            """;

    static RegisterMap map(String xml) {
        return RegisterMap.ofResource(
                "test.xml", new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }

    /** A bench with these registers, and what a test adds to them. */
    private static TestBench bench(BiConsumer<Bar, RegisterFile> more) {
        RegisterMap map = map(MAP);
        Device device =
                function -> {
                    function.identity(IDENTITY);
                    Bar bar = function.memoryBar(0, 0x1000);
                    more.accept(bar, bar.registers(map.domain("BAR0")));
                };
        return TestBench.of("test", device, map).start();
    }

    private static TestBench bench() {
        return bench((bar, registers) -> {});
    }

    @Test
    void shouldSetClearAndToggleAsTheMapSays() {
        RegisterMap map =
                map(
                        """
                        <database xmlns:f="urn:farslot:registers">
                          <domain name="BAR0"><reg32 offset="0" name="R">
                            <bitfield low="0" high="3" name="W1T" f:access="w1t" f:reset="5"/>
                            <bitfield low="4" high="7" name="W0T" f:access="w0t" f:reset="5"/>
                            <bitfield low="8" high="11" name="W0C" f:access="w0c" f:reset="0xf"/>
                            <bitfield low="12" high="15" name="W0S" f:access="w0s" f:reset="0"/>
                            <bitfield low="16" high="19" name="WC" f:access="wc" f:reset="0xf"/>
                            <bitfield low="20" high="23" name="WS" f:access="ws" f:reset="0"/>
                          </reg32></domain>
                        </database>
                        """);
        Device device =
                function -> {
                    function.identity(IDENTITY);
                    function.memoryBar(0, 0x1000).registers(map.domain("BAR0"));
                };
        try (TestBench bench = TestBench.of("test", device, map).start()) {
            bench.write("R", 0x333333);
            assertEquals(0xf0c396, bench.read("R"));
        }
    }

    @Test
    void shouldBeginWithTheMapsValues() {
        try (TestBench bench = bench()) {
            assertEquals(0x1122_3344, bench.read("RO"));
            assertEquals(5, bench.read("RW"));
            assertEquals(0x90f0, bench.read("MIXED"));
        }
    }

    @Test
    void shouldChangeOnlyWhatTheMapLetsAWriteChange() {
        try (TestBench bench = bench()) {
            bench.write("RO", 0).write("RW", 0xffff_ffffL);
            assertEquals(0x1122_3344, bench.read("RO"));
            assertEquals(0xffff_ffffL, bench.read("RW"));
            bench.write("MIXED", 0x0003_0525);
            assertEquals(0x0003_95d5, bench.read("MIXED"));
            bench.write("MIXED", 0x000f_02f0);
            assertEquals(0x0003_9700, bench.read("MIXED"), "written once, set, cleared");
        }
    }

    @Test
    void shouldReadWriteOnlyBitsAsZero() {
        try (TestBench bench = bench()) {
            bench.write("COMMAND", 7);
            assertEquals(0, bench.read("COMMAND"));
        }
    }

    @Test
    void shouldTellHandlersOldNewAndWrittenValues() {
        List<String> heard = new ArrayList<>();
        try (TestBench bench =
                bench((bar, registers) ->
                        registers
                                .onWrite("RW", (old, now) -> heard.add(old + ">" + now))
                                .onWritten("COMMAND", bits -> heard.add("c" + bits))
                                .onRead("SHORT", () -> 0x1234))) {
            bench.write("RW", 6).write("RW", 6).write("COMMAND", 9);
            assertEquals(List.of("5>6", "6>6", "c9"), heard);
            assertEquals(0x1234, bench.read("SHORT"));
            assertEquals(0x12, bench.read(0, 0x19, 1));
        }
    }

    @Test
    void shouldTakeAWideRegisterInHalves() {
        List<String> heard = new ArrayList<>();
        try (TestBench bench =
                bench((bar, registers) ->
                        registers.onWrite(
                                "WIDE", (old, now) -> heard.add(Long.toHexString(now))))) {
            bench.write(0, 0x10, 4, 0x89ab_cdefL);
            bench.write(0, 0x14, 4, 0x0123_4567L);
            assertEquals(0x0123_4567_89ab_cdefL, bench.read("WIDE"));
            assertEquals(0x4567_89ab, bench.read(0, 0x12, 4));
            assertEquals(List.of("89abcdef", "123456789abcdef"), heard);
        }
    }

    @Test
    void shouldSplitAnAccessThatCoversSeveralRegisters() {
        try (TestBench bench = bench()) {
            bench.write(0, 0x18, 8, 0xff_77_3344L);
            assertEquals(0x3344, bench.read("SHORT"));
            assertEquals(0x77, bench.read("BYTE"));
            assertEquals(0x77_3344, bench.read(0, 0x18, 8));
            assertEquals(0x5_1122_3344L, bench.read(0, 0, 8));
        }
    }

    @Test
    void shouldTellTheElementsOfAnArrayApart() {
        List<String> heard = new ArrayList<>();
        try (TestBench bench =
                bench((bar, registers) ->
                        registers
                                .onWrittenOfEach(
                                        "QUEUE.TAIL", (i, bits) -> heard.add(i + "=" + bits))
                                .onReadOfEach("QUEUE.HEAD", i -> i * 10L))) {
            bench.write(0, 0x58, 4, 3);
            bench.write("QUEUE.TAIL", 4, 0);
            assertEquals(List.of("3=3", "0=4"), heard);
            assertEquals(20, bench.read(0, 0x54, 4));
            assertEquals(3, bench.read("QUEUE.TAIL", 3));
        }
    }

    @Test
    void shouldReadReservedPlacesAsSaid() {
        try (TestBench bench = bench((bar, registers) -> registers.reservedReads(0xff))) {
            assertEquals(0xff, bench.read(0, 0x1b, 1));
            assertEquals(0xffff_ffffL, bench.read(0, 0x800, 4));
            assertTrue(bench.write(0, 0x800, 4, 1).isSuccess());
        }
        try (TestBench bench = bench()) {
            assertEquals(0, bench.read(0, 0x800, 4));
        }
    }

    @Test
    void shouldWriteEnabledBytesOnly() {
        try (TestBench bench = bench()) {
            bench.write("RW", 0);
            byte[] bytes = {1, 2, 3, 4};
            PciFunction function = bench.function();
            function.write(0, 4, MemorySegment.ofArray(bytes), 4, 0b1010);
            assertEquals(0x0400_0200, bench.read("RW"));
            function.write(0, 0x10, MemorySegment.ofArray(new byte[8]), 8, 0);
            assertEquals(0, bench.read("WIDE"));
        }
    }

    @Test
    void shouldPutAreasBeforeRegisters() {
        List<String> heard = new ArrayList<>();
        MemorySegment[] memory = new MemorySegment[1];
        AreaHandler handler =
                new AreaHandler() {
                    @Override
                    public long read(long offset, int sizeBytes) {
                        return offset + 0x100L * sizeBytes;
                    }

                    @Override
                    public void write(long offset, int sizeBytes, long value) {
                        heard.add(offset + "/" + sizeBytes + "=" + Long.toHexString(value));
                    }
                };
        try (TestBench bench =
                bench((bar, registers) -> {
                    bar.area(0x40, 0x20, handler);
                    memory[0] = bar.memory(0x800, 0x800);
                })) {
            assertEquals(0x404, bench.read(0, 0x44, 4));
            bench.write(0, 0x48, 2, 0xbeef);
            byte[] bytes = new byte[16];
            MemorySegment long16 = MemorySegment.ofArray(bytes);
            bench.function().write(0, 0x58, long16, 0, PciFunction.ALL_BYTES);
            bench.function().write(0, 0x40, long16.asSlice(0, 4), 0, 0b0100);
            assertEquals(List.of("8/2=beef", "24/8=0", "2/1=0"), heard);
            bench.write(0, 0xffc, 4, 0x1234_5678);
            assertEquals(0x12, memory[0].get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0x7ff));
            assertEquals(0x5678_0000L, bench.read(0, 0xffa, 4));
            MemorySegment half = MemorySegment.ofArray(new byte[0x800]);
            assertTrue(bench.function().read(0, 0x800, half, 0).isSuccess());
            assertEquals(-1, half.mismatch(memory[0]));
        }
    }

    @Test
    void shouldTakeLongAccessesAsTheDriversTransfers() {
        List<String> heard = new ArrayList<>();
        AreaHandler handler =
                new AreaHandler() {
                    @Override
                    public long read(long offset, int sizeBytes) {
                        heard.add(offset + "/" + sizeBytes);
                        return 0;
                    }

                    @Override
                    public void write(long offset, int sizeBytes, long value) {}
                };
        try (TestBench bench = bench((bar, registers) -> bar.area(0x100, 0x100, handler))) {
            MemorySegment into = MemorySegment.ofArray(new byte[7]);
            bench.function().read(0, 0x101, into, 0);
            assertEquals(List.of("1/1", "2/2", "4/4"), heard);
            heard.clear();
            bench.function().read(0, 0x100, into.asSlice(0, 6), 2);
            assertEquals(List.of("0/2", "2/2", "4/2"), heard);
        }
    }

    @Test
    void shouldRefuseWidthsThatAPartDoesNotTake() {
        try (TestBench bench = bench((bar, registers) -> bar.widths(0, 8, 4))) {
            assertEquals(0xff, bench.read(0, 0, 1));
            assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, bench.write(0, 4, 2, 0));
            assertEquals(5, bench.read("RW"));
            assertEquals(0, bench.read(0, 8, 1) & 0xf);
        }
    }

    @Test
    void shouldRefuseDevicesThatContradictTheirMap() {
        assertThrows(
                IllegalArgumentException.class,
                () -> bench((bar, registers) -> registers.onRead("NONE", () -> 0)));
        assertThrows(
                IllegalArgumentException.class,
                () -> bench((bar, registers) -> registers.onRead("QUEUE.TAIL", () -> 0)));
        assertThrows(
                IllegalArgumentException.class,
                () -> bench((bar, registers) -> bar.area(0xfff, 2, null)));
    }

    /** Any mixture of accesses gives what plain memory would, where all bits are read-write. */
    @Property(tries = 100)
    void shouldBehaveLikeMemoryWhereAllIsReadWrite(@ForAll long seed) {
        String xml =
                """
                <database xmlns:f="urn:farslot:registers"><domain name="BAR0">
                <reg64 offset="0" name="A" f:access="rw"/><reg32 offset="8" name="B" f:access="rw"/>
                <reg16 offset="12" name="C" f:access="rw"/><reg8 offset="14" name="D" f:access="rw"/>
                <reg8 offset="15" name="E" f:access="rw"/></domain></database>
                """;
        RegisterMap map = map(xml);
        Device device =
                function -> {
                    function.identity(IDENTITY);
                    function.memoryBar(0, 16).registers(map.domain("BAR0"));
                };
        SplittableRandom random = new SplittableRandom(seed);
        byte[] model = new byte[16];
        try (TestBench bench = TestBench.of("test", device, map).start()) {
            for (int step = 0; step < 100; step++) {
                int offset = random.nextInt(16);
                byte[] bytes = new byte[random.nextInt(1, 17 - offset)];
                int width = random.nextInt(9);
                MemorySegment segment = MemorySegment.ofArray(bytes);
                if (random.nextBoolean()) {
                    random.nextBytes(bytes);
                    long enables = random.nextBoolean() ? -1 : random.nextLong();
                    bench.function().write(0, offset, segment, width, enables);
                    for (int i = 0; i < bytes.length; i++) {
                        if (((enables >>> i) & 1) != 0) {
                            model[offset + i] = bytes[i];
                        }
                    }
                } else {
                    bench.function().read(0, offset, segment, width);
                    for (int i = 0; i < bytes.length; i++) {
                        assertEquals(model[offset + i], bytes[i]);
                    }
                }
            }
        }
    }
}
