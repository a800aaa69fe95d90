package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.core.Ability;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.TraceSubject;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What an export of ours said of its function in marks, while it is read back. */
final class MmiotraceSubject {
    private static final int MAX_REGIONS_AND_CAPABILITIES = 128;

    private MmiotraceWords function;
    private final List<Region> regions = new ArrayList<>();
    private final List<CapabilityPlace> capabilities = new ArrayList<>();
    private byte[] configuration;
    private Instant began = Instant.EPOCH;

    /** Takes a mark; gives whether it was one of these. */
    boolean take(MmiotraceWords words) throws AnalysisException {
        switch (words.kind()) {
            case "function" -> function = words;
            case "region" -> region(words);
            case "capability" -> capability(words, false);
            case "extended-capability" -> capability(words, true);
            case "configuration" -> configuration(words);
            case "began" -> began(words);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void region(MmiotraceWords words) throws AnalysisException {
        try {
            Region region =
                    new Region(
                            words.region(),
                            words.one("space", Region.Space.class),
                            words.number("size"),
                            set("attributes", words, Region.Attribute.class),
                            words.number("longest", 1, Region.MAX_ACCESS_BYTES));
            if (regions.stream().anyMatch(known -> known.index() >= region.index())) {
                throw words.wrong("region", "not behind those that came before");
            }
            regions.add(region);
        } catch (IllegalArgumentException e) {
            throw words.wrong("region", "not possible: " + e.getMessage());
        }
    }

    private void capability(MmiotraceWords words, boolean extended) throws AnalysisException {
        if (capabilities.size() == MAX_REGIONS_AND_CAPABILITIES) {
            throw words.wrong("id", "one too many");
        }
        capabilities.add(
                new CapabilityPlace(
                        words.number("id", 0, 0xFFFF),
                        extended,
                        words.number("offset", 0, Region.CONFIGURATION_SIZE_BYTES - 1),
                        words.number("length", 0, Region.CONFIGURATION_SIZE_BYTES)));
    }

    private void configuration(MmiotraceWords words) throws AnalysisException {
        configuration = words.data();
        if (configuration.length != Region.CONFIGURATION_SIZE_BYTES) {
            throw words.wrong("data", "not 4096 bytes in all");
        }
    }

    private void began(MmiotraceWords words) throws AnalysisException {
        try {
            began = Instant.parse(words.word("at"));
            if (began.isBefore(Instant.EPOCH) || began.getEpochSecond() > 1L << 33) {
                throw words.wrong("at", "not within 1970 to 2242");
            }
        } catch (DateTimeException e) {
            throw words.wrong("at", "no time of day");
        }
    }

    private static <E extends Enum<E>> Set<E> set(String name, MmiotraceWords words, Class<E> type)
            throws AnalysisException {
        Set<E> set = EnumSet.noneOf(type);
        for (String word : words.word(name).split(",", -1)) {
            if (!word.isEmpty()) {
                set.add(words.one(name, word, type));
            }
        }
        return set;
    }

    /** Whether the function has been described. */
    boolean isKnown() {
        return function != null;
    }

    /** The time of day at which the text's time is 0; 1970 where it is not known. */
    Instant began() {
        return began;
    }

    /** The function, where {@link #isKnown}. */
    TraceSubject subject() throws AnalysisException {
        String kind;
        try {
            kind = URLDecoder.decode(function.word("kind"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw function.wrong("kind", "not readable");
        }
        if (kind.getBytes(StandardCharsets.UTF_8).length > 64) {
            throw function.wrong("kind", "longer than 64 bytes");
        }
        Identity identity =
                new Identity(
                        function.number("vendor", 0, 0xFFFF),
                        function.number("device", 0, 0xFFFF),
                        function.number("subsystem-vendor", 0, 0xFFFF),
                        function.number("subsystem", 0, 0xFFFF),
                        function.number("class", 0, 0xFF_FFFF),
                        function.number("revision", 0, 0xFF));
        FunctionDescription description =
                new FunctionDescription(
                        kind,
                        identity,
                        regions,
                        capabilities,
                        function.number("intx", 0, 4),
                        function.number("msi", 0, 32),
                        function.number("msix", 0, 2048),
                        set("resets", function, ResetKind.class),
                        set("abilities", function, Ability.class));
        return new TraceSubject(description, configuration, null);
    }
}
