package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.TraceNames;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Observation.When;
import farslot.sdk.decode.Transaction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** What a trace shows of configuration space, beside the space that was recorded. */
class ConfigurationImageTest {
    private static final Identity IDENTITY = new Identity(0x1B36, 0x10, 0x1AF4, 0x1100, 0x10802, 2);
    private static final Region BAR0 =
            new Region(0, Region.Space.MEMORY, 0x4000, Set.of(Region.Attribute.BITS_64), 8);
    private static final Region BAR4 = new Region(4, Region.Space.IO_PORT, 32, Set.of(), 4);
    private static final Region BAR5 = new Region(5, Region.Space.MEMORY, 0x1000, Set.of(), 8);
    private static final Region ROM = new Region(6, Region.Space.MEMORY, 0x1_0000, Set.of(), 8);
    private static final Region CONFIGURATION =
            new Region(7, Region.Space.CONFIGURATION, 4096, Set.of(), 4);
    private static final List<Region> REGIONS = List.of(BAR0, BAR4, BAR5, ROM, CONFIGURATION);

    private final ConfigurationSpace space = space();
    private final FunctionDescription description =
            new FunctionDescription(
                    "test",
                    IDENTITY,
                    REGIONS,
                    space.capabilities(),
                    1,
                    8,
                    4,
                    Set.of(ResetKind.FLR),
                    Set.of());
    private final ConfigurationImage image =
            new ConfigurationImage(
                    description, TraceNames.of(description).domain(Region.CONFIGURATION));
    private final List<Transaction> transactions = new ArrayList<>();
    private final ConfigurationDecoder decoder =
            new ConfigurationDecoder(
                    description,
                    TraceNames.of(description).domain(Region.CONFIGURATION),
                    transactions::add);
    private long number;

    private static ConfigurationSpace space() {
        return new ConfigurationSpaceBuilder(IDENTITY)
                .interruptPin(1)
                .region(BAR0)
                .region(BAR4)
                .region(BAR5)
                .region(ROM)
                .powerManagement()
                .msi(8, true, true)
                .expressEndpoint()
                .msix(4, 5, 0, 5, 0x800)
                .vendorSpecific(new byte[] {1, 2, 3, 4, 5}, new byte[] {0, -1, 0, 15, 0})
                .serialNumber(0x1122334455667788L)
                .build();
    }

    private void access(boolean write, int offset, long enables, byte[] bytes) {
        var access =
                new Observation.Access(
                        new When(number++, number * 1000, 0),
                        write,
                        Region.CONFIGURATION,
                        offset,
                        bytes.length,
                        enables,
                        CompletionStatus.SUCCESS,
                        bytes);
        image.observe(access);
        decoder.observe(access);
    }

    private void read(int offset, int length) {
        byte[] bytes = new byte[length];
        space.read(offset, MemorySegment.ofArray(bytes));
        access(false, offset, -1, bytes);
    }

    private void write(int offset, byte... bytes) {
        write(offset, -1L, bytes);
    }

    private void write(int offset, long enables, byte[] bytes) {
        space.write(offset, MemorySegment.ofArray(bytes), enables);
        access(true, offset, enables, bytes);
    }

    private void write32(int offset, int value) {
        write(
                offset,
                (byte) value,
                (byte) (value >>> 8),
                (byte) (value >>> 16),
                (byte) (value >>> 24));
    }

    private void reset() {
        space.reset();
        var reset = new Observation.Reset(new When(number++, number * 1000, 0), ResetKind.FLR);
        image.observe(reset);
        decoder.observe(reset);
    }

    @Property(tries = 40)
    void shouldKnowNothingThatIsNotSo(@ForAll long seed) {
        Random random = new Random(seed);
        for (int step = 0; step < 200; step++) {
            int length = 1 + random.nextInt(8);
            int offset = random.nextInt(random.nextInt(4) == 0 ? 4096 - length : 0x100);
            switch (random.nextInt(20)) {
                case 0 -> reset();
                case 1, 2, 3, 4, 5, 6, 7 -> {
                    byte[] bytes = new byte[length];
                    random.nextBytes(bytes);
                    write(offset, random.nextLong() | random.nextInt(), bytes);
                }
                default -> read(offset, length);
            }
            assertKnownIsSo();
        }
        for (int offset = 0; offset < 4096; offset += 4) {
            read(offset, 4);
            assertEquals(0xFFFF_FFFFL, image.known(offset, 4));
        }
        assertKnownIsSo();
    }

    private void assertKnownIsSo() {
        for (int at = 0; at < 4096; at++) {
            long sure = image.known(at, 1) & ~image.assumed(at, 1);
            int offset = at;
            assertEquals(
                    space.get(at, 1) & sure,
                    image.value(at, 1) & sure,
                    () -> "at 0x" + Integer.toHexString(offset));
        }
    }

    @Property(tries = 100)
    void shouldKnowWhereTheRegionsAre(@ForAll long seed) {
        Random random = new Random(seed);
        for (int step = 0; step < 50; step++) {
            int bar = random.nextInt(7);
            int value = random.nextInt(3) == 0 ? -1 : random.nextInt() & 0x7FFF_FFFF;
            write32(bar == 6 ? 0x30 : 0x10 + 4 * bar, value);
            if (random.nextInt(5) == 0) {
                write(0x04, (byte) random.nextInt(8));
            }
            for (Region region : List.of(BAR0, BAR4, BAR5, ROM)) {
                if (image.base(region) instanceof ConfigurationImage.Base.At at) {
                    assertEquals(space.address(region), at.address());
                    if (at.enabled() != null) {
                        assertEquals(space.answers(region), at.enabled());
                    }
                }
            }
        }
    }

    @Test
    void shouldFollowABaseAddressThatIsSizedAndPlaced() {
        assertInstanceOf(ConfigurationImage.Base.Unknown.class, image.base(BAR0));
        read(0x10, 4);
        read(0x14, 4);
        assertEquals(new ConfigurationImage.Base.At(0, null), image.base(BAR0));
        write32(0x10, -1);
        assertInstanceOf(ConfigurationImage.Base.BeingSized.class, image.base(BAR0));
        assertEquals(0xFFFF_C004L, image.value(0x10, 4));
        write32(0x10, 0);
        write32(0x14, -1);
        assertInstanceOf(ConfigurationImage.Base.BeingSized.class, image.base(BAR0));
        write32(0x14, 0);
        write32(0x10, 0xFEBD_0000);
        write32(0x14, 0x12);
        write32(0x04, 0x0000_0006);
        assertEquals(new ConfigurationImage.Base.At(0x12_FEBD_0000L, true), image.base(BAR0));
        write32(0x10, 0xFEBE_0000);
        assertEquals(new ConfigurationImage.Base.At(0x12_FEBE_0000L, true), image.base(BAR0));
        reset();
        assertInstanceOf(ConfigurationImage.Base.Unknown.class, image.base(BAR0));
        assertEquals(
                List.of(
                        "BAR0 sized SIZE=0x4000",
                        "BAR0 placed ADDRESS=0xfebd0000",
                        "BAR0 placed ADDRESS=0x12febd0000",
                        "COMMAND IO=0 MEM=1 MASTER=1 SPECIAL=0",
                        "BAR0 placed ADDRESS=0x12febe0000"),
                said().stream().map(line -> line.replaceAll(" MWI.*", "")).toList());
    }

    private List<String> said() {
        List<String> lines = new ArrayList<>();
        for (Transaction transaction : transactions) {
            StringBuilder line = new StringBuilder(transaction.title());
            transaction
                    .fields()
                    .forEach(f -> line.append(' ').append(f.name()).append('=').append(f.text()));
            lines.add(line.toString());
        }
        return lines;
    }

    private int capability(int id) {
        return space.capabilities().stream()
                .filter(place -> !place.extended() && place.id() == id)
                .findFirst()
                .orElseThrow()
                .offset();
    }

    @Test
    void shouldKnowAllThatTheTraceBeginsWith() {
        image.begin(space.save());
        for (int at = 0; at < 4096; at++) {
            assertEquals(0xFF, image.known(at, 1));
            assertEquals(space.get(at, 1), image.value(at, 1));
        }
        assertEquals(new ConfigurationImage.Base.At(0, false), image.base(BAR0));
        reset();
        assertInstanceOf(ConfigurationImage.Base.Unknown.class, image.base(BAR0));
        assertEquals(0xFFFF, image.known(0x00, 2));
    }

    @Test
    void shouldSayWhatTheDriverEnabledAndNothingTwice() {
        int msix = capability(0x11) + 2;
        read(msix, 2);
        write(msix + 1, (byte) 0xC0);
        write(msix + 1, (byte) 0x80);
        write(msix + 1, (byte) 0x80);
        int power = capability(0x01) + 4;
        read(power, 2);
        write(power, (byte) 3);
        assertEquals(
                List.of(
                        "MSIX.CONTROL MASK_ALL=1 EN=1",
                        "MSIX.CONTROL MASK_ALL=0",
                        "PM.PMCSR STATE=D3hot"),
                said());
        assertEquals("CFG", transactions.getLast().stream());
        assertEquals(2, transactions.getLast().index());
    }

    @Test
    void shouldSayWhatIsNotKnown() {
        int msix = capability(0x11);
        write(msix + 3, (byte) 0x80);
        ConfigurationReport report =
                ConfigurationReport.of(
                        image,
                        TraceNames.of(description).domain(Region.CONFIGURATION),
                        7,
                        1_500_000_000L,
                        List.of());
        String text = String.join("\n", report.lines());
        assertTrue(text.startsWith("test 1b36:0010 as it was after event 7, at 1.5"), text);
        assertTrue(text.contains("BAR0  memory, 64-bit, 16 KiB  address not seen"), text);
        assertTrue(text.contains("CONTROL          0x????"), text);
        assertTrue(text.contains("MASK_ALL=0 EN=1  (written, not read since)"), text);
        assertTrue(text.contains("not seen: NEXT, "), text);
        assertTrue(report.unknownBytes() > 100);
    }

    @Test
    void shouldTakeAnythingThatATraceCanHold() {
        for (long offset : new long[] {-1, -8, 4095, 4096, Long.MAX_VALUE, Long.MIN_VALUE}) {
            for (CompletionStatus status :
                    new CompletionStatus[] {CompletionStatus.SUCCESS, null}) {
                for (boolean write : new boolean[] {true, false}) {
                    var access =
                            new Observation.Access(
                                    new When(0, 0, 0),
                                    write,
                                    7,
                                    offset,
                                    9,
                                    -1,
                                    status,
                                    new byte[9]);
                    image.observe(access);
                    decoder.observe(access);
                }
            }
        }
        assertEquals(0, space.get(4095, 1));
    }
}
