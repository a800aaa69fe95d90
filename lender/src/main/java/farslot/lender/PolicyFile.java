package farslot.lender;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A policy file that may change while a lender runs. The last good policy holds until a good one
 * replaces it: a file that is broken or gone changes nothing but what {@link #trouble} says.
 *
 * <p>A file that is being written is read in pieces, and a piece may be good TOML that allows less:
 * so a change counts when two looks in a row have seen the same.
 *
 * <p>One thread looks; any may ask.
 */
public final class PolicyFile {
    /** Longer ones are none. */
    static final int MOST_BYTES = 1 << 20;

    private final Path path;
    private byte[] applied;
    private byte[] seen;
    private volatile Policy policy;
    private volatile String trouble = "";

    private PolicyFile(Path path, byte[] bytes, Policy policy) {
        this.path = path;
        this.applied = bytes;
        this.seen = bytes;
        this.policy = policy;
    }

    /**
     * Reads a file.
     *
     * @throws LendingException where it cannot be read or is not a policy: with file, line and
     *     column
     */
    public static PolicyFile open(Path path) throws LendingException {
        try {
            byte[] bytes = bytes(path);
            return new PolicyFile(path, bytes, parse(path, bytes));
        } catch (PolicyException e) {
            throw new LendingException(LendingException.Fault.BAD_INPUT, e.getMessage(), e);
        } catch (IOException e) {
            throw new LendingException(
                    LendingException.Fault.BAD_INPUT, unreadable(path, e) + ".", e);
        }
    }

    public Path path() {
        return path;
    }

    /** The last good one. */
    public Policy policy() {
        return policy;
    }

    /** Why {@link #policy} is not what the file says; empty where it is. */
    public String trouble() {
        return trouble;
    }

    /**
     * Looks at the file.
     *
     * @return a sentence where something has changed: another policy, other trouble or none any
     *     more; else null
     */
    String look() {
        byte[] now;
        String wrong;
        try {
            now = bytes(path);
            wrong = null;
        } catch (NoSuchFileException gone) {
            now = null;
            wrong = "The policy file " + path + " is gone";
        } catch (IOException e) {
            now = null;
            wrong = unreadable(path, e);
        }
        if (now == null) {
            seen = null;
            return fail(wrong);
        }
        boolean stable = Arrays.equals(now, seen);
        seen = now;
        if (!stable || (Arrays.equals(now, applied) && trouble.isEmpty())) {
            return null;
        }
        try {
            Policy next = parse(path, now);
            boolean same = Arrays.equals(now, applied);
            applied = now;
            policy = next;
            trouble = "";
            return "The policy file "
                    + path
                    + (same ? " is as it was; its policy goes on." : " has changed; it holds now.");
        } catch (PolicyException e) {
            return fail(e.getMessage().replaceFirst("\\.$", ""));
        }
    }

    private String fail(String wrong) {
        String sentence = wrong + ": the last good policy stays in force.";
        if (sentence.equals(trouble)) {
            return null;
        }
        trouble = sentence;
        return sentence;
    }

    private static String unreadable(Path path, IOException e) {
        return "The policy file "
                + path
                + " cannot be read: "
                + (e instanceof NoSuchFileException ? "there is none" : e.getMessage());
    }

    private static byte[] bytes(Path path) throws IOException {
        try (var in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException("it has more than " + MOST_BYTES + " bytes");
            }
            return bytes;
        }
    }

    /**
     * Reads a policy once, for people who want to try it.
     *
     * @throws PolicyException with file, line and column
     */
    private static Policy parse(Path path, byte[] bytes) throws PolicyException {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new PolicyException(path + ", line 1, column 1: the file is not UTF-8.");
        }
        if (text.isBlank()) {
            throw new PolicyException(
                    path
                            + ", line 1, column 1: the file is empty. To allow nobody anything,"
                            + " write a comment that says so.");
        }
        return PolicyReader.read(text, path.toString());
    }
}
