package farslot.analysis.export;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.core.FunctionEvent;
import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceText;
import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What mmiotrace has no line for, as texts of MARK lines: "farslot", what it is, and {@code
 * name=value} words (docs/exports.md, "mmiotrace"). No text is longer than 1,000 characters, since
 * envytools' demmio reads lines into 1,024 bytes; data that needs more goes on in texts "farslot
 * more".
 */
final class MmiotraceMark {
    static final String PREFIX = "farslot ";

    /** In place of a region: the driver's memory. */
    static final String MEMORY = "MEM";

    /** The name of what says which region the next MAP line is about. */
    static final String MAPPING = "mapping";

    /** The name of what says the generation of what follows. */
    static final String GENERATION = "generation";

    /** The name of what goes on with the data of the mark before it. */
    static final String MORE = "more";

    /** What the kernel writes where events were lost (kernel/trace/trace_mmiotrace.c). */
    static final String LOST = "Lost %d events.";

    /** As many as a number of 18 digits can say; nobody counts further. */
    static final long MOST_LOST = 999_999_999_999_999_999L;

    private static final int FIRST_DATA_BYTES = 256;
    private static final int MORE_DATA_BYTES = 448;
    private static final int LONGEST_PLAIN_TEXT = 800;

    private final List<String> texts = new ArrayList<>();
    private final StringBuilder text = new StringBuilder(1024);

    private MmiotraceMark(String kind) {
        text.append(PREFIX).append(kind);
    }

    /** The function as it described itself. */
    static List<String> description(FunctionDescription function) {
        Identity id = function.identity();
        List<String> texts = new ArrayList<>();
        texts.addAll(
                new MmiotraceMark("function")
                        .word("kind", URLEncoder.encode(function.kind(), StandardCharsets.UTF_8))
                        .hex("vendor", id.vendor())
                        .hex("device", id.device())
                        .hex("subsystem-vendor", id.subsystemVendor())
                        .hex("subsystem", id.subsystem())
                        .hex("class", id.classCode())
                        .hex("revision", id.revision())
                        .number("intx", function.intxPin())
                        .number("msi", function.msiVectors())
                        .number("msix", function.msixVectors())
                        .list("resets", function.resetKinds())
                        .list("abilities", function.abilities())
                        .end());
        for (Region region : function.regions()) {
            texts.addAll(
                    new MmiotraceMark("region")
                            .word("region", label(region.index()))
                            .word("space", region.space().name())
                            .hex("size", region.sizeBytes())
                            .number("longest", region.maxAccessBytes())
                            .list("attributes", region.attributes())
                            .end());
        }
        for (CapabilityPlace place : function.capabilities()) {
            texts.addAll(
                    new MmiotraceMark(place.extended() ? "extended-capability" : "capability")
                            .hex("id", place.id())
                            .hex("offset", place.offset())
                            .number("length", place.lengthBytes())
                            .end());
        }
        return texts;
    }

    /** Its configuration space when the recording began. */
    static List<String> configuration(byte[] configuration) {
        return new MmiotraceMark("configuration").bytes(configuration).end();
    }

    /** The time of day at which the trace's clock stood at 0. */
    static List<String> began(Instant instant) {
        return new MmiotraceMark("began").word("at", instant.toString()).end();
    }

    /** The generation of what follows. */
    static List<String> generation(int generation) {
        return new MmiotraceMark(GENERATION).number("number", generation).end();
    }

    /** Which region the MAP line with this id is about. */
    static List<String> map(int mapId, int region) {
        return new MmiotraceMark(MAPPING).number("id", mapId).word("region", label(region)).end();
    }

    /** Any event; a mark of one line stays as its user wrote it. */
    static List<String> event(TraceEvent event) {
        if (event instanceof TraceEvent.Mark mark
                && !mark.byGuest()
                && isPlain(mark.text())
                && !event.stamp().underWay()
                && event.stamp().programCounter() == 0
                && !mark.text().startsWith(PREFIX)
                && !mark.text().startsWith("Lost ")) {
            return List.of(mark.text());
        }
        MmiotraceMark line = new MmiotraceMark(kind(event));
        return switch (event) {
            case TraceEvent.Access e -> {
                line.word("region", label(e.region())).hex("offset", e.offset());
                line.number("width", e.widthBytes());
                if (e.write()) {
                    line.hex("enables", e.byteEnables());
                }
                yield line.ending(e.stamp(), e.status()).data(e.data()).end();
            }
            case TraceEvent.Dma e ->
                    line.hex("address", e.address())
                            .ending(e.stamp(), e.status())
                            .data(e.data())
                            .end();
            case TraceEvent.Interrupt e ->
                    line.word("kind", e.kind().name())
                            .number("vector", e.vector())
                            .ending(e.stamp(), null)
                            .end();
            case TraceEvent.InterruptControl e ->
                    line.word("kind", e.kind().name())
                            .word("action", e.action().name())
                            .number("first", e.first())
                            .number("count", e.count())
                            .ending(e.stamp(), null)
                            .end();
            case TraceEvent.Reset e ->
                    line.word("kind", e.kind().name())
                            .number("begins", e.newGeneration())
                            .ending(e.stamp(), e.status())
                            .end();
            case TraceEvent.Mapped e ->
                    line.hex("address", e.address())
                            .hex("length", e.length())
                            .word("direction", e.direction().name())
                            .number("near", e.near() ? 1 : 0)
                            .number("while-waiting", e.servedWhileWaiting() ? 1 : 0)
                            .ending(e.stamp(), null)
                            .end();
            case TraceEvent.Unmapped e ->
                    line.hex("address", e.address())
                            .hex("length", e.length())
                            .ending(e.stamp(), e.status())
                            .end();
            case TraceEvent.Told e -> line.told(e.stamp(), e.event());
            case TraceEvent.Mark e -> {
                if (e.byGuest()) {
                    line.number("guest", 1);
                }
                yield line.ending(e.stamp(), null).sentence(e.text()).end();
            }
            case TraceEvent.Attached e ->
                    line.number("host", e.attached() ? 1 : 0).ending(e.stamp(), null).end();
            case TraceEvent.State e ->
                    line.word("operation", e.operation().name())
                            .number("bytes", e.bytes())
                            .ending(e.stamp(), e.status())
                            .end();
            case TraceEvent.Near e ->
                    line.hex("address", e.address())
                            .hex("length", e.length())
                            .word("direction", e.direction().name())
                            .number("given", e.given() ? 1 : 0)
                            .ending(e.stamp(), null)
                            .end();
            case TraceEvent.Lost e -> line.number("count", e.count()).ending(e.stamp(), null).end();
            case TraceEvent.Lease e ->
                    line.number("begun", e.begun() ? 1 : 0)
                            .number("epoch", e.epoch())
                            .ending(e.stamp(), null)
                            .bytes(utf8(e.slot() + "\0" + e.identity() + "\0" + e.why()))
                            .end();
            case TraceEvent.Changed e -> {
                byte[] tap = utf8(e.tap());
                line.word("region", e.region() < 0 ? MEMORY : label(e.region()));
                line.hex("offset", e.address()).number("tap", tap.length);
                line.ending(e.stamp(), null);
                yield line.bytes(concat(tap, e.before(), e.after())).end();
            }
            case TraceEvent.Counted e ->
                    line.word("region", label(e.region()))
                            .hex("first", e.firstOffset())
                            .hex("last", e.lastOffset())
                            .number("reads", e.reads())
                            .number("writes", e.writes())
                            .ending(e.stamp(), null)
                            .end();
            case TraceEvent.Setting e -> line.ending(e.stamp(), null).sentence(e.setting()).end();
        };
    }

    /** The words of {@code farslot trace show}'s second column. */
    private static String kind(TraceEvent event) {
        return TraceText.kind(event);
    }

    private List<String> told(TraceEvent.Stamp stamp, FunctionEvent event) {
        word("event", event.getClass().getSimpleName());
        String sentence = "";
        switch (event) {
            case FunctionEvent.Error e -> {
                number("fatal", e.fatal() ? 1 : 0);
                sentence = e.sentence();
            }
            case FunctionEvent.PowerManagement e -> {}
            case FunctionEvent.Presence e -> number("present", e.present() ? 1 : 0);
            case FunctionEvent.DescriptionChanged e -> {}
            case FunctionEvent.GoingAway e -> sentence = e.sentence();
            case FunctionEvent.NewGeneration e ->
                    number("begins", e.generation()).word("kind", e.kind().name());
            case FunctionEvent.DmaRefused e -> {
                hex("address", e.address()).hex("length", e.length());
                word("direction", e.direction().name());
                sentence = e.sentence();
            }
        }
        return ending(stamp, null).sentence(sentence).end();
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String label(int region) {
        return switch (region) {
            case 0, 1, 2, 3, 4, 5 -> "BAR" + region;
            case Region.ROM -> "ROM";
            case Region.CONFIGURATION -> "CFG";
            default -> "R" + region;
        };
    }

    private MmiotraceMark word(String name, String value) {
        text.append(' ').append(name).append('=').append(value);
        return this;
    }

    private MmiotraceMark number(String name, long value) {
        return word(name, Long.toString(value));
    }

    private MmiotraceMark hex(String name, long value) {
        return word(name, "0x" + Long.toHexString(value));
    }

    private MmiotraceMark list(String name, Collection<? extends Enum<?>> values) {
        return word(
                name,
                values.stream()
                        .map(Enum::name)
                        .sorted()
                        .collect(Collectors.joining(","))
                        .toLowerCase(Locale.ROOT));
    }

    /** How it ended, as far as that was not at once and well. */
    private MmiotraceMark ending(TraceEvent.Stamp stamp, CompletionStatus status) {
        if (stamp.durationNanos() != 0) {
            number("took", stamp.durationNanos());
        }
        if (status != null && !status.isSuccess()) {
            word("status", status.name());
        }
        if (stamp.underWay()) {
            number("under-way", 1);
        }
        if (stamp.programCounter() != 0) {
            hex("pc", stamp.programCounter());
        }
        return this;
    }

    private MmiotraceMark data(TraceEvent.Data data) {
        number("length", data.length());
        if (data.digest() != null) {
            hex("xxh64", data.digest());
        }
        return bytes(data.kept());
    }

    /** A sentence of one line is the rest of the text; any other is bytes of UTF-8. */
    private MmiotraceMark sentence(String sentence) {
        return isPlain(sentence) ? word("text", sentence) : bytes(utf8(sentence));
    }

    private static boolean isPlain(String sentence) {
        return !sentence.isEmpty()
                && utf8(sentence).length <= LONGEST_PLAIN_TEXT
                && sentence.codePoints().noneMatch(c -> Character.isISOControl(c));
    }

    private MmiotraceMark bytes(byte[] bytes) {
        HexFormat hex = HexFormat.of();
        int first = Math.min(bytes.length, FIRST_DATA_BYTES);
        if (first > 0) {
            word("data", hex.formatHex(bytes, 0, first));
        }
        texts.add(text.toString());
        for (int at = first; at < bytes.length; at += MORE_DATA_BYTES) {
            int end = Math.min(bytes.length, at + MORE_DATA_BYTES);
            texts.add(PREFIX + MORE + " data=" + hex.formatHex(Arrays.copyOfRange(bytes, at, end)));
        }
        text.setLength(0);
        return this;
    }

    private List<String> end() {
        if (!text.isEmpty()) {
            texts.add(text.toString());
        }
        return texts;
    }
}
