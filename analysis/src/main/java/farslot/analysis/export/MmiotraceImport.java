package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.recorder.TraceAssembler;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOrigin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a trace of the text of mmiotrace: of those that Linux and others have recorded, and again
 * of those that {@link MmiotraceExport} has written, with all that they keep in marks.
 */
public final class MmiotraceImport {
    private MmiotraceImport() {}

    /**
     * What was made.
     *
     * @param function whose trace it is
     * @param remarks what its reader should know, in sentences: what was left out
     */
    public record Imported(FunctionDescription function, long events, List<String> remarks) {}

    /**
     * Reads a text and makes a trace of it. The text is read twice, and nothing is made unless all
     * of it can be read.
     *
     * @param device bus, device and function number ("01:00.0") of the function whose accesses are
     *     wanted; null for the only one that was accessed
     * @param trace the file to make, which must not exist
     * @throws AnalysisException where the text is malformed (the sentence has the line's number),
     *     or {@code device} has to be chosen
     * @throws IOException where the text cannot be read
     * @throws TraceException where the trace cannot be made
     */
    public static Imported run(Path text, String device, Path trace)
            throws IOException, AnalysisException {
        MmiotraceSurvey survey = new MmiotraceSurvey(text);
        long cutValues = MmiotraceReader.read(text, survey);
        MmiotraceSurvey.Choice choice = survey.choose(device);
        TraceAssembler assembler =
                TraceAssembler.create(
                        trace, choice.subject(), TraceOrigin.UNKNOWN, survey.own().began());
        boolean whole = false;
        Events events = new Events(assembler, choice, survey.own().isKnown());
        try {
            try (assembler) {
                events.begin();
                MmiotraceReader.read(text, events);
                assembler.lost(events.lost);
            }
            whole = true;
        } finally {
            if (!whole) {
                Files.deleteIfExists(trace);
            }
        }
        List<String> remarks = new ArrayList<>();
        if (events.leftOut > 0) {
            remarks.add(
                    "Accesses to addresses of no region of this function were left out: "
                            + events.leftOut
                            + ".");
        }
        if (cutValues > 0) {
            remarks.add(
                    "Values had more bits than their accesses, and the rest was left out: "
                            + cutValues
                            + ".");
        }
        return new Imported(choice.subject().description(), events.count, remarks);
    }

    /** The second reading: what the lines say, as events. */
    private static final class Events implements MmiotraceReader.Handler {
        private static final long ALL_BYTES = -1;

        private final TraceAssembler assembler;
        private final MmiotraceSurvey.Choice choice;

        /** Whether the text is an export of ours. */
        private final boolean ours;

        private final MmiotraceSubject own = new MmiotraceSubject();

        /** Which region a mapping is of, where the text says so, and where it is. */
        private final Map<Long, Integer> regionOfMap = new HashMap<>();

        private final Map<Long, MmiotracePlace> placeOfMap = new HashMap<>();
        private int generation = 1;
        private long count;
        private long leftOut;
        private long lost;

        Events(TraceAssembler assembler, MmiotraceSurvey.Choice choice, boolean ours) {
            this.assembler = assembler;
            this.choice = choice;
            this.ours = ours;
        }

        /** Where the regions are is nowhere else in the trace of somebody else's function. */
        void begin() throws TraceException {
            for (MmiotracePlace place : choice.places()) {
                if (!ours && place.address() != 0) {
                    mark(0, BarAddresses.mark(place.region(), place.address()));
                }
            }
        }

        private void add(TraceEvent event) throws TraceException {
            assembler.add(event);
            count++;
        }

        private TraceEvent.Stamp stamp(long nanos, long programCounter) {
            return new TraceEvent.Stamp(
                    0,
                    nanos,
                    0,
                    generation,
                    false,
                    TraceEvent.Verification.SEALED,
                    0,
                    programCounter);
        }

        @Override
        public void device(MmiotraceDevice device) {}

        @Override
        public void map(long nanos, long id, long physical, long length) {
            Integer region = regionOfMap.get(id);
            if (region != null) {
                choice.subject()
                        .description()
                        .region(region)
                        .ifPresent(r -> placeOfMap.put(id, new MmiotracePlace(r, physical)));
            }
        }

        @Override
        public void access(
                long nanos,
                boolean write,
                int width,
                long mapId,
                long physical,
                long value,
                long programCounter)
                throws TraceException {
            MmiotracePlace place = place(mapId, physical, width);
            if (place == null) {
                leftOut++;
                return;
            }
            byte[] bytes = new byte[width];
            for (int i = 0; i < width; i++) {
                bytes[i] = (byte) (value >>> (8 * i));
            }
            add(
                    new TraceEvent.Access(
                            stamp(nanos, programCounter),
                            write,
                            place.region().index(),
                            physical - place.address(),
                            width,
                            ALL_BYTES,
                            CompletionStatus.SUCCESS,
                            new TraceEvent.Data(width, bytes, null)));
        }

        private MmiotracePlace place(long mapId, long physical, int width) {
            MmiotracePlace mapped = placeOfMap.get(mapId);
            if (mapped != null && mapped.holds(physical, width)) {
                return mapped;
            }
            for (MmiotracePlace place : choice.places()) {
                if (place.address() != 0 && place.holds(physical, width)) {
                    return place;
                }
            }
            return null;
        }

        @Override
        public void mark(long nanos, String text) throws TraceException {
            add(new TraceEvent.Mark(stamp(nanos, 0), text));
        }

        @Override
        public void own(long nanos, MmiotraceWords words) throws IOException, AnalysisException {
            if (words.kind().equals(MmiotraceMark.MAPPING)) {
                regionOfMap.put(words.number("id"), words.region());
            } else if (words.kind().equals(MmiotraceMark.GENERATION)) {
                generation = words.number("number", Integer.MIN_VALUE, Integer.MAX_VALUE);
            } else if (!own.take(words)) {
                TraceEvent event = MmiotraceEvents.of(words, nanos, generation);
                if (event != null) {
                    add(event);
                } else {
                    for (String text : words.texts()) {
                        mark(nanos, text);
                    }
                }
            }
        }

        @Override
        public void lost(long nanos, long events) throws TraceException {
            if (ours) {
                lost = events; // in all: each loss has a mark of its own
            } else {
                lost = Math.min(lost + events, MmiotraceMark.MOST_LOST);
                add(new TraceEvent.Lost(stamp(nanos, 0), events));
            }
        }
    }
}
