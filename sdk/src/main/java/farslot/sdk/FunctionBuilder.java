package farslot.sdk;

import farslot.core.Ability;
import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What a device's function consists of, said in {@link Device#assemble} and nowhere else. Power
 * management and the PCI Express capability, with function-level reset, are there by themselves.
 */
public final class FunctionBuilder {
    /** The longest access that a BAR takes at once. */
    private static final int MAX_ACCESS_BYTES = 1 << 16;

    private final DeviceFunction function;
    private final Bar[] bars = new Bar[Region.CONFIGURATION];
    private final List<Consumer<ConfigurationSpaceBuilder>> capabilities = new ArrayList<>();
    private FunctionDescription.Identity identity;
    private int pin;
    private int msiVectors;
    private int msixVectors;
    private MsixTable msixTable;

    FunctionBuilder(DeviceFunction function) {
        this.function = function;
    }

    /** Vendor, device, class code and so on. Must be said. */
    public FunctionBuilder identity(FunctionDescription.Identity registers) {
        identity = registers;
        return this;
    }

    /**
     * A memory BAR.
     *
     * @param index 0 to 5; with {@link Region.Attribute#BITS_64} it takes the next one too
     * @param sizeBytes a power of two, at least 16
     */
    public Bar memoryBar(int index, long sizeBytes, Region.Attribute... attributes) {
        return bar(index, Region.Space.MEMORY, sizeBytes, Set.of(attributes));
    }

    /**
     * A BAR of I/O ports.
     *
     * @param index 0 to 5
     * @param sizeBytes a power of two, 4 to 256
     */
    public Bar ioBar(int index, long sizeBytes, Region.Attribute... attributes) {
        return bar(index, Region.Space.IO_PORT, sizeBytes, Set.of(attributes));
    }

    /**
     * An expansion ROM (PCI 3.0, 6.3).
     *
     * @param image its contents; the ROM's size is the power of two from 2048 that holds it
     */
    public FunctionBuilder rom(byte[] image) {
        int size = Math.max(0x800, Integer.highestOneBit(Math.max(1, 2 * image.length - 1)));
        Set<Region.Attribute> attributes =
                Set.of(Region.Attribute.READ_ONLY, Region.Attribute.READS_WITHOUT_SIDE_EFFECTS);
        int longest = Math.min(size, MAX_ACCESS_BYTES);
        bars[Region.ROM] =
                new Bar(new Region(Region.ROM, Region.Space.MEMORY, size, attributes, longest));
        MemorySegment.copy(
                image, 0, bars[Region.ROM].memory(0, size), ValueLayout.JAVA_BYTE, 0, image.length);
        return this;
    }

    private Bar bar(int index, Region.Space space, long size, Set<Region.Attribute> attributes) {
        if (index < 0 || index > 5 || bars[index] != null) {
            throw new IllegalArgumentException("BAR" + index + " is no BAR, or taken.");
        }
        int longest = (int) Math.min(size, MAX_ACCESS_BYTES);
        bars[index] = new Bar(new Region(index, space, size, attributes, longest));
        return bars[index];
    }

    /** An interrupt pin, 1 to 4 for INTA to INTD. */
    public FunctionBuilder intx(int interruptPin) {
        pin = interruptPin;
        return this;
    }

    /**
     * MSI with 64-bit addresses.
     *
     * @param vectors 1, 2, 4, 8, 16 or 32
     */
    public FunctionBuilder msi(int vectors) {
        msiVectors = vectors;
        capabilities.add(space -> space.msi(vectors, true, false));
        return this;
    }

    /**
     * MSI-X. The table and the pending bits are areas of BARs made already; there, reads and writes
     * do what PCI asks, and masks are the driver's side's business.
     *
     * @param vectors 1 to 2048
     * @param tableOffset where the table of 16 bytes a vector begins, a multiple of 8
     * @param pendingOffset where the pending bits begin, 8 bytes for each 64 vectors, a multiple of
     *     8
     */
    public FunctionBuilder msix(
            int vectors, Bar tableBar, long tableOffset, Bar pendingBar, long pendingOffset) {
        msixVectors = vectors;
        capabilities.add(space ->
                space.msix(
                        vectors,
                        tableBar.region().index(),
                        Math.toIntExact(tableOffset),
                        pendingBar.region().index(),
                        Math.toIntExact(pendingOffset)));
        msixTable = new MsixTable(vectors);
        tableBar.area(tableOffset, msixTable.sizeBytes(), msixTable);
        pendingBar.area(pendingOffset, (vectors + 63L) / 64 * 8, new PendingArea());
        return this;
    }

    /** Shows what waits to be sent. */
    private final class PendingArea implements AreaHandler {
        @Override
        public long read(long offset, int sizeBytes) {
            return function.interrupts().msixPending(offset, sizeBytes);
        }

        @Override
        public void write(long offset, int sizeBytes, long value) {
            // Read-only (PCI 3.0, 6.8.2.10).
        }
    }

    /** More capabilities, in the builder's own words. Called once, when everything is said. */
    public FunctionBuilder capabilities(Consumer<ConfigurationSpaceBuilder> more) {
        capabilities.add(more);
        return this;
    }

    /** The way to the driver's memory. To be kept; to be used from the first access on. */
    public Dma dma() {
        return function.dma();
    }

    /** To be kept; to be used from the first access on. */
    public Interrupts interrupts() {
        return function.interrupts();
    }

    /** Work beside the accesses, and timers. To be kept; to be used from the first access on. */
    public Tasks tasks() {
        return function.tasks();
    }

    /** For what the person who lends the device should know. */
    public System.Logger log() {
        return function.log();
    }

    Bar[] bars() {
        for (Bar bar : bars) {
            if (bar != null) {
                bar.freeze();
            }
        }
        return bars;
    }

    /** The MSI-X table, or null without one. */
    MsixTable msixTable() {
        return msixTable;
    }

    ConfigurationSpace configuration() {
        if (identity == null) {
            throw new IllegalStateException(
                    "The device " + function.kind() + " has not said its identity.");
        }
        ConfigurationSpaceBuilder space = new ConfigurationSpaceBuilder(identity);
        space.interruptPin(pin);
        for (Bar bar : bars) {
            if (bar != null) {
                space.region(bar.region());
            }
        }
        space.powerManagement();
        space.expressEndpoint();
        capabilities.forEach(capability -> capability.accept(space));
        return space.build();
    }

    FunctionDescription description(ConfigurationSpace space, boolean savable) {
        List<Region> regions = new ArrayList<>();
        for (Bar bar : bars) {
            if (bar != null) {
                regions.add(bar.region());
            }
        }
        regions.add(
                new Region(
                        Region.CONFIGURATION,
                        Region.Space.CONFIGURATION,
                        Region.CONFIGURATION_SIZE_BYTES,
                        Set.of(Region.Attribute.READS_WITHOUT_SIDE_EFFECTS),
                        Region.CONFIGURATION_SIZE_BYTES));
        return new FunctionDescription(
                function.kind(),
                identity,
                regions,
                space.capabilities(),
                pin,
                msiVectors,
                msixVectors,
                EnumSet.allOf(ResetKind.class),
                savable ? Set.of(Ability.QUIESCE, Ability.SAVE_LOAD) : Set.of(Ability.QUIESCE));
    }
}
