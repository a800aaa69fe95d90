package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {
    @Test
    void readsWhatPeopleWrite() {
        assertEquals(new Address.Tcp("lab", 5000), Address.parse("lab:5000"));
        assertEquals(new Address.Tcp("lab", Address.DEFAULT_PORT), Address.parse("lab"));
        assertEquals(new Address.Tcp("::1", 5000), Address.parse("[::1]:5000"));
        assertEquals(new Address.Unix(Path.of("/tmp/x")), Address.parse("unix:/tmp/x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"lab:5000", "[::1]:5000", "unix:/tmp/x"})
    void writesWhatItReads(String text) {
        assertEquals(text, Address.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":5000",
                "lab:",
                "lab:x",
                "lab:65536",
                "lab:-1",
                "unix:",
                "::1",
                "[::1",
                "[::1]5",
                "/tmp/x",
                "a b:1"
            })
    void saysWhatIsWrong(String text) {
        IllegalArgumentException wrong =
                assertThrows(IllegalArgumentException.class, () -> Address.parse(text));
        assertTrue(wrong.getMessage().endsWith("."), wrong.getMessage());
    }

    @Test
    void aSocketPathThatIsTooLongIsRefused() {
        String path = "unix:/" + "x".repeat(107);
        assertThrows(IllegalArgumentException.class, () -> Address.parse(path));
    }
}
