package farslot.sdk;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Work that a device does beside its register accesses: on a few threads of its own, which block as
 * they like. A task belongs to the generation in which it was started: a reset drops those that
 * have not begun, and waits for those that have, whose DMA and interrupts have no effect any more.
 *
 * <p>Any thread may call.
 */
public final class Tasks {
    /** How long a reset waits for tasks before it goes on without them. */
    private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final DeviceFunction function;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition notEmpty = lock.newCondition();
    private final AtomicInteger busy = new AtomicInteger();
    private final Set<Pending> timers = ConcurrentHashMap.newKeySet();

    private Runnable[] waiting = new Runnable[64];
    private Binding[] bindings = new Binding[64];
    private int head;
    private int count;
    private int threads;
    private int idle;
    private boolean closed;
    private int maxThreads = 8;
    private int maxWaiting = 4096;

    /** A thread that runs tasks, and the binding of the one it runs. */
    static final class TaskThread extends Thread {
        final DeviceFunction function;
        Binding binding;

        TaskThread(DeviceFunction function, Runnable run, String name) {
            super(null, run, name, 0, false);
            this.function = function;
            setDaemon(true);
        }
    }

    /** A timer that has not gone off. */
    private final class Pending implements Timer {
        final Runnable task;
        final Binding binding;
        volatile Timer clock;
        volatile boolean cancelled;

        Pending(Runnable task, Binding binding) {
            this.task = task;
            this.binding = binding;
        }

        void begin(long nanos) {
            clock = function.time().after(nanos, this::expire);
            if (cancelled) {
                clock.cancel();
            }
        }

        void expire() {
            if (cancelled || function.isStale(binding)) {
                forget();
            } else if (start(task, binding)) {
                forget();
            } else if (!function.isClosed()) {
                begin(TimeUnit.MILLISECONDS.toNanos(1)); // too much waits: try again
            }
        }

        private void forget() {
            if (timers.remove(this)) {
                function.workEnded();
            }
        }

        @Override
        public void cancel() {
            cancelled = true;
            Timer begun = clock;
            if (begun != null) {
                begun.cancel();
            }
            forget();
        }
    }

    Tasks(DeviceFunction function) {
        this.function = function;
    }

    /**
     * How many threads at most, 8 if never said. Belongs to {@link Device#assemble}.
     *
     * @param threadCount 1 to 256
     * @param tasksWaiting the most tasks that wait for a thread, 1 to a million
     */
    public void limit(int threadCount, int tasksWaiting) {
        if (threadCount < 1 || threadCount > 256 || tasksWaiting < 1 || tasksWaiting > 1 << 20) {
            throw new IllegalArgumentException(
                    threadCount + " threads, " + tasksWaiting + " tasks: out of range.");
        }
        maxThreads = threadCount;
        maxWaiting = tasksWaiting;
    }

    /**
     * Runs a task beside everything else. A {@link RuntimeException} out of it is logged.
     *
     * @return false, and it will not run, where as many wait as may, or where the caller is itself
     *     a task that a reset made stale
     */
    public boolean start(Runnable task) {
        return start(task, function.caller());
    }

    /**
     * Runs a task after a while; never where a reset comes between.
     *
     * @throws IllegalStateException where as many timers run as tasks may wait
     */
    public Timer after(Duration delay, Runnable task) {
        Pending timer = new Pending(task, function.caller());
        if (timers.size() >= maxWaiting) {
            throw new IllegalStateException(
                    "More than " + maxWaiting + " timers of " + function.kind() + " run at once.");
        }
        if (!function.isStale(timer.binding)) {
            timers.add(timer);
            timer.begin(Math.max(0, delay.toNanos()));
        }
        return timer;
    }

    /**
     * Runs something in the function's order, when no handler runs, on this thread: how a task
     * changes what handlers use. Within a handler it runs at once.
     *
     * @return false, and nothing is run, where the caller is a task that a reset made stale
     */
    public boolean inOrder(Runnable action) {
        return function.inOrder(function.caller(), action);
    }

    /** Whether the caller is a task that a reset made stale: it may as well end. */
    public boolean isStale() {
        return function.isStale(function.caller());
    }

    /**
     * Makes all tasks and timers stale, as a reset does, and waits for those that run: for a reset
     * within the device, by one of its own registers. To be called in the function's order; {@link
     * #inOrder} of others may run while it waits, and refuses stale tasks.
     *
     * @return false where a task still runs after a second; it has no effect any more
     */
    public boolean abandon() {
        return function.abandonTasks();
    }

    /**
     * Waits until no task runs or waits; other tasks' {@link #inOrder} may run meanwhile. To be
     * called in the function's order, not by a task.
     *
     * @return false where that is not so after a second
     */
    public boolean drain() {
        return drain(DRAIN_NANOS, false);
    }

    boolean start(Runnable task, Binding binding) {
        lock.lock();
        try {
            if (closed || count == maxWaiting || function.isStale(binding)) {
                return false;
            }
            grow();
            int tail = (head + count) & (waiting.length - 1);
            waiting[tail] = task;
            bindings[tail] = binding;
            count++;
            busy.incrementAndGet();
            if (idle >= count) {
                notEmpty.signal();
            } else if (threads < maxThreads) {
                threads++;
                String name = function.kind() + "-task-" + threads;
                new TaskThread(function, this::work, name).start();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void grow() {
        if (count < waiting.length) {
            return;
        }
        Runnable[] moreTasks = new Runnable[waiting.length * 2];
        Binding[] moreBindings = new Binding[waiting.length * 2];
        for (int i = 0; i < count; i++) {
            int from = (head + i) & (waiting.length - 1);
            moreTasks[i] = waiting[from];
            moreBindings[i] = bindings[from];
        }
        waiting = moreTasks;
        bindings = moreBindings;
        head = 0;
    }

    /** A thread's life. */
    private void work() {
        TaskThread thread = (TaskThread) Thread.currentThread();
        Runnable task = next(thread);
        while (task != null) {
            try {
                if (!function.isStale(thread.binding)) {
                    task.run();
                }
            } catch (RuntimeException e) {
                function.log().log(Level.ERROR, "A task of " + function.kind() + " failed.", e);
            } finally {
                thread.binding = null;
                if (busy.decrementAndGet() == 0) {
                    function.workEnded();
                }
            }
            task = next(thread);
        }
    }

    private Runnable next(TaskThread thread) {
        lock.lock();
        try {
            long left = IDLE_NANOS;
            while (count == 0) {
                if (closed || left <= 0) {
                    threads--;
                    return null;
                }
                idle++;
                try {
                    left = notEmpty.awaitNanos(left);
                } catch (InterruptedException e) {
                    left = 0; // nobody interrupts these threads but to end them
                } finally {
                    idle--;
                }
            }
            Runnable task = waiting[head];
            thread.binding = bindings[head];
            waiting[head] = null;
            bindings[head] = null;
            head = (head + 1) & (waiting.length - 1);
            count--;
            return task;
        } finally {
            lock.unlock();
        }
    }

    /** Drops what has not begun: after the binding has changed. */
    void dropWaiting() {
        for (Pending timer : timers) {
            timer.cancel();
        }
        lock.lock();
        try {
            busy.addAndGet(-count);
            java.util.Arrays.fill(waiting, null);
            java.util.Arrays.fill(bindings, null);
            count = 0;
        } finally {
            lock.unlock();
        }
    }

    boolean drain(long nanos, boolean timersToo) {
        if (Thread.currentThread() instanceof TaskThread thread && thread.function == function) {
            throw new IllegalStateException("A task cannot wait for all tasks to end.");
        }
        return function.awaitWork(() -> busy.get() == 0 && (!timersToo || timers.isEmpty()), nanos);
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            notEmpty.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
