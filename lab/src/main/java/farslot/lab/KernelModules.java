package farslot.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The modules of an unpacked kernel. Debian's package carries no modules.dep (depmod makes it where
 * the package is installed), so what a module needs is read from the module itself: the {@code
 * depends=} and {@code softdep=pre:} lines of its .modinfo section.
 */
final class KernelModules {
    /**
     * One module, unpacked.
     *
     * @param plain the unpacked file
     * @param path below /lib/modules/VERSION, ending in .ko
     * @param needs names of modules that must be loaded before
     */
    record Module(String name, String path, Path plain, List<String> needs) {}

    private final Path folder;
    private final UnaryOperator<Path> unpack;
    private final Map<String, Path> files = new HashMap<>();

    /**
     * @param folder .../lib/modules/VERSION
     * @param unpack gives the path of a plain .ko for that of a compressed one
     */
    KernelModules(Path folder, UnaryOperator<Path> unpack) throws IOException {
        this.folder = folder;
        this.unpack = unpack;
        try (Stream<Path> all = Files.walk(folder)) {
            all.filter(path -> path.getFileName().toString().contains(".ko"))
                    .forEach(path -> files.put(name(path), path));
        }
    }

    /** These modules and all that they need, in an order in which they can be loaded. */
    SequencedMap<String, Module> closure(Collection<String> names) throws IOException {
        SequencedMap<String, Module> loaded = new LinkedHashMap<>();
        for (String name : names) {
            add(name.replace('-', '_'), loaded, new LinkedHashSet<>());
        }
        return loaded;
    }

    /** The lines of a modules.dep: each module's file, and all that it needs, nearest first. */
    static String modulesDep(SequencedMap<String, Module> modules) {
        StringBuilder text = new StringBuilder();
        for (Module module : modules.values()) {
            Set<String> needs = new LinkedHashSet<>();
            collect(module, modules, needs);
            text.append(module.path()).append(':');
            needs.forEach(path -> text.append(' ').append(path));
            text.append('\n');
        }
        return text.toString();
    }

    /** The lines of a modules.alias: what the kernel asks for, and who answers to it. */
    static String modulesAlias(SequencedMap<String, Module> modules) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Module module : modules.values()) {
            String content = content(Files.readAllBytes(module.plain()));
            for (String alias : values(content, "\0alias=")) {
                text.append("alias ").append(alias).append(' ').append(module.name()).append('\n');
            }
        }
        return text.toString();
    }

    private static void collect(Module module, Map<String, Module> modules, Set<String> paths) {
        for (String need : module.needs()) {
            Module needed = modules.get(need);
            if (needed != null && paths.add(needed.path())) {
                collect(needed, modules, paths);
            }
        }
    }

    private void add(String name, Map<String, Module> loaded, Set<String> above)
            throws IOException {
        Path file = files.get(name);
        // What is no file is built into the kernel.
        if (file == null || loaded.containsKey(name) || !above.add(name)) {
            return;
        }
        Path plain = unpack.apply(file);
        List<String> needs = needs(Files.readAllBytes(plain));
        for (String need : needs) {
            add(need, loaded, above);
        }
        loaded.put(name, new Module(name, path(file), plain, needs));
    }

    private String path(Path file) {
        String path = folder.relativize(file).toString();
        return path.substring(0, path.lastIndexOf(".ko") + 3);
    }

    private static String name(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.indexOf(".ko")).replace('-', '_');
    }

    /** .modinfo is a row of NUL-terminated {@code key=value}; no need to read ELF for it. */
    private static List<String> needs(byte[] bytes) {
        String text = content(bytes);
        List<String> needs = new ArrayList<>();
        for (String value : values(text, "\0depends=")) {
            needs.addAll(words(value, ","));
        }
        for (String value : values(text, "\0softdep=pre:")) {
            needs.addAll(words(value.replaceFirst("post:.*", ""), "\\s+"));
        }
        return List.copyOf(needs);
    }

    private static String content(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static List<String> values(String text, String key) {
        List<String> values = new ArrayList<>();
        for (int at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
            int begin = at + key.length();
            int end = text.indexOf('\0', begin);
            if (end >= 0) {
                values.add(text.substring(begin, end));
            }
        }
        return values;
    }

    private static List<String> words(String value, String separator) {
        return Stream.of(value.trim().split(separator, -1))
                .filter(word -> !word.isEmpty())
                .map(word -> word.replace('-', '_'))
                .toList();
    }
}
