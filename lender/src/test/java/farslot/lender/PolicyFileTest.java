package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A policy file that changes, breaks and goes while a lender runs. */
class PolicyFileTest {
    private static final String ALICE = "[[allow]]\nwho = \"alice\"\nmay = \"borrow\"\n";
    private static final String BOB = "[[allow]]\nwho = \"bob\"\nmay = \"borrow\"\n";

    @TempDir Path folder;

    private Path path;
    private PolicyFile file;

    @BeforeEach
    void open() throws Exception {
        path = folder.resolve("policy.toml");
        Files.writeString(path, ALICE);
        file = PolicyFile.open(path);
    }

    private boolean allows(String subject) {
        return file.policy().allowing(subject, Right.BORROW, "n0") != null;
    }

    /** Until a look says something: a change counts when it was seen twice. */
    private String said() {
        for (int look = 0; look < 3; look++) {
            String sentence = file.look();
            if (sentence != null) {
                return sentence;
            }
        }
        return null;
    }

    @Test
    void shouldHoldAChangeOnceItHasSeenItTwice() throws Exception {
        assertNull(said());
        Files.writeString(path, BOB);
        assertNull(file.look(), "it may still be being written");
        assertTrue(allows("alice"));
        assertTrue(file.look().contains("has changed; it holds now"));
        assertTrue(allows("bob") && !allows("alice"));
        assertNull(said());
    }

    @Test
    void shouldNotTakeTheFirstHalfOfAFileForIt() throws Exception {
        Files.writeString(path, "# nobody yet\n");
        assertNull(file.look());
        Files.writeString(path, "# nobody yet\n" + ALICE + BOB);
        assertNull(file.look());
        assertTrue(allows("alice"));
        assertNotNull(file.look());
        assertTrue(allows("alice") && allows("bob"));
    }

    @Test
    void shouldKeepTheLastGoodOneWhenItIsBroken() throws Exception {
        Policy before = file.policy();
        Files.writeString(path, BOB + "[[allow]]\nwho = \"x\"\nmay = \"fly\"\n");
        String sentence = said();
        assertTrue(sentence.startsWith(path + ", line 6, column 1: there is no right"), sentence);
        assertTrue(sentence.endsWith("the last good policy stays in force."), sentence);
        assertEquals(sentence, file.trouble());
        assertSame(before, file.policy());
        assertNull(said(), "said once");
        Files.writeString(path, "[[allow]\n");
        assertTrue(said().contains("line 1, column 8"), "other trouble is said");
        Files.writeString(path, BOB);
        assertTrue(said().contains("holds now"));
        assertEquals("", file.trouble());
        assertTrue(allows("bob"));
    }

    @Test
    void shouldKeepTheLastGoodOneWhenItIsGoneOrEmpty() throws Exception {
        Files.delete(path);
        assertEquals(
                "The policy file " + path + " is gone: the last good policy stays in force.",
                said());
        assertTrue(allows("alice"));
        Files.createFile(path);
        assertTrue(said().contains("the file is empty"));
        assertTrue(allows("alice"));
        Files.delete(path);
        Files.createDirectory(path);
        assertTrue(said().contains("cannot be read"));
        Files.delete(path);
        Files.writeString(path, ALICE);
        assertTrue(said().contains("is as it was; its policy goes on"));
        assertEquals("", file.trouble());
    }

    @Test
    void shouldBeRefusedAtTheStartWhenItIsNone() throws Exception {
        Path none = folder.resolve("none.toml");
        LendingException e = assertThrows(LendingException.class, () -> PolicyFile.open(none));
        assertEquals(LendingException.Fault.BAD_INPUT, e.fault());
        assertTrue(e.getMessage().contains("there is none"), e.getMessage());
        Files.write(none, new byte[] {'#', (byte) 0xff, '\n'});
        e = assertThrows(LendingException.class, () -> PolicyFile.open(none));
        assertTrue(e.getMessage().contains("not UTF-8"), e.getMessage());
        Files.write(none, new byte[PolicyFile.MOST_BYTES + 1]);
        e = assertThrows(LendingException.class, () -> PolicyFile.open(none));
        assertTrue(e.getMessage().contains("more than"), e.getMessage());
    }
}
