package farslot.recorder;

import static farslot.recorder.ConditionSamples.condition;
import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.CompletionStatus;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ConditionPropertyTest {
    private static final List<String> TESTS =
            List.of(
                    "read",
                    "write",
                    "access",
                    "dma",
                    "failed",
                    "under-way",
                    "BAR0",
                    "CFG or MEM",
                    "CC",
                    "reg != CC",
                    "SQTDBL",
                    "CC.EN",
                    "CC.EN == 0",
                    "CC.CSS != NVM",
                    "CC.TRIM < -1",
                    "CC & 0xff00 in 0x100..0x7fff",
                    "CSTS.SHST in (NORMAL, COMPLETE)",
                    "CAP.DSTRD > 1",
                    "CQHDBL >= 0x80000000",
                    "BAR0[0x14..0x18]",
                    "BAR0[0x14] < 0x100",
                    "BAR0[0x13..0x15] & 0x101 != 0",
                    "MEM[0x1010]",
                    "offset in (0x10..0x17, 0x1c)",
                    "length != 4",
                    "width == 4",
                    "direction == write",
                    "value & 0xf0 == 0x10",
                    "value > 0x7fffffff",
                    "status in (success, timed-out)",
                    "address <= 0x1010",
                    "took > 1us",
                    "time < 1ms",
                    "generation == 2",
                    "vector == 1",
                    "text ~ \"a\"",
                    "\"value\" == 1");

    @Provide
    Arbitrary<String> expressions() {
        return expressions(3);
    }

    private static Arbitrary<String> expressions(int depth) {
        Arbitrary<String> tests = Arbitraries.of(TESTS).map(test -> "(" + test + ")");
        if (depth == 0) {
            return tests;
        }
        Arbitrary<String> inner = expressions(depth - 1);
        Arbitrary<List<String>> parts = inner.list().ofMinSize(2).ofMaxSize(3);
        return Arbitraries.oneOf(
                tests,
                inner.map(part -> "not " + part),
                parts.map(list -> "(" + String.join(" and ", list) + ")"),
                parts.map(list -> "(" + String.join(" or ", list) + ")"));
    }

    /** An access or DMA, as it passes. */
    record Passing(
            boolean dma,
            boolean write,
            int region,
            long offset,
            int length,
            long value,
            long enables,
            CompletionStatus status,
            long nanos,
            long took) {
        private boolean known() {
            return write || (status != null && status.isSuccess());
        }

        TraceEvent event() {
            TraceEvent.Stamp stamp = new TraceEvent.Stamp(0, nanos, took, 1, status == null);
            TraceEvent.Data data =
                    known()
                            ? ((TraceEvent.Access) ConditionSamples.read(0, length, value)).data()
                            : new TraceEvent.Data(length, new byte[0], null);
            return dma
                    ? new TraceEvent.Dma(stamp, write, offset, status, data)
                    : new TraceEvent.Access(stamp, write, region, offset, 4, enables, status, data);
        }

        boolean passes(Condition condition) {
            return dma
                    ? condition.testDma(
                            write, offset, length, value, known(), status, nanos, took, 1)
                    : condition.testAccess(
                            write, region, offset, length, 4, value, known(), enables, status,
                            nanos, took, 1);
        }
    }

    @Provide
    Arbitrary<Passing> events() {
        Arbitrary<CompletionStatus> status = Arbitraries.of(CompletionStatus.class).injectNull(0.2);
        return Combinators.combine(
                        Arbitraries.of(false, false, true),
                        Arbitraries.of(true, false),
                        Arbitraries.of(0, 0, 0, 2, 7),
                        Arbitraries.oneOf(
                                Arbitraries.longs().between(0, 0x28),
                                Arbitraries.longs().between(0xff8, 0x1028)),
                        Arbitraries.of(1, 2, 3, 4, 4, 8, 16),
                        Arbitraries.oneOf(
                                Arbitraries.longs(), Arbitraries.longs().between(0, 0xff)),
                        Arbitraries.of(-1L, -1L, 0b0101L),
                        status)
                .as((dma, write, region, offset, length, value, enables, end) ->
                        new Passing(
                                dma,
                                write,
                                region,
                                offset,
                                length,
                                value,
                                enables,
                                end,
                                value & 0x1f_ffff,
                                end == null ? 0 : offset * 100));
    }

    @Property(tries = 300)
    void bothFormsMeanTheSame(
            @ForAll("expressions") String expression, @ForAll("events") Passing passing) {
        assertEquals(
                condition(expression).test(passing.event()), passing.passes(condition(expression)));
    }

    @Property(tries = 300)
    void whatIsPrintedIsReadAsTheSame(
            @ForAll("expressions") String expression, @ForAll("events") Passing passing)
            throws ConditionException {
        String printed = ConditionParser.parse(expression).toString();
        assertEquals(printed, ConditionParser.parse(printed).toString());
        assertEquals(
                condition(expression).test(passing.event()),
                condition(printed).test(passing.event()));
    }

    @Property(tries = 300)
    void notTurnsAndAndOrRound(
            @ForAll("expressions") String a,
            @ForAll("expressions") String b,
            @ForAll("events") Passing passing) {
        TraceEvent event = passing.event();
        boolean first = condition(a).test(event);
        boolean second = condition(b).test(event);
        assertEquals(first && second, condition(a + " and " + b).test(event));
        assertEquals(first || second, condition(a + " or " + b).test(event));
        assertEquals(!(first && second), condition("not " + a + " or not " + b).test(event));
        assertEquals(!(first || second), condition("not " + a + " and not " + b).test(event));
    }

    /** Each comparison says what arithmetic says, of a value that is there. */
    @Property(tries = 300)
    void comparisonsAreThoseOfUnsignedNumbers(
            @ForAll long value, @ForAll long other, @ForAll long mask) {
        TraceEvent event = ConditionSamples.read(0x3000, 8, value);
        String number = " 0x" + Long.toHexString(other);
        int order = Long.compareUnsigned(value, other);
        assertEquals(order == 0, condition("value ==" + number).test(event));
        assertEquals(order != 0, condition("value !=" + number).test(event));
        assertEquals(order < 0, condition("value <" + number).test(event));
        assertEquals(order <= 0, condition("value <=" + number).test(event));
        assertEquals(order > 0, condition("value >" + number).test(event));
        assertEquals(order >= 0, condition("value >=" + number).test(event));
        if (mask != 0) {
            String masked = "value & 0x" + Long.toHexString(mask);
            assertEquals(
                    (value & mask) == (other & mask),
                    condition(masked + " == 0x" + Long.toHexString(other & mask)).test(event));
            assertEquals((value & mask) != 0, condition(masked).test(event));
        }
    }

    /** The bits of a field are found wherever an access begins that has all of them. */
    @Property(tries = 300)
    void aFieldIsWhatTheRegistersBitsAre(@ForAll("events") Passing passing) {
        for (int shst = 0; shst < 4; shst++) {
            long at = 0x1c - passing.offset;
            boolean has =
                    !passing.dma
                            && passing.region == 0
                            && passing.known()
                            && at >= 0
                            && at < Math.min(8, passing.length)
                            && (!passing.write || (passing.enables >>> at & 1) != 0);
            boolean expected = has && (passing.value >>> (at * 8 + 2) & 3) == shst;
            String expression = "CSTS.SHST == " + shst;
            assertEquals(expected, condition(expression).test(passing.event()), expression);
        }
    }
}
