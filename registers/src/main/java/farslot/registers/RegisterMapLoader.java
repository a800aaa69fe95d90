package farslot.registers;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Loads register maps: rules-ng-ng XML (envytools, Linux msm; "rules-ng-ng.txt" in envytools'
 * rnndb), with attributes of {@link #NAMESPACE} for what that lacks:
 *
 * <ul>
 *   <li>{@code access}: ro, rw, wo, w1c, w1s, rsvd; on a register or a field, where it overrides
 *   <li>{@code reset}: the value after a reset; on a register or a field
 *   <li>{@code write-once}: "yes" where only the first write after a reset counts
 *   <li>{@code volatile}: "yes" where the device changes it without a write
 *   <li>{@code read-effects}: none, present; on a database, domain, array, stripe or register, for
 *       all within
 *   <li>{@code label}: the register's name with {0}, {1} where its indexes go ("SQ{0}TDBL")
 * </ul>
 *
 * <p>{@link #strict} is for our own maps: whatever is not understood is an error. {@link #lenient}
 * is for maps from elsewhere: it is passed over, and {@link RegisterMap#remarks} says what.
 *
 * <p>Bounded: 16 MiB a file, 1000 files, a million elements, half a million registers once groups
 * are copied, a million registers, fields and values once all that is named again and again is,
 * names of 1024 characters. One loader loads one map at a time.
 */
public final class RegisterMapLoader {
    /** The namespace of our attributes. */
    public static final String NAMESPACE = "urn:farslot:registers";

    static final int MAX_FILE_BYTES = 16 << 20;
    static final int MAX_FILES = 1000;
    static final int MAX_ELEMENTS = 1_000_000;
    static final int MAX_REGISTERS = 500_000;
    static final int MAX_BUILT = 1_000_000;

    private final boolean strict;

    private RegisterMapLoader(boolean strict) {
        this.strict = strict;
    }

    /** For our own maps. */
    public static RegisterMapLoader strict() {
        return new RegisterMapLoader(true);
    }

    /** For maps from elsewhere. */
    public static RegisterMapLoader lenient() {
        return new RegisterMapLoader(false);
    }

    /**
     * Loads a map of one file.
     *
     * @param name the file's name, for messages
     * @param stream its bytes; closed here
     * @throws RegisterMapException where it cannot be used
     */
    public RegisterMap load(String name, InputStream stream) {
        Loading loading = new Loading(null);
        try (stream) {
            loading.read(name, stream);
        } catch (IOException e) {
            throw new RegisterMapException(
                    "The register map " + name + " cannot be read: " + e.getMessage() + ".", e);
        }
        return loading.map(name);
    }

    /**
     * Loads a file and what it imports. Imports are looked for beside the importing file, then
     * beside the first file; nothing outside the first file's folder is read.
     *
     * @throws RegisterMapException where it cannot be used
     */
    public RegisterMap load(Path file) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        Loading loading = new Loading(folder);
        loading.importFile(file.toAbsolutePath().normalize());
        return loading.map(file.getFileName().toString());
    }

    /** What a map may use up while it is loaded. */
    static final class Budget {
        private int files;
        private int elements;

        /** The text, read to its end and refused where it is too long or not UTF-8. */
        Reader bounded(String file, InputStream stream) {
            if (++files > MAX_FILES) {
                throw new RegisterMapException(
                        file + ": this register map imports more than " + MAX_FILES + " files.");
            }
            try {
                byte[] bytes = stream.readNBytes(MAX_FILE_BYTES + 1);
                if (bytes.length > MAX_FILE_BYTES) {
                    throw new RegisterMapException(
                            file
                                    + ": the file is longer than 16 MiB, too long for a register map.");
                }
                return new StringReader(
                        StandardCharsets.UTF_8
                                .newDecoder()
                                .decode(ByteBuffer.wrap(bytes))
                                .toString());
            } catch (CharacterCodingException e) {
                throw new RegisterMapException(
                        file + ": the file is not UTF-8, as register maps are.", e);
            } catch (IOException e) {
                throw new RegisterMapException(
                        "The register map " + file + " cannot be read: " + e.getMessage() + ".", e);
            }
        }

        void countElement(MapElement element) {
            if (++elements > MAX_ELEMENTS) {
                throw new RegisterMapException(
                        element.place()
                                + ": the register map has more than "
                                + MAX_ELEMENTS
                                + " elements.");
            }
        }
    }

    /** One load: first all files become elements by name, then domains are built from them. */
    private final class Loading {
        private final Path folder;
        private final Budget budget = new Budget();
        private final MapXml xml = new MapXml(budget);
        private final Set<Path> imported = new HashSet<>();
        private final MapDefinitions definitions = new MapDefinitions(strict);

        Loading(Path folder) {
            this.folder = folder;
        }

        RegisterMap map(String name) {
            String shortName = name.endsWith(".xml") ? name.substring(0, name.length() - 4) : name;
            List<RegisterDomain> domains = new MapBuilder(definitions).domains();
            return new RegisterMap(shortName, domains, definitions.remarks());
        }

        void importFile(Path file) {
            if (!imported.add(file)) {
                return;
            }
            try (InputStream stream = Files.newInputStream(file)) {
                read(folder.relativize(file).toString(), stream);
            } catch (IOException e) {
                throw new RegisterMapException(
                        "The register map " + file + " cannot be read: " + reason(e) + ".", e);
            }
        }

        void read(String name, InputStream stream) {
            MapElement root = xml.read(name, stream);
            if (root == null || !root.tag.equals("database")) {
                throw new RegisterMapException(
                        name
                                + ": a register map is a <database>, and this file begins with <"
                                + (root == null ? "" : root.tag)
                                + ">.");
            }
            inherit(root, root.attribute("f:read-effects"));
            imports(root);
            definitions.add(root);
        }

        /** What a database says of its reads holds for each domain and group in it. */
        private void inherit(MapElement root, String readEffects) {
            if (readEffects == null) {
                return;
            }
            for (MapElement child : root.children) {
                if (child.tag.equals("domain") || child.tag.equals("group")) {
                    child.attributes.putIfAbsent("f:read-effects", readEffects);
                }
            }
        }

        private void imports(MapElement element) {
            for (MapElement child : element.children) {
                if (child.tag.equals("import")) {
                    follow(child);
                } else {
                    imports(child);
                }
            }
        }

        private void follow(MapElement element) {
            String name = element.attribute("file", "");
            if (folder == null) {
                definitions.complain(
                        element, "it imports " + name + ", and maps of one file import nothing");
                return;
            }
            List<Path> places = new ArrayList<>();
            Path importer = folder.resolve(element.file).getParent();
            for (Path base : List.of(importer == null ? folder : importer, folder)) {
                Path place = base.resolve(name).normalize();
                if (!place.startsWith(folder)) {
                    definitions.complain(
                            element, "the import " + name + " lies outside the map's folder");
                    return;
                }
                places.add(place);
            }
            for (Path place : places) {
                if (Files.isRegularFile(place)) {
                    importFile(place);
                    return;
                }
            }
            definitions.complain(
                    element,
                    "the import "
                            + name
                            + " is neither beside this file nor beside the map's first one");
        }

        private static String reason(IOException e) {
            return e instanceof java.nio.file.NoSuchFileException
                    ? "there is no such file"
                    : e.getMessage();
        }
    }

    /** All that can be named in a map, merged over its files (rules-ng-ng, 2.1). */
    static final class MapDefinitions {
        final Map<String, List<MapElement>> domains = new LinkedHashMap<>();
        final Map<String, List<MapElement>> groups = new LinkedHashMap<>();
        final Map<String, List<MapElement>> enums = new LinkedHashMap<>();
        final Map<String, List<MapElement>> bitsets = new LinkedHashMap<>();

        private static final int MAX_REMARKS = 1000;
        private final boolean strict;
        private final Set<String> remarks = new java.util.LinkedHashSet<>();

        MapDefinitions(boolean strict) {
            this.strict = strict;
        }

        /** Top-level entities may stand anywhere; where they stand means nothing. */
        void add(MapElement element) {
            for (MapElement child : element.children) {
                switch (child.tag) {
                    case "domain" -> define(domains, child);
                    case "group" -> define(groups, child);
                    case "enum" -> define(enums, child);
                    case "bitset" -> define(bitsets, child);
                    default -> {}
                }
                add(child);
            }
        }

        private void define(Map<String, List<MapElement>> where, MapElement element) {
            String name = element.attribute("name");
            if (name == null || name.isEmpty()) {
                complain(element, "the <" + element.tag + "> has no name");
                return;
            }
            where.computeIfAbsent(name, n -> new ArrayList<>()).add(element);
        }

        /** An error for our own maps, a remark for others. */
        void complain(MapElement element, String what) {
            String sentence = element.place() + ": " + what + ".";
            if (strict) {
                throw new RegisterMapException(sentence);
            }
            if (remarks.size() < MAX_REMARKS) {
                remarks.add(sentence);
            }
        }

        List<String> remarks() {
            return List.copyOf(remarks);
        }
    }
}
