package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.DmaTable;
import farslot.core.ForwardingHost;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.core.Tap;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A place on a function's path where recorders are put in and taken out while the function works,
 * any number of them: each {@link Recording} is a trace of its own. Without any, what passes costs
 * one more call.
 *
 * <p>What began before a recorder was put in is not in its trace; what is under way when it is
 * taken out stands there as begun. A recording begins with the host and the DMA maps that are
 * there.
 *
 * <p><b>Threads.</b> Any thread may begin and end recordings; whoever uses the function waits for
 * none of that.
 */
public final class TracePoint extends Tap {
    private final List<Recording> recordings = new ArrayList<>();

    /** The maps at this moment, for recordings that begin later. */
    private final DmaTable maps = new DmaTable();

    /** The outermost recorder, or the function itself: replaced whole. */
    private volatile PciFunction first;

    /** What the function was given as its host; null where it has none. */
    private PointHost host;

    /**
     * @param next the function to record
     */
    public TracePoint(PciFunction next) {
        super(next);
        first = next;
    }

    /**
     * Begins a recording.
     *
     * @param file the trace, which must not exist
     * @throws TraceException where the file cannot be made
     */
    public Recording begin(Path file, TraceOptions options) throws TraceException {
        return begin(file, options, false);
    }

    /**
     * Begins a recording that is made for those who read along.
     *
     * @param file the trace, which must not exist
     * @param stays whether it can be read still, until it is closed, once {@link
     *     RecordingRules#until} has held: for those who read along. Else it is closed then
     * @throws TraceException where the file cannot be made
     */
    public Recording begin(Path file, TraceOptions options, boolean stays) throws TraceException {
        RecorderTap tap = RecorderTap.recording(next(), file, options);
        Recording recording = new Recording(this, tap, options.ringBytes() > 0, stays);
        List<DmaMap> known;
        synchronized (this) {
            recordings.add(recording);
            known = maps.maps();
            rebuild();
            if (host != null) {
                tap.recordAttached();
            }
        }
        known.forEach(tap::recordMap);
        return recording;
    }

    /** Those that are under way, the oldest first. */
    public synchronized List<Recording> recordings() {
        return List.copyOf(recordings);
    }

    /** A mark in each trace that is being recorded here. */
    public void mark(String text) {
        recordings().forEach(recording -> recording.mark(text));
    }

    /** Takes a recorder out: nothing that begins from now on is in its trace. */
    synchronized void remove(Recording recording) {
        if (recordings.remove(recording)) {
            rebuild();
        }
    }

    /** Puts all recorders on the path anew, the newest innermost. */
    private void rebuild() {
        PciFunction inner = next();
        for (Recording recording : recordings.reversed()) {
            inner = recording.tap().over(inner);
        }
        first = inner;
        if (host != null) {
            host.first = hostFor(host.driver());
        }
    }

    /** The way from the function to the driver: past the innermost recorder first. */
    private PciHost hostFor(PciHost driver) {
        PciHost outer = driver;
        for (Recording recording : recordings) {
            outer = recording.tap().recording(outer);
        }
        return outer;
    }

    @Override
    protected synchronized PciHost around(PciHost driver) {
        host = new PointHost(driver);
        host.first = hostFor(driver);
        recordings.forEach(recording -> recording.tap().recordAttached());
        return host;
    }

    @Override
    protected synchronized void detached() {
        host = null;
        recordings.forEach(recording -> recording.tap().detached());
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        return first.read(region, offset, into, widthBytes);
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        return first.write(region, offset, from, widthBytes, byteEnables);
    }

    @Override
    public void interrupts(InterruptKind kind, int vector, int count, InterruptAction action) {
        first.interrupts(kind, vector, count, action);
    }

    @Override
    public void map(DmaMap map) {
        synchronized (this) {
            // A recording that begins from now on has it from here, one that began before by
            // itself.
            maps.add(map);
        }
        first.map(map);
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        CompletionStatus status = first.unmap(address, length);
        if (status.isSuccess()) {
            synchronized (this) {
                maps.remove(address, length);
            }
        }
        return status;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        return first.reset(kind);
    }

    @Override
    public CompletionStatus quiesce() {
        return first.quiesce();
    }

    @Override
    public void resume() {
        first.resume();
    }

    @Override
    public byte[] save() throws StateException {
        return first.save();
    }

    @Override
    public void load(byte[] state) throws StateException {
        first.load(state);
    }

    /** What the function below uses as its host, whichever recorders there are. */
    private static final class PointHost extends ForwardingHost {
        /** The innermost recorder's host, or the driver's side itself. */
        private volatile PciHost first;

        PointHost(PciHost driver) {
            super(driver);
            first = driver;
        }

        PciHost driver() {
            return next();
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            return first.read(generation, address, into);
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            return first.write(generation, address, from);
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            return first.readAll(generation, segments);
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            return first.writeAll(generation, segments);
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return first.near(generation, address, length, direction);
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            first.interrupt(generation, kind, vector);
        }

        @Override
        public void event(FunctionEvent event) {
            first.event(event);
        }
    }
}
