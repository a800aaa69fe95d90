package farslot.cli;

import picocli.CommandLine.Command;

/** What can be done with a register map. */
@Command(
        name = "regs",
        header = "Read register maps: names, fields, values",
        description = {
            "%nReads register maps: those of Farslot's own devices, and those of others in"
                    + " rules-ng-ng (envytools, Linux msm) and CMSIS-SVD.",
            "With --map such a file names a foreign device's registers wherever names are printed."
        },
        subcommands = {RegsShowCommand.class, RegsDecodeCommand.class, RegsCheckCommand.class},
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot regs show nvme#BAR0",
            "  farslot regs decode nvme#BAR0 CC 0x460001",
            "  farslot regs check rnndb/root.xml"
        })
final class RegsCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("regs wants one of " + String.join(", ", spec.subcommands().keySet()) + ".");
    }
}
