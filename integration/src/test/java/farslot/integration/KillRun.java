package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.integration.KillPlan.Back;
import farslot.integration.KillPlan.Victim;
import farslot.lab.ChildProcess;
import farslot.lab.Console;
import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.LabException;
import farslot.lab.Vm;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * One run: a lender, a slot and a machine whose Linux writes stamped blocks, one of which is
 * killed; then a look at what came of it.
 */
final class KillRun {
    /** A held access takes so long at most; the trace counts no further than 4.29 s. */
    static final long HOLD_NANOS = 4_000_000_000L;

    private static final String NAME = "n0";
    private static final String SHELL = "This is a Farslot lab machine";
    private static final String KERNEL = "farslot.modules=nvme nvme_core.io_timeout=5";

    /** What the kernel says, and where those wait who wait for a device. */
    private static final String LOOK_AROUND =
            """
            dmesg | tail -n 30
            for process in /proc/[0-9]*; do
                grep -q 'State:.D' $process/status || continue
                tr '\\0' ' ' < $process/cmdline
                cat $process/comm $process/stack
            done
            """;

    private static final Pattern ALIVE = Pattern.compile("alive 42 ([0-9a-f]*)\\.");
    private static final int FLUSHES_AFTERWARDS = 4;

    /**
     * What came of it.
     *
     * @param ending in few words
     * @param longestNanos the longest access
     * @param unanswered accesses that were answered all-ones
     * @param flushes how many the guest told of
     * @param blocks how many of the blocks were checked for them
     * @param faults what should not be
     */
    record Result(
            KillPlan plan,
            String ending,
            long longestNanos,
            long unanswered,
            int flushes,
            int blocks,
            List<String> faults) {}

    private final KillPlan plan;
    private final Path folder;
    private final List<String> faults = new ArrayList<>();
    private final Set<Long> pids = new HashSet<>();
    private Bench bench;
    private StampedDisk disk;
    private Bench.Running lender;
    private Bench.Running slot;
    private Bench.Running vmRun;
    private Vm vm;
    private Console console;
    private String address;
    private Remains.Holdings lenderBefore;
    private Remains.Holdings slotBefore;
    private boolean shellIsThere;
    private String ending = "";

    /**
     * @param folder for image and trace; empty
     */
    KillRun(KillPlan plan, Path folder) {
        this.plan = plan;
        this.folder = folder;
    }

    Result run() throws Exception {
        try (Bench processes = Bench.in(folder).byLauncher()) {
            bench = processes;
            disk = StampedDisk.create(folder.resolve("disk"));
            lend();
            if (plan.byVmRun()) {
                startByVmRun();
            } else {
                startByHand();
            }
            if (awaitMoment()) {
                kill();
                lookAfterwards();
            }
            endAll();
            long[] waits = waits();
            disk.told(console.text());
            faults.addAll(disk.faultsOfImage());
            lookForRemains();
            return new Result(
                    plan,
                    ending,
                    waits[0],
                    waits[1],
                    disk.flushes(),
                    disk.flushedBlocks(),
                    List.copyOf(faults));
        } catch (LabException e) {
            throw new AssertionError(e.getMessage() + "\n" + whatAllSaid(), e);
        } finally {
            if (vm != null) {
                vm.close();
            }
        }
    }

    /** The last words of each, and what QEMU said of itself, which its guest may have flooded. */
    private String whatAllSaid() {
        StringBuilder said = new StringBuilder();
        if (slot != null) {
            said.append("Slot:\n").append(slot.console().lastLines(12)).append('\n');
        }
        said.append("Lender:\n").append(lender.console().lastLines(6)).append("\nQEMU:\n");
        console.text()
                .lines()
                .filter(line -> line.contains("qemu") || line.startsWith("farslot:"))
                .forEach(line -> said.append(line).append('\n'));
        if (vm != null && vm.isAlive()) {
            try {
                said.append("Linux:\n").append(vm.guest().run(LOOK_AROUND, Guest.SHORT).output());
            } catch (LabException e) {
                said.append("Linux does not answer.\n");
            }
        }
        return said.toString();
    }

    private void lend() {
        String device = "nvme,name=" + NAME + ",image=" + disk.file();
        int port = address == null ? 0 : Integer.parseInt(address.split(":", -1)[1]);
        lender = bench.lendAt(device, port);
        address = Bench.address(lender);
        pids.add(lender.process().process().pid());
        if (lenderBefore == null) {
            lenderBefore = Remains.Holdings.of(lender.process().process().pid());
        }
    }

    private String what() {
        return plan.far() ? NAME + "@" + address : NAME;
    }

    private Path trace() {
        return folder.resolve("n0.fst");
    }

    private Path socket() {
        return bench.runtime().resolve("slot");
    }

    private void startByHand() {
        slot = borrow(List.of("--trace", trace().toString()));
        slotBefore = Remains.Holdings.of(slot.process().process().pid());
        vm =
                bench.machine()
                        .name("seed-" + plan.seed())
                        .memoryMiB(256)
                        .shell()
                        .kernelWords(KERNEL)
                        .vfioUser(socket())
                        .start();
        console = vm.console();
        pids.add(vm.pid());
    }

    private Bench.Running borrow(List<String> more) {
        List<String> words = new ArrayList<>(List.of("borrow", what(), "--insecure"));
        words.addAll(List.of("--name", "s0", "--vfio-user", socket().toString()));
        words.addAll(more);
        Bench.Running started = bench.start("the slot", List.of(), words);
        started.console().await("vfio-user-pci", Bench.START);
        pids.add(started.process().process().pid());
        return started;
    }

    private void startByVmRun() {
        List<String> words = new ArrayList<>(List.of("vm", "run", "--name", "v0"));
        words.addAll(List.of("--borrow", what(), "--insecure", "--memory", "256M"));
        words.addAll(List.of("--trace", trace().toString(), "--", "-append"));
        words.add("console=ttyS0 panic=-1 quiet no_timer_check farslot.shell=1 " + KERNEL);
        vmRun = bench.start("vm run", List.of(), words);
        console = vmRun.console();
        pids.add(vmRun.process().process().pid());
        child("\0-chardev\0");
    }

    /** A child of {@code vm run}, by one of its words; waited for. */
    private ProcessHandle child(String word) {
        List<ProcessHandle> found = new ArrayList<>();
        String missing =
                Remains.awaitNone(
                        () -> {
                            found.clear();
                            vmRun.process()
                                    .process()
                                    .children()
                                    .filter(child -> Remains.words(child.pid()).contains(word))
                                    .forEach(found::add);
                            boolean there = !found.isEmpty() || !vmRun.process().isAlive();
                            return there ? "" : "no child " + word;
                        },
                        Bench.BOOT);
        if (!missing.isEmpty() || found.isEmpty()) {
            throw new AssertionError("no child " + word + ": " + console.lastLines(5));
        }
        pids.add(found.getFirst().pid());
        return found.getFirst();
    }

    private boolean machineIsAlive() {
        return vm != null ? vm.isAlive() : vmRun.process().isAlive();
    }

    /** Whether the machine ended within this time. */
    private boolean machineEndsWithin(Duration time) {
        return vm != null ? vm.await(time) : vmRun.process().await(time);
    }

    /**
     * Waits for the moment of the plan; false where the machine ended by itself, which is wrong.
     */
    private boolean awaitMoment() throws IOException {
        if (plan.duringBoot()) {
            machineEndsWithin(Duration.ofMillis(plan.bootMillis()));
        } else {
            bringStamps();
            console.type("sh /tmp/stamps write 1\n");
            for (int flush = 0; flush < plan.flushes(); flush++) {
                console.await(StampedDisk.oneMore(), GuestDisk.LONG);
            }
            machineEndsWithin(Duration.ofMillis(plan.moreMillis()));
        }
        if (!machineIsAlive()) {
            faults.add("the machine ended by itself: " + console.lastLines(5));
            return false;
        }
        return true;
    }

    private void awaitShell() {
        if (!shellIsThere) {
            console.await(SHELL, Bench.BOOT);
            shellIsThere = true;
        }
    }

    private void bringStamps() throws IOException {
        awaitShell();
        try (InputStream script = KillRun.class.getResourceAsStream("stamps")) {
            String text = Base64.getEncoder().encodeToString(script.readAllBytes());
            console.type("stty -echo\n");
            // A terminal's line is not endless.
            for (int at = 0; at < text.length(); at += 512) {
                String piece = text.substring(at, Math.min(at + 512, text.length()));
                console.type(
                        "echo " + piece + " >> /tmp/stamps.64; echo got $((" + at + " + 1))\n");
                console.await("got " + (at + 1), GuestDisk.LONG);
            }
            console.type("base64 -d /tmp/stamps.64 > /tmp/stamps\n");
        }
    }

    private void kill() {
        switch (plan.victim()) {
            case LENDER -> lender.kill();
            case SLOT -> {
                if (slot != null) {
                    slot.kill();
                } else {
                    kill(child("\0borrow\0"));
                }
            }
            case QEMU ->
                    kill(
                            vm != null
                                    ? ProcessHandle.of(vm.pid()).orElseThrow()
                                    : child("\0-chardev\0"));
            case VM_RUN -> {
                List<ProcessHandle> started = vmRun.process().process().descendants().toList();
                started.forEach(child -> pids.add(child.pid()));
                vmRun.kill();
                started.forEach(KillRun::awaitEnd);
            }
        }
    }

    private static void kill(ProcessHandle process) {
        process.destroyForcibly();
        awaitEnd(process);
    }

    private static void awaitEnd(ProcessHandle process) {
        try {
            process.onExit().get(Bench.START.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("still there: " + Remains.words(process.pid()), e);
        }
    }

    private void lookAfterwards() throws IOException {
        switch (plan.victim()) {
            case LENDER -> {
                if (plan.lenderIsBack() == Back.NEVER) {
                    unlessMachineEnds(this::expectOnes);
                } else {
                    if (plan.lenderIsBack() == Back.AFTER_THE_HOLD) {
                        machineEndsWithin(Duration.ofNanos(HOLD_NANOS).plusMillis(500));
                    }
                    lend();
                    unlessMachineEnds(this::expectToGoOn);
                }
            }
            case SLOT -> {
                unlessMachineEnds(this::expectOnes);
                if (slot != null) {
                    // The lender has taken back what it had lent; the socket is replaced.
                    slot = borrow(List.of());
                }
            }
            case QEMU -> {
                ending = "ended";
                if (vmRun != null && !vmRun.process().await(Bench.START)) {
                    faults.add("vm run goes on without its QEMU");
                }
                if (slot != null) {
                    expectLetGo("slot", slot, slotBefore);
                }
            }
            case VM_RUN -> ending = "ended";
        }
    }

    /**
     * Whether QEMU has ended by itself, as it does in three cases. It does not begin without the
     * device. And when its server is killed, its client of vfio-user aborts where the server had
     * not read all that was sent (from 10.2 on; an error set twice, after ECONNRESET), or where the
     * next that it sends is a map.
     */
    private boolean machineEnded() {
        if (!machineEndsWithin(ChildProcess.PATIENCE)) {
            return false;
        }
        String said = console.text();
        boolean aborted =
                said.contains("error_setv: Assertion `*errp == NULL' failed")
                        || said.contains("DMA mapping failed, unable to continue");
        if (aborted && plan.victim() == Victim.SLOT) {
            ending = "QEMU aborted";
            return true;
        }
        if (plan.duringBoot() && !said.contains(SHELL)) {
            ending = "QEMU did not begin";
            return true;
        }
        return false;
    }

    private interface Expectation {
        void check() throws IOException;
    }

    private void unlessMachineEnds(Expectation expectation) throws IOException {
        try {
            expectation.check();
        } catch (LabException e) {
            if (!machineEnded()) {
                throw e;
            }
        }
    }

    private void expectOnes() {
        awaitShell();
        console.type("echo alive $((6 * 7)) $(setpci -s 00:04.0 0.l).\n");
        String read = console.await(ALIVE, GuestDisk.LONG).group(1);
        // Linux never saw a device that was gone before it looked.
        if (!read.equals("ffffffff") && !read.isEmpty()) {
            faults.add("the machine reads " + read + " of a device that is gone");
        }
        ending = "all-ones";
    }

    private void expectToGoOn() throws IOException {
        if (plan.duringBoot()) {
            bringStamps();
        }
        console.type("sh /tmp/stamps back\n");
        console.await("@back 0 0 .", GuestDisk.LONG);
        console.type("sh /tmp/stamps read\n");
        console.await("@read 0 0 .", GuestDisk.LONG);
        disk.told(console.text());
        faults.addAll(disk.faultsOfReading(console.text()));
        console.type("sh /tmp/stamps write " + disk.nextStamp() + "\n");
        for (int flush = 0; flush < FLUSHES_AFTERWARDS; flush++) {
            console.await(StampedDisk.oneMore(), GuestDisk.LONG);
        }
        ending = "read on";
    }

    /** What was the machine's is given up by those who live. */
    private void expectLetGo(String who, Bench.Running process, Remains.Holdings before) {
        long pid = process.process().process().pid();
        String kept = Remains.awaitNone(() -> Remains.Holdings.of(pid).beyond(before), Bench.START);
        if (!kept.isEmpty()) {
            faults.add("the " + who + " keeps " + kept);
        }
    }

    /** Machine, slot and lender, as their user ends them. */
    private void endAll() {
        if (vm != null) {
            vm.close();
        } else {
            vmRun.close();
        }
        if (slot != null) {
            slot.close();
        }
        if (lender.process().isAlive()) {
            expectLetGo("lender", lender, lenderBefore);
        }
        lender.close();
    }

    /** The longest access, and how many were answered without the lender. */
    private long[] waits() throws IOException {
        long longest = 0;
        long unanswered = 0;
        if (plan.victim() == Victim.SLOT && !Files.exists(trace())) {
            return new long[] {longest, unanswered}; // Killed before it had begun its trace.
        }
        try (TraceReader reader = TraceReader.open(trace())) {
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                if (!(event instanceof TraceEvent.Access access)) {
                    continue;
                }
                if (access.stamp().underWay()) {
                    if (plan.victim() != Victim.SLOT && plan.victim() != Victim.VM_RUN) {
                        faults.add("never answered: " + access);
                    }
                    continue;
                }
                longest = Math.max(longest, access.stamp().durationNanos());
                unanswered += access.status() == CompletionStatus.TIMED_OUT ? 1 : 0;
            }
            if (reader.damaged() > 0) {
                faults.add(reader.damaged() + " records of the trace are damaged");
            }
        }
        return new long[] {longest, unanswered};
    }

    private void lookForRemains() throws IOException {
        String runtime = bench.runtime().toString();
        String processes =
                Remains.awaitNone(() -> String.join("\n", Remains.processes(runtime)), Bench.START);
        if (!processes.isEmpty()) {
            faults.add("left running: " + processes);
        }
        removeDeadSockets();
        // A process that is ending has neither words nor environment any more, and sockets still.
        String sockets =
                Remains.awaitNone(() -> String.join("\n", Remains.sockets(runtime)), Bench.START);
        note("sockets", sockets.lines().toList());
        note("files", filesLeft());
        note(
                "beside image and trace",
                Remains.files(folder).stream()
                        .filter(name -> !name.equals("disk") && !name.equals("n0.fst"))
                        .toList());
        note("files of Java", Remains.ofJava(pids));
        Files.delete(trace());
    }

    /** But for the audit log, which is to stay. */
    private List<String> filesLeft() throws IOException {
        return Remains.files(bench.runtime()).stream()
                .filter(name -> !name.startsWith("farslot/audit/"))
                .toList();
    }

    /** As README says: what was killed leaves the file of its socket to "farslot ps". */
    private void removeDeadSockets() throws IOException {
        boolean killedOneStays =
                plan.victim() == Victim.VM_RUN
                        || (plan.victim() == Victim.SLOT && slot == null)
                        || (plan.victim() == Victim.LENDER && plan.lenderIsBack() == Back.NEVER);
        if (killedOneStays) {
            // It takes none for dead that was bound this moment.
            Remains.awaitNone(
                    () -> {
                        bench.said("ps");
                        try {
                            return String.join(" ", filesLeft());
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    Duration.ofSeconds(10));
        }
    }

    private void note(String what, List<String> found) {
        if (!found.isEmpty()) {
            faults.add("left behind, " + what + ": " + String.join(", ", found));
        }
    }
}
