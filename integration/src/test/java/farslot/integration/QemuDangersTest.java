package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.devices.edu.EduKind;
import farslot.devices.nvme.NvmeKind;
import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.LabException;
import farslot.lab.Vm;
import farslot.posix.PeerCredentials;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.Options;
import farslot.vfiouser.QemuDevice;
import farslot.vfiouser.RawClient;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What QEMU does to its vfio-user servers, done to ours (docs/dangers.md). The devices are in this
 * process, so that a test can step in.
 */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class QemuDangersTest {
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final String EDU_IDENTITY = "0x010000ED";
    private static final String ALL_ONES = "0xFFFFFFFF";

    /** Memory that Linux leaves alone. */
    private static final long FREE = 0x800_0000L;

    private static final int FREE_BYTES = 2 << 20;
    private static final String FREE_WORDS = "memmap=2M$0x8000000 iomem=relaxed";

    @TempDir Path folder;
    private Path sockets;
    private final ConcurrentLinkedQueue<AutoCloseable> open = new ConcurrentLinkedQueue<>();

    private final LinkedBlockingQueue<String> complaints = new LinkedBlockingQueue<>();
    private final Logger logger = Logger.getLogger("farslot.vfiouser");
    private final Handler complaining = new Complaining();

    @BeforeEach
    void makeFolder() throws IOException {
        sockets = Files.createTempDirectory("fs-");
        logger.addHandler(complaining);
    }

    @AfterEach
    void end() throws Exception {
        logger.removeHandler(complaining);
        for (AutoCloseable one : open) {
            one.close();
        }
        try (var all = Files.list(sockets)) {
            for (Path path : all.toList()) {
                Files.delete(path);
            }
        }
        Files.delete(sockets);
    }

    /** A device of this process as QEMU finds it. */
    private final class Place implements VfioUserServer.ClientListener {
        final Sightings sightings = new Sightings();
        final LinkedBlockingQueue<String> gone = new LinkedBlockingQueue<>();
        final Stepping stepping;
        final VfioUserServer server;

        Place(String name, DeviceKind kind, Map<String, String> options) throws Exception {
            DeviceFunction device =
                    DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, options)));
            stepping = new Stepping(new Witness(device, sightings));
            server = VfioUserServer.start(stepping, sockets.resolve(name), this);
            open.add(() -> {
                stepping.letGo.countDown();
                server.close();
                device.close();
            });
        }

        @Override
        public void clientGone(PeerCredentials peer, String why) {
            gone.add(why);
        }

        String argument(Map<String, String> more) {
            return QemuDevice.argument(server.socket(), more);
        }

        /** The function can be had by another client. */
        void assertFree(int identity) throws Exception {
            assertNotNull(gone.poll(60, TimeUnit.SECONDS), "QEMU has not left");
            try (RawClient next = RawClient.start(server.socket())) {
                assertEquals(identity, (int) next.value(7, 0, 4));
            }
            assertNotNull(gone.poll(60, TimeUnit.SECONDS));
        }
    }

    private Place edu(String name) throws Exception {
        return new Place(name, new EduKind(), Map.of());
    }

    /** Lets a test hold reads of edu's liveness register, and gives it the host. */
    private static final class Stepping extends PassingTap {
        private static final int LIVENESS = 4;

        final CountDownLatch letGo = new CountDownLatch(1);
        volatile boolean holds;
        volatile PciHost host;

        Stepping(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost real) {
            host = real;
            return super.around(real);
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
            if (holds && region == 0 && offset == LIVENESS) {
                try {
                    letGo.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
            return super.read(region, offset, into, widthBytes);
        }
    }

    /** Runs a script in which {@code reg OFFSET} is the address of a register of BAR0. */
    private static String at(Guest guest, String place, String script) {
        return guest.sh(
                """
                setpci -s %1$s COMMAND=0x7
                BAR=$(head -n 1 /sys/bus/pci/devices/0000:%1$s/resource | cut -d ' ' -f 1)
                reg() { echo $((BAR + $1)); }
                """
                                .formatted(place)
                        + script,
                LONG);
    }

    private static final String READ_LIVENESS = "devmem $(reg 4)";

    /** Dangers 1, 2 and 6, and a second client: the machine lives on through all of them. */
    @Test
    void shouldLetTheMachineLiveWhenAFunctionHangsOrItsSlotEnds() throws Exception {
        Place first = edu("a");
        Place hasty = edu("b");
        try (Bench bench = Bench.in(folder)) {
            Vm vm =
                    bench.boot(
                            bench.machine()
                                    .kernelWords(FREE_WORDS)
                                    .device(first.argument(Map.of("addr", "4")))
                                    .device(
                                            hasty.argument(Map.of("addr", "5"))
                                                    .replace(
                                                            "\"socket\"",
                                                            "\"x-msg-timeout\":1000,\"socket\"")));
            Guest guest = vm.guest();
            for (String place : List.of("00:04.0", "00:05.0")) {
                at(guest, place, "devmem $(reg 4) 32 0x12345678");
                assertEquals("0xEDCBA987", at(guest, place, READ_LIVENESS));
            }

            // It does not come back: answered before QEMU gives up, and late for nobody.
            first.stepping.holds = true;
            assertEquals(ALL_ONES, at(guest, "00:04.0", READ_LIVENESS));
            assertTrue(vm.qmp().execute("{\"execute\":\"query-status\"}").contains("running"));
            first.stepping.letGo.countDown();
            at(guest, "00:04.0", "until [ $(devmem $(reg 4)) = 0xEDCBA987 ]; do :; done");
            assertTrue(first.server.hasClient());

            aSecondMachineIsRefused(bench, first);
            assertEquals("0xEDCBA987", at(guest, "00:04.0", READ_LIVENESS));

            // A QEMU that waits for less than we take: the late answer breaks its connection, on
            // its side alone. What it reads is never another access's answer.
            hasty.stepping.holds = true;
            assertEquals(ALL_ONES, at(guest, "00:05.0", READ_LIVENESS));
            awaitComplaint("client of b", "answered in its stead");
            hasty.stepping.letGo.countDown();
            for (int look = 0; look < 3; look++) {
                String read = at(guest, "00:05.0", "devmem $(reg 0)");
                assertTrue(read.equals(ALL_ONES) || read.equals(EDU_IDENTITY), read);
            }
            assertEquals("0xEDCBA987", at(guest, "00:04.0", READ_LIVENESS));

            first.server.close();
            assertEquals(ALL_ONES, at(guest, "00:04.0", READ_LIVENESS));
            assertEquals("alive", guest.sh("echo alive"));
            assertTrue(vm.isAlive());
        }
        hasty.assertFree(0x11e8_1234);
    }

    private void awaitComplaint(String... parts) throws InterruptedException {
        String line = "";
        while (!List.of(parts).stream().allMatch(line::contains)) {
            line = complaints.poll(60, TimeUnit.SECONDS);
            assertNotNull(line, "no complaint of " + List.of(parts));
        }
    }

    private static void aSecondMachineIsRefused(Bench bench, Place place) {
        try (Vm second = bench.machine().device(place.argument(Map.of())).start()) {
            assertTrue(second.await(LONG), "it neither starts nor ends");
            assertNotEquals(0, second.exitCode());
        }
        assertTrue(place.server.hasClient());
    }

    /** Dangers 3 and 4: a megabyte each way, several at once, while the guest reads registers. */
    @Test
    void shouldMoveMegabytesByMessagesWhileTheGuestReadsRegisters() throws Exception {
        Place place = edu("m");
        try (Bench bench = Bench.in(folder)) {
            Vm vm =
                    bench.boot(
                            bench.machine()
                                    .sharedMemory(false)
                                    .kernelWords(FREE_WORDS)
                                    .device(place.argument(Map.of("addr", "4"))));
            Guest guest = vm.guest();
            assertEquals(EDU_IDENTITY, at(guest, "00:04.0", "devmem $(reg 0)"));
            PciHost host = place.stepping.host;
            int generation = place.stepping.generation();
            byte[] data = new byte[FREE_BYTES];
            new Random(4).nextBytes(data);
            FutureTask<byte[]> there = task(() -> thereAndBack(host, generation, FREE, data, 2));
            String last =
                    at(guest, "00:04.0", "for i in $(seq 200); do devmem $(reg 0); done | sort -u");
            assertEquals(EDU_IDENTITY, last);
            assertArrayEquals(data, there.get());
            int word = MemorySegment.ofArray(data).get(ValueLayout.JAVA_INT_UNALIGNED, 0x12340);
            assertEquals(
                    String.format("0x%08X", word),
                    guest.sh("devmem 0x8012340"),
                    "as Linux sees it");
            assertTrue(place.server.hasClient());
        }
    }

    private static <T> FutureTask<T> task(java.util.concurrent.Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().name("device").start(task);
        return task;
    }

    /** Writes data in so many parts at once, each in one call, and reads it likewise. */
    private static byte[] thereAndBack(
            PciHost host, int generation, long address, byte[] data, int parts) throws Exception {
        MemorySegment from = Arena.ofAuto().allocate(data.length, 8);
        from.copyFrom(MemorySegment.ofArray(data));
        MemorySegment into = Arena.ofAuto().allocate(data.length, 8);
        long part = data.length / parts;
        for (boolean write : new boolean[] {true, false}) {
            Queue<FutureTask<CompletionStatus>> tasks = new ConcurrentLinkedQueue<>();
            for (long at = 0; at < data.length; at += part) {
                long begin = at;
                tasks.add(
                        task(() ->
                                write
                                        ? host.write(
                                                generation,
                                                address + begin,
                                                from.asSlice(begin, part))
                                        : host.read(
                                                generation,
                                                address + begin,
                                                into.asSlice(begin, part))));
            }
            for (FutureTask<CompletionStatus> one : tasks) {
                assertEquals(CompletionStatus.SUCCESS, one.get());
            }
        }
        return into.toArray(ValueLayout.JAVA_BYTE);
    }

    /** Danger 5: unplugging aborts QEMU where the function has MSI-X; ours is free for the next. */
    @Test
    void shouldUnplugAndPlugAgainAndOutliveAQemuThatAbortsOverMsix() throws Exception {
        Place edu = edu("e");
        Place nvme =
                new Place(
                        "n",
                        new NvmeKind(),
                        Map.of("image", folder.resolve("disk").toString(), "size", "16M"));
        try (Bench bench = Bench.in(folder)) {
            Vm vm =
                    bench.boot(
                            bench.machine()
                                    .kernelWords(FREE_WORDS)
                                    .device("pcie-root-port,id=rp1,chassis=1,slot=1")
                                    .device("pcie-root-port,id=rp2,chassis=2,slot=2")
                                    .device(edu.argument(Map.of("id", "e0", "bus", "rp1")))
                                    .device(nvme.argument(Map.of("id", "n0", "bus", "rp2"))));
            Guest guest = vm.guest();
            GuestDisk.bind(guest).awaitThere();
            assertEquals(EDU_IDENTITY, at(guest, "01:00.0", "devmem $(reg 0)"));

            vm.qmp().execute(unplug("e0"));
            vm.qmp().await("DEVICE_DELETED");
            edu.assertFree(0x11e8_1234);
            vm.qmp()
                    .execute(
                            "{\"execute\":\"device_add\",\"arguments\":"
                                    + edu.argument(Map.of("id", "e1", "bus", "rp1"))
                                    + "}");
            guest.sh("until [ -e /sys/bus/pci/devices/0000:01:00.0 ]; do sleep 0.1; done", LONG);
            assertEquals(EDU_IDENTITY, at(guest, "01:00.0", "devmem $(reg 0)"));

            boolean aborted = false;
            try {
                vm.qmp().execute(unplug("n0"));
                vm.qmp().await("DEVICE_DELETED");
            } catch (LabException ended) {
                aborted = true;
            }
            if (aborted) {
                assertTrue(vm.await(LONG), "QEMU neither unplugs nor ends");
                assertTrue(vm.console().text().contains("subregion->container"));
                assertNotNull(edu.gone.poll(60, TimeUnit.SECONDS));
            }
            nvme.assertFree(0x11f0_1234);
        }
    }

    private static String unplug(String id) {
        return "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"" + id + "\"}}";
    }

    /** Behind an IOMMU each buffer is mapped for itself, when it is used, and taken back. */
    @Test
    void shouldServeALinuxThatMapsEachBufferForItself() throws Exception {
        Place place =
                new Place(
                        "n",
                        new NvmeKind(),
                        Map.of("image", folder.resolve("disk").toString(), "size", "64M"));
        try (Bench bench = Bench.in(folder)) {
            Vm vm =
                    bench.boot(
                            bench.machine()
                                    .kernelWords(
                                            "intel_iommu=on iommu.passthrough=0 iommu.strict=1")
                                    .device("intel-iommu,caching-mode=on")
                                    .device(place.argument(Map.of("addr", "4"))));
            GuestDisk disk = GuestDisk.bind(vm.guest());
            disk.format();
            disk.mount();
            String written = disk.fill(1);
            disk.unmount();
            disk.mount();
            assertEquals(written, disk.checksum());
            disk.unmount();
            List<String> deeds = place.sightings.deeds();
            long maps = deeds.stream().filter(deed -> deed.startsWith("map")).count();
            long unmaps = deeds.stream().filter(deed -> deed.startsWith("unmap")).count();
            assertTrue(maps > 50 && unmaps > 50, maps + " maps, " + unmaps + " unmaps");
        }
    }

    /** What QEMU passes then is memory that the guest does not use. */
    @Test
    void shouldRefuseAllDmaWhenTheMemoryThatWasPassedIsAPrivateCopy() throws Exception {
        Place place = edu("p");
        try (Bench bench = Bench.in(folder)) {
            Vm vm =
                    bench.boot(
                            bench.machine()
                                    .sharedMemory(false)
                                    .arguments(
                                            List.of(
                                                    "-object",
                                                    "memory-backend-memfd,id=ram,share=off,size=512M",
                                                    "-machine",
                                                    "memory-backend=ram"))
                                    .kernelWords(FREE_WORDS)
                                    .device(place.argument(Map.of("addr", "4"))));
            Guest guest = vm.guest();
            assertTrue(place.sightings.lines().stream().anyMatch(line -> line.endsWith(" near")));
            String copied =
                    at(
                            guest,
                            "00:04.0",
                            """
                            devmem 0x8000000 32 0x11111111
                            devmem $(reg 0x80) 64 0x40000
                            devmem $(reg 0x88) 64 0x8000000
                            devmem $(reg 0x90) 64 4
                            devmem $(reg 0x98) 64 3
                            while [ $(($(devmem $(reg 0x98) 64) & 1)) = 1 ]; do :; done
                            devmem 0x8000000
                            """);
            assertEquals("0x11111111", copied.lines().toList().getLast());
            assertTrue(place.sightings.lines().contains("unmap 0x0 0x0 -> SUCCESS"));
            assertTrue(
                    place.sightings.lines().stream()
                            .anyMatch(line -> line.matches("dma write 0x8000000 4 .*ABORT")));
            awaitComplaint("private copy", "Put share=on");
        }
    }

    /** What servers tell their users. */
    private final class Complaining extends Handler {
        @Override
        public void publish(LogRecord logged) {
            complaints.add(String.valueOf(logged.getMessage()));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
