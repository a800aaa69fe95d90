package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapLoader;
import java.io.ByteArrayInputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A function's registers and events of it, for tests of conditions. */
final class ConditionSamples {
    static final RegisterMap MAP =
            RegisterMapLoader.strict()
                    .load(
                            "memory.xml",
                            new ByteArrayInputStream(
                                    """
                                    <database xmlns:f="urn:farslot:registers"><domain name="BAR0">
                                    <reg64 offset="0" name="CAP">
                                      <bitfield low="0" high="15" name="MQES"/>
                                      <bitfield low="32" high="35" name="DSTRD"/>
                                    </reg64>
                                    <reg32 offset="0x14" name="CC">
                                      <bitfield pos="0" name="EN"/>
                                      <bitfield low="4" high="6" name="CSS">
                                        <value value="0" name="NVM"/>
                                        <value value="6" name="ADMIN"/></bitfield>
                                      <bitfield low="16" high="19" name="IOSQES" shr="2"/>
                                      <bitfield low="24" high="31" name="TRIM" type="int"/>
                                    </reg32>
                                    <reg32 offset="0x1c" name="CSTS">
                                      <bitfield pos="0" name="RDY"/>
                                      <bitfield low="2" high="3" name="SHST">
                                        <value value="0" name="NORMAL"/>
                                        <value value="2" name="COMPLETE"/></bitfield>
                                    </reg32>
                                    <reg32 offset="0x20" name="STATUS"/>
                                    <reg8 offset="0x24" name="value"/>
                                    <reg32 offset="0x28" name="LINES">
                                      <bitfield low="0" high="7" name="COUNT" type="uint" add="1"/>
                                      <bitfield low="8" high="11" name="SIZE" shr="4" add="16"/>
                                      <bitfield low="16" high="23" name="TEMP" type="int" add="-40"/>
                                      <bitfield low="24" high="25" name="MODE" add="4">
                                        <value value="1" name="FAST"/></bitfield>
                                    </reg32>
                                    <stripe offset="0x1000" stride="8" length="4">
                                      <reg32 offset="0" name="SQTDBL" f:label="SQ{0}TDBL"/>
                                      <reg32 offset="4" name="CQHDBL" f:label="CQ{0}HDBL"/>
                                    </stripe>
                                    <array name="CACHE" offset="0x2000" stride="0x10" length="8">
                                      <reg32 offset="4" name="PUT" length="2"/>
                                    </array>
                                    </domain></database>
                                    """
                                            .getBytes(StandardCharsets.UTF_8)));
    static final TraceNames NAMES = TraceNames.of(MemoryFunction.DESCRIPTION, MAP);

    /** When events begin, how long they take, and what they are in. */
    static final TraceEvent.Stamp STAMP = new TraceEvent.Stamp(7, 1_500_000_000L, 2_000, 1, false);

    private ConditionSamples() {}

    static Condition condition(String expression) {
        try {
            return Condition.of(expression, NAMES);
        } catch (ConditionException e) {
            throw new AssertionError(expression, e);
        }
    }

    static TraceEvent read(long offset, int length, long value) {
        return access(false, 0, offset, length, value, -1);
    }

    static TraceEvent write(long offset, int length, long value) {
        return access(true, 0, offset, length, value, -1);
    }

    static TraceEvent access(
            boolean write, int region, long offset, int length, long value, long enables) {
        return new TraceEvent.Access(
                STAMP,
                write,
                region,
                offset,
                length > 8 ? 0 : length,
                enables,
                CompletionStatus.SUCCESS,
                new TraceEvent.Data(length, bytes(value, length), null));
    }

    static TraceEvent failedRead(long offset) {
        return new TraceEvent.Access(
                STAMP,
                false,
                0,
                offset,
                4,
                -1,
                CompletionStatus.UNSUPPORTED_REQUEST,
                new TraceEvent.Data(4, new byte[0], null));
    }

    static TraceEvent readUnderWay(long offset) {
        return new TraceEvent.Access(
                new TraceEvent.Stamp(7, 1_500_000_000L, 0, 1, true),
                false,
                0,
                offset,
                4,
                -1,
                null,
                new TraceEvent.Data(4, new byte[0], null));
    }

    static TraceEvent dma(boolean write, long address, int length, long value) {
        return new TraceEvent.Dma(
                STAMP,
                write,
                address,
                CompletionStatus.SUCCESS,
                new TraceEvent.Data(length, bytes(value, Math.min(length, 16)), null));
    }

    static TraceEvent interrupt(long vector) {
        return new TraceEvent.Interrupt(STAMP, InterruptKind.MSIX, vector);
    }

    static TraceEvent masked(long first, long count) {
        return new TraceEvent.InterruptControl(
                STAMP, InterruptKind.MSIX, InterruptAction.MASK, first, count);
    }

    static TraceEvent mark(String text) {
        return new TraceEvent.Mark(STAMP, text);
    }

    private static byte[] bytes(long value, int length) {
        byte[] bytes = new byte[Math.max(8, length)];
        MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        return Arrays.copyOf(bytes, length);
    }
}
