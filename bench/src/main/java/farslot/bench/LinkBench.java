package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.link.LinkOptions;
import farslot.link.RemoteFunction;
import farslot.posix.MappedMemory;
import farslot.trust.TrustSetup;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The link: this process is the slot, another the lender. Registers are the teaching device's, DMA
 * is {@link DmaEngine}'s.
 */
final class LinkBench {
    // Frames, docs/protocol.md.
    private static final int READ_BYTES = 48;
    private static final int WRITE_BYTES = 60;
    private static final int DATA_BYTES = 40;
    private static final int DMA_READ_BYTES = 48;
    private static final int DMA_WRITE_BYTES = 40;

    /** BAR0 of the teaching device: QEMU, docs/specs/edu.rst. */
    private static final int LIVENESS = 0x04;

    // PCI 3.0, 6.2.2.
    private static final int COMMAND = 0x04;
    private static final int MEMORY_AND_BUS_MASTER = 0x6;

    private static final int READS = 20_000;
    private static final int WRITES = 400_000;
    private static final int WRITES_A_SEND = 64;
    private static final int TARGET_WRITES = 1_000_000;
    private static final int PAGE_READS = 10_000;
    private static final int BULK_BYTES = 256 << 20;
    private static final int NEAR_COPIES = 1_000_000;
    private static final int PAGE = 4096;
    private static final double NEAR_MORE_NANOS = 200;

    private final Workbench bench;
    private final Rounds rounds;
    private final List<Row> rows = new ArrayList<>();
    private final MemorySegment word = Arena.ofAuto().allocate(Long.BYTES);

    private LinkBench(Workbench bench, Rounds rounds) {
        this.bench = bench;
        this.rounds = rounds;
    }

    static List<Row> run(Workbench bench, Rounds rounds) throws IOException {
        Peer lender = bench.keep(Peer.farSide("lender", bench.file().toString()));
        String near = lender.line();
        String far = lender.line();
        LinkBench link = new LinkBench(bench, rounds);
        LinkOptions plain = FarSide.options();
        Target close = Target.ratioAtMost(1.6);
        Peer tcp = bench.tcpSocket(READ_BYTES, DATA_BYTES + 4);
        link.reads("link.read4.tcp", close, FarSide.borrow(far, "edu", plain), tcp);
        Peer unix = bench.unixSocket(READ_BYTES, DATA_BYTES + 4);
        link.reads("link.read4.unix", close, FarSide.borrow(near, "edu-near", plain), unix);
        link.postedWrites(far);
        link.messages(far);
        link.mappedMemory(near);
        link.proven(tcp);
        return link.rows;
    }

    private void add(
            String name, String unit, Target target, Contest.Turn measured, Contest.Turn baseline)
            throws IOException {
        rows.add(new Contest(name, unit, target, measured, baseline).run(rounds, bench.progress()));
    }

    // Registers.

    private void reads(String name, Target target, RemoteFunction borrowed, Peer socket)
            throws IOException {
        try (RemoteFunction edu = borrowed) {
            enable(edu);
            int count = rounds.of(READS);
            add(
                    name,
                    "us",
                    target,
                    Contest.micros(() -> medianRead(edu, count)),
                    Contest.micros(Workbench.turn(socket, "ping " + count)));
        }
    }

    private double medianRead(PciFunction edu, int count) throws IOException {
        MemorySegment into = word.asSlice(0, 4);
        long[] times = new long[count];
        for (int i = 0; i < count; i++) {
            long begun = System.nanoTime();
            check("read", edu.read(0, LIVENESS, into, 4));
            times[i] = System.nanoTime() - begun;
        }
        Arrays.sort(times);
        return times[count / 2];
    }

    private void postedWrites(String address) throws IOException {
        try (RemoteFunction edu = FarSide.borrow(address, "edu", FarSide.options())) {
            enable(edu);
            int count = rounds.of(WRITES);
            Peer socket = bench.tcpSocket(WRITE_BYTES, DATA_BYTES + 4);
            String order = "post " + count + " " + WRITES_A_SEND;
            add(
                    "link.write4.posted",
                    "1/s",
                    Target.valueAtLeast(TARGET_WRITES),
                    Contest.perSecond(() -> meanWrite(edu, count), 1),
                    Contest.perSecond(Workbench.turn(socket, order), 1));
        }
    }

    /** Writes, and a read that pushes them, so that all are paid for. Checks the last one. */
    private double meanWrite(PciFunction edu, int count) throws IOException {
        MemorySegment from = word.asSlice(0, 4);
        long begun = System.nanoTime();
        for (int i = 0; i < count; i++) {
            from.set(ValueLayout.JAVA_INT, 0, i);
            check("write", edu.write(0, LIVENESS, from, 4, PciFunction.ALL_BYTES));
        }
        check("read", edu.read(0, LIVENESS, from, 4));
        double each = (double) (System.nanoTime() - begun) / count;
        if (from.get(ValueLayout.JAVA_INT, 0) != ~(count - 1)) {
            throw new IOException("The device did not get the last write before the read.");
        }
        return each;
    }

    // DMA.

    private void messages(String address) throws IOException {
        try (RemoteFunction function = FarSide.borrow(address, "dma", FarSide.options());
                Driver driver = new Driver(function)) {
            Target plain = Target.ratioAtLeast(0.7);
            bulkRead(driver, "link.dma.read.64k", plain, 64 << 10, 16);
            bulkRead(driver, "link.dma.read.1m", plain, 1 << 20, 2);
            bulkWrite(driver, "link.dma.write.64k", plain, 64 << 10, 16);
            bulkWrite(driver, "link.dma.write.1m", plain, 1 << 20, 2);
            int count = rounds.of(PAGE_READS);
            Peer socket = bench.tcpSocket(DMA_READ_BYTES, DATA_BYTES + PAGE);
            add(
                    "link.dma.read.4k.depth1",
                    "us",
                    Target.ratioAtMost(1.8),
                    Contest.micros(() -> driver.nanosEach(PAGE, 1, DmaEngine.READ, count)),
                    Contest.micros(Workbench.turn(socket, "window " + count + " 1")));
        }
    }

    private void bulkRead(Driver driver, String name, Target target, int length, int atOnce)
            throws IOException {
        int count = bulkCount(length, atOnce);
        Peer socket = bench.tcpSocket(DMA_READ_BYTES, DATA_BYTES + length);
        add(
                name,
                "MB/s",
                target,
                Contest.perSecond(
                        () -> driver.nanosEach(length, atOnce, DmaEngine.READ, count),
                        length / 1e6),
                Contest.perSecond(
                        Workbench.turn(socket, "window " + count + " " + atOnce), length / 1e6));
    }

    private void bulkWrite(Driver driver, String name, Target target, int length, int atOnce)
            throws IOException {
        int count = bulkCount(length, atOnce);
        Peer socket = bench.tcpSocket(DMA_WRITE_BYTES + length, DATA_BYTES);
        add(
                name,
                "MB/s",
                target,
                Contest.perSecond(
                        () -> driver.nanosEach(length, atOnce, DmaEngine.WRITE, count),
                        length / 1e6),
                Contest.perSecond(Workbench.turn(socket, "post " + count + " 1"), length / 1e6));
    }

    private int bulkCount(int length, int atOnce) {
        int all = rounds.of(BULK_BYTES / length);
        return Math.max(1, all / atOnce) * atOnce;
    }

    /** The same over TLS: encrypted by one side and decrypted by the other. */
    private void proven(Peer tcp) throws IOException {
        Path trust = bench.file();
        new TrustSetup(trust).init("bench", "bench", List.of("127.0.0.1"), 1);
        Peer lender = bench.keep(Peer.farSide("proven", bench.file().toString(), trust.toString()));
        lender.line();
        String far = lender.line();
        LinkOptions options = FarSide.proven(trust);
        reads("link.read4.tls", Target.ratioAtMost(3), FarSide.borrow(far, "edu", options), tcp);
        try (RemoteFunction function = FarSide.borrow(far, "dma", options);
                Driver driver = new Driver(function)) {
            Target encrypted = Target.ratioAtLeast(0.3);
            bulkRead(driver, "link.dma.read.64k.tls", encrypted, 64 << 10, 16);
            bulkWrite(driver, "link.dma.write.64k.tls", encrypted, 64 << 10, 16);
        }
    }

    private void mappedMemory(String address) throws IOException {
        try (RemoteFunction function = FarSide.borrow(address, "dma-near", FarSide.options());
                Driver driver = new Driver(function)) {
            int count = rounds.of(NEAR_COPIES);
            Peer memory =
                    bench.hasBaselines()
                            ? bench.keep(Peer.program(bench.program("memory"), bench.file()))
                            : null;
            add(
                    "unix.dma.4k",
                    "ns",
                    Target.atMost(2, NEAR_MORE_NANOS),
                    () -> driver.nanosEach(PAGE, 1, DmaEngine.ALTERNATE, count),
                    Workbench.turn(memory, "copy " + count + " " + PAGE));
        }
    }

    /** The driver of a {@link DmaEngine}: lends it memory and tells it what to do. */
    private static final class Driver implements AutoCloseable {
        private static final long PATIENCE_SECONDS = 60;
        private final PciFunction function;
        private final MappedMemory memory;
        private final Semaphore interrupts = new Semaphore(0);
        private final MemorySegment register = Arena.ofAuto().allocate(Long.BYTES);

        Driver(PciFunction function) throws IOException {
            this.function = function;
            memory = MappedMemory.create("farslot-bench", DmaEngine.MEMORY_BYTES);
            InProcessHost host =
                    new InProcessHost(function, (kind, vector) -> interrupts.release());
            NearMemory near =
                    new NearMemory(memory.segment(), memory.descriptor().number(), memory.offset());
            host.map(
                    new DmaMap(
                            DmaEngine.ADDRESS,
                            DmaEngine.MEMORY_BYTES,
                            Direction.READ_WRITE,
                            near,
                            true));
            enable(function);
            function.interrupts(InterruptKind.MSI, 0, 1, InterruptAction.ENABLE);
        }

        double nanosEach(int length, int atOnce, int direction, int transfers) throws IOException {
            int calls = Math.max(1, transfers / atOnce);
            write(DmaEngine.LENGTH, length);
            write(DmaEngine.AT_ONCE, atOnce);
            write(DmaEngine.DIRECTION, direction);
            write(DmaEngine.CALLS, calls);
            write(DmaEngine.START, 1);
            try {
                if (!interrupts.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException("The device does not say that its DMA is done.");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("Interrupted while DMA was measured.", e);
            }
            check("read", function.read(0, DmaEngine.ELAPSED, register, Long.BYTES));
            long elapsed = register.get(ValueLayout.JAVA_LONG, 0);
            if (elapsed < 0) {
                throw new IOException("A transfer of the device failed.");
            }
            return (double) elapsed / ((long) calls * atOnce);
        }

        private void write(int offset, long value) throws IOException {
            register.set(ValueLayout.JAVA_LONG, 0, value);
            check("write", function.write(0, offset, register, Long.BYTES, PciFunction.ALL_BYTES));
        }

        @Override
        public void close() {
            function.attach(null);
            memory.close();
        }
    }

    /** Lets the function answer memory accesses and use DMA. */
    private static void enable(PciFunction function) throws IOException {
        MemorySegment command = Arena.ofAuto().allocate(2);
        command.set(ValueLayout.JAVA_SHORT, 0, (short) MEMORY_AND_BUS_MASTER);
        check(
                "write of the command register",
                function.write(Region.CONFIGURATION, COMMAND, command, 2, PciFunction.ALL_BYTES));
    }

    private static void check(String what, CompletionStatus status) throws IOException {
        if (!status.isSuccess()) {
            throw new IOException("A " + what + " through the link ended in " + status + ".");
        }
    }
}
