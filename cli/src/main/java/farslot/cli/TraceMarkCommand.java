package farslot.cli;

import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a mark into the traces of a function. */
@Command(
        name = "mark",
        header = "Write a mark into what is being recorded",
        description = {
            "%nWrites a text into every trace that is being recorded of a function at this moment, to"
                    + " find the place again. The right to operate the function is needed."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace mark n0 \"the cable is out\"")
final class TraceMarkCommand extends Verb {
    @Parameters(
            index = "0",
            paramLabel = "NAME[@MACHINE[:PORT]]",
            description = "A function that is lent, or a slot of this machine.")
    String name;

    @Parameters(index = "1", paramLabel = "TEXT", description = "At most 1024 bytes are kept.")
    String text;

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
        arguments.put("text", text);
        try (ControlLink link = recorder.connect(insecure)) {
            String traces = link.operate("mark", arguments).getFirst().get("traces");
            say("Marked " + traces + (traces.equals("1") ? " trace." : " traces."));
            return ExitCode.OK;
        } catch (LinkException e) {
            throw Processes.failure(e);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        }
    }
}
