package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.devices.nvme.DriverRun;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One driver, one device, and every way between them; with and without taps. */
@Timeout(600)
class NvmePathsTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");
    private static final long SEED = 20;

    @TempDir Path folder;

    private static int rounds(int few, int some, int full) {
        return ROUNDS.equals("few") ? few : ROUNDS.equals("full") ? full : some;
    }

    private static Stream<Route> routes() {
        return rounds(0, 1, 1) == 0
                ? Stream.of(Route.VFIO_USER_THEN_TCP)
                : Stream.of(Route.values());
    }

    private static Stream<Route> routesForChanges() {
        return routes().filter(route -> route != Route.VFIO_USER_BY_MESSAGES);
    }

    /** What was seen in one run. */
    private record Seen(
            List<String> byDriver, List<String> atDriver, List<String> atDevice, int interrupts) {}

    private Seen inOrder(
            Route route, UnaryOperator<PciFunction> atDevice, UnaryOperator<PciFunction> atDriver)
            throws Exception {
        Sightings byDriver = new Sightings();
        Sightings driversEnd = new Sightings();
        Sightings devicesEnd = new Sightings();
        try (Route.Open open =
                new Route.Open(
                        route,
                        folder.resolve("disk"),
                        device -> atDevice.apply(new Witness(device, devicesEnd)),
                        function -> new Witness(atDriver.apply(function), driversEnd))) {
            DriverPlace driver = open.driver;
            new DriverRun(driver, driver::reset, SEED, byDriver::add).inOrder(rounds(4, 15, 300));
            int interrupts = 0;
            for (int vector = 0; vector < DriverRun.VECTORS; vector++) {
                interrupts += driver.interrupts(InterruptKind.MSIX, vector);
            }
            return new Seen(byDriver.lines(), driversEnd.lines(), devicesEnd.lines(), interrupts);
        }
    }

    private Seen inOrder(Route route) throws Exception {
        return inOrder(route, UnaryOperator.identity(), UnaryOperator.identity());
    }

    @ParameterizedTest
    @MethodSource("routes")
    void shouldGiveTheDriverTheSameOnEveryRoute(Route route) throws Exception {
        Seen direct = inOrder(Route.DIRECT);
        Seen seen = inOrder(route);
        assertEquals(direct.byDriver(), seen.byDriver());
        assertEquals(direct.interrupts(), seen.interrupts());
        // What the device is asked is the same, but for how its slot begins and what is near.
        assertEquals(ofTheDriver(direct.atDevice()), ofTheDriver(seen.atDevice()));
    }

    private static List<String> ofTheDriver(List<String> lines) {
        return lines.stream()
                .filter(line -> line.matches("(read|write|dma|interrupt) .*"))
                .filter(line -> !line.matches("(read|write) 7\\+.*"))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("routes")
    void shouldKeepTheDataWhenManyCommandsAreCutOffByResets(Route route) throws Exception {
        long seeds = rounds(1, 2, 10);
        for (long seed = 1; seed <= seeds; seed++) {
            try (Route.Open open =
                    new Route.Open(
                            route,
                            folder.resolve("disk"),
                            UnaryOperator.identity(),
                            UnaryOperator.identity())) {
                DriverPlace driver = open.driver;
                new DriverRun(driver, driver::reset, seed, note -> {})
                        .crowded(rounds(1, 5, 40), route.resetsCutOff());
            }
        }
    }

    /** Three taps on top of each other; closing them ends their traces. */
    private final class Stack {
        private final String name;
        private final List<Function<PciFunction, PciFunction>> taps = new ArrayList<>();
        private RecorderTap recorder;

        /**
         * @param order the taps by their first letters, the one next to the device first
         */
        Stack(String name, String order) {
            this.name = name;
            for (int at = 0; at < order.length(); at++) {
                switch (order.charAt(at)) {
                    case 'R' -> taps.add(this::recording);
                    case 'P' -> taps.add(PassingTap::new);
                    case 'C' -> taps.add(CopyingTap::new);
                    default -> throw new IllegalArgumentException(order);
                }
            }
        }

        private RecorderTap recording(PciFunction function) {
            try {
                TraceOptions options = TraceOptions.DEFAULT.withWindowBytes(1 << 16);
                recorder = RecorderTap.recording(function, trace(), options);
                return recorder;
            } catch (TraceException e) {
                throw new UncheckedIOException(e);
            }
        }

        Path trace() {
            return folder.resolve(name + ".fst");
        }

        PciFunction around(PciFunction function) {
            PciFunction top = function;
            for (Function<PciFunction, PciFunction> tap : taps) {
                top = tap.apply(top);
            }
            return top;
        }

        /** What the recorder says. */
        List<String> said() throws TraceException {
            recorder.close();
            return Sightings.ofTrace(trace()).deeds();
        }
    }

    @ParameterizedTest
    @MethodSource("routes")
    void shouldChangeNothingWhenThreeTapsStandAtEachEnd(Route route) throws Exception {
        Seen without = inOrder(route);
        List<String> orders = List.of("RPC", "CRP", "PCR", "CPR", "RCP", "PRC");
        int count = rounds(1, 2, orders.size());
        for (int i = 0; i < count; i++) {
            Stack atDevice = new Stack("device" + i, orders.get(i));
            Stack atDriver = new Stack("driver" + i, orders.get((i + 1) % orders.size()));
            Seen with = inOrder(route, atDevice::around, atDriver::around);
            assertEquals(without.byDriver(), with.byDriver());
            assertEquals(without.atDriver(), beyondLooks(with.atDriver()));
            assertEquals(without.atDevice(), beyondLooks(with.atDevice()));
            assertEquals(without.interrupts(), with.interrupts());
            assertSaysWhatPassed(beyondLooks(with.atDevice()), beyondLooks(atDevice.said()));
            assertSaysWhatPassed(beyondLooks(with.atDriver()), beyondLooks(atDriver.said()));
        }
    }

    /** All but a recorder's one look at configuration space when it begins. */
    private static List<String> beyondLooks(List<String> seen) {
        List<String> rest =
                seen.stream().filter(line -> !line.startsWith("read 7+0x0 4096/")).toList();
        assertTrue(seen.size() - rest.size() <= 2, "a look for each recorder");
        return rest;
    }

    /** The recorder goes on until the very end: the driver's side leaves, its lender looks on. */
    private static void assertSaysWhatPassed(List<String> seen, List<String> said) {
        List<String> deeds = seen.stream().map(line -> line.replaceFirst(" -> .*", "")).toList();
        assertTrue(said.size() >= deeds.size(), said.size() + " of " + deeds.size());
        assertEquals(deeds, said.subList(0, deeds.size()));
        for (String more : said.subList(deeds.size(), said.size())) {
            assertTrue(
                    more.matches("(detached|unmap|reset|interrupts|event|(read|write) 7).*"), more);
        }
    }

    /** A tap that says: the version register reads as 1.3. */
    private static final class OlderVersion extends PassingTap {
        OlderVersion(PciFunction next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
            CompletionStatus status = super.read(region, offset, into, widthBytes);
            if (region == 0 && offset == 8 && into.byteSize() == 4) {
                into.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 0x0001_0300);
            }
            return status;
        }
    }

    /** A tap that says: the serial number that Identify writes is another. */
    private static final class OtherSerial extends PassingTap {
        private static final byte[] OLD = {'O', 'N', 'E'};
        private static final byte[] NEW = {'T', 'W', 'O'};

        OtherSerial(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost host) {
            return new ForwardingHost(host) {
                @Override
                public CompletionStatus write(int generation, long address, MemorySegment from) {
                    return super.write(generation, address, changed(from));
                }

                @Override
                public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
                    return super.writeAll(
                            generation,
                            segments.stream()
                                    .map(one -> new DmaSegment(one.address(), changed(one.data())))
                                    .toList());
                }
            };
        }

        private static MemorySegment changed(MemorySegment from) {
            byte[] data = from.toArray(ValueLayout.JAVA_BYTE);
            if (data.length == 4096 && Arrays.equals(data, 4, 7, OLD, 0, 3)) {
                System.arraycopy(NEW, 0, data, 4, 3);
            }
            return MemorySegment.ofArray(data);
        }
    }

    @ParameterizedTest
    @MethodSource("routesForChanges")
    void shouldChangeOneRegisterAloneWhenATapSaysSo(Route route) throws Exception {
        Seen without = inOrder(route);
        Seen atDevice = inOrder(route, OlderVersion::new, PassingTap::new);
        Seen atDriver = inOrder(route, CopyingTap::new, OlderVersion::new);
        assertEquals(without.atDevice(), atDevice.atDevice());
        assertEquals(without.atDevice(), atDriver.atDevice());
        List<String> changed = replaced(without.byDriver(), "VS 0x10400", "VS 0x10300");
        assertEquals(changed, atDevice.byDriver());
        assertEquals(changed, atDriver.byDriver());
    }

    @ParameterizedTest
    @MethodSource("routesForChanges")
    void shouldChangeWhatTheDeviceWritesAloneWhenATapSaysSo(Route route) throws Exception {
        Seen without = inOrder(route);
        Seen with = inOrder(route, OtherSerial::new, PassingTap::new);
        assertEquals(without.atDevice(), with.atDevice());
        List<String> changed = replaced(without.byDriver(), "serial ONE", "serial TWO");
        assertEquals(withoutSum(changed), withoutSum(with.byDriver()));
        assertEquals(changed.size() - 1, withoutSum(changed).size());
    }

    /** Without the checksum of what Identify writes, in which the serial number is. */
    private static List<String> withoutSum(List<String> lines) {
        return lines.stream().filter(line -> !line.startsWith("identify 1 ")).toList();
    }

    private static List<String> replaced(List<String> lines, String old, String now) {
        assertEquals(1, lines.stream().filter(old::equals).count(), old);
        return lines.stream().map(line -> line.equals(old) ? now : line).toList();
    }
}
