package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Lender, slot or machine is killed at any moment, from the start of the machine's boot to the end
 * of its work: the machine never waits longer than the slot holds an access, nothing is left
 * behind, and no block is lost that was written and flushed.
 *
 * <p>Every run is drawn from a seed that is printed. {@code -Dfarslot.kills.seeds=S,T} draws those
 * again.
 */
@Tag("qemu")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class RandomKillTest {
    @TempDir Path folder;

    private final Map<KillPlan.Victim, Integer> kills = new TreeMap<>();
    private final Map<String, Integer> endings = new TreeMap<>();
    private long longestNanos;
    private long unanswered;
    private long flushes;
    private long blocks;

    @Test
    void nothingIsLostAndNothingIsLeftWhateverIsKilledWhenever() throws Exception {
        List<Long> seeds = seeds();
        assumeTrue(!seeds.isEmpty(), "no machines in few rounds");
        say(seeds.size() + " runs, seeds from " + seeds.getFirst());
        Bench.lab();
        Set<String> sharedBefore = Remains.sharedMemory();
        List<String> faults = new ArrayList<>();
        int atOnce = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 2);
        try (ExecutorService pool = Executors.newFixedThreadPool(atOnce)) {
            List<Future<KillRun.Result>> results = new ArrayList<>();
            for (long seed : seeds) {
                KillPlan plan = KillPlan.of(seed);
                results.add(pool.submit(() -> run(plan)));
            }
            for (Future<KillRun.Result> result : results) {
                try {
                    count(result.get(), faults);
                } catch (ExecutionException e) {
                    faults.add(e.getCause().toString());
                }
            }
        }
        Set<String> shared = new HashSet<>(Remains.sharedMemory());
        shared.removeAll(sharedBefore);
        shared.removeIf(name -> !name.contains("farslot") && !name.contains("qemu"));
        say(
                String.format(
                        Locale.ROOT,
                        "%d runs; killed %s; ended %s; longest access %.3f s, hold %.3f s, %d accesses"
                                + " answered all-ones; %d flushes told, %d blocks checked; faults: %d",
                        seeds.size(),
                        kills,
                        endings,
                        longestNanos / 1e9,
                        KillRun.HOLD_NANOS / 1e9,
                        unanswered,
                        flushes,
                        blocks,
                        faults.size()));
        assertEquals(List.of(), faults);
        assertEquals(Set.of(), shared);
    }

    private static List<Long> seeds() {
        String told = System.getProperty("farslot.kills.seeds");
        if (told != null) {
            return Stream.of(told.split(",", -1)).map(Long::valueOf).toList();
        }
        String rounds = System.getProperty("farslot.rounds", "short");
        int count = rounds.equals("full") ? 200 : rounds.equals("few") ? 0 : 3;
        long first = new SplittableRandom().nextInt(1 << 30);
        return LongStream.range(first, first + count).boxed().toList();
    }

    private KillRun.Result run(KillPlan plan) throws Exception {
        long begin = System.nanoTime();
        Path own = Files.createDirectory(folder.resolve(Long.toString(plan.seed())));
        try {
            KillRun.Result result = new KillRun(plan, own).run();
            say(
                    String.format(
                            Locale.ROOT,
                            "%s; %s; longest %.3f s, %d flushes, %d blocks; %.1f s%s",
                            plan,
                            result.ending(),
                            result.longestNanos() / 1e9,
                            result.flushes(),
                            result.blocks(),
                            (System.nanoTime() - begin) / 1e9,
                            result.faults().isEmpty() ? "" : " FAULTS " + result.faults()));
            Files.deleteIfExists(own.resolve("disk"));
            return result;
        } catch (Exception | AssertionError e) {
            say(plan + "; FAILED: " + e);
            throw new IllegalStateException(plan + ": " + e, e);
        }
    }

    private void count(KillRun.Result result, List<String> faults) {
        kills.merge(result.plan().victim(), 1, Integer::sum);
        endings.merge(result.ending(), 1, Integer::sum);
        longestNanos = Math.max(longestNanos, result.longestNanos());
        unanswered += result.unanswered();
        flushes += result.flushes();
        blocks += result.blocks();
        result.faults().forEach(fault -> faults.add(result.plan() + ": " + fault));
    }

    private static synchronized void say(String line) {
        System.out.println(line);
    }
}
