package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.posix.EventFd;
import farslot.vfiouser.RawClient;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** The driver of an {@link IntxDevice}, and the counting of what reaches it. For one thread. */
abstract class IntxDriver implements AutoCloseable {
    /** How long without an interrupt until it is looked whether one was lost. */
    static final int LOOK_MILLIS = 500;

    private static final int COMMAND = 4;
    private static final int MEMORY_SPACE_AND_BUS_MASTER = 6;

    long delivered;

    /** Interrupts for which nothing needed service. */
    long spurious;

    /** Says that an interrupt was lost. */
    static final class Lost extends Exception {
        private static final long serialVersionUID = 1;

        Lost(String sentence) {
            super(sentence);
        }
    }

    abstract long read(long offset) throws IOException;

    abstract void write(long offset, long value) throws IOException;

    /** The end of the interrupt, behind what was written before. */
    abstract void unmask() throws IOException;

    /**
     * Waits for interrupts.
     *
     * @return how many came; 0 after a while
     */
    abstract long await() throws IOException, InterruptedException;

    /** What came until now, without waiting. */
    abstract long more() throws IOException;

    /**
     * Takes one interrupt after another until so many events are dealt with.
     *
     * @param asserted how often the function has told of an assertion, counted when it is sent
     * @param looksFirst whether the handler reads before it writes: an emulator unmasks behind the
     *     first access, so the function asserts once more
     */
    void drive(long events, boolean looksFirst, LongSupplier asserted)
            throws IOException, InterruptedException, Lost {
        write(IntxDevice.START, events);
        for (long event = 1; event <= events; ) {
            awaitOne(asserted);
            if (looksFirst) {
                boolean needed = read(IntxDevice.STATUS) != 0;
                unmask();
                if (!needed) {
                    spurious++;
                    continue;
                }
                write(IntxDevice.ACKNOWLEDGE, event++);
            } else {
                write(IntxDevice.ACKNOWLEDGE, event++);
                unmask();
            }
        }
        // Pushes what is still under way.
        read(IntxDevice.STATUS);
        delivered += more();
    }

    private void awaitOne(LongSupplier asserted) throws IOException, InterruptedException, Lost {
        boolean suspected = false;
        while (true) {
            long came = await();
            delivered += came;
            if (came > 0) {
                return;
            }
            // The answer comes behind every interrupt that was sent before it.
            long sent = asserted.getAsLong();
            boolean needed = read(IntxDevice.STATUS) != 0;
            came = more();
            delivered += came;
            if (came > 0) {
                return;
            }
            if (delivered < sent) {
                throw new Lost(sent + " assertions were sent, and " + delivered + " came");
            }
            if (needed && suspected) {
                throw new Lost("the function needs service, is unmasked and says nothing");
            }
            suspected = needed;
        }
    }

    @Override
    public abstract void close();

    /** A driver in Java: the function as any slot sees it. */
    static final class InJava extends IntxDriver implements PciHost {
        private final PciFunction function;
        private final Semaphore interrupts = new Semaphore(0);
        private final MemorySegment word = MemorySegment.ofArray(new long[1]);

        InJava(PciFunction function) {
            this.function = function;
            function.attach(this);
            word.set(ValueLayout.JAVA_LONG, 0, MEMORY_SPACE_AND_BUS_MASTER);
            MemorySegment command = word.asSlice(0, 2);
            function.write(Region.CONFIGURATION, COMMAND, command, 2, PciFunction.ALL_BYTES);
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        }

        @Override
        long read(long offset) throws IOException {
            success(function.read(0, offset, word, 8));
            return word.get(ValueLayout.JAVA_LONG, 0);
        }

        @Override
        void write(long offset, long value) throws IOException {
            word.set(ValueLayout.JAVA_LONG, 0, value);
            success(function.write(0, offset, word, 8, PciFunction.ALL_BYTES));
        }

        private static void success(CompletionStatus status) throws IOException {
            if (!status.isSuccess()) {
                throw new IOException("An access ended as " + status);
            }
        }

        @Override
        void unmask() {
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
        }

        @Override
        long await() throws InterruptedException {
            return interrupts.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS) ? 1 : 0;
        }

        @Override
        long more() {
            return interrupts.drainPermits();
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            interrupts.release();
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            return CompletionStatus.COMPLETER_ABORT;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            return CompletionStatus.COMPLETER_ABORT;
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return null;
        }

        @Override
        public boolean servedWhileWaiting(long address, long length) {
            return true;
        }

        @Override
        public void event(FunctionEvent event) {}

        @Override
        public void close() {}
    }

    /**
     * A vfio-user client with a descriptor for the end of interrupts, as QEMU under KVM has: the
     * acknowledging write goes by the socket, the unmask beside it.
     */
    static final class ByResample extends IntxDriver {
        private static final int SET_RESAMPLE = 0x14;

        private final RawClient client;
        private final EventFd event = EventFd.create();
        private final EventFd resample = EventFd.create();

        ByResample(java.nio.file.Path socket) throws IOException {
            client = RawClient.start(socket);
            client.write(Region.CONFIGURATION, COMMAND, 2, MEMORY_SPACE_AND_BUS_MASTER);
            client.events(0, 0, 1, event);
            client.setInterrupts(SET_RESAMPLE, 0, 0, 1, resample);
        }

        @Override
        long read(long offset) throws IOException {
            return client.value(0, offset, 8);
        }

        @Override
        void write(long offset, long value) throws IOException {
            client.post(0, offset, 8, value);
        }

        @Override
        void unmask() throws IOException {
            resample.signal();
        }

        @Override
        long await() throws IOException {
            return event.await(LOOK_MILLIS) ? event.drain() : 0;
        }

        @Override
        long more() throws IOException {
            return event.drain();
        }

        @Override
        public void close() {
            client.close();
            event.close();
            resample.close();
        }
    }
}
