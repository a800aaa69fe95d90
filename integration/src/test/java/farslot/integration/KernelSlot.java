package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaTable;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.MsiState;
import farslot.core.MsixTable;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.integration.PcidevMessage.Op;
import farslot.posix.MappedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A slot for a driver whose side owns neither MSI-X table nor MSI masks, as a kernel that runs as a
 * process, or a trapped program: it answers with data, copies and fills regions in any length, and
 * signals by (address, data). A double of such slots, on nothing but the waist.
 */
final class KernelSlot implements PciHost, AutoCloseable {
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MSI_64_BITS = 0x80;
    private static final int MSI_MASKS = 0x100;
    private static final int MSIX_ENABLE = 0x8000;
    private static final int MSIX_FUNCTION_MASK = 0x4000;

    private final PciFunction function;
    private final FunctionDescription description;
    private final Consumer<PcidevMessage> toKernel;
    private final DmaTable maps = new DmaTable();
    private final int msixCapability;
    private final int msiCapability;
    private final MsixTable msix;
    private final MsiState msi;

    /** Where MSI's pending bits stand in configuration space; 0 for none (PCI 3.0, 6.8.1). */
    private int msiPending;

    private Place table = Place.NOWHERE;
    private Place pendingBits = Place.NOWHERE;
    private final AtomicBoolean intxUnderWay = new AtomicBoolean();
    private boolean msixTaken;
    private boolean msiTaken;
    private int knownGeneration;

    /** Where in which BAR something stands. */
    private record Place(int bar, long offset, long length) {
        static final Place NOWHERE = new Place(-1, 0, 0);

        boolean holds(int inBar, long at) {
            return inBar == bar && at >= offset && at < offset + length;
        }

        /** Where it begins or ends next after a place, at most {@code end}. */
        long edge(int inBar, long at, long end) {
            if (inBar != bar || at >= offset + length) {
                return end;
            }
            return Math.min(end, at < offset ? offset : offset + length);
        }
    }

    /**
     * @param ram the kernel's memory, whose DMA addresses begin at 0
     * @param toKernel is given INT, MSI and PME messages; must not wait
     */
    @SuppressWarnings("this-escape") // the function may call from here on, and everything is set
    KernelSlot(PciFunction function, MappedMemory ram, Consumer<PcidevMessage> toKernel) {
        this.function = function;
        this.description = function.describe();
        this.toKernel = toKernel;
        msixCapability = capability(ConfigurationSpaceBuilder.ID_MSIX);
        msiCapability = capability(ConfigurationSpaceBuilder.ID_MSI);
        int vectors = description.msixVectors();
        msix = vectors == 0 ? null : new MsixTable(vectors, this::send);
        int msiControl = msiCapability == 0 ? 0 : configuration(msiCapability + 2, 2);
        msi = msiCapability == 0 ? null : new MsiState(msiControl, this::send);
        if ((msiControl & MSI_MASKS) != 0) {
            msiPending = msiCapability + ((msiControl & MSI_64_BITS) != 0 ? 0x14 : 0x10);
        }
        if (msix != null) {
            table = place(msixCapability + 4, msix.sizeBytes());
            pendingBits = place(msixCapability + 8, msix.pendingSizeBytes());
        }
        knownGeneration = function.generation();
        function.attach(this);
        NearMemory near = new NearMemory(ram.segment(), ram.descriptor().number(), ram.offset());
        DmaMap map = new DmaMap(0, ram.segment().byteSize(), Direction.READ_WRITE, near, true);
        maps.add(map);
        function.map(map);
        if (description.intxPin() != 0) {
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        }
    }

    private int capability(int id) {
        return description.capabilities().stream()
                .filter(place -> !place.extended() && place.id() == id)
                .mapToInt(FunctionDescription.CapabilityPlace::offset)
                .findFirst()
                .orElse(0);
    }

    /** PCI 3.0, 6.8.2.4 and 6.8.2.5: the low three bits name the BAR. */
    private Place place(int register, long length) {
        int value = configuration(register, 4);
        return new Place(value & 7, Integer.toUnsignedLong(value & ~7), length);
    }

    private int configuration(int offset, int bytes) {
        MemorySegment into = MemorySegment.ofArray(new byte[4]);
        CompletionStatus status =
                function.read(Region.CONFIGURATION, offset, into.asSlice(0, bytes), bytes);
        return status.isSuccess() ? into.get(INT, 0) : 0;
    }

    /**
     * What the kernel asks.
     *
     * @return the data of a read, else nothing
     */
    byte[] command(byte[] message) {
        PcidevMessage asked = PcidevMessage.parse(message);
        return switch (asked.op()) {
            case CFG_READ -> configurationRead(asked);
            case CFG_WRITE -> configurationWrite(asked);
            case MMIO_READ -> {
                byte[] data = new byte[asked.size()];
                copy(asked, data, false);
                yield data;
            }
            case MMIO_WRITE -> {
                copy(asked, asked.data(), true);
                yield new byte[0];
            }
            case MMIO_MEMSET -> {
                byte[] data = new byte[asked.size()];
                Arrays.fill(data, asked.data()[0]);
                copy(asked, data, true);
                yield new byte[0];
            }
            case INT, MSI, PME ->
                    throw new IllegalArgumentException(asked.op() + " goes to the kernel.");
        };
    }

    /** What lies beyond the BAR reads as all-ones, and writes to it go nowhere. */
    private void copy(PcidevMessage asked, byte[] data, boolean write) {
        if (!write) {
            Arrays.fill(data, (byte) 0xff);
        }
        Region region = description.region(asked.bar()).orElse(null);
        if (region == null || asked.address() < 0) {
            return;
        }
        boolean mayEndInterrupt = intxUnderWay.get();
        long end = Math.min(region.sizeBytes(), asked.address() + data.length);
        for (long at = asked.address(); at < end; ) {
            long next = Math.min(end, at + region.maxAccessBytes());
            next = pendingBits.edge(asked.bar(), at, table.edge(asked.bar(), at, next));
            int begin = (int) (at - asked.address());
            MemorySegment piece = MemorySegment.ofArray(data).asSlice(begin, next - at);
            if (write) {
                writePiece(asked.bar(), at, piece);
            } else {
                readPiece(asked.bar(), at, piece);
            }
            at = next;
        }
        if (mayEndInterrupt) {
            intxUnderWay.set(false);
            // The access may have ended the interrupt; the function knows.
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
        }
    }

    private void readPiece(int bar, long at, MemorySegment into) {
        CompletionStatus status;
        if (table.holds(bar, at)) {
            status = msix.read(at - table.offset, into);
        } else if (pendingBits.holds(bar, at)) {
            status = readPending(bar, at, into);
        } else {
            status = function.read(bar, at, into, width(into));
        }
        if (!status.isSuccess()) {
            into.fill((byte) 0xff);
        }
    }

    /**
     * Held back here by the driver's masks, or by the function, which may heed them too. The
     * function is asked first: its answer brings along what it signalled before.
     */
    private CompletionStatus readPending(int bar, long at, MemorySegment into) {
        if (!function.read(bar, at, into, width(into)).isSuccess()) {
            into.fill((byte) 0);
        }
        MemorySegment held = MemorySegment.ofArray(new byte[(int) into.byteSize()]);
        CompletionStatus status = msix.readPending(at - pendingBits.offset, held);
        for (long i = 0; i < into.byteSize(); i++) {
            byte bits =
                    (byte)
                            (into.get(ValueLayout.JAVA_BYTE, i)
                                    | held.get(ValueLayout.JAVA_BYTE, i));
            into.set(ValueLayout.JAVA_BYTE, i, bits);
        }
        return status;
    }

    private void writePiece(int bar, long at, MemorySegment from) {
        if (table.holds(bar, at)) {
            msix.write(at - table.offset, from, PciFunction.ALL_BYTES);
        } else if (!pendingBits.holds(bar, at)) {
            function.write(bar, at, from, width(from), PciFunction.ALL_BYTES);
        }
    }

    /** The size of what may have been one instruction. */
    private static int width(MemorySegment data) {
        long length = data.byteSize();
        return length <= 8 && Long.bitCount(length) == 1 ? (int) length : 0;
    }

    private byte[] configurationRead(PcidevMessage asked) {
        byte[] data = new byte[asked.size()];
        MemorySegment into = MemorySegment.ofArray(data);
        CompletionStatus status =
                function.read(Region.CONFIGURATION, asked.address(), into, asked.size());
        if (!status.isSuccess()) {
            into.fill((byte) 0xff);
        } else if (msiPending != 0) {
            for (int i = 0; i < data.length; i++) {
                int at = (int) asked.address() + i - msiPending;
                data[i] |= at >= 0 && at < 4 ? (byte) (msi.pending() >>> (8 * at)) : 0;
            }
        }
        return data;
    }

    private byte[] configurationWrite(PcidevMessage asked) {
        MemorySegment from = MemorySegment.ofArray(asked.data());
        function.write(
                Region.CONFIGURATION, asked.address(), from, asked.size(), PciFunction.ALL_BYTES);
        resetTo(function.generation());
        if (msi != null) {
            msi.write(asked.address() - msiCapability, from, PciFunction.ALL_BYTES);
            boolean enabled = msi.enabled();
            if (enabled != msiTaken) {
                msiTaken = enabled;
                take(InterruptKind.MSI, msi.vectors(), enabled);
            }
        }
        if (msix != null) {
            int control = configuration(msixCapability + 2, 2);
            boolean enabled = (control & MSIX_ENABLE) != 0;
            msix.control(enabled, (control & MSIX_FUNCTION_MASK) != 0);
            if (enabled != msixTaken) {
                msixTaken = enabled;
                take(InterruptKind.MSIX, description.msixVectors(), enabled);
            }
        }
        return new byte[0];
    }

    private void take(InterruptKind kind, int vectors, boolean enable) {
        InterruptAction action = enable ? InterruptAction.ENABLE : InterruptAction.DISABLE;
        function.interrupts(kind, 0, vectors, action);
    }

    /** A reset empties the table, once for each generation, whoever hears of it first. */
    private synchronized void resetTo(int generation) {
        if (generation - knownGeneration > 0) {
            knownGeneration = generation;
            if (msix != null) {
                msix.reset();
            }
            if (msi != null) {
                msi.reset();
            }
        }
    }

    private void send(int vector, long address, int data) {
        byte[] word = {
            (byte) data, (byte) (data >>> 8), (byte) (data >>> 16), (byte) (data >>> 24)
        };
        toKernel.accept(new PcidevMessage(Op.MSI, 0, word.length, address, word));
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        return generation == function.generation()
                ? maps.read(address, into, null)
                : CompletionStatus.STALE_GENERATION;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        return generation == function.generation()
                ? maps.write(address, from, null)
                : CompletionStatus.STALE_GENERATION;
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return generation == function.generation() ? maps.near(address, length, direction) : null;
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return maps.servedWhileWaiting(address, length);
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        if (generation != function.generation()) {
            return;
        }
        switch (kind) {
            case INTX -> {
                intxUnderWay.set(true);
                toKernel.accept(
                        new PcidevMessage(Op.INT, 0, 0, description.intxPin(), new byte[0]));
            }
            case MSI -> msi.signal(vector);
            case MSIX -> msix.signal(vector);
        }
    }

    @Override
    public void event(FunctionEvent event) {
        switch (event) {
            case FunctionEvent.NewGeneration(int generation, var kind) -> resetTo(generation);
            case FunctionEvent.PowerManagement pme ->
                    toKernel.accept(new PcidevMessage(Op.PME, 0, 0, 0, new byte[0]));
            default -> {}
        }
    }

    @Override
    public void close() {
        function.attach(null);
    }
}
