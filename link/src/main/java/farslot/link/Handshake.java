package farslot.link;

import farslot.link.LinkException.Cause;
import farslot.link.Messages.Header;
import farslot.link.Messages.Hello;
import farslot.link.Messages.Preamble;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** The first exchange: preamble and HELLO, said and checked. docs/protocol.md, "Starting". */
final class Handshake {
    private static final String PROGRAM = "farslot 0.1.0";

    private Handshake() {}

    /**
     * Composes preamble and HELLO. A peer that takes nothing must not hold who connects: the keeper
     * writes them.
     */
    static void speak(Outbox out, Wire wire, LinkOptions options, int role) {
        out.preamble(preamble());
        byte[] hello = hello(wire, options, role);
        int at = out.begin(Hello.TYPE, Messages.LINK, 0, 0, Header.BYTES + hello.length);
        if (at < 0) {
            return;
        }
        int place = at + Header.BYTES;
        MemorySegment.copy(hello, 0, out.memory(), ValueLayout.JAVA_BYTE, place, hello.length);
        out.end(false);
    }

    /** What this side says of itself, behind the header. */
    static byte[] hello(Wire wire, LinkOptions options, int role) {
        long abilities = Hello.CLOCK | Hello.TRACES;
        if (wire.passesDescriptors()) {
            abilities |= Hello.DESCRIPTORS;
        }
        if (options.resumes()) {
            abilities |= Hello.RESUME;
        }
        Composer hello =
                new Composer()
                        .u64(abilities)
                        .u32(Messages.MAX_FRAME_BYTES)
                        .u32(options.keepAlive().toMillis())
                        .u32(options.deadAfter().toMillis())
                        .u32(role);
        for (int account = Messages.POSTED; account <= Messages.COMPLETION; account++) {
            hello.u64(Accounts.FRAMES[account]).u64(Accounts.BYTES[account]);
        }
        return hello.text(options.name(), Messages.MAX_NAME_BYTES)
                .text(PROGRAM, Messages.MAX_NAME_BYTES)
                .toBytes();
    }

    static byte[] preamble() {
        byte[] preamble = Arrays.copyOf(Preamble.MAGIC, Preamble.BYTES);
        MemorySegment segment = MemorySegment.ofArray(preamble);
        Preamble.VERSION.set(segment, 0, Preamble.CURRENT_VERSION);
        Preamble.MINOR.set(segment, 0, Preamble.CURRENT_MINOR);
        return preamble;
    }

    /**
     * A frame that is said outside of a link's own stream: before a session goes on.
     *
     * @param payload all behind the header
     */
    static byte[] frame(
            int type, int flags, int tag, long sequence, long acknowledged, byte[] payload) {
        return new Composer()
                .u32(Header.BYTES + payload.length)
                .u16(type)
                .u16(flags)
                .u32(0)
                .u32(tag)
                .u64(sequence)
                .u64(acknowledged)
                .bytes(payload)
                .toBytes();
    }

    /** Writes all of it, which no thread's own memory can be. */
    static void write(Wire wire, byte[] bytes) throws IOException {
        MemorySegment there = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, there, ValueLayout.JAVA_BYTE, 0, bytes.length);
        wire.write(there);
    }

    /**
     * Why what has come of a preamble so far is none of this version, or null while it can be.
     *
     * @param length how many bytes have come
     * @param who how messages name the peer
     */
    static LinkException stranger(MemorySegment seen, int length, String who) {
        int have = Math.min(length, Preamble.MAGIC.length);
        byte[] first = seen.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        if (Stranger.isTls(first)) {
            return new LinkException(
                    Cause.UNTRUSTED,
                    who
                            + " speaks TLS, and this side plain text, as --insecure says: leave"
                            + " --insecure out here (\"farslot trust\" gives this side the"
                            + " certificate that it needs), or say it on both sides.");
        }
        if (!Arrays.equals(first, 0, have, Preamble.MAGIC, 0, have)) {
            return new LinkException(
                    Cause.NO_FARSLOT, who + " is no Farslot: " + Stranger.name(first) + ".");
        }
        int version = length < Preamble.BYTES ? 0 : Preamble.VERSION.getInt(seen, 0);
        if (length >= Preamble.BYTES && version != Preamble.CURRENT_VERSION) {
            return new LinkException(
                    Cause.OTHER_VERSION,
                    who
                            + " speaks version "
                            + version
                            + " of the link protocol, this program version "
                            + Preamble.CURRENT_VERSION
                            + ". Use the same release of Farslot on both sides.");
        }
        return null;
    }

    /** Whether a link with what the peer's HELLO says can be. */
    static void checkHello(MemorySegment frame, long at, LinkOptions options, int role)
            throws BrokenFrameException {
        long deadAfter = Hello.DEAD_AFTER_MILLIS.get(frame, at);
        long keepAlive = Hello.KEEP_ALIVE_MILLIS.get(frame, at);
        if (2 * keepAlive > options.deadAfter().toMillis()
                || 2 * options.keepAlive().toMillis() > deadAfter) {
            throw Messages.bad(
                    Hello.TYPE,
                    String.format(
                            "signs of life each %d and %d ms are too rare where silence of %d and"
                                    + " %d ms means death",
                            keepAlive,
                            options.keepAlive().toMillis(),
                            options.deadAfter().toMillis(),
                            deadAfter));
        }
        int peerRole = Hello.ROLE.getInt(frame, at);
        if (peerRole != (role == Hello.CLIENT ? Hello.SERVER : Hello.CLIENT)) {
            throw Messages.bad(Hello.TYPE, "role " + peerRole + " is not the other side's");
        }
        long maxFrame = Hello.MAX_FRAME.get(frame, at);
        if (maxFrame < Messages.MAX_FRAME_BYTES) {
            throw Messages.bad(
                    Hello.TYPE,
                    "frames of "
                            + Messages.MAX_FRAME_BYTES
                            + " bytes must be taken in version 1, not only "
                            + maxFrame);
        }
    }
}
