package farslot.analysis;

import farslot.core.FunctionEvent;
import farslot.recorder.TraceEvent;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Observation.When;

/** A trace's events as decoders are shown them. */
public final class TraceObservations {
    private TraceObservations() {}

    /** The event in a decoder's terms, or null where it is none of its business. */
    public static Observation of(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Access e ->
                    new Observation.Access(
                            when(e),
                            e.write(),
                            e.region(),
                            e.offset(),
                            e.data().length(),
                            e.byteEnables(),
                            e.status(),
                            e.data().kept());
            case TraceEvent.Dma e ->
                    new Observation.Dma(
                            when(e),
                            e.write(),
                            e.address(),
                            e.data().length(),
                            e.status(),
                            e.data().kept());
            case TraceEvent.Interrupt e -> new Observation.Interrupt(when(e), e.kind(), e.vector());
            case TraceEvent.Reset e -> new Observation.Reset(when(e), e.kind());
            case TraceEvent.Told e ->
                    e.event() instanceof FunctionEvent.NewGeneration own
                            ? new Observation.Reset(when(e), own.kind())
                            : null;
            default -> null;
        };
    }

    private static When when(TraceEvent event) {
        TraceEvent.Stamp stamp = event.stamp();
        return new When(stamp.number(), stamp.nanos(), stamp.durationNanos());
    }
}
