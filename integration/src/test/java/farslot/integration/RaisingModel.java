package farslot.integration;

import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.MsiState;
import farslot.core.MsixTable;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A model with memory, a small DMA engine and interrupts of each kind, which it signals as real
 * devices do: to the address, with the data, that stand in its table. BAR0 has its registers; BAR2
 * is memory with the MSI-X table and its pending bits in the midst of it. For one thread.
 */
final class RaisingModel implements AddressedModel {
    /** Two words of pending bits. */
    static final int VECTORS = 70;

    static final int MSI_VECTORS = 4;

    /** Registers of BAR0: written with a source's number. */
    static final int RAISE = 0x00;

    static final int LOWER = 0x04;

    /** 64-bit address and 32-bit length of DMA to and from {@link #BUFFER}; 1 reads, 2 writes. */
    static final int DMA_ADDRESS = 0x08;

    static final int DMA_LENGTH = 0x10;
    static final int DMA_GO = 0x14;
    static final int BUFFER = 0x400;

    static final int BAR0_BYTES = 0x1000;
    static final int BAR2_BYTES = 0x2000;
    static final int TABLE = 0x100;
    static final int TABLE_BYTES = 16 * VECTORS;
    static final int PENDING = 0x800;
    static final int PENDING_BYTES = 16;

    /** In the MSI capability. */
    private static final int MSI_PENDING = 0x14;

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ConfigurationSpace configuration;
    private final FunctionDescription description;
    private final MemorySegment registers = MemorySegment.ofArray(new byte[BAR0_BYTES]);
    private final MemorySegment memory = MemorySegment.ofArray(new byte[BAR2_BYTES]);
    private final MsixTable msix = new MsixTable(VECTORS, this::send);
    private final int msiAt;
    private final int msixAt;
    private final MsiState msi;
    private Bus bus;

    /** The longest access of BAR2 as a lender says it, so that a slot has to cut longer ones. */
    RaisingModel(int maxAccessBytes) {
        FunctionDescription.Identity identity =
                new FunctionDescription.Identity(0x1234, 0x11ff, 0, 0, 0xff0000, 1);
        Region space =
                new Region(
                        Region.CONFIGURATION,
                        Region.Space.CONFIGURATION,
                        Region.CONFIGURATION_SIZE_BYTES,
                        Set.of(),
                        64);
        List<Region> bars =
                List.of(
                        new Region(0, Region.Space.MEMORY, BAR0_BYTES, Set.of(), BAR0_BYTES),
                        new Region(2, Region.Space.MEMORY, BAR2_BYTES, Set.of(), maxAccessBytes));
        ConfigurationSpaceBuilder builder =
                new ConfigurationSpaceBuilder(identity)
                        .interruptPin(1)
                        .expressEndpoint()
                        .msi(MSI_VECTORS, true, true)
                        .msix(VECTORS, 2, TABLE, 2, PENDING);
        bars.forEach(builder::region);
        configuration = builder.build();
        description =
                new FunctionDescription(
                        "raising",
                        identity,
                        List.of(bars.get(0), bars.get(1), space),
                        configuration.capabilities(),
                        1,
                        MSI_VECTORS,
                        VECTORS,
                        EnumSet.of(ResetKind.FLR, ResetKind.COLD),
                        Set.of());
        msiAt = capability(ConfigurationSpaceBuilder.ID_MSI);
        msixAt = capability(ConfigurationSpaceBuilder.ID_MSIX);
        msi = new MsiState(configuration.get(msiAt + 2, 2), this::send);
    }

    private int capability(int id) {
        return configuration.capabilities().stream()
                .filter(place -> !place.extended() && place.id() == id)
                .findFirst()
                .orElseThrow()
                .offset();
    }

    private void send(int vector, long address, int data) {
        if (configuration.busMaster()) {
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            word.set(INT, 0, data);
            bus.write(address, word);
        }
    }

    @Override
    public FunctionDescription describe() {
        return description;
    }

    @Override
    public void connect(Bus to) {
        bus = to;
    }

    @Override
    public void read(int region, long offset, MemorySegment into) {
        switch (region) {
            case 0 -> into.copyFrom(registers.asSlice(offset, into.byteSize()));
            case 2 -> into.copyFrom(whole().asSlice(offset, into.byteSize()));
            default -> readConfiguration(offset, into);
        }
    }

    private void readConfiguration(long offset, MemorySegment into) {
        configuration.read(offset, into);
        for (int i = 0; i < 4; i++) {
            long at = msiAt + MSI_PENDING + i - offset;
            if (at >= 0 && at < into.byteSize()) {
                into.set(ValueLayout.JAVA_BYTE, at, (byte) (msi.pending() >>> (8 * i)));
            }
        }
    }

    /** BAR2 as it reads now. */
    private MemorySegment whole() {
        MemorySegment now = MemorySegment.ofArray(memory.toArray(ValueLayout.JAVA_BYTE));
        msix.read(0, now.asSlice(TABLE, TABLE_BYTES));
        msix.readPending(0, now.asSlice(PENDING, PENDING_BYTES));
        return now;
    }

    @Override
    public void write(int region, long offset, MemorySegment from) {
        switch (region) {
            case 0 -> {
                registers.asSlice(offset, from.byteSize()).copyFrom(from);
                if (from.byteSize() == 4) {
                    command((int) offset, from.get(INT, 0));
                }
            }
            case 2 -> writeMemory(offset, from);
            default -> configure(offset, from);
        }
    }

    private void writeMemory(long offset, MemorySegment from) {
        long end = offset + from.byteSize();
        memory.asSlice(offset, from.byteSize()).copyFrom(from);
        long begin = Math.max(offset, TABLE);
        long last = Math.min(end, TABLE + TABLE_BYTES);
        if (begin < last) {
            msix.write(begin - TABLE, from.asSlice(begin - offset, last - begin), -1L);
        }
    }

    private void configure(long offset, MemorySegment from) {
        configuration.write(offset, from, -1L);
        msi.write(offset - msiAt, from, -1L);
        int control = configuration.get(msixAt + 2, 2);
        msix.control((control & 0x8000) != 0, (control & 0x4000) != 0);
    }

    private void command(int register, int value) {
        switch (register) {
            case RAISE -> raise(value);
            case LOWER -> bus.pin(false);
            case DMA_GO -> {
                long address = registers.get(LONG, DMA_ADDRESS);
                MemorySegment data = registers.asSlice(BUFFER, registers.get(INT, DMA_LENGTH));
                if (value == 1) {
                    bus.read(address, data);
                } else {
                    bus.write(address, data);
                }
            }
            default -> {}
        }
    }

    private void raise(int source) {
        if (configuration.msixEnabled()) {
            msix.signal(source);
        } else if (configuration.msiEnabled()) {
            msi.signal(source);
        } else {
            bus.pin(true);
        }
    }

    @Override
    public void reset() {
        configuration.reset();
        msix.reset();
        msi.reset();
        registers.fill((byte) 0);
        bus.pin(false);
    }
}
