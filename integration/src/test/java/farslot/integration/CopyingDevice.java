package farslot.integration;

import farslot.core.FunctionDescription;
import farslot.core.ResetKind;
import farslot.sdk.AreaHandler;
import farslot.sdk.Bar;
import farslot.sdk.Device;
import farslot.sdk.Dma;
import farslot.sdk.FunctionBuilder;
import farslot.sdk.Interrupts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A device that does at once what it is told: an address written to its only register makes it copy
 * the eight bytes there to the eight behind them, and interrupt.
 */
final class CopyingDevice implements Device {
    private static final FunctionDescription.Identity IDENTITY =
            new FunctionDescription.Identity(0x1234, 0x11f6, 0x1af4, 0x1100, 0xff0000, 1);

    static final long IDENTITY_WORD = 0x11f6_1234L;

    private final MemorySegment word = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private Dma dma;
    private Interrupts interrupts;

    @Override
    public void assemble(FunctionBuilder function) {
        dma = function.dma();
        interrupts = function.interrupts();
        Bar table = function.memoryBar(4, 0x1000);
        function.identity(IDENTITY).msix(1, table, 0, table, 0x800);
        function.memoryBar(0, 0x1000)
                .area(
                        0,
                        Long.BYTES,
                        new AreaHandler() {
                            @Override
                            public long read(long offset, int sizeBytes) {
                                return 0;
                            }

                            @Override
                            public void write(long offset, int sizeBytes, long address) {
                                copy(address);
                            }
                        });
    }

    private void copy(long address) {
        if (dma.read(address, word).isSuccess()
                && dma.write(address + Long.BYTES, word).isSuccess()) {
            interrupts.raise(0);
        }
    }

    @Override
    public void reset(ResetKind kind) {}

    @Override
    public void close() {}
}
