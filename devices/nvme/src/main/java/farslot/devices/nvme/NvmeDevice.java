package farslot.devices.nvme;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.registers.RegisterMap;
import farslot.sdk.Bar;
import farslot.sdk.Device;
import farslot.sdk.Dma;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import farslot.sdk.RegisterFile;
import farslot.sdk.RegisterState;
import farslot.sdk.Savable;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import farslot.sdk.Tasks;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The controller as a PCI function: BAR0 with the registers, BAR4 with the MSI-X table (none
 * without MSI-X).
 */
final class NvmeDevice implements Device, Savable {
    /** Class 01h, 08h, 02h: an NVM Express I/O controller; drivers know it by that alone. */
    static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x11f0, 0x1234, 0x0001, 0x010802, 1);

    private static final int REGISTER_BYTES = 0x2000;
    private static final int TABLE_BYTES = 0x1000;
    private static final int PENDING_AT = 0x800;

    private final ControllerState state;
    private final RegisterMap map;
    private final boolean msix;
    private final boolean msi;
    private Controller controller;
    private InterruptStatus interruptStatus;

    NvmeDevice(ControllerState state, RegisterMap map, boolean msix, boolean msi) {
        this.state = state;
        this.map = map;
        this.msix = msix;
        this.msi = msi;
    }

    @Override
    public void assemble(FunctionBuilder function) {
        int vectors = state.queuePairs() + 1;
        function.identity(IDENTITY).intx(1);
        if (msi) {
            // A power of two, at most 32 (PCI 3.0, 6.8.1.3).
            function.msi(Math.min(32, Integer.highestOneBit(2 * vectors - 1)));
        }
        Bar registers =
                function.memoryBar(
                        0,
                        REGISTER_BYTES,
                        Region.Attribute.BITS_64,
                        Region.Attribute.READS_WITHOUT_SIDE_EFFECTS);
        if (msix) {
            Bar table =
                    function.memoryBar(4, TABLE_BYTES, Region.Attribute.READS_WITHOUT_SIDE_EFFECTS);
            function.msix(vectors, table, 0, table, PENDING_AT);
        }
        Tasks tasks = function.tasks();
        // One more for the flush of a shutdown.
        int threads = Workers.most(state.queuePairs()) + 1;
        tasks.limit(threads, 2 * threads);
        Dma dma = function.dma();
        interruptStatus = new InterruptStatus(new Lines(function.interrupts()));
        controller =
                new Controller(state, interruptStatus, tasks::start, () -> new MappedMemory(dma));
        bind(registers.registers(map.domain("BAR0")));
    }

    private void bind(RegisterFile registers) {
        registers.onRead("INTMS", () -> Integer.toUnsignedLong(interruptStatus.mask()));
        registers.onRead("INTMC", () -> Integer.toUnsignedLong(interruptStatus.mask()));
        registers.onWritten("INTMS", bits -> interruptStatus.setMask((int) bits));
        registers.onWritten("INTMC", bits -> interruptStatus.clearMask((int) bits));
        RegisterState adminQueues = registers.register("AQA");
        RegisterState submissionBase = registers.register("ASQ");
        RegisterState completionBase = registers.register("ACQ");
        registers.onWrite(
                "CC",
                (old, now) ->
                        controller.configure(
                                new ControllerConfiguration((int) now),
                                new AdminQueues(
                                        (int) adminQueues.get(),
                                        submissionBase.get(),
                                        completionBase.get())));
        registers.onRead("CSTS", () -> controller.status());
        registers.onWrittenOfEach(
                "SQTDBL", (queue, value) -> controller.ring(queue, false, (int) value));
        registers.onWrittenOfEach(
                "CQHDBL", (queue, value) -> controller.ring(queue, true, (int) value));
    }

    @Override
    public void reset(ResetKind kind) {
        controller.reset(kind == ResetKind.COLD);
    }

    @Override
    public void quiesce() {
        controller.pause();
    }

    @Override
    public void resume() {
        controller.goOn();
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** What the volatile cache holds goes to the images, which are not part of the state. */
    @Override
    public void save(StateWriter saved) throws StateException {
        try {
            state.namespaces().flush();
        } catch (IOException e) {
            throw new StateException(e.getMessage(), e);
        }
        saved.put("disk", describe());
        StateWriter controllerState = new StateWriter();
        controller.save(controllerState);
        saved.put("controller", controllerState);
    }

    @Override
    public void load(StateReader saved) throws StateException {
        String disk = saved.text("disk");
        if (!disk.equals(describe())) {
            throw new StateException(
                    "The state is of another disk: it is of "
                            + disk
                            + ", and this is "
                            + describe()
                            + ".");
        }
        controller.load(saved.group("controller"));
    }

    /** What the options and images must be again. */
    private String describe() {
        StringBuilder words = new StringBuilder(state.serial());
        words.append(" (").append(state.model()).append("), ");
        words.append(state.queuePairs()).append(" queues, cache ");
        words.append(state.volatileWriteCache() ? "on" : "off");
        for (Namespace namespace : state.namespaces().all()) {
            words.append(", ").append(namespace.blocks()).append(" blocks of ");
            words.append(namespace.blockBytes()).append(" of ").append(namespace.uuid());
        }
        return words.toString();
    }

    @Override
    public void close() {
        try {
            state.namespaces().close();
        } catch (IOException e) {
            System.getLogger("farslot.nvme").log(Level.ERROR, e.getMessage());
        }
    }

    /** The SDK knows of each task's thread to which generation its DMA belongs. */
    private record MappedMemory(Dma dma) implements DriverMemory {
        @Override
        public CompletionStatus read(long address, MemorySegment into) {
            return dma.read(address, into);
        }

        @Override
        public CompletionStatus write(long address, MemorySegment from) {
            return dma.write(address, from);
        }

        @Override
        public CompletionStatus readAll(List<DmaSegment> segments) {
            return dma.readAll(segments);
        }

        @Override
        public CompletionStatus writeAll(List<DmaSegment> segments) {
            return dma.writeAll(segments);
        }
    }

    /**
     * The SDK asserts the pin while a vector is raised; a message is a vector raised for a moment.
     */
    private record Lines(Interrupts interrupts) implements InterruptLines {
        @Override
        public InterruptKind kind() {
            return interrupts.kind();
        }

        @Override
        public int vectors() {
            return interrupts.vectors();
        }

        @Override
        public void message(int vector) {
            interrupts.raise(vector);
            interrupts.lower(vector);
        }

        @Override
        public void pin(boolean asserted) {
            if (asserted) {
                interrupts.raise(0);
            } else {
                interrupts.lower(0);
            }
        }
    }
}
