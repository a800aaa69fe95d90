package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import farslot.analysis.LinkPairing.Likeness;
import farslot.analysis.LinkPairing.Pair;
import farslot.analysis.LinkPairing.Passage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Of what was sent and what was received, what is one. */
class LinkPairingTest {
    private static final long TOLERANCE = 5;

    private final LinkPairing pairing = new LinkPairing();
    private int sent;
    private int received;

    private static Likeness like(boolean posted, long value) {
        return new Likeness(posted ? "write" : "read", 0, 0x10, 4, value, "");
    }

    private void sendRead(long value, long begin, long took) {
        pairing.send(new Passage(sent++, like(false, value), begin, took, false));
    }

    private void post(long value, long begin) {
        pairing.send(new Passage(sent++, like(true, value), begin, 1, true));
    }

    private Pair read(long value, long begin, long took) {
        Passage passage = new Passage(received++, like(false, value), begin, took, false);
        return pairing.receive(passage, TOLERANCE);
    }

    private Pair posted(long value, long begin) {
        return pairing.receive(
                new Passage(received++, like(true, value), begin, 1, true), TOLERANCE);
    }

    private static Passage loss(int index, long begin) {
        return new Passage(index, null, begin, 0, true);
    }

    @Test
    void shouldGiveTheLinksTimeOfWhatWaitedByDurationsAlone() {
        sendRead(7, 100, 50);
        Pair pair = read(7, 120, 10);
        assertEquals(40, pair.linkNanos());
        assertEquals(0, pairing.onlySent() + pairing.onlyReceived());
    }

    @Test
    void shouldPairWhatIsPostedOnlyBehindWhatWaited() {
        post(1, 10);
        assertNull(posted(1, 20), "another may have been posted before the recording began");
        sendRead(7, 100, 50);
        read(7, 120, 10);
        post(1, 200);
        post(2, 201);
        assertEquals(30, posted(1, 230).linkNanos());
        assertEquals(30, posted(2, 231).linkNanos());
    }

    @Test
    void shouldPairNothingThatIsPostedBehindALossUntilOneWaits() {
        sendRead(7, 100, 50);
        read(7, 120, 10);
        post(1, 200);
        pairing.send(loss(sent++, 201));
        post(1, 300);
        assertEquals(10, posted(1, 210).linkNanos());
        assertNull(posted(1, 220), "which of them it is nobody knows");
        assertNull(posted(1, 310));
        sendRead(8, 400, 50);
        assertEquals(40, read(8, 420, 10).linkNanos());
        post(1, 500);
        assertEquals(10, posted(1, 510).linkNanos());
    }

    @Test
    void shouldPairNothingThatIsPostedBehindALossAtTheReceiver() {
        sendRead(7, 100, 50);
        read(7, 120, 10);
        post(1, 200);
        post(1, 201);
        assertNull(pairing.receive(loss(received++, 205), TOLERANCE));
        assertNull(posted(1, 211));
    }

    @Test
    void shouldCountWhatWasAnsweredWithoutTheOtherEnd() {
        sendRead(7, 100, 10);
        sendRead(7, 200, 50);
        assertEquals(40, read(7, 220, 10).linkNanos());
        assertEquals(1, pairing.onlySent());
        assertNull(read(9, 300, 10));
        assertEquals(1, pairing.onlyReceived());
    }

    @Test
    void shouldNotTakeWhatEndedTooEarlyOrIsNotAlike() {
        sendRead(7, 100, 10);
        assertNull(read(7, 105, 20), "it lasted longer than it was waited for");
        sendRead(8, 200, 50);
        assertNull(read(7, 220, 10));
    }

    /** Whatever is lost at either end, no event is paired with another's. */
    @Property(tries = 300)
    void shouldNeverPairTwoThatAreNotOne(
            @ForAll long seed, @ForAll @IntRange(max = 30) int lossPercent) {
        Random random = new Random(seed);
        LinkPairing link = new LinkPairing();
        List<Passage> in = new ArrayList<>();
        List<Passage> out = new ArrayList<>();
        long now = 0;
        long delivered = 0;
        boolean sendGap = false;
        boolean receiveGap = false;
        for (int i = 0; i < 300; i++) {
            now += 1 + random.nextInt(20);
            boolean posted = random.nextInt(4) > 0;
            Likeness likeness = like(posted, random.nextInt(2));
            long there = Math.max(delivered + 1, now + 1 + random.nextInt(60));
            delivered = there;
            long took = posted ? 1 : there - now + 3 + random.nextInt(30);
            // Recorders lose by runs, and say where.
            sendGap = random.nextInt(100) < (sendGap ? 50 : lossPercent / 3);
            receiveGap = random.nextInt(100) < (receiveGap ? 50 : lossPercent / 3);
            in.add(
                    sendGap
                            ? new Passage(i, null, now, 0, true)
                            : new Passage(i, likeness, now, took, posted));
            out.add(
                    receiveGap
                            ? new Passage(i, null, there, 0, true)
                            : new Passage(i, likeness, there, posted ? 1 : 2, posted));
            now = posted ? now : now + took;
        }
        int next = 0;
        int pairs = 0;
        for (Passage one : out) {
            while (next < in.size() && in.get(next).beginNanos() <= one.beginNanos()) {
                link.send(in.get(next++));
            }
            Pair pair = link.receive(one, 0);
            if (pair != null) {
                pairs++;
                assertEquals(pair.sent().index(), pair.received().index());
            }
        }
        if (lossPercent == 0) {
            long before = out.stream().takeWhile(Passage::posted).count();
            assertEquals(out.size() - before, pairs, "all but those before the first that waited");
        }
    }
}
