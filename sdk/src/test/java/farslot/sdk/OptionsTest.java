package farslot.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.registers.RegisterMap;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OptionsTest {
    private static final DeviceKind KIND =
            new DeviceKind() {
                @Override
                public String kind() {
                    return "disk";
                }

                @Override
                public RegisterMap registerMap() {
                    return RegisterMap.EMPTY;
                }

                @Override
                public String summary() {
                    return "A disk";
                }

                @Override
                public List<Option> options() {
                    return List.of(
                            Option.required("image", Option.Type.PATH, "the image file"),
                            Option.optional("size", Option.Type.SIZE, null, "its size"),
                            Option.optional("queues", Option.Type.NUMBER, "16", "how many"),
                            Option.optional("readonly", Option.Type.SWITCH, "off", "no writes"),
                            Option.optional("serial", Option.Type.TEXT, "none", "its number"),
                            Option.choice("cache", List.of("writeback", "none"), "the cache"));
                }

                @Override
                public Device create(Options options) {
                    throw new UnsupportedOperationException();
                }
            };

    private static Options given(String... pairs) throws BadOptionException {
        Map<String, String> map = new java.util.LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return Options.check(KIND, map);
    }

    private static String refused(String... pairs) {
        return assertThrows(BadOptionException.class, () -> given(pairs)).getMessage();
    }

    @Test
    void shouldGiveWhatWasGivenAndDefaultsElse() throws BadOptionException {
        Options options = given("image", "a/b.img", "size", "1G", "queues", "0x20");
        assertEquals(Path.of("a/b.img"), options.path("image"));
        assertEquals(1L << 30, options.sizeBytes("size"));
        assertEquals(32, options.number("queues"));
        assertFalse(options.isOn("readonly"));
        assertFalse(options.isGiven("readonly"));
        assertTrue(options.has("readonly"));
        assertEquals("none", options.text("serial"));
        assertEquals("writeback", options.choice("cache"));
        assertFalse(given("image", "x").has("size"));
    }

    @Test
    void shouldReadSizes() throws BadOptionException {
        String[] sizes = {"0", "512", "4K", "64k", "3M", "2T", "0x1000"};
        long[] bytes = {0, 512, 4096, 65536, 3 << 20, 2L << 40, 4096};
        for (int i = 0; i < sizes.length; i++) {
            assertEquals(bytes[i], given("image", "x", "size", sizes[i]).sizeBytes("size"));
        }
    }

    @Test
    void shouldRefuseValuesThatAreNone() {
        for (String size : List.of("", "G", "-1", "+1", "1.5G", "1GB", "9999999T", "0x1G", "1 G")) {
            assertTrue(
                    refused("image", "x", "size", size)
                            .startsWith("disk: size=" + size + " is not a size"));
        }
        assertEquals(
                "disk: readonly=yes is not on or off (no writes).",
                refused("image", "x", "readonly", "yes"));
        assertEquals(
                "disk: cache=all is not one of writeback, none (the cache).",
                refused("image", "x", "cache", "all"));
        assertTrue(refused("image", "\0").contains("is not a path"));
        assertTrue(refused("image", "x", "queues", "4K").contains("is not a number"));
        assertTrue(refused("image", "x", "serial", "").contains("is not a text"));
    }

    @Test
    void shouldNameTheNearestOption() {
        assertEquals(
                "disk has no option named \"imgae\"; did you mean \"image\"? There are image, size,"
                        + " queues, readonly, serial, cache.",
                refused("imgae", "x"));
        assertEquals(
                "disk has no option named \"elephant\"; there are image, size, queues, readonly,"
                        + " serial, cache.",
                refused("elephant", "x"));
    }

    @Test
    void shouldAskForWhatIsRequired() {
        assertEquals("disk needs image=path: the image file.", refused());
    }

    @Test
    void shouldTellAKindOfItsOwnMistakes() throws BadOptionException {
        Options options = given("image", "x");
        assertThrows(IllegalArgumentException.class, () -> options.text("unknown"));
        assertThrows(IllegalArgumentException.class, () -> options.text("image"));
        assertThrows(IllegalArgumentException.class, () -> options.sizeBytes("size"));
    }

    @Test
    void shouldShowHowAnOptionIsWritten() {
        assertEquals("size=size", KIND.options().get(1).synopsis());
        assertEquals("cache=writeback|none", KIND.options().get(5).synopsis());
    }
}
