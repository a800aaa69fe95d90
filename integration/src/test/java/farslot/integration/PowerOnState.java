package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.PciFunction;
import farslot.core.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Every register of a function as it was when it was new, to compare others with. */
final class PowerOnState {
    private final List<String> registers;

    private PowerOnState(List<String> registers) {
        this.registers = registers;
    }

    /** Of a function that nobody has used. */
    static PowerOnState of(PciFunction function) {
        return new PowerOnState(registers(function));
    }

    /** How many registers are compared. */
    int size() {
        return registers.size();
    }

    /** Each register is as a new function's. */
    void assertIsThatOf(PciFunction function) {
        assertEquals(registers, registers(function));
    }

    /** Configuration space and all regions of memory, in words of 32 bits. */
    private static List<String> registers(PciFunction function) {
        List<String> registers = new ArrayList<>();
        MemorySegment word = MemorySegment.ofArray(new int[1]);
        for (Region region : function.describe().regions()) {
            for (long offset = 0; offset < region.sizeBytes(); offset += 4) {
                var status = function.read(region.index(), offset, word, 4);
                registers.add(
                        String.format(
                                "region %d offset 0x%x: %s 0x%08x",
                                region.index(),
                                offset,
                                status,
                                word.get(ValueLayout.JAVA_INT_UNALIGNED, 0)));
            }
        }
        return registers;
    }
}
