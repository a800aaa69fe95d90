package farslot.devices.nvme;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * The threads that fetch and execute commands, each time for the queue that {@link Arbitration}
 * names.
 *
 * <p>A queue that has work always gets a worker, however many commands of other queues are slow;
 * beyond that, queues share a fixed number. The admin queue has one worker and no more, so its
 * commands are executed one after the other.
 *
 * <p><b>Threads.</b> Any thread may call; nothing waits.
 */
final class Workers {
    private static final Logger LOG = System.getLogger("farslot.nvme");

    /** How many commands of I/O queues are executed at once, beside the first of each queue. */
    static final int SHARED = 16;

    /** What is done for a queue: to fetch, or to execute a command. */
    interface Service {
        void fetch(SubmissionQueue queue);

        void execute(Command command);
    }

    /** One thing to do; the queue is null where it is for none. */
    private record Job(SubmissionQueue queue, Command command, Runnable task) {
        boolean isIo() {
            return command != null && !queue.isAdmin();
        }
    }

    private final Executor threads;
    private final Service service;
    private final HealthCounters counters;
    private final Consumer<String> onFatal;
    private final int most;

    private final Object lock = new Object();
    private final Arbitration arbitration = new Arbitration();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private int threadsAsked;
    private int running;
    private int sharedTaken;
    private int ioRunning;
    private boolean fetchingStopped;
    private boolean paused;
    private volatile boolean ended;
    private Runnable whenIdle;

    /**
     * @param threads runs each task given to it on a thread of its own, {@link #most} at once
     * @param onFatal told in a sentence what the controller cannot go on after
     */
    Workers(
            int queuePairs,
            Executor threads,
            Service service,
            HealthCounters counters,
            Consumer<String> onFatal) {
        this.most = most(queuePairs);
        this.threads = threads;
        this.service = service;
        this.counters = counters;
        this.onFatal = onFatal;
    }

    /** How many threads are asked for at most: shared ones, one a queue, one for tasks. */
    static int most(int queuePairs) {
        return SHARED + queuePairs + 2;
    }

    /** Takes over what the arbitration feature says. */
    void configure(int arbitrationFeature) {
        synchronized (lock) {
            arbitration.configure(arbitrationFeature);
        }
    }

    /** A queue may have work: it was rung, or its completion queue has room again. */
    void offer(SubmissionQueue queue) {
        synchronized (lock) {
            // One that is listed already has a worker, or waits for those that are busy.
            if (ended || !arbitration.list(queue) || !askForThread()) {
                return;
            }
        }
        threads.execute(this::work);
    }

    /** Does something soon, before any command; never where the end has come. */
    void run(Runnable task) {
        synchronized (lock) {
            if (ended) {
                return;
            }
            tasks.add(task);
            if (!askForThread()) {
                return;
            }
        }
        threads.execute(this::work);
    }

    boolean isEnded() {
        return ended;
    }

    /** Fetches no more commands; {@code idle} runs once those that were fetched have ended. */
    void shutDown(Runnable idle) {
        stop(idle, false);
    }

    /** Fetches nothing until {@link #goOn}; commands that were fetched are executed. */
    void pause() {
        synchronized (lock) {
            paused = true;
        }
    }

    /** Queues may be fetched from again; those that have work are to be offered. */
    void goOn() {
        synchronized (lock) {
            paused = false;
        }
    }

    /** Begins nothing more; {@code idle} runs once what runs has ended. */
    void end(Runnable idle) {
        stop(idle, true);
    }

    private void stop(Runnable idle, boolean ending) {
        synchronized (lock) {
            fetchingStopped = true;
            ended |= ending;
            Runnable earlier = whenIdle;
            whenIdle =
                    earlier == null
                            ? idle
                            : () -> {
                                earlier.run();
                                idle.run();
                            };
        }
        runIfIdle();
    }

    private boolean askForThread() {
        if (threadsAsked == most) {
            return false;
        }
        threadsAsked++;
        return true;
    }

    /** What a thread does: all that there is. */
    private void work() {
        Job done = null;
        while (true) {
            boolean moreHands;
            Job job;
            synchronized (lock) {
                finish(done);
                job = next();
                threadsAsked -= job == null ? 1 : 0;
                moreHands = job != null && isMoreToDo() && askForThread();
            }
            if (moreHands) {
                threads.execute(this::work);
            }
            if (job == null) {
                runIfIdle();
                return;
            }
            perform(job);
            done = job;
        }
    }

    private void perform(Job job) {
        try {
            if (job.task != null) {
                job.task.run();
            } else if (job.command != null) {
                service.execute(job.command);
            } else {
                service.fetch(job.queue);
            }
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "A worker failed", e);
            onFatal.accept("The controller has stopped: a worker failed (" + e + ").");
        }
    }

    private Job next() {
        if (ended) {
            return null;
        }
        if (!tasks.isEmpty()) {
            running++;
            return new Job(null, null, tasks.poll());
        }
        while (true) {
            SubmissionQueue queue = arbitration.next(this::standing);
            if (queue == null) {
                return null;
            }
            Command command = queue.take();
            if (command != null || (mayFetch() && queue.beginFetching())) {
                Job job = new Job(queue, command, null);
                start(job);
                return job;
            }
            // Aborted or deleted meanwhile: the queue's standing is another now.
        }
    }

    private boolean mayFetch() {
        return !fetchingStopped && !paused;
    }

    private boolean isMoreToDo() {
        return !tasks.isEmpty() || arbitration.isReady(this::standing);
    }

    private Arbitration.Standing standing(SubmissionQueue queue) {
        if (!queue.hasCommand() && !(mayFetch() && queue.canFetch())) {
            return Arbitration.Standing.IDLE;
        }
        boolean free = queue.jobs() == 0 || (!queue.isAdmin() && sharedTaken < SHARED);
        return free ? Arbitration.Standing.READY : Arbitration.Standing.HELD;
    }

    private void start(Job job) {
        running++;
        sharedTaken += job.queue.jobs() > 0 ? 1 : 0;
        job.queue.setJobs(job.queue.jobs() + 1);
        if (job.isIo() && ioRunning++ == 0) {
            counters.beginBusy();
        }
    }

    private void finish(Job job) {
        if (job == null) {
            return;
        }
        running--;
        if (job.queue == null) {
            return;
        }
        job.queue.setJobs(job.queue.jobs() - 1);
        sharedTaken -= job.queue.jobs() > 0 ? 1 : 0;
        if (job.isIo() && --ioRunning == 0) {
            counters.endBusy();
        }
        // What it has fetched, or what was submitted while it fetched.
        arbitration.list(job.queue);
    }

    private void runIfIdle() {
        Runnable idle = null;
        synchronized (lock) {
            if (whenIdle != null && running == 0 && (ended || !isMoreToDo())) {
                idle = whenIdle;
                whenIdle = null;
            }
        }
        if (idle != null) {
            idle.run();
        }
    }
}
