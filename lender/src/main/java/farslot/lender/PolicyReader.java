package farslot.lender;

import farslot.registers.Nearest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * Reads a policy file: TOML 1.0. docs/security.md, "The policy file", says what may stand there;
 * anything else is an error with its place, for a right that is misspelt must not be one that is
 * silently not given.
 */
final class PolicyReader {
    private static final String GROUP = "group:";
    private static final Pattern SUBJECT = Pattern.compile("[A-Za-z0-9._@:+-]{1,255}");
    private static final Pattern GROUP_NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    private static final Pattern FUNCTIONS = Pattern.compile("[A-Za-z0-9._*-]{1,255}");

    private final String file;
    private final Map<String, List<String>> groups = new HashMap<>();

    private PolicyReader(String file) {
        this.file = file;
    }

    /**
     * Reads a text.
     *
     * @param file how messages name it
     */
    static Policy read(String text, String file) throws PolicyException {
        return new PolicyReader(file).read(text);
    }

    private Policy read(String text) throws PolicyException {
        TomlParseResult all = Toml.parse(text);
        List<TomlParseError> errors = new ArrayList<>(all.errors());
        if (!errors.isEmpty()) {
            errors.sort(
                    Comparator.comparingInt((TomlParseError e) -> e.position().line())
                            .thenComparingInt(e -> e.position().column()));
            TomlParseError first = errors.getFirst();
            throw wrong(first.position(), first.getMessage().replaceFirst("\\.$", ""));
        }
        onlyKeys(all, "A policy", Set.of("groups", "allow", "limits"));
        readGroups(all);
        return new Policy(file, rules(all), limits(all));
    }

    private void readGroups(TomlTable all) throws PolicyException {
        TomlTable table = table(all, "groups");
        if (table == null) {
            return;
        }
        for (String name : table.keySet()) {
            TomlPosition at = table.inputPositionOf(List.of(name));
            if (!GROUP_NAME.matcher(name).matches()) {
                throw wrong(
                        at,
                        "\""
                                + name
                                + "\" cannot be a group's name: use letters, digits, '_' and '-',"
                                + " 64 at most");
            }
            List<String> members = new ArrayList<>();
            for (Word word : words(table, name)) {
                if (word.text().startsWith(GROUP) || word.text().equals(Policy.ANYBODY)) {
                    throw wrong(
                            word.at(),
                            "\""
                                    + word.text()
                                    + "\" cannot be in a group: its members are certificates'"
                                    + " names, and local users as \"user:NAME\"");
                }
                members.add(subject(word));
            }
            groups.put(name, members);
        }
    }

    private List<Policy.Rule> rules(TomlTable all) throws PolicyException {
        List<Policy.Rule> rules = new ArrayList<>();
        Object there = all.get("allow");
        if (there == null) {
            return rules;
        }
        TomlPosition begin = all.inputPositionOf("allow");
        if (!(there instanceof TomlArray array)) {
            throw wrong(begin, "\"allow\" has to be written [[allow]], once for each permission");
        }
        for (int i = 0; i < array.size(); i++) {
            if (!(array.get(i) instanceof TomlTable rule)) {
                throw wrong(
                        array.inputPositionOf(i),
                        "\"allow\" has to be written [[allow]], once for each permission");
            }
            rules.add(rule(rule, array.inputPositionOf(i)));
        }
        return rules;
    }

    private Policy.Rule rule(TomlTable rule, TomlPosition at) throws PolicyException {
        onlyKeys(rule, "[[allow]]", Set.of("who", "may", "functions"));
        for (String key : List.of("who", "may")) {
            if (!rule.contains(List.of(key))) {
                throw wrong(at, "this [[allow]] does not say \"" + key + "\"");
            }
        }
        List<String> who = new ArrayList<>();
        for (Word word : words(rule, "who")) {
            if (word.text().startsWith(GROUP)) {
                who.addAll(group(word));
            } else {
                who.add(subject(word));
            }
        }
        EnumSet<Right> rights = EnumSet.noneOf(Right.class);
        for (Word word : words(rule, "may")) {
            rights.add(right(word));
        }
        List<String> functions = new ArrayList<>();
        if (rule.contains(List.of("functions"))) {
            for (Word word : words(rule, "functions")) {
                if (!FUNCTIONS.matcher(word.text()).matches()) {
                    throw wrong(
                            word.at(),
                            "\""
                                    + word.text()
                                    + "\" names no function: use letters, digits, '.', '_', '-',"
                                    + " and '*' for any of them");
                }
                functions.add(word.text());
            }
        } else {
            functions.add("*");
        }
        String origin = "line " + at.line() + " of " + file;
        return new Policy.Rule(origin, who, rights, functions);
    }

    private List<String> group(Word word) throws PolicyException {
        String name = word.text().substring(GROUP.length());
        List<String> members = groups.get(name);
        if (members == null) {
            throw wrong(
                    word.at(),
                    "there is no group \""
                            + name
                            + "\" in [groups]"
                            + end(Nearest.questionOrAll(name, groups.keySet())));
        }
        return members;
    }

    private String subject(Word word) throws PolicyException {
        String text = word.text();
        boolean user = text.startsWith("user:");
        if (!SUBJECT.matcher(text).matches() || text.equals("user:")) {
            throw wrong(
                    word.at(),
                    "\""
                            + text
                            + "\" names nobody: write a certificate's name, \"user:NAME\","
                            + " \"group:NAME\" or \"anybody\"");
        }
        if (!user && text.indexOf(':') >= 0) {
            throw wrong(
                    word.at(),
                    "\""
                            + text
                            + "\" begins with no kind that there is: \"user:\" and \"group:\" are,"
                            + " and a certificate's name stands alone");
        }
        return text;
    }

    private Right right(Word word) throws PolicyException {
        List<String> known = new ArrayList<>();
        for (Right right : Right.values()) {
            if (right.word().equals(word.text())) {
                return right;
            }
            known.add(right.word());
        }
        throw wrong(
                word.at(),
                "there is no right \""
                        + word.text()
                        + "\""
                        + end(Nearest.questionOrAll(word.text(), known)));
    }

    private Limits limits(TomlTable all) throws PolicyException {
        TomlTable table = table(all, "limits");
        Limits usual = Limits.DEFAULT;
        if (table == null) {
            return usual;
        }
        onlyKeys(
                table,
                "[limits]",
                Set.of("connections", "functions", "buffered-bytes", "requests-a-second"));
        return new Limits(
                (int) number(table, "connections", usual.connections(), 1, 1024),
                (int) number(table, "functions", usual.functions(), 1, 1024),
                number(table, "buffered-bytes", usual.bufferedBytes(), 1 << 20, 1L << 40),
                (int) number(table, "requests-a-second", usual.requestsPerSecond(), 1, 100_000));
    }

    private long number(TomlTable table, String key, long usual, long least, long most)
            throws PolicyException {
        Object value = table.get(List.of(key));
        if (value == null) {
            return usual;
        }
        if (!(value instanceof Long number) || number < least || number > most) {
            throw wrong(
                    table.inputPositionOf(List.of(key)),
                    "\"" + key + "\" has to be a number from " + least + " to " + most);
        }
        return number;
    }

    private TomlTable table(TomlTable all, String key) throws PolicyException {
        Object there = all.get(key);
        if (there == null || there instanceof TomlTable) {
            return (TomlTable) there;
        }
        throw wrong(
                all.inputPositionOf(key),
                "\"" + key + "\" has to be a table: write [" + key + "] and lines below it");
    }

    /** A text of the file, and where it stands. */
    private record Word(String text, TomlPosition at) {}

    /** One text, or a list of at least one. */
    private List<Word> words(TomlTable table, String key) throws PolicyException {
        TomlPosition at = table.inputPositionOf(List.of(key));
        Object value = table.get(List.of(key));
        if (value instanceof String text) {
            return List.of(new Word(text, at));
        }
        List<Word> words = new ArrayList<>();
        if (value instanceof TomlArray array) {
            for (int i = 0; i < array.size(); i++) {
                if (!(array.get(i) instanceof String text)) {
                    throw wrong(
                            array.inputPositionOf(i), "\"" + key + "\" has to be a list of texts");
                }
                words.add(new Word(text, array.inputPositionOf(i)));
            }
        }
        if (words.isEmpty()) {
            throw wrong(at, "\"" + key + "\" has to be a text, or a list of at least one");
        }
        return words;
    }

    private void onlyKeys(TomlTable table, String where, Set<String> known) throws PolicyException {
        for (String key : table.keySet()) {
            if (!known.contains(key)) {
                throw wrong(
                        table.inputPositionOf(List.of(key)),
                        where
                                + " has no \""
                                + key
                                + "\""
                                + end(
                                        Nearest.questionOrAll(
                                                key, known.stream().sorted().toList())));
            }
        }
    }

    /** Sentences of {@link Nearest} end by themselves. */
    private static String end(String words) {
        return words.endsWith(".") ? words.substring(0, words.length() - 1) : words;
    }

    private PolicyException wrong(TomlPosition at, String what) {
        return new PolicyException(
                file
                        + ", line "
                        + (at == null ? 1 : at.line())
                        + ", column "
                        + (at == null ? 1 : at.column())
                        + ": "
                        + what
                        + (what.endsWith("?") ? "" : "."));
    }
}
