package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.cli.Diagnosis.Finding;
import farslot.cli.Diagnosis.State;
import farslot.lab.Lab;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiagnosisTest {
    @TempDir Path folder;

    @Test
    void shouldLookAtEverythingThatHelpPromises() {
        List<String> names =
                Diagnosis.make(new Lab(folder), line -> {}).stream().map(Finding::name).toList();
        for (String name :
                List.of(
                        "java",
                        "processors",
                        "memory",
                        "qemu",
                        "lab",
                        "kvm",
                        "vfio",
                        "sockets",
                        "open files",
                        "locked memory",
                        "pci.ids")) {
            assertTrue(names.contains(name), name + " is not in " + names);
        }
    }

    @Test
    void shouldSayWhatToDoAboutWhateverIsNotInOrder() {
        for (Finding finding : Diagnosis.make(new Lab(folder), line -> {})) {
            assertTrue(
                    finding.state() == State.OK || !finding.advice().isEmpty(), finding.toString());
            assertFalse(finding.found().isEmpty(), finding.toString());
        }
    }

    @Test
    void shouldChangeNothingWhereTheLabIsNotPrepared() throws Exception {
        List<String> said = new ArrayList<>();
        Diagnosis.make(new Lab(folder.resolve("cache")), said::add);
        assertEquals(List.of(), said);
        assertFalse(Files.exists(folder.resolve("cache")));
    }
}
