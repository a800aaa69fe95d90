package farslot.analysis.export;

import farslot.analysis.Decoders;
import farslot.analysis.TransactionReader;
import farslot.core.CompletionStatus;
import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import farslot.registers.RegisterText;
import farslot.sdk.decode.DecoderProvider;
import farslot.sdk.decode.Transaction;
import farslot.sdk.decode.Transaction.Stage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.function.Predicate;

/**
 * A trace for Perfetto's viewer (ui.perfetto.dev): its own protobuf format, with TrackEvents. The
 * function is a process; each region, the DMA, each interrupt vector and each stream of a decoder's
 * transactions are tracks; what takes time is a slice, what does not is an instant. Flows lead from
 * event to event of a transaction: from a doorbell to its interrupt.
 *
 * <p>Constants are the field numbers of Perfetto's protos/perfetto/trace/track_event, by their
 * names there.
 */
final class PerfettoExport implements TraceExport {
    @Override
    public String name() {
        return "perfetto";
    }

    @Override
    public boolean isText() {
        return false;
    }

    @Override
    public void write(ExportedTrace trace, OutputStream out) throws IOException {
        TraceReader reader = trace.reader();
        PerfettoPackets packets = new PerfettoPackets(out);
        packets.clocks(reader.began());
        packets.process(reader.description());
        Story story = new Story(packets, trace.names());
        List<DecoderProvider> decoders = Decoders.of(reader.description());
        if (!decoders.isEmpty()) {
            story.transactions(reader, decoders, trace.wanted().get());
        }
        Predicate<TraceEvent> wanted = trace.wanted().get();
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            if (wanted.test(event)) {
                story.event(event);
            }
        }
    }

    /** What happened, as TrackEvents. */
    private static final class Story {
        static final int DEBUG_ANNOTATIONS = 4;
        static final int TYPE = 9;
        static final int TRACK_UUID = 11;
        static final int EVENT_NAME = 23;
        static final int COUNTER_VALUE = 30;
        static final int FLOW_IDS = 47;
        static final int TYPE_SLICE_BEGIN = 1;
        static final int TYPE_SLICE_END = 2;
        static final int TYPE_INSTANT = 3;
        static final int TYPE_COUNTER = 4;

        static final int ANNOTATION_UINT_VALUE = 3;
        static final int ANNOTATION_STRING_VALUE = 6;
        static final int ANNOTATION_POINTER_VALUE = 7;
        static final int ANNOTATION_NAME = 10;

        static final int UNIT_COUNT = 2;
        static final int UNIT_SIZE_BYTES = 3;

        /** PCI 3.0, 6.8.3.2. */
        static final int MAX_VECTORS = 2048;

        /** The places of tracks, behind those of transactions, which count from 0. */
        static final int REGION_RANK = 1 << 20;

        static final int DMA_RANK = REGION_RANK + Region.COUNT + 1;
        static final int INTERRUPT_RANK = DMA_RANK + 2;
        static final int OTHER_RANK = INTERRUPT_RANK + MAX_VECTORS;
        static final int COUNTER_RANK = OTHER_RANK + 2;

        private final PerfettoPackets packets;
        private final TraceNames names;
        private final EventLine line;
        private final PerfettoTracks tracks;
        private final EventFlows flows = new EventFlows();
        private final ProtobufMessage event = new ProtobufMessage();
        private final ProtobufMessage annotation = new ProtobufMessage();
        private final StringBuilder fields = new StringBuilder();
        private final long[] counters = new long[3];
        private final long[] counted = new long[3];

        Story(PerfettoPackets packets, TraceNames names) {
            this.packets = packets;
            this.names = names;
            this.line = new EventLine(names);
            this.tracks = new PerfettoTracks(packets::track);
        }

        /** Reads the trace once more before the events, to know which belong together. */
        void transactions(
                TraceReader reader, List<DecoderProvider> decoders, Predicate<TraceEvent> wanted)
                throws IOException {
            try (TraceReader again = TraceReader.open(reader.file())) {
                TransactionReader transactions = new TransactionReader(again, decoders, wanted);
                for (Transaction found = transactions.next();
                        found != null;
                        found = transactions.next()) {
                    flows.add(found);
                    transaction(found);
                }
            }
            flows.sort();
        }

        private void transaction(Transaction transaction) throws IOException {
            long from = Math.max(0, transaction.first().nanos());
            long to = Math.max(from, transaction.last().nanos());
            String name = "decoded " + transaction.stream();
            long track = tracks.of(name, tracks.count(), from, to);
            if (track == 0) {
                return;
            }
            begin(to > from ? TYPE_SLICE_BEGIN : TYPE_INSTANT, track, transaction.title());
            for (Transaction.Field field : transaction.fields()) {
                annotate(field.name(), field.text());
            }
            if (!transaction.status().isEmpty()) {
                annotate("status", transaction.status());
            }
            transaction.remarks().forEach(remark -> annotate("remark", remark));
            packets.event(from, event);
            if (to == from) {
                return;
            }
            long at = from;
            for (int i = 0; i + 1 < transaction.stages().size(); i++) {
                Stage stage = transaction.stages().get(i);
                long end = Math.clamp(transaction.stages().get(i + 1).nanos(), at, to);
                if (end > at) {
                    begin(TYPE_SLICE_BEGIN, track, stage.name());
                    annotate("event", ANNOTATION_UINT_VALUE, stage.number());
                    packets.event(at, event);
                    end(track, end);
                    at = end;
                }
            }
            end(track, to);
        }

        void event(TraceEvent event) throws IOException {
            switch (event) {
                case TraceEvent.Access e -> access(e);
                case TraceEvent.Dma e -> dma(e);
                case TraceEvent.Interrupt e -> {
                    String name = e.kind().name() + " " + e.vector();
                    int rank = INTERRUPT_RANK + Math.clamp(e.vector(), 0, MAX_VECTORS - 1);
                    instant(e, name, rank, "interrupt");
                    count(2, "interrupts", UNIT_COUNT, nanos(e), 1);
                }
                case TraceEvent.Mark e -> instant(e, "marks", OTHER_RANK, e.words());
                default -> {
                    String name = TraceText.kind(event);
                    annotated(event, "function", OTHER_RANK + 1, name, null);
                }
            }
        }

        private void access(TraceEvent.Access e) throws IOException {
            String label = names.label(e.region());
            // Configuration space before the BARs and the ROM.
            int rank = REGION_RANK + (e.region() == Region.CONFIGURATION ? 0 : 1 + e.region());
            String name = (e.write() ? "write " : "read ") + names.register(e);
            annotated(
                    e,
                    label,
                    rank,
                    name,
                    () -> {
                        annotate("offset", ANNOTATION_POINTER_VALUE, e.offset());
                        data(e.data());
                        long length = e.data().length();
                        if (length > 0 && length <= 8 && e.data().complete()) {
                            annotate("value", ANNOTATION_POINTER_VALUE, e.data().value());
                            fields.setLength(0);
                            RegisterText.appendFields(
                                    fields,
                                    names.domain(e.region()),
                                    e.offset(),
                                    (int) length,
                                    e.data().value());
                            if (!fields.isEmpty()) {
                                annotate("fields", fields.toString());
                            }
                        }
                        status(e.status());
                    });
        }

        private void dma(TraceEvent.Dma e) throws IOException {
            String name = e.write() ? "DMA write" : "DMA read";
            annotated(
                    e,
                    name,
                    DMA_RANK + (e.write() ? 1 : 0),
                    name + " " + e.data().length(),
                    () -> {
                        annotate("address", ANNOTATION_POINTER_VALUE, e.address());
                        data(e.data());
                        status(e.status());
                    });
            if (e.status() != null && e.status().isSuccess()) {
                int counter = e.write() ? 1 : 0;
                long end = nanos(e) + e.stamp().durationNanos();
                count(counter, name + " bytes", UNIT_SIZE_BYTES, end, e.data().length());
            }
        }

        private void data(TraceEvent.Data data) {
            annotate("length", ANNOTATION_UINT_VALUE, data.length());
            if (data.digest() != null) {
                annotate("xxh64", ANNOTATION_POINTER_VALUE, data.digest());
            }
        }

        private void status(CompletionStatus status) {
            if (status != null && !status.isSuccess()) {
                annotate("status", status.name());
            }
        }

        /** What has no duration of its own. */
        private void instant(TraceEvent e, String track, int rank, String name) throws IOException {
            long uuid = tracks.of(track, rank, nanos(e), nanos(e));
            begin(TYPE_INSTANT, uuid, name);
            common(e);
            packets.event(nanos(e), event);
        }

        /**
         * An event on a track: a slice where it took time, without an end where that was not seen.
         */
        private void annotated(
                TraceEvent e, String track, int rank, String name, Runnable annotations)
                throws IOException {
            long from = nanos(e);
            boolean open = e.stamp().underWay();
            long to = open ? Long.MAX_VALUE : from + e.stamp().durationNanos();
            long uuid = tracks.of(track, rank, from, to);
            boolean slice = uuid != 0 && to > from;
            if (uuid == 0) {
                uuid = tracks.of(track + " (more at once)", rank, from, from);
            }
            begin(slice ? TYPE_SLICE_BEGIN : TYPE_INSTANT, uuid, name);
            common(e);
            if (annotations == null) {
                annotate("text", line.of(e));
            } else {
                annotations.run();
            }
            packets.event(from, event);
            if (slice && !open) {
                end(uuid, to);
            }
        }

        private void common(TraceEvent e) {
            for (long id = flows.next(e.stamp().number());
                    id != 0;
                    id = flows.next(e.stamp().number())) {
                event.fixed64(FLOW_IDS, id);
            }
            annotate("event", ANNOTATION_UINT_VALUE, e.stamp().number());
        }

        private static long nanos(TraceEvent e) {
            return Math.max(0, e.stamp().nanos());
        }

        /** Adds to a total and shows it. */
        private void count(int counter, String name, int unit, long nanos, long more)
                throws IOException {
            if (counters[counter] == 0) {
                counters[counter] = tracks.newUuid();
                packets.counter(counters[counter], name, COUNTER_RANK + counter, unit);
            }
            counted[counter] += more;
            event.clear().number(TYPE, TYPE_COUNTER).number(TRACK_UUID, counters[counter]);
            event.number(COUNTER_VALUE, counted[counter]);
            packets.event(nanos, event);
        }

        private void begin(int type, long track, String name) {
            event.clear().number(TYPE, type).number(TRACK_UUID, track).text(EVENT_NAME, name);
        }

        private void end(long track, long nanos) throws IOException {
            event.clear().number(TYPE, TYPE_SLICE_END).number(TRACK_UUID, track);
            packets.event(nanos, event);
        }

        private void annotate(String name, int field, long value) {
            annotation.clear().text(ANNOTATION_NAME, name).number(field, value);
            event.message(DEBUG_ANNOTATIONS, annotation);
        }

        private void annotate(String name, String value) {
            annotation.clear().text(ANNOTATION_NAME, name).text(ANNOTATION_STRING_VALUE, value);
            event.message(DEBUG_ANNOTATIONS, annotation);
        }
    }
}
