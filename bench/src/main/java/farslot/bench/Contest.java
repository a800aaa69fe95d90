package farslot.bench;

import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * One row: something, and the same in bare C, in turns, so that whatever else the machine does
 * happens to both.
 *
 * @param unit of what the turns return
 * @param measured a turn of the measured thing
 * @param baseline a turn of its baseline, or null
 */
record Contest(String name, String unit, Target target, Turn measured, Turn baseline) {
    /** Does a round's part of the work and returns what it came to. */
    interface Turn {
        double take() throws IOException;
    }

    /** A turn that measures nanoseconds for each operation, as how much a second; or null. */
    static Turn perSecond(Turn nanos, double amount) {
        return nanos == null ? null : () -> amount * 1e9 / nanos.take();
    }

    /** A turn that measures nanoseconds, as microseconds; or null. */
    static Turn micros(Turn nanos) {
        return nanos == null ? null : () -> nanos.take() / 1e3;
    }

    /** Takes all turns. */
    Row run(Rounds rounds, Consumer<String> progress) throws IOException {
        progress.accept(name);
        double[] values = new double[rounds.counted()];
        double[] baselines = new double[rounds.counted()];
        double[] ratios = new double[rounds.counted()];
        for (int round = -rounds.warmUps(); round < rounds.counted(); round++) {
            double value = measured.take();
            double below = baseline == null ? 0 : baseline.take();
            if (round >= 0) {
                values[round] = value;
                baselines[round] = below;
                ratios[round] = value / below;
            }
        }
        double value = median(values);
        Double below = baseline == null ? null : median(baselines);
        Double ratio = baseline == null ? null : median(ratios);
        Boolean met = target.rule().met(value, below, ratio);
        return new Row(name, value, unit, below, ratio, target.words(), met);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
