package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lender.AuditEntry;
import farslot.link.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an audit log holds, and what it costs when it cannot be written. */
class AuditLogTest {
    private static final Peer ALICE =
            new Peer("alice at 10.0.0.9:4711", "alice", "v\"1\n", true, -1, -1, "10.0.0.9");

    private final List<String> talk = new ArrayList<>();

    @TempDir Path folder;

    private static AuditEntry entry(String why) {
        Instant time = Instant.parse("2026-07-01T12:00:00.123456Z");
        return new AuditEntry(time, "granted", ALICE, "borrow", "n0", 42, why);
    }

    private static List<JsonNode> lines(Path file) throws IOException {
        return Files.readAllLines(file).stream().map(JsonMapper.shared()::readTree).toList();
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void shouldSayWhoWhatWhenAndWhyInOneLineOfItsOwnersFile() throws Exception {
        Path file = folder.resolve("audit").resolve("n0.jsonl");
        try (AuditLog log = AuditLog.open(file, AuditLog.MOST_BYTES, talk::add)) {
            log.record(entry("line 3 of policy.toml"));
            log.record(new AuditEntry(Instant.EPOCH, "policy", null, "", "", 0, "It changed."));
        }
        JsonNode line = lines(file).getFirst();
        assertEquals("2026-07-01T12:00:00.123Z", line.get("time").asString());
        assertEquals("granted", line.get("what").asString());
        assertEquals("alice", line.get("subject").asString());
        assertEquals("alice at 10.0.0.9:4711", line.get("identity").asString());
        assertEquals("v\"1\n", line.get("name").asString());
        assertEquals("10.0.0.9", line.get("address").asString());
        assertEquals("borrow", line.get("action").asString());
        assertEquals("n0", line.get("function").asString());
        assertEquals(42, line.get("epoch").asLong());
        assertEquals("line 3 of policy.toml", line.get("why").asString());
        assertFalse(lines(file).get(1).has("subject"));
        assertEquals("rw-------", mode(file));
        assertEquals("rwx------", mode(file.getParent()));
    }

    @Test
    void shouldGoOnWithTheFileThatIsThereAndKeepItPrivate() throws Exception {
        Path file = folder.resolve("n0.jsonl");
        Files.writeString(file, "{\"what\":\"before\"}\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        try (AuditLog log = AuditLog.open(file, AuditLog.MOST_BYTES, talk::add)) {
            log.record(entry("why"));
        }
        assertEquals("before", lines(file).getFirst().get("what").asString());
        assertEquals(2, lines(file).size());
        assertEquals("rw-------", mode(file));
    }

    @Test
    void shouldKeepTheLastFilesWhenTheyAreFull() throws Exception {
        Path file = folder.resolve("n0.jsonl");
        int entries = 100;
        try (AuditLog log = AuditLog.open(file, 1000, talk::add)) {
            for (int i = 0; i < entries; i++) {
                log.record(entry("number " + i));
            }
        }
        List<String> kept = new ArrayList<>();
        for (String ending : List.of(".3", ".2", ".1", "")) {
            Path part = Path.of(file + ending);
            assertTrue(Files.size(part) <= 1000, part + " has " + Files.size(part));
            assertEquals("rw-------", mode(part));
            lines(part).forEach(line -> kept.add(line.get("why").asString()));
        }
        assertFalse(Files.exists(Path.of(file + ".4")));
        for (int i = 0; i < kept.size(); i++) {
            assertEquals("number " + (entries - kept.size() + i), kept.get(i));
        }
        assertTrue(talk.isEmpty(), talk.toString());
    }

    @Test
    void shouldSayOnceThatTheDiskIsFullAndNeverThrow() throws Exception {
        try (AuditLog log = AuditLog.open(Path.of("/dev/full"), 1000, talk::add)) {
            for (int i = 0; i < 3; i++) {
                log.record(entry("lost"));
            }
        }
        assertEquals(1, talk.size(), talk.toString());
        assertTrue(talk.getFirst().contains("/dev/full CANNOT BE WRITTEN"), talk.getFirst());
    }

    @Test
    void shouldCountWhatIsLostAndGoOnWhenThereIsRoomAgain() throws Exception {
        Path inner = folder.resolve("audit");
        Path file = inner.resolve("n0.jsonl");
        try (AuditLog log = AuditLog.open(file, 300, talk::add)) {
            log.record(entry("one"));
            // Folders in the way: the full file cannot be put aside.
            List<Path> obstacles = new ArrayList<>();
            for (String ending : List.of(".2", ".3")) {
                Path obstacle = Path.of(file + ending);
                Files.createDirectories(obstacle.resolve("full"));
                obstacles.add(obstacle.resolve("full"));
                obstacles.add(obstacle);
            }
            log.record(entry("two"));
            log.record(entry("three"));
            assertEquals(1, talk.size(), talk.toString());
            for (Path obstacle : obstacles) {
                Files.delete(obstacle);
            }
            log.record(entry("four"));
        }
        assertTrue(talk.get(1).contains("2 lines are lost"), talk.toString());
        List<String> all = new ArrayList<>();
        for (String ending : List.of(".2", ".1", "")) {
            Path part = Path.of(file + ending);
            if (Files.exists(part)) {
                lines(part)
                        .forEach(line ->
                                all.add(
                                        line.has("why")
                                                ? line.get("why").asString()
                                                : "" + line.get("lines")));
            }
        }
        assertEquals(List.of("one", "2", "four"), all);
    }
}
