package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.registers.RegisterMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConditionParserTest {
    private static ConditionException refused(String expression) {
        return assertThrows(
                ConditionException.class, () -> Condition.of(expression, ConditionSamples.NAMES));
    }

    @Test
    void shouldShowThePlaceUnderTheLine() {
        assertEquals(
                """
                Register CSTS has no field "RDX"; did you mean "RDY"?
                  write or CSTS.RDX == 1
                           ^^^^^^^^\
                """,
                refused("write or CSTS.RDX == 1").getMessage());
    }

    @Test
    void shouldNameTheLineOfSeveral() {
        ConditionException e = refused("write and\n  valu == 1 and\nread");
        assertEquals(
                """
                There is no register or word "valu"; did you mean "value"?
                line 2:   valu == 1 and
                          ^^^^\
                """,
                e.getMessage());
        assertEquals(2, e.line());
        assertEquals(3, e.column());
    }

    @Test
    void shouldShowOnlySomeOfALongLineAndNothingThatCommandsATerminal() {
        ConditionException e = refused("write or ".repeat(100) + "\u001b[31m");
        List<String> lines = e.getMessage().lines().toList();
        assertEquals("\"\\u001b\" means nothing here.", lines.get(0));
        assertTrue(lines.get(1).length() < 130, lines.get(1));
        assertEquals(lines.get(1).indexOf('?'), lines.get(2).indexOf('^'));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '$',
            quoteCharacter = '`',
            textBlock =
                    """
                    ``                   $ A name to ask about, as in CSTS.RDY == 1, is missing before the end.
                    write and            $ A name to ask about, as in CSTS.RDY == 1, is missing before the end.
                    (write               $ ")" is missing before the end.
                    write)               $ "and", "or" or the end is missing before ")".
                    write read           $ "and", "or" or the end is missing before "read".
                    write && read        $ "&&" means nothing here; write "and".
                    write || read        $ "||" means nothing here; write "or".
                    !write               $ "!" means nothing here; write "not".
                    value = 1            $ "=" means nothing here; write "==".
                    value ==             $ A value is missing before the end.
                    value == "1          $ This quote has no end.
                    value == 1x          $ "1x" is no size: K, M and G are.
                    value == 0x          $ "0x" is no size: K, M and G are.
                    value == -1          $ "-1" is negative.
                    value == 1.5         $ "1.5" is no whole number.
                    value == ten         $ "ten" is no number: 28, 0x1c, 0b11100 and 4K are.
                    value == 0x1ffffffffffffffff $ "0x1ffffffffffffffff" is larger than 64 bits.
                    value & write        $ A mask is a number, as in value & 0xff.
                    value & 0 == 0       $ The mask 0 lets nothing through.
                    value                $ value is to be compared, as in "value & 0xff == 0x10".
                    value in 5..4        $ Nothing is in this range: it begins above its end.
                    value in (1, 2       $ ")" is missing before the end.
                    value ~ 1            $ "~" is of text alone, as in text ~ "mount".
                    took > 5             $ "5" is no time: 100ns, 3us, 1.5ms, 2s and 1min are.
                    took & 1 == 1        $ took takes no mask.
                    kind > read          $ kind can be compared by ==, !=, in alone.
                    kind in read..irq    $ Names have no range between them.
                    kind == raed         $ "raed" is no kind; did you mean "read"?
                    status == timedout   $ "timedout" is no status; did you mean "timed-out"?
                    region == BAR7       $ "BAR7" is no region; did you mean "BAR0"?
                    write == 1           $ "write" stands for itself and is compared with nothing.
                    reg == CST           $ There is no register or word "CST"; did you mean "CSTS"?
                    reg == CSTS.RDY      $ "CSTS.RDY" is a field; ask for it as in "CSTS.RDY == 1".
                    reg == 5             $ There is no register or word "5".
                    CSTS.RDY == 2        $ 2 is no value of "CSTS.RDY", which has 1 bit.
                    CSTS.RDY & 2 == 2    $ The mask lets nothing of "CSTS.RDY" through, which has 1 bit.
                    CC.CSS == NVN        $ "NVN" is no value of CSS; did you mean "NVM"?
                    CC.CSS.X == 1        $ Field CC.CSS has no field "X"; there are none.
                    SQ4TDBL              $ There is no register or word "SQ4TDBL"; did you mean "SQTDBL"?
                    CACHE[8].PUT[0]      $ There is no register or word "CACHE[8].PUT[0]".
                    BAR0[0..8] == 1      $ At most 8 bytes are compared as one number.
                    BAR0[5..4]           $ Nothing is in this range: it begins above its end.
                    BAR0[0x14            $ "]" is missing before the end.
                    time > 1..2s         $ "and", "or" or the end is missing before "..".
                    """)
    void shouldSayWhatIsWrong(String expression, String sentence) {
        assertEquals(sentence, refused(expression).sentence());
    }

    @Test
    void shouldAskForARegionWhereTwoHaveTheName() {
        assertEquals(
                "There is a STATUS in BAR0 and in CFG; write BAR0.STATUS or another.",
                refused("STATUS == 1").sentence());
    }

    @Test
    void shouldSayThatNobodyNamedTheRegisters() {
        TraceNames nameless = TraceNames.of(TraceDescription.UNKNOWN, RegisterMap.EMPTY);
        ConditionException e =
                assertThrows(
                        ConditionException.class, () -> Condition.of("BAR0.CSTS == 1", nameless));
        assertEquals(
                "There is no register or word \"BAR0.CSTS\"; no register map names this"
                        + " function's, so ask by place: BAR0[0x14].",
                e.sentence());
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "not ", "not(", "value in ((", "BAR0[", "a[1].b"})
    void shouldRefuseDeepNestingInASentence(String piece) {
        String deep = piece.repeat(ConditionParser.MAX_LENGTH / piece.length());
        assertTrue(refused(deep).sentence().endsWith("."));
        assertTrue(refused(deep + "xxxxxxxxxx").sentence().endsWith("characters."));
    }

    @Test
    void shouldTakeLongLists() throws ConditionException {
        Condition condition =
                Condition.of("write or ".repeat(5000) + "read", ConditionSamples.NAMES);
        assertTrue(condition.test(ConditionSamples.read(0, 4, 0)));
    }

    @Test
    void shouldPrintInOneForm() throws ConditionException {
        assertEquals(
                "not (read or write) and value & 0xff in (1, 3..5) and \"x y\" == \"a\\\"b\"",
                ConditionParser.parse(
                                "not(read or write)and(value&0xff in (1,3..5))"
                                        + " and 'x y'=='a\"b'")
                        .toString());
        assertEquals(
                "(write and read) and BAR0[0x10..0x1f] or CACHE[3].PUT[1] >= 5",
                ConditionParser.parse(
                                "((write and read) and BAR0[ 0x10 .. 0x1f ])"
                                        + " or CACHE[0x3].PUT[1]>=5")
                        .toString());
    }
}
