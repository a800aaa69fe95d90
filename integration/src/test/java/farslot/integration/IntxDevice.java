package farslot.integration;

import farslot.core.FunctionDescription;
import farslot.core.ResetKind;
import farslot.sdk.AreaHandler;
import farslot.sdk.Device;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import farslot.sdk.Tasks;

/**
 * Raises its pin for one event after another, each as soon as the one before it is acknowledged: by
 * turns in the handler of the acknowledging write, which the unmask comes behind, and on a thread
 * of its own, whenever that is.
 */
final class IntxDevice implements Device {
    /** Reads 1 while an event is not acknowledged. */
    static final long STATUS = 0x0;

    /** Written n: event n is dealt with. */
    static final long ACKNOWLEDGE = 0x8;

    /** Written n: events 1 to n happen. */
    static final long START = 0x10;

    private static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x11f6, 0x1af4, 0x1100, 0xff0000, 1);

    private Interrupts interrupts;
    private Tasks tasks;
    private long last;
    private long raised;
    private long acknowledged;
    private long idle;
    private boolean ended;

    /** How many events there were. */
    synchronized long raised() {
        return raised;
    }

    /** How many acknowledgements were for nothing: interrupts that nobody had raised. */
    synchronized long idle() {
        return idle;
    }

    @Override
    public void assemble(FunctionBuilder function) {
        interrupts = function.interrupts();
        tasks = function.tasks();
        function.identity(IDENTITY).intx(1);
        function.memoryBar(0, 0x1000)
                .area(
                        0,
                        0x100,
                        new AreaHandler() {
                            @Override
                            public long read(long offset, int sizeBytes) {
                                return offset == STATUS && needsService() ? 1 : 0;
                            }

                            @Override
                            public void write(long offset, int sizeBytes, long value) {
                                if (offset == ACKNOWLEDGE) {
                                    acknowledge(value);
                                } else if (offset == START) {
                                    begin(value);
                                }
                            }
                        });
    }

    @Override
    public synchronized void reset(ResetKind kind) {
        last = 0;
        raised = 0;
        acknowledged = 0;
        notifyAll();
    }

    @Override
    public synchronized void close() {
        ended = true;
        notifyAll();
    }

    private synchronized boolean needsService() {
        return raised > acknowledged;
    }

    private void begin(long events) {
        synchronized (this) {
            last = events;
        }
        tasks.start(this::raiseFromBeside);
        event();
    }

    private void event() {
        synchronized (this) {
            if (raised == last || raised > acknowledged) {
                return;
            }
            raised++;
        }
        interrupts.raise(0);
    }

    private void acknowledge(long event) {
        boolean here;
        synchronized (this) {
            if (event != raised || event == acknowledged) {
                idle++;
                return;
            }
            acknowledged = event;
            here = event % 2 == 0;
        }
        interrupts.lower(0);
        if (here) {
            event();
        } else {
            synchronized (this) {
                notifyAll();
            }
        }
    }

    private void raiseFromBeside() {
        while (!tasks.isStale()) {
            synchronized (this) {
                while (!ended && raised < last && (raised > acknowledged || raised % 2 == 0)) {
                    try {
                        wait(1000);
                    } catch (InterruptedException e) {
                        return;
                    }
                    if (tasks.isStale()) {
                        return;
                    }
                }
                if (ended || raised >= last) {
                    return;
                }
            }
            event();
        }
    }
}
