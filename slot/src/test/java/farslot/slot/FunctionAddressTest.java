package farslot.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Address;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionAddressTest {
    @Test
    void aNameAloneIsSoughtHere() {
        FunctionAddress address = FunctionAddress.parse("n0");
        assertTrue(address.isHere());
        assertEquals("n0", address.toString());
    }

    @Test
    void aMachineHasTheDefaultPort() {
        assertEquals(
                new Address.Tcp("lab", Address.DEFAULT_PORT),
                FunctionAddress.parse("n0@lab").address());
    }

    @ParameterizedTest
    @CsvSource({
        "n0@lab:4000, n0, lab:4000",
        "n0@[::1]:4000, n0, [::1]:4000",
        "a.b-c_1@10.0.0.1:1, a.b-c_1, 10.0.0.1:1",
        "n0@unix:/tmp/x.sock, n0, unix:/tmp/x.sock"
    })
    void readsWhatItWrites(String text, String name, String address) {
        FunctionAddress read = FunctionAddress.parse(text);
        assertEquals(name, read.name());
        assertEquals(address, read.address().toString());
        assertEquals(text, read.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "@lab",
                "n 0",
                "n0@",
                "n0@lab:0",
                "n0@lab:x",
                "n0@lab:70000",
                "a/b",
                "a:1"
            })
    void refusesWithASentence(String text) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> FunctionAddress.parse(text));
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
    }

    @Test
    void aListNeedsNoName() {
        assertEquals("", FunctionAddress.parseAny("@lab:4000").name());
    }
}
