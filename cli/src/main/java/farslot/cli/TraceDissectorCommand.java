package farslot.cli;

import farslot.analysis.export.TraceExport;
import picocli.CommandLine.Command;

/** Prints what makes Wireshark understand the packets of an exported trace. */
@Command(
        name = "dissector",
        header = "Print the dissector with which Wireshark reads exported traces",
        description = {
            "",
            "Prints a dissector in Lua. Among Wireshark's plugins it names the accesses of what"
                    + " \"farslot trace export --to pcapng\" wrote.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = {
            "  farslot trace dissector > farslot.lua",
            "  wireshark -X lua_script:farslot.lua demo.pcapng"
        })
final class TraceDissectorCommand extends Verb {
    @Override
    public Integer call() {
        out().print(TraceExport.dissector());
        return ExitCode.OK;
    }
}
