package farslot.cli;

import farslot.lab.UserFolder;
import java.nio.file.Path;

/**
 * The folders of this user's settings, logs and caches. The system property {@code
 * farslot.runtime}, by which tests have control sockets of their own, names them all.
 */
final class UserFolders {
    private UserFolders() {}

    /** What the user writes: {@code $XDG_CONFIG_HOME/farslot} or {@code ~/.config/farslot}. */
    static Path settings() {
        return folder("XDG_CONFIG_HOME", ".config");
    }

    /** What farslot writes: {@code $XDG_STATE_HOME/farslot} or {@code ~/.local/state/farslot}. */
    static Path state() {
        return folder("XDG_STATE_HOME", ".local/state");
    }

    /** What farslot can make again: {@code $XDG_CACHE_HOME/farslot} or {@code ~/.cache/farslot}. */
    static Path cache() {
        return folder("XDG_CACHE_HOME", ".cache");
    }

    /** What is recorded here for others, until they have it. */
    static Path traces() {
        return state().resolve("traces");
    }

    private static Path folder(String variable, String usual) {
        String told = System.getProperty("farslot.runtime");
        return told != null ? Path.of(told) : UserFolder.of(variable, usual);
    }
}
