package farslot.devices.nvme;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.core.Tap;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Observation.When;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Keeps what passes as decoders are shown it, in the order in which it began. */
final class ObservingTap extends Tap {
    private final int dmaBytes;
    private final List<Observation> observations = new ArrayList<>();

    /**
     * @param dmaBytes how much is kept of each DMA
     */
    ObservingTap(PciFunction next, int dmaBytes) {
        super(next);
        this.dmaBytes = dmaBytes;
    }

    /** What has ended so far; its times are its numbers. */
    synchronized List<Observation> observations() {
        return observations.stream().filter(observation -> observation != null).toList();
    }

    private synchronized int begin() {
        observations.add(null);
        return observations.size() - 1;
    }

    private synchronized void end(int number, Observation observation) {
        observations.set(number, observation);
    }

    private static When when(int number) {
        return new When(number, number * 1000L, 100);
    }

    private static byte[] bytes(MemorySegment data) {
        return data.toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        int number = begin();
        CompletionStatus status = next().read(region, offset, into, widthBytes);
        byte[] data = status.isSuccess() ? bytes(into) : new byte[0];
        end(
                number,
                new Observation.Access(
                        when(number), false, region, offset, into.byteSize(), -1, status, data));
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        int number = begin();
        byte[] data = bytes(from);
        CompletionStatus status = next().write(region, offset, from, widthBytes, byteEnables);
        end(
                number,
                new Observation.Access(
                        when(number),
                        true,
                        region,
                        offset,
                        data.length,
                        byteEnables,
                        status,
                        data));
        return status;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        int number = begin();
        CompletionStatus status = next().reset(kind);
        end(number, new Observation.Reset(when(number), kind));
        return status;
    }

    @Override
    protected PciHost around(PciHost host) {
        return new ForwardingHost(host) {
            @Override
            public CompletionStatus read(int generation, long address, MemorySegment into) {
                int number = begin();
                CompletionStatus status = next().read(generation, address, into);
                dma(number, false, new DmaSegment(address, into), status);
                return status;
            }

            @Override
            public CompletionStatus write(int generation, long address, MemorySegment from) {
                int number = begin();
                CompletionStatus status = next().write(generation, address, from);
                dma(number, true, new DmaSegment(address, from), status);
                return status;
            }

            @Override
            public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
                int[] numbers = segments.stream().mapToInt(segment -> begin()).toArray();
                CompletionStatus status = next().readAll(generation, segments);
                for (int i = 0; i < numbers.length; i++) {
                    dma(numbers[i], false, segments.get(i), status);
                }
                return status;
            }

            @Override
            public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
                int[] numbers = segments.stream().mapToInt(segment -> begin()).toArray();
                CompletionStatus status = next().writeAll(generation, segments);
                for (int i = 0; i < numbers.length; i++) {
                    dma(numbers[i], true, segments.get(i), status);
                }
                return status;
            }

            @Override
            public void interrupt(int generation, InterruptKind kind, int vector) {
                int number = begin();
                end(number, new Observation.Interrupt(when(number), kind, vector));
                next().interrupt(generation, kind, vector);
            }
        };
    }

    private void dma(int number, boolean write, DmaSegment segment, CompletionStatus status) {
        byte[] data = status.isSuccess() ? bytes(segment.data()) : new byte[0];
        byte[] kept = Arrays.copyOf(data, Math.min(dmaBytes, data.length));
        long length = segment.data().byteSize();
        end(
                number,
                new Observation.Dma(when(number), write, segment.address(), length, status, kept));
    }
}
