package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.core.Tap;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A tap that tells a {@link Sightings} all that passes it, both ways, with what came of it. */
final class Witness extends Tap {
    private final Sightings sightings;

    Witness(PciFunction next, Sightings sightings) {
        super(next);
        this.sightings = sightings;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        Sightings.Sighting one =
                sightings.access(false, region, offset, into.byteSize(), widthBytes);
        CompletionStatus status = next().read(region, offset, into, widthBytes);
        one.came(status + (status.isSuccess() ? " " + Sightings.digest(into) : ""));
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        Sightings.Sighting one =
                sightings.access(true, region, offset, from.byteSize(), widthBytes);
        String data = Sightings.digest(from) + " " + Long.toHexString(byteEnables);
        CompletionStatus status = next().write(region, offset, from, widthBytes, byteEnables);
        one.came(data + " " + status);
        return status;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        sightings.interrupts(kind, first, count, action);
        next().interrupts(kind, first, count, action);
    }

    @Override
    public void map(DmaMap map) {
        sightings.map(map.address(), map.length(), map.direction(), map.near() != null);
        next().map(map);
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        Sightings.Sighting one = sightings.unmap(address, length);
        CompletionStatus status = next().unmap(address, length);
        one.came(status.toString());
        return status;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        Sightings.Sighting one = sightings.reset(kind);
        CompletionStatus status = next().reset(kind);
        one.came(status + " generation " + next().generation());
        return status;
    }

    @Override
    protected PciHost around(PciHost host) {
        sightings.attached(true);
        return new WitnessedHost(host);
    }

    @Override
    protected void detached() {
        sightings.attached(false);
    }

    private final class WitnessedHost extends ForwardingHost {
        WitnessedHost(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            Sightings.Sighting one = sightings.dma(false, address, into.byteSize());
            CompletionStatus status = next().read(generation, address, into);
            one.came(status + (status.isSuccess() ? " " + Sightings.digest(into) : ""));
            return status;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            Sightings.Sighting one = sightings.dma(true, address, from.byteSize());
            String data = Sightings.digest(from);
            one.came(data);
            CompletionStatus status = next().write(generation, address, from);
            if (!status.isSuccess()) {
                one.came(data + " " + status);
            }
            return status;
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            List<Sightings.Sighting> all =
                    segments.stream()
                            .map(one -> sightings.dma(false, one.address(), one.data().byteSize()))
                            .toList();
            CompletionStatus status = next().readAll(generation, segments);
            for (int i = 0; i < segments.size(); i++) {
                String data = Sightings.digest(segments.get(i).data());
                all.get(i).came(status + (status.isSuccess() ? " " + data : ""));
            }
            return status;
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            for (DmaSegment segment : segments) {
                sightings
                        .dma(true, segment.address(), segment.data().byteSize())
                        .came(Sightings.digest(segment.data()));
            }
            return next().writeAll(generation, segments);
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            sightings.near(address, length, direction);
            return next().near(generation, address, length, direction);
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            sightings.interrupt(kind, vector);
            next().interrupt(generation, kind, vector);
        }

        @Override
        public void event(FunctionEvent event) {
            sightings.event(event);
            next().event(event);
        }
    }
}
