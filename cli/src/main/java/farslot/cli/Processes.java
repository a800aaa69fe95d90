package farslot.cli;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.Entry;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.link.RuntimeDirectory.Place;
import farslot.link.RuntimeDirectory.Role;
import farslot.link.Trust;
import farslot.registers.Nearest;
import farslot.trust.TrustException;
import farslot.trust.TrustFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** This user's lenders, slots and virtual machines on this machine, by their control sockets. */
final class Processes {
    private final RuntimeDirectory directory;

    private Processes(RuntimeDirectory directory) {
        this.directory = directory;
    }

    static Processes ofUser() {
        return new Processes(runtimeDirectory());
    }

    static RuntimeDirectory runtimeDirectory() {
        try {
            return RuntimeDirectory.ofUser();
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.LACKING, e.getMessage(), e);
        }
    }

    /** All that answer, by name; sockets of processes that were killed are removed. */
    List<Map<String, String>> running() {
        List<Map<String, String>> running = new ArrayList<>();
        try {
            for (Place place : directory.places()) {
                if (directory.removeIfDead(place) || place.alias()) {
                    continue;
                }
                if (directory.isAlive(place)) {
                    running.add(status(place));
                }
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "The control sockets in " + directory.path() + " cannot be read: " + e,
                    e);
        }
        return running;
    }

    private static Map<String, String> status(Place place) {
        try (ControlLink link = connect(place.address(), false)) {
            return link.operate("status", Map.of()).getFirst();
        } catch (LinkException | RefusedException | CommandFailure e) {
            return Map.of(
                    "name",
                    place.name(),
                    "role",
                    place.role().label(),
                    "state",
                    "does not answer: " + e.getMessage());
        }
    }

    /**
     * The living process or function of this name.
     *
     * @param roles which to look for, the wanted one first
     */
    Place find(String name, List<Role> roles) {
        try {
            List<Place> living = new ArrayList<>();
            for (Place place : directory.places()) {
                if (roles.contains(place.role()) && directory.isAlive(place)) {
                    living.add(place);
                }
            }
            for (Role role : roles) {
                for (Place place : living) {
                    if (place.role() == role && place.name().equals(name)) {
                        return place;
                    }
                }
            }
            throw new CommandFailure(
                    ExitCode.NOT_FOUND,
                    "There is no "
                            + String.join(" or ", roles.stream().map(Role::label).toList())
                            + " named \""
                            + name
                            + "\" on this machine"
                            + Nearest.question(name, living.stream().map(Place::name).toList())
                            + " \"farslot ps\" lists what there is.");
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "The control sockets in " + directory.path() + " cannot be read: " + e,
                    e);
        }
    }

    /**
     * What proves who this user is at an address, and whom the user believes there; null where it
     * is not needed, or nothing was set up.
     */
    static Trust trust(Address address, boolean insecure) {
        Path folder = trustFolder();
        if (insecure || !(address instanceof Address.Tcp) || !TrustFolder.isSetUp(folder)) {
            return null;
        }
        try {
            return TrustFolder.open(folder);
        } catch (TrustException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
    }

    /** Where this user keeps keys and certificates. */
    static Path trustFolder() {
        return UserFolders.settings().resolve("trust");
    }

    /** Connects as an operator. */
    static ControlLink connect(Address address, boolean insecure) {
        return connect(address, insecure, LinkOptions.named("operator"));
    }

    static ControlLink connect(Address address, boolean insecure, LinkOptions options) {
        try {
            return ControlLink.connect(
                    address, options.withInsecure(insecure).withTrust(trust(address, insecure)));
        } catch (LinkException e) {
            throw failure(e);
        }
    }

    /** Does one action at one place. */
    static List<Map<String, String>> operate(
            Place place, String action, Map<String, String> arguments) {
        try (ControlLink link = connect(place.address(), false)) {
            return link.operate(action, arguments);
        } catch (LinkException e) {
            throw failure(e);
        } catch (RefusedException e) {
            throw failure(e);
        }
    }

    static List<Entry> list(Address address, boolean insecure) {
        try (ControlLink link = connect(address, insecure)) {
            return link.list();
        } catch (LinkException e) {
            throw failure(e);
        }
    }

    static CommandFailure failure(LinkException e) {
        int exitCode =
                switch (e.what()) {
                    case INSECURE -> ExitCode.USAGE;
                    case UNTRUSTED, OTHER_VERSION, GOODBYE, PROTOCOL -> ExitCode.REFUSED;
                    case UNREACHABLE, NO_FARSLOT, LOST, CLOSED -> ExitCode.NOT_FOUND;
                };
        return new CommandFailure(exitCode, e.getMessage(), e);
    }

    static CommandFailure failure(RefusedException e) {
        int exitCode =
                switch (e.reason()) {
                    case NOT_FOUND -> ExitCode.NOT_FOUND;
                    case BAD_ARGUMENT -> ExitCode.USAGE;
                    case FAILED -> ExitCode.FAILED;
                    default -> ExitCode.REFUSED;
                };
        return new CommandFailure(exitCode, e.getMessage(), e);
    }
}
