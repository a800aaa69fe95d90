package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ordering, in the manner of memory models' litmus tests: small programs of device and driver whose
 * forbidden outcomes never come, in as many rounds as {@link LitmusPath} says, and do come where
 * one reordering is planted. {@code -Dfarslot.seed} sets what varies; a failure names it.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class LitmusTest {
    private static final long SEED = Long.getLong("farslot.seed", 1);

    /** Late enough that all is under way. */
    private static final long PLANTED_ROUND = 60;

    /** A test that is blind ends here. */
    private static final long MOST_PLANTED_ROUNDS = 10_000_000;

    @TempDir Path folder;

    static List<Arguments> rulesAndPaths() {
        List<Arguments> all = new ArrayList<>();
        for (LitmusPath path : LitmusPath.values()) {
            for (LitmusRule rule : LitmusRule.values()) {
                all.add(Arguments.of(rule, path));
            }
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("rulesAndPaths")
    void shouldNeverSeeWhatTheRuleForbids(LitmusRule rule, LitmusPath path) throws Exception {
        long began = System.nanoTime();
        LitmusRounds.Outcome outcome;
        try (LitmusBench bench = LitmusBench.open(path, SEED, folder)) {
            outcome = rule.run(bench.driver(), path.rounds());
        }
        assertTrue(outcome.raced() > 0, "nothing was under way when the driver looked");
        System.out.printf(
                "litmus %s over %s: %d rounds, %d raced, %d ms%n",
                rule,
                path,
                outcome.rounds(),
                outcome.raced(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
    }

    static List<Arguments> plants() {
        List<Arguments> all = new ArrayList<>();
        for (LitmusPlant plant : LitmusPlant.values()) {
            all.add(Arguments.of(plant, LitmusPath.DIRECT, LitmusBench.Place.SLOT));
            all.add(Arguments.of(plant, LitmusPath.TCP, LitmusBench.Place.SLOT));
            if (!plant.needsSlot()) {
                all.add(Arguments.of(plant, LitmusPath.TCP, LitmusBench.Place.LENDER));
            }
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("plants")
    void shouldSeeTheRuleBrokenWhenAReorderingIsPlanted(
            LitmusPlant plant, LitmusPath path, LitmusBench.Place place) throws Exception {
        try (LitmusBench bench =
                LitmusBench.open(path, SEED, folder, plant, PLANTED_ROUND, place)) {
            LitmusRule rule = plant.breaks();
            LitmusViolation found =
                    assertThrows(
                            LitmusViolation.class,
                            () -> rule.run(bench.driver(), MOST_PLANTED_ROUNDS));
            assertEquals(rule, found.rule(), found.getMessage());
            assertTrue(plant.isSeenIn(found.round(), PLANTED_ROUND), found.getMessage());
            assertEquals(1, bench.tap().reorderings(), "one reordering, and no more");
        }
    }
}
