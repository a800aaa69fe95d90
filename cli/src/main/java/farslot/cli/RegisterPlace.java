package farslot.cli;

import farslot.registers.ConfigurationMap;
import farslot.registers.Nearest;
import farslot.registers.ReadEffect;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapProvider;
import farslot.registers.RegisterText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where {@code peek} and {@code poke} reach: written {@code BAR0 0x1c}, {@code BAR0+0x1c} or {@code
 * BAR0 CSTS}, by the register map of the function's kind.
 *
 * @param region its label
 * @param width in bytes
 * @param domain the region's registers, or null where nobody described them
 */
record RegisterPlace(String region, long offset, int width, RegisterDomain domain) {
    /**
     * What was written on the command line, and how many words of it that took.
     *
     * @param words the region, the register or offset: one or two
     */
    record Written(String region, String where, int words) {
        static Written of(List<String> words) {
            String first = words.getFirst();
            int plus = first.indexOf('+');
            if (plus > 0) {
                return new Written(first.substring(0, plus), first.substring(plus + 1), 1);
            }
            if (words.size() < 2) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "\""
                                + first
                                + "\" names no register; write a region and an offset or a name, as"
                                + " in \"BAR0 0x1c\", \"BAR0+0x1c\" or \"BAR0 CSTS\".");
            }
            return new Written(first, words.get(1), 2);
        }
    }

    /**
     * Finds the place.
     *
     * @param description the rows that the action "describe" gives
     * @param width in bytes, or 0 for the register's own, or 4 where it has none
     * @param maps what names the function's registers instead of its kind's map
     */
    static RegisterPlace find(
            List<Map<String, String>> description, Written written, int width, MapOption maps) {
        String region = written.region().toUpperCase(Locale.ROOT);
        String kind = rows(description, "function").getFirst().getOrDefault("kind", "");
        RegisterDomain domain = domain(kind, region, rows(description, "capability"), maps);
        boolean number = Character.isDigit(written.where().charAt(0));
        long offset = number ? number(written.where()) : named(domain, kind, region, written);
        if (width == 0) {
            Register register = domain == null ? null : domain.find(offset);
            boolean whole = register != null && register.elementStart(offset) == offset;
            width = whole ? register.widthBytes() : 4;
        }
        if (width != 1 && width != 2 && width != 4 && width != 8) {
            throw new CommandFailure(
                    ExitCode.USAGE, "An access has 1, 2, 4 or 8 bytes, not " + width + ".");
        }
        return new RegisterPlace(region, offset, width, domain);
    }

    private static List<Map<String, String>> rows(
            List<Map<String, String>> description, String what) {
        return description.stream().filter(row -> what.equals(row.get("what"))).toList();
    }

    private static RegisterDomain domain(
            String kind, String region, List<Map<String, String>> capabilities, MapOption maps) {
        RegisterMap map = maps.over(RegisterMapProvider.find(kind).orElse(RegisterMap.EMPTY));
        RegisterDomain own = map.has(region) ? map.domain(region) : null;
        if (!region.equals("CFG")) {
            return own;
        }
        return ConfigurationMap.of(
                capabilities.stream()
                        .map(row ->
                                new ConfigurationMap.Capability(
                                        (int) number(row.get("id")),
                                        Boolean.parseBoolean(row.get("extended")),
                                        (int) number(row.get("offset")),
                                        (int) number(row.get("length"))))
                        .toList(),
                own);
    }

    /** A number as people write it: decimal, or hexadecimal with 0x. */
    static long number(String text) {
        try {
            return text.startsWith("0x") || text.startsWith("0X")
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new CommandFailure(
                    ExitCode.USAGE, "\"" + text + "\" is no number; write 28 or 0x1c.", e);
        }
    }

    private static long named(RegisterDomain domain, String kind, String region, Written written) {
        if (domain == null) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "No register map knows "
                            + region
                            + " of \""
                            + kind
                            + "\"; give an offset instead of \""
                            + written.where()
                            + "\", or --map and a file that does.");
        }
        for (Register register : domain.registers()) {
            long found = register.elementNamed(written.where(), true);
            if (found >= 0) {
                return found;
            }
        }
        List<String> names = domain.registers().stream().map(Register::name).toList();
        throw new CommandFailure(
                ExitCode.NOT_FOUND,
                region
                        + " of \""
                        + kind
                        + "\" has no register \""
                        + written.where()
                        + "\""
                        + Nearest.question(written.where().toUpperCase(Locale.ROOT), names));
    }

    /** What may change by reading here, as a sentence; null where nothing does. */
    String harm() {
        if (region.equals("CFG")) {
            // Reading configuration space changes nothing (PCI 3.0, 6.1).
            return null;
        }
        for (long at = offset; at < offset + width; at++) {
            Register register = domain == null ? null : domain.find(at);
            if (register == null) {
                return "Nobody has described what reading " + name() + " does";
            }
            if (!register.readEffect().harmless()) {
                return register.readEffect() == ReadEffect.PRESENT
                        ? "Reading " + register.nameAt(at) + " changes the device"
                        : "Whether reading "
                                + register.nameAt(at)
                                + " changes the device is not"
                                + " known";
            }
        }
        return null;
    }

    /** The register's name, or the offset. */
    String name() {
        String text = RegisterText.name(domain, offset, width);
        return text.startsWith("0x") ? region + "+" + text : text;
    }

    /** What a value there means, field by field, or "". */
    String fields(long value) {
        StringBuilder text = new StringBuilder();
        RegisterText.appendFields(text, domain, offset, width, value);
        return text.toString();
    }

    /** As the action's arguments. */
    Map<String, String> arguments() {
        Map<String, String> arguments = new LinkedHashMap<>();
        arguments.put("region", region);
        arguments.put("offset", "0x" + Long.toHexString(offset));
        arguments.put("width", Integer.toString(width));
        return arguments;
    }
}
