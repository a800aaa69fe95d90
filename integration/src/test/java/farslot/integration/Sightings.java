package farslot.integration;

import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What was seen to pass, in the order in which it began: of a witness, a driver, or a trace. How
 * often a driver looks at nvme's CSTS until it is ready is chance, so of such looks in a row only
 * the last is kept. Any thread may tell.
 */
final class Sightings {
    private static final int CSTS = 0x1c;

    /** One thing that passed, and what came of it. */
    static final class Sighting {
        private final String what;
        private volatile String outcome = "";

        Sighting(String what) {
            this.what = what;
        }

        void came(String of) {
            outcome = of;
        }

        String what() {
            return what;
        }

        @Override
        public String toString() {
            return outcome.isEmpty() ? what : what + " -> " + outcome;
        }
    }

    private final List<Sighting> seen = new ArrayList<>();

    /** The first bytes, and a checksum of all where there are more. */
    static String digest(MemorySegment data) {
        StringBuilder text = new StringBuilder();
        for (long at = 0; at < Math.min(8, data.byteSize()); at++) {
            text.append(String.format("%02x", data.get(ValueLayout.JAVA_BYTE, at)));
        }
        if (data.byteSize() > 8) {
            CRC32C sum = new CRC32C();
            sum.update(data.toArray(ValueLayout.JAVA_BYTE));
            text.append(String.format("... sum %08x", sum.getValue()));
        }
        return text.toString();
    }

    synchronized Sighting add(String what) {
        Sighting sighting = new Sighting(what);
        seen.add(sighting);
        return sighting;
    }

    synchronized Sighting access(
            boolean write, int region, long offset, long length, int widthBytes) {
        String what =
                String.format(
                        "%s %d+0x%x %d/%d",
                        write ? "write" : "read", region, offset, length, widthBytes);
        boolean looksAgain =
                !write
                        && region == 0
                        && offset == CSTS
                        && !seen.isEmpty()
                        && seen.getLast().what.equals(what);
        if (looksAgain) {
            seen.removeLast();
        }
        return add(what);
    }

    Sighting dma(boolean write, long address, long length) {
        return add(String.format("dma %s 0x%x %d", write ? "write" : "read", address, length));
    }

    void near(long address, long length, Direction direction) {
        add(String.format("near 0x%x %d %s", address, length, direction));
    }

    void interrupt(InterruptKind kind, long vector) {
        add("interrupt " + kind + " " + vector);
    }

    void interrupts(InterruptKind kind, long first, long count, InterruptAction action) {
        add("interrupts " + kind + " " + first + " " + count + " " + action);
    }

    void map(long address, long length, Direction direction, boolean near) {
        add(
                String.format(
                        "map 0x%x 0x%x %s %s", address, length, direction, near ? "near" : "far"));
    }

    Sighting unmap(long address, long length) {
        return add(String.format("unmap 0x%x 0x%x", address, length));
    }

    Sighting reset(ResetKind kind) {
        return add("reset " + kind);
    }

    void attached(boolean attached) {
        add(attached ? "attached" : "detached");
    }

    void event(FunctionEvent event) {
        add("event " + event.getClass().getSimpleName());
    }

    synchronized List<String> lines() {
        return seen.stream().map(Sighting::toString).toList();
    }

    /** Without what came of it. */
    synchronized List<String> deeds() {
        return seen.stream().map(Sighting::what).toList();
    }

    /** What a trace holds, which must be whole. */
    static Sightings ofTrace(Path file) throws TraceException {
        Sightings sightings = new Sightings();
        try (TraceReader reader = TraceReader.open(file)) {
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                sightings.add(event);
            }
            if (reader.lost() + reader.damaged() > 0 || !reader.closed()) {
                throw new AssertionError("The trace is not whole: " + reader.remarks());
            }
        }
        return sightings;
    }

    private void add(TraceEvent event) {
        switch (event) {
            case TraceEvent.Access one ->
                    access(
                            one.write(),
                            one.region(),
                            one.offset(),
                            one.data().length(),
                            one.widthBytes());
            case TraceEvent.Dma one -> dma(one.write(), one.address(), one.data().length());
            case TraceEvent.Interrupt one -> interrupt(one.kind(), one.vector());
            case TraceEvent.InterruptControl one ->
                    interrupts(one.kind(), one.first(), one.count(), one.action());
            case TraceEvent.Reset one -> reset(one.kind());
            case TraceEvent.Mapped one ->
                    map(one.address(), one.length(), one.direction(), one.near());
            case TraceEvent.Unmapped one -> unmap(one.address(), one.length());
            case TraceEvent.Told one -> event(one.event());
            case TraceEvent.Mark one -> add("mark " + one.text());
            case TraceEvent.Attached one -> attached(one.attached());
            case TraceEvent.State one -> add("state " + one.operation());
            case TraceEvent.Near one -> near(one.address(), one.length(), one.direction());
            case TraceEvent.Lost one -> add("lost " + one.count());
            case TraceEvent.Lease one -> {} // passes between lender and slot, not here
            case TraceEvent.Changed one -> add("changed by " + one.tap());
            case TraceEvent.Counted one -> add("counted " + one.reads() + " " + one.writes());
            case TraceEvent.Setting one -> {} // the recorder's own
        }
    }
}
