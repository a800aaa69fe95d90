package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.diff.DiffReport;
import farslot.analysis.diff.TraceDiff;
import farslot.devices.nvme.NvmeKind;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.vfiouser.VfioUserServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Linux finds a disk, twice as it is, once with a setting of its driver changed; and works on it.
 */
@Tag("qemu")
@Timeout(600)
class DiffOfLinuxTest {
    private static final int MOST_LINES = 60;
    private static final int FIRST_LINES = 20;

    @TempDir Path folder;

    /**
     * Boots, and loads the driver.
     *
     * @param parameters of Linux's nvme
     */
    private Path boot(String name, String parameters) throws Exception {
        return boot(name, parameters, "");
    }

    /**
     * Boots, loads the driver, makes a file system and works in it.
     *
     * @param work what the guest's shell is told then; nothing at all is done where it is empty
     */
    private Path boot(String name, String parameters, String work) throws Exception {
        Path trace = folder.resolve(name + ".fst");
        Path image = folder.resolve("disk"); // which the serial number is made of
        Path runtime = Files.createTempDirectory("fs-"); // sockets' paths are short
        TraceOptions options = TraceOptions.DEFAULT.withDmaData(TraceOptions.DmaData.FULL);
        NvmeKind kind = new NvmeKind();
        Map<String, String> given = Map.of("image", image.toString(), "size", "64M");
        try (DeviceFunction device =
                        DeviceFunction.of("nvme", kind.create(Options.check(kind, given)));
                RecorderTap tap = RecorderTap.recording(device, trace, options);
                VfioUserServer server =
                        VfioUserServer.start(
                                tap, runtime.resolve("v"), VfioUserServer.ClientListener.NONE);
                Vm vm =
                        Vm.builder(Bench.lab(), Bench.accelerator())
                                .vfioUser(server.socket())
                                .start()) {
            vm.guest().awaitReady(Bench.BOOT);
            vm.guest().sh("modprobe nvme " + parameters);
            GuestDisk disk = GuestDisk.bind(vm.guest());
            if (!work.isEmpty()) {
                disk.format();
                disk.mount();
                vm.guest().sh(work, GuestDisk.LONG);
                disk.unmount();
            }
        } finally {
            Files.delete(image);
            Bench.remove(runtime);
        }
        return trace;
    }

    private static DiffReport diff(Path a, Path b) throws Exception {
        return TraceDiff.of(a, b, TraceNames::of);
    }

    @Test
    void shouldSayLittleOfTwoRunsWithMuchAtOnce() throws Exception {
        String work =
                "for i in 1 2 3 4; do (for j in 1 2 3 4 5 6 7 8; do dd if=/dev/zero"
                        + " of=/mnt/$i.$j bs=64k count=8 2>/dev/null; sync; done) & done; wait";
        Path one = boot("one", "", work);
        Path other = boot("other", "", work);
        DiffReport report = diff(one, other);
        List<String> lines = report.lines(0);
        assertFalse(report.same(), "what is done at once is done in another order");
        assertTrue(lines.size() <= MOST_LINES, () -> String.join("\n", lines));
        // Nothing but commands differs: what a driver does to its device is the same.
        List<String> of = lines.stream().filter(line -> line.matches("(differ|only).*")).toList();
        assertEquals(of, of.stream().filter(line -> line.matches("\\S+( [AB])? +SQ1 .*")).toList());
    }

    @Test
    void shouldSayLittleOfTwoBootsAndNameTheSettingThatWasChanged() throws Exception {
        Path one = boot("one", "");
        Path other = boot("other", "");
        Path changed = boot("changed", "io_queue_depth=64");

        DiffReport itself = diff(one, one);
        assertTrue(itself.same(), () -> String.join("\n", itself.lines(0)));
        List<String> twice = diff(one, other).lines(0);
        assertTrue(twice.size() <= MOST_LINES, () -> String.join("\n", twice));

        DiffReport report = diff(one, changed);
        assertFalse(report.same());
        List<String> lines = report.lines(0);
        String first = String.join("\n", lines.subList(0, Math.min(FIRST_LINES, lines.size())));
        assertTrue(first.matches("(?s).*CREATE_IO_CQ +QSIZE \\d+ -> 63 .*"), first);
        assertTrue(first.matches("(?s).*CREATE_IO_SQ +QSIZE \\d+ -> 63 .*"), first);
        assertEquals(List.of(), report.a().remarks());
    }
}
