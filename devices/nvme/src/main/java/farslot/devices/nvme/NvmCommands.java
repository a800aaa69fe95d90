package farslot.devices.nvme;

import farslot.block.ImageFullException;
import farslot.core.DmaSegment;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The NVM command set (NVMe 1.4, 6). Any number of workers execute at once. */
final class NvmCommands {
    private static final Logger LOG = System.getLogger("farslot.nvme");

    private static final int FORCE_UNIT_ACCESS = 1 << 30;
    private static final int DEALLOCATE = 1 << 25;
    private static final int ATTRIBUTE_DEALLOCATE = 1 << 2;
    private static final int RANGE_BYTES = 16;

    private final Enablement enablement;
    private final Namespaces namespaces;
    private final HealthCounters counters;
    private final DataBuffers buffers;
    private final Features features;

    NvmCommands(Enablement enablement, ControllerState state) {
        this.enablement = enablement;
        this.namespaces = state.namespaces();
        this.counters = state.counters();
        this.buffers = state.buffers();
        this.features = enablement.features();
    }

    /** Executes a command, which may take as long as the image and the driver's memory take. */
    void execute(Command command) throws CommandException {
        NvmOpcode opcode = NvmOpcode.ofCode(command.opcode());
        if (opcode == null) {
            throw CommandException.at(StatusCode.INVALID_COMMAND_OPCODE, 0, 0);
        }
        checkFirstDword(command);
        if (opcode == NvmOpcode.FLUSH && command.namespace() == Command.ALL_NAMESPACES) {
            flushAll(command);
            return;
        }
        Namespace namespace = namespaces.get(command.namespace());
        try {
            switch (opcode) {
                case FLUSH -> flush(command, namespace);
                case READ -> read(command, namespace);
                case WRITE -> write(command, namespace);
                case COMPARE -> compare(command, namespace);
                case WRITE_UNCORRECTABLE -> writeUncorrectable(command, namespace);
                case WRITE_ZEROES -> writeZeroes(command, namespace);
                case DATASET_MANAGEMENT -> manageDataset(command, namespace);
            }
        } catch (IOException e) {
            boolean reading = opcode == NvmOpcode.READ || opcode == NvmOpcode.COMPARE;
            throw failed(reading ? StatusCode.UNRECOVERED_READ_ERROR : StatusCode.WRITE_FAULT, e);
        }
    }

    /** Fused operations are not offered, and 3 is no kind of data pointer (4.2). */
    private static void checkFirstDword(Command command) throws CommandException {
        if (command.fuse() != 0) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 1, 0);
        }
        if (command.psdt() > DataPointer.SGL_WITH_METADATA) {
            throw CommandException.at(StatusCode.INVALID_FIELD_IN_COMMAND, 1, 6);
        }
    }

    /** NVMe 1.4, 6.8, and VWC: one Flush may mean all namespaces. */
    private void flushAll(Command command) throws CommandException {
        command.commit();
        try {
            namespaces.flush();
        } catch (IOException e) {
            throw failed(StatusCode.WRITE_FAULT, e);
        }
    }

    private static void flush(Command command, Namespace namespace)
            throws CommandException, IOException {
        command.commit();
        namespace.flush();
    }

    /** NVMe 1.4, 6.9. */
    private void read(Command command, Namespace namespace) throws CommandException, IOException {
        int bytes = transferBytes(command, namespace);
        flushIfForced(command, namespace);
        MemorySegment buffer = buffers.take();
        try {
            MemorySegment data = buffer.asSlice(0, bytes);
            List<DmaSegment> segments = DataPointer.segments(enablement, command, data);
            namespace.read(command.startingLba(), data);
            command.commit();
            DataPointer.send(enablement, segments);
            counters.countRead(bytes);
        } finally {
            buffers.giveBack(buffer);
        }
    }

    /** NVMe 1.4, 6.6. */
    private void compare(Command command, Namespace namespace)
            throws CommandException, IOException {
        int bytes = transferBytes(command, namespace);
        flushIfForced(command, namespace);
        MemorySegment expected = buffers.take();
        MemorySegment found = buffers.take();
        try {
            MemorySegment data = expected.asSlice(0, bytes);
            DataPointer.receive(enablement, command, data);
            namespace.read(command.startingLba(), found.asSlice(0, bytes));
            command.commit();
            counters.countRead(bytes);
            long difference = data.mismatch(found.asSlice(0, bytes));
            if (difference >= 0) {
                throw CommandException.ofBlock(
                        StatusCode.COMPARE_FAILURE,
                        command.startingLba() + difference / namespace.blockBytes());
            }
        } finally {
            buffers.giveBack(found);
            buffers.giveBack(expected);
        }
    }

    /** Reading with FUA set: what comes is on the disk (6.6, 6.9). */
    private static void flushIfForced(Command command, Namespace namespace) throws IOException {
        if ((command.dword(12) & FORCE_UNIT_ACCESS) != 0) {
            namespace.flush();
        }
    }

    /** NVMe 1.4, 6.15. */
    private void write(Command command, Namespace namespace) throws CommandException, IOException {
        int bytes = transferBytes(command, namespace);
        checkNoDirective(command);
        MemorySegment buffer = buffers.take();
        try {
            MemorySegment data = buffer.asSlice(0, bytes);
            DataPointer.receive(enablement, command, data);
            beginToChange(command);
            namespace.write(command.startingLba(), data);
            counters.countWrite(bytes);
        } finally {
            buffers.giveBack(buffer);
        }
        makeDurable(command, namespace);
    }

    /** NVMe 1.4, 6.16: reads of the blocks fail until they are written. */
    private void writeUncorrectable(Command command, Namespace namespace)
            throws CommandException, IOException {
        checkRange(namespace, command.startingLba(), command.blocks(), 40);
        beginToChange(command);
        namespace.markUncorrectable(command.startingLba(), command.blocks());
        if (!features.writeCacheEnabled()) {
            namespace.flush();
        }
    }

    /** NVMe 1.4, 6.17. */
    private void writeZeroes(Command command, Namespace namespace)
            throws CommandException, IOException {
        checkRange(namespace, command.startingLba(), command.blocks(), 40);
        beginToChange(command);
        boolean mayDeallocate = (command.dword(12) & DEALLOCATE) != 0;
        namespace.writeZeroes(command.startingLba(), command.blocks(), mayDeallocate);
        makeDurable(command, namespace);
    }

    /** NVMe 1.4, 6.7: of its attributes only Deallocate asks for anything to be done. */
    private void manageDataset(Command command, Namespace namespace)
            throws CommandException, IOException {
        int ranges = (command.dword(10) & 0xFF) + 1;
        MemorySegment list = MemorySegment.ofArray(new byte[ranges * RANGE_BYTES]);
        DataPointer.receive(enablement, command, list);
        for (int i = 0; i < ranges; i++) {
            checkRange(namespace, rangeLba(list, i), rangeBlocks(list, i), 24);
        }
        if ((command.dword(11) & ATTRIBUTE_DEALLOCATE) == 0) {
            return;
        }
        beginToChange(command);
        for (int i = 0; i < ranges; i++) {
            namespace.deallocate(rangeLba(list, i), rangeBlocks(list, i));
        }
        if (!features.writeCacheEnabled()) {
            namespace.flush();
        }
    }

    private static long rangeBlocks(MemorySegment list, int range) {
        return Integer.toUnsignedLong(list.get(LittleEndian.INT, (long) range * RANGE_BYTES + 4));
    }

    private static long rangeLba(MemorySegment list, int range) {
        return list.get(LittleEndian.LONG, (long) range * RANGE_BYTES + 8);
    }

    private static int transferBytes(Command command, Namespace namespace) throws CommandException {
        long bytes = command.blocks() * namespace.blockBytes();
        if (bytes > Identify.MAX_TRANSFER_BYTES) {
            throw CommandException.invalidField(12, 0);
        }
        checkRange(namespace, command.startingLba(), command.blocks(), 40);
        return (int) bytes;
    }

    private static void checkRange(Namespace namespace, long lba, long blocks, int location)
            throws CommandException {
        long size = namespace.blocks();
        if (lba < 0 || lba > size || blocks > size - lba) {
            throw CommandException.at(StatusCode.LBA_OUT_OF_RANGE, location, 0);
        }
    }

    /** No directives are offered (OACS bit 5), so no directive type may be named. */
    private static void checkNoDirective(Command command) throws CommandException {
        if ((command.dword(12) >>> 20 & 0xF) != 0) {
            throw CommandException.invalidField(12, 20);
        }
    }

    /** The disk is changed from here on: not by a command aborted, or of before a reset. */
    private void beginToChange(Command command) throws CommandException {
        command.commit();
        if (enablement.isEnded()) {
            throw new CommandException(StatusCode.COMMAND_ABORT_REQUESTED);
        }
    }

    private void makeDurable(Command command, Namespace namespace) throws IOException {
        boolean forced = (command.dword(12) & FORCE_UNIT_ACCESS) != 0;
        if (forced || !features.writeCacheEnabled()) {
            namespace.flush();
        }
    }

    private CommandException failed(StatusCode status, IOException cause) {
        LOG.log(Level.WARNING, cause.getMessage());
        if (cause instanceof ImageFullException) {
            counters.spareUsedUp();
            return new CommandException(StatusCode.CAPACITY_EXCEEDED);
        }
        counters.countMediaError();
        return new CommandException(status);
    }
}
