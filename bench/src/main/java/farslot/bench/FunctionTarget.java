package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A path whose near end is a {@link PciFunction}: the teaching device's liveness register. */
record FunctionTarget(
        String name, String baseline, PciFunction function, MemorySegment word, AutoCloseable owner)
        implements Target {
    /** BAR0 of the teaching device: QEMU, docs/specs/edu.rst. */
    static final int REGION = 0;

    /** The register that reads as the complement of what was written. */
    static final int LIVENESS = 0x04;

    static final int WORD_BYTES = 4;

    static FunctionTarget of(
            String name, String baseline, PciFunction function, AutoCloseable owner) {
        MemorySegment word = Arena.ofAuto().allocate(WORD_BYTES);
        return new FunctionTarget(name, baseline, function, word, owner);
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

    @Override
    public void close() throws IOException {
        try {
            owner.close();
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
