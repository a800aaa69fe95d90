package farslot.devices.nvme;

import farslot.core.CompletionStatus;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;

/**
 * The controller from one setting of CC.EN to its clearing or a reset: its queues, and all the work
 * that the driver has asked for. Another enabling is another object; what is still under way in an
 * old one posts nothing more, and the controller is not ready again before it has ended.
 *
 * <p><b>Threads.</b> Doorbells are rung by one thread at a time and never wait. Commands are
 * fetched and executed by workers, which may wait for the driver's memory and the image; no lock is
 * held meanwhile that a doorbell needs.
 */
final class Enablement {
    private static final Logger LOG = System.getLogger("farslot.nvme");

    /** How many commands are executed at once, at most. */
    static final int WORKERS = 16;

    /** How many entries are fetched at once. */
    private static final int FETCH_AT_ONCE = 32;

    /** The bit of the status field that says that the error log knows more. */
    private static final int MORE = 1 << 13;

    private final DriverMemory memory;
    private final int pageBytes;
    private final int completionEntryBytes;
    private final int submissionEntryBytes;
    private final ControllerState state;
    private final InterruptStatus interrupts;
    private final Executor workers;
    private final Consumer<String> onFatal;
    private final Features features;
    private final AsyncEvents events = new AsyncEvents();
    private final AdminCommands adminCommands;
    private final NvmCommands nvmCommands;
    private final AtomicReferenceArray<SubmissionQueue> submissionQueues;
    private final AtomicReferenceArray<CompletionQueue> completionQueues;

    private final Object workLock = new Object();
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int running;
    private int workersAsked;
    private boolean fetchingStopped;
    private Runnable whenIdle;
    private volatile boolean ended;

    /**
     * @param configuration CC, checked
     * @param adminQueues AQA, checked
     * @param onFatal told in a sentence what the controller cannot go on after
     */
    Enablement(
            DriverMemory memory,
            int configuration,
            int adminQueues,
            long adminSubmissionBase,
            long adminCompletionBase,
            ControllerState state,
            InterruptStatus interrupts,
            Executor workers,
            Consumer<String> onFatal) {
        this.memory = memory;
        this.pageBytes = 1 << (12 + (configuration >>> 7 & 0xF));
        this.submissionEntryBytes = 1 << (configuration >>> 16 & 0xF);
        this.completionEntryBytes = 1 << (configuration >>> 20 & 0xF);
        this.state = state;
        this.interrupts = interrupts;
        this.workers = workers;
        this.onFatal = onFatal;
        this.features = new Features(state.queuePairs(), state.queuePairs() + 1);
        this.adminCommands = new AdminCommands(this, state);
        this.nvmCommands =
                new NvmCommands(
                        state.namespace(),
                        state.counters(),
                        state.buffers(),
                        memory,
                        pageBytes,
                        features,
                        () -> ended);
        this.submissionQueues = new AtomicReferenceArray<>(state.queuePairs() + 1);
        this.completionQueues = new AtomicReferenceArray<>(state.queuePairs() + 1);
        CompletionQueue completionQueue =
                new CompletionQueue(
                        0, memory, adminCompletionBase, (adminQueues >>> 16 & 0xFFF) + 1, true, 0);
        add(completionQueue);
        add(
                new SubmissionQueue(
                        0, adminSubmissionBase, (adminQueues & 0xFFF) + 1, completionQueue));
    }

    DriverMemory memory() {
        return memory;
    }

    int pageBytes() {
        return pageBytes;
    }

    /** What CC.IOCQES says. */
    int completionEntryBytes() {
        return completionEntryBytes;
    }

    /** What CC.IOSQES says. */
    int submissionEntryBytes() {
        return submissionEntryBytes;
    }

    Features features() {
        return features;
    }

    int vectors() {
        return interrupts.vectors();
    }

    /** The queue with this identifier, or null where there is none. */
    SubmissionQueue submissionQueue(int id) {
        return id < submissionQueues.length() ? submissionQueues.get(id) : null;
    }

    CompletionQueue completionQueue(int id) {
        return id < completionQueues.length() ? completionQueues.get(id) : null;
    }

    void add(CompletionQueue queue) {
        completionQueues.set(queue.id(), queue);
        interrupts.add(queue);
    }

    void remove(CompletionQueue queue) {
        completionQueues.set(queue.id(), null);
        interrupts.remove(queue);
    }

    void add(SubmissionQueue queue) {
        queue.completionQueue().submissionQueues().add(queue);
        submissionQueues.set(queue.id(), queue);
    }

    /** Fused operations and SGLs are not offered (NVMe 1.4, 4.2, figure 104). */
    static void checkFirstDword(Command command) throws CommandException {
        if (command.fuse() != 0) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 1, 0);
        }
        if (command.psdt() != 0) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 1, 6);
        }
    }

    /** A doorbell write (NVMe 1.4, 3.1.24 and 3.1.25). */
    void ring(int queue, boolean completion, int value) {
        boolean exists =
                completion ? completionQueue(queue) != null : submissionQueue(queue) != null;
        if (!exists) {
            doorbellError(AsyncEvent.INVALID_DOORBELL_REGISTER);
        } else if (completion) {
            acknowledge(completionQueue(queue), value);
        } else if (submissionQueue(queue).submit(value)) {
            fetchSoon(submissionQueue(queue));
        } else {
            doorbellError(AsyncEvent.INVALID_DOORBELL_VALUE);
        }
    }

    private void acknowledge(CompletionQueue queue, int head) {
        if (!queue.acknowledge(head)) {
            doorbellError(AsyncEvent.INVALID_DOORBELL_VALUE);
            return;
        }
        interrupts.refresh();
        for (SubmissionQueue submissions : queue.submissionQueues()) {
            fetchSoon(submissions);
        }
        if (queue.id() == 0) {
            deliverEventsSoon();
        }
    }

    private void doorbellError(AsyncEvent event) {
        state.errors().add();
        raise(event);
    }

    private void fetchSoon(SubmissionQueue queue) {
        if (queue.beginFetching() && !submit(() -> fetch(queue), true)) {
            queue.endFetching();
        }
    }

    /** Fetches commands, gives all but the last to other workers, and executes that one itself. */
    private void fetch(SubmissionQueue queue) {
        List<Command> commands = fetchCommands(queue);
        queue.endFetching();
        for (int i = 0; i < commands.size() - 1; i++) {
            Command command = commands.get(i);
            submit(() -> execute(command), false);
        }
        // What was submitted or acknowledged meanwhile found this worker fetching.
        if (queue.completionQueue().hasRoom()) {
            fetchSoon(queue);
        }
        if (!commands.isEmpty()) {
            execute(commands.getLast());
        }
    }

    private List<Command> fetchCommands(SubmissionQueue queue) {
        int entries = queue.completionQueue().claim(queue.fetchable(FETCH_AT_ONCE));
        List<Command> commands = new ArrayList<>(entries);
        if (entries == 0) {
            return commands;
        }
        MemorySegment ring = MemorySegment.ofArray(new long[entries * Command.ENTRY_BYTES / 8]);
        CompletionStatus status = memory.read(queue.headAddress(), ring);
        if (!status.isSuccess()) {
            fatal("the entries of submission queue " + queue.id() + " cannot be read", status);
            return commands;
        }
        queue.fetched(entries);
        for (int i = 0; i < entries; i++) {
            long offset = (long) i * Command.ENTRY_BYTES;
            commands.add(new Command(queue, ring.asSlice(offset, Command.ENTRY_BYTES)));
        }
        return takeIn(queue, commands);
    }

    /** A command with the identifier of another that is under way ends at once (4.6.1.2.1). */
    private List<Command> takeIn(SubmissionQueue queue, List<Command> commands) {
        List<Command> taken = new ArrayList<>(commands.size());
        for (Command command : commands) {
            if (queue.begin(command)) {
                taken.add(command);
            } else {
                fail(command, StatusCode.COMMAND_ID_CONFLICT, CommandException.NO_LOCATION);
            }
        }
        return taken;
    }

    private void execute(Command command) {
        if (!ended && command.begin()) {
            executeBegun(command);
        }
    }

    private void executeBegun(Command command) {
        try {
            Integer result = 0;
            if (command.queue().isAdmin()) {
                result = adminCommands.execute(command);
            } else {
                nvmCommands.execute(command);
            }
            if (result != null) {
                complete(command, StatusCode.SUCCESS.field(), result);
            }
        } catch (CommandException e) {
            fail(command, e.status(), e.location());
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "A command of opcode " + command.opcode() + " failed", e);
            fail(command, StatusCode.INTERNAL_ERROR, CommandException.NO_LOCATION);
        }
    }

    private void fail(Command command, StatusCode status, int location) {
        if (status != StatusCode.COMMAND_ABORT_REQUESTED
                && status != StatusCode.COMMAND_ABORTED_SQ_DELETION) {
            state.errors().add(command, status, location);
            complete(command, status.field() | MORE, 0);
        } else {
            complete(command, status.field(), 0);
        }
    }

    private void complete(Command command, int statusField, int result) {
        SubmissionQueue queue = command.queue();
        queue.release(command);
        post(queue, command, statusField, result);
        queue.end();
    }

    private void post(SubmissionQueue queue, Command command, int statusField, int result) {
        if (ended) {
            return;
        }
        CompletionQueue completions = queue.completionQueue();
        CompletionStatus status =
                completions.post(
                        result, queue.id(), queue.head(), command.identifier(), statusField);
        if (status.isSuccess()) {
            interrupts.posted(completions);
        } else {
            fatal("completion queue " + completions.id() + " cannot be written", status);
        }
    }

    private void fatal(String what, CompletionStatus status) {
        if (!ended && status != CompletionStatus.STALE_GENERATION) {
            onFatal.accept("The controller has stopped: " + what + " (" + status + ").");
        }
    }

    /** Keeps an asynchronous event request until there is an event for it. */
    void keep(Command request) throws CommandException {
        if (!events.keep(request)) {
            throw new CommandException(StatusCode.ASYNCHRONOUS_EVENT_REQUEST_LIMIT_EXCEEDED);
        }
        // Waiting, it holds no entry of the completion queue from others.
        request.queue().completionQueue().unclaim();
        fetchSoon(request.queue());
        deliverEventsSoon();
    }

    /** Something happened that the driver may have asked to be told of. */
    void raise(AsyncEvent event) {
        events.raise(event);
        deliverEventsSoon();
    }

    /** The driver has read a log page, so events of its type are let through again. */
    void logRead(int page) {
        events.logRead(page);
        deliverEventsSoon();
    }

    private void deliverEventsSoon() {
        if (events.isReady()) {
            submit(this::deliverEvents, false);
        }
    }

    private void deliverEvents() {
        CompletionQueue completions = completionQueue(0);
        while (completions.claim(1) == 1) {
            AsyncEvents.Delivery delivery = events.next();
            if (delivery == null) {
                completions.unclaim();
                return;
            }
            complete(delivery.request(), StatusCode.SUCCESS.field(), delivery.event().result());
        }
    }

    /** Aborts a command that is not executed yet (NVMe 1.4, 5.1); false where that is too late. */
    boolean abort(Command command) {
        if (events.abort(command)) {
            if (command.queue().completionQueue().claim(1) == 1) {
                fail(command, StatusCode.COMMAND_ABORT_REQUESTED, CommandException.NO_LOCATION);
                return true;
            }
            events.keep(command);
            return false;
        }
        if (command.abort()) {
            fail(command, StatusCode.COMMAND_ABORT_REQUESTED, CommandException.NO_LOCATION);
            return true;
        }
        return false;
    }

    /**
     * Deletes a submission queue: commands not executed yet end at once, and the deleting command
     * completes when all others have.
     */
    void delete(SubmissionQueue queue, Command deleting) {
        submissionQueues.set(queue.id(), null);
        queue.completionQueue().submissionQueues().remove(queue);
        Runnable complete =
                () -> submit(() -> complete(deleting, StatusCode.SUCCESS.field(), 0), false);
        for (Command left : queue.delete(complete)) {
            if (left.abort()) {
                fail(left, StatusCode.COMMAND_ABORTED_SQ_DELETION, CommandException.NO_LOCATION);
            }
        }
    }

    /** Fetches no more commands; {@code whenIdle} runs once those under way have ended. */
    void shutDown(Runnable whenIdle) {
        stop(whenIdle, false);
    }

    /** Ends everything: nothing is posted any more; {@code whenIdle} runs once all is quiet. */
    void end(Runnable whenIdle) {
        stop(whenIdle, true);
    }

    private void stop(Runnable whenIdle, boolean ending) {
        synchronized (workLock) {
            fetchingStopped = true;
            if (ending) {
                ended = true;
                waiting.clear();
            }
            Runnable earlier = this.whenIdle;
            this.whenIdle =
                    earlier == null
                            ? whenIdle
                            : () -> {
                                earlier.run();
                                whenIdle.run();
                            };
        }
        runIfIdle();
    }

    /**
     * Lets a worker do something.
     *
     * @param fetching whether it is the fetching of commands, which a shutdown stops
     * @return false, and it will not be done, where that or the end has come
     */
    private boolean submit(Runnable task, boolean fetching) {
        synchronized (workLock) {
            if (ended || (fetching && fetchingStopped)) {
                return false;
            }
            waiting.add(task);
            if (workersAsked == WORKERS) {
                return true;
            }
            workersAsked++;
        }
        workers.execute(this::work);
        return true;
    }

    /** What a worker does: all that waits. */
    private void work() {
        for (Runnable task = next(); task != null; task = next()) {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "A worker failed", e);
                onFatal.accept("The controller has stopped: a worker failed (" + e + ").");
            } finally {
                synchronized (workLock) {
                    running--;
                }
                runIfIdle();
            }
        }
    }

    private Runnable next() {
        synchronized (workLock) {
            Runnable task = waiting.poll();
            if (task == null) {
                workersAsked--;
            } else {
                running++;
            }
            return task;
        }
    }

    private void runIfIdle() {
        Runnable idle;
        synchronized (workLock) {
            idle = running == 0 && waiting.isEmpty() ? whenIdle : null;
            whenIdle = idle == null ? whenIdle : null;
        }
        if (idle != null) {
            idle.run();
        }
    }
}
