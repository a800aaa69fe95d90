package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import farslot.core.CompletionStatus;
import farslot.core.FunctionEvent;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** An event as records, as {@link RecordDecoder} reads it: that of the event, then its data's. */
final class RecordEncoder {
    private static final int WORDS = TraceFormat.RECORD_BYTES / Long.BYTES;
    private static final long MOST_LENGTH = 0xFFFF_FFFFL;

    /** Of the name of a tap, whose length has one byte. */
    private static final int MOST_NAME_BYTES = 0xFF;

    /** Of the names of a slot and of an identity. */
    private static final int MOST_LEASE_NAME_BYTES = TraceWriter.MAX_TEXT_BYTES / 3;

    private final TraceEvent event;
    private final long linkNanos;
    private int kind;
    private int flags;
    private int where;
    private int width;
    private int status = TraceFormat.NO_STATUS;
    private int detail;
    private long address;
    private long extra;
    private long length;
    private byte[] data = new byte[0];

    private RecordEncoder(TraceEvent event, long linkNanos) {
        this.event = event;
        this.linkNanos = linkNanos;
    }

    /**
     * @param linkNanos how long the link took; the event's own stamp does not count for that
     */
    static MemorySegment encode(TraceEvent event, long linkNanos) {
        RecordEncoder encoder = new RecordEncoder(event, linkNanos);
        encoder.read();
        return encoder.records();
    }

    private MemorySegment records() {
        TraceEvent.Stamp stamp = event.stamp();
        int inRecord = TraceFormat.DATA_BYTES;
        if (stamp.programCounter() != 0) {
            flags |= TraceFormat.FLAG_PROGRAM_COUNTER;
            inRecord = Long.BYTES;
        }
        int kept = Math.min(data.length, TraceFormat.MAX_DATA_BYTES);
        if (stamp.underWay() && !needsAllData()) {
            flags |= TraceFormat.FLAG_UNDER_WAY;
            status = TraceFormat.NO_STATUS;
            kept = Math.min(kept, inRecord);
        }
        int each = TraceFormat.CONTINUATION_BYTES;
        int continuations = (Math.max(0, kept - inRecord) + each - 1) / each;
        MemorySegment records = MemorySegment.ofArray(new long[(1 + continuations) * WORDS]);
        records.set(LONG, TraceFormat.TIME_AT, stamp.nanos());
        records.set(
                INT,
                TraceFormat.DURATION_AT,
                (int) Math.clamp(stamp.durationNanos(), 0, MOST_LENGTH));
        records.set(INT, TraceFormat.GENERATION_AT, stamp.generation());
        records.set(LONG, TraceFormat.ADDRESS_AT, address);
        records.set(INT, TraceFormat.LENGTH_AT, (int) Math.clamp(length, 0, MOST_LENGTH));
        records.set(ValueLayout.JAVA_BYTE, TraceFormat.WHERE_AT, (byte) where);
        records.set(ValueLayout.JAVA_BYTE, TraceFormat.WIDTH_AT, (byte) width);
        records.set(ValueLayout.JAVA_BYTE, TraceFormat.STATUS_AT, (byte) status);
        records.set(ValueLayout.JAVA_BYTE, TraceFormat.DETAIL_AT, (byte) detail);
        records.set(LONG, TraceFormat.EXTRA_AT, extra);
        if (stamp.programCounter() != 0) {
            records.set(LONG, TraceFormat.PROGRAM_COUNTER_AT, stamp.programCounter());
        }
        int done = Math.min(kept, inRecord);
        MemorySegment.copy(data, 0, records, ValueLayout.JAVA_BYTE, TraceFormat.DATA_AT, done);
        for (int i = 1; i <= continuations; i++) {
            long at = (long) i * TraceFormat.RECORD_BYTES;
            int count = Math.min(kept - done, each);
            records.set(LONG, at, TraceFormat.commit(TraceFormat.KIND_CONTINUATION, 0, i));
            MemorySegment.copy(
                    data,
                    done,
                    records,
                    ValueLayout.JAVA_BYTE,
                    at + TraceFormat.CONTINUATION_DATA_AT,
                    count);
            done += count;
        }
        long linkTime = 0;
        if (linkNanos != TraceEvent.Stamp.NO_LINK_TIME) {
            flags |= TraceFormat.FLAG_LINK_TIME;
            linkTime = Math.clamp(linkNanos, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        records.set(
                LONG, 0, TraceFormat.commit(kind, flags, continuations) | linkTime << Integer.SIZE);
        return records;
    }

    /** Of what is under way only the first bytes count, and these would mean nothing then. */
    private boolean needsAllData() {
        return event instanceof TraceEvent.Lease || event instanceof TraceEvent.Changed;
    }

    private void read() {
        switch (event) {
            case TraceEvent.Access e -> {
                kind = e.write() ? TraceFormat.KIND_WRITE : TraceFormat.KIND_READ;
                where = e.region();
                address = e.offset();
                width = e.widthBytes();
                extra = e.write() ? e.byteEnables() : 0;
                status(e.status());
                data(e.data());
            }
            case TraceEvent.Dma e -> {
                kind = e.write() ? TraceFormat.KIND_DMA_WRITE : TraceFormat.KIND_DMA_READ;
                address = e.address();
                status(e.status());
                data(e.data());
                if (e.data().digest() != null) {
                    flags |= TraceFormat.FLAG_DIGEST;
                    extra = e.data().digest();
                }
            }
            case TraceEvent.Interrupt e -> {
                kind = TraceFormat.KIND_INTERRUPT;
                where = e.kind().code();
                address = e.vector();
            }
            case TraceEvent.InterruptControl e -> {
                kind = TraceFormat.KIND_INTERRUPT_CONTROL;
                where = e.kind().code();
                detail = e.action().code();
                address = e.first();
                extra = e.count();
            }
            case TraceEvent.Reset e -> {
                kind = TraceFormat.KIND_RESET;
                detail = e.kind().code();
                extra = e.newGeneration();
                status(e.status());
            }
            case TraceEvent.Mapped e -> {
                kind = TraceFormat.KIND_MAP;
                where = e.direction().bits();
                detail = (e.near() ? 1 : 0) | (e.servedWhileWaiting() ? 2 : 0);
                address = e.address();
                extra = e.length();
            }
            case TraceEvent.Unmapped e -> {
                kind = TraceFormat.KIND_UNMAP;
                address = e.address();
                extra = e.length();
                status(e.status());
            }
            case TraceEvent.Told e -> told(e.event());
            case TraceEvent.Mark e -> {
                text(TraceFormat.KIND_MARK, e.text());
                detail = e.byGuest() ? TraceFormat.MARK_BY_GUEST : 0;
            }
            case TraceEvent.Attached e -> {
                kind = TraceFormat.KIND_ATTACH;
                detail = e.attached() ? 1 : 0;
            }
            case TraceEvent.State e -> {
                kind = TraceFormat.KIND_STATE;
                detail = stateCode(e.operation());
                extra = e.bytes();
                status(e.status());
            }
            case TraceEvent.Near e -> {
                kind = TraceFormat.KIND_NEAR;
                where = e.direction().bits();
                detail = e.given() ? 1 : 0;
                address = e.address();
                extra = e.length();
            }
            case TraceEvent.Lost e -> {
                kind = TraceFormat.KIND_LOST;
                extra = e.count();
            }
            case TraceEvent.Lease e -> {
                // However long the first two are, the third has room, and its zero byte before it.
                String names = cut(e.slot()) + "\0" + cut(e.identity());
                text(TraceFormat.KIND_LEASE, names + "\0" + e.why());
                detail = e.begun() ? TraceFormat.LEASE_BEGUN : TraceFormat.LEASE_ENDED;
                extra = e.epoch();
            }
            case TraceEvent.Changed e -> changed(e);
            case TraceEvent.Counted e -> {
                kind = TraceFormat.KIND_COUNTED;
                where = e.region();
                address = e.firstOffset();
                extra = e.lastOffset();
                ByteBuffer counts = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
                data(counts.putLong(e.reads()).putLong(e.writes()).array());
            }
            case TraceEvent.Setting e -> text(TraceFormat.KIND_SETTING, e.setting());
        }
    }

    private static int stateCode(TraceEvent.State.Operation operation) {
        return switch (operation) {
            case QUIESCE -> TraceFormat.STATE_QUIESCE;
            case SAVE -> TraceFormat.STATE_SAVE;
            case LOAD -> TraceFormat.STATE_LOAD;
            case RESUME -> TraceFormat.STATE_RESUME;
        };
    }

    private void told(FunctionEvent told) {
        switch (told) {
            case FunctionEvent.Error e -> {
                told(TraceFormat.EVENT_ERROR, e.sentence());
                extra = e.fatal() ? 1 : 0;
            }
            case FunctionEvent.PowerManagement e -> told(TraceFormat.EVENT_POWER_MANAGEMENT, "");
            case FunctionEvent.Presence e -> {
                told(TraceFormat.EVENT_PRESENCE, "");
                extra = e.present() ? 1 : 0;
            }
            case FunctionEvent.DescriptionChanged e ->
                    told(TraceFormat.EVENT_DESCRIPTION_CHANGED, "");
            case FunctionEvent.GoingAway e -> told(TraceFormat.EVENT_GOING_AWAY, e.sentence());
            case FunctionEvent.NewGeneration e -> {
                told(TraceFormat.EVENT_NEW_GENERATION, "");
                where = e.kind().code();
                extra = e.generation();
            }
            case FunctionEvent.DmaRefused e -> {
                told(TraceFormat.EVENT_DMA_REFUSED, e.sentence());
                where = e.direction().bits();
                address = e.address();
                extra = e.length();
            }
        }
    }

    private void told(int which, String sentence) {
        text(TraceFormat.KIND_EVENT, sentence);
        detail = which;
    }

    private void changed(TraceEvent.Changed e) {
        kind = TraceFormat.KIND_CHANGED;
        boolean memory = e.region() == TraceEvent.Changed.MEMORY;
        where = memory ? TraceFormat.WHERE_MEMORY : e.region();
        address = e.address();
        byte[] tap = e.tap().getBytes(StandardCharsets.UTF_8);
        tap = Arrays.copyOf(tap, Math.min(tap.length, MOST_NAME_BYTES));
        detail = tap.length;
        data(
                ByteBuffer.allocate(tap.length + e.before().length + e.after().length)
                        .put(tap)
                        .put(e.before())
                        .put(e.after())
                        .array());
    }

    private void text(int textKind, String text) {
        kind = textKind;
        data(TraceWriter.textBytes(text));
    }

    /** As much of a name as a lease has room for, without zero bytes. */
    private static String cut(String name) {
        String clean = name.replace('\0', ' ');
        while (clean.getBytes(StandardCharsets.UTF_8).length > MOST_LEASE_NAME_BYTES) {
            clean = clean.substring(0, clean.offsetByCodePoints(clean.length(), -1));
        }
        return clean;
    }

    private void data(byte[] bytes) {
        data = bytes;
        length = bytes.length;
    }

    private void data(TraceEvent.Data moved) {
        data = moved.kept();
        length = moved.length();
    }

    private void status(CompletionStatus completion) {
        status = completion == null ? TraceFormat.NO_STATUS : completion.code();
    }
}
