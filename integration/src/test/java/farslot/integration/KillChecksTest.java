package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.ChildProcess;
import farslot.posix.MappedMemory;
import farslot.posix.UnixListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@link RandomKillTest} looks with sees what should not be. */
@Timeout(60)
class KillChecksTest {
    @TempDir Path folder;

    private StampedDisk disk() throws IOException {
        return StampedDisk.create(folder.resolve("disk"));
    }

    private void write(int block, int offset, int bytes, String line) throws IOException {
        byte[] text = "%-63s\n".formatted(line).repeat(64).getBytes(StandardCharsets.US_ASCII);
        try (FileChannel image =
                FileChannel.open(folder.resolve("disk"), StandardOpenOption.WRITE)) {
            image.write(ByteBuffer.wrap(text, offset, bytes), block * 4096L + offset);
        }
    }

    @Test
    void shouldFindNoFaultWhenFlushedBlocksAreThereOrWereWrittenAgain() throws IOException {
        StampedDisk disk = disk();
        write(5, 0, 4096, "A 5 37");
        // Under way when all ended: some of its sectors are there.
        write(6, 0, 1024, "A 6 38");
        disk.told("@A 5 5 .\n@A 37 37 .\n@B 0 0 .\n");
        assertEquals(List.of(), disk.faultsOfImage());
        assertEquals(1, disk.flushedBlocks());
    }

    @Test
    void shouldFindAFlushedBlockThatIsNotThere() throws IOException {
        StampedDisk disk = disk();
        write(5, 0, 4096, "A 5 5");
        disk.told("@A 5 5 .\n@A 37 37 .\n");
        assertTrue(
                disk.faultsOfImage().contains("block 5 has stamp 5, flushed: 37"),
                disk.faultsOfImage()::toString);
    }

    @Test
    void shouldFindOneOfFourThatIsNotThere() throws IOException {
        StampedDisk disk = disk();
        for (int block : new int[] {36, 37, 39}) {
            write(block, 0, 4096, "B " + block + " 1");
        }
        disk.told("@B 1 1 .\n");
        assertTrue(
                disk.faultsOfImage().contains("block 38 has stamp 0, flushed: 1"),
                disk.faultsOfImage()::toString);
    }

    @Test
    void shouldFindASectorThatIsTornAndABlockInAnothersPlace() throws IOException {
        StampedDisk disk = disk();
        write(5, 0, 100, "A 5 5");
        write(9, 0, 4096, "A 8 8");
        disk.told("@A 8 8 .\n");
        String faults = disk.faultsOfImage().toString();
        assertTrue(faults.contains("block 5 is torn within a sector"), faults);
        assertTrue(faults.contains("block 9 holds block 8 of A"), faults);
    }

    @Test
    void shouldFindWhatTheGuestReadsWrongly() throws IOException {
        StampedDisk disk = disk();
        disk.told("@A 37 37 .\n");
        String faults = disk.faultsOfReading("@R 64 A 5 5 .\n@R 63 A 6 6 .\n").toString();
        assertTrue(faults.contains("block 5 has stamp 5, flushed: 37"), faults);
        assertTrue(faults.contains("of block 6 the guest has read 63 lines"), faults);
    }

    @Test
    void shouldFindAProcessASocketAFileAndWhatAProcessHolds() throws IOException {
        Path runtime = Files.createTempDirectory("fs-left-");
        long self = ProcessHandle.current().pid();
        Remains.Holdings before = Remains.Holdings.of(self);
        assertEquals("", Remains.Holdings.of(self).beyond(before));
        ProcessBuilder builder = new ProcessBuilder("sleep", "1000");
        builder.environment().put("XDG_RUNTIME_DIR", runtime.toString());
        try (UnixListener listener = UnixListener.listen(runtime.resolve("left.sock"));
                MappedMemory memory = MappedMemory.create("farslot-test", 4096);
                ChildProcess child = ChildProcess.start(builder)) {
            assertEquals(1, Remains.sockets(runtime.toString()).size());
            assertEquals(List.of("left.sock"), Remains.files(runtime));
            String kept = Remains.Holdings.of(self).beyond(before);
            assertTrue(kept.contains("socket") && kept.contains("/memfd"), kept);
            assertTrue(kept.contains("mappings of shared memory"), kept);
            assertTrue(memory.isOpen() && child.isAlive(), listener::toString);
            assertEquals(1, Remains.processes(runtime.toString()).size());
        }
        assertEquals(List.of(), Remains.processes(runtime.toString()));
        Files.delete(runtime);
    }
}
