package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.lab.GuestDisk;
import farslot.lab.PreparedLab;
import farslot.lab.Qemu;
import farslot.lab.Vm;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lender and machine with a network between them that is more than a loopback. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class NetworkTest {
    @TempDir Path folder;

    @Test
    void acrossOneMillisecondEachWay() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            InetSocketAddress lender = address(Bench.address(lend(bench)));
            try (DelayingProxy proxy =
                    new DelayingProxy(lender, TimeUnit.MILLISECONDS.toNanos(1))) {
                Path socket = bench.borrow("n0@127.0.0.1:" + proxy.port());
                writeAndReadBack(bench.boot(bench.machine().vfioUser(socket)));
            }
        }
    }

    @Test
    void betweenTwoNetworkNamespaces() throws Exception {
        assumeTrue(NamespacePair.isPossible(), "network namespaces need root and the program ip");
        try (NamespacePair namespaces = NamespacePair.create();
                Bench bench = Bench.in(folder)) {
            bench.lendersBy(namespaces.inFirst(), NamespacePair.FIRST_ADDRESS);
            String address = Bench.address(lend(bench));
            bench.slotsBy(namespaces.inSecond());
            Path socket = bench.borrow("n0@" + address);
            Vm.Builder machine =
                    Vm.builder(within(Bench.lab(), namespaces.inSecond()), Bench.accelerator());
            writeAndReadBack(bench.boot(machine.vfioUser(socket)));
        }
    }

    private static Bench.Running lend(Bench bench) {
        return bench.lend("nvme,name=n0,image=" + bench.image("disk") + ",size=256M");
    }

    private static void writeAndReadBack(Vm vm) {
        GuestDisk disk = GuestDisk.bind(vm.guest());
        disk.format();
        disk.mount();
        String written = disk.fill(32);
        disk.unmount();
        disk.check();
        disk.mount();
        assertEquals(written, disk.checksum());
        disk.unmount();
        assertEquals("", disk.complaints());
    }

    private static PreparedLab within(PreparedLab lab, List<String> prefix) {
        List<String> words = new ArrayList<>(prefix);
        words.addAll(lab.qemu().command());
        Qemu qemu = new Qemu(words, lab.qemu().environment(), lab.qemu().version());
        return new PreparedLab(qemu, lab.kernel(), lab.initrd(), lab.kernelVersion());
    }

    private static InetSocketAddress address(String text) throws Exception {
        int colon = text.lastIndexOf(':');
        InetAddress machine = InetAddress.getByName(text.substring(0, colon));
        return new InetSocketAddress(machine, Integer.parseInt(text.substring(colon + 1)));
    }
}
