package farslot.link;

import farslot.posix.OwnProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where the processes of one user on one machine find each other: {@code
 * $XDG_RUNTIME_DIR/farslot/}, or {@code /tmp/farslot-UID/}. Each lender, slot and virtual machine
 * listens there on {@code NAME.lender.sock}, {@code NAME.slot.sock} or {@code NAME.vm.sock},
 * speaking the link protocol. A lender of several functions has a symbolic link for each further
 * name.
 *
 * <p>Any thread may call. The system property {@code farslot.runtime} names another directory, for
 * tests.
 *
 * @param path of the directory, which is there and nobody else's
 */
public record RuntimeDirectory(Path path) {
    private static final Duration SURELY_LISTENING = Duration.ofSeconds(2);

    /** Whose socket it is. */
    public enum Role {
        LENDER,
        SLOT,
        VM;

        /** "lender", "slot", "vm": in file names and for people. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A socket that was found.
     *
     * @param alias whether it is a further name of a process
     */
    public record Place(String name, Role role, Path socket, boolean alias) {
        public Address address() {
            return new Address.Unix(socket);
        }
    }

    /**
     * This user's directory, made where it is missing.
     *
     * @throws IOException with a sentence, where it cannot be made or is another user's
     */
    public static RuntimeDirectory ofUser() throws IOException {
        String told = System.getProperty("farslot.runtime");
        if (told != null) {
            return at(Path.of(told));
        }
        String xdg = System.getenv("XDG_RUNTIME_DIR");
        if (xdg != null && !xdg.isEmpty() && Files.isWritable(Path.of(xdg))) {
            return at(Path.of(xdg, "farslot"));
        }
        return at(Path.of("/tmp", "farslot-" + ownUid()));
    }

    /** The directory at {@code path}, made where it is missing, with mode 700. */
    public static RuntimeDirectory at(Path path) throws IOException {
        try {
            Files.createDirectories(
                    path,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new IOException(
                    "The folder for control sockets, " + path + ", cannot be made: " + e, e);
        }
        Object owner = Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        if (!owner.equals(ownUid())) {
            throw new IOException(
                    "The folder for control sockets, "
                            + path
                            + ", belongs to another user (uid "
                            + owner
                            + "). Set XDG_RUNTIME_DIR to a folder of your own.");
        }
        return new RuntimeDirectory(path);
    }

    private static Object ownUid() {
        return OwnProcess.userId();
    }

    /** Where the process of this name and role listens, or would. */
    public Path socket(String name, Role role) {
        return path.resolve(name + "." + role.label() + ".sock");
    }

    /** Where a lender of this name leaves what the next one is to go on with. */
    public Path handover(String name) {
        return path.resolve(name + ".handover");
    }

    /** All sockets there, dead ones included, by name. */
    public List<Place> places() throws IOException {
        List<Place> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path, "*.sock")) {
            for (Path file : files) {
                place(file).ifPresent(found::add);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        found.sort(Comparator.comparing(Place::name).thenComparing(Place::role));
        return found;
    }

    private static Optional<Place> place(Path file) {
        String name = file.getFileName().toString();
        for (Role role : Role.values()) {
            String ending = "." + role.label() + ".sock";
            if (name.endsWith(ending) && name.length() > ending.length()) {
                return Optional.of(
                        new Place(
                                name.substring(0, name.length() - ending.length()),
                                role,
                                file,
                                Files.isSymbolicLink(file)));
            }
        }
        return Optional.empty();
    }

    /** Whether somebody listens there. */
    public boolean isAlive(Place place) {
        try {
            SocketChannel.open(UnixDomainSocketAddress.of(place.socket())).close();
            return true;
        } catch (ConnectException e) {
            return false;
        } catch (IOException e) {
            return Files.exists(place.socket());
        }
    }

    /**
     * Removes the socket of a process that was killed: one that nobody listens on.
     *
     * @return whether it was removed
     */
    public boolean removeIfDead(Place place) throws IOException {
        return !isAlive(place) && removeOld(place);
    }

    /**
     * A socket that was bound this moment is not listened on yet: let it be. A further name is made
     * after its process listens.
     */
    private static boolean removeOld(Place place) throws IOException {
        if (place.alias()) {
            return Files.deleteIfExists(place.socket());
        }
        try {
            Instant made =
                    Files.getLastModifiedTime(place.socket(), LinkOption.NOFOLLOW_LINKS)
                            .toInstant();
            if (made.isAfter(Instant.now().minus(SURELY_LISTENING))) {
                return false;
            }
        } catch (NoSuchFileException e) {
            return false;
        }
        return Files.deleteIfExists(place.socket());
    }
}
