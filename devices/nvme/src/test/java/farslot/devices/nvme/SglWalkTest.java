package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Data by scatter gather lists (NVMe 1.4, 4.4), laid out in any way that a driver may. */
final class SglWalkTest {
    private static final int BLOCKS = 256;
    private static final int DATA_BLOCK = 0x00;
    private static final int SEGMENT = 0x20;
    private static final int LAST_SEGMENT = 0x30;

    /** A block of the driver's memory. */
    private record Piece(long address, int bytes) {}

    /** A list in memory, and the descriptor that leads to it. */
    private static final class Lists {
        final Random random;
        final NvmeDriver driver;
        final long area;
        long used;

        Lists(Random random, NvmeDriver driver) {
            this.random = random;
            this.driver = driver;
            this.area = driver.allocate(400);
        }

        /** Room at any byte. */
        long room(int bytes) {
            long at = area + used + random.nextInt(64);
            used = at + bytes - area;
            return at;
        }

        List<Piece> pieces(int bytes) {
            List<Piece> pieces = new ArrayList<>();
            int left = bytes;
            while (left > 0) {
                int piece = Math.min(left, random.nextInt(3000));
                pieces.add(new Piece(room(piece), piece));
                left -= piece;
            }
            return pieces;
        }

        /** Writes the lists from their end on; returns the first descriptor's two halves. */
        long[] describe(List<Piece> pieces) {
            if (pieces.size() == 1) {
                return descriptor(pieces.getFirst().address, pieces.getFirst().bytes, DATA_BLOCK);
            }
            long[] next = null;
            int end = pieces.size();
            while (end > 0) {
                int count = Math.min(end, 1 + random.nextInt(20));
                List<long[]> list = new ArrayList<>();
                for (Piece piece : pieces.subList(end - count, end)) {
                    list.add(descriptor(piece.address, piece.bytes, DATA_BLOCK));
                }
                int type = next == null ? LAST_SEGMENT : SEGMENT;
                if (next != null) {
                    list.add(next);
                }
                next = descriptor(write(list), list.size() * 16, type);
                end -= count;
            }
            return next;
        }

        private long write(List<long[]> list) {
            long at = room(list.size() * 16);
            for (int i = 0; i < list.size(); i++) {
                MemorySegment place = driver.memory(at + i * 16L, 16);
                place.set(LittleEndian.LONG, 0, list.get(i)[0]);
                place.set(LittleEndian.LONG, 8, list.get(i)[1]);
            }
            return at;
        }

        private static long[] descriptor(long address, int bytes, int identifier) {
            return new long[] {address, bytes | (long) identifier << 56};
        }
    }

    private static NvmeDriver.Entry transfer(
            NvmOpcode opcode, int lba, int blocks, long[] descriptor, Random random) {
        NvmeDriver.Entry entry =
                NvmeDriver.transfer(opcode, lba, blocks, descriptor[0], descriptor[1]);
        int psdt = random.nextBoolean() ? DataPointer.SGL : DataPointer.SGL_WITH_METADATA;
        entry.dwords[0] |= psdt << 14;
        return entry;
    }

    @Property(tries = 100)
    void shouldGatherAndScatter(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        MemoryImage image = new MemoryImage(BLOCKS * 512L);
        try (ControllerBench bench = new ControllerBench(image)) {
            NvmeDriver driver = new NvmeDriver(bench).enable();
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
            Lists lists = new Lists(random, driver);
            int blocks = 1 + random.nextInt(BLOCKS);
            int lba = random.nextInt(BLOCKS - blocks + 1);
            byte[] data = new byte[blocks * 512];
            random.nextBytes(data);

            List<Piece> from = lists.pieces(data.length);
            int done = 0;
            for (Piece piece : from) {
                MemorySegment.copy(
                        MemorySegment.ofArray(data),
                        done,
                        driver.memory(piece.address, piece.bytes),
                        0,
                        piece.bytes);
                done += piece.bytes;
            }
            long[] source = lists.describe(from);
            queue.call(transfer(NvmOpcode.WRITE, lba, blocks, source, random)).ok();
            byte[] onDisk =
                    image.bytes().asSlice(lba * 512L, data.length).toArray(ValueLayout.JAVA_BYTE);
            assertArrayEquals(data, onDisk);
            queue.call(transfer(NvmOpcode.COMPARE, lba, blocks, source, random)).ok();

            List<Piece> into = lists.pieces(data.length);
            long[] target = lists.describe(into);
            queue.call(transfer(NvmOpcode.READ, lba, blocks, target, random)).ok();
            done = 0;
            for (Piece piece : into) {
                MemorySegment read = driver.memory(piece.address, piece.bytes);
                MemorySegment expected = MemorySegment.ofArray(data).asSlice(done, piece.bytes);
                assertEquals(-1, expected.mismatch(read));
                done += piece.bytes;
            }
        }
    }
}
