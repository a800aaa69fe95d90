package farslot.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Holds the layering of docs/architecture.md, and what a module-info cannot say. */
class LayeringTest {
    /** What each module may use of Farslot: the table of docs/architecture.md. */
    private static final Map<String, Set<String>> MAY_USE =
            Map.ofEntries(
                    Map.entry("core", Set.of()),
                    Map.entry("registers", Set.of()),
                    Map.entry("posix", Set.of()),
                    Map.entry("block", Set.of()),
                    Map.entry("link", Set.of("core", "posix")),
                    Map.entry("trust", Set.of("link")),
                    Map.entry("vfiouser", Set.of("core", "posix")),
                    Map.entry("recorder", Set.of("core", "registers")),
                    Map.entry("watch", Set.of("core", "registers", "posix", "link", "recorder")),
                    Map.entry("sdk", Set.of("core", "registers")),
                    Map.entry("analysis", Set.of("core", "registers", "recorder", "sdk")),
                    Map.entry("devices.edu", Set.of("core", "registers", "sdk", "block")),
                    Map.entry("devices.nvme", Set.of("core", "registers", "sdk", "block")),
                    Map.entry(
                            "lender",
                            Set.of(
                                    "core",
                                    "registers",
                                    "posix",
                                    "link",
                                    "recorder",
                                    "watch",
                                    "sdk")),
                    Map.entry(
                            "slot",
                            Set.of("core", "registers", "posix", "link", "recorder", "watch")),
                    Map.entry("lab", Set.of("posix")));

    private static JavaClasses classes;

    @BeforeAll
    static void readClasses() {
        classes =
                new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages("farslot");
    }

    private static void holds(ArchRule rule) {
        rule.allowEmptyShould(true).check(classes);
    }

    @Test
    void aModuleUsesOnlyTheModulesOfItsRow() throws IOException {
        Map<String, ModuleDescriptor> modules = modules();
        assertTrue(modules.keySet().containsAll(MAY_USE.keySet()), "found " + modules.keySet());
        MAY_USE.forEach((name, allowed) -> {
            Set<String> surplus =
                    modules.get(name).requires().stream()
                            .map(Requires::name)
                            .filter(used -> used.startsWith("farslot."))
                            .map(used -> used.substring("farslot.".length()))
                            .filter(used -> !allowed.contains(used))
                            .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(Set.of(), surplus, name + " uses more than its row allows");
        });
    }

    @Test
    void theProcessOfADeviceNeedsNoLibrariesOfOthers() throws IOException {
        Map<String, ModuleDescriptor> modules = modules();
        for (String name :
                List.of(
                        "core",
                        "registers",
                        "posix",
                        "block",
                        "link",
                        "recorder",
                        "watch",
                        "sdk",
                        "devices.edu",
                        "devices.nvme",
                        "lender")) {
            Set<String> foreign =
                    modules.get(name).requires().stream()
                            .map(Requires::name)
                            .filter(used -> !used.matches("(java|jdk|farslot)\\..*"))
                            .collect(Collectors.toCollection(TreeSet::new));
            // It is loaded where there is a policy file to read.
            Set<String> allowed = name.equals("lender") ? Set.of("org.tomlj") : Set.of();
            assertEquals(allowed, foreign, name + " needs other libraries");
        }
    }

    @Test
    void coreHasNoThreadsAndNoInputOrOutput() {
        holds(
                noClasses()
                        .that()
                        .resideInAPackage("farslot.core..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("java.net..", "java.nio.file..", "java.nio.channels..")
                        .orShould()
                        .dependOnClassesThat()
                        .haveNameMatching("java\\.io\\.(?!Serializable|UncheckedIOException).*")
                        .orShould()
                        .dependOnClassesThat()
                        .haveNameMatching(
                                "java\\.lang\\.Thread|java\\.util\\.Timer"
                                        + "|java\\.util\\.concurrent\\..*Executor.*"));
    }

    @Test
    void aNameSaysWhatAThingIs() {
        holds(
                noClasses()
                        .should()
                        .haveSimpleNameEndingWith("Util")
                        .orShould()
                        .haveSimpleNameEndingWith("Utils")
                        .orShould()
                        .haveSimpleNameEndingWith("Helper")
                        .orShould()
                        .haveSimpleNameEndingWith("Manager")
                        .orShould()
                        .haveSimpleNameEndingWith("Impl"));
    }

    @Test
    void onlyPosixBlockAndQueriesUseForeignFunctions() {
        holds(
                noClasses()
                        .that()
                        .resideOutsideOfPackages(
                                "farslot.posix..", "farslot.block..", "farslot.analysis.query..")
                        .should()
                        .dependOnClassesThat()
                        .haveFullyQualifiedName("java.lang.foreign.Linker")
                        .orShould()
                        .dependOnClassesThat()
                        .haveFullyQualifiedName("java.lang.foreign.SymbolLookup"));
    }

    @Test
    void onlyQueriesUseDuckDb() {
        holds(
                noClasses()
                        .that()
                        .resideOutsideOfPackage("farslot.analysis.query..")
                        .and()
                        .doNotHaveFullyQualifiedName("farslot.bench.QueryBench") // their baseline
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("org.duckdb..", "java.sql.."));
    }

    @Test
    void nobodyUsesUnsafe() {
        holds(noClasses().should().dependOnClassesThat().resideInAPackage("sun.misc.."));
    }

    @Test
    void onlyTheCommandLinePrintsAndEndsTheProcess() {
        holds(
                noClasses()
                        .that()
                        .resideOutsideOfPackage("farslot.cli..")
                        .and()
                        // A program of its own, the other process of a measurement.
                        .doNotHaveFullyQualifiedName("farslot.bench.FarSide")
                        .should()
                        .callMethod(System.class, "exit", int.class)
                        .orShould()
                        .accessField(System.class, "out")
                        .orShould()
                        .accessField(System.class, "err"));
    }

    /** Farslot's modules by their name without "farslot.". */
    private static Map<String, ModuleDescriptor> modules() throws IOException {
        Map<String, ModuleDescriptor> modules = new HashMap<>();
        List<URL> found =
                new ArrayList<>(
                        Collections.list(
                                LayeringTest.class
                                        .getClassLoader()
                                        .getResources("module-info.class")));
        for (URL url : found) {
            try (InputStream in = url.openStream()) {
                ModuleDescriptor module = ModuleDescriptor.read(in);
                if (module.name().startsWith("farslot.")) {
                    modules.put(module.name().substring("farslot.".length()), module);
                }
            }
        }
        return modules;
    }
}
