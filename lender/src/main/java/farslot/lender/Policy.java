package farslot.lender;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Who may do what with which function: rules that allow, and nothing that forbids. What no rule
 * allows is refused. Immutable.
 *
 * <p>The user who lends, and root on the same machine, stand above it: {@link Access}.
 *
 * @param origin for people: the file's path
 * @param limits what each identity may use at most
 */
public record Policy(String origin, List<Rule> rules, Limits limits) {
    /** Everybody, proven or not. */
    public static final String ANYBODY = "anybody";

    /** Allows nobody anything: what holds where there is no file. */
    public static final Policy NONE = new Policy("", List.of(), Limits.DEFAULT);

    /** What {@code --insecure} means where there is no file. */
    public static final Policy INSECURE =
            new Policy(
                    "",
                    List.of(
                            new Rule(
                                    "--insecure, with no policy file",
                                    List.of(ANYBODY),
                                    EnumSet.of(Right.BORROW, Right.OBSERVE),
                                    List.of("*"))),
                    Limits.DEFAULT);

    public Policy {
        rules = List.copyOf(rules);
    }

    /**
     * One permission.
     *
     * @param origin for people: where it is written
     * @param who subjects ({@link farslot.link.Peer#subject}), or {@link #ANYBODY}; groups are
     *     resolved
     * @param functions names, in which {@code *} stands for any characters
     */
    public record Rule(String origin, List<String> who, Set<Right> rights, List<String> functions) {
        public Rule {
            who = List.copyOf(who);
            rights = Set.copyOf(rights);
            functions = List.copyOf(functions);
        }

        private boolean allows(String subject, Right right, String function) {
            return rights.contains(right)
                    && (who.contains(ANYBODY) || (!subject.isEmpty() && who.contains(subject)))
                    && functions.stream().anyMatch(pattern -> matches(pattern, function));
        }
    }

    /**
     * The first rule that allows it, or null.
     *
     * @param subject empty where nothing is proven
     * @param function a name; whether there is such a function plays no part
     */
    public Rule allowing(String subject, Right right, String function) {
        for (Rule rule : rules) {
            if (rule.allows(subject, right, function)) {
                return rule;
            }
        }
        return null;
    }

    /** Whether the name is one that the pattern means. */
    static boolean matches(String pattern, String name) {
        int at = 0;
        int star = -1;
        int resume = 0;
        int i = 0;
        // Greedy, with one way back: the last star takes one character more.
        while (i < name.length()) {
            if (at < pattern.length() && pattern.charAt(at) == '*') {
                star = at++;
                resume = i;
            } else if (at < pattern.length() && pattern.charAt(at) == name.charAt(i)) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++resume;
            } else {
                return false;
            }
        }
        while (at < pattern.length() && pattern.charAt(at) == '*') {
            at++;
        }
        return at == pattern.length();
    }
}
