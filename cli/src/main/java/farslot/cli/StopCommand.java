package farslot.cli;

import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ends a lender, slot or VM of this user. */
@Command(
        name = "stop",
        header = "End a lender, slot or VM",
        description = {
            "%nEnds a lender, slot or VM of this user on this machine as Ctrl-C would, and returns"
                    + " when it is gone."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot stop n0",
            "  farslot stop n0 --handover && farslot lend nvme,name=n0,image=disk.img"
        })
final class StopCommand extends Verb {
    private static final long PATIENCE_SECONDS = 20;

    @Parameters(paramLabel = "NAME", description = "As \"farslot ps\" shows it.")
    String name;

    @Option(
            names = "--handover",
            description =
                    "Of a lender: save what is lent, so that slots go on when the same is lent"
                            + " again within the grace time.")
    boolean handover;

    @Mixin RoleOption roles = new RoleOption();

    @Override
    public Integer call() {
        if (handover) {
            return handOver();
        }
        Place place = Processes.ofUser().find(name, roles.orElse(Role.VM, Role.SLOT, Role.LENDER));
        try (ControlLink link = Processes.connect(place.address(), false)) {
            String pid = link.operate("status", Map.of()).getFirst().getOrDefault("pid", "");
            stop(link);
            awaitEnd(pid);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        } catch (LinkException e) {
            throw Processes.failure(e);
        }
        say("The " + place.role().label() + " " + name + " has ended.");
        return ExitCode.OK;
    }

    private Integer handOver() {
        Place place = Processes.ofUser().find(name, List.of(Role.LENDER));
        List<Map<String, String>> functions;
        try (ControlLink link = Processes.connect(place.address(), false)) {
            String pid = link.operate("status", Map.of()).getFirst().getOrDefault("pid", "");
            functions = link.operate("handover", Map.of());
            stop(link);
            awaitEnd(pid);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        } catch (LinkException e) {
            throw Processes.failure(e);
        }
        String lent =
                String.join(", ", functions.stream().map(row -> row.get("function")).toList());
        say(
                functions.isEmpty()
                        ? "The lender " + name + " has ended; nothing was borrowed."
                        : "The lender "
                                + name
                                + " has ended and handed over "
                                + lent
                                + ". Lend the same again to go on.");
        return ExitCode.OK;
    }

    private static void stop(ControlLink link) throws RefusedException, LinkException {
        try {
            link.operate("stop", Map.of());
        } catch (LinkException e) {
            if (e.what() != LinkException.Cause.GOODBYE && e.what() != LinkException.Cause.LOST) {
                throw e;
            }
            // It was quicker to end than to answer.
        }
    }

    private void awaitEnd(String pid) {
        if (!pid.matches("[0-9]{1,18}") || Long.parseLong(pid) == ProcessHandle.current().pid()) {
            return;
        }
        try {
            var process = ProcessHandle.of(Long.parseLong(pid));
            if (process.isPresent()) {
                process.get().onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (TimeoutException | ExecutionException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    name
                            + " was asked to end and has not within "
                            + PATIENCE_SECONDS
                            + " s; process "
                            + pid
                            + " may have to be killed.",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
