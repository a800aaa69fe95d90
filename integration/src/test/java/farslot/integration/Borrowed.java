package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.devices.nvme.DriverRun;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RemoteFunction;
import farslot.link.Wish;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A function that is borrowed by this process and driven by threads of it without end, until its
 * lender is gone; with a note of all that was acknowledged.
 */
final class Borrowed implements AutoCloseable {
    /** What {@link #disk} borrows, but for its image. */
    static final String DISK =
            "nvme,name=n0,size=" + DriverRun.DISK_BYTES + ",queues=" + DriverRun.QUEUES;

    /** What {@link #teacher} borrows. */
    static final String TEACHER = "edu,name=e0";

    private static final int BUS_MASTER_AND_MEMORY = 0x406;

    private static final int LIVENESS = 0x04;
    private static final int IRQ_STATUS = 0x24;
    private static final int IRQ_RAISE = 0x60;
    private static final int IRQ_ACK = 0x64;
    private static final int DMA_SOURCE = 0x80;

    private final RemoteFunction remote;
    private final Acknowledgements acknowledged;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;
    private volatile Throwable failure;

    private Borrowed(Address address, String name, CountDownLatch moment) throws Exception {
        remote =
                RemoteFunction.borrow(
                        address,
                        new Wish(name),
                        // A killed lender is waited for by nobody.
                        LinkOptions.named("driver").withInsecure(true).withGrace(Duration.ZERO),
                        why -> {});
        acknowledged = new Acknowledgements(remote, moment);
    }

    /** A controller with many transfers under way at every moment. */
    static Borrowed disk(Address address, CountDownLatch moment, long seed) throws Exception {
        Borrowed function = new Borrowed(address, "n0", moment);
        function.drive(() -> {
            try (DriverInJava driver =
                    new DriverInJava(
                            function.acknowledged, DriverRun.RAM_BYTES, DriverRun.VECTORS)) {
                new DriverRun(driver, driver::reset, seed, note -> {}).withoutEnd(() -> {});
            }
        });
        return function;
    }

    /** QEMU's teaching device: each access of two threads has a value of its own. */
    static Borrowed teacher(Address address, CountDownLatch moment) throws Exception {
        Borrowed function = new Borrowed(address, "e0", moment);
        new InProcessHost(function.acknowledged, (kind, vector) -> {});
        FunctionDescription description = function.remote.describe();
        int msi =
                description.capabilities().stream()
                        .filter(place -> place.id() == ConfigurationSpaceBuilder.ID_MSI)
                        .findFirst()
                        .orElseThrow()
                        .offset();
        function.write(Region.CONFIGURATION, ConfigurationSpace.COMMAND, 2, BUS_MASTER_AND_MEMORY);
        function.write(Region.CONFIGURATION, msi + 2, 2, 1);
        function.acknowledged.interrupts(InterruptKind.MSI, 0, 1, InterruptAction.ENABLE);
        function.drive(() -> {
            for (long i = 1; ; i++) {
                function.write(0, LIVENESS, 4, i & 0xffff_ffffL);
                function.expect(~i & 0xffff_ffffL, LIVENESS, 4);
                function.write(0, IRQ_RAISE, 4, 1);
                function.expect(1, IRQ_STATUS, 4);
                function.write(0, IRQ_ACK, 4, 1);
            }
        });
        function.drive(() -> {
            for (long i = 1; ; i++) {
                function.write(0, DMA_SOURCE, 8, i << 20);
                function.expect(i << 20, DMA_SOURCE, 8);
            }
        });
        return function;
    }

    private interface Drive {
        void run() throws Exception;
    }

    private void drive(Drive work) {
        threads.add(
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            try {
                                work.run();
                            } catch (Exception | AssertionError e) {
                                if (!stopped) {
                                    failure = e;
                                }
                            }
                        }));
    }

    private void write(int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new long[1]);
        from.set(DriverPlace.LONG, 0, value);
        succeeded(
                acknowledged.write(
                        region, offset, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES));
    }

    private void expect(long value, long offset, int bytes) {
        MemorySegment into = MemorySegment.ofArray(new long[1]);
        succeeded(acknowledged.read(0, offset, into.asSlice(0, bytes), bytes));
        if (into.get(DriverPlace.LONG, 0) != value) {
            throw new AssertionError(
                    String.format(
                            "0x%x of 0x%x where 0x%x was written",
                            into.get(DriverPlace.LONG, 0), offset, value));
        }
    }

    private static void succeeded(CompletionStatus status) {
        if (!status.isSuccess()) {
            throw new AssertionError("The access ended as " + status);
        }
    }

    /** What was. Whole once this is {@link #stop}ped. */
    Acknowledgements acknowledged() {
        return acknowledged;
    }

    /** Whether a thread has ended, which it does when its lender is gone. */
    boolean isOver() {
        return threads.stream().anyMatch(thread -> !thread.isAlive());
    }

    /** Why, where this was not stopped before. */
    Throwable failure() {
        return failure;
    }

    /** Ends the link and the threads: nothing is acknowledged any more. Again is harmless. */
    void stop() {
        stopped = true;
        remote.close();
        for (Thread thread : threads) {
            thread.interrupt();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public void close() {
        stop();
    }
}
