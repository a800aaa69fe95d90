package farslot.registers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Loads register maps: rules-ng-ng XML (envytools, Linux msm; "rules-ng-ng.txt" in envytools'
 * rnndb), and CMSIS-SVD, of which each peripheral becomes a domain. A file's first element says
 * which it is. What of both is read, docs/register-maps.md says. Rules-ng-ng has attributes of
 * {@link #NAMESPACE} for what it lacks:
 *
 * <ul>
 *   <li>{@code access}: ro, rw, wo, w1c, w1s, w1t, w0c, w0s, w0t, wc, ws, rsvd; on a register or a
 *       field, where it overrides
 *   <li>{@code reset}: the value after a reset; on a register or a field. {@code reset-mask}: the
 *       bits of it that are known, where not all are
 *   <li>{@code write-once}: "yes" where only the first write after a reset counts
 *   <li>{@code volatile}: "yes" where the device changes it without a write
 *   <li>{@code read-effects}: none, present; on a database, domain, array, stripe or register, for
 *       all within
 *   <li>{@code label}: the register's name with {0}, {1} where its indexes go ("SQ{0}TDBL")
 *   <li>{@code first}, {@code indexes}: what elements of an array are counted from, or what they
 *       are called, with commas between
 *   <li>{@code base}: where a domain lies in the space that it shares with others
 *   <li>{@code mask}: the bits of a value's name that count; 0 for the name of all others
 *   <li>{@code <variants set= are=>} within an element, where it depends on more than one set of
 *       variants
 * </ul>
 *
 * <p>{@link #strict} is for our own maps: whatever is not understood is an error. {@link #lenient}
 * is for maps from elsewhere: it is passed over, and {@link RegisterMap#remarks} says what.
 *
 * <p>Bounded ({@link MapLimits}): 16 MiB a file, 64 MiB in all, 1000 files, a million elements,
 * half a million registers once groups are copied, a million registers, fields and values once all
 * that is named again and again is, names of 1024 characters. Arrays are held as what they are,
 * whatever their length. One loader loads one map at a time.
 */
public final class RegisterMapLoader {
    /** The namespace of our attributes. */
    public static final String NAMESPACE = "urn:farslot:registers";

    private static final Pattern ENDING = Pattern.compile(".*/|\\.(xml|svd)$");

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
            return loading.map(loading.read(name, stream));
        } catch (IOException e) {
            throw new RegisterMapException(
                    "The register map " + name + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    /**
     * Loads a file and what it imports. Imports are looked for beside the importing file, then
     * beside the first file; nothing outside the first file's folder is read.
     *
     * @throws RegisterMapException where it cannot be used
     */
    public RegisterMap load(Path file) {
        Path real = real(file);
        return load(real, real.getParent());
    }

    /**
     * The same for a file of a larger database, whose imports are relative to the database's
     * folder.
     *
     * @param folder that the file lies in, at any depth; nothing outside of it is read
     * @throws RegisterMapException where it cannot be used
     */
    public RegisterMap load(Path file, Path folder) {
        Path real = real(file);
        Path realFolder = real(folder);
        if (!real.startsWith(realFolder)) {
            throw new RegisterMapException(
                    "The register map " + file + " does not lie in the folder " + folder + ".");
        }
        Loading loading = new Loading(realFolder);
        return loading.map(loading.readFile(real));
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            throw new RegisterMapException(
                    "The register map " + path + " cannot be read: " + reason(e) + ".", e);
        }
    }

    /** One load: first all files become elements by name, then domains are built from them. */
    private final class Loading {
        private final Path folder;
        private final MapLimits limits = new MapLimits();
        private final MapXml xml = new MapXml(limits);
        private final MapRemarks remarks = new MapRemarks(strict);
        private final Set<Path> imported = new HashSet<>();
        private final RulesNgDefinitions definitions = new RulesNgDefinitions(remarks, limits);

        /**
         * @param folder with no link in its path; null for a map of one file
         */
        Loading(Path folder) {
            this.folder = folder;
        }

        RegisterMap map(MapElement root) {
            List<RegisterDomain> domains =
                    root.tag.equals("device")
                            ? new SvdBuilder(root, remarks, limits).domains()
                            : new RulesNgBuilder(definitions, remarks, limits).domains();
            return new RegisterMap(
                    ENDING.matcher(root.file).replaceAll(""),
                    domains,
                    remarks.sentences(root.file));
        }

        MapElement readFile(Path file) {
            return withImports(parsed(file));
        }

        MapElement read(String name, InputStream stream) {
            return withImports(parsed(name, stream));
        }

        /** A file whose imports are being read. */
        private record Importing(MapElement root, Iterator<MapElement> left) {}

        /**
         * Reads what a file imports, and what that imports: a file counts behind what it imports.
         * No chain of them is too long for the thread's stack.
         */
        private MapElement withImports(MapElement first) {
            Deque<Importing> under = new ArrayDeque<>();
            begin(under, first);
            while (!under.isEmpty()) {
                Importing last = under.peek();
                if (last.left.hasNext()) {
                    Path place = imported(last.left.next());
                    if (place != null) {
                        begin(under, parsed(place));
                    }
                } else {
                    definitions.add(last.root);
                    under.pop();
                }
            }
            return first;
        }

        /** A description of a chip imports nothing, and is no database. */
        private void begin(Deque<Importing> under, MapElement root) {
            if (root.tag.equals("database")) {
                List<MapElement> imports = new ArrayList<>();
                imports(root, imports);
                under.push(new Importing(root, imports.iterator()));
            }
        }

        private MapElement parsed(Path file) {
            imported.add(file);
            try (InputStream stream = Files.newInputStream(file)) {
                return parsed(folder.relativize(file).toString(), stream);
            } catch (IOException e) {
                throw new RegisterMapException(
                        "The register map " + file + " cannot be read: " + reason(e) + ".", e);
            }
        }

        private MapElement parsed(String name, InputStream stream) {
            MapElement root = xml.read(name, stream);
            if (root != null && root.tag.equals("device") && imported.size() < 2) {
                return root;
            }
            if (root == null || !root.tag.equals("database")) {
                throw new RegisterMapException(
                        name
                                + ", line "
                                + (root == null ? 1 : root.line)
                                + ": a register map is a <database> of rules-ng-ng or a <device> of"
                                + " CMSIS-SVD, and this file begins with <"
                                + (root == null ? "" : root.tag)
                                + ">.");
            }
            inherit(root, root.attribute("f:read-effects"));
            return root;
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

        private static void imports(MapElement element, List<MapElement> into) {
            for (MapElement child : element.children) {
                if (child.tag.equals("import")) {
                    into.add(child);
                } else {
                    imports(child, into);
                }
            }
        }

        /** The file that is to be read for an import; null where there is none, or it was read. */
        private Path imported(MapElement element) {
            String name = element.attribute("file", "");
            if (folder == null) {
                remarks.complain(
                        element, "it imports " + name + ", and maps of one file import nothing");
                return null;
            }
            Path importer = folder.resolve(element.file).getParent();
            for (Path base : List.of(importer == null ? folder : importer, folder)) {
                Path place = place(base, name);
                if (place != null) {
                    if (!place.startsWith(folder)) {
                        remarks.complain(
                                element, "the import " + name + " lies outside the map's folder");
                        return null;
                    }
                    return imported.contains(place) ? null : place;
                }
            }
            remarks.complain(
                    element,
                    "the import "
                            + name
                            + " is neither beside this file nor beside the map's first one");
            return null;
        }

        /** The file with this name as it really lies, links followed; null where there is none. */
        private static Path place(Path base, String name) {
            try {
                Path place = base.resolve(name);
                return Files.isRegularFile(place) ? place.toRealPath() : null;
            } catch (InvalidPathException | IOException e) {
                return null;
            }
        }
    }

    private static String reason(IOException e) {
        return e instanceof NoSuchFileException
                ? "there is no such file"
                : e instanceof AccessDeniedException ? "it may not be read" : e.getMessage();
    }
}
