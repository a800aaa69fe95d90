package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.recorder.TraceSubject;
import farslot.recorder.TraceText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a first reading of a mmiotrace finds: which functions there are and which were used, and
 * that every line can be read.
 */
final class MmiotraceSurvey implements MmiotraceReader.Handler {
    private static final int MOST_LISTED = 16;
    private static final long PAGE = 0x1000;

    private final Path file;
    private final List<MmiotraceDevice> devices = new ArrayList<>();

    /** How often each was accessed, and mapped. */
    private final List<long[]> used = new ArrayList<>();

    private final MmiotraceSubject own = new MmiotraceSubject();

    /** All places by their addresses, and whose they are. */
    private final TreeMap<Long, Map.Entry<MmiotracePlace, Integer>> places = new TreeMap<>();

    /** Pages that no device has, from the first to behind the last. */
    private final TreeMap<Long, Long> elsewhere = new TreeMap<>();

    private int generation;

    MmiotraceSurvey(Path file) {
        this.file = file;
    }

    /** What an export of ours said of its function. */
    MmiotraceSubject own() {
        return own;
    }

    @Override
    public void device(MmiotraceDevice device) {
        for (MmiotracePlace place : device.places()) {
            if (place.address() != 0 && place.region().space() == Region.Space.MEMORY) {
                places.putIfAbsent(place.address(), Map.entry(place, devices.size()));
            }
        }
        devices.add(device);
        used.add(new long[2]);
    }

    @Override
    public void map(long nanos, long id, long physical, long length) {
        if (length > 0) {
            use(physical, length, 1);
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
            long programCounter) {
        use(physical, width, 0);
    }

    private void use(long physical, long length, int how) {
        var below = places.floorEntry(physical);
        if (below != null) {
            MmiotracePlace place = below.getValue().getKey();
            if (physical - place.address() < place.region().sizeBytes()) {
                used.get(below.getValue().getValue())[how]++;
                return;
            }
        }
        long from = physical & -PAGE;
        long end = (physical + length + PAGE - 1) & -PAGE;
        var before = elsewhere.floorEntry(from);
        if (before != null && before.getValue() >= from) {
            from = before.getKey();
            end = Math.max(end, before.getValue());
        }
        for (var next = elsewhere.ceilingEntry(from);
                next != null && next.getKey() <= end;
                next = elsewhere.ceilingEntry(from)) {
            end = Math.max(end, next.getValue());
            elsewhere.remove(next.getKey());
        }
        elsewhere.put(from, end);
    }

    @Override
    public void mark(long nanos, String text) {}

    @Override
    public void own(long nanos, MmiotraceWords words) throws AnalysisException {
        if (words.kind().equals(MmiotraceMark.MAPPING)) {
            words.region();
            words.number("id");
        } else if (words.kind().equals(MmiotraceMark.GENERATION)) {
            generation = words.number("number", Integer.MIN_VALUE, Integer.MAX_VALUE);
        } else if (!own.take(words)) {
            MmiotraceEvents.of(words, nanos, generation);
        }
    }

    @Override
    public void lost(long nanos, long count) {}

    /** What a trace of one function is about, and where its regions are. */
    record Choice(TraceSubject subject, List<MmiotracePlace> places) {}

    /**
     * Chooses a function.
     *
     * @param wanted bus, device and function number ("01:00.0"), or null for the only one in use
     * @throws AnalysisException where there is none, or there are several
     */
    Choice choose(String wanted) throws AnalysisException {
        MmiotraceDevice device = wanted == null ? onlyOne() : named(wanted);
        if (own.isKnown() && (device == null || device.equals(devices.getFirst()))) {
            return new Choice(own.subject(), device == null ? List.of() : device.places());
        }
        if (device != null) {
            String driver = device.driver().isEmpty() ? "unknown" : device.driver();
            return choice(driver, device.vendor(), device.device(), device.places());
        }
        return choice("unknown", 0, 0, guessed());
    }

    private static Choice choice(String kind, int vendor, int device, List<MmiotracePlace> places) {
        List<Region> regions =
                new ArrayList<>(places.stream().map(MmiotracePlace::region).toList());
        regions.add(
                new Region(
                        Region.CONFIGURATION,
                        Region.Space.CONFIGURATION,
                        Region.CONFIGURATION_SIZE_BYTES,
                        Set.of(),
                        4));
        // An ASCII name, so that it can be cut anywhere.
        String name =
                new String(kind.getBytes(StandardCharsets.US_ASCII), StandardCharsets.US_ASCII);
        FunctionDescription description =
                new FunctionDescription(
                        name.substring(0, Math.min(64, name.length())),
                        new Identity(vendor, device, 0, 0, 0, 0),
                        regions,
                        List.of(),
                        0,
                        0,
                        0,
                        Set.of(),
                        Set.of());
        return new Choice(TraceSubject.of(description), places);
    }

    /** The only device that was accessed; else the only one that was mapped; null for neither. */
    private MmiotraceDevice onlyOne() throws AnalysisException {
        for (int how = 0; how < 2; how++) {
            int which = how;
            int[] found =
                    IntStream.range(0, devices.size())
                            .filter(i -> used.get(i)[which] > 0)
                            .toArray();
            if (found.length > 1) {
                throw new AnalysisException(
                        file
                                + " has accesses of several functions: "
                                + listed(found)
                                + "; choose one with --device.");
            }
            if (found.length == 1) {
                return devices.get(found[0]);
            }
        }
        return own.isKnown() && !devices.isEmpty() ? devices.getFirst() : null;
    }

    private String listed(int[] indexes) {
        String all =
                IntStream.of(indexes)
                        .limit(MOST_LISTED)
                        .mapToObj(i ->
                                devices.get(i)
                                        + (used.get(i)[0] > 0
                                                ? " (accesses: " + used.get(i)[0] + ")"
                                                : ""))
                        .collect(Collectors.joining(", "));
        return indexes.length > MOST_LISTED
                ? all + " and " + (indexes.length - MOST_LISTED) + " more"
                : all;
    }

    private MmiotraceDevice named(String wanted) throws AnalysisException {
        // "0000:1:0.0" is "01:00.0".
        String[] parts = wanted.toLowerCase(Locale.ROOT).split("[:.]", -1);
        for (MmiotraceDevice device : devices) {
            String[] its = device.bus().split("[:.]", -1);
            boolean same = parts.length >= 3 && (parts.length == 3 || parts[0].matches("0+"));
            for (int i = 1; same && i <= 3; i++) {
                String part = parts[parts.length - i].replaceFirst("^0+(?=.)", "");
                same = part.equals(its[its.length - i].replaceFirst("^0+(?=.)", ""));
            }
            if (same) {
                return device;
            }
        }
        throw new AnalysisException(
                file
                        + " has no function "
                        + TraceText.clean(wanted)
                        + (devices.isEmpty()
                                ? ", nor any PCIDEV line that would name one."
                                : "; there are: "
                                        + listed(IntStream.range(0, devices.size()).toArray())
                                        + "."));
    }

    /** Regions of what was mapped and accessed, where no PCIDEV line says more. */
    private List<MmiotracePlace> guessed() throws AnalysisException {
        if (elsewhere.isEmpty()) {
            throw new AnalysisException(
                    file
                            + " has no accesses and no mappings: there is nothing to make a trace of.");
        }
        if (elsewhere.size() > Region.ROM) {
            throw new AnalysisException(
                    file
                            + " has no PCIDEV line for what it accesses, at "
                            + elsewhere.size()
                            + " separate places; a function has at most 6. Keep the lines of one"
                            + " function only, or add its PCIDEV line.");
        }
        List<MmiotracePlace> guessed = new ArrayList<>();
        for (var range : elsewhere.entrySet()) {
            long size = range.getValue() - range.getKey();
            Region region = MmiotracePlace.memory(guessed.size(), size, Set.of());
            guessed.add(new MmiotracePlace(region, range.getKey()));
        }
        return guessed;
    }
}
