package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.IntxState;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A lender's function whose device signals by (address, data): it programs the device's own MSI-X
 * table and MSI capability with addresses that mean something here alone, and makes what is written
 * there (kind, vector) again. What the driver writes into the table is kept apart and never reaches
 * the device. A double of such lenders, on nothing but the waist.
 */
final class AddressedFunction implements PciFunction {
    /** Where a PC's processors take messages, so no memory is there (Intel SDM 3, 11.11). */
    private static final long WINDOW = 0xfee0_0000L;

    private static final long WINDOW_BYTES = 0x10_0000;
    private static final long MSI_AT = WINDOW;
    private static final long MSIX_AT = WINDOW + 0x1000;
    private static final int ENTRY_BYTES = 16;
    private static final int FLR_BYTE = 9;

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final AddressedModel model;
    private final FunctionDescription description;
    private final int msix;
    private final int msi;
    private final int express;
    private final int tableBar;
    private final long tableOffset;
    private final IntxState pin = new IntxState();
    private final BitSet taken = new BitSet();
    private final BitSet masked = new BitSet();
    private final ReentrantLock order = new ReentrantLock();

    /** The driver's table and MSI registers, as it wrote them. */
    private byte[] shadowTable;

    private byte[] shadowMessage;
    private final BitSet msiPending = new BitSet();
    private boolean msiTaken;
    private volatile PciHost host;
    private final AtomicInteger generation = new AtomicInteger(1);
    private final LongAdder strays = new LongAdder();

    @SuppressWarnings("this-escape") // the model may call from here on, and everything is set
    AddressedFunction(AddressedModel model) {
        this.model = model;
        description = model.describe();
        msix = capability(ConfigurationSpaceBuilder.ID_MSIX);
        msi = capability(ConfigurationSpaceBuilder.ID_MSI);
        express = capability(ConfigurationSpaceBuilder.ID_EXPRESS);
        int place = msix == 0 ? 7 : configuration(msix + 4);
        tableBar = place & 7;
        tableOffset = Integer.toUnsignedLong(place & ~7);
        forgetShadow();
        model.connect(new Bus());
        programAll();
    }

    private int capability(int id) {
        return description.capabilities().stream()
                .filter(place -> !place.extended() && place.id() == id)
                .mapToInt(FunctionDescription.CapabilityPlace::offset)
                .findFirst()
                .orElse(0);
    }

    private int configuration(int offset) {
        MemorySegment into = MemorySegment.ofArray(new byte[4]);
        model.read(Region.CONFIGURATION, offset, into);
        return into.get(INT, 0);
    }

    /** As after a reset: each vector masked, the MSI address and data 0. */
    private void forgetShadow() {
        shadowTable = new byte[description.msixVectors() * ENTRY_BYTES];
        for (int vector = 0; vector < description.msixVectors(); vector++) {
            shadowTable[vector * ENTRY_BYTES + 12] = 1;
        }
        // Address, upper address, data: 64 bits (PCI 3.0, 6.8.1).
        shadowMessage = new byte[10];
    }

    /** How many writes into the window meant nothing. */
    long strays() {
        return strays.sum();
    }

    @Override
    public FunctionDescription describe() {
        return description;
    }

    @Override
    public void attach(PciHost newHost) {
        order.lock();
        try {
            host = newHost;
            taken.clear();
            masked.clear();
            msiTaken = false;
            msiPending.clear();
            pin.apply(InterruptAction.DISABLE);
            programAll();
        } finally {
            order.unlock();
        }
    }

    @Override
    public int generation() {
        return generation.get();
    }

    @Override
    public CompletionStatus read(int index, long offset, MemorySegment into, int widthBytes) {
        if (!holds(index, offset, into)) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        order.lock();
        try {
            model.read(index, offset, into);
            if (index == tableBar) {
                overlap(shadowTable, tableOffset, offset, into, false);
            } else if (index == Region.CONFIGURATION && msi != 0) {
                overlap(shadowMessage, msi + 4L, offset, into, false);
            }
            return CompletionStatus.SUCCESS;
        } finally {
            order.unlock();
        }
    }

    @Override
    public CompletionStatus write(
            int index, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        if (!holds(index, offset, from) || byteEnables != ALL_BYTES) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        order.lock();
        try {
            if (index == Region.CONFIGURATION) {
                configure(offset, from);
            } else if (index == tableBar) {
                writeAround(index, shadowTable, tableOffset, offset, from);
            } else {
                model.write(index, offset, from);
            }
            return CompletionStatus.SUCCESS;
        } finally {
            order.unlock();
        }
    }

    private boolean holds(int index, long offset, MemorySegment data) {
        return index >= 0
                && index < Region.COUNT
                && description
                        .region(index)
                        .filter(region -> region.contains(offset, data.byteSize()))
                        .isPresent();
    }

    /** Copies the part of an access that lies in a shadow which stands at a place. */
    private static void overlap(
            byte[] shadow, long place, long offset, MemorySegment data, boolean write) {
        long begin = Math.max(place, offset);
        long end = Math.min(place + shadow.length, offset + data.byteSize());
        for (long at = begin; at < end; at++) {
            int within = (int) (at - place);
            if (write) {
                shadow[within] = data.get(ValueLayout.JAVA_BYTE, at - offset);
            } else {
                data.set(ValueLayout.JAVA_BYTE, at - offset, shadow[within]);
            }
        }
    }

    /** Writes to the shadow what lies in it, and to the model what does not. */
    private void writeAround(
            int index, byte[] shadow, long place, long offset, MemorySegment from) {
        overlap(shadow, place, offset, from, true);
        long end = offset + from.byteSize();
        if (offset < place) {
            model.write(index, offset, from.asSlice(0, Math.min(end, place) - offset));
        }
        long behind = Math.max(offset, place + shadow.length);
        if (behind < end) {
            model.write(index, behind, from.asSlice(behind - offset));
        }
    }

    private void configure(long offset, MemorySegment from) {
        if (msi == 0) {
            model.write(Region.CONFIGURATION, offset, from);
        } else {
            writeAround(Region.CONFIGURATION, shadowMessage, msi + 4L, offset, from);
        }
        long flr = express + (long) FLR_BYTE - offset;
        if (express != 0
                && flr >= 0
                && flr < from.byteSize()
                && from.get(ValueLayout.JAVA_BYTE, flr) < 0) {
            resetInOrder();
            PciHost now = host;
            if (now != null) {
                now.event(new FunctionEvent.NewGeneration(generation.get(), ResetKind.FLR));
            }
        }
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        boolean asserts = false;
        BitSet sent = new BitSet();
        order.lock();
        try {
            switch (kind) {
                case INTX -> asserts = pin.apply(action);
                case MSI -> sent = takeMessages(action);
                case MSIX -> {
                    int end = first + count;
                    switch (action) {
                        case ENABLE -> taken.set(first, end);
                        case DISABLE -> taken.clear(first, end);
                        case MASK -> masked.set(first, end);
                        case UNMASK -> masked.clear(first, end);
                    }
                    if (action == InterruptAction.ENABLE || action == InterruptAction.DISABLE) {
                        masked.clear(first, end);
                    }
                    program(first, count);
                }
            }
        } finally {
            order.unlock();
        }
        if (asserts) {
            signal(InterruptKind.INTX, 0);
        }
        sent.stream().forEach(vector -> signal(InterruptKind.MSI, vector));
    }

    /** What came before anybody took it, and is to be sent now. */
    private BitSet takeMessages(InterruptAction action) {
        BitSet sent = new BitSet();
        synchronized (msiPending) {
            switch (action) {
                case ENABLE, UNMASK -> {
                    msiTaken = true;
                    sent.or(msiPending);
                }
                case DISABLE, MASK -> msiTaken = false;
            }
            if (action != InterruptAction.MASK) {
                msiPending.clear();
            }
        }
        return sent;
    }

    /**
     * All of the device's messages go to this side's addresses at any time: one that is enabled
     * before its address was set would be written to wherever that points.
     */
    private void programAll() {
        program(0, description.msixVectors());
        if (msi != 0) {
            MemorySegment message = MemorySegment.ofArray(new byte[10]);
            message.set(INT, 0, (int) MSI_AT);
            model.write(Region.CONFIGURATION, msi + 4L, message);
        }
    }

    /** Gives entries of the device's table the addresses of this side. */
    private void program(int first, int count) {
        for (int vector = first; vector < first + count; vector++) {
            MemorySegment entry = MemorySegment.ofArray(new byte[ENTRY_BYTES]);
            entry.set(INT, 0, (int) MSIX_AT);
            entry.set(INT, 8, vector);
            entry.set(INT, 12, taken.get(vector) && !masked.get(vector) ? 0 : 1);
            model.write(tableBar, tableOffset + (long) vector * ENTRY_BYTES, entry);
        }
    }

    @Override
    public void map(DmaMap map) {}

    @Override
    public CompletionStatus unmap(long address, long length) {
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        order.lock();
        try {
            resetInOrder();
            return CompletionStatus.SUCCESS;
        } finally {
            order.unlock();
        }
    }

    private void resetInOrder() {
        generation.incrementAndGet();
        pin.reset();
        model.reset();
        forgetShadow();
        msiPending.clear();
        programAll();
    }

    private void signal(InterruptKind kind, int vector) {
        PciHost now = host;
        if (now != null) {
            now.interrupt(generation.get(), kind, vector);
        }
    }

    /** What the device does by itself. */
    private final class Bus implements AddressedModel.Bus {
        @Override
        public void read(long address, MemorySegment into) {
            PciHost now = host;
            if (now == null || !now.read(generation.get(), address, into).isSuccess()) {
                into.fill((byte) 0xff);
            }
        }

        @Override
        public void write(long address, MemorySegment from) {
            if (address >= WINDOW && address < WINDOW + WINDOW_BYTES) {
                message(address, from);
                return;
            }
            PciHost now = host;
            if (now != null) {
                now.write(generation.get(), address, from);
            }
        }

        private void message(long address, MemorySegment from) {
            InterruptKind kind = address == MSI_AT ? InterruptKind.MSI : InterruptKind.MSIX;
            boolean known = address == MSI_AT || address == MSIX_AT;
            int vector = from.byteSize() == 4 ? from.get(INT, 0) : -1;
            if (!known || vector < 0 || vector >= description.vectors(kind)) {
                strays.increment();
                return;
            }
            if (kind == InterruptKind.MSI) {
                synchronized (msiPending) {
                    if (!msiTaken) {
                        msiPending.set(vector);
                        return;
                    }
                }
            }
            signal(kind, vector);
        }

        @Override
        public void pin(boolean asserted) {
            if (pin.level(asserted)) {
                signal(InterruptKind.INTX, 0);
            }
        }
    }
}
