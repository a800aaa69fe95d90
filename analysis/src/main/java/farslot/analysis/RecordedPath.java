package farslot.analysis;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A trace as a path: the driver's accesses of BARs and its resets, each with what the function did
 * before the next.
 *
 * <p>One thread at a time.
 */
final class RecordedPath implements AutoCloseable {
    /**
     * A step of the driver.
     *
     * @param event an access or a reset
     * @param deeds the DMA and interrupts of the function behind it, in order
     */
    record Step(TraceEvent event, List<TraceEvent> deeds) {
        boolean isReadOf(int region, long offset, int length) {
            return event instanceof TraceEvent.Access access
                    && !access.write()
                    && access.region() == region
                    && access.offset() == offset
                    && access.data().length() == length;
        }
    }

    private final Path file;
    private final FunctionDescription function;
    private final KnownBytes configuration;
    private final TraceNames names;
    private TraceReader reader;
    private Step ahead;
    private TraceEvent begun;

    private RecordedPath(
            Path file, FunctionDescription function, KnownBytes configuration, TraceNames names) {
        this.file = file;
        this.function = function;
        this.configuration = configuration;
        this.names = names;
    }

    /**
     * Opens a trace, which is looked through once.
     *
     * @throws TraceException where it cannot be read
     */
    static RecordedPath open(Path file) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            FunctionDescription function = reader.description();
            byte[] whole = reader.configuration();
            KnownBytes configuration =
                    whole != null
                            ? KnownBytes.all(whole)
                            : KnownBytes.of(SeenRegisters.of(reader).region(Region.CONFIGURATION));
            return new RecordedPath(file, function, configuration, TraceNames.of(reader));
        }
    }

    FunctionDescription function() {
        return function;
    }

    KnownBytes configuration() {
        return configuration;
    }

    TraceNames names() {
        return names;
    }

    Path file() {
        return file;
    }

    /** Tells which memory the recorded function reached. */
    void addresses(AddressNames into) throws TraceException {
        try (TraceReader all = TraceReader.open(file)) {
            for (TraceEvent event = all.next(); event != null; event = all.next()) {
                if (event instanceof TraceEvent.Dma dma) {
                    into.recorded(dma.address(), dma.data().length());
                }
            }
        }
    }

    /** Goes back to the beginning. */
    void begin() throws TraceException {
        close();
        reader = TraceReader.open(file);
        begun = null;
        ahead = null;
        next();
    }

    /** The next step, which is not taken; null at the end. */
    Step peek() {
        return ahead;
    }

    /** Takes the next step. */
    Step next() throws TraceException {
        Step taken = ahead;
        List<TraceEvent> deeds = new ArrayList<>();
        TraceEvent step = begun;
        begun = null;
        while (true) {
            TraceEvent event = reader.next();
            if (event == null) {
                break;
            }
            if (isStep(event)) {
                if (step != null) {
                    begun = event;
                    break;
                }
                step = event;
            } else if (step != null && isDeed(event)) {
                deeds.add(event);
            }
        }
        ahead = step == null ? null : new Step(step, deeds);
        return taken;
    }

    private static boolean isStep(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Access access ->
                    access.region() < Region.ROM
                            && access.status() != null
                            && access.status().isSuccess();
            case TraceEvent.Reset reset -> true;
            default -> false;
        };
    }

    private static boolean isDeed(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Dma dma -> dma.status() != null && dma.status().isSuccess();
            case TraceEvent.Interrupt interrupt -> true;
            default -> false;
        };
    }

    /** Whether the step is a reset of this kind. */
    boolean isNextReset(ResetKind kind) {
        return ahead != null
                && ahead.event() instanceof TraceEvent.Reset reset
                && reset.kind() == kind;
    }

    @Override
    public void close() {
        if (reader != null) {
            reader.close();
            reader = null;
        }
    }
}
