package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Counts what passes, of each kind of deed, and adds up what it was, so that two of them, one at
 * each end of a link, agree only where everything came, once and as it was. Order is nothing to it.
 */
final class Tally extends PassingTap {
    private static final int BAR0 = 0;

    private final Map<String, long[]> sums = new TreeMap<>();

    Tally(PciFunction next) {
        super(next);
    }

    /** By kind of deed: how many, and the sum of what they were. */
    synchronized Map<String, String> sums() {
        Map<String, String> all = new TreeMap<>();
        sums.forEach((kind, sum) -> all.put(kind, sum[0] + ", " + Long.toHexString(sum[1])));
        return all;
    }

    synchronized long count(String kind) {
        return sums.getOrDefault(kind, new long[1])[0];
    }

    private void add(String kind, long place, CompletionStatus status, MemorySegment data) {
        CRC32C sum = new CRC32C();
        sum.update(data.toArray(ValueLayout.JAVA_BYTE));
        long what = (place * 31 + status.code()) * 31 + sum.getValue();
        // Mixed, so that two of one do not look like one of two others.
        what = (what ^ what >>> 29) * 0x9E37_79B9_7F4A_7C15L;
        add(kind, what ^ what >>> 32);
    }

    private synchronized void add(String kind, long what) {
        long[] sum = sums.computeIfAbsent(kind, absent -> new long[2]);
        sum[0]++;
        sum[1] += what;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        CompletionStatus status = super.read(region, offset, into, widthBytes);
        if (region == BAR0) {
            add("read", offset, status, into);
        }
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        if (region == BAR0) {
            add("write", offset, CompletionStatus.SUCCESS, from);
        }
        return super.write(region, offset, from, widthBytes, byteEnables);
    }

    @Override
    protected PciHost around(PciHost host) {
        return new ForwardingHost(host) {
            @Override
            public CompletionStatus read(int generation, long address, MemorySegment into) {
                CompletionStatus status = super.read(generation, address, into);
                add("dma read", address, status, into);
                return status;
            }

            @Override
            public CompletionStatus write(int generation, long address, MemorySegment from) {
                CompletionStatus status = super.write(generation, address, from);
                add("dma write", address, status, from);
                return status;
            }

            @Override
            public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
                CompletionStatus status = super.readAll(generation, segments);
                for (DmaSegment one : segments) {
                    add("dma read", one.address(), status, one.data());
                }
                return status;
            }

            @Override
            public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
                CompletionStatus status = super.writeAll(generation, segments);
                for (DmaSegment one : segments) {
                    add("dma write", one.address(), status, one.data());
                }
                return status;
            }

            @Override
            public void interrupt(int generation, InterruptKind kind, int vector) {
                add("interrupt", (long) kind.code() << 32 | vector);
                super.interrupt(generation, kind, vector);
            }
        };
    }
}
