package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaSegment;
import farslot.core.DmaTable;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.link.Messages.DmaRead;
import farslot.link.Messages.DmaWrite;
import farslot.link.Messages.Event;
import farslot.link.Messages.Interrupt;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The driver's side, as a lent function sees it: its memory by DMA, near where the slot passed the
 * memory's descriptor and by messages where not, and its interrupts.
 *
 * <p>Any thread may call, the dispatcher within a handler too: a DMA read there is answered while
 * the driver's own access waits.
 */
final class LinkedHost implements PciHost {
    /** Longer transfers are several messages, so that others get their turn between. */
    private static final int PIECE_BYTES = 0x10000;

    /** How many pieces of DMA reads of one call are under way at once. */
    private static final int WINDOW = 32;

    private final Connection link;
    private final PciFunction function;
    private final DmaTable table;
    private final String name;
    private final AtomicLong refusals = new AtomicLong();
    private final AtomicLong stale = new AtomicLong();

    /** How many DMA writes went by message, and how many of them have certainly arrived. */
    private final AtomicLong writesSent = new AtomicLong();

    private final AtomicLong writesPushed = new AtomicLong();
    private volatile boolean closed;
    private volatile boolean anyNear;

    LinkedHost(Connection link, PciFunction function, DmaTable table, String name) {
        this.link = link;
        this.function = function;
        this.table = table;
        this.name = name;
    }

    /** Nothing of the function reaches the slot after this. */
    void close() {
        closed = true;
    }

    /** What another process sent may still be on its way. */
    void assumeWritesUnderWay() {
        writesSent.incrementAndGet();
    }

    /** Whether any of the driver's memory is near. */
    void mapped(boolean near) {
        anyNear = near;
    }

    /**
     * Whether this process may reach the memory there itself. While DMA writes by message are on
     * their way it may not: what follows them would be seen before them. It goes the same way then,
     * until a DMA read by message has come back behind them.
     */
    private boolean isReached(long address, long length, Direction direction) {
        return anyNear
                && writesPushed.get() == writesSent.get()
                && table.near(address, length, direction) != null;
    }

    private boolean isStale(int generation) {
        if (generation == function.generation()) {
            return false;
        }
        stale.incrementAndGet();
        return true;
    }

    /** How many calls of older generations were dropped. */
    long staleCount() {
        return stale.get();
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        if (!closed && isReached(address, into.byteSize(), Direction.READ)) {
            return isStale(generation)
                    ? CompletionStatus.STALE_GENERATION
                    : table.read(address, into, null);
        }
        return readAll(generation, List.of(new DmaSegment(address, into)));
    }

    @Override
    public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
        if (isStale(generation)) {
            return CompletionStatus.STALE_GENERATION;
        }
        if (closed) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        FarReads far = new FarReads(generation);
        CompletionStatus status = CompletionStatus.SUCCESS;
        for (DmaSegment segment : segments) {
            status = readOne(far, segment.address(), segment.data());
            if (!status.isSuccess()) {
                break;
            }
        }
        CompletionStatus rest = far.awaitAll();
        return status.isSuccess() ? rest : status;
    }

    private CompletionStatus readOne(FarReads far, long address, MemorySegment into) {
        long length = into.byteSize();
        if (length == 0) {
            return CompletionStatus.SUCCESS;
        }
        if (isReached(address, length, Direction.READ)) {
            return table.read(address, into, null);
        }
        List<DmaTable.Piece> pieces = table.resolve(address, length, Direction.READ);
        if (pieces.isEmpty()) {
            return refuse(address, length, Direction.READ);
        }
        long done = 0;
        for (DmaTable.Piece piece : pieces) {
            MemorySegment part = into.asSlice(done, piece.length());
            CompletionStatus status = CompletionStatus.SUCCESS;
            if (isReached(piece.address(), piece.length(), Direction.READ)) {
                status = table.read(piece.address(), part, null);
            } else {
                far.add(piece.address(), part);
            }
            if (!status.isSuccess()) {
                return status;
            }
            done += piece.length();
        }
        return CompletionStatus.SUCCESS;
    }

    /** DMA reads by message, many under way at once. */
    private final class FarReads {
        private final int generation;
        private final long writesBefore = writesSent.get();
        private final ArrayDeque<Request> underWay = new ArrayDeque<>(4);
        private CompletionStatus status = CompletionStatus.SUCCESS;

        FarReads(int generation) {
            this.generation = generation;
        }

        void add(long address, MemorySegment into) {
            for (long at = 0; at < into.byteSize(); at += PIECE_BYTES) {
                long length = Math.min(PIECE_BYTES, into.byteSize() - at);
                if (underWay.size() == WINDOW) {
                    awaitFirst();
                }
                if (!send(address + at, into.asSlice(at, length))) {
                    status = CompletionStatus.TIMED_OUT;
                    return;
                }
            }
        }

        private boolean send(long address, MemorySegment into) {
            // All places may be taken by reads of this very call.
            while (!underWay.isEmpty() && !link.hasFreeRequest()) {
                awaitFirst();
            }
            Request request = link.request(DmaRead.TYPE, into, 0);
            if (request == null) {
                return false;
            }
            int at =
                    link.out.begin(
                            DmaRead.TYPE,
                            Messages.NON_POSTED,
                            generation,
                            request.tag,
                            DmaRead.BYTES);
            if (at < 0) {
                link.release(request);
                return false;
            }
            DmaRead.ADDRESS.set(link.out.memory(), at, address);
            DmaRead.LENGTH.set(link.out.memory(), at, into.byteSize());
            link.out.end(false);
            underWay.add(request);
            return true;
        }

        /** Waits for the first; all that are under way have been sent by then. */
        private void awaitFirst() {
            link.out.flush();
            CompletionStatus one = link.await(underWay.remove(), 0);
            if (one != null && one.isSuccess()) {
                writesPushed.accumulateAndGet(writesBefore, Math::max);
            }
            if (status.isSuccess()) {
                status = one;
            }
        }

        CompletionStatus awaitAll() {
            while (!underWay.isEmpty()) {
                awaitFirst();
            }
            return status;
        }
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        CompletionStatus status = writeOne(generation, address, from);
        link.out.flush();
        return status;
    }

    @Override
    public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
        for (DmaSegment segment : segments) {
            CompletionStatus status = writeOne(generation, segment.address(), segment.data());
            if (!status.isSuccess()) {
                link.out.flush();
                return status;
            }
        }
        link.out.flush();
        return CompletionStatus.SUCCESS;
    }

    private CompletionStatus writeOne(int generation, long address, MemorySegment from) {
        if (isStale(generation)) {
            return CompletionStatus.STALE_GENERATION;
        }
        long length = from.byteSize();
        if (length == 0) {
            return CompletionStatus.SUCCESS;
        }
        if (closed) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        if (isReached(address, length, Direction.WRITE)) {
            return table.write(address, from, null);
        }
        List<DmaTable.Piece> pieces = table.resolve(address, length, Direction.WRITE);
        if (pieces.isEmpty()) {
            return refuse(address, length, Direction.WRITE);
        }
        long done = 0;
        for (DmaTable.Piece piece : pieces) {
            MemorySegment part = from.asSlice(done, piece.length());
            CompletionStatus status =
                    isReached(piece.address(), piece.length(), Direction.WRITE)
                            ? table.write(piece.address(), part, null)
                            : writeFar(generation, piece.address(), part);
            if (!status.isSuccess()) {
                return status;
            }
            done += piece.length();
        }
        return CompletionStatus.SUCCESS;
    }

    private CompletionStatus writeFar(int generation, long address, MemorySegment from) {
        for (long done = 0; done < from.byteSize(); done += PIECE_BYTES) {
            long length = Math.min(PIECE_BYTES, from.byteSize() - done);
            if (!send(generation, address + done, from.asSlice(done, length))) {
                return CompletionStatus.TIMED_OUT;
            }
            // Behind the frame, so that a read that counts it comes behind it too.
            writesSent.incrementAndGet();
        }
        return CompletionStatus.SUCCESS;
    }

    /** Sends one piece; a short one may wait for the next flush. */
    private boolean send(int generation, long address, MemorySegment piece) {
        Outbox out = link.out;
        long length = piece.byteSize();
        int bytes = DmaWrite.DATA_AT + (int) length;
        int at = out.begin(DmaWrite.TYPE, Messages.POSTED, generation, 0, bytes);
        if (at < 0) {
            return false;
        }
        DmaWrite.ADDRESS.set(out.memory(), at, address);
        MemorySegment.copy(piece, 0, out.memory(), at + (long) DmaWrite.DATA_AT, length);
        out.end(Outbox.isLong(length));
        return true;
    }

    private CompletionStatus refuse(long address, long length, Direction direction) {
        String why =
                String.format(
                        "The driver mapped no memory there for the function to %s.",
                        direction == Direction.READ ? "read" : "write");
        FunctionEvent.DmaRefused refused =
                new FunctionEvent.DmaRefused(address, length, direction, why);
        logRefusal(refused);
        event(refused);
        return CompletionStatus.COMPLETER_ABORT;
    }

    /** Logs the 1st, 2nd, 4th, 8th, ... so that a wild device does not fill the log. */
    void logRefusal(FunctionEvent.DmaRefused refused) {
        long number = refusals.incrementAndGet();
        if (Long.bitCount(number) == 1) {
            Connection.LOG.log(
                    Level.WARNING,
                    String.format(
                            "%s: DMA %s of 0x%x bytes at 0x%x refused (number %d): %s",
                            name,
                            refused.direction() == Direction.READ ? "read" : "write",
                            refused.length(),
                            refused.address(),
                            number,
                            refused.sentence()));
        }
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return closed || isStale(generation) || !isReached(address, length, direction)
                ? null
                : table.near(address, length, direction);
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return table.servedWhileWaiting(address, length);
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        if (closed || isStale(generation)) {
            return;
        }
        int at = link.out.begin(Interrupt.TYPE, Messages.POSTED, generation, 0, Interrupt.BYTES);
        if (at >= 0) {
            Interrupt.KIND.set(link.out.memory(), at, kind.code());
            Interrupt.VECTOR.set(link.out.memory(), at, vector);
            link.out.end(true);
        }
    }

    @Override
    public void event(FunctionEvent event) {
        if (closed) {
            return;
        }
        Composer payload = new Composer();
        Messages.compose(event, payload);
        link.send(Event.TYPE, Messages.POSTED, 0, payload.toBytes());
    }
}
