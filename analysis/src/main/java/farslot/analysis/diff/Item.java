package farslot.analysis.diff;

import java.util.List;
import java.util.function.Supplier;

/**
 * One thing that is compared: an access, a polling loop, a command of a queue.
 *
 * @param stream what it is in order in
 * @param order its place there, from 0
 * @param number of its first event in the trace
 * @param whole a number that is equal for items that say the same; {@code data} apart
 * @param similar equal for items that ask the same, whatever was answered
 * @param kind equal for items of one register and direction, or of one command
 * @param data of the data that was moved; 0 where that is not known, which is equal to all
 * @param details what people read, made when asked for
 */
record Item(
        String stream,
        long order,
        long number,
        long whole,
        long similar,
        long kind,
        long data,
        Supplier<Details> details) {
    /**
     * What people read of an item.
     *
     * @param what "write CC", "READ"
     * @param values by name
     */
    record Details(String what, List<Value> values) {}

    /**
     * A value by the name of its field.
     *
     * @param name "" where it has none
     * @param compared whether another text is a difference
     */
    record Value(String name, String text, boolean compared) {}
}
