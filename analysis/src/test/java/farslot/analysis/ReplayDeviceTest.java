package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceOptions;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.DeviceKinds;
import farslot.sdk.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A driver works on what is only the trace of a device. */
@Timeout(120)
class ReplayDeviceTest {
    private static final long THEN = 0x10000;
    private static final long NOW = 0x7000000;

    @TempDir Path folder;

    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private Path trace;

    @BeforeEach
    void record() throws Exception {
        trace = folder.resolve("edu.fst");
        TraceOptions options = TraceOptions.DEFAULT.withDmaData(TraceOptions.DmaData.FULL);
        try (DeviceFunction edu = device("edu", Map.of());
                RecorderTap tap = RecorderTap.recording(edu, trace, options);
                Arena arena = Arena.ofShared()) {
            new EduDriver(tap, arena, THEN).work();
        }
    }

    private static DeviceFunction device(String name, Map<String, String> options)
            throws Exception {
        DeviceKind kind = DeviceKinds.named(name);
        return DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, options)));
    }

    private DeviceFunction replayed() throws Exception {
        return DeviceFunction.of("replay", new ReplayDevice(RecordedPath.open(trace), said::add));
    }

    @Test
    void shouldAnswerTheSameDriverWithItsMemoryElsewhere() throws Exception {
        try (DeviceFunction edu = replayed();
                Arena arena = Arena.ofShared()) {
            for (int round = 0; round < 2; round++) {
                EduDriver driver = new EduDriver(edu, arena, NOW);
                driver.work();
                byte[] moved = driver.moved().toArray(ValueLayout.JAVA_BYTE);
                for (int i = 0; i < moved.length; i++) {
                    assertEquals((byte) (i * 7), moved[i], "byte " + i);
                }
                assertTrue(said.isEmpty(), said::toString);
                // From the beginning again.
                edu.reset(ResetKind.COLD);
            }
        }
    }

    @Test
    void shouldDescribeItselfAsTheRecordedFunction() throws Exception {
        try (DeviceFunction edu = device("edu", Map.of());
                DeviceFunction replayed = replayed()) {
            assertEquals(edu.describe().identity(), replayed.describe().identity());
            assertEquals(edu.describe().regions(), replayed.describe().regions());
            assertEquals(
                    edu.describe().vectors(InterruptKind.MSI),
                    replayed.describe().vectors(InterruptKind.MSI));
        }
    }

    @Test
    void shouldNameTheFirstAccessThatLeavesThePath() throws Exception {
        try (DeviceFunction edu = replayed();
                Arena arena = Arena.ofShared()) {
            EduDriver driver = new EduDriver(edu, arena, NOW);
            driver.write(Region.CONFIGURATION, 4, 2, 6);
            driver.write(0, 0x04, 4, 0x55aa55aa);
            assertEquals(0xaa55aa55L, driver.read(0x04, 4));
            // It polls on where the recorded driver did not.
            assertEquals(0xaa55aa55L, driver.read(0x04, 4));
            driver.write(0, 0x20, 4, 0);
            String sentence = said.take();
            assertTrue(sentence.contains("after 2 steps the driver leaves"), sentence);
            assertTrue(
                    sentence.contains(
                            "write of 0x0 to BAR0 STATUS, where 0x80 was written (IRQ_WHEN_DONE)"),
                    sentence);
            // Then registers are as they were last seen, and it is said once.
            assertEquals(0xaa55aa55L, driver.read(0x04, 4));
            assertEquals(0, driver.read(0x20, 4));
            assertTrue(said.isEmpty(), said::toString);
        }
    }

    @Test
    void shouldRefuseWhatIsNoTrace() throws Exception {
        trace = Files.writeString(folder.resolve("no.fst"), "no trace");
        String why =
                assertThrows(
                                DeviceCreationException.class,
                                () -> device("replay", Map.of("trace", trace.toString())))
                        .getMessage();
        assertTrue(why.contains("no.fst"), why);
    }
}
