package farslot.devices.nvme;

import farslot.block.BlockImage;
import farslot.block.ImageFullException;
import farslot.core.DmaSegment;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The NVM command set (NVMe 1.4, 6). Any number of workers execute at once. */
final class NvmCommands {
    private static final Logger LOG = System.getLogger("farslot.nvme");

    private static final int FORCE_UNIT_ACCESS = 1 << 30;
    private static final int DEALLOCATE = 1 << 25;
    private static final int ATTRIBUTE_DEALLOCATE = 1 << 2;
    private static final int RANGE_BYTES = 16;

    private final Namespace namespace;
    private final HealthCounters counters;
    private final DataBuffers buffers;
    private final DriverMemory memory;
    private final int pageBytes;
    private final Features features;
    private final BooleanSupplier ended;

    /**
     * @param ended whether the controller was disabled or reset since: then nothing more is written
     */
    NvmCommands(
            Namespace namespace,
            HealthCounters counters,
            DataBuffers buffers,
            DriverMemory memory,
            int pageBytes,
            Features features,
            BooleanSupplier ended) {
        this.namespace = namespace;
        this.counters = counters;
        this.buffers = buffers;
        this.memory = memory;
        this.pageBytes = pageBytes;
        this.features = features;
        this.ended = ended;
    }

    /** Executes a command, which may take as long as the image and the driver's memory take. */
    void execute(Command command) throws CommandException {
        NvmOpcode opcode = NvmOpcode.ofCode(command.opcode());
        if (opcode == null) {
            throw CommandException.at(StatusCode.INVALID_COMMAND_OPCODE, 0, 0);
        }
        Enablement.checkFirstDword(command);
        checkNamespace(command, opcode);
        long begun = System.nanoTime();
        try {
            switch (opcode) {
                case FLUSH -> flush(StatusCode.WRITE_FAULT);
                case READ -> read(command);
                case WRITE -> write(command);
                case WRITE_ZEROES -> writeZeroes(command);
                case DATASET_MANAGEMENT -> manageDataset(command);
            }
        } finally {
            counters.countBusy(System.nanoTime() - begun);
        }
    }

    private static void checkNamespace(Command command, NvmOpcode opcode) throws CommandException {
        boolean all = opcode == NvmOpcode.FLUSH && command.namespace() == Command.ALL_NAMESPACES;
        if (command.namespace() != Identify.NAMESPACE && !all) {
            throw CommandException.at(StatusCode.INVALID_NAMESPACE_OR_FORMAT, 4, 0);
        }
    }

    /** NVMe 1.4, 6.8. */
    private void flush(StatusCode onFailure) throws CommandException {
        try {
            namespace.image().flush();
        } catch (IOException e) {
            throw failed(onFailure, e);
        }
    }

    /** NVMe 1.4, 6.9. */
    private void read(Command command) throws CommandException {
        int bytes = transferBytes(command);
        if ((command.dword(12) & FORCE_UNIT_ACCESS) != 0) {
            flush(StatusCode.UNRECOVERED_READ_ERROR);
        }
        MemorySegment buffer = buffers.take();
        try {
            MemorySegment data = buffer.asSlice(0, bytes);
            List<DmaSegment> segments =
                    PrpWalk.segments(memory, pageBytes, command.prp1(), command.prp2(), data);
            namespace.image().read(command.startingLba() * namespace.blockBytes(), data);
            if (!memory.writeAll(segments).isSuccess()) {
                throw CommandException.at(StatusCode.DATA_TRANSFER_ERROR, 24, 0);
            }
            counters.countRead(bytes);
        } catch (IOException e) {
            throw failed(StatusCode.UNRECOVERED_READ_ERROR, e);
        } finally {
            buffers.giveBack(buffer);
        }
    }

    /** NVMe 1.4, 6.15. */
    private void write(Command command) throws CommandException {
        int bytes = transferBytes(command);
        checkNoDirective(command);
        MemorySegment buffer = buffers.take();
        try {
            MemorySegment data = buffer.asSlice(0, bytes);
            List<DmaSegment> segments =
                    PrpWalk.segments(memory, pageBytes, command.prp1(), command.prp2(), data);
            if (!memory.readAll(segments).isSuccess()) {
                throw CommandException.at(StatusCode.DATA_TRANSFER_ERROR, 24, 0);
            }
            if (ended.getAsBoolean()) {
                throw new CommandException(StatusCode.COMMAND_ABORT_REQUESTED);
            }
            namespace.image().write(command.startingLba() * namespace.blockBytes(), data);
            counters.countWrite(bytes);
        } catch (IOException e) {
            throw failed(StatusCode.WRITE_FAULT, e);
        } finally {
            buffers.giveBack(buffer);
        }
        makeDurable(command);
    }

    /** NVMe 1.4, 6.17. */
    private void writeZeroes(Command command) throws CommandException {
        long blocks = blocks(command);
        checkRange(command.startingLba(), blocks, 40);
        boolean mayDiscard =
                (command.dword(12) & DEALLOCATE) != 0 && namespace.image().discardReadsZeroes();
        try {
            namespace
                    .image()
                    .writeZeroes(
                            command.startingLba() * namespace.blockBytes(),
                            blocks * namespace.blockBytes(),
                            mayDiscard);
        } catch (IOException e) {
            throw failed(StatusCode.WRITE_FAULT, e);
        }
        makeDurable(command);
    }

    /** NVMe 1.4, 6.7: of its attributes only Deallocate asks for anything to be done. */
    private void manageDataset(Command command) throws CommandException {
        int ranges = (command.dword(10) & 0xFF) + 1;
        MemorySegment list = MemorySegment.ofArray(new byte[ranges * RANGE_BYTES]);
        List<DmaSegment> segments =
                PrpWalk.segments(memory, pageBytes, command.prp1(), command.prp2(), list);
        if (!memory.readAll(segments).isSuccess()) {
            throw CommandException.at(StatusCode.DATA_TRANSFER_ERROR, 24, 0);
        }
        for (int i = 0; i < ranges; i++) {
            checkRange(rangeLba(list, i), rangeBlocks(list, i), 24);
        }
        if ((command.dword(11) & ATTRIBUTE_DEALLOCATE) == 0 || ended.getAsBoolean()) {
            return;
        }
        BlockImage image = namespace.image();
        try {
            for (int i = 0; i < ranges; i++) {
                image.discard(
                        rangeLba(list, i) * namespace.blockBytes(),
                        rangeBlocks(list, i) * namespace.blockBytes());
            }
        } catch (IOException e) {
            throw failed(StatusCode.WRITE_FAULT, e);
        }
        if (!features.writeCacheEnabled()) {
            flush(StatusCode.WRITE_FAULT);
        }
    }

    private static long rangeBlocks(MemorySegment list, int range) {
        return Integer.toUnsignedLong(list.get(LittleEndian.INT, (long) range * RANGE_BYTES + 4));
    }

    private static long rangeLba(MemorySegment list, int range) {
        return list.get(LittleEndian.LONG, (long) range * RANGE_BYTES + 8);
    }

    private int transferBytes(Command command) throws CommandException {
        long bytes = blocks(command) * namespace.blockBytes();
        if (bytes > Identify.MAX_TRANSFER_BYTES) {
            throw CommandException.invalidField(12, 0);
        }
        checkRange(command.startingLba(), blocks(command), 40);
        return (int) bytes;
    }

    private static long blocks(Command command) {
        return (command.dword(12) & 0xFFFF) + 1L;
    }

    private void checkRange(long lba, long blocks, int location) throws CommandException {
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

    private void makeDurable(Command command) throws CommandException {
        boolean forced = (command.dword(12) & FORCE_UNIT_ACCESS) != 0;
        if (forced || !features.writeCacheEnabled()) {
            flush(StatusCode.WRITE_FAULT);
        }
    }

    private CommandException failed(StatusCode status, IOException cause) {
        LOG.log(Level.WARNING, cause.getMessage());
        counters.countMediaError();
        return new CommandException(
                cause instanceof ImageFullException ? StatusCode.CAPACITY_EXCEEDED : status);
    }
}
