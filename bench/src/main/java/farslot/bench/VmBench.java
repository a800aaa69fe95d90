package farslot.bench;

import farslot.lab.Accelerator;
import farslot.lab.Guest;
import farslot.lab.Lab;
import farslot.lab.LabException;
import farslot.lab.PreparedLab;
import farslot.lab.Vm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * In a virtual machine: our devices, each lent by one process and put into the machine by another
 * with a UNIX link between, beside QEMU's own, which run in QEMU; and a disk that is recorded
 * beside one that is not.
 */
final class VmBench {
    private static final Duration BOOT = Duration.ofMinutes(4);
    private static final Duration ROUND = Duration.ofMinutes(2);

    private static final int REGISTER_READS = 5000;
    private static final int SMALL_TRANSFERS = 1000;
    private static final int LARGE_TRANSFERS = 64;
    private static final int SMALL_BYTES = 4096;
    private static final int LARGE_BYTES = 1 << 20;
    private static final long DISK_BYTES = 128L << 20;

    // Where the functions are in the machine; ours get the first ones by themselves.
    private static final String OUR_EDU = "0000:00:04.0";
    private static final String OUR_NVME = "0000:00:05.0";
    private static final String RECORDED_NVME = "0000:00:06.0";
    private static final String QEMU_EDU = "0000:00:10.0";
    private static final String QEMU_NVME = "0000:00:11.0";

    private static final String FOLDER = "/sys/bus/pci/devices/";

    /** All disks are there within ten seconds. */
    private static final String LOAD_NVME =
            "modprobe nvme; for i in $(seq 100); do [ \"$(ls /dev/nvme*n1 | wc -l)\" = 3 ] && exit 0;"
                    + " sleep 0.1; done; exit 1";

    private final Workbench bench;
    private final Rounds rounds;
    private final Guest guest;
    private final List<Row> rows = new ArrayList<>();

    private VmBench(Workbench bench, Rounds rounds, Guest guest) {
        this.bench = bench;
        this.rounds = rounds;
        this.guest = guest;
    }

    static List<Row> run(Workbench bench, Rounds rounds) throws IOException {
        if (!Lab.ofUser().status().prepared()) {
            bench.progress()
                    .accept(
                            "vm: skipped; \"farslot lab prepare\" fetches the machine that it"
                                    + " needs.");
            return List.of();
        }
        if (!bench.hasBaselines()) {
            bench.progress().accept("vm: skipped; its program in the guest is C, without gcc.");
            return List.of();
        }
        try (Vm vm = boot(bench)) {
            return new VmBench(bench, rounds, vm.guest()).measure();
        } catch (LabException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Vm boot(Workbench bench) throws IOException {
        PreparedLab lab = Lab.ofUser().open();
        Accelerator accelerator = Lab.ofUser().accelerator(lab, bench.progress());
        bench.progress().accept("vm: booting, by QEMU's " + accelerator.word());
        Path image = disk(bench);
        Peer lender =
                bench.keep(
                        Peer.farSide(
                                "disks",
                                bench.file().toString(),
                                disk(bench).toString(),
                                disk(bench).toString(),
                                bench.file() + ".fst"));
        String address = lender.line();
        Vm vm =
                Vm.builder(lab, accelerator)
                        .name("the measured machine")
                        .vfioUser(slot(bench, address, "edu"))
                        .vfioUser(slot(bench, address, "nvme"))
                        .vfioUser(slot(bench, address, "recorded"))
                        .device("edu,addr=0x10")
                        .device("nvme,addr=0x11,serial=qemu,drive=disk")
                        .arguments(List.of("-drive", "if=none,id=disk,format=raw,file=" + image))
                        .start();
        bench.keep(vm);
        vm.guest().awaitReady(BOOT);
        return vm;
    }

    private static Path disk(Workbench bench) throws IOException {
        Path image = bench.file();
        byte[] piece = new byte[1 << 20];
        try (var stream = Files.newOutputStream(image)) {
            for (long done = 0; done < DISK_BYTES; done += piece.length) {
                stream.write(piece);
            }
        }
        return image;
    }

    private static Path slot(Workbench bench, String lender, String function) throws IOException {
        Path socket = bench.file();
        bench.keep(Peer.farSide("borrow", socket.toString(), lender, function)).line();
        return socket;
    }

    private List<Row> measure() throws IOException {
        byte[] program = Files.readAllBytes(bench.program("guest"));
        guest.sh(
                "base64 -d > /tmp/guest << END\n"
                        + Base64.getMimeEncoder().encodeToString(program).replace("\r", "")
                        + "\nEND\nchmod +x /tmp/guest");
        guest.sh(LOAD_NVME);
        registers();
        String ours = namespace(OUR_NVME);
        String theirs = namespace(QEMU_NVME);
        small("vm.nvme.read.4k", "read", ours, theirs);
        small("vm.nvme.write.4k", "write", ours, theirs);
        large("vm.nvme.read.1m", "read", ours, theirs);
        large("vm.nvme.write.1m", "write", ours, theirs);
        String recorded = namespace(RECORDED_NVME);
        small("vm.recorded.read.4k", "read", recorded, ours);
        small("vm.recorded.write.4k", "write", recorded, ours);
        large("vm.recorded.read.1m", "read", recorded, ours);
        large("vm.recorded.write.1m", "write", recorded, ours);
        return rows;
    }

    private String namespace(String function) {
        return guest.sh(
                "name=$(ls /sys/bus/pci/devices/" + function + "/nvme); echo /dev/${name}n1");
    }

    private void add(String name, String unit, Contest.Turn ours, Contest.Turn theirs)
            throws IOException {
        rows.add(new Contest(name, unit, Target.NONE, ours, theirs).run(rounds, bench.progress()));
    }

    private void registers() throws IOException {
        guest.sh(
                "for f in "
                        + OUR_EDU
                        + " "
                        + QEMU_EDU
                        + "; do echo 1 > "
                        + FOLDER
                        + "$f/enable; done");
        int count = rounds.of(REGISTER_READS);
        add(
                "vm.mmio.read",
                "us",
                () -> nanos("registers", FOLDER + OUR_EDU + "/resource0", count) / 1e3 / count,
                () -> nanos("registers", FOLDER + QEMU_EDU + "/resource0", count) / 1e3 / count);
    }

    private void small(String name, String what, String ours, String theirs) throws IOException {
        int count = rounds.of(SMALL_TRANSFERS);
        add(
                name,
                "us",
                () -> nanos(what, ours, count, SMALL_BYTES) / 1e3 / count,
                () -> nanos(what, theirs, count, SMALL_BYTES) / 1e3 / count);
    }

    private void large(String name, String what, String ours, String theirs) throws IOException {
        int count = rounds.of(LARGE_TRANSFERS);
        double bytes = (double) count * LARGE_BYTES;
        add(
                name,
                "MB/s",
                () -> bytes * 1e3 / nanos(what, ours, count, LARGE_BYTES),
                () -> bytes * 1e3 / nanos(what, theirs, count, LARGE_BYTES));
    }

    /** Runs the program in the guest. */
    private double nanos(String what, String where, int... numbers) {
        StringBuilder words =
                new StringBuilder("/tmp/guest ").append(what).append(' ').append(where);
        for (int number : numbers) {
            words.append(' ').append(number);
        }
        return Long.parseLong(guest.sh(words.toString(), ROUND));
    }
}
