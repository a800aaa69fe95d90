package farslot.analysis.diff;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Where two functions describe themselves differently. */
final class DescriptionDiff {
    private DescriptionDiff() {}

    /** What differs, by name. */
    static List<DiffReport.Change> of(FunctionDescription a, FunctionDescription b) {
        Map<String, String> ofA = facts(a);
        Map<String, String> ofB = facts(b);
        TreeSet<String> names = new TreeSet<>(ofA.keySet());
        names.addAll(ofB.keySet());
        List<DiffReport.Change> changes = new ArrayList<>();
        for (String name : names) {
            String inA = ofA.getOrDefault(name, "none");
            String inB = ofB.getOrDefault(name, "none");
            if (!inA.equals(inB)) {
                changes.add(new DiffReport.Change(name, inA, inB));
            }
        }
        return changes;
    }

    private static Map<String, String> facts(FunctionDescription function) {
        Map<String, String> facts = new TreeMap<>();
        facts.put("kind", function.kind());
        FunctionDescription.Identity identity = function.identity();
        facts.put("vendor and device", pair(identity.vendor(), identity.device()));
        facts.put("subsystem", pair(identity.subsystemVendor(), identity.subsystem()));
        facts.put("class", Integer.toHexString(identity.classCode()));
        facts.put("revision", Integer.toHexString(identity.revision()));
        facts.put("interrupt pin", Integer.toString(function.intxPin()));
        facts.put("MSI vectors", Integer.toString(function.msiVectors()));
        facts.put("MSI-X vectors", Integer.toString(function.msixVectors()));
        facts.put("resets", new TreeSet<>(function.resetKinds()).toString());
        facts.put("abilities", new TreeSet<>(function.abilities()).toString());
        for (Region region : function.regions()) {
            facts.put(
                    region.label(),
                    region.space()
                            + ", 0x"
                            + Long.toHexString(region.sizeBytes())
                            + " bytes, "
                            + new TreeSet<>(region.attributes()));
        }
        List<String> capabilities = new ArrayList<>();
        function.capabilities()
                .forEach(place ->
                        capabilities.add(
                                String.format(
                                        Locale.ROOT,
                                        "%s%x at 0x%x",
                                        place.extended() ? "extended " : "",
                                        place.id(),
                                        place.offset())));
        facts.put("capabilities", String.join(", ", capabilities));
        return facts;
    }

    private static String pair(int high, int low) {
        return String.format(Locale.ROOT, "%04x:%04x", high, low);
    }
}
