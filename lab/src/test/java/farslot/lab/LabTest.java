package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LabTest {
    @TempDir Path folder;

    @Test
    void isPreparedByCommandOnly() {
        Lab lab = new Lab(folder.resolve("cache"));
        assertFalse(lab.status().prepared());
        LabException e = assertThrows(LabException.class, lab::open);
        assertTrue(e.getMessage().contains("farslot lab prepare"), e.getMessage());
        assertFalse(Files.exists(folder.resolve("cache")));
    }

    @Test
    void sayThatThereIsNoNetworkAndLeaveNothing() throws IOException {
        assumeDebian();
        Files.createDirectories(folder.resolve("cache/lab.part-1/root"));
        Lab lab = new Lab(folder.resolve("cache"), apt(silentMirror()), 0);
        LabException e = assertThrows(LabException.class, () -> lab.prepare(line -> {}));
        assertTrue(e.getMessage().contains("is there a network?"), e.getMessage());
        assertEquals(List.of("lab.lock"), names(folder.resolve("cache")));
    }

    @Test
    void refuseAFullDiskBeforeAnythingIsFetched() throws IOException {
        assumeDebian();
        Lab lab = new Lab(folder.resolve("cache"), apt("http://mirror.invalid/debian"), 1L << 60);
        LabException e = assertThrows(LabException.class, () -> lab.prepare(line -> {}));
        assertTrue(e.getMessage().contains("not enough room"), e.getMessage());
        assertEquals(List.of("lab.lock"), names(folder.resolve("cache")));
    }

    @Test
    void sayWhatASystemWithoutDebiansPackagesNeeds() throws IOException {
        Lab lab = new Lab(folder.resolve("cache"), folder.resolve("no-apt"), 0);
        LabException e = assertThrows(LabException.class, () -> lab.prepare(line -> {}));
        assertTrue(e.getMessage().contains("--qemu"), e.getMessage());
        assertTrue(e.getMessage().contains("--kernel"), e.getMessage());
    }

    @Test
    void sayWhereACacheFolderCannotBeMade() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        Lab lab = new Lab(file.resolve("cache"));
        LabException e = assertThrows(LabException.class, () -> lab.prepare(line -> {}));
        assertTrue(e.getMessage().contains("XDG_CACHE_HOME"), e.getMessage());
    }

    @Test
    void cleanRemovesLabsOfAllVersionsAndWhatWasInterrupted() throws IOException {
        for (String name : List.of("lab", "lab-1", "lab-99", "lab.part-7", "build-1")) {
            Files.createDirectories(folder.resolve(name).resolve("deep"));
            Files.writeString(folder.resolve(name).resolve("deep/file"), "");
        }
        Files.writeString(folder.resolve("kvm-trial"), "tcg 0\n");
        new Lab(folder).clean();
        assertEquals(List.of("build-1", "lab.lock"), names(folder));
    }

    @Test
    void refuseAQemuWithoutTheClient() throws IOException {
        Path old = folder.resolve("qemu");
        Files.writeString(old, "#!/bin/sh\necho 'name \"e1000e\", bus PCI'\n");
        Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwxr-xr-x"));
        LabException e = assertThrows(LabException.class, () -> Qemu.at(old));
        assertTrue(e.getMessage().contains("vfio-user-pci"), e.getMessage());
        assertThrows(LabException.class, () -> Qemu.at(folder.resolve("absent")));
    }

    @Test
    void takeAQemuWithTheClient() throws IOException {
        Path fitting = folder.resolve("qemu");
        Files.writeString(
                fitting,
                """
                #!/bin/sh
                case $1 in
                -device) echo 'name "vfio-user-pci", bus PCI' ;;
                *) echo 'QEMU emulator version 12.0.1 (Debian 1)' ;;
                esac
                """);
        Files.setPosixFilePermissions(fitting, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertEquals("12.0.1", Qemu.at(fitting).version());
    }

    private static void assumeDebian() {
        assumeTrue(Lab.unpreparable() == null, "no apt here: " + Lab.unpreparable());
        assertNull(Lab.unpreparable());
    }

    private Path apt(String mirror) throws IOException {
        Path apt = Files.createDirectory(folder.resolve("apt"));
        Files.writeString(apt.resolve("sources.list"), "deb " + mirror + " trixie main\n");
        return apt;
    }

    /** A port where nobody listens: it was free a moment ago. */
    private static String silentMirror() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "http://127.0.0.1:" + socket.getLocalPort() + "/debian";
        }
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
