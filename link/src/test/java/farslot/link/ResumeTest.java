package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.link.Bench.Over;
import farslot.link.Cutter.Cut;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A session outlives its connection. */
@Timeout(60)
class ResumeTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void aSessionGoesOnOverAnotherConnection(Cut how) throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                Cutter cutter = new Cutter(bench.address)) {
            Bench.Hearing hearing = new Bench.Hearing();
            try (RemoteFunction function =
                    RemoteFunction.borrow(cutter.address(), new Wish("f0"), Bench.SLOT, hearing)) {
                MemorySegment word = MemorySegment.ofArray(new byte[4]);
                word.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 0x1234);
                function.write(0, 0x10, word, 4, -1);
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x10, word, 4));
                cutter.cut(how);
                function.write(0, 0x14, word, 4, -1);
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x14, word, 4));
                assertEquals(0x1234, word.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
                assertEquals(1, function.resumes().times());
                assertFalse(function.isEnded());
                assertTrue(hearing.held.isEmpty());
            }
            assertEquals("RETURNED f0", bench.lender.ending());
        }
    }
}
