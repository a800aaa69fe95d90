package farslot.lab;

import java.nio.file.Path;
import java.util.Map;

/** Where this user's files lie, as the XDG Base Directory Specification says. */
public final class UserFolder {
    private UserFolder() {}

    /**
     * Farslot's part of one of the user's base directories; it may not exist yet.
     *
     * @param variable what names the base directory ("XDG_CACHE_HOME"); a path there that is not
     *     absolute is ignored, as the specification says
     * @param usual where it is below the home directory otherwise (".cache")
     */
    public static Path of(String variable, String usual) {
        return of(variable, usual, System.getenv());
    }

    static Path of(String variable, String usual, Map<String, String> environment) {
        String base = environment.get(variable);
        if (base != null && base.startsWith("/")) {
            return Path.of(base, "farslot");
        }
        String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
        return Path.of(home, usual, "farslot");
    }
}
