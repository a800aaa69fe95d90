package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.recorder.Expression.Literal;
import farslot.registers.Nearest;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a condition can ask of every event, besides registers by their name. In the order of {@code
 * --where help}.
 */
enum ConditionField {
    KIND(Type.NAMES, "kind in (read, write)", "the kind of event, or by itself: \"write\""),
    FUNCTION(Type.FUNCTION, "function == nvme", "what was recorded, by its kind or its name"),
    REGION(Type.NAMES, "region == BAR0", "BAR0 to BAR5, ROM, CFG; MEM, the driver's memory"),
    REG(Type.REGISTER, "reg == CSTS", "an access that touches this register"),
    OFFSET(Type.NUMBER, "offset in 0x1000..0x1fff", "an access's first byte within its region"),
    LENGTH(Type.NUMBER, "length > 4K", "of an access, DMA or map, in bytes"),
    WIDTH(Type.NUMBER, "width == 8", "an access's width hint in bytes; 0 for none"),
    DIRECTION(Type.NAMES, "direction == write", "read or write, of accesses and of DMA"),
    VALUE(
            Type.NUMBER,
            "value & 0xff == 0x10",
            "what was moved: its first up to 8 bytes, little-endian"),
    STATUS(Type.NAMES, "status == timed-out", "how an access, DMA, reset or unmap ended"),
    ADDRESS(Type.NUMBER, "address >= 0x10000", "of DMA and of maps: the first byte"),
    INTERRUPT(Type.NAMES, "interrupt == MSIX", "INTX, MSI or MSIX"),
    VECTOR(Type.NUMBER, "vector in 1..4", "of an interrupt; of irq-ctl, any of its vectors"),
    ACTION(Type.NAMES, "action == unmask", "of irq-ctl: enable, disable, mask or unmask"),
    TOOK(Type.TIME, "took > 1ms", "from an event's beginning to its end"),
    TIME(Type.TIME, "time > 1.5s", "since the trace began"),
    TEXT(Type.TEXT, "text ~ \"mount\"", "of a mark, event, lease or setting; ~: contains"),
    GENERATION(Type.NUMBER, "generation == 2", "of the function; a reset begins the next"),
    NUMBER(Type.NUMBER, "number >= 1000", "the event's number in the trace"),
    EPOCH(Type.NUMBER, "epoch == 3", "of the lease under which it happened"),
    PC(Type.NUMBER, "pc in 0x1000..0x1fff", "the driver's instruction, where it is known"),
    COUNT(
            Type.COUNT,
            "CSTS and count >= 100",
            "how many events the rest of its \"and\" held for, this one included"),

    // What has no name of its own: asked by the words of WORDS, and by "BAR0[0x14]".

    UNDER_WAY(Type.HIDDEN, "", ""),
    VERIFICATION(Type.HIDDEN, "", ""),
    BYTES(Type.HIDDEN, "", "");

    /** What a field is compared with. */
    enum Type {
        NUMBER,
        /** In nanoseconds; written with a unit. */
        TIME,
        NAMES,
        TEXT,
        REGISTER,
        FUNCTION,
        COUNT,
        HIDDEN
    }

    /** The driver's memory, where others have a region. */
    static final int MEMORY = 0x100;

    static final long READING = 1;
    static final long WRITING = 2;

    /** Each word that is a condition by itself: which values of which field it stands for. */
    static final Map<String, Word> WORDS = words();

    /**
     * A word that is a condition by itself.
     *
     * @param low the field's smallest value that it stands for
     * @param high the largest
     */
    record Word(ConditionField field, long low, long high, String meaning) {}

    private static final Pattern NUMERAL =
            Pattern.compile(
                    "(?<sign>-?)(?:0[xX](?<hex>[0-9a-fA-F_]+)|0[bB](?<binary>[01_]+)"
                            + "|(?<decimal>[0-9][0-9_]*)(?<fraction>[.][0-9]+)?)"
                            + "(?<unit>[a-zA-Zµ]*)");
    private static final int MAX_DIGITS = 80;
    private static final Map<String, Long> SIZES =
            Map.of(
                    "", 1L, "K", 1L << 10, "KiB", 1L << 10, "M", 1L << 20, "MiB", 1L << 20, "G",
                    1L << 30, "GiB", 1L << 30);
    private static final Map<String, Long> TIMES =
            Map.of(
                    "ns",
                    1L,
                    "us",
                    1_000L,
                    "µs",
                    1_000L,
                    "ms",
                    1_000_000L,
                    "s",
                    1_000_000_000L,
                    "min",
                    60_000_000_000L);

    final Type type;
    final String example;
    final String meaning;

    ConditionField(Type type, String example, String meaning) {
        this.type = type;
        this.example = example;
        this.meaning = meaning;
    }

    /** As it is written. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The field that is written so, or null. */
    static ConditionField of(String word) {
        for (ConditionField field : values()) {
            if (field.type != Type.HIDDEN && field.word().equals(word)) {
                return field;
            }
        }
        return null;
    }

    static List<String> allWords() {
        return Arrays.stream(values())
                .filter(field -> field.type != Type.HIDDEN)
                .map(ConditionField::word)
                .toList();
    }

    static boolean isRegion(String name) {
        return regions().containsKey(name.toUpperCase(Locale.ROOT));
    }

    /** Of a field whose values have names: each by its name. */
    Map<String, Long> codes() {
        return switch (this) {
            case KIND -> kinds();
            case REGION -> regions();
            case DIRECTION -> Map.of("read", READING, "write", WRITING);
            case STATUS -> named(CompletionStatus.values(), CompletionStatus::code);
            case INTERRUPT ->
                    Map.of(
                            "INTX", (long) InterruptKind.INTX.code(),
                            "MSI", (long) InterruptKind.MSI.code(),
                            "MSIX", (long) InterruptKind.MSIX.code());
            case ACTION -> named(InterruptAction.values(), InterruptAction::code);
            default -> throw new IllegalStateException(this + " has no names");
        };
    }

    /** The number of a kind of event, from 1. */
    static int kindCode(String kind) {
        return TraceText.KINDS.indexOf(kind) + 1;
    }

    private static Map<String, Long> kinds() {
        Map<String, Long> codes = new LinkedHashMap<>();
        TraceText.KINDS.forEach(kind -> codes.put(kind, (long) kindCode(kind)));
        return codes;
    }

    static Map<String, Long> regions() {
        Map<String, Long> codes = new LinkedHashMap<>();
        for (long bar = 0; bar < Region.ROM; bar++) {
            codes.put("BAR" + bar, bar);
        }
        codes.put("ROM", (long) Region.ROM);
        codes.put("CFG", (long) Region.CONFIGURATION);
        codes.put("MEM", (long) MEMORY);
        return codes;
    }

    private static <E extends Enum<E>> Map<String, Long> named(E[] values, ToLongFunction<E> code) {
        Map<String, Long> codes = new LinkedHashMap<>();
        for (E value : values) {
            codes.put(Expression.normal(value.name()), code.applyAsLong(value));
        }
        return codes;
    }

    private static Map<String, Word> words() {
        Map<String, Word> words = new LinkedHashMap<>();
        for (String kind : TraceText.KINDS) {
            long code = kindCode(kind);
            words.put(kind, new Word(KIND, code, code, "events of this kind"));
        }
        long read = kindCode("read");
        long dma = kindCode("dma-read");
        words.put("access", new Word(KIND, read, read + 1, "read or write"));
        words.put("dma", new Word(KIND, dma, dma + 1, "dma-read or dma-write"));
        words.put("failed", new Word(STATUS, 1, -1, "any status but success"));
        words.put("under-way", new Word(UNDER_WAY, 1, 1, "begun, and its end was not recorded"));
        words.put("unsealed", new Word(VERIFICATION, 1, 1, "of a block that has no seal yet"));
        words.put("damaged", new Word(VERIFICATION, 2, 2, "of a block that is damaged"));
        return words;
    }

    /** The value of a number without a unit of time; sizes may have K, M or G. */
    static long number(String text, Literal literal) throws ConditionException {
        BigInteger number = numeral(text, literal, SIZES, "is no size: K, M and G are");
        if (number.signum() < 0) {
            throw error(text, literal, "is negative");
        }
        return number.longValue();
    }

    /** A number that may be negative. */
    static long signed(String text, Literal literal) throws ConditionException {
        return numeral(text, literal, SIZES, "is no size: K, M and G are").longValue();
    }

    /** A time in nanoseconds. */
    static long nanos(String text, Literal literal) throws ConditionException {
        String wrong = "is no time: 100ns, 3us, 1.5ms, 2s and 1min are";
        BigInteger nanos = numeral(text, literal, TIMES, wrong);
        if (nanos.signum() < 0) {
            throw error(text, literal, wrong);
        }
        return nanos.longValue();
    }

    private static BigInteger numeral(
            String text, Literal literal, Map<String, Long> units, String wrongUnit)
            throws ConditionException {
        String written = literal.text();
        Matcher numeral = NUMERAL.matcher(written);
        if (literal.kind() != Literal.Kind.NUMBER
                || written.length() > MAX_DIGITS
                || !numeral.matches()) {
            throw error(text, literal, "is no number: 28, 0x1c, 0b11100 and 4K are");
        }
        String unit = numeral.group("unit");
        Long factor = units.get(unit);
        if (factor == null) {
            throw error(text, literal, wrongUnit);
        }
        try {
            BigInteger value =
                    decimal(numeral).multiply(BigDecimal.valueOf(factor)).toBigIntegerExact();
            if (value.bitLength() > Long.SIZE) {
                throw error(text, literal, "is larger than 64 bits");
            }
            return numeral.group("sign").isEmpty() ? value : value.negate();
        } catch (ArithmeticException | NumberFormatException e) {
            throw error(text, literal, "is no whole number");
        }
    }

    /** What is written, without sign and unit. */
    private static BigDecimal decimal(Matcher numeral) {
        if (numeral.group("hex") != null) {
            return new BigDecimal(new BigInteger(digits(numeral.group("hex")), 16));
        }
        if (numeral.group("binary") != null) {
            return new BigDecimal(new BigInteger(digits(numeral.group("binary")), 2));
        }
        String fraction = numeral.group("fraction");
        return new BigDecimal(
                digits(numeral.group("decimal")) + (fraction == null ? "" : fraction));
    }

    private static String digits(String grouped) {
        return grouped.replace("_", "");
    }

    /** The number behind one of the names of a field, whatever its case. */
    long code(String text, Literal literal) throws ConditionException {
        Map<String, Long> codes = codes();
        String wanted = Expression.normal(literal.text());
        for (Map.Entry<String, Long> entry : codes.entrySet()) {
            if (Expression.normal(entry.getKey()).equals(wanted)) {
                return entry.getValue();
            }
        }
        boolean capitals = this == REGION || this == INTERRUPT;
        String written = capitals ? wanted.toUpperCase(Locale.ROOT) : wanted;
        String near = Nearest.questionOrAll(written, codes.keySet());
        throw error(text, literal, "is no " + word() + near, "");
    }

    private static ConditionException error(String text, Literal literal, String what) {
        return error(text, literal, what, ".");
    }

    private static ConditionException error(String text, Literal literal, String what, String end) {
        return ConditionException.at(
                text, literal.from(), literal.to(), "\"" + literal.text() + "\" " + what + end);
    }
}
