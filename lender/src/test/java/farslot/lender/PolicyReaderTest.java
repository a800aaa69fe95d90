package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a policy file may say, what it means, and how it is told where it is wrong. */
class PolicyReaderTest {
    private static final String WHOLE =
            """
            # Who may do what with the lab's devices.
            [groups]
            lab = ["alice", "user:bob"]
            guests = "carol"

            [[allow]]
            who = "group:lab"
            may = ["borrow", "observe"]
            functions = ["n*", "e0"]

            [[allow]]
            who = ["group:guests", "dave"]
            may = "observe"

            [[allow]]
            who = "anybody"
            may = "operate"
            functions = "sand*box"

            [limits]
            connections = 10
            functions = 3
            buffered-bytes = 1048576
            requests-a-second = 7
            """;

    private static Policy read(String text) throws PolicyException {
        return PolicyReader.read(text, "p.toml");
    }

    private static String rule(Policy policy, String who, Right right, String function) {
        Policy.Rule rule = policy.allowing(who, right, function);
        return rule == null ? "" : rule.origin();
    }

    @Test
    void shouldAllowWhatItSaysAndNothingElse() throws Exception {
        Policy policy = read(WHOLE);
        assertEquals("line 6 of p.toml", rule(policy, "alice", Right.BORROW, "n0"));
        assertEquals("line 6 of p.toml", rule(policy, "user:bob", Right.OBSERVE, "e0"));
        assertEquals("line 11 of p.toml", rule(policy, "carol", Right.OBSERVE, "anything"));
        assertEquals("line 11 of p.toml", rule(policy, "dave", Right.OBSERVE, "n0"));
        assertEquals("line 15 of p.toml", rule(policy, "", Right.OPERATE, "sandbox"));
        assertEquals("line 15 of p.toml", rule(policy, "alice", Right.OPERATE, "sand-in-a-box"));
        for (String nobody : List.of("bob", "user:alice", "", "Alice", "anybody", "group:lab")) {
            assertEquals("", rule(policy, nobody, Right.BORROW, "n0"), nobody);
        }
        assertEquals("", rule(policy, "alice", Right.OPERATE, "n0"));
        assertEquals("", rule(policy, "alice", Right.BORROW, "e00"));
        assertEquals("", rule(policy, "carol", Right.BORROW, "n0"));
        assertEquals(new Limits(10, 3, 1 << 20, 7), policy.limits());
    }

    @Test
    void shouldAllowNothingWhenItSaysNothing() throws Exception {
        Policy policy = read("# nobody\n");
        assertNull(policy.allowing("alice", Right.OBSERVE, "n0"));
        assertEquals(Limits.DEFAULT, policy.limits());
        assertNull(Policy.NONE.allowing("", Right.OBSERVE, "n0"));
        assertNotNull(Policy.INSECURE.allowing("", Right.BORROW, "n0"));
        assertNotNull(Policy.INSECURE.allowing("", Right.OBSERVE, "n0"));
        assertNull(Policy.INSECURE.allowing("", Right.OPERATE, "n0"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            textBlock =
                    """
                    [[allow]];who = "a";may = "borow"~3:1~no right "borow"; did you mean "borrow"?
                    [[allow]];who = "a";may = ["borrow", "fly"]~3:18~no right "fly"; there are: borrow, observe, operate.
                    [[allow]];who = "a";may = []~3:1~a list of at least one
                    [[allow]];who = "a";may = 7~3:1~a list of at least one
                    [[allow]];who = "a";may = ["borrow", 7]~3:18~a list of texts
                    [[allow]];who = "a"~1:1~does not say "may"
                    [[allow]];may = "borrow"~1:1~does not say "who"
                    [[allow]];who = "a";may = "borrow";function = "n0"~4:1~no "function"; did you mean "functions"?
                    [[allow]];who = "a";may = "borrow";functions = "n?"~4:1~names no function
                    [[allow]];who = "a";may = "borrow";functions = ["n0", ""]~4:20~names no function
                    [[allow]];who = "a b";may = "borrow"~2:1~names nobody
                    [[allow]];who = "";may = "borrow"~2:1~names nobody
                    [[allow]];who = "user:";may = "borrow"~2:1~names nobody
                    [[allow]];who = "usr:bob";may = "borrow"~2:1~begins with no kind
                    [groups];lab = "a";[[allow]];who = "group:lub";may = "borrow"~4:1~no group "lub" in [groups]; did you mean "lab"?
                    [[allow]];who = "group:";may = "borrow"~2:1~no group ""
                    [groups];lab = ["a", "group:b"]~2:13~cannot be in a group
                    [groups];lab = "anybody"~2:1~cannot be in a group
                    [groups];"l b" = "a"~2:1~cannot be a group's name
                    groups = 7~1:1~has to be a table
                    allow = "x"~1:1~has to be written [[allow]]
                    allow = ["x"]~1:10~has to be written [[allow]]
                    [allow];who = "a"~1:1~has to be written [[allow]]
                    [deny];who = "a"~1:1~no "deny"
                    [limits];conections = 7~2:1~no "conections"; did you mean "connections"?
                    [limits];connections = 0~2:1~a number from 1 to 1024
                    [limits];connections = "7"~2:1~a number from 1 to 1024
                    [limits];requests-a-second = 1.5~2:1~a number from 1 to 100000
                    [limits];buffered-bytes = 1~2:1~a number from 1048576
                    [[allow];who = "a"~1:8~expected
                    [[allow]];who = "a~2:9~expected
                    [[allow]];who = "a";who = "b"~3:1~previously defined
                    who = zz~1:7~expected a value
                    [limits];functions = 99999999999999999999~2:13~too large
                    """)
    void shouldSayWhereItIsWrong(String lines, String place, String what) {
        String text = lines.replace(";", "\n") + "\n";
        PolicyException e = assertThrows(PolicyException.class, () -> read(text));
        String[] at = place.split(":", -1);
        String begin = "p.toml, line " + at[0] + ", column " + at[1] + ": ";
        assertTrue(e.getMessage().startsWith(begin), e.getMessage());
        assertTrue(e.getMessage().contains(what), e.getMessage());
        assertTrue(e.getMessage().matches("(?s).*[.?]"), e.getMessage());
    }

    @Property
    void aPatternMeansWhatItsStarsSay(
            @ForAll
                    @StringLength(max = 8)
                    @CharRange(from = '*', to = '*')
                    @CharRange(from = 'a', to = 'b')
                    String pattern,
            @ForAll @StringLength(max = 8) @CharRange(from = 'a', to = 'b') String name) {
        String expression =
                Arrays.stream(pattern.split("\\*", -1))
                        .map(Pattern::quote)
                        .collect(Collectors.joining(".*"));
        assertEquals(name.matches(expression), Policy.matches(pattern, name));
    }

    @Property
    void noTextAtAllIsMoreThanRefused(@ForAll String text) {
        try {
            Policy policy = read(text);
            assertNull(policy.allowing("alice", Right.BORROW, "n0"));
        } catch (PolicyException refused) {
            assertTrue(refused.getMessage().startsWith("p.toml, line "), refused.getMessage());
        }
    }

    @Test
    void shouldTakeSubjectsAsTheyAreWritten() throws Exception {
        Policy policy = read("[[allow]]\nwho = 'alice.smith@site-1+x_y'\nmay = 'borrow'\n");
        assertEquals(
                new Policy.Rule(
                        "line 1 of p.toml",
                        List.of("alice.smith@site-1+x_y"),
                        Set.of(Right.BORROW),
                        List.of("*")),
                policy.rules().getFirst());
    }
}
