package farslot.cli;

import picocli.CommandLine.Option;

/** The {@code --json} of every verb that prints data: {@code @Mixin JsonOption output}. */
final class JsonOption {
    @Option(names = "--json", description = "Print JSON, for programs.")
    boolean json;
}
