package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import farslot.core.Region;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A path whose near end is a {@link PciFunction}: the teaching device's liveness register. */
record FunctionTarget(String name, String baseline, PciFunction function, MemorySegment word)
        implements Target {
    /** BAR0 of the teaching device: QEMU, docs/specs/edu.rst. */
    static final int REGION = 0;

    /** The register that reads as the complement of what was written. */
    static final int LIVENESS = 0x04;

    static final int WORD_BYTES = 4;

    /** The command register, and its bit that lets memory regions answer: PCI 3.0, 6.2.2. */
    static final int COMMAND = 0x04;

    static final int COMMAND_BYTES = 2;
    static final int COMMAND_MEMORY = 0x2;

    static FunctionTarget of(String name, String baseline, PciFunction function)
            throws IOException {
        MemorySegment word = Arena.ofAuto().allocate(WORD_BYTES);
        FunctionTarget target = new FunctionTarget(name, baseline, function, word);
        word.set(ValueLayout.JAVA_INT, 0, COMMAND_MEMORY);
        MemorySegment command = word.asSlice(0, COMMAND_BYTES);
        target.check(
                "write of the command register",
                function.write(
                        Region.CONFIGURATION,
                        COMMAND,
                        command,
                        COMMAND_BYTES,
                        PciFunction.ALL_BYTES));
        return target;
    }

    @Override
    public void read() throws IOException {
        check("read", function.read(REGION, LIVENESS, word, WORD_BYTES));
    }

    @Override
    public void write() throws IOException {
        check("write", function.write(REGION, LIVENESS, word, WORD_BYTES, PciFunction.ALL_BYTES));
    }

    private void check(String what, CompletionStatus status) throws IOException {
        if (!status.isSuccess()) {
            throw new IOException("A " + what + " through \"" + name + "\" ended in " + status);
        }
    }

    /** The function belongs to who made it. */
    @Override
    public void close() {}
}
