package farslot.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.ConfigurationSpace.Change;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ConfigurationSpaceTest {
    private static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1b36, 0x0010, 0x1af4, 0x1100, 0x010802, 0x02);

    private static Region memory(int index, long size, Region.Attribute... attributes) {
        return new Region(index, Region.Space.MEMORY, size, Set.of(attributes), 8);
    }

    private static Region ports(int index, long size) {
        return new Region(index, Region.Space.IO_PORT, size, Set.of(), 4);
    }

    /** A space with everything in it. */
    private static ConfigurationSpace full() {
        return new ConfigurationSpaceBuilder(IDENTITY)
                .interruptPin(1)
                .region(memory(0, 0x4000, Region.Attribute.BITS_64, Region.Attribute.PREFETCHABLE))
                .region(memory(2, 0x100))
                .region(ports(3, 32))
                .region(memory(Region.ROM, 0x10000))
                .powerManagement()
                .expressEndpoint()
                .msi(8, true, true)
                .msix(65, 0, 0x2000, 0, 0x3000)
                .vendorSpecific(new byte[] {1, 2, 3}, new byte[] {0, -1, 0x0f})
                .serialNumber(0x1122_3344_5566_7788L)
                .vendorSpecificExtended(7, 1, new byte[4], new byte[] {-1, 0, 0, 0})
                .build();
    }

    private static Set<Change> write(ConfigurationSpace space, int offset, int size, long value) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (value >>> (8 * i));
        }
        return space.write(offset, MemorySegment.ofArray(bytes), PciFunction.ALL_BYTES);
    }

    private static int capability(ConfigurationSpace space, int id, boolean extended) {
        return space.capabilities().stream()
                .filter(place -> place.id() == id && place.extended() == extended)
                .findFirst()
                .orElseThrow()
                .offset();
    }

    @Test
    void shouldShowItsIdentity() {
        ConfigurationSpace space = full();
        assertEquals(0x0010_1b36, space.get(0x00, 4));
        assertEquals(0x0108_0202, space.get(0x08, 4));
        assertEquals(0x1100_1af4, space.get(0x2c, 4));
        assertEquals(0, space.get(0x0e, 1), "a type 0 header of a single function");
        assertEquals(1, space.get(0x3d, 1));
    }

    @Test
    void shouldLinkItsCapabilitiesInTheOrderOfTheCalls() {
        ConfigurationSpace space = full();
        assertTrue((space.get(ConfigurationSpace.STATUS, 2) & 0x10) != 0);
        int[] ids = {0x01, 0x10, 0x05, 0x11, 0x09};
        int at = space.get(0x34, 1);
        for (int id : ids) {
            assertEquals(id, space.get(at, 1));
            assertEquals(at, capability(space, id, false));
            assertEquals(0, at & 3);
            at = space.get(at + 1, 1);
        }
        assertEquals(0, at);
        assertEquals(0x0001_0003 | (0x10c << 20), space.get(0x100, 4));
        assertEquals(0x5566_7788, space.get(0x104, 4));
        assertEquals(0x0001_000b, space.get(0x10c, 4));
        assertEquals(7 | (1 << 16) | (12 << 20), space.get(0x110, 4));
    }

    @Property
    void shouldSizeMemoryBars(@ForAll @IntRange(min = 4, max = 31) int bits) {
        ConfigurationSpace space =
                new ConfigurationSpaceBuilder(IDENTITY).region(memory(1, 1L << bits)).build();
        assertEquals(Set.of(Change.BASE_ADDRESS), write(space, 0x14, 4, -1));
        assertEquals(1L << bits, -(space.get(0x14, 4) & ~0xfL) & 0xffff_ffffL);
        assertEquals(0, space.get(0x14, 4) & 0xf);
    }

    @Property
    void shouldSizeWideBars(
            @ForAll @IntRange(min = 4, max = 62) int bits, @ForAll boolean prefetchable) {
        Region bar =
                prefetchable
                        ? memory(
                                4,
                                1L << bits,
                                Region.Attribute.BITS_64,
                                Region.Attribute.PREFETCHABLE)
                        : memory(4, 1L << bits, Region.Attribute.BITS_64);
        ConfigurationSpace space = new ConfigurationSpaceBuilder(IDENTITY).region(bar).build();
        write(space, 0x20, 4, -1);
        write(space, 0x24, 4, -1);
        long low = Integer.toUnsignedLong(space.get(0x20, 4));
        assertEquals(prefetchable ? 0xc : 4, low & 0xf);
        assertEquals(1L << bits, -(((long) space.get(0x24, 4) << 32) | (low & ~0xfL)));
        assertEquals(-(1L << bits), space.address(bar));
    }

    @Property
    void shouldSizeIoBars(@ForAll @IntRange(min = 2, max = 8) int bits) {
        ConfigurationSpace space =
                new ConfigurationSpaceBuilder(IDENTITY).region(ports(0, 1L << bits)).build();
        write(space, 0x10, 4, -1);
        assertEquals(1, space.get(0x10, 4) & 3);
        assertEquals(1 << bits, -(space.get(0x10, 4) & ~3));
    }

    @Test
    void shouldSizeTheRomAndEnableIt() {
        Region rom = memory(Region.ROM, 0x10000);
        ConfigurationSpace space = full();
        write(space, 0x30, 4, 0xffff_fffeL);
        assertEquals(0xffff_0000, space.get(0x30, 4));
        write(space, 0x04, 2, 2);
        assertFalse(space.answers(rom));
        write(space, 0x30, 4, 0xfebf_0001L);
        assertTrue(space.answers(rom));
        assertEquals(0xfebf_0000L, space.address(rom));
    }

    record Write(int offset, MemorySegment bytes, long enables) {
        int length() {
            return (int) bytes.byteSize();
        }
    }

    @Provide
    Arbitrary<List<Write>> writes() {
        Arbitrary<Integer> interesting =
                Arbitraries.oneOf(
                        Arbitraries.integers().between(0, 0x130),
                        Arbitraries.integers().between(0, 0xfff));
        return Combinators.combine(
                        interesting,
                        Arbitraries.bytes().array(byte[].class).ofMinSize(1).ofMaxSize(16),
                        Arbitraries.longs())
                .as((at, bytes, on) -> new Write(at, MemorySegment.ofArray(bytes), on))
                .list()
                .ofMaxSize(50);
    }

    @Property
    void shouldNeverChangeReadOnlyBits(@ForAll("writes") List<Write> writes) {
        ConfigurationSpace space = full();
        ConfigurationSpace fresh = full();
        space.status(0xf900);
        int status = 0xf900;
        for (Write write : writes) {
            Map<Integer, Integer> before = new HashMap<>();
            for (int i = 0; i < write.length() && write.offset + i < 4096; i++) {
                before.put(i, space.get(write.offset + i, 1));
            }
            Set<Change> changes = space.write(write.offset, write.bytes, write.enables);
            if (write.offset + write.length() > 4096) {
                assertNull(changes);
                continue;
            }
            before.forEach((i, was) -> {
                if (((write.enables >>> i) & 1) == 0) {
                    assertEquals(was, space.get(write.offset + i, 1));
                }
            });
            int now = space.get(ConfigurationSpace.STATUS, 2) & 0xf900;
            assertEquals(0, now & ~status, "only the function sets status bits");
            status = now;
        }
        for (int at = 0; at < 4096; at++) {
            int free = space.writableBits(at) | space.clearedByOneBits(at);
            assertEquals(fresh.get(at, 1) & ~free, space.get(at, 1) & ~free, "offset " + at);
        }
        space.reset();
        for (int at = 0; at < 4096; at += 4) {
            assertEquals(fresh.get(at, 4), space.get(at, 4));
        }
        assertFalse(space.busMaster());
    }

    @Test
    void shouldAnswerWhereTheCommandRegisterSaysSo() {
        ConfigurationSpace space = full();
        assertFalse(space.answers(memory(2, 0x100)));
        assertFalse(space.answers(ports(3, 32)));
        assertFalse(space.busMaster());
        assertEquals(Set.of(Change.COMMAND), write(space, 0x04, 2, 0x0406));
        assertTrue(space.answers(memory(2, 0x100)));
        assertFalse(space.answers(ports(3, 32)));
        assertTrue(space.busMaster());
        assertTrue(space.intxDisabled());
        write(space, 0x04, 2, 0xffff);
        assertEquals(0x0547, space.get(0x04, 2));
    }

    @Test
    void shouldHaveNoSpaceEnableBitWithoutSuchABar() {
        ConfigurationSpace space = new ConfigurationSpaceBuilder(IDENTITY).build();
        write(space, 0x04, 2, 0xffff);
        assertEquals(0x0544, space.get(0x04, 2));
    }

    @Test
    void shouldBeSilentInD3hotAndEnterOnlyStatesThatItHas() {
        ConfigurationSpace space = full();
        int power = capability(space, 0x01, false) + 4;
        write(space, 0x04, 2, 6);
        assertEquals(Set.of(Change.POWER_STATE), write(space, power, 1, 3));
        assertEquals(3, space.powerState());
        assertFalse(space.answers(memory(2, 0x100)));
        assertFalse(space.busMaster());
        write(space, power, 1, 1);
        assertEquals(3, space.powerState());
        write(space, power, 1, 0);
        assertTrue(space.busMaster(), "No_Soft_Reset: nothing is lost over D3hot");
    }

    @Test
    void shouldAskForAFunctionLevelResetAndReadItsBitAsZero() {
        ConfigurationSpace space = full();
        int control = capability(space, 0x10, false) + 8;
        assertTrue((space.get(control - 4, 4) & (1 << 28)) != 0);
        assertEquals(
                Set.of(Change.FUNCTION_LEVEL_RESET),
                write(space, control, 2, space.get(control, 2) | 0x8000));
        assertEquals(0x2810, space.get(control, 2));
        assertEquals(Set.of(), write(space, control, 1, 0x10));
    }

    @Test
    void shouldBeALegacyEndpointOnlyWithIoPorts() {
        ConfigurationSpace plain =
                new ConfigurationSpaceBuilder(IDENTITY).expressEndpoint().build();
        assertEquals(0x0002, plain.get(0x42, 2));
        ConfigurationSpace space = full();
        assertEquals(0x0012, space.get(capability(space, 0x10, false) + 2, 2));
    }

    @Test
    void shouldTellWhatTheDriverGrantedByMsi() {
        ConfigurationSpace space = full();
        int msi = capability(space, 0x05, false);
        assertEquals(0x0186, space.get(msi + 2, 2));
        assertEquals(Set.of(Change.MSI), write(space, msi + 2, 2, 0x0021));
        assertTrue(space.msiEnabled());
        assertEquals(4, space.msiVectorsGranted());
        write(space, msi + 2, 2, 0x0071);
        assertEquals(8, space.msiVectorsGranted(), "never more than it has");
        write(space, msi + 16, 4, -1);
        assertEquals(0xff, space.get(msi + 16, 4));
        assertFalse(space.msixEnabled());
    }

    @Test
    void shouldTellOfMsix() {
        ConfigurationSpace space = full();
        int msix = capability(space, 0x11, false);
        assertEquals(64, space.get(msix + 2, 2));
        assertEquals(0x2000, space.get(msix + 4, 4));
        assertEquals(0x3000, space.get(msix + 8, 4));
        assertEquals(Set.of(Change.MSIX), write(space, msix + 3, 1, 0xc0));
        assertTrue(space.msixEnabled());
        assertTrue(space.msixMasked());
    }

    @Test
    void shouldLetDriversClearErrorBitsByWritingOne() {
        ConfigurationSpace space = full();
        space.status(ConfigurationSpace.STATUS_RECEIVED_TARGET_ABORT);
        space.interruptStatus(true);
        write(space, 0x06, 2, 0);
        assertEquals(0x1018, space.get(0x06, 2));
        write(space, 0x06, 2, 0xffff);
        assertEquals(0x0018, space.get(0x06, 2));
        space.interruptStatus(false);
        assertEquals(0x0010, space.get(0x06, 2));
    }

    @Test
    void shouldWriteWhatAVendorsCapabilityLets() {
        ConfigurationSpace space = full();
        int vendor = capability(space, 0x09, false);
        assertEquals(6, space.get(vendor + 2, 1));
        write(space, vendor + 2, 4, -1);
        assertEquals(0x0fff_0106, space.get(vendor + 2, 4), "3 bytes: none, all, half");
    }

    @Test
    void shouldReadNothingOutside() {
        ConfigurationSpace space = full();
        MemorySegment four = MemorySegment.ofArray(new byte[4]);
        assertEquals(CompletionStatus.SUCCESS, space.read(4092, four));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, space.read(4093, four));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, space.read(-1, four));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, space.read(Long.MAX_VALUE, four));
    }

    @Test
    void shouldRefuseWhatNoFunctionCanBe() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new ConfigurationSpaceBuilder(IDENTITY).region(ports(0, 512)));
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        new ConfigurationSpaceBuilder(IDENTITY)
                                .region(memory(0, 0x1000, Region.Attribute.BITS_64))
                                .region(memory(1, 0x1000)));
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        new ConfigurationSpaceBuilder(IDENTITY)
                                .region(memory(5, 0x1000, Region.Attribute.BITS_64)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ConfigurationSpaceBuilder(IDENTITY).msi(3, true, false));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ConfigurationSpaceBuilder(IDENTITY).msix(2049, 0, 0, 0, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ConfigurationSpaceBuilder(IDENTITY).vendorSpecific(new byte[200], null));
    }
}
