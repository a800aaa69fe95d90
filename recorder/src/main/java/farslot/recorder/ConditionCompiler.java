package farslot.recorder;

import farslot.recorder.ConditionNames.Named;
import farslot.recorder.Expression.Comparison;
import farslot.recorder.Expression.Literal;
import farslot.recorder.Expression.Range;
import farslot.recorder.Expression.Subject;
import farslot.recorder.Expression.Test;
import farslot.registers.NamedValue;
import farslot.registers.Nearest;
import farslot.registers.RegisterField;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** Gives an {@link Expression} its meaning for one function, whose registers have names. */
final class ConditionCompiler {
    /** The longest bytes of a region that are compared as one number. */
    private static final int MAX_NUMBER_BYTES = 8;

    private final String text;
    private final TraceNames function;
    private final ConditionNames names;
    private final Set<ConditionField> asked = EnumSet.noneOf(ConditionField.class);

    /**
     * @param text that was parsed, for messages
     */
    ConditionCompiler(String text, TraceNames function) {
        this.text = text;
        this.function = function;
        this.names = new ConditionNames(function);
    }

    /** What the compiled expressions ask for; {@link ConditionField#VALUE} for a register's too. */
    Set<ConditionField> asked() {
        return asked;
    }

    ConditionNode compile(Expression expression) throws ConditionException {
        return switch (expression) {
            case Expression.All(List<Expression> parts) -> all(parts);
            case Expression.Any(List<Expression> parts) ->
                    new ConditionNode.Any(countsLast(parts).toArray(ConditionNode[]::new));
            case Expression.Not(Expression part) -> new ConditionNode.Not(compile(part));
            case Test test -> test(test);
        };
    }

    /** What belongs to another function need not be known here. */
    private ConditionNode all(List<Expression> parts) throws ConditionException {
        for (Expression part : parts) {
            boolean other =
                    part instanceof Test test
                            && ConditionField.of(test.subject().name()) == ConditionField.FUNCTION
                            && !test.subject().quoted()
                            && compile(part) instanceof ConditionNode.Constant(boolean holds)
                            && !holds;
            if (other) {
                return new ConditionNode.Constant(false);
            }
        }
        return new ConditionNode.All(countsLast(parts).toArray(ConditionNode[]::new));
    }

    /** A count counts what the rest lets through, wherever it is written. */
    private List<ConditionNode> countsLast(List<Expression> parts) throws ConditionException {
        List<ConditionNode> compiled = new ArrayList<>();
        List<ConditionNode> counts = new ArrayList<>();
        for (Expression part : parts) {
            (counts(part) ? counts : compiled).add(compile(part));
        }
        compiled.addAll(counts);
        return compiled;
    }

    private static boolean counts(Expression expression) {
        return switch (expression) {
            case Expression.All(List<Expression> parts) ->
                    parts.stream().anyMatch(ConditionCompiler::counts);
            case Expression.Any(List<Expression> parts) ->
                    parts.stream().anyMatch(ConditionCompiler::counts);
            case Expression.Not(Expression part) -> counts(part);
            case Test test ->
                    !test.subject().quoted()
                            && ConditionField.of(test.subject().name()) == ConditionField.COUNT;
        };
    }

    private ConditionNode test(Test test) throws ConditionException {
        Subject subject = test.subject();
        if (subject.bytes() != null) {
            return bytes(test);
        }
        if (subject.quoted()) {
            return register(test);
        }
        ConditionField field = ConditionField.of(subject.name());
        if (field != null) {
            return field(field, test);
        }
        ConditionField.Word word = ConditionField.WORDS.get(subject.name());
        if (word == null && ConditionField.isRegion(subject.name())) {
            long region = ConditionField.regions().get(subject.name().toUpperCase(Locale.ROOT));
            word = new ConditionField.Word(ConditionField.REGION, region, region, "");
        }
        if (word == null) {
            return register(test);
        }
        if (test.comparison() != Comparison.HOLDS || test.mask() != null) {
            throw error(
                    subject,
                    "\"" + subject.name() + "\" stands for itself and is compared with nothing.");
        }
        return field(word.field(), -1, ConditionRanges.of(word.low(), word.high()));
    }

    private ConditionNode field(ConditionField field, long mask, ConditionRanges ranges) {
        asked.add(field);
        return new ConditionNode.Field(field, mask, ranges);
    }

    private ConditionNode field(ConditionField field, Test test) throws ConditionException {
        boolean numbers = field.type == ConditionField.Type.NUMBER;
        if (test.mask() != null && !numbers) {
            throw error(test.subject(), field.word() + " takes no mask.");
        }
        if (test.comparison() == Comparison.HOLDS && test.mask() == null) {
            throw error(
                    test.subject(),
                    field.word() + " is to be compared, as in \"" + field.example + "\".");
        }
        return switch (field.type) {
            case NUMBER -> {
                long mask = test.mask() == null ? -1 : mask(test.mask());
                yield field(field, mask, ranges(test, value -> number(value)));
            }
            case TIME -> field(field, -1, ranges(test, value -> ConditionField.nanos(text, value)));
            case COUNT -> {
                asked.add(field);
                yield new ConditionNode.Count(
                        new AtomicLong(), ranges(test, value -> number(value)));
            }
            case NAMES -> {
                only(test, Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.IN);
                yield field(field, -1, ranges(test, value -> field.code(text, value)));
            }
            case FUNCTION -> function(test);
            case REGISTER -> reg(test);
            case TEXT -> text(test);
            case HIDDEN -> throw new IllegalStateException(field + " cannot be written");
        };
    }

    private void only(Test test, Comparison... allowed) throws ConditionException {
        List<Comparison> comparisons = List.of(allowed);
        if (!comparisons.contains(test.comparison())) {
            throw error(
                    test.subject(),
                    test.subject().name()
                            + " can be compared by "
                            + String.join(", ", comparisons.stream().map(c -> c.symbol).toList())
                            + " alone.");
        }
        for (Range range : test.values()) {
            if (!range.single()) {
                throw error(
                        range.from().from(), range.to().to(), "Names have no range between them.");
            }
        }
    }

    /** "function == nvme" is known now: a condition is one function's. */
    private ConditionNode function(Test test) throws ConditionException {
        only(test, Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.IN);
        boolean named =
                test.values().stream().anyMatch(value -> function.isFunction(value.from().text()));
        return new ConditionNode.Constant(named != (test.comparison() == Comparison.NOT_EQUAL));
    }

    /** "reg == CSTS": an access that touches it; "reg != CSTS": one that does not. */
    private ConditionNode reg(Test test) throws ConditionException {
        only(test, Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.IN);
        List<ConditionNode> touched = new ArrayList<>();
        for (Range value : test.values()) {
            Literal name = value.from();
            for (Named named : find(name.text(), name.from(), name.to())) {
                if (!named.whole()) {
                    throw error(
                            name.from(),
                            name.to(),
                            "\""
                                    + name.text()
                                    + "\" is a field; ask for it as in \""
                                    + name.text()
                                    + " == 1\".");
                }
                touched.add(touches(named));
            }
        }
        ConditionNode any = new ConditionNode.Any(touched.toArray(ConditionNode[]::new));
        if (test.comparison() != Comparison.NOT_EQUAL) {
            return any;
        }
        ConditionField.Word access = ConditionField.WORDS.get("access");
        return new ConditionNode.All(
                field(access.field(), -1, ConditionRanges.of(access.low(), access.high())),
                new ConditionNode.Not(any));
    }

    private static ConditionNode touches(Named named) {
        return new ConditionNode.Touches(named.region(), named.register(), named.element());
    }

    private ConditionNode text(Test test) throws ConditionException {
        only(test, Comparison.EQUAL, Comparison.NOT_EQUAL, Comparison.CONTAINS);
        String wanted = test.values().getFirst().from().text();
        ConditionNode same =
                new ConditionNode.Text(wanted, test.comparison() == Comparison.CONTAINS);
        return test.comparison() == Comparison.NOT_EQUAL
                ? new ConditionNode.All(
                        new ConditionNode.Text("", true), new ConditionNode.Not(same))
                : same;
    }

    private List<Named> find(String name, int from, int to) throws ConditionException {
        List<String> words = new ArrayList<>(ConditionField.allWords());
        words.addAll(ConditionField.WORDS.keySet());
        words.addAll(ConditionField.regions().keySet());
        try {
            return names.find(name, words);
        } catch (ConditionNames.UnknownNameException e) {
            throw error(from, to, e.getMessage());
        }
    }

    /** "CSTS", "CSTS.RDY", "CSTS.RDY == 1", "CC &amp; 0xf0 != 0". */
    private ConditionNode register(Test test) throws ConditionException {
        Subject subject = test.subject();
        List<ConditionNode> any = new ArrayList<>();
        for (Named named : find(subject.name(), subject.from(), subject.to())) {
            boolean alone = test.comparison() == Comparison.HOLDS && test.mask() == null;
            any.add(alone && named.whole() ? touches(named) : bits(test, named));
        }
        return any.size() == 1
                ? any.getFirst()
                : new ConditionNode.Any(any.toArray(ConditionNode[]::new));
    }

    private ConditionNode bits(Test test, Named named) throws ConditionException {
        RegisterField field = named.field();
        long mask = test.mask() == null ? -1 : mask(test.mask());
        boolean signed = test.mask() == null && field.type() == farslot.registers.FieldType.INT;
        ConditionNode.BitsOf bits = ConditionNode.BitsOf.of(field, named.low(), mask, signed);
        if (mask != -1 && bits.add() != 0) {
            throw error(
                    test.mask().from(),
                    test.mask().to(),
                    "A mask means nothing of \""
                            + test.subject().name()
                            + "\", which is shown with "
                            + bits.add()
                            + " added; name it without one, or mask its bytes, as in BAR0[0x14].");
        }
        if (mask != -1 && (mask & bits.most()) == 0) {
            throw error(
                    test.mask().from(),
                    test.mask().to(),
                    "The mask lets nothing of \""
                            + test.subject().name()
                            + "\" through, which has "
                            + bits(field)
                            + ".");
        }
        ConditionRanges ranges =
                test.comparison() == Comparison.HOLDS
                        ? nonZero(signed)
                        : ranges(test, value -> fieldValue(test, bits, field, value));
        asked.add(ConditionField.VALUE);
        return new ConditionNode.Bits(
                named.region(), named.register(), named.element(), bits, ranges);
    }

    private static ConditionRanges nonZero(boolean signed) {
        return ConditionRanges.of(Comparison.NOT_EQUAL, signed ? Long.MIN_VALUE : 0);
    }

    private long fieldValue(
            Test test, ConditionNode.BitsOf bits, RegisterField field, Literal value)
            throws ConditionException {
        if (value.kind() != Literal.Kind.NUMBER) {
            return (named(field, value) << field.shift()) + bits.add();
        }
        if (bits.signed()) {
            return ConditionField.signed(text, value) ^ Long.MIN_VALUE;
        }
        long number = number(value);
        boolean exact =
                test.comparison() == Comparison.EQUAL || test.comparison() == Comparison.NOT_EQUAL;
        if (exact && (number - bits.add() & ~bits.most()) != 0) {
            throw error(
                    value.from(),
                    value.to(),
                    value.text()
                            + " is no value of \""
                            + test.subject().name()
                            + "\", which has "
                            + bits(field)
                            + added(bits.add())
                            + ".");
        }
        return number;
    }

    private static String added(long add) {
        return add == 0 ? "" : ", and is shown with " + add + " added";
    }

    private static String bits(RegisterField field) {
        return field.widthBits() == 1 ? "1 bit" : field.widthBits() + " bits";
    }

    private long named(RegisterField field, Literal value) throws ConditionException {
        for (NamedValue named : field.values()) {
            if (named.name().equals(value.text())) {
                return named.value();
            }
        }
        for (NamedValue named : field.values()) {
            if (named.name().equalsIgnoreCase(value.text())) {
                return named.value();
            }
        }
        List<String> known = field.values().stream().map(NamedValue::name).toList();
        throw error(
                value.from(),
                value.to(),
                "\""
                        + value.text()
                        + "\" is no value of "
                        + field.name()
                        + Nearest.questionOrAll(value.text().toUpperCase(Locale.ROOT), known));
    }

    /** "BAR0[0x14]" touches it; "BAR0[0x14..0x17] == 1" has these bytes as a number. */
    private ConditionNode bytes(Test test) throws ConditionException {
        Subject subject = test.subject();
        int region =
                ConditionField.regions().get(subject.name().toUpperCase(Locale.ROOT)).intValue();
        long first = number(subject.bytes().from());
        long last = number(subject.bytes().to());
        checkOrder(subject.bytes(), first, last);
        if (test.comparison() == Comparison.HOLDS && test.mask() == null) {
            return new ConditionNode.All(
                    field(ConditionField.REGION, -1, ConditionRanges.of(region, region)),
                    field(ConditionField.BYTES, -1, ConditionRanges.of(first, last)));
        }
        if (last - first >= MAX_NUMBER_BYTES || last - first < 0) {
            throw error(
                    subject, "At most " + MAX_NUMBER_BYTES + " bytes are compared as one number.");
        }
        long mask = test.mask() == null ? -1 : mask(test.mask());
        ConditionRanges ranges =
                test.comparison() == Comparison.HOLDS
                        ? ConditionRanges.NOT_ZERO
                        : ranges(test, value -> number(value));
        asked.add(ConditionField.VALUE);
        int width = (int) (last - first + 1) * Byte.SIZE;
        if (!subject.bytes().single()) {
            return new ConditionNode.Bytes(
                    region, first, new ConditionNode.BitsOf(0, width, 0, 0, false, mask), ranges);
        }
        ConditionField place =
                region == ConditionField.MEMORY ? ConditionField.ADDRESS : ConditionField.OFFSET;
        return new ConditionNode.All(
                field(ConditionField.REGION, -1, ConditionRanges.of(region, region)),
                field(place, -1, ConditionRanges.of(first, first)),
                field(ConditionField.VALUE, mask, ranges));
    }

    private interface Reading {
        long of(Literal literal) throws ConditionException;
    }

    private ConditionRanges ranges(Test test, Reading reading) throws ConditionException {
        if (test.comparison() == Comparison.HOLDS) {
            return ConditionRanges.NOT_ZERO;
        }
        if (test.comparison() == Comparison.CONTAINS) {
            throw error(test.subject(), "\"~\" is of text alone, as in text ~ \"mount\".");
        }
        if (test.comparison() != Comparison.IN) {
            long value = reading.of(test.values().getFirst().from());
            return ConditionRanges.of(test.comparison(), value);
        }
        List<long[]> ranges = new ArrayList<>();
        for (Range range : test.values()) {
            long from = reading.of(range.from());
            long to = range.single() ? from : reading.of(range.to());
            checkOrder(range, from, to);
            ranges.add(new long[] {from, to});
        }
        return ConditionRanges.of(ranges);
    }

    private void checkOrder(Range range, long from, long to) throws ConditionException {
        if (Long.compareUnsigned(from, to) > 0) {
            throw error(
                    range.from().from(),
                    range.to().to(),
                    "Nothing is in this range: it begins above its end.");
        }
    }

    private long number(Literal literal) throws ConditionException {
        return ConditionField.number(text, literal);
    }

    private long mask(Literal literal) throws ConditionException {
        long mask = number(literal);
        if (mask == 0) {
            throw error(literal.from(), literal.to(), "The mask 0 lets nothing through.");
        }
        return mask;
    }

    private ConditionException error(Subject subject, String sentence) {
        return error(subject.from(), subject.to(), sentence);
    }

    private ConditionException error(int from, int to, String sentence) {
        return ConditionException.at(text, from, to, sentence);
    }
}
