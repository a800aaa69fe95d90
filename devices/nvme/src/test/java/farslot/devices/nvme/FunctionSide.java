package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.ForwardingFunction;
import farslot.core.ForwardingHost;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The whole device as a PCI function, and this process as its driver's side. */
final class FunctionSide implements DriverSide, AutoCloseable {
    static final int RAM_BYTES = 24 << 20;

    DeviceFunction function;

    /** What the driver talks to: the function, or what stands before it. */
    private PciFunction top;

    private final UnaryOperator<PciFunction> tap;
    private final Map<String, String> given = new HashMap<>();
    private final Changes changes = new Changes();
    private final MemorySegment ram = Arena.ofAuto().allocate(RAM_BYTES, 4096);

    /** Takes options as the command line has them: "image=d.img", "size=1M". */
    FunctionSide(String... options) throws DeviceCreationException {
        this(UnaryOperator.identity(), options);
    }

    /** With something between driver and function. */
    FunctionSide(UnaryOperator<PciFunction> tap, String... options) throws DeviceCreationException {
        this.tap = tap;
        for (String option : options) {
            int equals = option.indexOf('=');
            given.put(option.substring(0, equals), option.substring(equals + 1));
        }
        function = make();
        attach();
        configure(ConfigurationSpace.COMMAND, 2, 0x406);
    }

    private DeviceFunction make() throws DeviceCreationException {
        NvmeKind kind = new NvmeKind();
        return DeviceFunction.of("nvme", kind.create(Options.check(kind, given)));
    }

    private void attach() {
        top = tap.apply(function);
        PciFunction unattached =
                new ForwardingFunction(top) {
                    @Override
                    public void attach(PciHost host) {
                        // Watching is what is attached.
                    }
                };
        top.attach(new Watching(new InProcessHost(unattached, changes::interrupt)));
        top.map(
                new DmaMap(
                        RAM_ADDRESS,
                        RAM_BYTES,
                        Direction.READ_WRITE,
                        new NearMemory(ram, -1, 0),
                        true));
    }

    /** Saves the device, closes it, and goes on with a new one that has loaded what was saved. */
    byte[] handOver() throws DeviceCreationException, StateException {
        assertTrue(function.quiesce().isSuccess());
        byte[] state = function.save();
        function.close();
        function = make();
        function.load(state);
        attach();
        function.resume();
        return state;
    }

    /** Tells of each write. */
    private final class Watching extends ForwardingHost {
        Watching(InProcessHost next) {
            super(next);
            next.map(RAM_ADDRESS, ram, Direction.READ_WRITE);
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            CompletionStatus status = super.write(generation, address, from);
            if (status.isSuccess()) {
                changes.memoryWritten();
            }
            return status;
        }
    }

    /** Enables an interrupt mechanism as a driver does. */
    FunctionSide use(InterruptKind kind) {
        switch (kind) {
            case INTX -> configure(ConfigurationSpace.COMMAND, 2, 0x006);
            case MSI -> configure(capability(ConfigurationSpaceBuilder.ID_MSI) + 2, 2, 1 | 2 << 4);
            case MSIX -> configure(capability(ConfigurationSpaceBuilder.ID_MSIX) + 2, 2, 0x8000);
        }
        int vectors = kind == InterruptKind.MSI ? 4 : function.describe().vectors(kind);
        top.interrupts(kind, 0, vectors, InterruptAction.ENABLE);
        return this;
    }

    /** The end of an INTx interrupt. */
    void unmaskPin() {
        top.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
    }

    boolean interruptStatus() {
        MemorySegment into = MemorySegment.ofArray(new byte[2]);
        function.read(Region.CONFIGURATION, ConfigurationSpace.STATUS, into, 2);
        return (into.get(LittleEndian.SHORT, 0) & ConfigurationSpace.STATUS_INTERRUPT) != 0;
    }

    int capability(int id) {
        return function.describe().capabilities().stream()
                .filter(place -> !place.extended() && place.id() == id)
                .findFirst()
                .orElseThrow()
                .offset();
    }

    void configure(int offset, int bytes, int value) {
        write(Region.CONFIGURATION, offset, bytes, value);
    }

    void write(int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new long[1]);
        from.set(LittleEndian.LONG, 0, value);
        CompletionStatus status =
                top.write(region, offset, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES);
        if (!status.isSuccess()) {
            throw new AssertionError("write at 0x" + Long.toHexString(offset) + ": " + status);
        }
    }

    long read(int region, long offset, int bytes) {
        MemorySegment into = MemorySegment.ofArray(new long[1]);
        CompletionStatus status = top.read(region, offset, into.asSlice(0, bytes), bytes);
        if (!status.isSuccess()) {
            throw new AssertionError("read at 0x" + Long.toHexString(offset) + ": " + status);
        }
        return into.get(LittleEndian.LONG, 0);
    }

    /** Resets the function and makes it a bus master again. */
    void reset() {
        top.reset(ResetKind.FLR);
        configure(ConfigurationSpace.COMMAND, 2, 0x406);
    }

    @Override
    public int read(int offset) {
        return (int) read(0, offset, 4);
    }

    @Override
    public void write(int offset, int value) {
        write(0, offset, 4, Integer.toUnsignedLong(value));
    }

    @Override
    public MemorySegment ram() {
        return ram;
    }

    @Override
    public int interrupts(InterruptKind kind, int vector) {
        return changes.interrupts(kind, vector);
    }

    @Override
    public long changes() {
        return changes.count();
    }

    @Override
    public void awaitChange(long seen) {
        changes.await(seen);
    }

    @Override
    public void close() {
        function.close();
    }
}
