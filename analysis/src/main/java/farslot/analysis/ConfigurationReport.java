package farslot.analysis;

import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A configuration space as it was at an event, by name.
 *
 * @param event the last event that counts
 * @param nanos when that was, since the trace began
 * @param kind the function's kind
 * @param id "1b36:0010"
 * @param bases the regions and where they stood
 * @param sections the header, then each capability in its place
 * @param unnamed bytes that no register holds and that are not zero
 * @param unknownBytes how many of the bytes of named registers are not known, wholly or in part
 * @param remarks sentences
 */
public record ConfigurationReport(
        long event,
        long nanos,
        String kind,
        String id,
        List<Base> bases,
        List<Section> sections,
        List<Row> unnamed,
        int unknownBytes,
        List<String> remarks) {
    private static final int UNNAMED_BYTES_A_ROW = 16;

    /**
     * Where a region stood.
     *
     * @param space "memory" or "ports"
     * @param width of its address, in bits
     * @param state "at", "none" (no address yet), "sizing", "unknown"
     * @param address hexadecimal, or null
     * @param enabled whether the function answered there; null where not known, or no address
     */
    public record Base(
            String region,
            String space,
            int width,
            long sizeBytes,
            String state,
            String address,
            Boolean enabled) {}

    /**
     * The registers of one capability.
     *
     * @param name "HEADER", "MSIX"
     * @param unknown the names of registers of which nothing is known
     */
    public record Section(String name, int offset, List<Row> rows, List<String> unknown) {}

    /**
     * One register.
     *
     * @param value hexadecimal, with '?' for digits of which a bit is unknown
     * @param fields by name, those that are known
     * @param unread whether a bit was written, and not read since: what the function made of it is
     *     taken from the map
     */
    public record Row(int offset, String register, String value, String fields, boolean unread) {}

    /**
     * Reads a trace up to an event.
     *
     * @param at the last event that counts; the trace's last one counts where it is beyond it
     * @throws TraceException where the trace cannot be read
     */
    public static ConfigurationReport of(TraceReader trace, TraceNames names, long at)
            throws TraceException {
        RegisterDomain domain = names.domain(Region.CONFIGURATION);
        ConfigurationImage image = new ConfigurationImage(trace.description(), domain);
        image.begin(trace.configuration());
        long number = 0;
        long nanos = 0;
        for (TraceEvent event = trace.next();
                event != null && event.stamp().number() <= at;
                event = trace.next()) {
            number = event.stamp().number();
            nanos = event.stamp().nanos();
            var observation = TraceObservations.of(event);
            if (observation != null) {
                image.observe(observation);
            }
        }
        return of(image, domain, number, nanos, trace.remarks());
    }

    static ConfigurationReport of(
            ConfigurationImage image,
            RegisterDomain domain,
            long number,
            long nanos,
            List<String> remarks) {
        Map<String, Section> sections = new LinkedHashMap<>();
        int unknownBytes = 0;
        List<Register> registers = new ArrayList<>(domain.registers());
        registers.sort(java.util.Comparator.comparingLong(Register::offset));
        for (Register register : registers) {
            if (register.dimensions() > 1 || isBase(image, register.offset())) {
                continue;
            }
            long elements = register.dimensions() == 0 ? 1 : register.length(0);
            for (long i = 0; i < elements; i++) {
                int offset =
                        (int) (register.dimensions() == 0 ? register.offset() : register.offset(i));
                unknownBytes += add(sections, image, register, offset);
            }
        }
        var identity = image.function().identity();
        return new ConfigurationReport(
                number,
                nanos,
                image.function().kind(),
                String.format(Locale.ROOT, "%04x:%04x", identity.vendor(), identity.device()),
                bases(image),
                List.copyOf(sections.values()),
                unnamed(image),
                unknownBytes,
                List.copyOf(remarks));
    }

    private static boolean isBase(ConfigurationImage image, long offset) {
        boolean base = (offset >= 0x10 && offset < 0x28) || offset == 0x30;
        return base && !image.function().regions().isEmpty();
    }

    /** Adds a register's row; returns how many of its bytes are not known. */
    private static int add(
            Map<String, Section> sections, ConfigurationImage image, Register register, int at) {
        String name = register.nameAt(at);
        int dot = name.indexOf('.');
        String section = dot < 0 ? "HEADER" : name.substring(0, dot);
        Section into =
                sections.computeIfAbsent(
                        section,
                        key ->
                                new Section(
                                        key,
                                        dot < 0 ? 0 : at,
                                        new ArrayList<>(),
                                        new ArrayList<>()));
        int bytes = register.widthBytes();
        long known = image.known(at, bytes);
        long all = bytes == 8 ? -1L : (1L << (8 * bytes)) - 1;
        if (known == 0) {
            into.unknown.add(name.substring(dot + 1));
            return bytes;
        }
        long value = image.value(at, bytes);
        StringBuilder fields = new StringBuilder();
        RegisterText.appendKnown(fields, register, known, value);
        into.rows.add(
                new Row(
                        at,
                        name.substring(dot + 1),
                        hex(value, known, bytes),
                        fields.toString(),
                        image.assumed(at, bytes) != 0));
        return (Long.bitCount(all & ~known) + 7) / 8;
    }

    private static String hex(long value, long known, int bytes) {
        StringBuilder text = new StringBuilder("0x");
        for (int shift = bytes * 8 - 4; shift >= 0; shift -= 4) {
            boolean whole = (known >>> shift & 0xF) == 0xF;
            text.append(whole ? Character.forDigit((int) (value >>> shift) & 0xF, 16) : '?');
        }
        return text.toString();
    }

    private static List<Base> bases(ConfigurationImage image) {
        List<Base> bases = new ArrayList<>();
        for (Region region : image.function().regions()) {
            if (region.index() == Region.CONFIGURATION) {
                continue;
            }
            ConfigurationImage.Base base = image.base(region);
            long address = base instanceof ConfigurationImage.Base.At at ? at.address() : 0;
            String state =
                    switch (base) {
                        case ConfigurationImage.Base.At at -> at.address() == 0 ? "none" : "at";
                        case ConfigurationImage.Base.BeingSized sizing -> "sizing";
                        case ConfigurationImage.Base.Unknown unknown -> "unknown";
                    };
            boolean placed = address != 0 && base instanceof ConfigurationImage.Base.At;
            bases.add(
                    new Base(
                            region.label(),
                            region.space() == Region.Space.IO_PORT ? "ports" : "memory",
                            region.has(Region.Attribute.BITS_64) ? 64 : 32,
                            region.sizeBytes(),
                            state,
                            placed ? "0x" + Long.toHexString(address) : null,
                            placed ? ((ConfigurationImage.Base.At) base).enabled() : null));
        }
        return bases;
    }

    private static List<Row> unnamed(ConfigurationImage image) {
        List<Row> rows = new ArrayList<>();
        for (int at = 0; at < Region.CONFIGURATION_SIZE_BYTES; at++) {
            if (image.isNamed(at) || image.value(at, 1) == 0) {
                continue;
            }
            StringBuilder bytes = new StringBuilder();
            int end = at;
            boolean unread = false;
            while (end < Region.CONFIGURATION_SIZE_BYTES
                    && end - at < UNNAMED_BYTES_A_ROW
                    && !image.isNamed(end)
                    && image.value(end, 1) != 0) {
                bytes.append(String.format(Locale.ROOT, "%02x", image.value(end, 1)));
                unread |= image.assumed(end, 1) != 0;
                end++;
            }
            rows.add(new Row(at, "?", bytes.toString(), "", unread));
            at = end - 1;
        }
        return rows;
    }

    /** The whole as text. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(
                String.format(
                        Locale.ROOT,
                        "%s %s as it was after event %d, at %.9f s",
                        kind,
                        id,
                        event,
                        nanos / 1e9));
        lines.add("");
        for (Base base : bases) {
            lines.add(line(base));
        }
        for (Section section : sections) {
            lines.add("");
            lines.add(String.format(Locale.ROOT, "%s at 0x%02x", section.name, section.offset));
            section.rows.forEach(row -> lines.add(line(row)));
            if (!section.unknown.isEmpty()) {
                lines.add("  not seen: " + String.join(", ", section.unknown));
            }
        }
        if (!unnamed.isEmpty()) {
            lines.add("");
            lines.add("bytes that no register holds");
            unnamed.forEach(row -> lines.add(line(row)));
        }
        return lines;
    }

    private static String line(Base base) {
        String where =
                switch (base.state) {
                    case "at" ->
                            "at "
                                    + base.address
                                    + (base.enabled == null
                                            ? ", it is not known whether enabled"
                                            : base.enabled ? ", enabled" : ", disabled");
                    case "none" -> "has no address";
                    case "sizing" -> "is being sized";
                    default -> "address not seen";
                };
        return String.format(
                Locale.ROOT,
                "%-4s  %s, %d-bit, %s  %s",
                base.region,
                base.space,
                base.width,
                size(base.sizeBytes),
                where);
    }

    private static String size(long bytes) {
        if (bytes >= 1 << 20) {
            return (bytes >> 20) + " MiB";
        }
        return bytes >= 1 << 10 ? (bytes >> 10) + " KiB" : bytes + " bytes";
    }

    private static String line(Row row) {
        return String.format(
                        Locale.ROOT,
                        "  0x%03x  %-16s %-18s %s%s",
                        row.offset,
                        row.register,
                        row.value,
                        row.fields,
                        row.unread ? "  (written, not read since)" : "")
                .stripTrailing();
    }
}
