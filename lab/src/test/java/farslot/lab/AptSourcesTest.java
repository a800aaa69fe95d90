package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AptSourcesTest {
    @TempDir Path folder;

    @Test
    void readsStanzasWithoutSecurityAndWithoutWhatIsSwitchedOff() {
        String text =
                """
                Types: deb
                # a remark
                URIs: http://mirror.example/debian
                 http://other.example/debian/
                Suites: bookworm bookworm-updates
                Components: main

                Types: deb
                URIs: http://mirror.example/debian-security
                Suites: bookworm-security
                Components: main

                Enabled: no
                Types: deb
                URIs: http://off.example/debian
                Suites: sid
                Components: main

                Types: deb-src deb
                URIs: https://tools.example/apt
                Suites: stable
                Components: contrib
                """;
        assertEquals(
                List.of("http://mirror.example/debian", "http://other.example/debian/"),
                AptSources.fromStanzas(text));
    }

    @Test
    void readsLinesWithOptionsAndRemarks() {
        String text =
                """
                # deb http://remark.example/debian trixie main
                deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main contrib # x
                deb-src http://source.example/debian trixie main
                deb cdrom:[Debian 13]/ trixie main
                deb http://third.example/ ./
                """;
        assertEquals(List.of("http://mirror.example/debian"), AptSources.fromLines(text));
    }

    @Test
    void prefersWhatIsCalledDebian() throws IOException {
        Files.writeString(
                folder.resolve("sources.list"), "deb https://tools.example/apt stable main\n");
        Files.createDirectory(folder.resolve("sources.list.d"));
        Files.writeString(
                folder.resolve("sources.list.d/debian.sources"),
                "Types: deb\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\n");
        Files.writeString(folder.resolve("sources.list.d/debian.list.save"), "deb x y main");
        assertEquals(
                List.of("http://m.example/debian", "https://tools.example/apt"),
                AptSources.mirrors(folder));
    }

    @Test
    void findsNothingWhereThereIsNothing() {
        assertEquals(List.of(), AptSources.mirrors(folder.resolve("absent")));
    }
}
