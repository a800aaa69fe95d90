package farslot.cli;

import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes how address ranges of a function are recorded while they are. */
@Command(
        name = "mode",
        header = "Record an address range in another way from now on",
        description = {
            "%nHas address ranges recorded in another way from now on, in every trace that is being"
                    + " recorded of a function at this moment; the traces say so. Of two ranges for"
                    + " one address the later counts. The right to operate the function is needed."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace mode n0 BAR0:0x1000-0x1fff=off",
            "  farslot trace mode n0@machine BAR0:0x14=flush CFG=count"
        })
final class TraceModeCommand extends Verb {
    @Parameters(
            index = "0",
            paramLabel = "NAME[@MACHINE[:PORT]]",
            description = "A function that is lent, or a slot of this machine.")
    String name;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "RANGE=MODE",
            description =
                    "A region, REGION:OFFSET or REGION:FIRST-LAST, and off, count, record, flush or"
                            + " flush-remote.")
    List<String> modes;

    @Option(
            names = "--at",
            paramLabel = "END",
            description = "Which end is meant: ${COMPLETION-CANDIDATES}.")
    Recorder.At at;

    @Option(names = "--insecure", description = "Allow TCP where nothing proves who answers.")
    boolean insecure;

    @Override
    public Integer call() {
        Recorder recorder = Recorder.find(name, at);
        Map<String, String> arguments = new LinkedHashMap<>();
        if (!recorder.function().isEmpty()) {
            arguments.put("function", recorder.function());
        }
        arguments.put("mode", String.join(" ", modes));
        try (ControlLink link = recorder.connect(insecure)) {
            String traces = link.operate("mode", arguments).getFirst().get("traces");
            say("Changed in " + traces + (traces.equals("1") ? " trace." : " traces."));
            return ExitCode.OK;
        } catch (LinkException e) {
            throw Processes.failure(e);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        }
    }
}
