package farslot.registers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What vendors, devices and classes are called: by a table of ours for what Farslot brings and for
 * classes, and by the machine's pci.ids (https://pci-ids.ucw.cz), where it has one.
 *
 * <p>Immutable, so any thread may use it. A lookup searches the file's text, about a megabyte.
 */
public final class PciNames {
    /** Where distributions put it, and where update-pciids does. */
    private static final List<Path> PLACES =
            List.of(
                    Path.of("/usr/share/misc/pci.ids"),
                    Path.of("/usr/share/hwdata/pci.ids"),
                    Path.of("/usr/share/pci.ids"),
                    Path.of("/var/lib/pciutils/pci.ids"),
                    Path.of("/usr/local/share/pciids/pci.ids"));

    /** Where {@link #source} gives none: what that means, and what to do. */
    public static final String ADVICE =
            "This machine has no pci.ids, so vendors and devices that Farslot does not know have no"
                    + " names; the package pci.ids (Debian) or hwdata (Fedora) has it.";

    private static final long MAX_FILE_BYTES = 16 << 20;
    private static final int MAX_NAME = 200;
    private static final Pattern CONTROL = Pattern.compile("\\p{Cc}");

    private final String own;
    private final String system;
    private final Path source;

    private PciNames(String system, Path source) {
        this.own = own();
        this.system = system;
        this.source = source;
    }

    /** Loaded once, when first needed. */
    private static final class Holder {
        static final PciNames SYSTEM = PciNames.of(PLACES);
    }

    /** The names that this machine has. */
    public static PciNames ofSystem() {
        return Holder.SYSTEM;
    }

    /** The names of the first of these files that can be read; of none where none can. */
    public static PciNames of(List<Path> places) {
        for (Path place : places) {
            try {
                if (Files.isRegularFile(place) && Files.size(place) <= MAX_FILE_BYTES) {
                    return new PciNames(text(Files.readAllBytes(place)), place);
                }
            } catch (IOException e) {
                // The next one may do; that there is none at all is told by source().
            }
        }
        return new PciNames("\n", null);
    }

    private static String own() {
        try (InputStream stream = PciNames.class.getResourceAsStream("pci-names.ids")) {
            return text(stream.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** So that every line begins behind a line's end, and the last one has one. */
    private static String text(byte[] bytes) {
        return "\n" + new String(bytes, StandardCharsets.UTF_8) + "\n";
    }

    /** The machine's pci.ids, if it has one. */
    public Optional<Path> source() {
        return Optional.ofNullable(source);
    }

    /** Who made it: "Intel Corporation". */
    public Optional<String> vendor(int vendor) {
        return find("%04x".formatted(vendor));
    }

    /** What it is, of its vendor's: "NVMe controller". */
    public Optional<String> device(int vendor, int device) {
        return find("%04x".formatted(vendor), "%04x".formatted(device));
    }

    /**
     * What it is for: "Non-volatile memory controller, NVM Express"; as much of it as is known.
     *
     * @param classCode 24 bits: base class, sub-class, programming interface
     */
    public Optional<String> function(int classCode) {
        String base = "C %02x".formatted(classCode >>> 16 & 0xff);
        String sub = "%02x".formatted(classCode >>> 8 & 0xff);
        Optional<String> subName = find(base, sub);
        if (subName.isEmpty()) {
            return find(base);
        }
        return find(base, sub, "%02x".formatted(classCode & 0xff))
                .map(interfaceName -> subName.get() + ", " + interfaceName)
                .or(() -> subName);
    }

    /**
     * A function in one line, with what is known: "8086:5845 Intel Corporation NVMe controller
     * (Non-volatile memory controller, NVM Express)".
     */
    public String describe(int vendor, int device, int classCode) {
        StringBuilder text = new StringBuilder("%04x:%04x".formatted(vendor, device));
        vendor(vendor).ifPresent(name -> text.append(' ').append(name));
        device(vendor, device).ifPresent(name -> text.append(' ').append(name));
        String unknown = "class %06x".formatted(classCode);
        return text.append(" (").append(function(classCode).orElse(unknown)).append(')').toString();
    }

    /** The name at the end of a path of ids: ours first. */
    private Optional<String> find(String... ids) {
        return search(own, ids).or(() -> search(system, ids));
    }

    /** Each line has a tab more in front than the one that it belongs to (pci.ids(5)). */
    private static Optional<String> search(String text, String... ids) {
        int from = 0;
        int end = text.length();
        int name = -1;
        for (int depth = 0; depth < ids.length; depth++) {
            String line = "\n" + "\t".repeat(depth) + ids[depth] + "  ";
            int at = text.indexOf(line, from);
            if (at < 0 || at >= end) {
                return Optional.empty();
            }
            name = at + line.length();
            from = text.indexOf('\n', name);
            end = endOfEntry(text, from, depth);
        }
        return Optional.of(printable(text.substring(name, from)));
    }

    /** Where the first line begins that is as deep as this one, or less. */
    private static int endOfEntry(String text, int lineEnd, int depth) {
        String deeper = "\t".repeat(depth + 1);
        int at = lineEnd;
        while (at >= 0 && at + 1 < text.length()) {
            boolean inside = text.startsWith(deeper, at + 1) || text.charAt(at + 1) == '#';
            if (!inside) {
                return at;
            }
            at = text.indexOf('\n', at + 1);
        }
        return text.length();
    }

    private static String printable(String name) {
        String some = name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME);
        return CONTROL.matcher(some).replaceAll("").strip();
    }
}
