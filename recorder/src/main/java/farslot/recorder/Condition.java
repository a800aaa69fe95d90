package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * An expression about events (docs/expressions.md), made once for one function and then asked of
 * each event: one that was read from a trace, or one that is just passing a tap. Both forms mean
 * the same; asking allocates nothing.
 *
 * <p>Any thread may ask at any time. A condition with {@code count} counts what it was asked, so
 * each recording or reading makes its own.
 */
public final class Condition {
    /** What {@code --where} takes for {@link #help}. */
    public static final String HELP = "help";

    private static final ThreadLocal<Occurrence> OCCURRENCES =
            ThreadLocal.withInitial(Occurrence::new);

    /** What is known of an access only when it has ended; a write's value is known before. */
    private static final Set<ConditionField> KNOWN_AT_END =
            EnumSet.of(ConditionField.STATUS, ConditionField.TOOK, ConditionField.VALUE);

    private final String text;
    private final ConditionNode node;
    private final boolean needsEnd;

    private Condition(String text, ConditionNode node, boolean needsEnd) {
        this.text = text;
        this.node = node;
        this.needsEnd = needsEnd;
    }

    /**
     * Makes a condition for one function.
     *
     * @param expression as people write it
     * @param names of the function's registers
     * @throws ConditionException where it means nothing
     */
    public static Condition of(String expression, TraceNames names) throws ConditionException {
        Expression parsed = ConditionParser.parse(expression);
        ConditionCompiler compiler = new ConditionCompiler(expression, names);
        ConditionNode node = compiler.compile(parsed);
        boolean needsEnd = compiler.asked().stream().anyMatch(KNOWN_AT_END::contains);
        return new Condition(parsed.toString(), node, needsEnd);
    }

    /** Whether it asks for what a read tells only when it has ended: status, time taken, value. */
    public boolean needsEnd() {
        return needsEnd;
    }

    /** Of an event of a trace. */
    public boolean test(TraceEvent event) {
        Occurrence occurrence = OCCURRENCES.get();
        occurrence.event(event);
        return node.holds(occurrence);
    }

    /**
     * Of an access that passes; {@code number} is in no event that passes.
     *
     * @param region its index
     * @param lengthBytes how many bytes
     * @param widthBytes the width hint; 0 for none
     * @param value the first up to 8 bytes, little-endian
     * @param valueKnown whether it is: a read's is when it has succeeded
     * @param byteEnables of a write
     * @param status null while it is under way
     * @param nanos when it began, since the trace began
     * @param tookNanos until its end
     * @param generation of the function
     */
    public boolean testAccess(
            boolean write,
            int region,
            long offset,
            long lengthBytes,
            int widthBytes,
            long value,
            boolean valueKnown,
            long byteEnables,
            CompletionStatus status,
            long nanos,
            long tookNanos,
            int generation) {
        Occurrence occurrence = OCCURRENCES.get();
        occurrence.access(
                write,
                region,
                offset,
                lengthBytes,
                widthBytes,
                value,
                valueKnown,
                byteEnables,
                status,
                nanos,
                tookNanos,
                generation);
        return node.holds(occurrence);
    }

    /**
     * Of DMA that passes; the parameters are those of {@link #testAccess}.
     *
     * @param address of its first byte
     */
    public boolean testDma(
            boolean write,
            long address,
            long lengthBytes,
            long value,
            boolean valueKnown,
            CompletionStatus status,
            long nanos,
            long tookNanos,
            int generation) {
        Occurrence occurrence = OCCURRENCES.get();
        occurrence.dma(
                write,
                address,
                lengthBytes,
                value,
                valueKnown,
                status,
                nanos,
                tookNanos,
                generation);
        return node.holds(occurrence);
    }

    /** Of an interrupt that passes. */
    public boolean testInterrupt(InterruptKind kind, long vector, long nanos, int generation) {
        Occurrence occurrence = OCCURRENCES.get();
        occurrence.interrupt(kind.code(), vector, nanos, generation);
        return node.holds(occurrence);
    }

    /** The expression, in one form for all that are written differently and read the same. */
    @Override
    public String toString() {
        return text;
    }

    /** All fields and words with examples, as lines for people. */
    public static List<String> help() {
        List<String> lines = new ArrayList<>();
        lines.add("An expression says of each event whether it is wanted:");
        lines.add("");
        lines.add(
                "  CSTS.RDY == 1                  a field of a register, of an access that has it");
        lines.add("  CC.SHN == NORMAL               a value by its name");
        lines.add("  CC                             an access that touches the register");
        lines.add("  BAR0[0x14] & 0xf0 != 0         by place, where nothing has a name");
        lines.add("  write and not (CFG or took < 1ms)");
        lines.add("");
        lines.add("Fields, compared by == != < <= > >= in, numbers also behind a mask (&):");
        lines.add("");
        for (ConditionField field : ConditionField.values()) {
            if (field.type != ConditionField.Type.HIDDEN) {
                lines.add(row(field.word(), field.example, field.meaning));
            }
        }
        lines.add("");
        lines.add("Words that are conditions by themselves:");
        lines.add("");
        ConditionField.WORDS.forEach((word, meaning) -> {
            if (meaning.field() != ConditionField.KIND || meaning.low() != meaning.high()) {
                lines.add(row(word, "", meaning.meaning()));
            }
        });
        int half = TraceText.KINDS.size() / 2;
        lines.add("  " + String.join(", ", TraceText.KINDS.subList(0, half)) + ",");
        lines.add("  " + String.join(", ", TraceText.KINDS.subList(half, TraceText.KINDS.size())));
        lines.add("");
        lines.add("\"in\" takes a range or a list: offset in 0x1000..0x1fff, vector in (0, 4..7).");
        lines.add(
                "A comparison with what an event does not have never holds, != neither; \"not\" turns");
        lines.add("that round. docs/expressions.md says all.");
        return lines;
    }

    private static String row(String word, String example, String meaning) {
        return String.format(Locale.ROOT, "  %-11s %-26s %s", word, example, meaning);
    }
}
