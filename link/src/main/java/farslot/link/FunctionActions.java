package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An operator's actions on a function, the same at a lender and at a slot: "describe", "peek",
 * "poke" and "reset" (docs/protocol.md, "OPERATE"). They go in the function's order and through its
 * taps, so a trace shows them. Numbers are decimal or begin with 0x.
 *
 * <p>Whether a register may be read without harm is asked before, where register maps are known: by
 * who peeks.
 */
public final class FunctionActions {
    private final PciFunction function;

    /**
     * @param function with the taps that are to see what operators do
     */
    public FunctionActions(PciFunction function) {
        this.function = function;
    }

    /**
     * Does one action. Blocks as long as the function does.
     *
     * @throws RefusedException with the sentence
     */
    public List<Map<String, String>> operate(String action, Map<String, String> arguments)
            throws RefusedException {
        return switch (action) {
            case "describe" -> describe();
            case "peek" -> peek(arguments);
            case "poke" -> poke(arguments);
            case "reset" -> reset(arguments);
            default ->
                    throw new RefusedException(
                            RefusedException.Reason.NOT_FOUND,
                            "There is no action \"" + action + "\" for a function.");
        };
    }

    /** What an operator's side needs in order to name registers: kind, regions, capabilities. */
    private List<Map<String, String>> describe() {
        FunctionDescription description = function.describe();
        List<Map<String, String>> rows = new ArrayList<>();
        rows.add(Map.of("what", "function", "kind", description.kind()));
        for (Region region : description.regions()) {
            Map<String, String> row = new LinkedHashMap<>();
            row.put("what", "region");
            row.put("label", region.label());
            row.put("space", region.space().name());
            row.put("size", "0x" + Long.toHexString(region.sizeBytes()));
            rows.add(row);
        }
        for (FunctionDescription.CapabilityPlace capability : description.capabilities()) {
            Map<String, String> row = new LinkedHashMap<>();
            row.put("what", "capability");
            row.put("id", "0x" + Integer.toHexString(capability.id()));
            row.put("extended", Boolean.toString(capability.extended()));
            row.put("offset", "0x" + Integer.toHexString(capability.offset()));
            row.put("length", Integer.toString(capability.lengthBytes()));
            rows.add(row);
        }
        return rows;
    }

    private List<Map<String, String>> peek(Map<String, String> arguments) throws RefusedException {
        Place place = place(arguments);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(8);
            MemorySegment wanted = data.asSlice(0, place.width);
            CompletionStatus status =
                    function.read(place.region.index(), place.offset, wanted, place.width);
            if (!status.isSuccess()) {
                throw unsuccessful("read", place, status);
            }
            return List.of(row(place, data.get(LONG, 0)));
        }
    }

    private List<Map<String, String>> poke(Map<String, String> arguments) throws RefusedException {
        Place place = place(arguments);
        long value = number(arguments, "value");
        if (place.width < 8 && value >>> (8 * place.width) != 0) {
            throw bad(
                    "The value 0x"
                            + Long.toHexString(value)
                            + " has more than "
                            + place.width
                            + " bytes.");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(8);
            data.set(LONG, 0, value);
            CompletionStatus status =
                    function.write(
                            place.region.index(),
                            place.offset,
                            data.asSlice(0, place.width),
                            place.width,
                            PciFunction.ALL_BYTES);
            if (!status.isSuccess()) {
                throw unsuccessful("written", place, status);
            }
            return List.of(row(place, value));
        }
    }

    private List<Map<String, String>> reset(Map<String, String> arguments) throws RefusedException {
        String name = arguments.getOrDefault("kind", "flr");
        ResetKind kind;
        try {
            kind = ResetKind.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw bad("There is no kind of reset \"" + name + "\"; there are flr, hot and cold.");
        }
        if (!function.describe().resetKinds().contains(kind)) {
            throw new RefusedException(
                    RefusedException.Reason.UNSUPPORTED,
                    "This function has no reset of kind " + name + ".");
        }
        CompletionStatus status = function.reset(kind);
        if (!status.isSuccess()) {
            throw new RefusedException(
                    RefusedException.Reason.FAILED,
                    "The reset ended as " + status + "; the function's log may say more.");
        }
        return List.of(Map.of("kind", name, "generation", Integer.toString(function.generation())));
    }

    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private record Place(Region region, long offset, int width) {}

    private Place place(Map<String, String> arguments) throws RefusedException {
        String label = argument(arguments, "region");
        FunctionDescription description = function.describe();
        Region region = null;
        for (Region candidate : description.regions()) {
            if (candidate.label().equalsIgnoreCase(label)) {
                region = candidate;
            }
        }
        if (region == null) {
            throw bad(
                    "This function has no region \""
                            + label
                            + "\"; it has "
                            + String.join(
                                    ", ",
                                    description.regions().stream().map(Region::label).toList())
                            + ".");
        }
        long offset = number(arguments, "offset");
        long width = number(arguments, "width");
        if (width != 1 && width != 2 && width != 4 && width != 8) {
            throw bad("An access has 1, 2, 4 or 8 bytes, not " + width + ".");
        }
        if (!region.contains(offset, width)) {
            throw bad(
                    width
                            + " bytes at 0x"
                            + Long.toHexString(offset)
                            + " are not within "
                            + region.label()
                            + ", which has 0x"
                            + Long.toHexString(region.sizeBytes())
                            + " bytes.");
        }
        return new Place(region, offset, (int) width);
    }

    private static Map<String, String> row(Place place, long value) {
        Map<String, String> row = new LinkedHashMap<>();
        row.put("region", place.region.label());
        row.put("offset", "0x" + Long.toHexString(place.offset));
        row.put("width", Integer.toString(place.width));
        String digits = "0".repeat(16) + Long.toHexString(value);
        row.put("value", "0x" + digits.substring(digits.length() - 2 * place.width));
        return row;
    }

    private static String argument(Map<String, String> arguments, String name)
            throws RefusedException {
        String value = arguments.get(name);
        if (value == null) {
            throw bad("The argument \"" + name + "\" is missing.");
        }
        return value;
    }

    private static long number(Map<String, String> arguments, String name) throws RefusedException {
        String text = argument(arguments, name);
        try {
            return text.startsWith("0x") || text.startsWith("0X")
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw bad("The " + name + " \"" + text + "\" is no number.");
        }
    }

    private static RefusedException bad(String sentence) {
        return new RefusedException(RefusedException.Reason.BAD_ARGUMENT, sentence);
    }

    private static RefusedException unsuccessful(
            String done, Place place, CompletionStatus status) {
        return new RefusedException(
                RefusedException.Reason.FAILED,
                place.region.label()
                        + "+0x"
                        + Long.toHexString(place.offset)
                        + " could not be "
                        + done
                        + ": "
                        + switch (status) {
                            case UNSUPPORTED_REQUEST ->
                                    "the function refuses accesses there now (memory or I/O may be"
                                            + " disabled in its command register).";
                            case TIMED_OUT -> "it did not answer in time.";
                            default -> "it ended as " + status + ".";
                        });
    }
}
