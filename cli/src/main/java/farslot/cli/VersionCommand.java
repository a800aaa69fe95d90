package farslot.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints the versions of the program, of Java and of the system. */
@Command(
        name = "version",
        header = "Print the versions of farslot, Java and the system",
        description = "%nPrints the versions of farslot, of Java and of the system it runs on.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot version --json")
final class VersionCommand extends Verb {
    @Mixin JsonOption output;

    @Override
    public Integer call() {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("farslot", Program.VERSION);
        versions.put("java", Runtime.version() + " (" + System.getProperty("java.vendor") + ")");
        versions.put(
                "system",
                System.getProperty("os.name")
                        + " "
                        + System.getProperty("os.version")
                        + " "
                        + System.getProperty("os.arch"));
        if (output.json) {
            Json.print(out(), versions);
        } else {
            versions.forEach((name, version) -> out().println(name + " " + version));
        }
        return ExitCode.OK;
    }
}
