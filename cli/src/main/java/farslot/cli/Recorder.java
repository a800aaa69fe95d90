package farslot.cli;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import farslot.slot.FunctionAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The process that records a function, or can: its lender, here or elsewhere, or a slot of this
 * machine.
 *
 * @param name the function's, or the slot's, as people say it
 * @param address of its control link
 * @param function what it is called there; empty at a slot, which has but one
 */
record Recorder(String name, Address address, String function) {
    /** A way that is full of records may be silent for long: a viewer that left would miss more. */
    private static final LinkOptions PATIENT =
            LinkOptions.named("operator")
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(10));

    /** At which end of a function's link. */
    enum At {
        LENDER,
        SLOT,
        BOTH
    }

    /**
     * Finds it.
     *
     * @param what NAME[@MACHINE[:PORT]]
     * @param at one end; null where either will do: the lender then, if it is on this machine
     */
    static Recorder find(String what, At at) {
        FunctionAddress address;
        try {
            address = FunctionAddress.parse(what);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
        if (!address.isHere()) {
            if (at == At.SLOT) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "A slot is recorded on its own machine: it listens on no network. Without"
                                + " \"@MACHINE\", --at slot and --at both take the slot that has "
                                + address.name()
                                + " here.");
            }
            return new Recorder(what, address.address(), address.name());
        }
        Processes processes = Processes.ofUser();
        if (at == At.SLOT) {
            return slot(processes, what);
        }
        List<Role> roles = at == At.LENDER ? List.of(Role.LENDER) : List.of(Role.LENDER, Role.SLOT);
        return of(processes.find(what, roles));
    }

    /** One, or the two ends of the link of a slot of this machine, the slot first. */
    static List<Recorder> all(String what, At at) {
        return at == At.BOTH ? bothEnds(what) : List.of(find(what, at));
    }

    private static List<Recorder> bothEnds(String what) {
        Recorder slot = find(what, At.SLOT);
        for (Map<String, String> process : Processes.ofUser().running()) {
            if ("slot".equals(process.get("role")) && slot.name.equals(process.get("name"))) {
                return List.of(slot, find(process.getOrDefault("function", ""), At.LENDER));
            }
        }
        throw new CommandFailure(
                ExitCode.NOT_FOUND, "The slot " + slot.name + " has ended just now.");
    }

    private static Recorder of(Place place) {
        return new Recorder(
                place.name(), place.address(), place.role() == Role.LENDER ? place.name() : "");
    }

    /** The slot of this name, or the only one that has the function of this name. */
    private static Recorder slot(Processes processes, String name) {
        List<String> holders = new ArrayList<>();
        for (Map<String, String> process : processes.running()) {
            if (!"slot".equals(process.get("role"))) {
                continue;
            }
            String function = process.getOrDefault("function", "");
            if (function.equals(name) || function.startsWith(name + "@")) {
                holders.add(process.get("name"));
            }
        }
        if (holders.size() > 1) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "Several slots have a function named "
                            + name
                            + "; name one of them: "
                            + String.join(", ", holders)
                            + ".");
        }
        return of(
                processes.find(holders.isEmpty() ? name : holders.getFirst(), List.of(Role.SLOT)));
    }

    /** Connects to it. */
    ControlLink connect(boolean insecure) {
        return Processes.connect(address, insecure, PATIENT);
    }
}
