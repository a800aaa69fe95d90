package farslot.cli;

import farslot.registers.ConfigurationMap;
import farslot.registers.Nearest;
import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapException;
import farslot.registers.RegisterMapLoader;
import farslot.registers.RegisterMapProvider;
import farslot.registers.VariantSet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** How register maps of others are read: {@code @Mixin MapReading reading}. */
final class MapReading {
    @Option(
            names = "--imports",
            paramLabel = "FOLDER",
            description =
                    "What a map imports is relative to this folder, which it lies in; by default to"
                            + " its own.")
    Path imports;

    @Option(
            names = "--variant",
            paramLabel = "SET=VARIANT",
            description =
                    "Leave out what only other hardware has, as in chipset=G80. \"regs show\" lists"
                            + " the sets of a map and their variants.")
    Map<String, String> chosen = new LinkedHashMap<>();

    /**
     * The map that a word names: a file, or a kind of device that Farslot has a map of. Variants
     * that were chosen are not applied.
     */
    RegisterMap find(String word) {
        Path file = Path.of(word);
        boolean ending = word.endsWith(".xml") || word.endsWith(".svd");
        if (ending || word.contains("/") || Files.exists(file)) {
            return load(file);
        }
        if (word.equals(ConfigurationMap.NAME)) {
            return ConfigurationMap.pci();
        }
        return RegisterMapProvider.find(word).orElseThrow(() -> unknown(word));
    }

    private static CommandFailure unknown(String word) {
        List<String> known = new ArrayList<>(RegisterMapProvider.kinds());
        known.add(ConfigurationMap.NAME);
        return new CommandFailure(
                ExitCode.NOT_FOUND,
                "There is no file \""
                        + word
                        + "\", and no kind of device of that name with a register map"
                        + Nearest.questionOrAll(word, known));
    }

    private RegisterMap load(Path file) {
        if (!Files.exists(file)) {
            throw new CommandFailure(ExitCode.NOT_FOUND, "There is no register map " + file + ".");
        }
        try {
            RegisterMapLoader loader = RegisterMapLoader.lenient();
            return imports == null ? loader.load(file) : loader.load(file, imports);
        } catch (RegisterMapException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
    }

    /**
     * The maps as they are on the hardware that was chosen; refused where none knows the choice.
     */
    List<RegisterMap> onChosen(List<RegisterMap> maps) {
        if (chosen.isEmpty()) {
            return maps;
        }
        List<VariantSet> sets =
                maps.stream().flatMap(map -> map.variantSets().stream()).distinct().toList();
        chosen.forEach((name, variant) -> check(name, variant, sets));
        return maps.stream().map(map -> map.on(chosen)).toList();
    }

    private static void check(String name, String variant, List<VariantSet> sets) {
        List<VariantSet> meant = sets.stream().filter(set -> set.name().equals(name)).toList();
        if (meant.isEmpty()) {
            List<String> known = sets.stream().map(VariantSet::name).distinct().toList();
            throw new CommandFailure(
                    ExitCode.NOT_FOUND,
                    "No register map here knows a set of variants \""
                            + name
                            + "\""
                            + Nearest.questionOrAll(name, known));
        }
        List<String> variants = meant.stream().flatMap(set -> set.names().stream()).toList();
        if (variants.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "The register map does not list the variants of \""
                            + name
                            + "\": the file with that enumeration is missing.");
        }
        if (!variants.contains(variant)) {
            throw new CommandFailure(
                    ExitCode.NOT_FOUND,
                    "\""
                            + name
                            + "\" has no variant \""
                            + variant
                            + "\""
                            + Nearest.questionOrAll(variant, variants));
        }
    }
}
