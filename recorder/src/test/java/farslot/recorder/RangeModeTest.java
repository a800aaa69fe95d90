package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.RangeMode.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RangeModeTest {
    @ParameterizedTest
    @CsvSource({
        "BAR0:0x0-0xfff=flush,  BAR0:0x0-0xfff=flush",
        "bar2:16=count,         BAR2:0x10-0x10=count",
        "CFG=off,               CFG=off",
        "*=flush-remote,        *=flush-remote",
        "ROM:0x10-32=record,    ROM:0x10-0x20=record"
    })
    void shouldReadARangeAndItsMode(String text, String means) throws ConditionException {
        RangeMode range = RangeMode.parse(text);
        assertEquals(means, range.toString());
        assertEquals(range, RangeMode.parse(means));
    }

    @ParameterizedTest
    @CsvSource({
        "BAR0,              5, is followed by \"=\"",
        "BAR9=off,          1, There is no region \"BAR9\"",
        "BAR0:0x=off,       6, is no offset",
        "BAR0:-4=off,       6, is no offset",
        "BAR0:8-4=off,      8, ends before it begins",
        "BAR0:0-4-8=off,    8, is no offset",
        "BAR0:0-4=flsh,    10, did you mean \"flush\"?",
        "=off,              1, There is no region"
    })
    void shouldPointAtWhatIsWrong(String text, int column, String sentence) {
        ConditionException e = assertThrows(ConditionException.class, () -> RangeMode.parse(text));
        assertTrue(e.getMessage().contains(sentence), e.getMessage());
        assertEquals(column, e.column(), e.getMessage());
    }

    @Test
    void shouldTakeTheMostWhereAnAccessTouchesSeveral() throws ConditionException {
        RangeModes modes =
                new RangeModes(
                        List.of(
                                RangeMode.parse("BAR0=off"),
                                RangeMode.parse("BAR0:0x10-0x1f=count"),
                                RangeMode.parse("BAR0:0x14=flush")),
                        MemoryFunction.DESCRIPTION,
                        new ArrayList<>());
        assertEquals(Mode.OFF, modes.of(false, 0, 0, 16));
        assertEquals(Mode.COUNT, modes.of(false, 0, 0xc, 8));
        assertEquals(Mode.FLUSH, modes.of(false, 0, 0x10, 8));
        assertEquals(Mode.FLUSH, modes.of(true, 0, 0, 0x1000));
        assertEquals(Mode.COUNT, modes.of(true, 0, 0x15, 4));
        assertEquals(Mode.RECORD, modes.of(true, 7, 0x15, 4));
    }

    /** The mode of each byte is that of the last range that has it. */
    @Property(tries = 200)
    void eachByteHasTheModeOfTheLastRangeThatHasIt(@ForAll long seed) {
        Random random = new Random(seed);
        List<RangeMode> ranges = new ArrayList<>();
        for (int i = random.nextInt(8); i > 0; i--) {
            long first = random.nextInt(40);
            Mode mode = List.of(Mode.values()).get(random.nextInt(5));
            int region = random.nextInt(3) == 0 ? RangeMode.ALL_REGIONS : 7 * random.nextInt(2);
            ranges.add(new RangeMode(region, first, first + random.nextInt(20), mode));
        }
        RangeModes modes = new RangeModes(ranges, MemoryFunction.DESCRIPTION, new ArrayList<>());
        for (int round = 0; round < 50; round++) {
            int region = 7 * random.nextInt(2);
            int offset = random.nextInt(64);
            int length = 1 + random.nextInt(16);
            Mode most = Mode.OFF;
            for (int at = offset; at < offset + length; at++) {
                Mode here = Mode.RECORD;
                for (RangeMode range : ranges) {
                    boolean has = range.region() == region || range.region() < 0;
                    here = has && range.first() <= at && at <= range.last() ? range.mode() : here;
                }
                most = here.compareTo(most) > 0 ? here : most;
            }
            assertEquals(most, modes.of(false, region, offset, length), ranges + " " + offset);
        }
    }
}
