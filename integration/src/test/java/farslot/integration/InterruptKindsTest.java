package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linux's nvme driver by each kind of interrupt, and through a memory that cannot be mapped. */
@Tag("qemu")
class InterruptKindsTest {
    @TempDir Path folder;

    @ParameterizedTest(name = "{0}, memory shared: {2}")
    @CsvSource({
        "MSI-X, '', true",
        "MSI, ',msix=off', true",
        "INTx, ',msix=off,msi=off', true",
        "MSI-X, '', false"
    })
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void linuxWritesAndReadsBack(String kind, String options, boolean shared) throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String device = "nvme,name=n0,image=" + bench.image("disk") + ",size=256M" + options;
            String address = Bench.address(bench.lend(device));
            Path socket = bench.borrow("n0@" + address);
            Vm vm = bench.boot(bench.machine().sharedMemory(shared).vfioUser(socket));
            GuestDisk disk = GuestDisk.bind(vm.guest());
            assertEquals(kind, disk.interrupts().kind());
            disk.format();
            disk.mount();
            String written = disk.fill(shared ? 32 : 8);
            disk.unmount();
            disk.check();
            disk.mount();
            assertEquals(written, disk.checksum());
            disk.unmount();
            assertEquals("", disk.complaints());
            // One for each command at least, and no storm: some hundred commands were done.
            long count = disk.interrupts().count();
            assertTrue(count > 20 && count < 20_000, "interrupts: " + count);
        }
    }
}
