package farslot.devices.edu;

import static farslot.core.Region.Attribute.READS_WITHOUT_SIDE_EFFECTS;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.sdk.Bar;
import farslot.sdk.Device;
import farslot.sdk.Dma;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import farslot.sdk.RegisterFile;
import farslot.sdk.RegisterState;
import farslot.sdk.Savable;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import farslot.sdk.Tasks;
import farslot.sdk.Timer;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;

/**
 * The teaching device, as QEMU's docs/specs/edu.rst describes it and its hw/misc/edu.c behaves.
 *
 * <p>The registers are in BAR0: a megabyte of memory, or 256 I/O ports. The DMA buffer of 4096
 * bytes is not in the BAR in either case: 0x40000 is the name under which DMA_SOURCE and
 * DMA_DESTINATION call it. I/O ports carry 4 bytes at most, so a driver writes the 64-bit registers
 * there in halves; QEMU, which lacks I/O ports, ignores upper halves.
 */
final class EduDevice implements Device, Savable {
    private static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x11e8, 0x1af4, 0x1100, 0x00ff00, 0x10);
    private static final int MEMORY_BYTES = 1 << 20;
    private static final int IO_PORTS = 256;

    private static final int STATUS_COMPUTING = 1;
    private static final int IRQ_FACTORIAL = 1;
    private static final int IRQ_DMA = 0x100;

    private static final int DMA_RUN = 1;
    private static final int DMA_TO_MEMORY = 1 << 1;
    private static final int DMA_IRQ = 1 << 2;
    private static final long BUFFER_AT = 0x40000;
    private static final int BUFFER_BYTES = 4096;

    /** So that drivers have to wait for it. */
    private static final Duration DMA_TAKES = Duration.ofMillis(100);

    private final boolean ioPorts;
    private final long dmaMask;
    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES, 8);

    private Dma dma;
    private Interrupts interrupts;
    private Tasks tasks;
    private System.Logger log;

    private RegisterState factorial;
    private RegisterState status;
    private RegisterState interruptStatus;
    private RegisterState source;
    private RegisterState destination;
    private RegisterState count;
    private RegisterState command;

    /** When DMA begins; not always to come. */
    private Timer transferDue = () -> {};

    private volatile boolean transferring;

    EduDevice(boolean ioPorts, long dmaMask) {
        this.ioPorts = ioPorts;
        this.dmaMask = dmaMask;
    }

    @Override
    public void assemble(FunctionBuilder function) {
        dma = function.dma();
        interrupts = function.interrupts();
        tasks = function.tasks();
        log = function.log();
        function.identity(IDENTITY).intx(1).msi(1);
        Bar bar =
                ioPorts
                        ? function.ioBar(0, IO_PORTS, READS_WITHOUT_SIDE_EFFECTS)
                        : function.memoryBar(0, MEMORY_BYTES, READS_WITHOUT_SIDE_EFFECTS);
        bar.widths(0, 0x80, 4).widths(0x80, bar.sizeBytes() - 0x80, 4, 8);
        RegisterFile registers =
                bar.registers(new EduKind().registerMap().domain("BAR0")).reservedReads(0xff);

        RegisterState liveness = registers.register("LIVENESS");
        liveness.onWrite((old, now) -> liveness.set(~now & 0xffff_ffffL));

        factorial = registers.register("FACTORIAL").onWrite(this::computeFactorial);
        status = registers.register("STATUS");

        interruptStatus = registers.register("IRQ_STATUS");
        registers.onWritten("IRQ_RAISE", this::raise).onRead("IRQ_RAISE", () -> -1);
        registers.onWritten("IRQ_ACK", this::acknowledge).onRead("IRQ_ACK", () -> -1);

        source = idleOnly(registers.register("DMA_SOURCE"));
        destination = idleOnly(registers.register("DMA_DESTINATION"));
        count = idleOnly(registers.register("DMA_COUNT"));
        command = registers.register("DMA_COMMAND").onWrite(this::beginDma);
    }

    @Override
    public void reset(ResetKind kind) {
        buffer.fill((byte) 0);
        transferring = false;
    }

    @Override
    public void quiesce() {
        transferDue.cancel();
    }

    /** Begins again what was to begin when the device was quiesced, or saved. */
    @Override
    public void resume() {
        if ((command.get() & DMA_RUN) != 0 && !transferring) {
            transferDue = tasks.after(DMA_TAKES, this::transfer);
        }
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** All else is in registers, and at rest nothing is computed or transferred. */
    @Override
    public void save(StateWriter state) {
        state.put("buffer", buffer.toArray(ValueLayout.JAVA_BYTE));
    }

    @Override
    public void load(StateReader state) throws StateException {
        byte[] saved = state.bytes("buffer", BUFFER_BYTES);
        MemorySegment.copy(saved, 0, buffer, ValueLayout.JAVA_BYTE, 0, BUFFER_BYTES);
    }

    /** Writes are ignored while one is computed. */
    private void computeFactorial(long old, long number) {
        if ((status.setBits(STATUS_COMPUTING) & STATUS_COMPUTING) != 0) {
            factorial.set(old);
            return;
        }
        boolean begun =
                tasks.start(() -> {
                    int result = factorialOf((int) number);
                    tasks.inOrder(() -> factorialDone(result));
                });
        if (!begun) {
            status.clearBits(STATUS_COMPUTING);
        }
    }

    /** Modulo 2^32: beyond 33 it is 0, which needs no computing. */
    private static int factorialOf(int number) {
        int result = 1;
        for (int factor = number; factor != 0 && result != 0; factor--) {
            result *= factor;
        }
        return result;
    }

    private void factorialDone(int result) {
        factorial.set(Integer.toUnsignedLong(result));
        status.clearBits(STATUS_COMPUTING);
        if (status.field("IRQ_WHEN_DONE") != 0) {
            raise(IRQ_FACTORIAL);
        }
    }

    private void raise(long bits) {
        interruptStatus.setBits(bits);
        if (interruptStatus.get() != 0) {
            interrupts.raise(0);
        }
    }

    private void acknowledge(long bits) {
        interruptStatus.clearBits(bits);
        if (interruptStatus.get() == 0) {
            interrupts.lower(0);
        }
    }

    /** A register of the DMA engine, which ignores writes while it runs. */
    private RegisterState idleOnly(RegisterState register) {
        return register.onWrite((old, now) -> {
            if ((command.get() & DMA_RUN) != 0) {
                register.set(old);
            }
        });
    }

    /** Without RUN, or while it runs, a command is ignored. */
    private void beginDma(long old, long now) {
        if ((old & DMA_RUN) != 0 || (now & DMA_RUN) == 0) {
            command.set(old);
            return;
        }
        transferDue = tasks.after(DMA_TAKES, this::transfer);
    }

    private void transfer() {
        transferring = true;
        boolean toMemory = (command.get() & DMA_TO_MEMORY) != 0;
        long inBuffer = (toMemory ? source : destination).get() - BUFFER_AT;
        long length = count.get();
        if (inBuffer < 0
                || length < 0
                || length > BUFFER_BYTES
                || inBuffer > BUFFER_BYTES - length) {
            log.log(
                    Level.WARNING,
                    "DMA of 0x{0} bytes at 0x{1} of the buffer is outside it: nothing is copied.",
                    Long.toHexString(length),
                    Long.toHexString(inBuffer));
        } else if (length > 0) {
            long address = (toMemory ? destination : source).get();
            copy(toMemory, clamped(address), buffer.asSlice(inBuffer, length));
        }
        tasks.inOrder(this::dmaDone);
    }

    private void copy(boolean toMemory, long address, MemorySegment piece) {
        CompletionStatus ended = toMemory ? dma.write(address, piece) : dma.read(address, piece);
        if (!ended.isSuccess()) {
            log.log(
                    Level.WARNING,
                    "DMA of 0x{0} bytes at 0x{1} ended as {2}.",
                    Long.toHexString(piece.byteSize()),
                    Long.toHexString(address),
                    ended);
        }
    }

    private long clamped(long address) {
        if ((address & ~dmaMask) != 0) {
            log.log(
                    Level.WARNING,
                    "DMA address 0x{0} has more bits than the device''s mask 0x{1}; they are cut"
                            + " off.",
                    Long.toHexString(address),
                    Long.toHexString(dmaMask));
        }
        return address & dmaMask;
    }

    private void dmaDone() {
        transferring = false;
        long done = command.clearBits(DMA_RUN);
        if ((done & DMA_IRQ) != 0) {
            raise(IRQ_DMA);
        }
    }
}
