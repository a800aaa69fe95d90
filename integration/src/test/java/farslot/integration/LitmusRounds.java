package farslot.integration;

import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.integration.LitmusDevice.Program;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;

/**
 * The driver's half of each litmus test: makes its accesses, looks at its memory while the device
 * writes it, and throws a {@link LitmusViolation} where it sees what the rule forbids.
 */
final class LitmusRounds {
    /** So often at least the thing that could go wrong must have been under way. */
    private static final long RACES = 10;

    /** How many rounds more than asked for are made to meet that. */
    private static final long MOST_MORE_ROUNDS = 2_000_000;

    private LitmusRounds() {}

    /**
     * What a test did.
     *
     * @param raced in how many rounds the driver looked, or asked, while the device was about it
     */
    record Outcome(long rounds, long raced) {}

    /** Whether it is enough; throws where more would not help. */
    private static boolean isEnough(LitmusDriver driver, long atLeast, long rounds, long raced) {
        if (rounds < atLeast || (raced < RACES && rounds < atLeast + MOST_MORE_ROUNDS)) {
            if ((rounds & 0xff) == 0) {
                driver.check(rounds);
            }
            return false;
        }
        if (raced < RACES) {
            throw driver.violation(rounds, "Nothing happened at the same time: nothing was tried");
        }
        return true;
    }

    /** Tells the device how far its driver is, where it waits for that, and now and then. */
    private static void consumed(LitmusDriver driver, long round) {
        if (LitmusDevice.isLockstep(round + 1) || round % (LitmusDevice.RING / 4) == 0) {
            driver.port().write(0, LitmusDevice.CONSUMED, round);
        }
    }

    /** Looks where the interrupt is delivered, and again on the driver's thread. */
    static Outcome dataThenInterrupt(LitmusDriver driver, long atLeast) {
        AtomicLong delivered = new AtomicLong();
        driver.takeInterrupts(
                InterruptKind.MSI,
                () -> {
                    long round = delivered.get() + 1;
                    LitmusViolation found = data(driver, round);
                    if (found != null) {
                        driver.hear(found);
                    }
                    driver.looked(round);
                    delivered.set(round);
                });
        driver.start(Program.INTERRUPTS);
        long raced = 0;
        long round = 0;
        while (!isEnough(driver, atLeast, round, raced)) {
            long next = ++round;
            raced += driver.await(next, () -> delivered.get() >= next) ? 1 : 0;
            raise(data(driver, next));
            consumed(driver, next);
        }
        return new Outcome(round, raced);
    }

    static Outcome dataThenFlag(LitmusDriver driver, long atLeast) {
        driver.start(Program.FLAGS);
        long raced = 0;
        long round = 0;
        while (!isEnough(driver, atLeast, round, raced)) {
            long next = ++round;
            long flag = LitmusDevice.flagAt(next);
            raced += driver.await(next, () -> driver.word(flag) == next) ? 1 : 0;
            LitmusViolation found = data(driver, next);
            driver.looked(next);
            raise(found);
            consumed(driver, next);
        }
        return new Outcome(round, raced);
    }

    private static LitmusViolation data(LitmusDriver driver, long round) {
        long bytes = LitmusDevice.dataBytes(driver.seed(), round);
        return driver.mismatch(round, LitmusDevice.dataAt(round), bytes, round);
    }

    static Outcome entryAsOne(LitmusDriver driver, long atLeast) {
        driver.start(Program.ENTRIES);
        long raced = 0;
        long round = 0;
        while (!isEnough(driver, atLeast, round, raced)) {
            long next = ++round;
            long entry = LitmusDevice.entryAt(next);
            long bytes = LitmusDevice.entryBytes(next);
            long last = entry + bytes - 8;
            raced += driver.await(next, () -> driver.word(last) == next) ? 1 : 0;
            LitmusViolation found = driver.mismatch(next, entry, bytes, next);
            driver.looked(next);
            raise(found);
            consumed(driver, next);
        }
        return new Outcome(round, raced);
    }

    /**
     * Three ways in turn: DMA by the handler of a posted write before the read, by the read's own
     * handler, and by the device's thread beside it.
     */
    static Outcome readPushesDma(LitmusDriver driver, long atLeast) {
        LitmusDriver.Port port = driver.port();
        driver.start(Program.COUNTER);
        long raced = 0;
        long round = 0;
        long answers = 0;
        long counted = 0;
        while (!isEnough(driver, atLeast, round, raced)) {
            long next = ++round;
            if (next % 3 == 0) {
                port.write(0, LitmusDevice.GO, next);
                raced += driver.word(LitmusDevice.ANSWER_AT) != next ? 1 : 0;
                expect(driver, next, port.read(0, LitmusDevice.ANSWER), next);
                pushed(driver, next, LitmusDevice.ANSWER_AT, next);
            } else if (next % 3 == 1) {
                answers++;
                expect(driver, next, port.read(0, LitmusDevice.ANSWER_BY_READ), answers);
                pushed(driver, next, LitmusDevice.ANSWER_BY_READ_AT, answers);
            } else {
                long before = counted;
                counted = counter(driver, next);
                if (next % 48 == 2) {
                    driver.await(next, () -> counter(driver, next) != before);
                }
                raced += counted != before ? 1 : 0;
            }
        }
        return new Outcome(round, raced);
    }

    private static long counter(LitmusDriver driver, long round) {
        long counted = driver.port().read(0, LitmusDevice.COUNTED);
        pushed(driver, round, LitmusDevice.COUNTER_AT, counted);
        return counted;
    }

    /** What was written before the read was answered is there, or what was written after it. */
    private static void pushed(LitmusDriver driver, long round, long address, long answered) {
        long seen = driver.word(address);
        driver.looked(round);
        if (seen < answered) {
            throw driver.violation(
                    round,
                    String.format(
                            "the device has answered that it wrote %d to 0x%x, and %d is there",
                            answered, address, seen));
        }
    }

    private static void expect(LitmusDriver driver, long round, long answer, long expected) {
        if (answer != expected) {
            throw driver.violation(round, "a read says " + answer + " instead of " + expected);
        }
    }

    /**
     * Two threads, each with a pair of registers of its own. In some rounds one lets the other in
     * before it reads.
     */
    static Outcome writesThenRead(LitmusDriver driver, long atLeast) throws InterruptedException {
        AtomicLong underWay = new AtomicLong();
        return inLanes(
                driver,
                atLeast,
                () -> underWay.get() + driver.device().contested(),
                (lane, port, round, another) -> {
                    long registers = lane * LitmusDevice.LANE_BYTES;
                    port.write(0, registers + LitmusDevice.PAIR_A, round);
                    port.write(0, registers + LitmusDevice.PAIR_B, round);
                    if (!driver.device().hasTaken(lane, round)) {
                        underWay.incrementAndGet();
                    }
                    if (round % 16 == 1) {
                        another.run();
                    }
                    long pair = port.read(0, registers + LitmusDevice.PAIR);
                    long expected = round << 32 | (round & 0xffff_ffffL);
                    if (pair != expected) {
                        throw driver.violation(
                                round,
                                String.format(
                                        "lane %d reads 0x%x behind writes of 0x%x",
                                        lane, pair, expected));
                    }
                });
    }

    /** In some rounds the driver waits until the device's thread has looked between its writes. */
    static Outcome writesToTwoRegions(LitmusDriver driver, long atLeast) {
        LitmusDriver.Port port = driver.port();
        driver.start(Program.WATCH);
        long round = 0;
        while (!isEnough(driver, atLeast, round, driver.device().contested())) {
            long next = ++round;
            long before = driver.device().contested();
            port.write(0, LitmusDevice.FIRST, next);
            if (next % 32 == 1) {
                driver.await(next, () -> driver.device().contested() != before);
            }
            port.write(2, LitmusDevice.SECOND, next);
            if (next % 64 == 0) {
                port.writeInt(4, LitmusDevice.THIRD, (int) next);
            }
        }
        expect(driver, round, port.read(2, LitmusDevice.SECOND), round);
        return new Outcome(round, driver.device().contested());
    }

    /**
     * A round is an interrupt. What it is for stands in memory, by DMA before it. In each fourth
     * round something new comes between the driver's look at that and its acknowledgement.
     */
    static Outcome interruptThenAcknowledge(LitmusDriver driver, long atLeast) {
        AtomicLong delivered = new AtomicLong();
        AtomicLong unmasked = new AtomicLong();
        AtomicLong acknowledged = new AtomicLong();
        driver.takeInterrupts(
                InterruptKind.INTX,
                () -> {
                    long round = delivered.get() + 1;
                    long event = driver.word(LitmusDevice.EVENTS_AT);
                    if (event <= acknowledged.get()) {
                        String seen = "an interrupt came, and all is acknowledged up to " + event;
                        driver.hear(driver.violation(round, seen));
                    }
                    if (round > unmasked.get() + 1) {
                        driver.hear(driver.violation(round, "an interrupt came while masked"));
                    }
                    delivered.set(round);
                });
        LitmusDriver.Port port = driver.port();
        driver.start(Program.EVENTS);
        long round = 0;
        while (!isEnough(driver, atLeast, round, raced(driver, round))) {
            long next = ++round;
            driver.await(next, () -> delivered.get() >= next);
            driver.check(next);
            long event = driver.word(LitmusDevice.EVENTS_AT);
            acknowledged.set(event);
            if (next % 4 == 0 && !driver.isPlanted()) {
                port.write(0, LitmusDevice.TRIGGER, next);
            }
            port.write(0, LitmusDevice.ACKNOWLEDGE, event);
            unmasked.incrementAndGet();
            driver.unmask();
        }
        driver.check(round);
        return new Outcome(round, raced(driver, round));
    }

    /** With a plant events come one by one, on purpose. */
    private static long raced(LitmusDriver driver, long round) {
        return driver.isPlanted() ? round : driver.device().contested();
    }

    /** Two threads, each with a register of its own, while the device moves blocks on two more. */
    static Outcome accessesBesideDma(LitmusDriver driver, long atLeast)
            throws InterruptedException {
        driver.start(Program.BLOCKS);
        return inLanes(
                driver,
                atLeast,
                driver.device()::blocksDone,
                (lane, port, round, another) -> {
                    long register = LitmusDevice.SCRATCH + lane * LitmusDevice.LANE_BYTES;
                    long value = LitmusDriver.scratchValue(lane, round);
                    port.write(0, register, value);
                    long read = port.read(0, register);
                    if (read != value) {
                        throw driver.violation(
                                round,
                                String.format(
                                        "lane %d reads 0x%x behind its write of 0x%x",
                                        lane, read, value));
                    }
                    if (round % 256 == 0) {
                        long identity = port.read(Region.CONFIGURATION, 0) & 0xffff_ffffL;
                        expect(driver, round, identity, LitmusDevice.IDENTITY_WORD);
                        blocks(driver, round, lane);
                    }
                });
    }

    /** Each lane's blocks have its words, each in its place, and what is behind them stays zero. */
    private static void blocks(LitmusDriver driver, long round, int lane) {
        long begin = LitmusDevice.blockAt(lane, 0);
        long end = begin + LitmusDevice.BLOCKS * LitmusDevice.BLOCK_BYTES;
        for (long at = begin; at < end; at += 8) {
            long word = driver.word(at);
            long index = (at - begin) % LitmusDevice.BLOCK_BYTES / 8;
            long place = LitmusDevice.blockWord(lane, 0, index);
            if (word != 0 && (word & 0xff00_0000_0000_00ffL) != place) {
                throw driver.violation(round, String.format("0x%x is at 0x%x", word, at));
            }
        }
        raise(driver.mismatch(round, end, LitmusDevice.BLOCKS * LitmusDevice.BLOCK_BYTES, 0));
    }

    private interface LaneRound {
        /**
         * Makes a round.
         *
         * @param another waits until the other lane has made one, or waits itself
         */
        void at(int lane, LitmusDriver.Port port, long round, Runnable another);
    }

    private static Outcome inLanes(
            LitmusDriver driver, long atLeast, LongSupplier races, LaneRound laneRound)
            throws InterruptedException {
        return new Lanes(driver, atLeast, races, laneRound).run();
    }

    /** Rounds on two threads at once, both until it is enough in all. */
    private static final class Lanes {
        private final LitmusDriver driver;
        private final long atLeast;
        private final LongSupplier races;
        private final LaneRound laneRound;
        private final AtomicLong rounds = new AtomicLong();
        private final AtomicLongArray roundsOf = new AtomicLongArray(LitmusDevice.LANES);

        /** Which round of the other lane is the last that each has seen as it waits, else -1. */
        private final AtomicLongArray waitsBeyond = new AtomicLongArray(new long[] {-1, -1});

        private volatile boolean done;

        Lanes(LitmusDriver driver, long atLeast, LongSupplier races, LaneRound laneRound) {
            this.driver = driver;
            this.atLeast = atLeast;
            this.races = races;
            this.laneRound = laneRound;
        }

        Outcome run() throws InterruptedException {
            Thread[] lanes = new Thread[LitmusDevice.LANES];
            for (int number = 0; number < lanes.length; number++) {
                int lane = number;
                lanes[lane] = Thread.ofPlatform().name("lane " + lane).start(() -> work(lane));
            }
            for (Thread lane : lanes) {
                lane.join();
            }
            driver.check(rounds.get());
            return new Outcome(rounds.get(), races.getAsLong());
        }

        private void work(int lane) {
            LitmusDriver.Port port = driver.anotherPort();
            try {
                for (long round = 1; !done; round++) {
                    laneRound.at(lane, port, round, () -> awaitAnother(lane));
                    roundsOf.incrementAndGet(lane);
                    if (isEnough(driver, atLeast, rounds.incrementAndGet(), races.getAsLong())) {
                        done = true;
                    }
                }
            } catch (LitmusViolation found) {
                driver.hear(found);
            } finally {
                done = true;
            }
        }

        /** Both would wait for ever where neither has made a round since the other waits. */
        private void awaitAnother(int lane) {
            int other = 1 - lane;
            long before = roundsOf.get(other);
            waitsBeyond.set(lane, before);
            driver.await(
                    rounds.get(),
                    () ->
                            roundsOf.get(other) != before
                                    || waitsBeyond.get(other) == roundsOf.get(lane)
                                    || done);
            waitsBeyond.set(lane, -1);
        }
    }

    private static void raise(LitmusViolation found) {
        if (found != null) {
            throw found;
        }
    }
}
