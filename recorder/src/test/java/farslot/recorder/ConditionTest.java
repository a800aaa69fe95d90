package farslot.recorder;

import static farslot.recorder.ConditionSamples.access;
import static farslot.recorder.ConditionSamples.condition;
import static farslot.recorder.ConditionSamples.dma;
import static farslot.recorder.ConditionSamples.failedRead;
import static farslot.recorder.ConditionSamples.interrupt;
import static farslot.recorder.ConditionSamples.mark;
import static farslot.recorder.ConditionSamples.masked;
import static farslot.recorder.ConditionSamples.read;
import static farslot.recorder.ConditionSamples.readUnderWay;
import static farslot.recorder.ConditionSamples.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.registers.RegisterMapLoader;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ConditionTest {
    private static void holds(String expression, TraceEvent event) {
        assertTrue(condition(expression).test(event), expression + " of " + event);
    }

    private static void fails(String expression, TraceEvent event) {
        assertFalse(condition(expression).test(event), expression + " of " + event);
    }

    @Test
    void shouldNameKindsByThemselves() {
        holds("read", read(0, 4, 0));
        fails("write", read(0, 4, 0));
        holds("dma-write", dma(true, 0, 4, 0));
        holds("dma", dma(true, 0, 4, 0));
        fails("dma", read(0, 4, 0));
        holds("access", write(0, 4, 0));
        holds("kind in (irq, mark)", interrupt(0));
        holds("kind == irq-ctl", masked(0, 1));
        holds("direction == write", dma(true, 0, 4, 0));
        holds("direction == read", read(0, 4, 0));
        fails("direction == read", interrupt(0));
    }

    @Test
    void shouldFollowPrecedenceAndParentheses() {
        holds("read or write and CFG", read(0, 4, 0));
        fails("(read or write) and CFG", read(0, 4, 0));
        holds("not write and BAR0", read(0, 4, 0));
        fails("not (write or BAR0)", read(0, 4, 0));
        holds("not not read", read(0, 4, 0));
    }

    @Test
    void shouldAskForPlaces() {
        TraceEvent event = write(0x14, 4, 1);
        holds("region == BAR0", event);
        holds("BAR0", event);
        holds("bar0", event);
        fails("CFG", event);
        holds("CFG", access(true, Region.CONFIGURATION, 4, 2, 0, -1));
        holds("offset == 20", event);
        holds("offset in 0x10..0x1f", event);
        fails("offset in (0x10..0x13, 0x15..0x20)", event);
        holds("BAR0[0x17]", event);
        fails("BAR0[0x18]", event);
        holds("BAR0[0..0x14]", event);
        holds("BAR0[0x14] == 1", event);
        fails("BAR0[0x16] == 0", event);
        holds("BAR0[0x16..0x17] == 0", event);
        fails("BAR0[0x16..0x18] == 0", event);
        holds("length == 4 and width == 4", event);
        holds("MEM[0x1fff]", dma(false, 0x1000, 4096, 0));
        fails("MEM[0x2000]", dma(false, 0x1000, 4096, 0));
        holds("address >= 4K and length >= 4K", dma(false, 0x1000, 4096, 0));
        fails("address != 5", event);
    }

    @Test
    void shouldAskForRegistersThatAnAccessTouches() {
        holds("CC", write(0x14, 4, 0));
        holds("reg == CC", read(0x17, 1, 0));
        holds("CC", read(0x10, 8, 0));
        fails("CC", read(0x18, 4, 0));
        holds("reg != CC", read(0x18, 4, 0));
        fails("reg != CC", interrupt(0));
        holds("reg in (CSTS, CC)", read(0x1c, 4, 0));
        holds("SQTDBL", write(0x1008, 4, 1));
        fails("SQTDBL", write(0x100c, 4, 1));
        fails("SQTDBL", write(0x1020, 4, 1));
        holds("SQ1TDBL", write(0x1008, 4, 1));
        fails("SQ1TDBL", write(0x1000, 4, 1));
        holds("CACHE[3].PUT[1]", read(0x2038, 4, 0));
        fails("CACHE[3].PUT[1]", read(0x2034, 4, 0));
        holds("CACHE.PUT", read(0x2034, 4, 0));
        holds("CFG.COMMAND", access(true, Region.CONFIGURATION, 4, 4, 0x406, -1));
        holds("COMMAND.MASTER == 1", access(true, Region.CONFIGURATION, 4, 2, 0x406, -1));
        holds("PCIE.DEVCTL", access(true, Region.CONFIGURATION, 0x48, 2, 0, -1));
        holds("csts", read(0x1c, 4, 0));
        holds("\"CSTS\"", read(0x1c, 4, 0));
    }

    @Test
    void shouldPreferItsOwnWordsToRegistersOfTheSameName() {
        holds("value == 5", read(0x1c, 4, 5));
        fails("\"value\" == 5", read(0x1c, 4, 5));
        holds("\"value\" == 5", read(0x24, 1, 5));
        holds("BAR0.value == 5", read(0x24, 1, 5));
        holds("BAR0.STATUS", read(0x20, 4, 5));
        holds("status == success", read(0x1c, 4, 5));
    }

    @Test
    void shouldAskForFieldsOfWhatWasMoved() {
        holds("CSTS.RDY == 1", read(0x1c, 4, 1));
        holds("CSTS.RDY", read(0x1c, 1, 1));
        fails("CSTS.RDY == 0", read(0x1d, 1, 0));
        fails("CSTS.RDY == 0", failedRead(0x1c));
        holds("not CSTS.RDY == 0", failedRead(0x1c));
        holds("CSTS.SHST == COMPLETE", read(0x1c, 4, 8));
        holds("CSTS.SHST in (NORMAL, COMPLETE)", read(0x1c, 4, 8));
        holds("csts.shst == complete", read(0x1c, 4, 8));
        holds("CC.CSS != NVM", write(0x14, 4, 0x60));
        holds("CC.IOSQES == 24", write(0x14, 4, 6 << 16));
        holds("CC.TRIM < 0 and CC.TRIM == -2", write(0x14, 4, 0xFE00_0000L));
        holds("CC.TRIM in -5..3", write(0x14, 4, 0xFE00_0000L));
        fails("CC.TRIM", write(0x14, 4, 0x00FF_FFFFL));
        holds("CC & 0x61 == 0x60", write(0x14, 1, 0x60));
        holds("CC == 0x60", write(0x14, 4, 0x60));
        fails("CC == 0x60", write(0x14, 1, 0x60));
        holds("CAP.DSTRD == 3", read(4, 4, 3));
        holds("CAP.DSTRD == 3", read(0, 8, 3L << 32));
        holds("CAP & 0xf00000000 == 0x300000000", read(4, 4, 3));
        holds("CSTS.RDY", read(0x18, 8, 1L << 32));
        holds("CQ1HDBL == 5", write(0x1008, 8, 5L << 32));
        holds("SQTDBL == 5", write(0x1018, 4, 5));
        holds("CQHDBL == 5", write(0x1000, 8, 5L << 32));
        fails("CQHDBL == 4", write(0x1000, 8, 5L << 32));
    }

    @Test
    void shouldCompareWhatIsShownWhenAMapAddsSomethingToTheBits() {
        TraceEvent event = read(0x28, 4, 0x01_f6_02_07);
        holds("LINES.COUNT == 8", event);
        holds("LINES.COUNT in 8..9", event);
        fails("LINES.COUNT == 7", event);
        fails("LINES.COUNT < 8", event);
        holds("LINES.COUNT", read(0x28, 4, 0)); // it is 1
        holds("LINES.COUNT == 256", read(0x28, 4, 0xff));
        holds("LINES.SIZE == 0x30", event);
        holds("LINES.TEMP == -50", event);
        holds("LINES.TEMP < -49 and LINES.TEMP > -51", event);
        holds("LINES.MODE == FAST", event);
        holds("LINES.MODE == 5", event);
        fails("LINES.MODE == FAST", read(0x28, 4, 0));
        TraceText text = new TraceText(ConditionSamples.NAMES);
        String shown = text.line(event);
        assertTrue(shown.contains("COUNT=8 SIZE=0x30 TEMP=-50 MODE=FAST"), shown);
    }

    @Test
    void shouldRefuseWhatMeansNothingOfAFieldToWhichAMapAddsSomething() {
        assertEquals(
                "0 is no value of \"LINES.COUNT\", which has 8 bits, and is shown with 1 added.",
                refused("LINES.COUNT == 0"));
        assertTrue(
                refused("LINES.SIZE & 0x10 != 0")
                        .startsWith(
                                "A mask means nothing of \"LINES.SIZE\", which is shown with 16"
                                        + " added;"));
    }

    @Test
    @Timeout(10)
    void shouldRefuseANameOfManyPartsAtOnceWhateverTheMap() {
        StringBuilder xml = new StringBuilder("<database><domain name=\"BAR0\">");
        for (int i = 0; i < 20_000; i++) {
            xml.append("<reg32 offset=\"").append(4 * i).append("\" name=\"R").append(i);
            xml.append("\"/>");
        }
        byte[] map = xml.append("</domain></database>").toString().getBytes(UTF_8);
        TraceNames many =
                TraceNames.of(
                        MemoryFunction.DESCRIPTION,
                        RegisterMapLoader.strict().load("many", new ByteArrayInputStream(map)));
        for (int parts : new int[] {64, 65, 500}) {
            String name = "a" + ".a".repeat(parts - 1);
            String sentence =
                    assertThrows(ConditionException.class, () -> Condition.of(name + " == 1", many))
                            .sentence();
            assertTrue(
                    sentence.startsWith(
                            parts > 64
                                    ? "No register has a name of as many parts as this."
                                    : "There is no register or word \"a.a."),
                    sentence);
        }
    }

    private static String refused(String expression) {
        return assertThrows(
                        ConditionException.class,
                        () -> Condition.of(expression, ConditionSamples.NAMES))
                .sentence();
    }

    @Test
    void shouldCountOnlyBytesThatAreEnabled() {
        holds("CC.EN == 1", access(true, 0, 0x14, 4, 1, 0b0001));
        fails("CC.EN == 1", access(true, 0, 0x14, 4, 1, 0b1110));
        holds("CC.TRIM == 0", access(true, 0, 0x14, 4, 1, 0b1110));
        fails("CC == 1", access(true, 0, 0x14, 4, 1, 0b1110));
    }

    @Test
    void shouldAskForValuesUnsigned() {
        holds("value > 0x7fffffffffffffff", read(0, 8, -1));
        holds("value == 0xffff_ffff_ffff_ffff", read(0, 8, -1));
        holds("value & 0xff == 0x10", read(0, 8, 0x1234_5610));
        holds("value & 0x10", read(0, 8, 0x1234_5610));
        fails("value & 0x80", read(0, 8, 0x1234_5610));
        holds("value == 0b101", read(0, 8, 5));
        holds("value == 0x1122334455667788", write(0x3000, 64, 0x1122_3344_5566_7788L));
        holds("value == 0", dma(true, 0, 4096, 0));
        fails("value >= 0", interrupt(1));
        holds("value <= 5 and value < 6 and value >= 5 and value > 4", read(0, 4, 5));
    }

    @Test
    void shouldAskHowEventsEnded() {
        holds("failed", failedRead(0));
        holds("status == unsupported-request", failedRead(0));
        holds("status == UNSUPPORTED_REQUEST", failedRead(0));
        holds("status != success", failedRead(0));
        fails("failed", read(0, 4, 0));
        fails("failed", interrupt(0));
        holds("under-way", readUnderWay(0));
        fails("took >= 0ns", readUnderWay(0));
        fails("status != success", readUnderWay(0));
        holds("took == 2us and took < 1ms", read(0, 4, 0));
        holds("time >= 1.5s and time < 1501ms", read(0, 4, 0));
        holds("time < 1min", read(0, 4, 0));
        holds("number == 7 and generation == 1", read(0, 4, 0));
    }

    @Test
    void shouldAskForInterrupts() {
        holds("irq and vector == 3", interrupt(3));
        holds("interrupt == msix", interrupt(3));
        fails("interrupt == MSI", interrupt(3));
        holds("vector == 3", masked(1, 4));
        fails("vector == 5", masked(1, 4));
        holds("vector != 3", masked(1, 4));
        fails("vector != 3", masked(3, 1));
        holds("action == mask and vector in 4..9", masked(1, 4));
        fails("vector == 0", masked(0, 0));
    }

    @Test
    void shouldAskForText() {
        holds("text ~ \"MOUNT\"", mark("before mount"));
        holds("text == 'before mount'", mark("before mount"));
        fails("text == mount", mark("before mount"));
        holds("text != mount", mark("before mount"));
        fails("text != mount", interrupt(0));
        holds("event and text ~ bye", told(new FunctionEvent.GoingAway("Bye.")));
        fails("text ~ bye", told(new FunctionEvent.PowerManagement()));
    }

    private static TraceEvent told(FunctionEvent event) {
        return new TraceEvent.Told(ConditionSamples.STAMP, event);
    }

    @Test
    void shouldKnowEveryKindOfEvent() {
        TraceEvent.Stamp stamp = ConditionSamples.STAMP;
        List<TraceEvent> events =
                List.of(
                        read(0, 4, 0),
                        write(0, 4, 0),
                        dma(false, 0, 4, 0),
                        dma(true, 0, 4, 0),
                        interrupt(0),
                        masked(0, 1),
                        new TraceEvent.Reset(stamp, ResetKind.FLR, null, 2),
                        new TraceEvent.Mapped(stamp, 0, 1, Direction.READ, false, true),
                        new TraceEvent.Unmapped(stamp, 0, 1, null),
                        told(new FunctionEvent.PowerManagement()),
                        mark(""),
                        new TraceEvent.Attached(stamp, true),
                        new TraceEvent.State(stamp, TraceEvent.State.Operation.SAVE, 0, null),
                        new TraceEvent.Near(stamp, 0, 1, Direction.READ, true),
                        new TraceEvent.Lost(stamp, 5),
                        new TraceEvent.Lease(stamp, true, 3, "s", "i", ""),
                        new TraceEvent.Changed(stamp, "guard", 0, 4, new byte[4], new byte[4]),
                        new TraceEvent.Counted(stamp, 0, 0, 15, 3, 4),
                        new TraceEvent.Setting(stamp, "BAR0=count"));
        assertEquals(TraceText.KINDS, events.stream().map(TraceText::kind).toList());
        for (TraceEvent event : events) {
            for (String kind : TraceText.KINDS) {
                assertEquals(kind.equals(TraceText.kind(event)), condition(kind).test(event));
            }
        }
    }

    @Test
    void shouldAskForWhatOnlyTheRecorderAdds() {
        TraceEvent.Stamp stamp =
                new TraceEvent.Stamp(
                        1, 2, 3, 1, false, TraceEvent.Verification.DAMAGED, 4, 0xffff_8000L);
        TraceEvent changed =
                new TraceEvent.Changed(stamp, "guard", 0, 0x14, new byte[4], new byte[4]);
        holds("damaged and epoch == 4 and pc > 0xffff0000", changed);
        holds("changed and BAR0[0x17] and offset == 0x14", changed);
        fails("unsealed", changed);
        fails("damaged or epoch >= 0 or pc >= 0", read(0, 4, 0));
        holds("counted and BAR0[12]", new TraceEvent.Counted(stamp, 0, 0, 15, 3, 4));
        holds("text ~ alice", new TraceEvent.Lease(stamp, true, 3, "s", "alice", ""));
        holds("setting and text == 'BAR0=count'", new TraceEvent.Setting(stamp, "BAR0=count"));
    }

    @Test
    void shouldKnowItsFunctionByItsNameToo() throws ConditionException {
        TraceNames n0 = ConditionSamples.NAMES.named("n0");
        assertTrue(Condition.of("function == n0 and function == memory", n0).test(interrupt(0)));
        assertFalse(Condition.of("function in (n1, nvme)", n0).test(interrupt(0)));
    }

    @Test
    void shouldBeOfOneFunctionAndForgiveNamesOfAnother() {
        holds("function == memory", interrupt(0));
        fails("function != memory", interrupt(0));
        fails("function == nvme and NO_SUCH_REGISTER == 1", interrupt(0));
        holds("not (function == nvme and NO_SUCH_REGISTER == 1)", interrupt(0));
        holds("function in (nvme, memory)", interrupt(0));
    }

    @Test
    void shouldCountWhatTheRestLetsThrough() {
        for (String expression :
                List.of("count == 3 and CSTS", "CSTS and count == 3", "CSTS and (count == 3)")) {
            Condition third = condition(expression);
            List<Integer> held = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                if (third.test(i % 2 == 0 ? read(0x1c, 4, 0) : read(0x14, 4, 0))) {
                    held.add(i);
                }
            }
            assertEquals(List.of(4), held, expression);
        }
        Condition each = condition("count >= 2");
        assertFalse(each.test(interrupt(0)));
        assertTrue(each.test(interrupt(0)));
        assertTrue(each.test(interrupt(0)));
    }

    @Test
    void shouldSayWhetherItNeedsTheEnd() {
        assertFalse(condition("write and offset in 0..0xff and time > 1s").needsEnd());
        assertTrue(condition("took > 1ms").needsEnd());
        assertTrue(condition("not failed").needsEnd());
        assertTrue(condition("read or CSTS.RDY").needsEnd());
        assertTrue(condition("BAR0[0..3] & 1").needsEnd());
        assertFalse(condition("reg == CSTS").needsEnd());
    }

    @Test
    void shouldAskPassingInterruptsAndDmaToo() {
        assertTrue(condition("irq and vector == 2").testInterrupt(InterruptKind.MSIX, 2, 0, 1));
        assertTrue(
                condition("dma-write and MEM[0x1003] and value == 5")
                        .testDma(true, 0x1000, 4, 5, true, null, 0, 0, 1));
        assertFalse(condition("value >= 0").testDma(false, 0x1000, 4, 5, false, null, 0, 0, 1));
    }

    @Test
    void shouldExplainItself() {
        String help = String.join("\n", Condition.help());
        for (ConditionField field : ConditionField.values()) {
            assertTrue(help.contains(field.example), field.toString());
            if (!field.example.isEmpty() && field != ConditionField.STATUS) {
                condition(field.example);
            }
        }
        assertTrue(help.lines().allMatch(line -> line.length() <= 110), help);
    }
}
