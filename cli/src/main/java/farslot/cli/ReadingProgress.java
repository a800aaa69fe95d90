package farslot.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Says how far reading a long trace has come, once it takes long. Any thread may tell it. */
final class ReadingProgress implements BiConsumer<String, Double> {
    private static final long INTERVAL_NANOS = Duration.ofSeconds(3).toNanos();

    private final Consumer<String> talk;
    private long saidNanos = System.nanoTime();

    ReadingProgress(Consumer<String> talk) {
        this.talk = talk;
    }

    @Override
    public synchronized void accept(String trace, Double done) {
        long now = System.nanoTime();
        if (now - saidNanos >= INTERVAL_NANOS) {
            saidNanos = now;
            talk.accept(String.format(Locale.ROOT, "Reading %s: %d %%", trace, (int) (done * 100)));
        }
    }
}
