package farslot.integration;

import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.integration.PcidevMessage.Op;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A driver in a kernel behind a {@link KernelSlot}: its memory begins at DMA address 0, it programs
 * the MSI-X table itself, and an interrupt is the message that it asked for.
 */
final class DriverInKernel extends DriverPlace {
    private static final long MESSAGE_ADDRESS = 0xfee0_1000L;
    private static final int DATA = 0x4000;

    private final PciFunction function;
    private final int vectors;
    private final MappedMemory memory;
    private final KernelSlot slot;
    private final LinkedBlockingQueue<PcidevMessage> messages = new LinkedBlockingQueue<>();
    private long changes;

    DriverInKernel(PciFunction function, int ramBytes, int vectors) throws IOException {
        super(vectors);
        this.function = function;
        this.vectors = vectors;
        // Sparse: what the driver uses lies at RAM_ADDRESS.
        memory = MappedMemory.create("farslot-test", RAM_ADDRESS + ramBytes);
        slot = new KernelSlot(function, memory, messages::add);
        ready();
    }

    private void ready() {
        FunctionDescription description = function.describe();
        makeReady(description);
        int msix =
                description.capabilities().stream()
                        .filter(place -> place.id() == ConfigurationSpaceBuilder.ID_MSIX)
                        .findFirst()
                        .orElseThrow()
                        .offset();
        int table = (int) read(Region.CONFIGURATION, msix + 4, 4);
        for (int vector = 0; vector < vectors; vector++) {
            long entry = (table & ~7L) + 16L * vector;
            write(table & 7, entry, 8, MESSAGE_ADDRESS + 4L * vector);
            write(table & 7, entry + 8, 4, DATA + vector);
            write(table & 7, entry + 12, 4, 0);
        }
    }

    @Override
    long read(int region, long offset, int bytes) {
        Op op = region == Region.CONFIGURATION ? Op.CFG_READ : Op.MMIO_READ;
        byte[] data =
                slot.command(new PcidevMessage(op, region, bytes, offset, new byte[0]).toBytes());
        return new PcidevMessage(op, region, bytes, offset, data).value();
    }

    @Override
    void write(int region, long offset, int bytes, long value) {
        byte[] data = new byte[bytes];
        for (int at = 0; at < bytes; at++) {
            data[at] = (byte) (value >>> (8 * at));
        }
        Op op = region == Region.CONFIGURATION ? Op.CFG_WRITE : Op.MMIO_WRITE;
        slot.command(new PcidevMessage(op, region, bytes, offset, data).toBytes());
    }

    @Override
    void reset() {
        if (!function.reset(ResetKind.FLR).isSuccess()) {
            throw new AssertionError("The function could not be reset.");
        }
        ready();
    }

    @Override
    public MemorySegment ram() {
        return memory.segment().asSlice(RAM_ADDRESS);
    }

    private void take(PcidevMessage message) {
        int vector = (int) (message.value() - DATA);
        if (message.op() != Op.MSI || message.address() != MESSAGE_ADDRESS + 4L * vector) {
            throw new AssertionError("Not what was asked for: " + message);
        }
        count(InterruptKind.MSIX, vector);
        changes++;
    }

    @Override
    public long changes() {
        for (PcidevMessage one = messages.poll(); one != null; one = messages.poll()) {
            take(one);
        }
        return changes;
    }

    @Override
    public void awaitChange(long seen) {
        try {
            while (changes() == seen) {
                PcidevMessage message = messages.poll(60, TimeUnit.SECONDS);
                if (message == null) {
                    throw new AssertionError("No interrupt came.");
                }
                take(message);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        slot.close();
        memory.close();
    }
}
