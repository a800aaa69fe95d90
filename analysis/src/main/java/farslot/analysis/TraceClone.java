package farslot.analysis;

import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.recorder.TraceNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The beginnings of an emulated device, made of a trace: identity, capabilities, BARs, a register
 * map of everything that was seen, and a class into which its behaviour is to be written. It
 * builds, is lent, and a driver's machine finds it; what it does not know it says.
 */
public final class TraceClone {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]{0,31}");

    /** What the SDK gives every function, and at its own places. */
    private static final Set<Integer> EVERY_FUNCTION_HAS =
            Set.of(
                    ConfigurationSpaceBuilder.ID_POWER_MANAGEMENT,
                    ConfigurationSpaceBuilder.ID_EXPRESS);

    private final String name;
    private final String source;
    private final FunctionDescription function;
    private final KnownBytes configuration;
    private final MsixPlace msix;
    private final CloneMap map;
    private final List<String> unknown = new ArrayList<>();

    private TraceClone(
            String name,
            String source,
            FunctionDescription function,
            KnownBytes configuration,
            SeenRegisters seen,
            TraceNames names) {
        this.name = name;
        this.source = source;
        this.function = function;
        this.configuration = configuration;
        msix = MsixPlace.of(function, configuration);
        map =
                CloneMap.of(
                        "What the trace "
                                + source
                                + " showed of a function of the kind "
                                + function.kind()
                                + ".",
                        function,
                        seen,
                        names,
                        msix);
        unknown.addAll(map.remarks());
    }

    /**
     * Takes what a trace showed.
     *
     * @param name of the kind of device that is made: {@code farslot lend NAME}. Null for one made
     *     of vendor and device
     * @param source the trace, for people
     * @param wholeConfiguration its configuration space when the trace began; null where the trace
     *     has only what the driver read
     * @throws AnalysisException where the name is none for a kind
     */
    public static TraceClone of(
            String name,
            String source,
            FunctionDescription function,
            byte[] wholeConfiguration,
            SeenRegisters seen,
            TraceNames names)
            throws AnalysisException {
        String kind =
                name != null
                        ? name
                        : "d%04x%04x"
                                .formatted(
                                        function.identity().vendor(), function.identity().device());
        checkName(kind);
        KnownBytes configuration =
                wholeConfiguration != null
                        ? KnownBytes.all(wholeConfiguration)
                        : KnownBytes.of(seen.region(Region.CONFIGURATION));
        return new TraceClone(kind, source, function, configuration, seen, names);
    }

    public String name() {
        return name;
    }

    /** The register map alone. */
    public String map() {
        return map.text();
    }

    /** The class of the device. Also finds what is not known: before {@link #readme}. */
    String device() {
        StringBuilder body = new StringBuilder();
        for (Region region : function.regions()) {
            if (region.index() < Region.ROM) {
                bar(region, body);
            } else if (region.index() == Region.ROM) {
                unknown.add("The expansion ROM's content: none is made.");
            }
        }
        interrupts(body);
        for (FunctionDescription.CapabilityPlace place : function.capabilities()) {
            capability(place, body);
        }
        FunctionDescription.Identity identity = function.identity();
        return fill(
                "Device.java.txt",
                "IDENTITY",
                "0x%04x, 0x%04x, 0x%04x, 0x%04x, 0x%06x, 0x%02x"
                        .formatted(
                                identity.vendor(),
                                identity.device(),
                                identity.subsystemVendor(),
                                identity.subsystem(),
                                identity.classCode(),
                                identity.revision()),
                "IMPORTS",
                imports(body.toString()),
                "BODY",
                body.toString().stripTrailing());
    }

    /** Those that not every device needs. */
    private static String imports(String body) {
        StringBuilder imports = new StringBuilder();
        if (body.contains("Region.Attribute")) {
            imports.append("import farslot.core.Region;\n");
        }
        imports.append("import farslot.registers.RegisterMap;\n");
        if (body.contains(" Bar ")) {
            imports.append("import farslot.sdk.Bar;\n");
        }
        imports.append("import farslot.sdk.Device;\nimport farslot.sdk.FunctionBuilder;");
        if (body.contains("HexFormat")) {
            imports.append("\nimport java.util.HexFormat;");
        }
        return imports.toString();
    }

    private void bar(Region region, StringBuilder body) {
        String bar = "bar" + region.index();
        String attributes =
                region.attributes().stream()
                        .filter(attribute -> attribute != Region.Attribute.MAPPABLE)
                        .sorted()
                        .map(attribute -> ", Region.Attribute." + attribute)
                        .collect(Collectors.joining());
        boolean ports = region.space() == Region.Space.IO_PORT;
        String made =
                "function.%s(%d, 0x%xL%s)"
                        .formatted(
                                ports ? "ioBar" : "memoryBar",
                                region.index(),
                                region.sizeBytes(),
                                attributes);
        boolean registers = map.regions().contains(region.index());
        boolean table = msix != null && msix.isIn(region.index());
        if (!registers) {
            unknown.add(region.label() + ": no register of it was accessed.");
        }
        if (!registers && !table) {
            body.append("        ").append(made).append(";\n");
            return;
        }
        body.append("        Bar ").append(bar).append(" = ").append(made).append(";\n");
        if (registers) {
            body.append(
                    "        // .onWritten(\"NAME\", value -> ...) and .onRead: what it does.%n"
                            .formatted());
            body.append(
                    "        %s.registers(map.domain(\"%s\"));%n".formatted(bar, region.label()));
        }
    }

    private void interrupts(StringBuilder body) {
        if (function.intxPin() != 0) {
            body.append("        function.intx(%d);%n".formatted(function.intxPin()));
        }
        if (function.msiVectors() != 0) {
            body.append("        function.msi(%d);%n".formatted(function.msiVectors()));
        }
        if (function.msixVectors() == 0) {
            return;
        }
        if (msix == null) {
            unknown.add(
                    "MSI-X: the trace does not show where the table of %d vectors is; none is made."
                            .formatted(function.msixVectors()));
            return;
        }
        body.append(
                "        function.msix(%d, bar%d, 0x%xL, bar%d, 0x%xL);%n"
                        .formatted(
                                msix.vectors(),
                                msix.tableBar(),
                                msix.tableOffset(),
                                msix.pendingBar(),
                                msix.pendingOffset()));
    }

    private void capability(FunctionDescription.CapabilityPlace place, StringBuilder body) {
        boolean made =
                !place.extended()
                        && (EVERY_FUNCTION_HAS.contains(place.id())
                                || place.id() == ConfigurationSpaceBuilder.ID_MSI
                                || place.id() == ConfigurationSpaceBuilder.ID_MSIX);
        if (made) {
            return;
        }
        int header = place.extended() ? 4 : 2;
        int length = place.lengthBytes() - header;
        String what =
                (place.extended() ? "Extended capability" : "Capability")
                        + " 0x%02x at 0x%x".formatted(place.id(), place.offset());
        if (length < 0 || !configuration.knows(place.offset(), place.lengthBytes())) {
            unknown.add(what + ": the trace does not show its bytes; it is not made.");
            return;
        }
        String hex =
                HexFormat.of()
                        .formatHex(
                                configuration.bytes(),
                                place.offset() + header,
                                place.offset() + place.lengthBytes());
        unknown.add(what + ": which of its bits a driver can write; none is taken for writable.");
        String bytes = "HexFormat.of().parseHex(\"" + hex + "\")";
        if (place.extended()) {
            int version = (configuration.bytes()[place.offset() + 2] & 0xF);
            body.append(
                    "        function.capabilities(space -> space.extended(0x%x, %d, %s, null));%n"
                            .formatted(place.id(), Math.max(1, version), bytes));
        } else {
            body.append(
                    "        function.capabilities(space -> space.capability(0x%x, %s, null));%n"
                            .formatted(place.id(), bytes));
        }
    }

    private String readme(Path folder, Path checkout) {
        String list =
                unknown.isEmpty()
                        ? "Nothing beyond what each register's description says."
                        : unknown.stream().map(one -> "- " + one).collect(Collectors.joining("\n"));
        return fill(
                "README.md.txt",
                "SOURCE",
                source,
                "KINDOF",
                function.kind(),
                "FOLDER",
                checkout.relativize(folder).toString(),
                "UNKNOWN",
                list);
    }

    /**
     * Writes the project.
     *
     * @param folder to be made; must not exist, or be empty
     * @param checkout Farslot's own, whose build the project becomes a part of
     * @return what is not known, as sentences
     */
    public List<String> write(Path folder, Path checkout) throws AnalysisException, IOException {
        check(name, folder, checkout);
        Path root = folder.toAbsolutePath().normalize();
        Path home = checkout.toAbsolutePath().normalize();
        Path code = root.resolve("src/main/java");
        Path inPackage = Path.of("farslot", "devices", name);
        String up = root.relativize(home.resolve("pom.xml")).toString();
        put(root.resolve("pom.xml"), fill("pom.xml.txt", "UP", up));
        put(code.resolve("module-info.java"), fill("module-info.java.txt"));
        Path classes = code.resolve(inPackage);
        put(classes.resolve("package-info.java"), fill("package-info.java.txt"));
        put(classes.resolve(capital() + "Kind.java"), fill("Kind.java.txt"));
        put(classes.resolve(capital() + "Device.java"), device());
        put(
                root.resolve("src/main/resources").resolve(inPackage).resolve(name + ".xml"),
                map.text());
        put(root.resolve("README.md"), readme(root, home));
        return List.copyOf(unknown);
    }

    /**
     * Finds out, before anything is recorded for it, whether a clone could be written.
     *
     * @param kind its name, or null
     * @throws AnalysisException where it could not
     */
    public static void check(String kind, Path folder, Path checkout)
            throws AnalysisException, IOException {
        if (kind != null) {
            checkName(kind);
        }
        Path root = folder.toAbsolutePath().normalize();
        Path home = checkout.toAbsolutePath().normalize();
        if (!root.startsWith(home) || root.equals(home)) {
            throw new AnalysisException(
                    "The device is built as a part of Farslot's checkout: give a folder in it, such"
                            + " as "
                            + home.resolve("devices").resolve(kind == null ? "mine" : kind)
                            + ".");
        }
        if (Files.exists(root) && !isEmptyFolder(root)) {
            throw new AnalysisException(root + " is there already, and is not changed.");
        }
    }

    private static void checkName(String kind) throws AnalysisException {
        if (!NAME.matcher(kind).matches()) {
            throw new AnalysisException(
                    "A kind of device cannot be called \""
                            + kind
                            + "\": give --name up to 32 small letters and digits, a letter first.");
        }
    }

    private static boolean isEmptyFolder(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (var inside = Files.list(path)) {
            return inside.findAny().isEmpty();
        }
    }

    private static void put(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private String capital() {
        return Character.toUpperCase(name.charAt(0)) + name.substring(1);
    }

    /** One of this package's templates, with {@code @NAME@} and so on replaced. */
    private String fill(String template, String... pairs) {
        String text;
        try (var stream = TraceClone.class.getResourceAsStream("clone/" + template)) {
            text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("The template " + template + " is unreadable.", e);
        }
        for (int i = 0; i < pairs.length; i += 2) {
            text = text.replace("@" + pairs[i] + "@", pairs[i + 1]);
        }
        return text.replace("@NAME@", name).replace("@CAPITAL@", capital());
    }
}
