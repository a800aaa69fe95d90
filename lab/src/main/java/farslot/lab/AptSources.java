package farslot.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where this system gets its own Debian packages from, read from apt's sources (sources.list(5), in
 * both of its formats): the lab takes its packages from the same mirror.
 */
final class AptSources {
    private AptSources() {}

    /** The mirrors in the system's own sources that can hold Debian itself, the likeliest first. */
    static List<String> mirrors(Path aptFolder) {
        Set<String> mirrors = new LinkedHashSet<>();
        try {
            for (Path file : files(aptFolder)) {
                String text = Files.readString(file);
                boolean stanzas = file.toString().endsWith(".sources");
                mirrors.addAll(stanzas ? fromStanzas(text) : fromLines(text));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> ordered = new ArrayList<>(mirrors);
        // Debian's archive is called "debian" on every mirror; others' repositories hardly ever
        // are.
        ordered.sort((a, b) -> Boolean.compare(!isArchive(a), !isArchive(b)));
        return List.copyOf(ordered);
    }

    /** Deb822: paragraphs of "Field: values", continued by lines that begin with a space. */
    static List<String> fromStanzas(String text) {
        List<String> mirrors = new ArrayList<>();
        for (String stanza :
                text.lines()
                        .filter(line -> !line.startsWith("#"))
                        .reduce("", AptSources::joined)
                        .split("\n\n", -1)) {
            boolean enabled = field(stanza, "Enabled").map(v -> !v.equals("no")).orElse(true);
            boolean binary = field(stanza, "Types").orElse("").contains("deb");
            List<String> components = words(field(stanza, "Components").orElse(""));
            if (enabled && binary && components.contains("main")) {
                words(field(stanza, "URIs").orElse("")).stream()
                        .filter(AptSources::isUsable)
                        .forEach(mirrors::add);
            }
        }
        return mirrors;
    }

    /** One line each: deb [options] URI suite component... */
    static List<String> fromLines(String text) {
        List<String> mirrors = new ArrayList<>();
        for (String line : text.lines().toList()) {
            List<String> words = words(line.replaceFirst("#.*", "").replaceFirst("\\[.*?\\]", ""));
            boolean main = words.size() > 3 && words.subList(3, words.size()).contains("main");
            if (main && words.get(0).equals("deb") && isUsable(words.get(1))) {
                mirrors.add(words.get(1));
            }
        }
        return mirrors;
    }

    private static List<Path> files(Path aptFolder) throws IOException {
        List<Path> files = new ArrayList<>();
        Path list = aptFolder.resolve("sources.list");
        if (Files.isReadable(list)) {
            files.add(list);
        }
        Path parts = aptFolder.resolve("sources.list.d");
        if (Files.isDirectory(parts)) {
            try (Stream<Path> all = Files.list(parts)) {
                all.filter(path -> path.toString().matches(".*\\.(list|sources)"))
                        .filter(Files::isReadable)
                        .sorted()
                        .forEach(files::add);
            }
        }
        return files;
    }

    private static String joined(String text, String line) {
        return text + "\n" + line;
    }

    private static Optional<String> field(String stanza, String name) {
        StringBuilder value = null;
        for (String line : stanza.lines().toList()) {
            if (value != null && line.matches("\\s.*")) {
                value.append(' ').append(line.trim());
            } else if (value != null) {
                break;
            } else if (line.toLowerCase(Locale.ROOT)
                    .startsWith(name.toLowerCase(Locale.ROOT) + ":")) {
                value = new StringBuilder(line.substring(name.length() + 1).trim());
            }
        }
        return Optional.ofNullable(value).map(StringBuilder::toString);
    }

    /** Security updates are another archive, and a CD holds no backports. */
    private static boolean isUsable(String uri) {
        return !uri.contains("security") && !uri.startsWith("cdrom:");
    }

    private static boolean isArchive(String uri) {
        return uri.matches(".*/debian/?");
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.trim().split("\\s+", -1)).filter(w -> !w.isEmpty()).toList();
    }
}
