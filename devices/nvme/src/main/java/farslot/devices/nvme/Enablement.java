package farslot.devices.nvme;

import farslot.core.CompletionStatus;
import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;

/**
 * The controller from one setting of CC.EN to its clearing or a reset: its queues, and all the work
 * that the driver has asked for. Another enabling is another object; what is still under way in an
 * old one posts nothing more, and the controller is not ready again before it has ended.
 *
 * <p><b>Threads.</b> Doorbells are rung by one thread at a time and never wait. Commands are
 * fetched and executed by {@link Workers}, which may wait for the driver's memory and the image; no
 * lock is held meanwhile that a doorbell needs.
 */
final class Enablement implements Workers.Service {
    private static final Logger LOG = System.getLogger("farslot.nvme");

    /** How many entries are fetched at once. */
    private static final int FETCH_AT_ONCE = 32;

    /** The bit of the status field that says that the error log knows more. */
    private static final int MORE = 1 << 13;

    private final DriverMemory memory;
    private final ControllerConfiguration configuration;
    private final AdminQueues adminQueues;
    private final ControllerState state;
    private final InterruptStatus interrupts;
    private final Consumer<String> onFatal;
    private final Workers workers;
    private final Features features;
    private final AsynchronousEvents events = new AsynchronousEvents();
    private final CriticalWarnings warnings;
    private final Abort abort = new Abort(this);
    private final AdminCommands adminCommands;
    private final NvmCommands nvmCommands;
    private final AtomicReferenceArray<SubmissionQueue> submissionQueues;
    private final AtomicReferenceArray<CompletionQueue> completionQueues;

    /**
     * @param configuration CC, checked
     * @param adminQueues checked
     * @param threads runs the workers
     * @param onFatal told in a sentence what the controller cannot go on after
     */
    Enablement(
            DriverMemory memory,
            ControllerConfiguration configuration,
            AdminQueues adminQueues,
            ControllerState state,
            InterruptStatus interrupts,
            Executor threads,
            Consumer<String> onFatal) {
        this.memory = memory;
        this.configuration = configuration;
        this.adminQueues = adminQueues;
        this.state = state;
        this.interrupts = interrupts;
        this.onFatal = onFatal;
        this.workers = new Workers(state.queuePairs(), threads, this, state.counters(), onFatal);
        this.features = new Features(state);
        this.warnings = new CriticalWarnings(state.counters(), features);
        this.adminCommands = new AdminCommands(this, state);
        this.nvmCommands = new NvmCommands(this, state);
        this.submissionQueues = new AtomicReferenceArray<>(state.queuePairs() + 1);
        this.completionQueues = new AtomicReferenceArray<>(state.queuePairs() + 1);
        CompletionQueue completionQueue =
                new CompletionQueue(
                        0,
                        memory,
                        adminQueues.completionBase(),
                        adminQueues.completionEntries(),
                        true,
                        0);
        add(completionQueue);
        add(
                new SubmissionQueue(
                        0,
                        adminQueues.submissionBase(),
                        adminQueues.submissionEntries(),
                        completionQueue,
                        isWeighted() ? Arbitration.Priority.ADMIN : Arbitration.Priority.MEDIUM));
    }

    DriverMemory memory() {
        return memory;
    }

    ControllerConfiguration configuration() {
        return configuration;
    }

    boolean isWeighted() {
        return configuration.arbitration() == ControllerConfiguration.WEIGHTED_ROUND_ROBIN;
    }

    Features features() {
        return features;
    }

    CriticalWarnings warnings() {
        return warnings;
    }

    Abort abort() {
        return abort;
    }

    int vectors() {
        return interrupts.vectors();
    }

    /** Whether the controller was disabled or reset since: then nothing more is written. */
    boolean isEnded() {
        return workers.isEnded();
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

    /** A doorbell write (NVMe 1.4, 3.1.24 and 3.1.25). */
    void ring(int queue, boolean completion, int value) {
        boolean exists =
                completion ? completionQueue(queue) != null : submissionQueue(queue) != null;
        if (!exists) {
            doorbellError(AsynchronousEvent.INVALID_DOORBELL_REGISTER);
        } else if (completion) {
            acknowledge(completionQueue(queue), value);
        } else if (submissionQueue(queue).submit(value)) {
            workers.offer(submissionQueue(queue));
        } else {
            doorbellError(AsynchronousEvent.INVALID_DOORBELL_VALUE);
        }
    }

    private void acknowledge(CompletionQueue queue, int head) {
        if (!queue.acknowledge(head)) {
            doorbellError(AsynchronousEvent.INVALID_DOORBELL_VALUE);
            return;
        }
        interrupts.refresh();
        for (SubmissionQueue submissions : queue.submissionQueues()) {
            workers.offer(submissions);
        }
        if (queue.id() == 0) {
            deliverEventsSoon();
        }
    }

    private void doorbellError(AsynchronousEvent event) {
        state.errors().add();
        raise(event);
    }

    @Override
    public void fetch(SubmissionQueue queue) {
        for (Command refused : queue.takeIn(fetchCommands(queue))) {
            fail(
                    refused,
                    new CommandException(
                            refused.isAborting()
                                    ? StatusCode.COMMAND_ABORT_REQUESTED
                                    : StatusCode.COMMAND_ID_CONFLICT));
        }
        completeDeletion(queue.endFetching());
    }

    private List<Command> fetchCommands(SubmissionQueue queue) {
        int entries = queue.completionQueue().claim(queue.fetchable(FETCH_AT_ONCE));
        if (entries == 0) {
            return List.of();
        }
        MemorySegment ring = MemorySegment.ofArray(new long[entries * Command.ENTRY_BYTES / 8]);
        CompletionStatus status = memory.read(queue.address(queue.head()), ring);
        if (!status.isSuccess()) {
            fatal("the entries of submission queue " + queue.id() + " cannot be read", status);
            return List.of();
        }
        List<Command> commands = new ArrayList<>(entries);
        for (int i = 0; i < entries; i++) {
            long offset = (long) i * Command.ENTRY_BYTES;
            commands.add(new Command(queue, ring.asSlice(offset, Command.ENTRY_BYTES)));
        }
        return commands;
    }

    @Override
    public void execute(Command command) {
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
            fail(command, e);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "A command of opcode " + command.opcode() + " failed", e);
            fail(command, new CommandException(StatusCode.INTERNAL_ERROR));
        }
    }

    /** Ends a command with an error, and logs it unless the driver wanted it so (5.14.1.1). */
    private void fail(Command command, CommandException why) {
        StatusCode status = why.status();
        if (status == StatusCode.COMMAND_ABORT_REQUESTED
                || status == StatusCode.COMMAND_ABORTED_SQ_DELETION) {
            complete(command, status.field(), 0);
            return;
        }
        state.errors().add(command, why);
        complete(command, status.field() | MORE, 0);
        raise(warnings.risen());
    }

    private void complete(Command command, int statusField, int result) {
        SubmissionQueue queue = command.queue();
        queue.release(command);
        Command waitingAbort = command.end();
        post(queue, command, statusField, result);
        if (waitingAbort != null) {
            abort.ended(waitingAbort);
            boolean aborted = statusField == StatusCode.COMMAND_ABORT_REQUESTED.field();
            complete(waitingAbort, StatusCode.SUCCESS.field(), Abort.result(aborted));
        }
        completeDeletion(queue.end());
    }

    private void completeDeletion(Command deletion) {
        if (deletion != null) {
            complete(deletion, StatusCode.SUCCESS.field(), 0);
        }
    }

    private void post(SubmissionQueue queue, Command command, int statusField, int result) {
        if (isEnded()) {
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
        if (!isEnded() && status != CompletionStatus.STALE_GENERATION) {
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
        workers.offer(request.queue());
        deliverEventsSoon();
    }

    /** Things happened that the driver may have asked to be told of. */
    void raise(AsynchronousEvent... happened) {
        for (AsynchronousEvent event : happened) {
            events.raise(event);
        }
        deliverEventsSoon();
    }

    /** The driver has read a log page, so events of its type are let through again. */
    void logRead(int page) {
        events.logRead(page);
        deliverEventsSoon();
    }

    private void deliverEventsSoon() {
        if (events.isReady()) {
            workers.run(this::deliverEvents);
        }
    }

    private void deliverEvents() {
        CompletionQueue completions = completionQueue(0);
        while (completions.claim(1) == 1) {
            AsynchronousEvents.Delivery delivery = events.next();
            if (delivery == null) {
                completions.unclaim();
                return;
            }
            complete(delivery.request(), StatusCode.SUCCESS.field(), delivery.event().result());
        }
    }

    /** The driver has set a feature. */
    void featuresChanged() {
        workers.configure(features.arbitration());
        raise(warnings.risen());
    }

    /** Ends a command that waits: for its turn, or for an event. False where it does not. */
    boolean abortAtOnce(Command command) {
        boolean isWaiting = command.abort();
        if (!isWaiting && events.abort(command)) {
            isWaiting = command.queue().completionQueue().claim(1) == 1;
            if (!isWaiting) {
                events.keep(command);
            }
        }
        if (isWaiting) {
            fail(command, new CommandException(StatusCode.COMMAND_ABORT_REQUESTED));
        }
        return isWaiting;
    }

    /**
     * Deletes a submission queue: commands not executed yet end at once, and the deleting command
     * completes when all others have.
     */
    void delete(SubmissionQueue queue, Command deleting) {
        submissionQueues.set(queue.id(), null);
        queue.completionQueue().submissionQueues().remove(queue);
        SubmissionQueue.Deletion left = queue.delete(deleting);
        for (Command unfetched : left.aborts()) {
            abort.ended(unfetched);
            complete(unfetched, StatusCode.SUCCESS.field(), Abort.result(false));
        }
        for (Command command : left.underWay()) {
            if (command.abort()) {
                fail(command, new CommandException(StatusCode.COMMAND_ABORTED_SQ_DELETION));
            }
        }
        if (left.isQuiet()) {
            completeDeletion(deleting);
        }
    }

    /** Fetches nothing until {@link #goOn}. */
    void pause() {
        workers.pause();
    }

    /** What was paused, or loaded, goes on. */
    void goOn() {
        workers.goOn();
        for (int id = 0; id < submissionQueues.length(); id++) {
            if (submissionQueues.get(id) != null) {
                workers.offer(submissionQueues.get(id));
            }
        }
        deliverEventsSoon();
    }

    /** Writes all of it, while nothing is executed: commands that wait among it. */
    void save(StateWriter saved) throws StateException {
        saved.put("CC", configuration.value());
        saved.put("AQA", adminQueues.attributes());
        saved.put("ASQ", adminQueues.submissionBase());
        saved.put("ACQ", adminQueues.completionBase());
        saved.put("queues created", adminCommands.queues().anyCreated());
        saved.put("warnings told", warnings.told());
        saved.group("features", features::save);
        saved.group("events", events::save);
        saved.group("aborts", abort::save);
        for (int id = 0; id < submissionQueues.length(); id++) {
            if (completionQueues.get(id) != null) {
                saved.group("completion queue " + id, completionQueues.get(id)::save);
            }
            if (submissionQueues.get(id) != null) {
                StateWriter queue = new StateWriter();
                submissionQueues.get(id).save(queue);
                saved.put("submission queue " + id, queue);
            }
        }
        for (Command command : submissionQueues.get(0).underWay()) {
            saved.group(
                    "command " + command.identifier(),
                    fields -> {
                        fields.put("entry", command.entry());
                        if (command.abortedBy() != null) {
                            fields.put("aborted by", command.abortedBy().identifier());
                        }
                    });
        }
    }

    /** Takes over what one that was made with the same CC and admin queues saved. */
    void load(StateReader saved) throws StateException {
        adminCommands.queues().setAnyCreated(saved.flag("queues created"));
        warnings.setTold(saved.int32("warnings told", 0, 0xFF));
        features.load(saved.group("features"));
        workers.configure(features.arbitration());
        SubmissionQueue admin = submissionQueues.get(0);
        loadCommands(saved, admin);
        events.load(saved.group("events"), admin::underWay);
        abort.load(saved.group("aborts"), admin.underWay());
        completionQueues.get(0).load(saved.group("completion queue 0"));
        admin.load(saved.group("submission queue 0"), admin::underWay);
        for (int id = 1; id < submissionQueues.length(); id++) {
            if (saved.has("completion queue " + id)) {
                loadCompletionQueue(id, saved.group("completion queue " + id));
            }
        }
        for (int id = 1; id < submissionQueues.length(); id++) {
            if (saved.has("submission queue " + id)) {
                loadSubmissionQueue(id, saved.group("submission queue " + id), admin);
            }
        }
    }

    private static void loadCommands(StateReader saved, SubmissionQueue admin)
            throws StateException {
        for (String name : saved.names()) {
            if (name.startsWith("command ")) {
                byte[] entry = saved.group(name).bytes("entry", Command.ENTRY_BYTES);
                if (!admin.restore(new Command(admin, MemorySegment.ofArray(entry)))) {
                    throw saved.wrong(name, "has the identifier of another");
                }
            }
        }
        for (Command command : admin.underWay()) {
            StateReader fields = saved.group("command " + command.identifier());
            if (fields.has("aborted by")) {
                Command by = admin.underWay(fields.int32("aborted by", 0, 0xFFFF));
                if (by == null || by == command || !command.abortBy(by)) {
                    throw fields.wrong("aborted by", "names no command");
                }
            }
        }
    }

    private void loadCompletionQueue(int id, StateReader saved) throws StateException {
        CompletionQueue queue =
                new CompletionQueue(
                        id,
                        memory,
                        saved.number("base"),
                        saved.int32("size", 2, Controller.MAX_QUEUE_ENTRIES),
                        saved.flag("interrupts enabled"),
                        saved.int32("vector", 0, 0xFFFF));
        queue.load(saved);
        add(queue);
    }

    private void loadSubmissionQueue(int id, StateReader saved, SubmissionQueue admin)
            throws StateException {
        CompletionQueue completions =
                completionQueue(saved.int32("completion queue", 1, state.queuePairs()));
        if (completions == null) {
            throw saved.wrong("completion queue", "does not exist");
        }
        SubmissionQueue queue =
                new SubmissionQueue(
                        id,
                        saved.number("base"),
                        saved.int32("size", 2, Controller.MAX_QUEUE_ENTRIES),
                        completions,
                        priority(saved));
        queue.load(saved, admin::underWay);
        add(queue);
    }

    private static Arbitration.Priority priority(StateReader saved) throws StateException {
        String name = saved.text("priority");
        for (Arbitration.Priority priority : Arbitration.Priority.values()) {
            if (priority.name().equals(name)) {
                return priority;
            }
        }
        throw saved.wrong("priority", "is none");
    }

    /** Fetches no more commands; {@code whenIdle} runs once those under way have ended. */
    void shutDown(Runnable whenIdle) {
        workers.shutDown(whenIdle);
    }

    /** Ends everything: nothing is posted any more; {@code whenIdle} runs once all is quiet. */
    void end(Runnable whenIdle) {
        workers.end(whenIdle);
    }
}
