package farslot.integration;

import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.devices.nvme.DriverSide;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Where an nvme driver stands: what every kind of slot gives it, by MSI-X. For one thread. */
abstract class DriverPlace implements DriverSide, AutoCloseable {
    static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int BUS_MASTER_AND_MEMORY = 0x406;
    private static final int MSIX_ENABLE = 0x8000;

    private final int[] interrupts;

    DriverPlace(int vectors) {
        interrupts = new int[vectors];
    }

    abstract long read(int region, long offset, int bytes);

    abstract void write(int region, long offset, int bytes, long value);

    /** Resets the function and makes it ready. */
    abstract void reset();

    @Override
    public abstract void close();

    final void makeReady(FunctionDescription description) {
        int msix =
                description.capabilities().stream()
                        .filter(place -> place.id() == ConfigurationSpaceBuilder.ID_MSIX)
                        .filter(place -> !place.extended())
                        .findFirst()
                        .orElseThrow()
                        .offset();
        write(Region.CONFIGURATION, ConfigurationSpace.COMMAND, 2, BUS_MASTER_AND_MEMORY);
        write(Region.CONFIGURATION, msix + 2, 2, MSIX_ENABLE);
    }

    final void count(InterruptKind kind, int vector) {
        if (kind != InterruptKind.MSIX) {
            throw new AssertionError(kind + " came, and MSI-X is enabled.");
        }
        interrupts[vector]++;
    }

    @Override
    public int interrupts(InterruptKind kind, int vector) {
        return interrupts[vector];
    }

    @Override
    public final int read(int offset) {
        return (int) read(0, offset, 4);
    }

    @Override
    public final void write(int offset, int value) {
        write(0, offset, 4, Integer.toUnsignedLong(value));
    }
}
