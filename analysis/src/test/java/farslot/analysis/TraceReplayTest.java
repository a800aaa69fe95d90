package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.ForwardingHost;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.core.Tap;
import farslot.devices.edu.EduKind;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A driver of edu is recorded, and its trace replayed against devices that are the same or not. */
@Timeout(120)
class TraceReplayTest {
    private static final long MEMORY_AT = 0x10000;
    private static final long PATIENCE_NANOS = 20_000_000_000L;
    private static final long IMPATIENCE_NANOS = 300_000_000L;

    @TempDir Path folder;

    private Path trace;

    private static DeviceFunction edu() throws Exception {
        EduKind kind = new EduKind();
        return DeviceFunction.of("edu", kind.create(Options.check(kind, Map.of())));
    }

    @BeforeEach
    void record() throws Exception {
        trace = recorded(TraceOptions.DmaData.FULL);
    }

    private Path recorded(TraceOptions.DmaData data) throws Exception {
        Path file = folder.resolve(data + ".fst");
        TraceOptions options = TraceOptions.DEFAULT.withDmaData(data);
        try (DeviceFunction edu = edu();
                RecorderTap tap = RecorderTap.recording(edu, file, options);
                Arena arena = Arena.ofShared()) {
            new EduDriver(tap, arena, MEMORY_AT).work();
        }
        return file;
    }

    private TraceReplay.Report replay(PciFunction target, TraceReplay.Rules rules)
            throws Exception {
        try (TraceReader first = TraceReader.open(trace);
                TraceReader again = TraceReader.open(trace)) {
            TraceNames names = TraceNames.of(again.description(), new EduKind().registerMap());
            return TraceReplay.replay(first, again, names, target, () -> null, rules);
        }
    }

    private static TraceReplay.Rules patient() {
        return new TraceReplay.Rules(false, 1, PATIENCE_NANOS);
    }

    private static TraceReplay.Rules impatient(int most) {
        return new TraceReplay.Rules(false, most, IMPATIENCE_NANOS);
    }

    @Test
    void shouldFindNoDivergenceInTheSameDevice() throws Exception {
        try (DeviceFunction edu = edu()) {
            TraceReplay.Report report = replay(edu, patient());
            assertEquals(List.of(), report.divergences());
            assertTrue(report.whole());
            assertTrue(report.reads() >= 5, report::toString);
            // Two transfers and three interrupts.
            assertEquals(5, report.transfers());
        }
    }

    /** Changes what passes. */
    private static class Changed extends Tap {
        Changed(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost host) {
            return new ForwardingHost(host) {
                @Override
                public CompletionStatus write(int generation, long address, MemorySegment from) {
                    return dmaWrite(next(), generation, address, from);
                }

                @Override
                public void interrupt(int generation, InterruptKind kind, int vector) {
                    if (interrupts()) {
                        next().interrupt(generation, kind, vector);
                    }
                }
            };
        }

        CompletionStatus dmaWrite(PciHost next, int generation, long address, MemorySegment from) {
            return next.write(generation, address, from);
        }

        boolean interrupts() {
            return true;
        }
    }

    @Test
    void shouldNameRegisterAndFieldThatDiffer() throws Exception {
        try (DeviceFunction edu = edu()) {
            Changed changed =
                    new Changed(edu) {
                        @Override
                        public CompletionStatus read(
                                int region, long offset, MemorySegment into, int width) {
                            CompletionStatus status = super.read(region, offset, into, width);
                            if (region == 0 && offset == 0x20) {
                                // IRQ_WHEN_DONE is not kept.
                                into.set(
                                        ValueLayout.JAVA_BYTE,
                                        0,
                                        (byte) (into.get(ValueLayout.JAVA_BYTE, 0) & 0x7f));
                            }
                            return status;
                        }
                    };
            Divergence found = replay(changed, impatient(1)).divergences().getFirst();
            assertEquals("BAR0 STATUS", found.where());
            assertTrue(found.what().contains("reads 0x0 now"), found.what());
            assertTrue(found.what().contains("IRQ_WHEN_DONE"), found.what());
        }
    }

    @Test
    void shouldNameTheByteOfMemoryThatDiffers() throws Exception {
        try (DeviceFunction edu = edu()) {
            Changed changed =
                    new Changed(edu) {
                        @Override
                        CompletionStatus dmaWrite(
                                PciHost next, int generation, long address, MemorySegment from) {
                            from.set(ValueLayout.JAVA_BYTE, 9, (byte) 1);
                            return super.dmaWrite(next, generation, address, from);
                        }
                    };
            Divergence found = replay(changed, impatient(1)).divergences().getFirst();
            assertEquals("memory at 0x11000", found.where());
            assertEquals(
                    "Of 256 bytes written the one at 0x9 was 0x3f and is now 0x01.", found.what());
        }
    }

    @Test
    void shouldMatchTransfersThatAreCutOtherwise() throws Exception {
        try (DeviceFunction edu = edu()) {
            Changed changed =
                    new Changed(edu) {
                        @Override
                        CompletionStatus dmaWrite(
                                PciHost next, int generation, long address, MemorySegment from) {
                            long half = from.byteSize() / 2 + 3;
                            next.write(generation, address + half, from.asSlice(half));
                            return next.write(generation, address, from.asSlice(0, half));
                        }
                    };
            TraceReplay.Report report = replay(changed, patient());
            assertEquals(List.of(), report.divergences());
            assertEquals(5, report.transfers());
        }
    }

    @Test
    void shouldNameWhatIsWrittenThatWasNot() throws Exception {
        try (DeviceFunction edu = edu()) {
            Changed changed =
                    new Changed(edu) {
                        @Override
                        CompletionStatus dmaWrite(
                                PciHost next, int generation, long address, MemorySegment from) {
                            next.write(generation, address + 0x1000, from);
                            return super.dmaWrite(next, generation, address, from);
                        }
                    };
            Divergence found = replay(changed, patient()).divergences().getFirst();
            assertEquals("DMA", found.where());
            assertEquals(
                    "It writes 256 bytes of memory at 0x12000, which the trace does not have.",
                    found.what());
        }
    }

    /** The factorial, which edu's map calls volatile, is there after so many reads. */
    private static Changed lateFactorial(PciFunction edu, int reads) {
        return new Changed(edu) {
            private int left = reads;

            @Override
            public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
                CompletionStatus status = super.read(region, offset, into, width);
                if (region == 0 && offset == 0x08 && left-- > 0) {
                    into.set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
                }
                return status;
            }
        };
    }

    @Test
    void shouldWaitForWhatWasThereAtOnce() throws Exception {
        try (DeviceFunction edu = edu()) {
            TraceReplay.Report report = replay(lateFactorial(edu, 3), patient());
            assertEquals(List.of(), report.divergences());
            assertEquals(0, report.volatileReads());
        }
    }

    @Test
    void shouldNotCompareWhatIsVolatileAndNeverTheSame() throws Exception {
        try (DeviceFunction edu = edu()) {
            TraceReplay.Report report = replay(lateFactorial(edu, Integer.MAX_VALUE), impatient(1));
            assertEquals(List.of(), report.divergences());
            assertEquals(1, report.volatileReads());
        }
    }

    @Test
    void shouldMissInterruptsAndCountDivergencesUpToALimit() throws Exception {
        try (DeviceFunction edu = edu()) {
            Changed changed =
                    new Changed(edu) {
                        @Override
                        boolean interrupts() {
                            return false;
                        }
                    };
            TraceReplay.Report report = replay(changed, impatient(2));
            assertEquals(2, report.divergences().size());
            // What is missing is not as recorded: the DMA between the two is.
            assertEquals(1, report.transfers());
            assertEquals("interrupt INTX 0", report.divergences().getFirst().where());
            assertTrue(report.divergences().getFirst().what().contains("is not now"));
        }
    }

    @Test
    void shouldRefuseATraceWithoutDataAndReplayItsRegistersAlone() throws Exception {
        trace = recorded(TraceOptions.DmaData.DIGEST);
        try (DeviceFunction edu = edu()) {
            String why =
                    assertThrows(AnalysisException.class, () -> replay(edu, patient()))
                            .getMessage();
            assertTrue(why.contains("lacks DMA data: of 256 bytes of DMA"), why);
            assertTrue(why.contains("--dma whole"), why);
            edu.reset(ResetKind.COLD);
            TraceReplay.Report report =
                    replay(edu, new TraceReplay.Rules(true, 100, IMPATIENCE_NANOS));
            assertEquals(0, report.transfers());
            assertTrue(report.reads() >= 5);
        }
    }
}
