package farslot.analysis.export;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The tracks of a {@link PerfettoExport}. Slices of one track have to lie within each other, which
 * concurrent accesses do not; so each name has as many tracks as there is concurrency, which
 * Perfetto's viewer shows as one.
 */
final class PerfettoTracks {
    /** The whole function. */
    static final long PROCESS = 1;

    /** More than this at once is what only a damaged trace has. */
    private static final int MAX_LANES = 64;

    /** Says that there is a track, before it is used first. */
    interface Announcement {
        void announce(long uuid, String name, int rank) throws IOException;
    }

    /** A track, and from when on nothing is on it. */
    private static final class Lane {
        final long uuid;
        long freeFromNanos;

        Lane(long uuid, long freeFromNanos) {
            this.uuid = uuid;
            this.freeFromNanos = freeFromNanos;
        }
    }

    private final Map<String, List<Lane>> lanes = new HashMap<>();
    private final Announcement announcement;
    private long nextUuid = PROCESS + 1;

    PerfettoTracks(Announcement announcement) {
        this.announcement = announcement;
    }

    /**
     * A track of this name where nothing else is from one time to the other; 0 where there are too
     * many already. What is asked for comes by rising beginning or by rising end.
     *
     * @param rank its place among the others
     */
    long of(String name, int rank, long fromNanos, long toNanos) throws IOException {
        List<Lane> known = lanes.computeIfAbsent(name, _ -> new ArrayList<>());
        for (Lane lane : known) {
            if (lane.freeFromNanos <= fromNanos) {
                lane.freeFromNanos = toNanos;
                return lane.uuid;
            }
        }
        if (known.size() == MAX_LANES) {
            return 0;
        }
        Lane lane = new Lane(nextUuid++, toNanos);
        known.add(lane);
        announcement.announce(lane.uuid, name, rank);
        return lane.uuid;
    }

    /** How many names there are. */
    int count() {
        return lanes.size();
    }

    /** A number for a track that its user announces. */
    long newUuid() {
        return nextUuid++;
    }
}
