package farslot.analysis.export;

import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Predicate;

/**
 * The text of Linux's mmiotrace, version 20070824 (Linux, Documentation/trace/mmiotrace.rst; what
 * is exactly written: kernel/trace/trace_mmiotrace.c), as envytools' demmio and many programs read
 * it.
 *
 * <p>It knows reads and writes of 1, 2, 4 or 8 bytes of memory that worked. All else, and what the
 * function said of itself, stands in MARK lines ({@link MmiotraceMark}), from which {@code
 * MmiotraceImport} makes the same trace again.
 */
final class MmiotraceExport implements TraceExport {
    static final String VERSION = "VERSION 20070824";

    /** Bus 1, device 0, function 0: a trace does not know where its function was. */
    private static final String PLACE = "0100";

    /** The physical BARs and the ROM: what PCIDEV lists. */
    private static final int LISTED_REGIONS = 7;

    @Override
    public String name() {
        return "mmiotrace";
    }

    @Override
    public boolean isText() {
        return true;
    }

    @Override
    public void write(ExportedTrace trace, OutputStream out) throws IOException {
        TraceReader reader = trace.reader();
        Writer writer =
                new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8), 1 << 16);
        new Lines(reader, firstAddresses(reader), writer).write(trace.wanted().get());
        writer.flush();
    }

    /**
     * Where each region is when it is first reached, which is what a reader of PCIDEV expects: the
     * kernel prints those lines when the BARs have their addresses.
     */
    private static long[] firstAddresses(TraceReader reader) throws TraceException {
        FunctionDescription function = reader.description();
        BarAddresses addresses = new BarAddresses(function, reader.configuration());
        long[] first = new long[Region.COUNT];
        boolean[] reached = new boolean[Region.COUNT];
        try (TraceReader again = TraceReader.open(reader.file())) {
            for (TraceEvent event = again.next(); event != null; event = again.next()) {
                addresses.observe(event);
                if (event instanceof TraceEvent.Access access
                        && access.region() < LISTED_REGIONS
                        && !reached[access.region()]) {
                    int index = access.region();
                    reached[index] = true;
                    function.region(index).ifPresent(r -> first[index] = addresses.of(r));
                }
            }
        }
        for (Region region : function.regions()) {
            if (region.index() < LISTED_REGIONS && !reached[region.index()]) {
                first[region.index()] = addresses.of(region);
            }
        }
        return first;
    }

    /** One file's lines. */
    private static final class Lines {
        private final TraceReader reader;
        private final FunctionDescription function;
        private final Writer out;
        private final BarAddresses addresses;
        private final long[] firstAddress;
        private final StringBuilder line = new StringBuilder(1100);

        /** The id of each region's mapping, or 0, and the address that it is at. */
        private final int[] mapId = new int[Region.COUNT];

        private final long[] mapAddress = new long[Region.COUNT];
        private int nextMapId = 1;

        /** What a reader of this text takes as granted: see docs/exports.md. */
        private int generation = 1;

        private long nanos;
        private long lastNanos;

        Lines(TraceReader reader, long[] firstAddress, Writer out) {
            this.reader = reader;
            this.function = reader.description();
            this.firstAddress = firstAddress;
            this.out = out;
            this.addresses = new BarAddresses(function, reader.configuration());
        }

        void write(Predicate<TraceEvent> wanted) throws IOException {
            out.write(VERSION + "\n");
            pcidev();
            marks(MmiotraceMark.began(reader.began()));
            marks(MmiotraceMark.description(function));
            if (reader.configuration() != null) {
                marks(MmiotraceMark.configuration(reader.configuration()));
            }
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                if (wanted.test(event)) {
                    event(event);
                }
                addresses.observe(event);
            }
            nanos = lastNanos;
            for (int region = 0; region < mapId.length; region++) {
                unmap(region);
            }
            if (reader.lost() > 0) {
                long lost = Math.min(reader.lost(), MmiotraceMark.MOST_LOST);
                marks(List.of(String.format(MmiotraceMark.LOST, lost)));
            }
        }

        /** The columns of /proc/bus/pci/devices. */
        private void pcidev() throws IOException {
            Identity id = function.identity();
            line.append(String.format("PCIDEV %s %04x%04x 0", PLACE, id.vendor(), id.device()));
            for (int index = 0; index < LISTED_REGIONS; index++) {
                Region region = function.region(index).orElse(null);
                long value = region == null ? 0 : firstAddress[index] | attributes(region);
                line.append(' ').append(Long.toHexString(value));
            }
            for (int index = 0; index < LISTED_REGIONS; index++) {
                long size = function.region(index).map(Region::sizeBytes).orElse(0L);
                line.append(' ').append(Long.toHexString(size));
            }
            line.append(' ').append(function.kind().replaceAll("[^!-~]+", "_"));
            endLine();
        }

        /** PCI 3.0, 6.2.5.1: the bits below the address. */
        private static int attributes(Region region) {
            if (region.index() == Region.ROM) {
                return 0;
            }
            if (region.space() == Region.Space.IO_PORT) {
                return 1;
            }
            return (region.has(Region.Attribute.BITS_64) ? 4 : 0)
                    | (region.has(Region.Attribute.PREFETCHABLE) ? 8 : 0);
        }

        private void event(TraceEvent event) throws IOException {
            nanos = Math.max(0, event.stamp().nanos());
            lastNanos = Math.max(lastNanos, nanos);
            if (event.stamp().generation() != generation) {
                generation = event.stamp().generation();
                marks(MmiotraceMark.generation(generation));
            }
            if (event instanceof TraceEvent.Access access && isSayable(access)) {
                access(access);
            } else {
                marks(MmiotraceMark.event(event));
            }
        }

        private boolean isSayable(TraceEvent.Access access) {
            Region region = function.region(access.region()).orElse(null);
            long length = access.data().length();
            return region != null
                    && region.space() == Region.Space.MEMORY
                    && (length == 1 || length == 2 || length == 4 || length == 8)
                    && region.contains(access.offset(), length)
                    && access.data().complete()
                    && (access.widthBytes() == length || access.widthBytes() == 0)
                    && (~access.byteEnables() & (1L << length) - 1) == 0
                    && access.status() != null
                    && access.status().isSuccess();
        }

        /** "width, timestamp, map id, physical, value, PC, PID". */
        private void access(TraceEvent.Access access) throws IOException {
            int index = access.region();
            map(function.region(index).orElseThrow());
            line.append(access.write() ? "W " : "R ").append(access.data().length()).append(' ');
            appendTime();
            line.append(' ').append(mapId[index]);
            line.append(" 0x").append(Long.toHexString(mapAddress[index] + access.offset()));
            line.append(" 0x").append(Long.toHexString(access.data().value()));
            line.append(" 0x").append(Long.toHexString(access.stamp().programCounter()));
            line.append(" 0");
            endLine();
        }

        /** "timestamp, map id, physical, virtual, length, PC, PID", when the region has moved. */
        private void map(Region region) throws IOException {
            int index = region.index();
            long address = addresses.of(region);
            if (mapId[index] != 0 && mapAddress[index] == address) {
                return;
            }
            unmap(index);
            mapId[index] = nextMapId++;
            mapAddress[index] = address;
            marks(MmiotraceMark.map(mapId[index], index));
            line.append("MAP ");
            appendTime();
            line.append(' ').append(mapId[index]).append(" 0x").append(Long.toHexString(address));
            line.append(" 0x0 0x").append(Long.toHexString(region.sizeBytes())).append(" 0x0 0");
            endLine();
        }

        private void unmap(int region) throws IOException {
            if (mapId[region] != 0) {
                line.append("UNMAP ");
                appendTime();
                line.append(' ').append(mapId[region]).append(" 0x0 0");
                endLine();
                mapId[region] = 0;
            }
        }

        private void marks(List<String> texts) throws IOException {
            for (String text : texts) {
                line.append("MARK ");
                appendTime();
                line.append(' ').append(text);
                endLine();
            }
        }

        /** Seconds with six decimals, as the kernel prints them. */
        private void appendTime() {
            long micros = nanos / 1000;
            line.append(micros / 1_000_000).append('.');
            String fraction = Long.toString(micros % 1_000_000);
            line.repeat('0', 6 - fraction.length()).append(fraction);
        }

        private void endLine() throws IOException {
            out.append(line).append('\n');
            line.setLength(0);
        }
    }
}
