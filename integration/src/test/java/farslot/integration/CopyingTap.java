package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Tap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A tap that passes all data in buffers of its own, and spoils them as soon as the waist's contract
 * allows it: what was posted was read before the call returned, and what was read belongs to who
 * asked.
 */
final class CopyingTap extends Tap {
    private static final byte SPOILT = (byte) 0xa5;

    CopyingTap(PciFunction next) {
        super(next);
    }

    private static MemorySegment copy(MemorySegment from) {
        return Arena.ofAuto().allocate(from.byteSize(), 8).copyFrom(from);
    }

    private static MemorySegment spoilt(long bytes) {
        return Arena.ofAuto().allocate(bytes, 8).fill(SPOILT);
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        MemorySegment own = spoilt(into.byteSize());
        CompletionStatus status = next().read(region, offset, own, widthBytes);
        if (status.isSuccess()) {
            into.copyFrom(own);
        }
        own.fill(SPOILT);
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        MemorySegment own = copy(from);
        CompletionStatus status = next().write(region, offset, own, widthBytes, byteEnables);
        own.fill(SPOILT);
        return status;
    }

    @Override
    protected PciHost around(PciHost host) {
        return new CopyingHost(host);
    }

    private static final class CopyingHost extends ForwardingHost {
        CopyingHost(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            return readAll(generation, List.of(new DmaSegment(address, into)));
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            MemorySegment own = copy(from);
            CompletionStatus status = next().write(generation, address, own);
            own.fill(SPOILT);
            return status;
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            List<DmaSegment> own = new ArrayList<>();
            for (DmaSegment segment : segments) {
                own.add(new DmaSegment(segment.address(), spoilt(segment.data().byteSize())));
            }
            CompletionStatus status =
                    own.size() == 1
                            ? next().read(generation, own.get(0).address(), own.get(0).data())
                            : next().readAll(generation, own);
            for (int i = 0; i < own.size(); i++) {
                if (status.isSuccess()) {
                    segments.get(i).data().copyFrom(own.get(i).data());
                }
                own.get(i).data().fill(SPOILT);
            }
            return status;
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            List<DmaSegment> own =
                    segments.stream()
                            .map(one -> new DmaSegment(one.address(), copy(one.data())))
                            .toList();
            CompletionStatus status = next().writeAll(generation, own);
            own.forEach(one -> one.data().fill(SPOILT));
            return status;
        }
    }
}
