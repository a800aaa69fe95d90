package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UserFolderTest {
    private static Path cache(Map<String, String> environment) {
        return UserFolder.of("XDG_CACHE_HOME", ".cache", environment);
    }

    @Test
    void shouldBeWhereTheVariableSays() {
        Map<String, String> told = Map.of("XDG_CACHE_HOME", "/base", "HOME", "/home/alice");
        assertEquals(Path.of("/base/farslot"), cache(told));
    }

    @Test
    void shouldBeBelowHomeWhereTheVariableSaysNothingOrNoAbsolutePath() {
        Path usual = Path.of("/home/alice/.cache/farslot");
        assertEquals(usual, cache(Map.of("HOME", "/home/alice")));
        assertEquals(usual, cache(Map.of("HOME", "/home/alice", "XDG_CACHE_HOME", "base")));
    }

    @Test
    void shouldBeBelowTheAccountsHomeWhereThereIsNoHome() {
        Path home = Path.of(System.getProperty("user.home"));
        assertEquals(home.resolve(".cache/farslot"), cache(Map.of()));
    }
}
