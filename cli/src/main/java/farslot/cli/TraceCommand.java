package farslot.cli;

import picocli.CommandLine.Command;

/** What can be done with a trace file. */
@Command(
        name = "trace",
        header = "Record what passes a function, and read it",
        description =
                "%nRecords what passes a function; shows, counts and queries the events of a trace,"
                        + " or takes it elsewhere.",
        subcommands = {
            TraceRecordCommand.class,
            TraceMarkCommand.class,
            TraceModeCommand.class,
            TraceShowCommand.class,
            TraceStatsCommand.class,
            TraceQueryCommand.class,
            TraceConfigCommand.class,
            TraceDecodeCommand.class,
            TraceDiffCommand.class,
            TraceCloneCommand.class,
            TraceReplayCommand.class,
            TraceExportCommand.class,
            TraceDissectorCommand.class,
            TraceImportCommand.class,
        },
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace record n0 -o n0.fst",
            "  farslot trace show demo.fst --where \"write or irq\"",
            "  farslot trace stats demo.fst",
            "  farslot trace query demo.fst --named busiest-registers",
            "  farslot trace export demo.fst --to mmiotrace -o demo.mmiotrace"
        })
final class TraceCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("trace wants one of " + String.join(", ", spec.subcommands().keySet()) + ".");
    }
}
