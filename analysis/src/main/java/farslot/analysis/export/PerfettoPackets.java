package farslot.analysis.export;

import farslot.core.FunctionDescription;
import farslot.recorder.TraceText;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;

/**
 * Writes the packets of Perfetto's trace format: what describes tracks and clocks, and the events.
 * Constants are the field numbers of its protos/perfetto/trace/trace_packet.proto,
 * clock_snapshot.proto and track_event/track_descriptor.proto, by their names there.
 */
final class PerfettoPackets {
    private static final int TRACE_PACKET = 1;
    private static final int CLOCK_SNAPSHOT = 6;
    private static final int TIMESTAMP = 8;
    private static final int TRUSTED_PACKET_SEQUENCE_ID = 10;
    private static final int TRACK_EVENT = 11;
    private static final int SEQUENCE_FLAGS = 13;
    private static final int TRACK_DESCRIPTOR = 60;
    private static final int SEQ_INCREMENTAL_STATE_CLEARED = 1;

    private static final int CLOCKS = 1;
    private static final int PRIMARY_TRACE_CLOCK = 2;
    private static final int CLOCK_ID = 1;
    private static final int CLOCK_TIMESTAMP = 2;
    private static final int REALTIME = 1;
    private static final int BOOTTIME = 6;

    private static final int UUID = 1;
    private static final int NAME = 2;
    private static final int PROCESS = 3;
    private static final int PARENT_UUID = 5;
    private static final int COUNTER = 8;
    private static final int CHILD_ORDERING = 11;
    private static final int SIBLING_ORDER_RANK = 12;
    private static final int EXPLICIT = 3;
    private static final int PID = 1;
    private static final int PROCESS_NAME = 6;
    private static final int COUNTER_UNIT = 3;

    private final OutputStream out;
    private final ProtobufMessage trace = new ProtobufMessage();
    private final ProtobufMessage packet = new ProtobufMessage();
    private final ProtobufMessage content = new ProtobufMessage();
    private final ProtobufMessage part = new ProtobufMessage();

    PerfettoPackets(OutputStream out) {
        this.out = out;
    }

    /** The trace's time 0 in time of day. */
    void clocks(Instant began) throws IOException {
        long wall = began.getEpochSecond() * 1_000_000_000L + began.getNano();
        content.clear();
        content.message(CLOCKS, part.clear().number(CLOCK_ID, BOOTTIME).number(CLOCK_TIMESTAMP, 0));
        content.message(
                CLOCKS, part.clear().number(CLOCK_ID, REALTIME).number(CLOCK_TIMESTAMP, wall));
        content.number(PRIMARY_TRACE_CLOCK, BOOTTIME);
        packet.clear().number(SEQUENCE_FLAGS, SEQ_INCREMENTAL_STATE_CLEARED);
        write(CLOCK_SNAPSHOT, content);
    }

    void process(FunctionDescription function) throws IOException {
        String name =
                String.format(
                        "%s %04x:%04x",
                        TraceText.clean(function.kind()),
                        function.identity().vendor(),
                        function.identity().device());
        content.clear().number(UUID, PerfettoTracks.PROCESS);
        content.message(PROCESS, part.clear().number(PID, 1).text(PROCESS_NAME, name));
        content.number(CHILD_ORDERING, EXPLICIT);
        packet.clear();
        write(TRACK_DESCRIPTOR, content);
    }

    void track(long uuid, String name, int rank) throws IOException {
        packet.clear();
        write(TRACK_DESCRIPTOR, descriptor(uuid, name, rank));
    }

    /**
     * @param unit of CounterDescriptor: 2 a count, 3 bytes
     */
    void counter(long uuid, String name, int rank, int unit) throws IOException {
        packet.clear();
        descriptor(uuid, name, rank).message(COUNTER, part.clear().number(COUNTER_UNIT, unit));
        write(TRACK_DESCRIPTOR, content);
    }

    private ProtobufMessage descriptor(long uuid, String name, int rank) {
        return content.clear()
                .number(UUID, uuid)
                .number(PARENT_UUID, PerfettoTracks.PROCESS)
                .text(NAME, name)
                .number(SIBLING_ORDER_RANK, rank);
    }

    void event(long nanos, ProtobufMessage event) throws IOException {
        packet.clear().number(TIMESTAMP, nanos);
        write(TRACK_EVENT, event);
    }

    private void write(int kind, ProtobufMessage message) throws IOException {
        packet.number(TRUSTED_PACKET_SEQUENCE_ID, 1).message(kind, message);
        trace.clear().message(TRACE_PACKET, packet);
        out.write(trace.bytes(), 0, trace.length());
    }
}
