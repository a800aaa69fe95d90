package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.TraceAssembler;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceSubject;
import farslot.recorder.TraceText;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/** Whatever a trace holds: as mmiotrace and back it is the same, but for what mmiotrace lacks. */
class MmiotraceRoundTripTest {
    private Path folder;

    @BeforeProperty
    void makeFolder() throws Exception {
        folder = Files.createTempDirectory("mmiotrace");
    }

    @AfterProperty
    void removeFolder() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    @Property(tries = 150)
    void exportAfterImportIsWhatWasExported(
            @ForAll("events") List<TraceEvent> events, @ForAll boolean configured)
            throws Exception {
        Path first = assemble(events, configured);
        Path text = export(first, "first.mmiotrace");
        Path second = folder.resolve("second.fst");
        Files.deleteIfExists(second);
        MmiotraceImport.Imported imported = MmiotraceImport.run(text, null, second);
        assertEquals(List.of(), imported.remarks());
        assertEquals(Files.readString(text), Files.readString(export(second, "second.mmiotrace")));
        assertEquals(Widget.DESCRIPTION, imported.function());
        assertEquals(kept(first), kept(second));
        for (String line : Files.readAllLines(text)) {
            assertTrue(line.length() < 1024, line);
        }
    }

    private Path assemble(List<TraceEvent> events, boolean configured) throws Exception {
        Path file = folder.resolve("first.fst");
        Files.deleteIfExists(file);
        byte[] configuration = new byte[Region.CONFIGURATION_SIZE_BYTES];
        configuration[0x13] = (byte) 0xFE;
        TraceSubject subject =
                new TraceSubject(Widget.DESCRIPTION, configured ? configuration : null, null);
        try (TraceAssembler assembler =
                TraceAssembler.create(
                        file, subject, TraceOrigin.UNKNOWN, Instant.ofEpochSecond(1_800_000_000))) {
            for (TraceEvent event : events) {
                assembler.add(event);
            }
            assembler.lost(events.size() % 2);
        }
        return file;
    }

    private Path export(Path trace, String name) throws Exception {
        Path text = folder.resolve(name);
        try (TraceReader reader = TraceReader.open(trace);
                OutputStream out = Files.newOutputStream(text)) {
            new MmiotraceExport()
                    .write(ExportedTrace.whole(reader, Widget.names(reader), null), out);
        }
        return text;
    }

    /** What the trip keeps: all but the rest of a microsecond, and how R and W were made. */
    private static List<String> kept(Path trace) throws Exception {
        List<String> lines = new ArrayList<>();
        try (TraceReader reader = TraceReader.open(trace)) {
            TraceText text = new TraceText(TraceNames.of(reader.description()));
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                String json =
                        text.json(event)
                                .replaceFirst("\"number\":\\d+,\"nanos\":\\d+", "")
                                .replaceFirst("\"durationNanos\":\\d+", "")
                                .replaceFirst("\"widthBytes\":\\d+", "")
                                .replaceFirst("\"byteEnables\":\"0x\\w+\",", "");
                lines.add(event.stamp().nanos() / 1000 + " " + json);
            }
        }
        return lines;
    }

    @Provide
    Arbitrary<List<TraceEvent>> events() {
        return Arbitraries.oneOf(
                        accesses(),
                        accesses(),
                        configurationWrites(),
                        dma(),
                        interrupts(),
                        maps(),
                        told(),
                        texts(),
                        others())
                .list()
                .ofMaxSize(30);
    }

    private static Arbitrary<TraceEvent.Stamp> stamps() {
        return Combinators.combine(
                        Arbitraries.longs().between(0, 1L << 52),
                        Arbitraries.longs().between(0, 0xFFFF_FFFFL),
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.frequency(Tuple.of(9, false), Tuple.of(1, true)),
                        Arbitraries.of(0L, 0L, 0xFFFF_FFFF_8123_4567L))
                .as((nanos, took, generation, underWay, counter) ->
                        new TraceEvent.Stamp(
                                0,
                                nanos,
                                underWay ? 0 : took,
                                generation,
                                underWay,
                                TraceEvent.Verification.SEALED,
                                0,
                                counter));
    }

    private static Arbitrary<byte[]> bytes() {
        return Arbitraries.oneOf(
                        Arbitraries.of(1, 2, 4, 8),
                        Arbitraries.integers().between(0, 40),
                        Arbitraries.integers().between(200, 2000))
                .flatMap(size -> Arbitraries.bytes().array(byte[].class).ofSize(size));
    }

    private static Arbitrary<CompletionStatus> statuses() {
        return Arbitraries.frequency(
                Tuple.of(8, CompletionStatus.SUCCESS),
                Tuple.of(1, CompletionStatus.TIMED_OUT),
                Tuple.of(1, CompletionStatus.UNSUPPORTED_REQUEST));
    }

    private static Arbitrary<TraceEvent> accesses() {
        return Combinators.combine(
                        stamps(),
                        Arbitraries.of(true, false),
                        Arbitraries.of(0, 0, 0, 2, 7),
                        Arbitraries.longs().between(0, 0x1200),
                        Arbitraries.of(0, 1, 4),
                        Arbitraries.of(-1L, -1L, 0xFL, 0L),
                        statuses(),
                        bytes())
                .as(MmiotraceRoundTripTest::access);
    }

    private static TraceEvent access(
            TraceEvent.Stamp stamp,
            boolean write,
            int region,
            long offset,
            int width,
            long enables,
            CompletionStatus status,
            byte[] bytes) {
        boolean moved = write || (status.isSuccess() && !stamp.underWay());
        byte[] kept = moved ? bytes : new byte[0];
        return new TraceEvent.Access(
                stamp,
                write,
                region,
                offset,
                bytes.length <= 8 && width == 4 ? bytes.length : width,
                write ? enables : -1,
                stamp.underWay() ? null : status,
                new TraceEvent.Data(bytes.length, kept, null));
    }

    /** The driver moves regions, asks for sizes, or does something else there. */
    private static Arbitrary<TraceEvent> configurationWrites() {
        return Combinators.combine(
                        stamps(),
                        Arbitraries.of(0x10L, 0x14L, 0x18L, 0x30L),
                        Arbitraries.of(0xFFFF_FFFFL, 0xFEBF_0000L, 0xFD00_1000L, 0L, 0x38L))
                .as((stamp, offset, value) -> {
                    byte[] bytes = new byte[4];
                    for (int i = 0; i < 4; i++) {
                        bytes[i] = (byte) (value >>> (8 * i));
                    }
                    return access(stamp, true, 7, offset, 4, -1, CompletionStatus.SUCCESS, bytes);
                });
    }

    private static Arbitrary<TraceEvent> dma() {
        return Combinators.combine(
                        stamps(),
                        Arbitraries.of(true, false),
                        Arbitraries.longs(),
                        statuses(),
                        bytes(),
                        Arbitraries.longs().injectNull(0.5))
                .as((stamp, write, address, status, bytes, digest) -> {
                    boolean moved = write || (status.isSuccess() && !stamp.underWay());
                    byte[] kept = moved ? bytes : new byte[0];
                    return new TraceEvent.Dma(
                            stamp,
                            write,
                            address,
                            stamp.underWay() ? null : status,
                            new TraceEvent.Data(bytes.length + 7L, kept, digest));
                });
    }

    private static Arbitrary<TraceEvent> interrupts() {
        return Combinators.combine(
                        stamps(),
                        Arbitraries.of(InterruptKind.class),
                        Arbitraries.of(InterruptAction.class),
                        Arbitraries.longs(),
                        Arbitraries.of(true, false))
                .as((stamp, kind, action, vector, control) ->
                        control
                                ? new TraceEvent.InterruptControl(
                                        stamp, kind, action, vector, ~vector)
                                : new TraceEvent.Interrupt(stamp, kind, vector));
    }

    private static Arbitrary<TraceEvent> maps() {
        return Combinators.combine(
                        stamps(),
                        Arbitraries.longs(),
                        Arbitraries.longs(),
                        Arbitraries.of(Direction.class),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, 2))
                .as((stamp, address, length, direction, flag, which) ->
                        switch (which) {
                            case 0 ->
                                    new TraceEvent.Mapped(
                                            stamp, address, length, direction, flag, !flag);
                            case 1 ->
                                    new TraceEvent.Unmapped(
                                            stamp,
                                            address,
                                            length,
                                            stamp.underWay() ? null : CompletionStatus.SUCCESS);
                            default -> new TraceEvent.Near(stamp, address, length, direction, flag);
                        });
    }

    private static Arbitrary<String> sentences() {
        return Arbitraries.oneOf(
                Arbitraries.strings().ofMaxLength(60),
                Arbitraries.strings().ascii().ofMaxLength(60),
                Arbitraries.of(
                        "farslot read",
                        "Lost 3 events.",
                        "Lost my way",
                        " two  spaces ",
                        "x".repeat(1000),
                        "BAR0 is at 0xfe000000",
                        "R 4 1.0 1 0xfe000000 0x0 0x0 0"));
    }

    private static Arbitrary<TraceEvent> told() {
        return Combinators.combine(
                        stamps(),
                        sentences(),
                        Arbitraries.of(true, false),
                        Arbitraries.longs(),
                        Arbitraries.of(ResetKind.class),
                        Arbitraries.integers().between(0, 6))
                .as((stamp, sentence, flag, number, reset, which) ->
                        new TraceEvent.Told(
                                stamp,
                                switch (which) {
                                    case 0 -> new FunctionEvent.Error(flag, sentence);
                                    case 1 -> new FunctionEvent.PowerManagement();
                                    case 2 -> new FunctionEvent.Presence(flag);
                                    case 3 -> new FunctionEvent.DescriptionChanged();
                                    case 4 -> new FunctionEvent.GoingAway(sentence);
                                    case 5 ->
                                            new FunctionEvent.NewGeneration(
                                                    number.intValue(), reset);
                                    default ->
                                            new FunctionEvent.DmaRefused(
                                                    number, ~number, Direction.WRITE, sentence);
                                }));
    }

    private static Arbitrary<TraceEvent> texts() {
        return Combinators.combine(
                        stamps(), sentences(), sentences(), Arbitraries.integers().between(0, 2))
                .as((stamp, text, other, which) ->
                        switch (which) {
                            case 0 -> new TraceEvent.Mark(stamp, text, text.length() % 2 == 0);
                            case 1 -> new TraceEvent.Setting(stamp, text);
                            default ->
                                    new TraceEvent.Lease(
                                            stamp,
                                            text.length() % 2 == 0,
                                            9,
                                            text,
                                            other,
                                            text.length() % 2 == 0 ? "" : other);
                        });
    }

    private static Arbitrary<TraceEvent> others() {
        return Combinators.combine(
                        stamps(),
                        Arbitraries.longs(),
                        bytes(),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, 5))
                .as((stamp, number, bytes, flag, which) -> {
                    CompletionStatus status = stamp.underWay() ? null : CompletionStatus.SUCCESS;
                    return switch (which) {
                        case 0 -> new TraceEvent.Attached(stamp, flag);
                        case 1 -> new TraceEvent.Reset(stamp, ResetKind.FLR, status, number);
                        case 2 ->
                                new TraceEvent.State(
                                        stamp, TraceEvent.State.Operation.SAVE, number, status);
                        case 3 -> new TraceEvent.Lost(stamp, number);
                        case 4 -> new TraceEvent.Counted(stamp, 0, number, ~number, number, 3);
                        default ->
                                new TraceEvent.Changed(
                                        stamp,
                                        "guard",
                                        flag ? 0 : TraceEvent.Changed.MEMORY,
                                        number,
                                        bytes,
                                        bytes.clone());
                    };
                });
    }
}
