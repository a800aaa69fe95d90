package farslot.sdk.decode;

import java.util.List;

/**
 * What several observations did together: one command, one transfer, one change of setting.
 *
 * @param stream what its like are in order in, as in "SQ1" or "CFG": two transactions of one stream
 *     were begun one after the other; those of two streams may be concurrent
 * @param index its place in its stream, from 0, in the order in which the driver made them. A
 *     decoder gives them as they end, which may be another order
 * @param title what it is, in the specification's word: "READ"
 * @param fields what it was told, and what it answered, by name
 * @param status how it ended, "SUCCESS" where it succeeded; "" where its end was not seen
 * @param stages what happened when, by rising time; the first is its beginning. At least one
 * @param remarks what a reader should know, a sentence each: what was not recorded
 */
public record Transaction(
        String stream,
        long index,
        String title,
        List<Field> fields,
        String status,
        List<Stage> stages,
        List<String> remarks) {
    public static final String SUCCESS = "SUCCESS";

    /** How a value is to be taken where two traces are compared. */
    public enum Meaning {
        /** It says what was asked or answered: another value is another meaning. */
        VALUE,
        /** An address in the driver's memory, which is another one each time. */
        ADDRESS,
        /** A name that the driver chose to tell its transactions apart. */
        IDENTIFIER,
        /** A check sum of the data that was moved; a trace may lack it. */
        DATA
    }

    /**
     * A field by its name in the specification.
     *
     * @param value as a number
     * @param text as people read it: "0x1000", "8", "NVM"
     */
    public record Field(String name, long value, String text, Meaning meaning) {
        /** A number that people count with. */
        public static Field number(String name, long value) {
            return new Field(name, value, Long.toUnsignedString(value), Meaning.VALUE);
        }

        /** An address in the driver's memory. */
        public static Field address(String name, long value) {
            return new Field(name, value, "0x" + Long.toHexString(value), Meaning.ADDRESS);
        }
    }

    /**
     * One thing that happened in it.
     *
     * @param name "doorbell", "fetch"
     * @param number of the observation
     * @param nanos since the trace began
     */
    public record Stage(String name, long number, long nanos) {}

    public Transaction {
        fields = List.copyOf(fields);
        stages = List.copyOf(stages);
        remarks = List.copyOf(remarks);
        if (stages.isEmpty()) {
            throw new IllegalArgumentException(
                    "The transaction " + title + " of " + stream + " has no stage.");
        }
    }

    /** Where it begins. */
    public Stage first() {
        return stages.getFirst();
    }

    /** Where it ends, as far as that was seen. */
    public Stage last() {
        return stages.getLast();
    }

    /** From its first stage to its last. */
    public long durationNanos() {
        return last().nanos() - first().nanos();
    }
}
