package farslot.bench;

import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.lender.Lender;
import farslot.lender.Lender.Lendable;
import farslot.lender.LendingException;
import farslot.link.Address;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RemoteFunction;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.sdk.BadOptionException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Measures 4-byte register accesses of the teaching device on every path that there is. All of it
 * runs in this process, each end of each path on threads of its own, as it would on two machines
 * with no wire between them.
 */
public final class AccessBench implements AutoCloseable {
    private final Path folder;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final List<Target> targets = new ArrayList<>();
    private Lender lender;

    private AccessBench(Path folder) {
        this.folder = folder;
    }

    /**
     * Measures.
     *
     * @param rounds how often each path has its turn, after one that does not count
     * @param count of reads, and of writes, in each turn
     * @param progress hears which round it is
     * @throws IOException where a path cannot be made or breaks; the sentence says which
     */
    public static List<Measured> run(int rounds, int count, Consumer<String> progress)
            throws IOException {
        Path folder = Files.createTempDirectory("farslot-bench");
        try (AccessBench bench = new AccessBench(folder)) {
            bench.makeTargets();
            return bench.measure(rounds, count, progress);
        } catch (LendingException
                | LinkException
                | RefusedException
                | TraceException
                | BadOptionException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            remove(folder);
        }
    }

    private void makeTargets()
            throws IOException,
                    LendingException,
                    RefusedException,
                    TraceException,
                    BadOptionException {
        lend("unix", "tcp", "recorded", "far");
        add(PingPong.unix(folder));
        add(PingPong.tcp());
        function("device in this process", null, device());
        function("the same, recorded", null, recorded("near", device()));
        function("UNIX link", PingPong.UNIX, borrow("unix", 0));
        function("TCP link", PingPong.TCP, borrow("tcp", 1));
        function("TCP link, recorded", PingPong.TCP, recorded("far", borrow("recorded", 1)));
        emulator("vfio-user", device());
        emulator("vfio-user and TCP link", borrow("far", 1));
    }

    private void add(Target target) {
        open.push(target);
        targets.add(target);
    }

    private void function(String name, String baseline, PciFunction function) throws IOException {
        add(FunctionTarget.of(name, baseline, function, () -> {}));
    }

    private void emulator(String name, PciFunction function) throws IOException {
        Path socket = folder.resolve(targets.size() + ".sock");
        VfioUserServer server =
                VfioUserServer.start(function, socket, VfioUserServer.ClientListener.NONE);
        add(VfioUserClient.connect(name, socket, server));
    }

    private DeviceFunction device() throws BadOptionException {
        EduKind kind = new EduKind();
        DeviceFunction function =
                DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())));
        open.push(function);
        return function;
    }

    private PciFunction recorded(String name, PciFunction function) throws TraceException {
        RecorderTap tap =
                RecorderTap.recording(
                        function, folder.resolve(name + ".fst"), TraceOptions.DEFAULT);
        open.push(tap);
        return tap;
    }

    private void lend(String... names) throws IOException, LendingException, BadOptionException {
        List<Lendable> lendables = new ArrayList<>();
        for (String name : names) {
            lendables.add(new Lendable(name, device()));
        }
        lender =
                Lender.open(
                        RuntimeDirectory.at(folder.resolve("run")),
                        lendables,
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        LinkOptions.named("bench").withInsecure(true),
                        sentence -> {},
                        () -> {});
        open.push(lender);
    }

    /**
     * @param address which of the lender's: 0 its UNIX socket, 1 TCP
     */
    private PciFunction borrow(String name, int address) throws LinkException, RefusedException {
        RemoteFunction function =
                RemoteFunction.borrow(
                        lender.addresses().get(address),
                        new Wish(name),
                        LinkOptions.named("bench").withInsecure(true),
                        why -> {});
        open.push(function);
        return function;
    }

    private List<Measured> measure(int rounds, int count, Consumer<String> progress)
            throws IOException {
        Map<Target, Turn[]> turns = new HashMap<>();
        targets.forEach(target -> turns.put(target, new Turn[rounds]));
        for (int round = -1; round < rounds; round++) {
            progress.accept(round < 0 ? "warming up" : "round " + (round + 1) + " of " + rounds);
            for (Target target : targets) {
                Turn turn = Turn.take(target, count);
                if (round >= 0) {
                    turns.get(target)[round] = turn;
                }
            }
        }
        Map<String, Turn[]> byName = new HashMap<>();
        targets.forEach(target -> byName.put(target.name(), turns.get(target)));
        return targets.stream()
                .map(target -> measured(target, turns.get(target), byName.get(target.baseline())))
                .toList();
    }

    private static Measured measured(Target target, Turn[] own, Turn[] below) {
        double readRatio = 0;
        double writeRatio = 0;
        if (below != null) {
            double[] reads = new double[own.length];
            double[] writes = new double[own.length];
            for (int round = 0; round < own.length; round++) {
                reads[round] = own[round].readMedian / below[round].readMedian;
                writes[round] = own[round].write / below[round].write;
            }
            readRatio = median(reads);
            writeRatio = median(writes);
        }
        return new Measured(
                target.name(),
                target.baseline(),
                median(Arrays.stream(own).mapToDouble(Turn::readMedian).toArray()),
                median(Arrays.stream(own).mapToDouble(Turn::readP99).toArray()),
                readRatio,
                median(Arrays.stream(own).mapToDouble(Turn::write).toArray()),
                writeRatio);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** One path's part of one round; nanoseconds. */
    private record Turn(double readMedian, double readP99, double write) {
        static Turn take(Target target, int count) throws IOException {
            long[] reads = new long[count];
            for (int i = 0; i < count; i++) {
                long begun = System.nanoTime();
                target.read();
                reads[i] = System.nanoTime() - begun;
            }
            long begun = System.nanoTime();
            for (int i = 0; i < count; i++) {
                target.write();
            }
            // Pushes the writes before it, so that all of them are paid for.
            target.read();
            double write = (double) (System.nanoTime() - begun) / count;
            Arrays.sort(reads);
            return new Turn(reads[count / 2], reads[(int) (count * 0.99)], write);
        }
    }

    @Override
    public void close() throws IOException {
        IOException failed = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                failed = failed == null ? new IOException(e) : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
