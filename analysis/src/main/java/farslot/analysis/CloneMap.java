package farslot.analysis;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.recorder.TraceNames;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMapLoader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The register map of what a trace showed, as XML for {@link RegisterMapLoader#strict}: each
 * register with what was seen of it as its description. What nobody has named is called {@code
 * UNK_} and its offset; what access it allows is taken from what was done, and says so.
 */
final class CloneMap {
    /** Registers beyond belong in an area, which a person has to write ({@code RegisterFile}). */
    private static final long MOST_EXTENT = 1 << 20;

    private final TraceNames names;
    private final MsixPlace msix;
    private final StringBuilder text = new StringBuilder();
    private final List<String> remarks = new ArrayList<>();
    private final List<Integer> regions = new ArrayList<>();

    private CloneMap(TraceNames names, MsixPlace msix) {
        this.names = names;
        this.msix = msix;
    }

    /**
     * @param msix where the MSI-X table is, whose entries are no registers of the device; or null
     */
    static CloneMap of(
            String title,
            FunctionDescription function,
            SeenRegisters seen,
            TraceNames names,
            MsixPlace msix) {
        CloneMap map = new CloneMap(names, msix);
        map.text.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        map.text.append("<!--\n  ").append(comment(title)).append('\n');
        map.text.append(
                "  Access and reset values are what was seen, which is less than what is.\n-->\n");
        map.text.append("<database xmlns=\"http://nouveau.freedesktop.org/\"\n    xmlns:f=\"");
        map.text.append(RegisterMapLoader.NAMESPACE).append("\">\n");
        for (Region region : function.regions()) {
            if (region.index() < Region.ROM) {
                map.domain(region, seen.region(region.index()));
            }
        }
        map.text.append("</database>\n");
        return map;
    }

    String text() {
        return text.toString();
    }

    /** Of what could not be put into the map; sentences. */
    List<String> remarks() {
        return remarks;
    }

    /** The regions that have registers in it. */
    List<Integer> regions() {
        return regions;
    }

    private void domain(Region region, SeenRegisters.InRegion seen) {
        if (seen.unkept() > 0) {
            remarks.add(
                    "%s: %d accesses of further registers; only the first %d registers are here."
                            .formatted(region.label(), seen.unkept(), SeenRegisters.MOST));
        }
        if (seen.copies() > 0) {
            remarks.add(
                    "%s: %d accesses were of more than 8 bytes or of no natural length, as memory is"
                                    .formatted(region.label(), seen.copies())
                            + " copied; they are not here.");
        }
        List<SeenRegisters.Seen> inside = new ArrayList<>();
        for (SeenRegisters.Seen one : seen.registers()) {
            if (msix != null && msix.holds(region.index(), one.offset())) {
                continue;
            }
            if (one.offset() + one.sizeBytes() > MOST_EXTENT) {
                remarks.add(
                        "%s: 0x%x is beyond the first MiB, where the SDK wants an area; it is not"
                                        .formatted(region.label(), one.offset())
                                + " here.");
                continue;
            }
            inside.add(one);
        }
        if (inside.isEmpty()) {
            return;
        }
        regions.add(region.index());
        text.append(
                "  <domain name=\"%s\" size=\"0x%x\">%n"
                        .formatted(region.label(), region.sizeBytes()));
        Set<String> taken = new HashSet<>();
        inside.forEach(one -> register(region.index(), one, taken));
        text.append("  </domain>\n");
    }

    private void register(int region, SeenRegisters.Seen seen, Set<String> taken) {
        String name = name(region, seen);
        if (!taken.add(name)) {
            name = unknown(seen);
            taken.add(name);
        }
        text.append(
                "    <reg%d offset=\"0x%02x\" name=\"%s\""
                        .formatted(seen.sizeBytes() * 8, seen.offset(), escaped(name)));
        text.append(" f:access=\"").append(seen.writes() == 0 ? "ro" : "rw").append('"');
        if (seen.resetMask() != 0) {
            text.append(" f:reset=\"0x%x\"".formatted(seen.reset()));
        }
        if (seen.changes()) {
            text.append(" f:volatile=\"yes\"");
        }
        text.append(">\n      <brief>").append(escaped(brief(seen))).append("</brief>\n");
        text.append("    </reg%d>%n".formatted(seen.sizeBytes() * 8));
    }

    private String name(int region, SeenRegisters.Seen seen) {
        RegisterDomain domain = names.domain(region);
        Register known = domain == null ? null : domain.find(seen.offset());
        boolean same =
                known != null
                        && known.dimensions() == 0
                        && known.offset() == seen.offset()
                        && known.widthBytes() == seen.sizeBytes();
        return same ? known.name() : unknown(seen);
    }

    private static String unknown(SeenRegisters.Seen seen) {
        return "UNK_%X".formatted(seen.offset());
    }

    /** "Read 12 times, written never, in 4 bytes; values 0x10000ed (12)." */
    private static String brief(SeenRegisters.Seen seen) {
        StringBuilder brief = new StringBuilder("Unknown. Read ").append(times(seen.reads()));
        brief.append(", written ").append(times(seen.writes())).append(", in ");
        List<String> widths = new ArrayList<>();
        for (int width = 1; width <= 8; width *= 2) {
            if ((seen.widths() & width) != 0) {
                widths.add(Integer.toString(width));
            }
        }
        brief.append(String.join(" and ", widths));
        brief.append(widths.equals(List.of("1")) ? " byte" : " bytes");
        brief.append("; values ");
        brief.append(
                seen.values().entrySet().stream()
                        .map(value -> "0x%x (%d)".formatted(value.getKey(), value.getValue()))
                        .collect(Collectors.joining(", ")));
        if (seen.values().size() == SeenRegisters.MOST_VALUES) {
            brief.append(", perhaps more");
        }
        if (seen.resetMask() == 0) {
            brief.append("; never read before it was written");
        }
        if (seen.reads() == 0) {
            brief.append("; it may be write-only");
        }
        if (seen.changes()) {
            brief.append("; changes by itself");
        }
        return brief.append('.').toString();
    }

    private static String times(long count) {
        return count == 0
                ? "never"
                : count == 1 ? "once" : String.format(Locale.ROOT, "%,d times", count);
    }

    private static String comment(String text) {
        return text.replace("--", "- -");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }
}
