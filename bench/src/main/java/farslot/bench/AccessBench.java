package farslot.bench;

import farslot.bench.Workbench.Way;
import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.lender.Lender.Lendable;
import farslot.sdk.DeviceFunction;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Measures 4-byte register accesses of the teaching device on every path that there is. */
public final class AccessBench {
    private final Workbench bench;
    private final List<Target> targets = new ArrayList<>();

    private AccessBench(Workbench bench) {
        this.bench = bench;
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
        try (Workbench bench = new Workbench()) {
            AccessBench accesses = new AccessBench(bench);
            accesses.makeTargets();
            return accesses.measure(rounds, count, progress);
        }
    }

    private void makeTargets() throws IOException {
        List<Lendable> lendables = new ArrayList<>();
        for (String name : List.of("unix", "tcp", "recorded", "far")) {
            lendables.add(new Lendable(name, device()));
        }
        bench.lend(lendables);
        add(PingPong.unix(bench.folder()));
        add(PingPong.tcp());
        function("device in this process", null, device());
        function("the same, recorded", null, bench.recorded("near", device()));
        function("UNIX link", PingPong.UNIX, bench.borrow("unix", Way.UNIX));
        function("TCP link", PingPong.TCP, bench.borrow("tcp", Way.TCP));
        PciFunction recorded = bench.recorded("far", bench.borrow("recorded", Way.TCP));
        function("TCP link, recorded", PingPong.TCP, recorded);
        emulator("vfio-user", device());
        emulator("vfio-user and TCP link", bench.borrow("far", Way.TCP));
    }

    private DeviceFunction device() throws IOException {
        return bench.device(new EduKind(), Map.of());
    }

    private void add(Target target) {
        targets.add(bench.keep(target));
    }

    private void function(String name, String baseline, PciFunction function) throws IOException {
        add(FunctionTarget.of(name, baseline, function));
    }

    private void emulator(String name, PciFunction function) throws IOException {
        Path socket = bench.folder().resolve(targets.size() + ".sock");
        bench.keep(VfioUserServer.start(function, socket, VfioUserServer.ClientListener.NONE));
        add(VfioUserClient.connect(name, socket));
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
            readRatio = Workbench.median(reads);
            writeRatio = Workbench.median(writes);
        }
        return new Measured(
                target.name(),
                target.baseline(),
                Workbench.median(Arrays.stream(own).mapToDouble(Turn::readMedian).toArray()),
                Workbench.median(Arrays.stream(own).mapToDouble(Turn::readP99).toArray()),
                readRatio,
                Workbench.median(Arrays.stream(own).mapToDouble(Turn::write).toArray()),
                writeRatio);
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
}
