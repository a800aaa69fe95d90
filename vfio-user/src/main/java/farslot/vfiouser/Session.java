package farslot.vfiouser;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaTable;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.posix.Errno;
import farslot.posix.EventFd;
import farslot.posix.MappedMemory;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One client of a {@link VfioUserServer}, from its first message to its last: answers its messages
 * by asking the function, and is the function's host meanwhile.
 *
 * <p>The thread that reads the socket serves the accesses itself. There are two exceptions. Once
 * DMA goes by messages a thread of its own reads, because the answers to DMA must be read while the
 * function is busy. And a thread that does not come back from the function is replaced ({@link
 * Watchdog}).
 */
final class Session
        implements PciHost, MessageDma.Connection, ClientInterrupts.Teller, Watchdog.TakeOver {
    private static final int COMMAND_REGISTER = 4;
    private static final int BUS_MASTER = 1 << 2;

    /** Who reads the socket. */
    private enum Reading {
        BY_WHO_SERVES,
        BY_ITS_OWN_THREAD_SOON,
        BY_ITS_OWN_THREAD
    }

    private final PciFunction function;
    private final UnixStream stream;
    private final String name;
    private final Observer observer;
    private final Complaints complaints;
    private final FunctionCalls calls;
    private final ClientMemory memory = new ClientMemory();
    private final MessageDma messageDma = new MessageDma(this);
    private final Turn turn = new Turn();
    private final Watchdog watchdog;

    /** How long an access waits for a function in which another thread is stuck. */
    private final long awaitFunctionNanos;

    private final AtomicReference<Reading> reading = new AtomicReference<>(Reading.BY_WHO_SERVES);
    private final CommandQueue commands = new CommandQueue();
    private final AtomicBoolean over = new AtomicBoolean();
    private final Region[] regions = new Region[Messages.REGION_COUNT];
    private ClientInterrupts interrupts;
    private PendingBits pendingBits;
    private final ReaderState readerState = new ReaderState();
    private MessageReader reader;
    private ResampleThread resample;
    private boolean memoryLookedAt;
    private final AtomicBoolean advised = new AtomicBoolean();
    private final long began = System.nanoTime();

    /** Set with VERSION; before that nothing else is answered. */
    private volatile boolean agreed;

    private volatile Thread serving;
    private volatile Thread stuck;

    /** Hears of the client; by the thread that serves. */
    interface Observer {
        /** The client speaks vfio-user. */
        void agreed(Session session);

        /** The client has left; nothing of it is left behind. */
        void ended(Session session, String why);
    }

    Session(
            PciFunction function,
            UnixStream stream,
            String name,
            Observer observer,
            long holdMillis) {
        this.function = function;
        watchdog = new Watchdog(turn, this, holdMillis);
        awaitFunctionNanos = TimeUnit.MILLISECONDS.toNanos(Math.max(holdMillis - 100, 100));
        this.stream = stream;
        this.name = name;
        this.observer = observer;
        complaints = new Complaints("vfio-user client of " + name);
        calls = new FunctionCalls(function);
        reader = new MessageReader(stream, complaints, readerState);
    }

    void start() {
        watchdog.start("vfio-user " + name + " watchdog");
        startServing();
    }

    private void startServing() {
        serving = Thread.ofPlatform().daemon().name("vfio-user " + name).unstarted(this::serve);
        serving.start();
    }

    /** Whether the client was let in, by its VERSION message. */
    boolean isAgreed() {
        return agreed;
    }

    /** Whether the client has not said VERSION for so long that it must make room for another. */
    boolean isSilent(long silenceNanos) {
        return !agreed && System.nanoTime() - began > silenceNanos;
    }

    /** Whether the client has left, or is leaving. */
    boolean isOver() {
        try {
            return over.get() || stream.isPeerGone();
        } catch (IOException closed) {
            return true;
        }
    }

    /** Ends the connection; the thread that serves notices and ends the session. */
    void shutdown() {
        stream.shutdown();
    }

    // Serving.

    private void serve() {
        Answer answer = new Answer();
        try {
            while (true) {
                boolean reads = reading.get() == Reading.BY_WHO_SERVES;
                Message message = reads ? reader.next() : nextCommand();
                if (message == null) {
                    end("it has left.");
                    return;
                }
                if (message.isReply()) {
                    messageDma.answered(message);
                    continue;
                }
                long ticket = turn.begin(message);
                watchdog.wakeIfAsleep();
                if (!reads) {
                    commands.begun(message);
                } else if (reading.get() != Reading.BY_WHO_SERVES) {
                    readByItsOwnThread();
                }
                if (!serve(message, ticket, answer)) {
                    functionCameBack();
                    return;
                }
            }
        } catch (IOException broken) {
            end(broken.getMessage());
        } catch (InterruptedException interrupted) {
            end("the thread that served it was interrupted.");
        } catch (Throwable bug) {
            end("of an error of this program: " + bug);
            throw bug;
        }
    }

    private Message nextCommand() throws IOException, InterruptedException {
        readByItsOwnThread();
        return commands.take();
    }

    /**
     * Answers a message.
     *
     * @return false where the watchdog has answered before
     */
    private boolean serve(Message message, long ticket, Answer answer)
            throws IOException, InterruptedException {
        int command = message.command();
        try {
            if (message.isReply() || (message.flags() & Messages.TYPE_MASK) > 1) {
                throw new Refused(
                        Errno.EINVAL,
                        "A message of type " + (message.flags() & Messages.TYPE_MASK) + ".");
            }
            if (agreed == (command == Messages.VERSION)) {
                throw new Refused(
                        Errno.EINVAL,
                        agreed ? "A second VERSION." : Messages.name(command) + " before VERSION.");
            }
            int payloadBytes = performGuarded(message, answer, ticket);
            if (!turn.claim(ticket)) {
                return false;
            }
            if (message.wantsReply()) {
                stream.writeFirst(
                        answer.memory(), answer.header(message.id(), command, payloadBytes));
            }
            return true;
        } catch (Refused refused) {
            complaints.say(refused.getMessage());
            if (!turn.claim(ticket)) {
                return false;
            }
            if (message.wantsReply()) {
                stream.writeFirst(
                        answer.memory(), answer.error(message.id(), command, refused.errno()));
            }
            return true;
        } finally {
            // What was not taken: a message that another thread has read is nobody else's.
            message.descriptors().close();
        }
    }

    /** A function that breaks its contract costs one answer, not the client. */
    private int performGuarded(Message message, Answer answer, long ticket)
            throws Refused, InterruptedException {
        try {
            return perform(message, answer, ticket);
        } catch (RuntimeException bug) {
            throw new Refused(
                    Errno.EIO,
                    Messages.name(message.command()) + " failed in the function: " + bug);
        }
    }

    /** Does what a message asks for and builds the payload of its answer; that one's length. */
    private int perform(Message message, Answer answer, long ticket)
            throws Refused, InterruptedException {
        return switch (message.command()) {
            case Messages.REGION_READ -> regionRead(message, answer);
            case Messages.REGION_WRITE -> regionWrite(message, answer, ticket);
            case Messages.VERSION -> version(message, answer);
            case Messages.DMA_MAP -> dmaMap(message);
            case Messages.DMA_UNMAP -> dmaUnmap(message, answer);
            case Messages.DEVICE_GET_INFO -> deviceInfo(message, answer);
            case Messages.GET_REGION_INFO -> regionInfo(message, answer);
            case Messages.GET_IRQ_INFO -> interruptInfo(message, answer);
            case Messages.SET_IRQS -> {
                interrupts.set(message);
                yield 0;
            }
            case Messages.DEVICE_RESET -> reset();
            case Messages.DMA_READ, Messages.DMA_WRITE ->
                    throw new Refused(
                            Errno.EINVAL,
                            Messages.name(message.command()) + " goes from server to client.");
            case Messages.REGION_WRITE_MULTI ->
                    throw new Refused(
                            Errno.ENOTSUP, "REGION_WRITE_MULTI without having agreed on it.");
            case Messages.DEVICE_FEATURE ->
                    throw new Refused(
                            Errno.ENOTSUP,
                            "DEVICE_FEATURE (migration, dirty logging) is not supported.");
            default ->
                    throw new Refused(
                            Errno.ENOTSUP, Messages.name(message.command()) + " is not known.");
        };
    }

    // The messages, in the order in which a client first sends them.

    private int version(Message message, Answer answer) throws Refused {
        VersionExchange exchange = VersionExchange.of(message);
        messageDma.maxDataBytes(exchange.maxDataBytes());
        FunctionDescription description = function.describe();
        takeRegions(description);
        interrupts = new ClientInterrupts(description, this, complaints);
        pendingBits = PendingBits.of(function, description);
        function.attach(this);
        agreed = true;
        observer.agreed(this);
        return VersionExchange.answer(message, answer.memory(), Messages.HEADER_BYTES);
    }

    private void takeRegions(FunctionDescription description) {
        for (int index = 0; index < regions.length; index++) {
            regions[index] = description.region(index).orElse(null);
        }
    }

    private int dmaMap(Message message) throws Refused {
        DmaMap map = memory.map(message);
        tell(f -> f.map(map));
        closeAll(memory.takeReplaced());
        return 0;
    }

    private int dmaUnmap(Message message, Answer answer) throws Refused, InterruptedException {
        DmaTable.Change change = memory.unmap(message);
        for (DmaMap map : change.removed()) {
            messageDma.abort(map.address(), map.length());
        }
        ClientMemory.Range range = ClientMemory.range(message);
        if (!change.removed().isEmpty()) {
            if (calls.awaitFree(awaitFunctionNanos)) {
                function.unmap(range.address(), range.length());
            } else {
                tell(f -> f.unmap(range.address(), range.length()));
            }
        }
        closeAll(memory.takeMemory(change.removed()));
        answer.u32(Messages.DMA_UNMAP_ARGSZ, Messages.DMA_UNMAP_BYTES);
        answer.u32(Messages.DMA_UNMAP_FLAGS, message.u32(Messages.DMA_UNMAP_FLAGS));
        answer.u64(Messages.DMA_UNMAP_ADDRESS, range.address());
        answer.u64(Messages.DMA_UNMAP_SIZE, range.length());
        return Messages.DMA_UNMAP_BYTES;
    }

    private static void closeAll(List<MappedMemory> memories) {
        memories.forEach(MappedMemory::close);
    }

    private int deviceInfo(Message message, Answer answer) throws Refused {
        ClientMemory.checkSize(message, Messages.DEVICE_INFO_BYTES, Messages.DEVICE_INFO_ARGSZ);
        boolean resets = !function.describe().resetKinds().isEmpty();
        answer.u32(Messages.DEVICE_INFO_ARGSZ, Messages.DEVICE_INFO_BYTES);
        answer.u32(
                Messages.DEVICE_INFO_FLAGS,
                Messages.DEVICE_FLAG_PCI | (resets ? Messages.DEVICE_FLAG_RESET : 0));
        answer.u32(Messages.DEVICE_INFO_REGIONS, Messages.REGION_COUNT);
        answer.u32(Messages.DEVICE_INFO_INTERRUPTS, Messages.IRQ_COUNT);
        return Messages.DEVICE_INFO_BYTES;
    }

    /** Never says that a region may be mapped: then accesses would pass unseen. */
    private int regionInfo(Message message, Answer answer) throws Refused {
        ClientMemory.checkSize(message, Messages.REGION_INFO_BYTES, Messages.REGION_INFO_ARGSZ);
        int index = message.u32(Messages.REGION_INFO_INDEX);
        if (index < 0 || index >= Messages.REGION_COUNT) {
            throw new Refused(
                    Errno.EINVAL,
                    "DEVICE_GET_REGION_INFO for region "
                            + (index & 0xffffffffL)
                            + "; 0 to 8 are known.");
        }
        Region region = regions[index];
        int flags = 0;
        if (region != null) {
            boolean readOnly = index == Region.ROM || region.has(Region.Attribute.READ_ONLY);
            flags = Messages.REGION_FLAG_READ | (readOnly ? 0 : Messages.REGION_FLAG_WRITE);
        }
        answer.u32(Messages.REGION_INFO_ARGSZ, Messages.REGION_INFO_BYTES);
        answer.u32(Messages.REGION_INFO_FLAGS, flags);
        answer.u32(Messages.REGION_INFO_INDEX, index);
        answer.u32(Messages.REGION_INFO_CAPABILITIES, 0);
        answer.u64(Messages.REGION_INFO_SIZE, region == null ? 0 : region.sizeBytes());
        answer.u64(Messages.REGION_INFO_OFFSET, 0);
        return Messages.REGION_INFO_BYTES;
    }

    private int interruptInfo(Message message, Answer answer) throws Refused {
        ClientMemory.checkSize(message, Messages.IRQ_INFO_BYTES, Messages.IRQ_INFO_ARGSZ);
        int index = message.u32(Messages.IRQ_INFO_INDEX);
        if (index < 0 || index >= Messages.IRQ_COUNT) {
            throw new Refused(
                    Errno.EINVAL,
                    "DEVICE_GET_IRQ_INFO for index "
                            + (index & 0xffffffffL)
                            + "; 0 to 4 are known.");
        }
        answer.u32(Messages.IRQ_INFO_ARGSZ, Messages.IRQ_INFO_BYTES);
        answer.u32(Messages.IRQ_INFO_FLAGS, ClientInterrupts.flags(index));
        answer.u32(Messages.IRQ_INFO_INDEX, index);
        answer.u32(Messages.IRQ_INFO_COUNT, interrupts.count(index));
        return Messages.IRQ_INFO_BYTES;
    }

    private int reset() throws Refused, InterruptedException {
        if (!calls.awaitFree(awaitFunctionNanos)) {
            throw new Refused(
                    Errno.ETIMEDOUT, "DEVICE_RESET: the function has not come back from a call.");
        }
        messageDma.stop(CompletionStatus.STALE_GENERATION);
        CompletionStatus status = resetAs(ResetKind.HOT, ResetKind.FLR, ResetKind.COLD);
        messageDma.resume();
        if (!status.isSuccess()) {
            throw new Refused(Errno.EIO, "DEVICE_RESET: the function answers " + status + ".");
        }
        interrupts.tellAgain();
        return 0;
    }

    /** The first of these kinds that the function has. */
    private CompletionStatus resetAs(ResetKind... kinds) {
        for (ResetKind kind : kinds) {
            if (function.describe().resetKinds().contains(kind)) {
                return function.reset(kind);
            }
        }
        return CompletionStatus.UNSUPPORTED_REQUEST;
    }

    // Region accesses: what matters for speed.

    private int regionRead(Message message, Answer answer) throws Refused, InterruptedException {
        long offset = checkAccess(message, false);
        int index = message.u32(Messages.REGION_ACCESS_REGION);
        int count = message.u32(Messages.REGION_ACCESS_COUNT);
        MemorySegment data = answer.data(count);
        answer.access(offset, index, count);
        boolean present = true;
        if (pendingBits.holds(index, offset, count)) {
            data.fill((byte) 0);
        } else if (calls.isStuck() && !calls.awaitFree(awaitFunctionNanos)) {
            data.fill((byte) 0xff);
            present = false;
        } else if (count <= regions[index].maxAccessBytes()) {
            present = readPiece(index, offset, data, width(count));
        } else {
            int piece = regions[index].maxAccessBytes();
            for (int at = 0; at < count; at += piece) {
                int length = Math.min(piece, count - at);
                present &= readPiece(index, offset + at, data.asSlice(at, length), 0);
            }
        }
        if (!present && isBeginning(index, count)) {
            throw new Refused(
                    Errno.ETIMEDOUT, "An emulator cannot begin while the function is absent.");
        }
        return Messages.REGION_ACCESS_DATA + count;
    }

    private boolean readPiece(int index, long offset, MemorySegment data, int width) {
        if (function.read(index, offset, data, width).isSuccess()) {
            return true;
        }
        data.fill((byte) 0xff);
        return false;
    }

    /**
     * Whether an emulator begins: it reads the whole configuration space, and no driver so much at
     * once. All-ones there would be a list of capabilities without an end, in which QEMU is lost.
     */
    private static boolean isBeginning(int region, int count) {
        return region == Region.CONFIGURATION && count > Long.BYTES;
    }

    private int regionWrite(Message message, Answer answer, long ticket)
            throws Refused, InterruptedException {
        long offset = checkAccess(message, true);
        int index = message.u32(Messages.REGION_ACCESS_REGION);
        int count = message.u32(Messages.REGION_ACCESS_COUNT);
        MemorySegment data = answer.written(message, count);
        answer.access(offset, index, count);
        if (index == Region.CONFIGURATION && !memoryLookedAt) {
            lookAtMemory(offset, data);
        }
        if (calls.isStuck() && !writeLater(index, offset, data, ticket)) {
            return Messages.REGION_ACCESS_DATA;
        }
        int most = regions[index].maxAccessBytes();
        if (count <= most) {
            function.write(index, offset, data, width(count), PciFunction.ALL_BYTES);
        } else {
            for (int at = 0; at < count; at += most) {
                MemorySegment piece = data.asSlice(at, Math.min(most, count - at));
                function.write(index, offset + at, piece, 0, PciFunction.ALL_BYTES);
            }
        }
        return Messages.REGION_ACCESS_DATA;
    }

    /**
     * Leaves a posted write to the thread that is stuck in the function, or waits for the function.
     *
     * @return whether to write now
     */
    private boolean writeLater(int index, long offset, MemorySegment data, long ticket)
            throws InterruptedException {
        if (Turn.isOwed(ticket)) {
            return calls.awaitFree(awaitFunctionNanos);
        }
        MemorySegment copy = Arena.ofAuto().allocate(data.byteSize(), 8).copyFrom(data);
        int width = width((int) data.byteSize());
        calls.tell(
                (int) data.byteSize(),
                f -> f.write(index, offset, copy, width, PciFunction.ALL_BYTES));
        return false;
    }

    private static int width(int count) {
        return count <= 8 && Integer.bitCount(count) == 1 ? count : 0;
    }

    /**
     * Checks a region access; its offset.
     *
     * @param brings whether the message brings the data
     */
    private long checkAccess(Message message, boolean brings) throws Refused {
        if (message.payloadBytes() < Messages.REGION_ACCESS_DATA) {
            throw new Refused(
                    Errno.EINVAL,
                    Messages.name(message.command())
                            + " has "
                            + message.payloadBytes()
                            + " bytes; at least 16 are needed.");
        }
        long offset = message.u64(Messages.REGION_ACCESS_OFFSET);
        int index = message.u32(Messages.REGION_ACCESS_REGION);
        int count = message.u32(Messages.REGION_ACCESS_COUNT);
        Region region = index >= 0 && index < regions.length ? regions[index] : null;
        if (region == null
                || count < 1
                || count > Messages.MAX_DATA_BYTES
                || offset < 0
                || offset > region.sizeBytes() - count) {
            throw new Refused(
                    Errno.EINVAL,
                    String.format(
                            "%s of %d bytes at 0x%x of region %d, which has 0x%x.",
                            Messages.name(message.command()),
                            count & 0xffffffffL,
                            offset,
                            index & 0xffffffffL,
                            region == null ? 0 : region.sizeBytes()));
        }
        if (brings && message.payloadBytes() - Messages.REGION_ACCESS_DATA != count) {
            throw new Refused(
                    Errno.EINVAL,
                    "REGION_WRITE of "
                            + count
                            + " bytes brings "
                            + (message.payloadBytes() - Messages.REGION_ACCESS_DATA)
                            + ".");
        }
        return offset;
    }

    // The client's memory.

    /** When the guest lets the function use DMA, it has long written to memory that it uses. */
    private void lookAtMemory(long offset, MemorySegment data) {
        long at = COMMAND_REGISTER - offset;
        boolean enables =
                at >= 0
                        && at < data.byteSize()
                        && (data.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at) & BUS_MASTER)
                                != 0;
        if (!enables || memory.isEmpty()) {
            return;
        }
        memoryLookedAt = true;
        if (!memory.hasShared()) {
            adviseToShare();
        } else if (memory.looksUnused()) {
            complaints.say(
                    Level.ERROR,
                    "The guest runs, and the memory that the emulator has passed has never been"
                            + " written: it is a private copy (share=off). DMA there would be"
                            + " lost, so all of it is refused. Put share=on into QEMU's"
                            + " memory-backend argument.");
            List<DmaMap> removed = memory.table().clear();
            tell(f -> f.unmap(0, 0));
            closeAll(memory.takeMemory(removed));
        }
    }

    // A function that does not come back.

    @Override
    public void takeOver(long ticket) {
        int command = turn.command();
        int id = turn.id();
        long offset = turn.offset();
        int region = turn.region();
        int count = turn.count();
        if (!turn.take(ticket)) {
            return;
        }
        stuck = serving;
        calls.stuck(Turn.isOwed(ticket));
        complaints.say(
                String.format(
                        "The function does not come back from %s of %d bytes at 0x%x of region"
                                + " %d.%s",
                        Messages.name(command),
                        count,
                        offset,
                        region,
                        Turn.isOwed(ticket) ? " It is answered in its stead." : ""));
        if (Turn.isOwed(ticket)) {
            try {
                answerInstead(id, command, offset, region, count);
            } catch (IOException broken) {
                complaints.say(broken.getMessage());
            }
        }
        synchronized (reading) {
            if (reading.get() != Reading.BY_ITS_OWN_THREAD) {
                reader = reader.successor();
            }
        }
        startServing();
    }

    private void answerInstead(int id, int command, long offset, int region, int count)
            throws IOException {
        Answer answer = new Answer();
        int length;
        if (command == Messages.REGION_READ && !isBeginning(region, count)) {
            answer.data(count).fill((byte) 0xff);
            answer.access(offset, region, count);
            length = answer.header(id, command, Messages.REGION_ACCESS_DATA + count);
        } else if (command == Messages.REGION_WRITE) {
            answer.access(offset, region, count);
            length = answer.header(id, command, Messages.REGION_ACCESS_DATA);
        } else {
            length = answer.error(id, command, Errno.ETIMEDOUT);
        }
        stream.writeFirst(answer.memory(), length);
    }

    /** By the thread that was stuck: does what has waited for it, and ends. */
    private void functionCameBack() {
        long lost = calls.free();
        stuck = null;
        complaints.say(
                "The function has come back"
                        + (lost == 0 ? "." : "; " + lost + " posted requests were lost."));
    }

    private void tell(java.util.function.Consumer<PciFunction> call) {
        calls.tell(Long.BYTES, call);
    }

    // What DMA by messages needs.

    @Override
    public void send(MemorySegment message, long lengthBytes) throws IOException {
        stream.writeFirst(message, lengthBytes);
    }

    @Override
    public boolean owesReply() {
        return Turn.isOwed(turn.current()) || commands.owesReply();
    }

    @Override
    public boolean isServing(Thread thread) {
        return thread == serving || thread == stuck;
    }

    @Override
    public void keepReading() {
        if (reading.compareAndSet(Reading.BY_WHO_SERVES, Reading.BY_ITS_OWN_THREAD_SOON)) {
            adviseToShare();
        }
        // A thread that serves now will not read again, so another one may. One that is about to
        // read, or reading, sees to it itself before it asks the function for anything.
        if (turn.current() != Turn.NONE) {
            readByItsOwnThread();
        }
    }

    private void adviseToShare() {
        if (advised.compareAndSet(false, true)) {
            complaints.say(MessageDma.ADVICE);
        }
    }

    private void readByItsOwnThread() {
        if (reading.get() == Reading.BY_ITS_OWN_THREAD) {
            return;
        }
        synchronized (reading) {
            if (!reading.compareAndSet(Reading.BY_ITS_OWN_THREAD_SOON, Reading.BY_ITS_OWN_THREAD)) {
                return;
            }
            reader = reader.successor();
            Thread.ofPlatform()
                    .daemon()
                    .name("vfio-user " + name + " reader")
                    .start(this::readCommands);
        }
    }

    private void readCommands() {
        try {
            while (true) {
                Message message = reader.next();
                if (message == null) {
                    commands.end(null);
                    return;
                }
                if (message.isReply()) {
                    messageDma.answered(message);
                } else {
                    commands.add(message.copy());
                }
            }
        } catch (IOException broken) {
            commands.end(broken);
        } catch (InterruptedException interrupted) {
            commands.end(new IOException("the thread that read was interrupted.", interrupted));
        } finally {
            messageDma.stop(CompletionStatus.COMPLETER_ABORT);
            reader.close();
        }
    }

    @Override
    public void complain(String sentence) {
        complaints.say(sentence);
    }

    // What interrupts need.

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        tell(f -> f.interrupts(kind, first, count, action));
    }

    @Override
    public void resample(EventFd event) {
        if (resample != null) {
            resample.close();
            resample = null;
        }
        readerState.watch(event != null);
        if (event == null) {
            return;
        }
        try {
            resample =
                    new ResampleThread(
                            "vfio-user " + name + " resample",
                            event,
                            new ResampleThread.Unmask() {
                                @Override
                                public boolean isIdle() throws IOException {
                                    // In this order: see ReaderState.
                                    return !stream.awaitReadable(0)
                                            && readerState.isWaiting()
                                            && commands.isIdle();
                                }

                                @Override
                                public void unmask() {
                                    interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
                                }
                            });
        } catch (IOException noDescriptors) {
            event.close();
            complaints.say(noDescriptors.getMessage());
        }
    }

    // The function's host.

    private boolean isStale(int generation) {
        return generation - function.generation() < 0;
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        if (isStale(generation)) {
            return CompletionStatus.STALE_GENERATION;
        }
        CompletionStatus status = memory.table().read(address, into, messageDma);
        if (!status.isSuccess()) {
            dmaFailed(address, into.byteSize(), Direction.READ, status);
        }
        return status;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        if (isStale(generation)) {
            return CompletionStatus.STALE_GENERATION;
        }
        CompletionStatus status = memory.table().write(address, from, messageDma);
        if (!status.isSuccess()) {
            dmaFailed(address, from.byteSize(), Direction.WRITE, status);
        }
        return status;
    }

    private void dmaFailed(
            long address, long length, Direction direction, CompletionStatus status) {
        if (over.get() || status == CompletionStatus.STALE_GENERATION) {
            return;
        }
        complaints.say(
                String.format(
                        "DMA of the function failed: %s of 0x%x bytes at 0x%x. %s",
                        direction,
                        length,
                        address,
                        status == CompletionStatus.TIMED_OUT
                                ? "The emulator did not answer in time."
                                : "The driver's side maps no such memory for it, or took it"
                                        + " back."));
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return isStale(generation) ? null : memory.table().near(address, length, direction);
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return memory.table().servedWhileWaiting(address, length);
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        if (!isStale(generation)) {
            interrupts.fire(kind.code(), vector);
        }
    }

    @Override
    public void event(FunctionEvent event) {
        switch (event) {
            case FunctionEvent.Error error -> {
                complaints.say("The function reports an error: " + error.sentence());
                if (error.fatal()) {
                    interrupts.fire(Messages.IRQ_ERR, 0);
                }
            }
            case FunctionEvent.GoingAway going -> {
                complaints.inform("The function is going away: " + going.sentence());
                interrupts.fire(Messages.IRQ_REQ, 0);
            }
            case FunctionEvent.DmaRefused refused -> complaints.say(refused.sentence());
            case FunctionEvent.Presence presence ->
                    complaints.inform(
                            presence.present()
                                    ? "The function is present."
                                    : "The function is absent; the driver reads all-ones.");
            case FunctionEvent.DescriptionChanged changed ->
                    complaints.say(
                            "The function has changed what it is; the emulator hears of it when"
                                    + " it is started next.");
            case FunctionEvent.PowerManagement ignored ->
                    complaints.say(
                            Level.DEBUG,
                            "PME# is not passed on: the emulator has no place for it.");
            case FunctionEvent.NewGeneration generation ->
                    complaints.say(
                            Level.DEBUG,
                            "Generation " + generation.generation() + " by " + generation.kind());
        }
    }

    // The end.

    private void end(String why) {
        if (!over.compareAndSet(false, true)) {
            return;
        }
        watchdog.end();
        stream.shutdown();
        messageDma.stop(CompletionStatus.COMPLETER_ABORT);
        commands.close();
        if (reading.get() != Reading.BY_ITS_OWN_THREAD) {
            reader.close();
        }
        resample(null);
        if (agreed) {
            interrupts.close();
            List<DmaMap> removed = memory.table().clear();
            tell(f -> resetAs(ResetKind.COLD, ResetKind.HOT, ResetKind.FLR));
            tell(f -> f.unmap(0, 0));
            tell(f -> f.attach(null));
            closeAll(memory.takeMemory(removed));
        }
        stream.close();
        // Behind the calls that may wait for a thread that is stuck: the next client's come later.
        tell(f -> observer.ended(this, why));
    }
}
