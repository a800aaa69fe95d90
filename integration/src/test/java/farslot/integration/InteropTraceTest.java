package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.ForwardingFunction;
import farslot.core.PciFunction;
import farslot.core.ResetKind;
import farslot.devices.edu.EduKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A reader written in Python from docs/trace-format.md alone reads what ours reads. */
@Timeout(300)
class InteropTraceTest {
    @TempDir Path folder;

    private Path file;

    @BeforeEach
    void needPython() throws Exception {
        Interop.assumePython(folder);
        file = folder.resolve("t.fst");
    }

    private Interop.Ended read(Path trace) throws Exception {
        String program = Interop.FOLDER.resolve("read_trace.py").toString();
        return Interop.run(folder, "python3", "-B", program, trace.toString());
    }

    /** As ours reads it, without the names of registers. */
    private static List<String> ours(Path trace) throws Exception {
        try (TraceReader reader = TraceReader.open(trace)) {
            TraceText text = new TraceText(TraceNames.none());
            List<String> lines = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                lines.add(text.json(event).replaceAll("\"register\":\"[^\"]*\",", ""));
            }
            return lines;
        }
    }

    /** A device that takes writes of any length, and a recorder before it. */
    private RecorderTap recorded() throws Exception {
        EduKind kind = new EduKind();
        DeviceFunction edu =
                DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())));
        PciFunction patient =
                new ForwardingFunction(edu) {
                    @Override
                    public CompletionStatus write(
                            int region, long offset, MemorySegment from, int width, long enables) {
                        return from.byteSize() > 8
                                ? CompletionStatus.SUCCESS
                                : super.write(region, offset, from, width, enables);
                    }
                };
        return RecorderTap.recording(
                patient, file, TraceOptions.DEFAULT.withPatienceMillis(60_000));
    }

    /** Accesses of all lengths, over several blocks. */
    private static void use(RecorderTap tap) {
        Random random = new Random(11);
        for (int i = 0; i < 1500; i++) {
            int length = i % 3 == 0 ? random.nextInt(1, 500) : 4;
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            MemorySegment data = MemorySegment.ofArray(bytes);
            tap.write(0, random.nextInt(0x100), data, 4, random.nextLong() | 1);
            tap.read(7, 4L * random.nextInt(64), MemorySegment.ofArray(new byte[4]), 4);
        }
        tap.trace().leaseBegun("e0-slot", "alice@site", 42);
        tap.reset(ResetKind.FLR);
        tap.trace().mark("That is \"it\".");
    }

    @Test
    void shouldReadAWholeTraceAsOursDoes() throws Exception {
        try (RecorderTap tap = recorded()) {
            use(tap);
        }
        Interop.Ended ended = read(file);
        assertEquals("", ended.err());
        assertEquals(0, ended.code());
        assertEquals(ours(file), ended.out().lines().toList());
    }

    @Test
    void shouldReadUnsealedBlocksAsOursDoesWhenTheWriterHasNotEnded() throws Exception {
        try (RecorderTap tap = recorded()) {
            use(tap);
            Path killed = Files.copy(file, folder.resolve("killed.fst"));
            List<String> ours = ours(killed);
            assertTrue(ours.getLast().contains("\"unverified\":true"), ours.getLast());
            Interop.Ended ended = read(killed);
            assertEquals(1, ended.code());
            assertEquals(ours, ended.out().lines().toList());
        }
    }

    @Test
    void shouldMarkADamagedBlockAsOursDoes() throws Exception {
        try (RecorderTap tap = recorded()) {
            use(tap);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {0x55}), Files.size(file) / 2 | 0x3d);
        }
        Interop.Ended ended = read(file);
        assertEquals(1, ended.code());
        assertTrue(ended.err().startsWith("Block "), ended.err());
        assertTrue(ended.out().contains("\"damaged\":true"), ended.err());
        assertEquals(ours(file), ended.out().lines().toList());
    }

    @Test
    void shouldRefuseWhatIsNoTrace() throws Exception {
        Files.writeString(file, "no trace at all".repeat(20));
        Interop.Ended ended = read(file);
        assertEquals(2, ended.code());
        assertTrue(ended.err().contains("It does not begin as a trace does."), ended.err());
    }
}
