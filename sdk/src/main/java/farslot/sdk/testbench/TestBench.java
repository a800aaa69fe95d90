package farslot.sdk.testbench;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.registers.Register;
import farslot.registers.RegisterMap;
import farslot.sdk.Device;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The driver's side of one device, for its tests: accesses by offset or by register name, memory
 * for DMA, the interrupts that came, and time that passes when told.
 *
 * <pre>{@code
 * try (TestBench bench = TestBench.of(new EduKind(), Map.of())) {
 *     bench.start();
 *     bench.write("FACTORIAL", 5);
 *     bench.settle();
 *     assertEquals(120, bench.read("FACTORIAL"));
 * }
 * }</pre>
 *
 * <p>Begins as after power came on: nothing is enabled. {@link #start} does what a driver's probe
 * does. An access that fails gives all-ones, as on a bus. For one test's thread, but for {@link
 * #function}, which any may use.
 */
public final class TestBench implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final DeviceFunction function;
    private final RegisterMap registers;
    private final ManualTime time;
    private final InProcessHost host;
    private final Arena arena = Arena.ofShared();
    private final LinkedBlockingQueue<Interrupt> interrupts = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<FunctionEvent> events = new LinkedBlockingQueue<>();

    /** An interrupt that came. */
    public record Interrupt(InterruptKind kind, int vector) {}

    private final class Listener implements InProcessHost.Listener {
        @Override
        public void interrupt(InterruptKind kind, int vector) {
            interrupts.add(new Interrupt(kind, vector));
        }

        @Override
        public void event(FunctionEvent event) {
            events.add(event);
        }
    }

    private TestBench(String kind, Device device, RegisterMap registers) {
        this.registers = registers;
        this.time = new ManualTime();
        this.function = DeviceFunction.of(kind, device, time);
        this.host = new InProcessHost(function, new Listener());
    }

    /** A bench with a device that its kind makes of these options. */
    public static TestBench of(DeviceKind kind, Map<String, String> options)
            throws DeviceCreationException {
        Device device = kind.create(Options.check(kind, options));
        return new TestBench(kind.kind(), device, kind.registerMap());
    }

    /** A bench with a device that has a register map, or {@link RegisterMap#EMPTY}. */
    public static TestBench of(String kind, Device device, RegisterMap registers) {
        return new TestBench(kind, device, registers);
    }

    /** The function itself, for what the bench has no word for. */
    public DeviceFunction function() {
        return function;
    }

    /** The driver's side itself. */
    public InProcessHost host() {
        return host;
    }

    /** Enables the function's spaces and makes it a bus master; INTx is taken, if it has it. */
    public TestBench start() {
        configure(ConfigurationSpace.COMMAND, 2, 0x7);
        if (function.describe().intxPin() != 0) {
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        }
        return this;
    }

    /** Turns MSI on with so many messages granted, and takes them. */
    public TestBench useMsi(int granted) {
        int at = capability(ConfigurationSpaceBuilder.ID_MSI);
        configure(at + 2, 2, 1 | (Integer.numberOfTrailingZeros(granted) << 4));
        function.interrupts(InterruptKind.MSI, 0, granted, InterruptAction.ENABLE);
        return this;
    }

    /** Turns MSI-X on and takes all vectors. */
    public TestBench useMsix() {
        configure(capability(ConfigurationSpaceBuilder.ID_MSIX) + 2, 2, 0x8000);
        int vectors = function.describe().msixVectors();
        function.interrupts(InterruptKind.MSIX, 0, vectors, InterruptAction.ENABLE);
        return this;
    }

    /** Where a capability stands in configuration space. */
    public int capability(int id) {
        for (FunctionDescription.CapabilityPlace place : function.describe().capabilities()) {
            if (!place.extended() && place.id() == id) {
                return place.offset();
            }
        }
        throw new IllegalArgumentException("There is no capability 0x" + Integer.toHexString(id));
    }

    /** Reads a register of the first region whose domain has it; an array's element by index. */
    public long read(String register, int... index) {
        Place place = place(register, index);
        return read(place.region, place.offset, place.widthBytes);
    }

    /** Writes a register of the first region whose domain has it; an array's element by index. */
    public TestBench write(String register, long value, int... index) {
        Place place = place(register, index);
        write(place.region, place.offset, place.widthBytes, value);
        return this;
    }

    private record Place(int region, long offset, int widthBytes) {}

    private Place place(String name, int... index) {
        for (Region region : function.describe().regions()) {
            if (registers.has(region.label()) && registers.domain(region.label()).has(name)) {
                Register register = registers.domain(region.label()).register(name);
                long[] indexes = new long[index.length];
                for (int i = 0; i < index.length; i++) {
                    indexes[i] = index[i];
                }
                return new Place(region.index(), register.offset(indexes), register.widthBytes());
            }
        }
        throw new IllegalArgumentException("No region has a register named " + name + ".");
    }

    /** Reads 1 to 8 bytes, all-ones where the access fails. */
    public long read(int region, long offset, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        MemorySegment into = MemorySegment.ofArray(bytes);
        boolean good = function.read(region, offset, into, sizeBytes).isSuccess();
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (good ? bytes[i] & 0xffL : 0xff) << (8 * i);
        }
        return value;
    }

    /** Writes 1 to 8 bytes. */
    public CompletionStatus write(int region, long offset, int sizeBytes, long value) {
        byte[] bytes = new byte[sizeBytes];
        for (int i = 0; i < sizeBytes; i++) {
            bytes[i] = (byte) (value >>> (8 * i));
        }
        return function.write(
                region, offset, MemorySegment.ofArray(bytes), sizeBytes, PciFunction.ALL_BYTES);
    }

    /** Reads configuration space. */
    public int configuration(int offset, int sizeBytes) {
        return (int) read(Region.CONFIGURATION, offset, sizeBytes);
    }

    /** Writes configuration space. */
    public TestBench configure(int offset, int sizeBytes, int value) {
        write(Region.CONFIGURATION, offset, sizeBytes, value);
        return this;
    }

    /** Zeroed memory that the device may read and write at a DMA address. */
    public MemorySegment memory(long address, long length) {
        MemorySegment memory = arena.allocate(length, 4096);
        host.map(address, memory, Direction.READ_WRITE);
        return memory;
    }

    /** Memory that cannot be reached while an access waits, as of an emulator that shares none. */
    public MemorySegment unsharedMemory(long address, long length) {
        MemorySegment memory = arena.allocate(length, 4096);
        farslot.core.NearMemory near = new farslot.core.NearMemory(memory, -1, 0);
        host.map(new DmaMap(address, length, Direction.READ_WRITE, near, false));
        return memory;
    }

    /** Little-endian bytes of a piece of memory, for comparing. */
    public static byte[] bytes(MemorySegment memory, long offset, int length) {
        return memory.asSlice(offset, length).toArray(BYTE);
    }

    /** 32 bits, little-endian. */
    public static int int32(MemorySegment memory, long offset) {
        return memory.get(
                ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset);
    }

    /** The interrupts that came since the last call, in their order. */
    public List<Interrupt> interrupts() {
        List<Interrupt> came = new ArrayList<>();
        interrupts.drainTo(came);
        return came;
    }

    /** The next interrupt; waits for it. */
    public Interrupt awaitInterrupt() {
        return await(interrupts, "interrupt");
    }

    /** The driver's end of an INTx interrupt. */
    public TestBench unmaskIntx() {
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
        return this;
    }

    /** The events that came since the last call, in their order. */
    public List<FunctionEvent> events() {
        List<FunctionEvent> came = new ArrayList<>();
        events.drainTo(came);
        return came;
    }

    private static <T> T await(LinkedBlockingQueue<T> queue, String what) {
        try {
            T next = queue.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError("No " + what + " came.");
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted while waiting.", e);
        }
    }

    /** Waits until the device has no task under way. */
    public TestBench settle() {
        if (!function.awaitTasks(PATIENCE)) {
            throw new AssertionError("A task of the device does not end.");
        }
        return this;
    }

    /** Lets time pass for the device's timers, and waits for the tasks that they began. */
    public TestBench advance(Duration duration) {
        time.advance(duration);
        return settle();
    }

    /** Resets the function from outside. */
    public TestBench reset(ResetKind kind) {
        function.reset(kind);
        return this;
    }

    /**
     * Quiesces the device and saves it, as at a handover.
     *
     * @throws AssertionError where it does not come to rest
     */
    public byte[] save() throws StateException {
        if (!function.quiesce().isSuccess()) {
            throw new AssertionError("The device does not come to rest.");
        }
        return function.save();
    }

    /** Lets the device, which is new, go on from what another bench saved; memory is not in it. */
    public TestBench load(byte[] state) throws StateException {
        function.attach(null);
        function.load(state);
        function.attach(host);
        function.resume();
        return this;
    }

    @Override
    public void close() {
        function.close();
        arena.close();
    }
}
