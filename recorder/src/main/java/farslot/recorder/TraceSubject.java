package farslot.recorder;

import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.registers.RegisterMapProvider;
import farslot.registers.RegisterMapWriter;
import java.lang.foreign.MemorySegment;

/**
 * What a trace is of: all that its reader has to know of the function before the first event.
 *
 * @param configuration its configuration space when the recording began, 4096 bytes; null where it
 *     could not be read
 * @param registerMap the text of its register map (rules-ng-ng XML); null where there is none
 */
@SuppressWarnings("ArrayRecordComponent") // handed from a function to a file, and compared nowhere
public record TraceSubject(
        FunctionDescription description, byte[] configuration, String registerMap) {

    /** A function of which no more is known than what it says of itself. */
    public static TraceSubject of(FunctionDescription description) {
        return new TraceSubject(description, null, null);
    }

    /** A function as it is now, with the register map of its kind if this program has one. */
    static TraceSubject of(PciFunction function) {
        FunctionDescription description = function.describe();
        String map =
                RegisterMapProvider.find(description.kind())
                        .map(RegisterMapWriter::write)
                        .orElse(null);
        return new TraceSubject(description, configuration(function), map);
    }

    private static byte[] configuration(PciFunction function) {
        Region region = function.describe().region(Region.CONFIGURATION).orElse(null);
        if (region == null) {
            return null;
        }
        byte[] bytes = new byte[Region.CONFIGURATION_SIZE_BYTES];
        MemorySegment all = MemorySegment.ofArray(bytes);
        int step = Math.min(bytes.length, Integer.highestOneBit(region.maxAccessBytes()));
        for (int at = 0; at < bytes.length; at += step) {
            int width = Math.min(step, Integer.BYTES);
            if (!function.read(region.index(), at, all.asSlice(at, step), width).isSuccess()) {
                return null;
            }
        }
        return bytes;
    }
}
