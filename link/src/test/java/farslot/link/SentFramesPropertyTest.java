package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Messages.Header;
import farslot.link.SentFrames.Chunk;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever is composed, written, acknowledged and repeated: the peer gets each frame, in order. */
class SentFramesPropertyTest {
    private static final int LONGEST = 0x30000;

    /** A sender and what its peer has. */
    private static final class Pair {
        private final Random random;
        private final SentFrames log = new SentFrames();
        private final List<Integer> lengths = new ArrayList<>();
        private long sequence;
        private long received;
        private long acknowledged;

        Pair(long seed) {
            random = new Random(seed);
            log.keep();
        }

        void compose() {
            int length = Header.BYTES + 8 + random.nextInt(random.nextInt(8) == 0 ? LONGEST : 200);
            if (random.nextInt(4) == 0) {
                log.append(log.chunk(length));
            } else {
                log.reserve(length);
            }
            Header.LENGTH.set(log.memory(), log.end(), length);
            Header.SEQUENCE.set(log.memory(), log.end(), ++sequence);
            log.add(length, sequence);
            lengths.add(length);
        }

        /** Writes some; with a cut the peer gets a part of it, and the rest is repeated. */
        void write(boolean cut) {
            if (log.unwritten() == 0) {
                return;
            }
            Chunk chunk = log.toWrite();
            int begin = chunk.written();
            int end = chunk.filled();
            int most = cut ? random.nextInt(end - begin + 1) : end - begin;
            int at = begin;
            MemorySegment memory = chunk.memory();
            while (at < end && at + Header.LENGTH.getInt(memory, at) <= begin + most) {
                assertEquals(received + 1, Header.SEQUENCE.get(memory, at));
                int length = Header.LENGTH.getInt(memory, at);
                assertEquals(lengths.get((int) received), length);
                received++;
                at += length;
            }
            if (cut) {
                acknowledged = received;
                log.rewind(received);
                log.prune(received);
            } else {
                log.wrote(chunk, end);
            }
        }

        void acknowledge() {
            acknowledged += random.nextLong(received - acknowledged + 1);
            log.prune(acknowledged);
        }

        void settle() {
            while (log.unwritten() > 0) {
                write(false);
            }
            acknowledged = received;
            log.prune(acknowledged);
        }
    }

    @Property(tries = 200)
    void eachFrameComesOnceInOrderAndNothingStays(@ForAll long seed) {
        Pair pair = new Pair(seed);
        for (int step = 0; step < 400; step++) {
            switch (pair.random.nextInt(8)) {
                case 0, 1, 2 -> pair.compose();
                case 3, 4 -> pair.write(false);
                case 5 -> pair.write(true);
                case 6 -> pair.acknowledge();
                default -> pair.log.shrink();
            }
            assertTrue(pair.log.bytes() >= pair.log.unwritten());
        }
        pair.settle();
        assertEquals(pair.sequence, pair.received);
        assertEquals(0, pair.log.bytes());
        assertEquals(0, pair.log.unwritten());
    }

    @Property(tries = 50)
    void whatIsSavedIsWhatTheOtherLacks(@ForAll long seed) throws BrokenFrameException {
        Pair pair = new Pair(seed);
        for (int step = 0; step < 60; step++) {
            pair.compose();
            Header.TYPE.set(pair.log.memory(), last(pair), Messages.DmaWrite.TYPE);
            Header.FLAGS.set(pair.log.memory(), last(pair), Messages.POSTED);
            if (pair.random.nextBoolean()) {
                pair.write(false);
                pair.acknowledge();
            }
        }
        Composer saved = new Composer();
        pair.log.save(saved, pair.acknowledged);
        byte[] bytes = saved.toBytes();
        Cursor from = new Cursor(MemorySegment.ofArray(bytes), 0, 0, bytes.length);
        SentFrames restored = new SentFrames();
        assertEquals(pair.sequence, restored.restore(from, pair.acknowledged));
        from.finish();
        pair.log.rewind(pair.acknowledged);
        assertEquals(pair.log.unwritten(), restored.unwritten());
    }

    private static long last(Pair pair) {
        return (long) pair.log.end() - pair.lengths.getLast();
    }
}
