package farslot.cli;

import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What {@code trace mark} and {@code trace mode} share: of which function, and what is done with
 * every trace that is being recorded of it at this moment.
 */
abstract class RecordedVerb extends Verb {
    @Parameters(
            index = "0",
            paramLabel = "NAME[@MACHINE[:PORT]]",
            description = "A function that is lent, or a slot of this machine.")
    String name;

    @Option(
            names = "--at",
            paramLabel = "END",
            description = "Which end is meant: ${COMPLETION-CANDIDATES}.")
    Recorder.At at;

    @Option(names = "--insecure", description = "Allow TCP where nothing proves who answers.")
    boolean insecure;

    /**
     * Does it, at one end or both.
     *
     * @param argument the action's, which it has beside the function's name
     * @return in how many traces, in words
     */
    final String operate(String action, String argument, String value) {
        int traces = 0;
        for (Recorder recorder : Recorder.all(name, at)) {
            traces += operate(recorder, action, argument, value);
        }
        return traces + (traces == 1 ? " trace." : " traces.");
    }

    private int operate(Recorder recorder, String action, String argument, String value) {
        Map<String, String> arguments = new LinkedHashMap<>();
        if (!recorder.function().isEmpty()) {
            arguments.put("function", recorder.function());
        }
        arguments.put(argument, value);
        try (ControlLink link = recorder.connect(insecure)) {
            return Integer.parseInt(link.operate(action, arguments).getFirst().get("traces"));
        } catch (LinkException e) {
            throw Processes.failure(e);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        }
    }
}
