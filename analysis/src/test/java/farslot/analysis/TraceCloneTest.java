package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.devices.edu.EduKind;
import farslot.devices.nvme.NvmeKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.registers.Register;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapLoader;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.Options;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TraceCloneTest {
    @TempDir Path folder;

    private static DeviceFunction device(DeviceKind kind, Map<String, String> options)
            throws Exception {
        return DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, options)));
    }

    private static long read(PciFunction function, int region, long offset, int bytes) {
        MemorySegment into = MemorySegment.ofArray(new byte[8]);
        assertTrue(function.read(region, offset, into.asSlice(0, bytes), bytes).isSuccess());
        return into.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    }

    private static void write(PciFunction function, int region, long at, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new byte[8]);
        from.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        assertTrue(
                function.write(region, at, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES)
                        .isSuccess());
    }

    private static void enableMemory(PciFunction function) {
        write(function, Region.CONFIGURATION, 4, 2, 6);
    }

    /** What a small driver does with edu. */
    private Path traceOfEdu() throws Exception {
        Path file = folder.resolve("edu.fst");
        try (DeviceFunction edu = device(new EduKind(), Map.of());
                RecorderTap tap = RecorderTap.recording(edu, file, TraceOptions.DEFAULT)) {
            enableMemory(tap);
            for (int i = 0; i < 3; i++) {
                read(tap, 0, 0, 4);
            }
            read(tap, 0, 4, 4);
            write(tap, 0, 4, 4, 0x12345678);
            read(tap, 0, 4, 4);
            write(tap, 0, 0x80, 8, 0x1000);
            write(tap, 0, 0x84, 4, 0);
        }
        return file;
    }

    /** Reads all of configuration space too, as a curious driver does. */
    private Path traceOfNvme() throws Exception {
        Path file = folder.resolve("nvme.fst");
        Map<String, String> options =
                Map.of("image", folder.resolve("disk").toString(), "size", "1M");
        try (DeviceFunction nvme = device(new NvmeKind(), options);
                RecorderTap tap = RecorderTap.recording(nvme, file, TraceOptions.DEFAULT)) {
            for (int at = 0; at < Region.CONFIGURATION_SIZE_BYTES; at += 4) {
                read(tap, Region.CONFIGURATION, at, 4);
            }
            enableMemory(tap);
            read(tap, 0, 0, 8);
            read(tap, 0, 8, 4);
            write(tap, 0, 0x24, 4, 0x001f001f);
        }
        return file;
    }

    private TraceClone cloneOf(Path file, String name) throws Exception {
        try (TraceReader reader = TraceReader.open(file)) {
            return TraceClone.of(
                    name,
                    file.getFileName().toString(),
                    reader.description(),
                    null,
                    SeenRegisters.of(reader),
                    TraceNames.of(reader.description(), RegisterMap.EMPTY));
        }
    }

    private static RegisterMap loaded(TraceClone clone) {
        return RegisterMapLoader.strict()
                .load(
                        "clone",
                        new ByteArrayInputStream(clone.map().getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void shouldListWhatWasSeenAndNothingElse() throws Exception {
        RegisterMap map = loaded(cloneOf(traceOfEdu(), null));
        assertEquals(1, map.domains().size());
        List<Register> registers = map.domain("BAR0").registers();
        assertEquals(
                List.of("UNK_0", "UNK_4", "UNK_80"),
                registers.stream().map(Register::name).toList());
        assertEquals(0x010000ed, registers.get(0).resetValue());
        assertEquals(
                "Unknown. Read 3 times, written never, in 4 bytes; values 0x10000ed (3).",
                registers.get(0).brief());
        assertEquals(64, registers.get(2).widthBits());
        assertTrue(registers.get(2).brief().contains("in 4 and 8 bytes"));
        assertTrue(registers.get(2).brief().contains("it may be write-only"));
    }

    @Test
    void shouldKeepTheNamesThatAreKnown() throws Exception {
        try (TraceReader reader = TraceReader.open(traceOfEdu())) {
            TraceClone clone =
                    TraceClone.of(
                            "mine",
                            "edu.fst",
                            reader.description(),
                            null,
                            SeenRegisters.of(reader),
                            TraceNames.of(reader.description(), new EduKind().registerMap()));
            assertEquals("LIVENESS", loaded(clone).domain("BAR0").registers().get(1).name());
        }
    }

    @Test
    void shouldBuildAndDescribeItselfAsTheOriginalDoes() throws Exception {
        DeviceKind kind = built(cloneOf(traceOfNvme(), "again"), "again");
        Map<String, String> options =
                Map.of("image", folder.resolve("disk").toString(), "size", "1M");
        try (DeviceFunction original = device(new NvmeKind(), options);
                DeviceFunction again = device(kind, Map.of())) {
            FunctionDescription was = original.describe();
            FunctionDescription is = again.describe();
            assertEquals(was.identity(), is.identity());
            assertEquals(was.regions(), is.regions());
            assertEquals(was.intxPin(), is.intxPin());
            assertEquals(was.msiVectors(), is.msiVectors());
            assertEquals(was.msixVectors(), is.msixVectors());
            assertEquals(was.capabilities(), is.capabilities());
            enableMemory(original);
            enableMemory(again);
            assertEquals(read(original, 0, 0, 8), read(again, 0, 0, 8));
            for (int at = 0; at < Region.CONFIGURATION_SIZE_BYTES; at += 4) {
                assertEquals(
                        read(original, Region.CONFIGURATION, at, 4),
                        read(again, Region.CONFIGURATION, at, 4),
                        "configuration space at 0x" + Integer.toHexString(at));
            }
        }
    }

    @Test
    void shouldSayWhatTheTraceDoesNotShow() throws Exception {
        Path file = folder.resolve("little.fst");
        Map<String, String> options =
                Map.of("image", folder.resolve("disk").toString(), "size", "1M");
        try (DeviceFunction nvme = device(new NvmeKind(), options);
                RecorderTap tap = RecorderTap.recording(nvme, file, TraceOptions.DEFAULT)) {
            read(tap, Region.CONFIGURATION, 0, 4);
        }
        Path home = Files.createDirectory(folder.resolve("home"));
        List<String> unknown = cloneOf(file, null).write(home.resolve("devices/d"), home);
        assertTrue(unknown.contains("BAR0: no register of it was accessed."), unknown::toString);
        assertTrue(
                unknown.stream().anyMatch(one -> one.startsWith("MSI-X: the trace does not show")),
                unknown::toString);
        String readme = Files.readString(home.resolve("devices/d/README.md"));
        assertTrue(readme.contains("<module>devices/d</module>"), readme);
        unknown.forEach(one -> assertTrue(readme.contains(one), one));
    }

    @Test
    void shouldChangeNothingThatIsThere() throws Exception {
        TraceClone clone = cloneOf(traceOfEdu(), "mine");
        Path home = Files.createDirectory(folder.resolve("home"));
        Path mine = Files.createDirectories(home.resolve("devices/mine"));
        Files.writeString(mine.resolve("work"), "of weeks");
        String said =
                assertThrows(AnalysisException.class, () -> clone.write(mine, home)).getMessage();
        assertTrue(said.contains("is there already"), said);
        said =
                assertThrows(
                                AnalysisException.class,
                                () -> clone.write(folder.resolve("elsewhere"), home))
                        .getMessage();
        assertTrue(said.contains("give a folder in it, such as"), said);
        assertFalse(Files.exists(folder.resolve("elsewhere")));
        said =
                assertThrows(AnalysisException.class, () -> cloneOf(traceOfEdu2(), "Two Words"))
                        .getMessage();
        assertTrue(said.contains("cannot be called \"Two Words\""), said);
    }

    private Path traceOfEdu2() {
        return folder.resolve("edu.fst");
    }

    /** Compiles the project against this test's class path. */
    private DeviceKind built(TraceClone clone, String name) throws Exception {
        Path home = Files.createDirectory(folder.resolve("home"));
        Path project = home.resolve("devices").resolve(name);
        clone.write(project, home);
        Path classes = Files.createDirectory(folder.resolve("classes"));
        List<String> words = new ArrayList<>(List.of("-d", classes.toString(), "-Werror"));
        words.addAll(List.of("-Xlint:all,-processing,-path", "-cp"));
        words.add(System.getProperty("java.class.path"));
        try (Stream<Path> sources = Files.walk(project.resolve("src/main/java"))) {
            sources.map(Path::toString)
                    .filter(file -> file.endsWith(".java") && !file.endsWith("module-info.java"))
                    .forEach(words::add);
        }
        StringWriter said = new StringWriter();
        PrintWriter to = new PrintWriter(said);
        ToolProvider compiler = ToolProvider.findFirst("javac").orElseThrow();
        assertEquals(0, compiler.run(to, to, words.toArray(String[]::new)), said::toString);
        Path map = Path.of("farslot", "devices", name, name + ".xml");
        Files.copy(project.resolve("src/main/resources").resolve(map), classes.resolve(map));
        URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()});
        return (DeviceKind)
                loader.loadClass("farslot.devices." + name + ".AgainKind")
                        .getConstructor()
                        .newInstance();
    }
}
