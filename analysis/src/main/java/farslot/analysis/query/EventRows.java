package farslot.analysis.query;

import static farslot.analysis.query.EventColumn.ADDRESS;
import static farslot.analysis.query.EventColumn.BYTE_ENABLES;
import static farslot.analysis.query.EventColumn.COUNT;
import static farslot.analysis.query.EventColumn.DATA;
import static farslot.analysis.query.EventColumn.DETAIL;
import static farslot.analysis.query.EventColumn.DIGEST;
import static farslot.analysis.query.EventColumn.DIRECTION;
import static farslot.analysis.query.EventColumn.DURATION_NANOS;
import static farslot.analysis.query.EventColumn.EPOCH;
import static farslot.analysis.query.EventColumn.GENERATION;
import static farslot.analysis.query.EventColumn.INTERRUPT;
import static farslot.analysis.query.EventColumn.KIND;
import static farslot.analysis.query.EventColumn.KNOWN;
import static farslot.analysis.query.EventColumn.LENGTH;
import static farslot.analysis.query.EventColumn.LINK_NANOS;
import static farslot.analysis.query.EventColumn.MAX_DATA_BYTES;
import static farslot.analysis.query.EventColumn.NANOS;
import static farslot.analysis.query.EventColumn.NUMBER;
import static farslot.analysis.query.EventColumn.OFFSET;
import static farslot.analysis.query.EventColumn.PROGRAM_COUNTER;
import static farslot.analysis.query.EventColumn.REGION;
import static farslot.analysis.query.EventColumn.REGISTER;
import static farslot.analysis.query.EventColumn.STATUS;
import static farslot.analysis.query.EventColumn.UNDER_WAY;
import static farslot.analysis.query.EventColumn.VALUE;
import static farslot.analysis.query.EventColumn.VECTOR;
import static farslot.analysis.query.EventColumn.VECTORS;
import static farslot.analysis.query.EventColumn.VERIFICATION;
import static farslot.analysis.query.EventColumn.WIDTH_BYTES;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceText;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterText;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Makes rows of events.
 *
 * <p>For one thread at a time.
 */
final class EventRows {
    /** Names are made anew beyond this many: a trace may touch a whole frame buffer. */
    private static final int MAX_NAMES = 1 << 16;

    private final TraceNames names;
    private final Map<Place, Name> places = new HashMap<>();
    private final Map<String, byte[]> words = new HashMap<>();

    /** What an access reached. */
    private record Place(int region, long offset, long length) {}

    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    private record Name(byte[] region, byte[] register, boolean known) {}

    /** Where the row goes that is being made. */
    private RowSink sink;

    EventRows(TraceNames names) {
        this.names = names;
    }

    /** Gives {@code to} one row. */
    void add(TraceEvent event, RowSink to) {
        sink = to;
        TraceEvent.Stamp stamp = event.stamp();
        sink.put(NUMBER, stamp.number());
        sink.put(NANOS, stamp.nanos());
        word(KIND, TraceText.kind(event));
        sink.put(GENERATION, stamp.generation());
        sink.put(UNDER_WAY, stamp.underWay() ? 1 : 0);
        if (stamp.epoch() != 0) {
            sink.put(EPOCH, stamp.epoch());
        }
        if (stamp.programCounter() != 0) {
            sink.put(PROGRAM_COUNTER, stamp.programCounter());
        }
        if (stamp.hasLinkTime()) {
            sink.put(LINK_NANOS, stamp.linkNanos());
        }
        if (stamp.verification() != TraceEvent.Verification.SEALED) {
            word(VERIFICATION, stamp.verification().name());
        }
        switch (event) {
            case TraceEvent.Access e -> access(e);
            case TraceEvent.Dma e -> {
                sink.put(ADDRESS, e.address());
                sink.put(LENGTH, e.data().length());
                data(e.data().kept());
                if (e.data().digest() != null) {
                    sink.put(DIGEST, e.data().digest());
                }
                ended(stamp, e.status());
            }
            case TraceEvent.Interrupt e -> {
                word(INTERRUPT, e.kind().name());
                sink.put(VECTOR, e.vector());
            }
            case TraceEvent.InterruptControl e -> {
                word(INTERRUPT, e.kind().name());
                sink.put(VECTOR, e.first());
                sink.put(VECTORS, e.count());
                word(DETAIL, lower(e.action()));
            }
            case TraceEvent.Reset e -> {
                word(DETAIL, e.kind().name());
                ended(stamp, e.status());
            }
            case TraceEvent.Mapped e -> memory(e.address(), e.length(), e.direction());
            case TraceEvent.Unmapped e -> {
                sink.put(ADDRESS, e.address());
                sink.put(LENGTH, e.length());
                ended(stamp, e.status());
            }
            case TraceEvent.Told e -> told(e.event());
            case TraceEvent.Mark e -> text(DETAIL, e.words());
            case TraceEvent.Attached e -> word(DETAIL, e.attached() ? "given" : "taken");
            case TraceEvent.State e -> {
                word(DETAIL, lower(e.operation()));
                sink.put(LENGTH, e.bytes());
                ended(stamp, e.status());
            }
            case TraceEvent.Near e -> {
                memory(e.address(), e.length(), e.direction());
                word(DETAIL, e.given() ? "given" : "refused");
            }
            case TraceEvent.Lost e -> {
                sink.put(COUNT, e.count());
                sink.put(DURATION_NANOS, stamp.durationNanos());
            }
            case TraceEvent.Lease e -> lease(e);
            case TraceEvent.Changed e -> changed(e);
            case TraceEvent.Counted e -> {
                text(REGION, names.label(e.region()));
                sink.put(OFFSET, e.firstOffset());
                sink.put(LENGTH, e.lastOffset() - e.firstOffset() + 1);
                sink.put(COUNT, e.reads() + e.writes());
                text(DETAIL, e.reads() + " reads, " + e.writes() + " writes");
            }
            case TraceEvent.Setting e -> text(DETAIL, e.setting());
        }
        sink.endRow();
    }

    private void access(TraceEvent.Access e) {
        TraceEvent.Data data = e.data();
        place(e.region(), e.offset(), data.length());
        if (e.widthBytes() != 0) {
            sink.put(WIDTH_BYTES, e.widthBytes());
        }
        if (data.length() > Long.BYTES) {
            data(data.kept());
        } else if (data.kept().length > 0) {
            sink.put(VALUE, data.value());
        }
        long all = data.length() >= Long.SIZE ? -1L : (1L << data.length()) - 1;
        if (e.write() && (e.byteEnables() & all) != all) {
            sink.put(BYTE_ENABLES, e.byteEnables() & all);
        }
        ended(e.stamp(), e.status());
    }

    private void place(int region, long offset, long length) {
        Place place = new Place(region, offset, length);
        Name name = places.get(place);
        if (name == null) {
            if (places.size() == MAX_NAMES) {
                places.clear();
            }
            name = name(place);
            places.put(place, name);
        }
        sink.put(REGION, name.region, name.region.length);
        sink.put(OFFSET, offset);
        sink.put(REGISTER, name.register, name.register.length);
        sink.put(KNOWN, name.known ? 1 : 0);
        sink.put(LENGTH, length);
    }

    private Name name(Place place) {
        RegisterDomain domain = names.domain(place.region);
        long length = Math.max(1, place.length);
        return new Name(
                utf8(names.label(place.region)),
                utf8(RegisterText.name(domain, place.offset, length)),
                domain != null && domain.find(place.offset) != null);
    }

    private void lease(TraceEvent.Lease e) {
        String slot = (e.begun() ? "begun: " : "ended: ") + e.slot();
        String by = e.identity().isEmpty() ? "" : " by " + e.identity();
        text(DETAIL, slot + by + (e.why().isEmpty() ? "" : ": " + e.why()));
    }

    /** The data is what it was before; an access's value what it was changed to. */
    private void changed(TraceEvent.Changed e) {
        if (e.region() == TraceEvent.Changed.MEMORY) {
            sink.put(ADDRESS, e.address());
            sink.put(LENGTH, e.before().length);
        } else {
            place(e.region(), e.address(), e.before().length);
        }
        if (e.after().length > 0 && e.after().length <= Long.BYTES) {
            sink.put(VALUE, new TraceEvent.Data(e.after().length, e.after(), null).value());
        }
        data(e.before());
        text(DETAIL, e.tap());
    }

    private void memory(long address, long length, Direction direction) {
        sink.put(ADDRESS, address);
        sink.put(LENGTH, length);
        word(DIRECTION, lower(direction).replace('_', '-'));
    }

    private void told(FunctionEvent event) {
        switch (event) {
            case FunctionEvent.Error e ->
                    text(DETAIL, (e.fatal() ? "fatal error: " : "error: ") + e.sentence());
            case FunctionEvent.PowerManagement e -> word(DETAIL, "power-management event");
            case FunctionEvent.Presence e -> word(DETAIL, e.present() ? "present" : "gone");
            case FunctionEvent.DescriptionChanged e -> word(DETAIL, "description changed");
            case FunctionEvent.GoingAway e -> text(DETAIL, "going away: " + e.sentence());
            case FunctionEvent.NewGeneration e ->
                    text(DETAIL, "generation " + e.generation() + " began by " + e.kind());
            case FunctionEvent.DmaRefused e -> {
                memory(e.address(), e.length(), e.direction());
                text(DETAIL, "DMA refused: " + e.sentence());
            }
        }
    }

    private void ended(TraceEvent.Stamp stamp, CompletionStatus status) {
        if (status != null) {
            word(STATUS, status.name());
        }
        if (!stamp.underWay()) {
            sink.put(DURATION_NANOS, stamp.durationNanos());
        }
    }

    private void data(byte[] kept) {
        if (kept.length > 0) {
            sink.put(DATA, kept, Math.min(kept.length, MAX_DATA_BYTES));
        }
    }

    /** One of a few words. */
    private void word(EventColumn column, String word) {
        byte[] bytes = words.computeIfAbsent(word, EventRows::utf8);
        sink.put(column, bytes, bytes.length);
    }

    private void text(EventColumn column, String text) {
        byte[] bytes = utf8(text);
        sink.put(column, bytes, bytes.length);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
