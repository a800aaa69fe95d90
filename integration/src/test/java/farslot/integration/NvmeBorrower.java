package farslot.integration;

import farslot.devices.nvme.DriverRun;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.slot.FunctionAddress;
import farslot.slot.HeldFunction;
import farslot.slot.Slot;
import farslot.slot.Supervision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A process that drives a borrowed nvme controller in Java without end, to be killed. */
final class NvmeBorrower {
    /** What it says when its transfers are under way. */
    static final String BUSY = "transfers are under way";

    private NvmeBorrower() {}

    /**
     * Runs.
     *
     * @param words the folder of control sockets, the slot's name, the function's address
     */
    public static void main(String[] words) throws Exception {
        Slot slot =
                Slot.open(
                        RuntimeDirectory.at(Path.of(words[0])),
                        words[1],
                        FunctionAddress.parse(words[2]),
                        Duration.ZERO,
                        LinkOptions.named(words[1]).withInsecure(true),
                        HeldFunction.Rules.DEFAULT,
                        new Supervision(supervisor(), System.out::println),
                        UnaryOperator.identity(),
                        System.out::println,
                        () -> {});
        DriverInJava driver =
                new DriverInJava(slot.function(), DriverRun.RAM_BYTES, DriverRun.VECTORS);
        new DriverRun(driver, driver::reset, ProcessHandle.current().pid(), note -> {})
                .withoutEnd(() -> System.out.println(BUSY));
    }

    private static List<String> supervisor() {
        List<String> command = new ArrayList<>(Bench.program());
        command.add(1, "-Xmx24m");
        command.add("supervise");
        return command;
    }
}
