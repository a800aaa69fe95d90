package farslot.devices.nvme;

import java.util.ArrayList;
import java.util.List;

/**
 * The critical warning of the SMART log (NVMe 1.4, 5.14.1.2), and the events of warnings that the
 * driver asked to be told of (5.21.1.11).
 */
final class CriticalWarnings {
    static final int SPARE = 1;
    static final int TEMPERATURE = 1 << 1;
    static final int RELIABILITY = 1 << 2;

    private final HealthCounters counters;
    private final Features features;
    private int told;

    CriticalWarnings(HealthCounters counters, Features features) {
        this.counters = counters;
        this.features = features;
    }

    /** The warnings that there are now. */
    int now() {
        return (counters.isSpareUsedUp() ? SPARE : 0)
                | (features.isTemperaturePastThreshold() ? TEMPERATURE : 0)
                | (counters.mediaErrors() > 0 ? RELIABILITY : 0);
    }

    synchronized int told() {
        return told;
    }

    synchronized void setTold(int warnings) {
        told = warnings;
    }

    /** The events of warnings that are there, and wanted, and were not when this was last asked. */
    synchronized AsynchronousEvent[] risen() {
        int wanted = now() & features.criticalWarningsWanted();
        int risen = wanted & ~told;
        told = wanted;
        List<AsynchronousEvent> events = new ArrayList<>();
        if ((risen & RELIABILITY) != 0) {
            events.add(AsynchronousEvent.RELIABILITY);
        }
        if ((risen & TEMPERATURE) != 0) {
            events.add(AsynchronousEvent.TEMPERATURE_THRESHOLD);
        }
        if ((risen & SPARE) != 0) {
            events.add(AsynchronousEvent.SPARE_BELOW_THRESHOLD);
        }
        return events.toArray(AsynchronousEvent[]::new);
    }
}
