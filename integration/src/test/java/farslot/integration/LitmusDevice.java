package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.ResetKind;
import farslot.sdk.AreaHandler;
import farslot.sdk.Device;
import farslot.sdk.Dma;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import farslot.sdk.Tasks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The device's half of each litmus test. Its driver ({@link LitmusDriver}) starts a program by a
 * register; the program then does round after round by DMA and interrupts, as far ahead of the
 * driver as {@link #RING} allows. What is written in round n is n, everywhere.
 */
final class LitmusDevice implements Device {
    // BAR0. All registers have 8 bytes.
    static final long PROGRAM = 0x00;
    static final long SEED = 0x08;

    /** The last round that the driver has looked at. */
    static final long CONSUMED = 0x10;

    /** How far events run ahead of acknowledgements; 0 for as it comes. */
    static final long PACE = 0x18;

    /** Written n: DMA of n to {@link #ANSWER_AT}, in the handler. */
    static final long GO = 0x20;

    static final long ANSWER = 0x28;

    /** Read: DMA of the next number to {@link #ANSWER_BY_READ_AT} first, then that number. */
    static final long ANSWER_BY_READ = 0x30;

    /** The last number that the counting program has written to {@link #COUNTER_AT}. */
    static final long COUNTED = 0x38;

    static final long ACKNOWLEDGE = 0x40;
    static final long FIRST = 0x48;

    /** Written: one more event, in the handler. */
    static final long TRIGGER = 0x50;

    /** Two values to write, both to read at once, and one that is kept; for each lane. */
    static final long PAIR_A = 0x80;

    static final long PAIR_B = 0x88;
    static final long PAIR = 0x90;
    static final long SCRATCH = 0x98;
    static final long LANE_BYTES = 0x20;
    static final int LANES = 2;

    /** BAR2's and BAR4's only registers; BAR4 is I/O ports, so it takes 4 bytes and completes. */
    static final long SECOND = 0;

    static final long THIRD = 0;

    // The driver's memory: two maps.
    static final long DATA = 0x10_0000;
    static final long DATA_BYTES = 0x4_0000;
    static final long FLAGS = 0x40_0000;
    static final long FLAGS_BYTES = 0x1_0000;

    static final int RING = 128;

    static final long MOST_DATA_BYTES = 0x400;

    /** More than a link carries in one message; one round in 256 has it. */
    static final long LARGE_BYTES = 0x1_4000;

    static final long LARGE_AT = DATA + RING * MOST_DATA_BYTES;
    static final long ANSWER_AT = DATA + 0x3_8000;
    static final long ANSWER_BY_READ_AT = FLAGS + 0x3000;
    static final long COUNTER_AT = DATA + 0x3_8040;
    static final long ENTRIES_AT = FLAGS + 0x1000;
    static final long ENTRY_BYTES = 64;
    static final long EVENTS_AT = FLAGS + 0x3040;
    static final long BLOCKS_AT = FLAGS + 0x4000;
    static final long BLOCK_BYTES = 0x200;
    static final int BLOCKS = 8;

    /** Each lane's blocks, and as much behind them that stays zero. */
    static final long LANE_BLOCKS_BYTES = 2 * BLOCKS * BLOCK_BYTES;

    /** What the driver wrote for the device to read: each word is its own address. */
    static final long SOURCE_AT = FLAGS + 0xc000;

    static final long SOURCE_BYTES = 0x1000;

    /** What the device does by itself. */
    enum Program {
        IDLE(0),
        /** Data, then an interrupt. */
        INTERRUPTS(1),
        /** Data, then its flag. */
        FLAGS(2),
        /** Completion entries. */
        ENTRIES(3),
        /** A counter, at {@link LitmusDevice#COUNTER_AT}. */
        COUNTER(4),
        /** Events that INTx tells of, until each is acknowledged. */
        EVENTS(5),
        /** A look at what the driver writes to two regions. */
        WATCH(6),
        /** Blocks to and from memory, on a thread for each lane. */
        BLOCKS(7);

        private final int code;

        Program(int code) {
            this.code = code;
        }

        /** What the driver writes to {@link LitmusDevice#PROGRAM}. */
        int code() {
            return code;
        }

        static Program ofCode(long code) {
            for (Program program : values()) {
                if (program.code == code) {
                    return program;
                }
            }
            return IDLE;
        }
    }

    /** What the device itself saw that must not be. */
    record Fault(long round, String seen) {}

    private static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x11f5, 0x1af4, 0x1100, 0xff0000, 1);

    static final long IDENTITY_WORD = 0x11f5_1234L;

    private final AtomicReference<Fault> fault = new AtomicReference<>();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicLong contested = new AtomicLong();
    private final AtomicLong blocks = new AtomicLong();
    private final Object turn = new Object();

    private Dma dma;
    private Interrupts interrupts;
    private Tasks tasks;

    private volatile Program program = Program.IDLE;
    private volatile long seed;
    private volatile long pace;
    private volatile long consumed;
    private volatile long counted;
    private volatile long acknowledged;
    private volatile long first;
    private volatile long second;

    /** Changed in the function's order alone. */
    private volatile long events;

    // Used in the function's order alone.
    private final MemorySegment word = words(8);
    private long answer;
    private long answersByRead;
    private long third;
    private long accesses;
    private final long[] accessesAtA = new long[LANES];
    private final long[] b = new long[LANES];
    private final long[] scratch = new long[LANES];
    private final AtomicLongArray a = new AtomicLongArray(LANES);

    // What the test looks at from outside.

    /** The first thing that the device saw and that must not be, or null. */
    Fault fault() {
        return fault.get();
    }

    /** How often the device was met in the middle of something, as each program counts it. */
    long contested() {
        return contested.get();
    }

    /** Whether the driver's posted write of this round is done. */
    boolean hasTaken(int lane, long round) {
        return a.get(lane) == round;
    }

    /** How many blocks were written and read back. */
    long blocksDone() {
        return blocks.get();
    }

    /** How much is written in a round. */
    static long dataBytes(long seed, long round) {
        if ((round & 0xff) == 0xff) {
            return LARGE_BYTES;
        }
        return switch ((int) mix(seed + round) & 7) {
            case 0 -> MOST_DATA_BYTES;
            case 1 -> 0x108;
            case 2, 3 -> 0x40;
            default -> 8;
        };
    }

    /**
     * Whether the device waits before this round until its driver waits for it. By turns there are
     * many such rounds and none, so that much is under way at once too.
     */
    static boolean isLockstep(long round) {
        return (round & 0x87) == 0;
    }

    static long dataAt(long round) {
        return (round & 0xff) == 0xff ? LARGE_AT : DATA + round % RING * MOST_DATA_BYTES;
    }

    static long flagAt(long round) {
        return FLAGS + round % RING * 8;
    }

    static long entryAt(long round) {
        return ENTRIES_AT + round % RING * ENTRY_BYTES;
    }

    /** 16 bytes as NVMe's and xHCI's entries have, and 32 and 64. */
    static long entryBytes(long round) {
        return 16L << round % 3;
    }

    static long blockAt(int lane, long round) {
        return BLOCKS_AT + lane * LANE_BLOCKS_BYTES + round % BLOCKS * BLOCK_BYTES;
    }

    static long blockWord(int lane, long round, long index) {
        return (lane + 1L) << 56 | round << 8 | index;
    }

    /** SplitMix64's finish: a number for a number, with nothing to remember. */
    static long mix(long number) {
        long z = number * 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    @Override
    public void assemble(FunctionBuilder function) {
        dma = function.dma();
        interrupts = function.interrupts();
        tasks = function.tasks();
        function.identity(IDENTITY).intx(1).msi(1);
        function.memoryBar(0, 0x1000).area(0, 0x100, handler(this::readFirst, this::writeFirst));
        function.memoryBar(2, 0x1000)
                .area(0, 8, handler(offset -> second, (offset, value) -> takeSecond(value)));
        function.ioBar(4, 0x10)
                .area(0, 4, handler(offset -> third, (offset, value) -> takeThird(value)));
    }

    private interface Read {
        long at(long offset);
    }

    private interface Write {
        void at(long offset, long value);
    }

    private static AreaHandler handler(Read read, Write write) {
        return new AreaHandler() {
            @Override
            public long read(long offset, int sizeBytes) {
                return read.at(offset);
            }

            @Override
            public void write(long offset, int sizeBytes, long value) {
                write.at(offset, value);
            }
        };
    }

    @Override
    public void reset(ResetKind kind) {
        begin(Program.IDLE);
    }

    @Override
    public void close() {
        begin(Program.IDLE);
    }

    // Registers.

    private long readFirst(long offset) {
        accesses++;
        if (offset >= PAIR_A) {
            int lane = (int) ((offset - PAIR_A) / LANE_BYTES);
            return lane >= LANES ? 0 : readLane(lane, offset - lane * LANE_BYTES);
        }
        if (offset == PROGRAM) {
            return running.get();
        } else if (offset == ANSWER) {
            return answer;
        } else if (offset == ANSWER_BY_READ) {
            return answerByRead();
        } else if (offset == COUNTED) {
            return readCounted();
        }
        return 0;
    }

    private long readLane(int lane, long register) {
        if (register == PAIR) {
            if (accesses - accessesAtA[lane] != 2) {
                contested.incrementAndGet();
            }
            return a.get(lane) << 32 | (b[lane] & 0xffff_ffffL);
        }
        return register == SCRATCH ? scratch[lane] : 0;
    }

    private void writeFirst(long offset, long value) {
        accesses++;
        if (offset >= PAIR_A) {
            int lane = (int) ((offset - PAIR_A) / LANE_BYTES);
            if (lane < LANES) {
                writeLane(lane, offset - lane * LANE_BYTES, value);
            }
        } else if (offset == PROGRAM) {
            begin(Program.ofCode(value));
        } else if (offset == SEED) {
            seed = value;
        } else if (offset == CONSUMED) {
            consume(value);
        } else if (offset == PACE) {
            pace = value;
        } else if (offset == GO) {
            write(ANSWER_AT, value, word);
            answer = value;
        } else if (offset == ACKNOWLEDGE) {
            acknowledge(value);
        } else if (offset == TRIGGER) {
            event();
        } else if (offset == FIRST) {
            takeFirst(value);
        }
    }

    private void writeLane(int lane, long register, long value) {
        if (register == PAIR_A) {
            accessesAtA[lane] = accesses;
            a.set(lane, value);
        } else if (register == PAIR_B) {
            b[lane] = value;
        } else if (register == SCRATCH) {
            scratch[lane] = value;
        }
    }

    private long answerByRead() {
        answersByRead++;
        write(ANSWER_BY_READ_AT, answersByRead, word);
        return answersByRead;
    }

    private long readCounted() {
        long now = counted;
        if (consumed < now) {
            consume(now);
        }
        return now;
    }

    private void takeFirst(long value) {
        if (second != value - 1) {
            fault(value, "BAR0 has " + value + " and BAR2, written before it, " + second);
        }
        first = value;
    }

    private void takeSecond(long value) {
        if (first != value) {
            fault(value, "BAR2 has " + value + " and BAR0, written before it, " + first);
        }
        second = value;
    }

    private void takeThird(long value) {
        third = value;
        if ((int) first != (int) value || (int) second != (int) value) {
            fault(
                    value,
                    "The I/O port has "
                            + value
                            + ", BAR0 and BAR2, written before it, "
                            + first
                            + " and "
                            + second);
        }
    }

    // Programs.

    private void begin(Program next) {
        synchronized (turn) {
            program = next;
            consumed = 0;
            counted = 0;
            acknowledged = 0;
            events = 0;
            blocks.set(0);
            turn.notifyAll();
        }
        switch (next) {
            case IDLE -> {}
            case INTERRUPTS -> start(this::interruptRounds);
            case FLAGS -> start(this::flagRounds);
            case ENTRIES -> start(this::entryRounds);
            case COUNTER -> start(this::counterRounds);
            case EVENTS -> start(this::eventRounds);
            case WATCH -> start(this::watch);
            case BLOCKS -> {
                for (int lane = 0; lane < LANES; lane++) {
                    int mine = lane;
                    start(() -> blockRounds(mine));
                }
            }
        }
    }

    private void start(Runnable rounds) {
        running.incrementAndGet();
        boolean started =
                tasks.start(() -> {
                    try {
                        rounds.run();
                    } finally {
                        running.decrementAndGet();
                    }
                });
        if (!started) {
            running.decrementAndGet();
        }
    }

    private void consume(long upTo) {
        synchronized (turn) {
            consumed = upTo;
            turn.notifyAll();
        }
    }

    /** Waits until the driver is near enough to this round; false where the program is to end. */
    @SuppressWarnings("ThreadPriorityCheck") // Nothing depends on it: others need the processor.
    private boolean awaitTurn(Program mine, long round, long ahead) {
        for (int spin = 0; spin < 300 && consumed + ahead < round; spin++) {
            Thread.onSpinWait();
        }
        for (int spin = 0; spin < 20 && consumed + ahead < round; spin++) {
            Thread.yield();
        }
        if (consumed + ahead < round) {
            synchronized (turn) {
                while (program == mine && consumed + ahead < round && !tasks.isStale()) {
                    try {
                        turn.wait(100);
                    } catch (InterruptedException e) {
                        return false;
                    }
                }
            }
        }
        return program == mine && !tasks.isStale();
    }

    /** Begins a round a moment later, so that the driver mostly is there and looks. */
    private boolean awaitDriver(Program mine, long round) {
        boolean goesOn = awaitTurn(mine, round, isLockstep(round) ? 1 : RING);
        for (long spin = mix(seed - round) & 0x3f; goesOn && spin > 0; spin--) {
            Thread.onSpinWait();
        }
        return goesOn;
    }

    private void interruptRounds() {
        MemorySegment buffer = words(LARGE_BYTES);
        for (long round = 1; awaitDriver(Program.INTERRUPTS, round); round++) {
            writeData(round, buffer);
            interrupts.raise(0);
        }
    }

    private void flagRounds() {
        MemorySegment buffer = words(LARGE_BYTES);
        MemorySegment flag = words(8);
        for (long round = 1; awaitDriver(Program.FLAGS, round); round++) {
            writeData(round, buffer);
            write(flagAt(round), round, flag);
        }
    }

    private void writeData(long round, MemorySegment buffer) {
        MemorySegment data = buffer.asSlice(0, dataBytes(seed, round));
        for (long at = 0; at < data.byteSize(); at += 8) {
            data.set(ValueLayout.JAVA_LONG, at, round);
        }
        note(round, dma.write(dataAt(round), data));
    }

    private void entryRounds() {
        MemorySegment buffer = words(ENTRY_BYTES);
        for (long round = 1; awaitDriver(Program.ENTRIES, round); round++) {
            MemorySegment entry = buffer.asSlice(0, entryBytes(round));
            for (long at = 0; at < entry.byteSize(); at += 8) {
                entry.set(ValueLayout.JAVA_LONG, at, round);
            }
            note(round, dma.write(entryAt(round), entry));
        }
    }

    private void counterRounds() {
        MemorySegment buffer = words(8);
        for (long round = 1; awaitTurn(Program.COUNTER, round, 16); round++) {
            write(COUNTER_AT, round, buffer);
            counted = round;
        }
    }

    private void eventRounds() {
        for (long round = 1; ; round++) {
            long ahead = pace != 0 ? pace : 1 + (mix(seed + round) & 3);
            if (!awaitTurn(Program.EVENTS, events + 1, ahead)) {
                return;
            }
            tasks.inOrder(this::event);
        }
    }

    private void event() {
        long event = events + 1;
        events = event;
        write(EVENTS_AT, event, word);
        if (event > acknowledged) {
            interrupts.raise(0);
        }
    }

    private void acknowledge(long upTo) {
        acknowledged = Math.max(acknowledged, upTo);
        if (acknowledged >= events) {
            interrupts.lower(0);
        } else {
            // Behind this write comes the unmask, and the level is still there.
            contested.incrementAndGet();
        }
        consume(acknowledged);
    }

    @SuppressWarnings("ThreadPriorityCheck") // Nothing depends on it: others need the processor.
    private void watch() {
        long between = -1;
        for (long look = 0; program == Program.WATCH && !tasks.isStale(); look++) {
            long later = second;
            long earlier = first;
            if (earlier < later) {
                fault(later, "A look from beside saw BAR2 at " + later + ", BAR0 at " + earlier);
            }
            if (earlier != later && later != between) {
                contested.incrementAndGet();
                between = later;
            }
            if ((look & 0x3f) == 0) {
                Thread.yield();
            }
        }
    }

    private void blockRounds(int lane) {
        MemorySegment out = words(BLOCK_BYTES);
        MemorySegment in = words(SOURCE_BYTES);
        for (long round = 1; program == Program.BLOCKS && !tasks.isStale(); round++) {
            for (long index = 0; index < BLOCK_BYTES / 8; index++) {
                out.setAtIndex(ValueLayout.JAVA_LONG, index, blockWord(lane, round, index));
            }
            note(round, dma.write(blockAt(lane, round), out));
            MemorySegment back = in.asSlice(0, BLOCK_BYTES);
            note(round, dma.read(blockAt(lane, round), back));
            long wrong = out.mismatch(back);
            if (wrong >= 0) {
                fault(round, "Read back behind its write, block differs at byte " + wrong);
            }
            if ((round & 3) == 0) {
                note(round, dma.read(SOURCE_AT, in));
                checkSource(round, in);
            }
            blocks.incrementAndGet();
        }
    }

    private void checkSource(long round, MemorySegment in) {
        for (long at = 0; at < SOURCE_BYTES; at += 8) {
            long read = in.get(ValueLayout.JAVA_LONG, at);
            if (read != SOURCE_AT + at) {
                fault(round, "DMA read 0x" + Long.toHexString(read) + " at source byte " + at);
                return;
            }
        }
    }

    private void write(long address, long value, MemorySegment buffer) {
        buffer.set(ValueLayout.JAVA_LONG, 0, value);
        note(value, dma.write(address, buffer));
    }

    private void note(long round, CompletionStatus status) {
        if (!status.isSuccess() && program != Program.IDLE && !tasks.isStale()) {
            fault(round, "DMA ended as " + status);
        }
    }

    private void fault(long round, String seen) {
        fault.compareAndSet(null, new Fault(round, seen));
    }

    private static MemorySegment words(long bytes) {
        return Arena.ofAuto().allocate(bytes, 8);
    }
}
