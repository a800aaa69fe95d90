package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.registers.RegisterText;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * Makes one line of text, or one line of JSON, of an event. Columns: seconds since the trace began,
 * kind, where, what, value, and what it means.
 *
 * <p>For one thread at a time.
 */
public final class TraceText {
    /** The kinds of events, as text and conditions have them. */
    public static final List<String> KINDS =
            List.of(
                    "read",
                    "write",
                    "dma-read",
                    "dma-write",
                    "irq",
                    "irq-ctl",
                    "reset",
                    "map",
                    "unmap",
                    "event",
                    "mark",
                    "attach",
                    "state",
                    "near",
                    "lost",
                    "lease",
                    "changed",
                    "counted",
                    "setting");

    /** Where the second column begins, the kind. */
    public static final int KIND_AT = 18;

    private static final int KIND_COLUMN = 10;

    /** Where the third column begins. */
    public static final int PLACE_AT = KIND_AT + KIND_COLUMN + 1;

    private static final int WHERE_COLUMN = 5;
    private static final int WHAT_COLUMN = 22;
    private static final int VALUE_COLUMN = 18;
    private static final int PREVIEW_BYTES = 16;
    private static final String HEX = "0123456789abcdef";

    private final TraceNames names;
    private final StringBuilder line = new StringBuilder();

    public TraceText(TraceNames names) {
        this.names = names;
    }

    /** One of {@link #KINDS}. */
    public static String kind(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Access e -> e.write() ? "write" : "read";
            case TraceEvent.Dma e -> e.write() ? "dma-write" : "dma-read";
            case TraceEvent.Interrupt e -> "irq";
            case TraceEvent.InterruptControl e -> "irq-ctl";
            case TraceEvent.Reset e -> "reset";
            case TraceEvent.Mapped e -> "map";
            case TraceEvent.Unmapped e -> "unmap";
            case TraceEvent.Told e -> "event";
            case TraceEvent.Mark e -> "mark";
            case TraceEvent.Attached e -> "attach";
            case TraceEvent.State e -> "state";
            case TraceEvent.Near e -> "near";
            case TraceEvent.Lost e -> "lost";
            case TraceEvent.Lease e -> "lease";
            case TraceEvent.Changed e -> "changed";
            case TraceEvent.Counted e -> "counted";
            case TraceEvent.Setting e -> "setting";
        };
    }

    /** The event as one line without its end. */
    public String line(TraceEvent event) {
        line.setLength(0);
        TraceEvent.Stamp stamp = event.stamp();
        appendSeconds(stamp.nanos());
        line.append("  ");
        column(kind(event), KIND_COLUMN);
        switch (event) {
            case TraceEvent.Access e -> access(e);
            case TraceEvent.Dma e -> dma(e);
            case TraceEvent.Interrupt e -> plain(e.kind().name(), "vector " + e.vector());
            case TraceEvent.InterruptControl e -> control(e);
            case TraceEvent.Reset e -> reset(e);
            case TraceEvent.Mapped e -> {
                memory(e.address(), e.length());
                line.append(directionText(e.direction()));
                line.append(e.near() ? " near" : "");
                line.append(e.servedWhileWaiting() ? "" : " not-while-waiting");
            }
            case TraceEvent.Unmapped e -> {
                memory(e.address(), e.length());
                status(e.status());
            }
            case TraceEvent.Told e -> plain("-", clean(eventText(e.event())));
            case TraceEvent.Mark e -> plain("-", clean(e.words()));
            case TraceEvent.Attached e -> plain("-", e.attached() ? "host" : "no host");
            case TraceEvent.State e -> {
                plain("-", e.operation().name().toLowerCase(Locale.ROOT));
                status(e.status());
            }
            case TraceEvent.Near e -> {
                memory(e.address(), e.length());
                line.append(directionText(e.direction()));
                line.append(e.given() ? " given: what is done there is not seen" : " refused");
            }
            case TraceEvent.Lost e ->
                    plain("-", e.count() + (e.count() == 1 ? " event" : " events") + " lost here");
            case TraceEvent.Lease e -> lease(e);
            case TraceEvent.Changed e -> changed(e);
            case TraceEvent.Counted e -> counted(e);
            case TraceEvent.Setting e -> plain("-", clean(e.setting()));
        }
        if (stamp.underWay()) {
            word("UNDER-WAY");
        } else if (stamp.durationNanos() > 0 && hasDuration(event)) {
            word("took=");
            appendDuration(stamp.durationNanos());
        }
        if (stamp.hasLinkTime()) {
            word("link=");
            line.append(stamp.linkNanos() < 0 ? "-" : "");
            appendDuration(Math.abs(stamp.linkNanos()));
        }
        if (stamp.verification() == TraceEvent.Verification.DAMAGED) {
            word("DAMAGED");
        }
        return line.toString().stripTrailing();
    }

    /**
     * A line about more than one event, in the columns of {@link #line}.
     *
     * @param nanos since the trace began
     */
    public String line(
            long nanos, String kind, String where, String what, String value, String rest) {
        line.setLength(0);
        appendSeconds(nanos);
        line.append("  ");
        column(kind, KIND_COLUMN);
        column(where, WHERE_COLUMN);
        column(fitting(what), WHAT_COLUMN);
        column(value, VALUE_COLUMN);
        line.append(rest);
        return line.toString().stripTrailing();
    }

    private void access(TraceEvent.Access e) {
        column(names.label(e.region()), WHERE_COLUMN);
        TraceEvent.Data data = e.data();
        int length = (int) Math.min(data.length(), 9);
        column(fitting(names.place(e)), WHAT_COLUMN);
        if (data.kept().length == 0) {
            column("-", VALUE_COLUMN);
            line.append(data.length()).append(data.length() == 1 ? " byte" : " bytes");
        } else if (length <= 8) {
            int from = line.length();
            line.append("0x");
            appendHex(data.value(), length * 2);
            pad(from, VALUE_COLUMN);
            if (e.write() && !allEnabled(e.byteEnables(), length)) {
                line.append("bytes=0x").append(Long.toHexString(e.byteEnables())).append(' ');
            }
            RegisterText.appendFields(
                    line, names.domain(e.region()), e.offset(), length, data.value());
        } else {
            column(data.length() + " bytes", VALUE_COLUMN);
            preview(data);
        }
        status(e.status());
    }

    /** Of an access that reaches more registers than the column has room for, first and last. */
    private static String fitting(String registers) {
        int first = registers.indexOf(',');
        return first < 0 || registers.length() <= WHAT_COLUMN
                ? registers
                : registers.substring(0, first)
                        + ".."
                        + registers.substring(registers.lastIndexOf(',') + 1);
    }

    private static boolean allEnabled(long byteEnables, int length) {
        long all = (1L << length) - 1;
        return (byteEnables & all) == all;
    }

    private void dma(TraceEvent.Dma e) {
        memory(e.address(), e.data().length());
        preview(e.data());
        if (e.data().digest() != null) {
            word("xxh64=");
            appendHex(e.data().digest(), 16);
        }
        status(e.status());
    }

    private void control(TraceEvent.InterruptControl e) {
        String vectors =
                e.count() == 1
                        ? "vector " + e.first()
                        : "vectors " + e.first() + " to " + (e.first() + e.count() - 1);
        plain(e.kind().name(), vectors);
        pad(line.length(), Math.max(0, WHAT_COLUMN - vectors.length()));
        word(e.action().name().toLowerCase(Locale.ROOT));
    }

    private void reset(TraceEvent.Reset e) {
        plain("-", e.kind().name());
        if (e.status() != null) {
            line.append(" generation ").append(e.stamp().generation());
            line.append(" to ").append(e.newGeneration());
        }
        status(e.status());
    }

    private void lease(TraceEvent.Lease e) {
        plain("-", (e.begun() ? "begun, epoch " : "ended, epoch ") + e.epoch());
        line.append(", slot ").append(clean(e.slot()));
        line.append(e.identity().isEmpty() ? "" : ", by " + clean(e.identity()));
        line.append(e.why().isEmpty() ? "" : ": " + clean(e.why()));
    }

    private void changed(TraceEvent.Changed e) {
        if (e.region() == TraceEvent.Changed.MEMORY) {
            memory(e.address(), e.before().length);
        } else {
            column(names.label(e.region()), WHERE_COLUMN);
            column(names.register(e.region(), e.address(), e.before().length), WHAT_COLUMN);
        }
        bytes(e.before());
        line.append(" to ");
        bytes(e.after());
        word("by ");
        line.append(clean(e.tap()));
    }

    /** As a number where it can be one. */
    private void bytes(byte[] bytes) {
        TraceEvent.Data data = new TraceEvent.Data(bytes.length, bytes, null);
        if (bytes.length > 0 && bytes.length <= 8) {
            line.append("0x");
            appendHex(data.value(), bytes.length * 2);
        } else {
            preview(data);
        }
    }

    private void counted(TraceEvent.Counted e) {
        column(names.label(e.region()), WHERE_COLUMN);
        String range =
                "0x" + Long.toHexString(e.firstOffset()) + "-0x" + Long.toHexString(e.lastOffset());
        column(range, WHAT_COLUMN);
        line.append(e.reads()).append(" reads, ").append(e.writes()).append(" writes");
    }

    private void plain(String where, String what) {
        column(where, WHERE_COLUMN);
        line.append(what);
    }

    private void memory(long address, long length) {
        column("MEM", WHERE_COLUMN);
        column("0x" + Long.toHexString(address), WHAT_COLUMN);
        column(
                length >= 0x10000 ? "0x" + Long.toHexString(length) + " bytes" : length + " bytes",
                VALUE_COLUMN);
    }

    private void preview(TraceEvent.Data data) {
        int count = Math.min(PREVIEW_BYTES, data.kept().length);
        for (int i = 0; i < count; i++) {
            appendHex(data.kept()[i] & 0xFF, 2);
        }
        line.append(count < data.length() && count > 0 ? ".." : "");
    }

    private void status(CompletionStatus status) {
        if (status != null && !status.isSuccess()) {
            word("status=");
            line.append(status.name());
        }
    }

    private static boolean hasDuration(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Access e -> true;
            case TraceEvent.Dma e -> true;
            case TraceEvent.Reset e -> true;
            case TraceEvent.Unmapped e -> true;
            case TraceEvent.State e -> true;
            case TraceEvent.Lost e -> true;
            default -> false;
        };
    }

    private static String directionText(Direction direction) {
        return switch (direction) {
            case READ -> "read";
            case WRITE -> "write";
            case READ_WRITE -> "read-write";
        };
    }

    private static String eventText(FunctionEvent event) {
        return switch (event) {
            case FunctionEvent.Error e -> (e.fatal() ? "fatal error: " : "error: ") + e.sentence();
            case FunctionEvent.PowerManagement e -> "power-management event";
            case FunctionEvent.Presence e -> e.present() ? "present" : "gone";
            case FunctionEvent.DescriptionChanged e -> "description changed";
            case FunctionEvent.GoingAway e -> "going away: " + e.sentence();
            case FunctionEvent.NewGeneration e ->
                    "generation " + e.generation() + " began by " + e.kind();
            case FunctionEvent.DmaRefused e ->
                    "DMA "
                            + directionText(e.direction())
                            + " of "
                            + e.length()
                            + " bytes at 0x"
                            + Long.toHexString(e.address())
                            + " refused: "
                            + e.sentence();
        };
    }

    private void word(String text) {
        if (!line.isEmpty() && line.charAt(line.length() - 1) != ' ') {
            line.append(' ');
        }
        line.append(text);
    }

    private void column(String text, int width) {
        int from = line.length();
        line.append(text);
        pad(from, width);
    }

    /** At least one space after what began at {@code from}. */
    private void pad(int from, int width) {
        line.repeat(' ', Math.max(1, from + width + 1 - line.length()));
    }

    private void appendSeconds(long nanos) {
        long shown = Math.max(0, nanos);
        String seconds = Long.toString(shown / 1_000_000_000L);
        line.repeat(' ', Math.max(0, 6 - seconds.length())).append(seconds).append('.');
        String fraction = Long.toString(shown % 1_000_000_000L);
        line.repeat('0', 9 - fraction.length()).append(fraction);
    }

    private void appendDuration(long nanos) {
        appendDuration(line, nanos);
    }

    /** "950ns", "12.3us", "4.56ms", "1.23s". */
    public static void appendDuration(StringBuilder text, long nanos) {
        if (nanos < 1_000) {
            text.append(nanos).append("ns");
        } else if (nanos < 1_000_000) {
            appendTenths(text, nanos, 1_000).append("us");
        } else if (nanos < 1_000_000_000) {
            appendTenths(text, nanos, 1_000_000).append("ms");
        } else {
            appendTenths(text, nanos, 1_000_000_000).append('s');
        }
    }

    private static StringBuilder appendTenths(StringBuilder text, long nanos, long unit) {
        return text.append(nanos / unit).append('.').append(nanos % unit * 10 / unit);
    }

    private void appendHex(long value, int digits) {
        for (int i = digits - 1; i >= 0; i--) {
            line.append(HEX.charAt((int) (value >>> (i * 4)) & 0xF));
        }
    }

    /** Text from a trace without what would command a terminal. */
    public static String clean(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints()
                .forEach(c -> {
                    if (Character.isISOControl(c)) {
                        clean.append(String.format(Locale.ROOT, "\\u%04x", c));
                    } else {
                        clean.appendCodePoint(c);
                    }
                });
        return clean.toString();
    }

    /**
     * The event as one line of JSON. Addresses, offsets, values and data are hexadecimal strings;
     * times are in nanoseconds; what an event does not have is left out.
     */
    public String json(TraceEvent event) {
        JsonLine json = new JsonLine();
        TraceEvent.Stamp stamp = event.stamp();
        json.number("number", stamp.number()).number("nanos", stamp.nanos());
        json.text("kind", kind(event)).number("generation", stamp.generation());
        if (stamp.underWay()) {
            json.truth("underWay", true);
        } else if (hasDuration(event)) {
            json.number("durationNanos", stamp.durationNanos());
        }
        stampJson(json, stamp);
        switch (event) {
            case TraceEvent.Access e -> accessJson(json, e);
            case TraceEvent.Dma e -> {
                json.hex("address", e.address());
                dataJson(json, e.data(), e.status());
            }
            case TraceEvent.Interrupt e ->
                    json.text("interrupt", e.kind().name()).number("vector", e.vector());
            case TraceEvent.InterruptControl e ->
                    json.text("interrupt", e.kind().name())
                            .text("action", e.action().name())
                            .number("first", e.first())
                            .number("count", e.count());
            case TraceEvent.Reset e -> {
                json.text("reset", e.kind().name());
                statusJson(json, e.status());
                json.number("newGeneration", e.newGeneration());
            }
            case TraceEvent.Mapped e ->
                    json.hex("address", e.address())
                            .hex("length", e.length())
                            .text("direction", e.direction().name())
                            .truth("near", e.near())
                            .truth("servedWhileWaiting", e.servedWhileWaiting());
            case TraceEvent.Unmapped e -> {
                json.hex("address", e.address()).hex("length", e.length());
                statusJson(json, e.status());
            }
            case TraceEvent.Told e -> toldJson(json, e.event());
            case TraceEvent.Mark e -> {
                json.text("text", e.text());
                if (e.byGuest()) {
                    json.truth("byGuest", true);
                }
            }
            case TraceEvent.Attached e -> json.truth("attached", e.attached());
            case TraceEvent.State e -> {
                json.text("operation", e.operation().name()).number("bytes", e.bytes());
                statusJson(json, e.status());
            }
            case TraceEvent.Near e ->
                    json.hex("address", e.address())
                            .hex("length", e.length())
                            .text("direction", e.direction().name())
                            .truth("given", e.given());
            case TraceEvent.Lost e -> json.number("count", e.count());
            case TraceEvent.Lease e ->
                    json.text("lease", e.begun() ? "begun" : "ended")
                            .text("slot", e.slot())
                            .text("identity", e.identity())
                            .text("why", e.why());
            case TraceEvent.Changed e ->
                    json.text("tap", e.tap())
                            .text("region", placeOf(e))
                            .hex("offset", e.address())
                            .text("before", HexFormat.of().formatHex(e.before()))
                            .text("after", HexFormat.of().formatHex(e.after()));
            case TraceEvent.Counted e ->
                    json.text("region", names.label(e.region()))
                            .hex("first", e.firstOffset())
                            .hex("last", e.lastOffset())
                            .number("reads", e.reads())
                            .number("writes", e.writes());
            case TraceEvent.Setting e -> json.text("setting", e.setting());
        }
        return json.end();
    }

    private static void stampJson(JsonLine json, TraceEvent.Stamp stamp) {
        if (stamp.epoch() != 0) {
            json.number("epoch", stamp.epoch());
        }
        if (stamp.programCounter() != 0) {
            json.hex("programCounter", stamp.programCounter());
        }
        if (stamp.hasLinkTime()) {
            json.number("linkNanos", stamp.linkNanos());
        }
        switch (stamp.verification()) {
            case SEALED -> {}
            case UNSEALED -> json.truth("unverified", true);
            case DAMAGED -> json.truth("damaged", true);
        }
    }

    private String placeOf(TraceEvent.Changed e) {
        return e.region() == TraceEvent.Changed.MEMORY ? "MEM" : names.label(e.region());
    }

    private void accessJson(JsonLine json, TraceEvent.Access e) {
        json.text("region", names.label(e.region())).hex("offset", e.offset());
        json.text("register", names.register(e)).number("widthBytes", e.widthBytes());
        TraceEvent.Data data = e.data();
        if (e.write() && !allEnabled(e.byteEnables(), (int) Math.min(63, data.length()))) {
            json.hex("byteEnables", e.byteEnables());
        }
        if (data.length() <= 8 && data.kept().length > 0) {
            json.hex("value", data.value());
            line.setLength(0);
            RegisterText.appendFields(
                    line, names.domain(e.region()), e.offset(), (int) data.length(), data.value());
            if (!line.isEmpty()) {
                json.text("fields", line.toString());
            }
        }
        dataJson(json, data, e.status());
    }

    private void dataJson(JsonLine json, TraceEvent.Data data, CompletionStatus status) {
        json.number("length", data.length());
        if (data.kept().length > 0) {
            json.text("data", HexFormat.of().formatHex(data.kept()));
        }
        if (data.digest() != null) {
            json.hex("xxh64", data.digest());
        }
        statusJson(json, status);
    }

    private static void statusJson(JsonLine json, CompletionStatus status) {
        if (status != null) {
            json.text("status", status.name());
        }
    }

    private static void toldJson(JsonLine json, FunctionEvent event) {
        json.text("event", event.getClass().getSimpleName()).text("text", eventText(event));
    }
}
