package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RuntimeDirectoryTest {
    private Path folder;
    private RuntimeDirectory directory;

    @BeforeEach
    void make() throws IOException {
        // Short: socket paths have 107 bytes.
        folder = Files.createTempDirectory("fs");
        directory = RuntimeDirectory.at(folder.resolve("farslot"));
    }

    @AfterEach
    void remove() throws IOException {
        try (var files = Files.list(directory.path())) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory.path());
        Files.delete(folder);
    }

    private ServerSocketChannel listen(String name, Role role) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        return channel.bind(UnixDomainSocketAddress.of(directory.socket(name, role)));
    }

    private Place place(String name) throws IOException {
        return directory.places().stream()
                .filter(place -> place.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void itIsTheUsersAlone() throws IOException {
        assertEquals(
                PosixFilePermissions.fromString("rwx------"),
                Files.getPosixFilePermissions(directory.path()));
    }

    @Test
    void aSocketsFileSaysWhoListens() throws IOException {
        try (ServerSocketChannel lender = listen("n0", Role.LENDER);
                ServerSocketChannel slot = listen("v.1", Role.SLOT)) {
            Files.createFile(directory.path().resolve("other.sock"));
            Files.createFile(directory.path().resolve("n0.lender.log"));
            assertTrue(lender.isOpen() && slot.isOpen());
            assertEquals(
                    List.of("n0 lender", "v.1 slot"),
                    directory.places().stream()
                            .map(place -> place.name() + " " + place.role().label())
                            .toList());
            assertTrue(directory.isAlive(place("n0")));
            assertFalse(directory.removeIfDead(place("n0")));
        }
    }

    @Test
    void onlyAnOldDeadSocketIsRemoved() throws IOException {
        listen("n0", Role.LENDER).close();
        Place dead = place("n0");
        assertFalse(directory.isAlive(dead));
        assertFalse(directory.removeIfDead(dead), "it may be starting");
        Files.setLastModifiedTime(dead.socket(), FileTime.fromMillis(0));
        assertTrue(directory.removeIfDead(dead));
        assertEquals(List.of(), directory.places());
    }

    @Test
    void aFurtherNameLivesAsLongAsItsProcess() throws IOException {
        Path alias = directory.socket("n1", Role.LENDER);
        try (ServerSocketChannel lender = listen("n0", Role.LENDER)) {
            assertTrue(lender.isOpen());
            Files.createSymbolicLink(alias, Path.of("n0.lender.sock"));
            assertTrue(place("n1").alias());
            assertTrue(directory.isAlive(place("n1")));
        }
        assertTrue(directory.removeIfDead(place("n1")));
        assertFalse(Files.exists(alias, LinkOption.NOFOLLOW_LINKS));
    }
}
