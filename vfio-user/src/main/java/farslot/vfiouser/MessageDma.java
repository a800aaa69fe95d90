package farslot.vfiouser;

import farslot.core.CompletionStatus;
import farslot.core.DmaTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * DMA to memory that the client does not share: DMA_READ and DMA_WRITE messages, each waited for,
 * so that what follows a write (an interrupt) comes after it.
 *
 * <p>QEMU serves these only while none of its processors waits for an answer of this server, so
 * none is sent while one is owed; a DMA whose own access waits for it can never end and is refused
 * at once. QEMU loses the rest of answers that it could write in part only, so no more than {@link
 * #MOST_OUTSTANDING_BYTES} are under way and another thread always reads.
 */
final class MessageDma implements DmaTable.Far {
    static final int CHUNK_BYTES = 0x8000;
    static final int MOST_OUTSTANDING_BYTES = 3 * CHUNK_BYTES;

    /** How long a transfer waits while the client itself waits for an answer, and otherwise. */
    private static final long OWED_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(3);

    private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long LOOK_AGAIN_MILLIS = 1;

    /** What this needs of the connection. */
    interface Connection {
        void send(MemorySegment message, long lengthBytes) throws IOException;

        /** Whether the client waits for an answer. */
        boolean owesReply();

        /** Whether this thread is the one that answers the client. */
        boolean isServing(Thread thread);

        /** Sees to it that a thread reads while another one waits for the function. */
        void keepReading() throws IOException;

        void complain(String sentence);
    }

    private final Connection connection;
    private final Object lock = new Object();
    private final Map<Integer, Transfer> transfers = new HashMap<>();
    private int maxChunk = CHUNK_BYTES;
    private int outstandingBytes;
    private int nextId;

    /** Why no transfer is begun now; null where they are. */
    private CompletionStatus stopped;

    /** The client answers in a layout of its own. */
    private boolean misplaced;

    MessageDma(Connection connection) {
        this.connection = connection;
    }

    /** One message that was sent. */
    private static final class Transfer {
        final int command;
        final long address;
        final int length;
        final byte[] data;
        CompletionStatus status;

        Transfer(int command, long address, int length) {
            this.command = command;
            this.address = address;
            this.length = length;
            this.data = command == Messages.DMA_READ ? new byte[length] : null;
        }
    }

    void maxDataBytes(int clients) {
        synchronized (lock) {
            maxChunk = Math.min(CHUNK_BYTES, clients);
        }
    }

    @Override
    public CompletionStatus read(long address, MemorySegment into) {
        return inChunks(Messages.DMA_READ, address, into);
    }

    @Override
    public CompletionStatus write(long address, MemorySegment from) {
        return inChunks(Messages.DMA_WRITE, address, from);
    }

    private CompletionStatus inChunks(int command, long address, MemorySegment data) {
        try {
            connection.keepReading();
            for (long done = 0; done < data.byteSize(); ) {
                int length = (int) Math.min(maxChunk(), data.byteSize() - done);
                MemorySegment chunk = data.asSlice(done, length);
                CompletionStatus status = transfer(command, address + done, chunk);
                if (!status.isSuccess()) {
                    return status;
                }
                done += length;
            }
            return CompletionStatus.SUCCESS;
        } catch (IOException broken) {
            return CompletionStatus.COMPLETER_ABORT;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return CompletionStatus.TIMED_OUT;
        }
    }

    private int maxChunk() {
        synchronized (lock) {
            return maxChunk;
        }
    }

    private CompletionStatus transfer(int command, long address, MemorySegment data)
            throws IOException, InterruptedException {
        int length = (int) data.byteSize();
        Transfer transfer = new Transfer(command, address, length);
        int id;
        synchronized (lock) {
            Patience patience = new Patience(transfer);
            while (stopped == null
                    && (connection.owesReply()
                            || outstandingBytes + length > MOST_OUTSTANDING_BYTES)) {
                if (patience.isOver()) {
                    return transfer.status;
                }
                lock.wait(LOOK_AGAIN_MILLIS);
            }
            if (stopped != null) {
                return stopped;
            }
            if (misplaced) {
                return CompletionStatus.COMPLETER_ABORT;
            }
            do {
                id = nextId++ & 0xffff;
            } while (transfers.containsKey(id));
            transfers.put(id, transfer);
            outstandingBytes += length;
        }
        try {
            send(id, command, address, data);
            await(transfer);
        } finally {
            synchronized (lock) {
                transfers.remove(id);
                outstandingBytes -= length;
                lock.notifyAll();
            }
        }
        if (transfer.status.isSuccess() && command == Messages.DMA_READ) {
            MemorySegment.copy(MemorySegment.ofArray(transfer.data), 0, data, 0, length);
        }
        return transfer.status;
    }

    private void send(int id, int command, long address, MemorySegment data) throws IOException {
        boolean write = command == Messages.DMA_WRITE;
        int length = (int) data.byteSize();
        int size = Messages.HEADER_BYTES + Messages.DMA_DATA + (write ? length : 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = arena.allocate(size, 8);
            message.set(Messages.U16, Messages.HEADER_ID, (short) id);
            message.set(Messages.U16, Messages.HEADER_COMMAND, (short) command);
            message.set(Messages.U32, Messages.HEADER_SIZE, size);
            long payload = Messages.HEADER_BYTES;
            message.set(Messages.U64, payload + Messages.DMA_ADDRESS, address);
            message.set(Messages.U64, payload + Messages.DMA_COUNT, length);
            if (write) {
                MemorySegment.copy(data, 0, message, payload + Messages.DMA_DATA, length);
            }
            connection.send(message, size);
        }
    }

    private void await(Transfer transfer) throws InterruptedException {
        synchronized (lock) {
            Patience patience = new Patience(transfer);
            while (transfer.status == null && !patience.isOver()) {
                lock.wait(LOOK_AGAIN_MILLIS);
            }
        }
    }

    /** How long a transfer is still waited for. Sets the transfer's status when it is over. */
    private final class Patience {
        private final Transfer transfer;
        private final boolean byTheServingThread = connection.isServing(Thread.currentThread());
        private final long begin = System.nanoTime();
        private long owedSince;
        private boolean owed;

        Patience(Transfer transfer) {
            this.transfer = transfer;
        }

        boolean isOver() {
            long now = System.nanoTime();
            boolean owedNow = connection.owesReply();
            if (owedNow && !owed) {
                owedSince = now;
            }
            owed = owedNow;
            if (owed && byTheServingThread) {
                transfer.status = CompletionStatus.COMPLETER_ABORT;
                connection.complain(
                        describe()
                                + " is refused: it is done within a register access, an access of"
                                + " the driver waits behind it, and the emulator, which shares no"
                                + " memory, serves no DMA while one waits. Share the VM's memory"
                                + " (share=on).");
                return true;
            }
            if ((owed && now - owedSince > OWED_TIMEOUT_NANOS) || now - begin > TIMEOUT_NANOS) {
                transfer.status = CompletionStatus.TIMED_OUT;
                connection.complain(
                        describe() + " got no answer from the emulator in time. " + ADVICE);
                return true;
            }
            return false;
        }

        private String describe() {
            return String.format(
                    "%s of 0x%x bytes at 0x%x",
                    Messages.name(transfer.command), transfer.length, transfer.address);
        }
    }

    static final String ADVICE =
            "The emulator's memory is not shared, so DMA goes by messages; add"
                    + " \"-object memory-backend-memfd,id=mem,share=on,size=SIZE -machine"
                    + " memory-backend=mem\" to QEMU's arguments, SIZE as with -m.";

    /** Takes an answer; by the thread that reads. One that nobody waits for any more is dropped. */
    void answered(Message reply) {
        synchronized (lock) {
            Transfer transfer = transfers.get(reply.id());
            if (transfer == null || transfer.status != null) {
                return;
            }
            transfer.status = check(transfer, reply);
            lock.notifyAll();
        }
    }

    private CompletionStatus check(Transfer transfer, Message reply) {
        if (isMisplaced(transfer, reply)) {
            misplaced = true;
            connection.complain(
                    "The emulator's answer to DMA_READ has its data 4 bytes too early, as QEMU"
                            + " 10.1 and 10.2 may send it. Its DMA by messages would be wrong and"
                            + " is refused from here on. "
                            + ADVICE);
            return CompletionStatus.COMPLETER_ABORT;
        }
        if (reply.isError()) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        int wanted = Messages.DMA_DATA;
        if (transfer.command == Messages.DMA_READ) {
            wanted += transfer.length;
        }
        if (reply.command() != transfer.command
                || reply.payloadBytes() < wanted
                || reply.u64(Messages.DMA_ADDRESS) != transfer.address
                || (transfer.data != null && reply.u64(Messages.DMA_COUNT) != transfer.length)) {
            connection.complain(
                    "An answer of "
                            + reply.payloadBytes()
                            + " bytes to "
                            + Messages.name(transfer.command)
                            + " is not what was asked for; the DMA failed.");
            return CompletionStatus.COMPLETER_ABORT;
        }
        if (transfer.command == Messages.DMA_READ) {
            reply.copyPayload(
                    Messages.DMA_DATA, MemorySegment.ofArray(transfer.data), 0, transfer.length);
        }
        return CompletionStatus.SUCCESS;
    }

    /**
     * Whether data stands where the upper half of the count belongs. The answer's length does not
     * tell, nor does the answer to a DMA_WRITE; data that begins with zeros is not recognised.
     */
    private static boolean isMisplaced(Transfer transfer, Message reply) {
        return transfer.command == Messages.DMA_READ
                && !reply.isError()
                && reply.command() == Messages.DMA_READ
                && reply.payloadBytes() == Messages.DMA_DATA + transfer.length
                && (int) reply.u64(Messages.DMA_COUNT) == transfer.length
                && reply.u64(Messages.DMA_COUNT) != transfer.length;
    }

    /** Ends the transfers that reach into a range that is taken back. */
    void abort(long address, long length) {
        synchronized (lock) {
            long last = address + length - 1;
            for (Transfer transfer : transfers.values()) {
                boolean before =
                        Long.compareUnsigned(transfer.address + transfer.length - 1, address) < 0;
                boolean behind = Long.compareUnsigned(transfer.address, last) > 0;
                if (transfer.status == null && !before && !behind) {
                    transfer.status = CompletionStatus.COMPLETER_ABORT;
                }
            }
            lock.notifyAll();
        }
    }

    /** Ends all transfers and begins none until {@link #resume}. */
    void stop(CompletionStatus why) {
        synchronized (lock) {
            stopped = why;
            for (Transfer transfer : transfers.values()) {
                if (transfer.status == null) {
                    transfer.status = why;
                }
            }
            lock.notifyAll();
        }
    }

    void resume() {
        synchronized (lock) {
            stopped = null;
            lock.notifyAll();
        }
    }
}
