package farslot.recorder;

import java.util.ArrayList;
import java.util.List;

/**
 * What of everything that passes is recorded.
 *
 * @param modes of address ranges; where two are of the same address, the later counts, and where
 *     none is, accesses are recorded
 * @param where which accesses, DMA and interrupts are recorded; null for all. Whatever else happens
 *     is always recorded. Where it asks for what is known only at an event's end, an event that
 *     hangs is not in the trace
 * @param until ends the recording behind the first access, DMA or interrupt for which it holds,
 *     whether that is recorded or not; null for never
 * @param guestMarks whether what the driver's side writes to the vendor and device ID, which nobody
 *     else writes to, is text of marks
 */
public record RecordingRules(
        List<RangeMode> modes, Condition where, Condition until, boolean guestMarks) {
    /** Everything, until the recorder is closed. */
    public static final RecordingRules ALL = new RecordingRules(List.of(), null, null, false);

    public RecordingRules {
        modes = List.copyOf(modes);
    }

    /** Whether everything is recorded as it passes, and nothing need be asked. */
    boolean isAll() {
        return equals(ALL);
    }

    public RecordingRules withModes(List<RangeMode> ranges) {
        return new RecordingRules(ranges, where, until, guestMarks);
    }

    /** With these behind the others; of those, what one of these covers whole counts no more. */
    public RecordingRules withMoreModes(List<RangeMode> ranges) {
        List<RangeMode> all = new ArrayList<>(modes);
        for (RangeMode range : ranges) {
            all.removeIf(range::covers);
            all.add(range);
        }
        return withModes(all);
    }

    public RecordingRules withWhere(Condition condition) {
        return new RecordingRules(modes, condition, until, guestMarks);
    }

    public RecordingRules withUntil(Condition condition) {
        return new RecordingRules(modes, where, condition, guestMarks);
    }

    public RecordingRules withGuestMarks(boolean taken) {
        return new RecordingRules(modes, where, until, taken);
    }

    /** Whether an access may have to be on a disk before it is done. */
    public boolean flushes() {
        return modes.stream().anyMatch(range -> range.mode().compareTo(RangeMode.Mode.RECORD) > 0);
    }
}
