package farslot.integration;

import static farslot.integration.RawFrames.COMPLETION;
import static farslot.integration.RawFrames.NON_POSTED;
import static farslot.integration.RawFrames.POSTED;
import static farslot.integration.RawFrames.frame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.ChildProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.AssertionFailedError;

/**
 * The programs in interop/ against peers that break the protocol: none crashes and none hangs, each
 * says what is wrong, and the lender goes on serving others.
 */
@Tag("processes")
@Timeout(900)
class InteropMalformedTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");

    private static final int BAD_FRAME = 1;
    private static final int UNKNOWN_TYPE = 2;
    private static final int OUT_OF_STATE = 3;
    private static final int BAD_VALUE = 4;
    private static final int BAD_SEQUENCE = 6;
    private static final int BAD_GENERATION = 7;
    private static final int BAD_TAG = 8;
    private static final int BAD_DESCRIPTOR = 9;
    private static final int UNSUPPORTED = 10;

    private static final int LISTED = 0x61;
    private static final int PROTOCOL_BROKEN = 4;

    @TempDir static Path shared;
    private static Path client;

    @TempDir Path folder;

    private static int rounds(int few, int some, int full) {
        return ROUNDS.equals("few") ? few : ROUNDS.equals("full") ? full : some;
    }

    /** Frames of which the last is wrong, and the code that ERROR tells of it. */
    private record Wrong(int code, List<byte[]> frames) {}

    private static List<byte[]> frames(byte[]... frames) {
        return List.of(frames);
    }

    private static byte[] with(byte[] frame, int at, int bytes, long value) {
        byte[] changed = frame.clone();
        for (int index = 0; index < bytes; index++) {
            changed[at + index] = (byte) (value >>> (8 * index));
        }
        return changed;
    }

    // What a lender is sent.

    private static final byte[] HELLO = RawFrames.hello(1);
    private static final byte[] BORROW = RawFrames.borrow("e0");
    private static final byte[] READ_ID =
            frame(0x22, NON_POSTED, 2, "0004 0000 04000000 0000000000000000");
    private static final byte[] WRITE_LIVENESS =
            frame(0x24, POSTED, 0, "0004 0000 04000000 0400000000000000 ffffffffffffffff 78563412");
    private static final byte[] WRITE_COMMAND =
            frame(0x24, NON_POSTED, 3, "0702 0000 02000000 0400000000000000 0300000000000000 0600");
    private static final byte[] INTERRUPTS = frame(0x26, POSTED, 0, "0001 0000 0100 0000");
    private static final byte[] MAP =
            frame(
                    0x27,
                    POSTED,
                    0,
                    "0000100000000000 0010000000000000 0000000000000000 0301000000000000");
    private static final byte[] UNMAP =
            frame(0x28, NON_POSTED, 4, "0000000000000000 0000000000000000");
    private static final byte[] RESET = frame(0x29, NON_POSTED, 5, "0200000000000000");

    /** A lender is asked for all that it has. */
    private static List<byte[]> aSlotsFrames() {
        byte[] raise = with(WRITE_LIVENESS, 40, 8, 0x60);
        byte[] source =
                frame(
                        0x24,
                        POSTED,
                        0,
                        "0008 0000 08000000 8000000000000000"
                                + "ffffffffffffffff 0000100000000000");
        byte[] count = with(with(source, 40, 8, 0x90), 56, 8, 64);
        byte[] destination = with(with(source, 40, 8, 0x88), 56, 8, 0x40000);
        byte[] command = with(with(source, 40, 8, 0x98), 56, 8, 5);
        return RawFrames.inSequence(
                frames(
                        HELLO,
                        frame(0x60, NON_POSTED, 9, ""),
                        BORROW,
                        READ_ID,
                        with(READ_ID, 32, 1, 7),
                        WRITE_LIVENESS,
                        WRITE_COMMAND,
                        INTERRUPTS,
                        MAP,
                        raise,
                        source,
                        destination,
                        count,
                        command,
                        frame(0x02, 0, 0, ""),
                        frame(0x20, NON_POSTED, 7, ""),
                        with(UNMAP, 12, 4, 6),
                        RESET,
                        frame(0x13, NON_POSTED, 8, ""),
                        frame(0x04, 0, 0, "0100 0000")));
    }

    private static Map<String, Wrong> wrongForALender() {
        Map<String, Wrong> all = new TreeMap<>();
        firstFrames(all, HELLO);
        header(all, frames(HELLO, BORROW), READ_ID);
        lent(all, "READ too short", BAD_FRAME, frame(0x22, NON_POSTED, 2, "0004000004000000"));
        lent(
                all,
                "READ too long",
                BAD_FRAME,
                frame(0x22, NON_POSTED, 2, "00040000040000000000000000000000 00"));
        lent(all, "READ posted", BAD_FRAME, with(with(READ_ID, 6, 1, POSTED), 12, 4, 0));
        lent(all, "READ of nothing", BAD_VALUE, with(READ_ID, 36, 4, 0));
        lent(all, "READ of too much", BAD_VALUE, with(READ_ID, 36, 4, 0x100001));
        lent(all, "READ of width 3", BAD_VALUE, with(READ_ID, 33, 1, 3));
        lent(all, "WRITE that lacks data", BAD_VALUE, with(WRITE_LIVENESS, 36, 4, 8));
        lent(all, "WRITE posted to configuration", BAD_VALUE, with(WRITE_LIVENESS, 32, 1, 7));
        lent(
                all,
                "WRITE non-posted to memory",
                BAD_VALUE,
                with(with(WRITE_LIVENESS, 6, 1, NON_POSTED), 12, 4, 3));
        lent(all, "INTERRUPTS for MSI-X", BAD_VALUE, with(INTERRUPTS, 32, 1, 2));
        lent(all, "INTERRUPTS of action 9", BAD_VALUE, with(INTERRUPTS, 33, 1, 9));
        lent(all, "INTERRUPTS of vector 1", BAD_VALUE, with(INTERRUPTS, 34, 2, 1));
        lent(all, "INTERRUPTS of none", BAD_VALUE, with(INTERRUPTS, 36, 2, 0));
        lent(all, "MAP of nothing", BAD_VALUE, with(MAP, 40, 8, 0));
        lent(all, "MAP past the end", BAD_VALUE, with(MAP, 40, 8, -1));
        lent(all, "MAP in no direction", BAD_VALUE, with(MAP, 56, 1, 0));
        lent(all, "MAP over another", BAD_VALUE, MAP, with(MAP, 40, 8, 1));
        lent(all, "RESET of kind 9", BAD_VALUE, with(RESET, 32, 1, 9));
        lent(all, "BORROW again", OUT_OF_STATE, with(BORROW, 12, 4, 2));
        lent(all, "LIST on a lent link", OUT_OF_STATE, frame(0x60, NON_POSTED, 2, ""));
        lent(all, "INTERRUPT to a lender", OUT_OF_STATE, frame(0x42, POSTED, 0, "00".repeat(8)));
        lent(all, "DATA for nobody", BAD_TAG, frame(0x23, COMPLETION, 77, "00".repeat(8)));
        lent(all, "generation ahead", BAD_GENERATION, with(READ_ID, 8, 4, 99999));
        all.put("READ before BORROW", new Wrong(OUT_OF_STATE, frames(HELLO, READ_ID)));
        byte[] returned = frame(0x13, NON_POSTED, 2, "");
        all.put(
                "READ after RETURN",
                new Wrong(OUT_OF_STATE, frames(HELLO, BORROW, returned, with(READ_ID, 12, 4, 3))));
        String longName = "0000000000000000 2c01" + "61".repeat(300);
        all.put(
                "BORROW of a long name",
                new Wrong(BAD_VALUE, frames(HELLO, frame(0x10, NON_POSTED, 1, longName))));
        String[] texts = {
            "0000000000000000 0500 6e30",
            "0000000000000000 0200 6e30 78",
            "0000000000000000 0200 c328",
            "0000000000000000 02"
        };
        for (String text : texts) {
            byte[] wrong = frame(0x10, NON_POSTED, 1, text);
            all.put("BORROW of " + text, new Wrong(BAD_FRAME, frames(HELLO, wrong)));
        }
        return all;
    }

    private static void lent(Map<String, Wrong> all, String what, int code, byte[]... frames) {
        List<byte[]> sent = new ArrayList<>(frames(HELLO, BORROW));
        sent.addAll(List.of(frames));
        all.put(what, new Wrong(code, sent));
    }

    // What either is sent.

    /** What must not come first, or not as HELLO. */
    private static void firstFrames(Map<String, Wrong> all, byte[] hello) {
        byte[] alive = frame(0x02, 0, 0, "");
        int other = hello[52] == 1 ? 2 : 1;
        all.put("KEEP_ALIVE before HELLO", new Wrong(OUT_OF_STATE, frames(alive)));
        all.put("HELLO twice", new Wrong(OUT_OF_STATE, frames(hello, hello)));
        all.put("long HELLO", new Wrong(BAD_FRAME, frames(with(hello, 0, 4, 0x1001))));
        all.put("HELLO in my role", new Wrong(BAD_VALUE, frames(with(hello, 52, 1, other))));
        all.put("HELLO of short frames", new Wrong(BAD_VALUE, frames(with(hello, 40, 4, 64))));
        all.put("HELLO too silent", new Wrong(BAD_VALUE, frames(with(hello, 44, 4, 60_000))));
        all.put("HELLO too hasty", new Wrong(BAD_VALUE, frames(with(hello, 48, 4, 10))));
        all.put("HELLO without credit", new Wrong(BAD_VALUE, frames(with(hello, 72, 8, 3))));
        all.put("HELLO with a bad text", new Wrong(BAD_FRAME, frames(with(hello, 104, 2, 999))));
        all.put("HELLO in no text", new Wrong(BAD_FRAME, frames(with(hello, 106, 1, 0xff))));
    }

    /** Everything that a header can have wrong, on a frame that is right. */
    private static void header(Map<String, Wrong> all, List<byte[]> before, byte[] right) {
        int tag = ByteBuffer.wrap(right).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
        Map<String, Wrong> wrong = new TreeMap<>();
        wrong.put("length 31", new Wrong(BAD_FRAME, frames(with(right, 0, 4, 31))));
        wrong.put("length 0", new Wrong(BAD_FRAME, frames(with(right, 0, 4, 0))));
        wrong.put("length beyond", new Wrong(BAD_FRAME, frames(with(right, 0, 4, 0x101001))));
        wrong.put("length of 4 GiB", new Wrong(BAD_FRAME, frames(with(right, 0, 4, -1))));
        wrong.put("type 0", new Wrong(UNKNOWN_TYPE, frames(with(right, 4, 2, 0))));
        wrong.put("type 0x7f", new Wrong(UNKNOWN_TYPE, frames(with(right, 4, 2, 0x7f))));
        wrong.put("type above", new Wrong(UNKNOWN_TYPE, frames(with(right, 5, 1, 0x10))));
        wrong.put("class 0", new Wrong(BAD_FRAME, frames(with(right, 6, 1, 0))));
        wrong.put("flag 3", new Wrong(BAD_FRAME, frames(with(right, 6, 1, right[6] | 0x08))));
        wrong.put("flag 7", new Wrong(BAD_FRAME, frames(with(right, 6, 1, right[6] | 0x80))));
        wrong.put("flag MORE", new Wrong(BAD_FRAME, frames(with(right, 6, 1, right[6] | 4))));
        wrong.put("reserved flag", new Wrong(UNSUPPORTED, frames(with(right, 6, 1, 0x10))));
        wrong.put("descriptor", new Wrong(BAD_DESCRIPTOR, frames(with(right, 7, 1, 1))));
        wrong.put("acknowledged", new Wrong(BAD_SEQUENCE, frames(with(right, 24, 8, 1 << 20))));
        wrong.put("other tag", new Wrong(BAD_TAG, frames(with(right, 12, 4, tag == 0 ? 5 : 0))));
        wrong.put(
                "differences", new Wrong(UNSUPPORTED, frames(frame(0x45, POSTED, 0, "00000000"))));
        wrong.forEach((what, each) -> {
            List<byte[]> sent = new ArrayList<>(before);
            sent.addAll(each.frames());
            all.put("header: " + what, new Wrong(each.code(), sent));
        });
    }

    private static byte[] outOfSequence(List<byte[]> frames, long sequence) {
        List<byte[]> numbered = RawFrames.inSequence(frames);
        numbered.set(numbered.size() - 1, with(numbered.getLast(), 16, 8, sequence));
        return RawFrames.stream(numbered);
    }

    // The lender in Python.

    /** The last frame that comes back; null where the lender closes without a word. */
    private static byte[] lastWord(int port, byte[] stream) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) Interop.PATIENCE.toMillis());
            socket.setTcpNoDelay(true);
            try {
                socket.getOutputStream().write(stream);
                socket.shutdownOutput();
            } catch (SocketException closedAlready) {
                // What it said before is there to be read.
            }
            return lastFrame(socket.getInputStream());
        }
    }

    private static byte[] lastFrame(InputStream in) throws IOException {
        byte[] last = null;
        try {
            in.readNBytes(RawFrames.PREAMBLE.length);
            for (byte[] frame = RawFrames.next(in); frame != null; frame = RawFrames.next(in)) {
                last = frame;
            }
        } catch (SocketException reset) {
            return last;
        }
        return last;
    }

    private static void assertError(String what, int code, byte[] last) {
        assertEquals(RawFrames.ERROR, RawFrames.type(last), what);
        assertEquals(code, RawFrames.code(last), () -> what + ": " + sentence(last));
    }

    private static String sentence(byte[] error) {
        return new String(error, 50, error.length - 50, StandardCharsets.UTF_8);
    }

    /** The frames in sequence and in the function's present generation, which LIST tells. */
    private static List<byte[]> now(int port, List<byte[]> frames) throws IOException {
        List<byte[]> ask = frames(HELLO, frame(0x60, NON_POSTED, 1, ""));
        byte[] listed;
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) Interop.PATIENCE.toMillis());
            socket.getOutputStream().write(RawFrames.stream(RawFrames.inSequence(ask)));
            InputStream in = socket.getInputStream();
            in.readNBytes(RawFrames.PREAMBLE.length);
            listed = RawFrames.next(in);
            while (RawFrames.type(listed) != LISTED) {
                listed = RawFrames.next(in);
            }
        }
        ByteBuffer entry = ByteBuffer.wrap(listed).order(ByteOrder.LITTLE_ENDIAN);
        entry.position(RawFrames.HEADER + 2);
        for (int text = 0; text < 3; text++) {
            int length = entry.getShort();
            entry.position(entry.position() + length);
        }
        int generation = entry.getInt();
        return RawFrames.inSequence(
                frames.stream().map(each -> with(each, 8, 4, generation)).toList());
    }

    /** It still lends: it answers a right session to the end. */
    private static void assertServes(Interop.PythonLender lender) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), lender.port())) {
            socket.setSoTimeout((int) Interop.PATIENCE.toMillis());
            List<byte[]> good = frames(HELLO, BORROW, READ_ID);
            socket.getOutputStream().write(RawFrames.stream(now(lender.port(), good)));
            InputStream in = socket.getInputStream();
            in.readNBytes(RawFrames.PREAMBLE.length);
            byte[] answer = RawFrames.next(in);
            while (answer != null && RawFrames.type(answer) != 0x23) {
                answer = RawFrames.next(in);
            }
            byte[] expected = HexFormat.of().parseHex("0000000000000000ed000001");
            assertEquals(
                    HexFormat.of().formatHex(expected),
                    answer == null ? lender.said() : HexFormat.of().formatHex(answer, 32, 44));
        }
        assertTrue(lender.isAlive());
        assertFalse(lender.said().contains("Traceback"), lender.said());
    }

    @Test
    void shouldSayWhatIsWrongAndServeOthersWhenASlotBreaksTheProtocol() throws Exception {
        try (Interop.PythonLender lender = new Interop.PythonLender(folder)) {
            for (Map.Entry<String, Wrong> each : wrongForALender().entrySet()) {
                Wrong wrong = each.getValue();
                byte[] stream = RawFrames.stream(RawFrames.inSequence(wrong.frames()));
                assertError(each.getKey(), wrong.code(), lastWord(lender.port(), stream));
            }
            for (long sequence : new long[] {0, 2, 4, -1}) {
                byte[] stream = outOfSequence(frames(HELLO, BORROW, READ_ID), sequence);
                assertError("frame " + sequence, BAD_SEQUENCE, lastWord(lender.port(), stream));
            }
            for (String stranger : List.of("GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "F\n")) {
                byte[] last = lastWord(lender.port(), stranger.getBytes(StandardCharsets.UTF_8));
                assertNotEquals(RawFrames.ERROR, last == null ? 0 : RawFrames.type(last));
            }
            assertServes(lender);
            assertTrue(lender.said().contains("is no Farslot: it began with b'GET /"));
        }
    }

    @Test
    void shouldNeitherCrashNorHangWhenASlotSendsAnything() throws Exception {
        try (Interop.PythonLender lender = new Interop.PythonLender(folder)) {
            List<byte[]> good = aSlotsFrames();
            lastWord(lender.port(), RawFrames.stream(now(lender.port(), good)));
            assertFalse(lender.said().contains("broke the protocol"), lender.said());
            int count = rounds(20, 1_500, 30_000);
            for (int seed = 1; seed <= count; seed++) {
                try {
                    byte[] stream = new Mutations(seed).of(now(lender.port(), good));
                    lastWord(lender.port(), stream);
                } catch (IOException e) {
                    throw new AssertionFailedError("seed " + seed + ": " + lender.said(), e);
                }
                if (seed % 500 == 0 || seed == count) {
                    assertServes(lender);
                }
            }
        }
    }

    // The client in C.

    private static final byte[] SERVER_HELLO = RawFrames.hello(2);
    private static final byte[] BORROWED =
            frame(
                    0x11,
                    COMPLETION,
                    1,
                    "0100000000000000"
                            + "00".repeat(24)
                            + "3412e811f41a0011 00ff0000 10010e00 01000000 02000100 0000000000000000"
                            + "00000000 10000000 0000100000000000 08000000 00000000"
                            + "07020000 10000000 0010000000000000 04000000 00000000"
                            + "0500 00 00 4000 0e00 0300 656475");
    private static final byte[] DATA = frame(0x23, COMPLETION, 2, "0000000000000000 3412e811");

    private static List<byte[]> aLendersFrames() {
        List<byte[]> all = new ArrayList<>(frames(SERVER_HELLO, BORROWED, DATA));
        for (int tag = 3; tag < 30; tag++) {
            all.add(with(DATA, 12, 4, tag));
        }
        all.add(frame(0x40, NON_POSTED, 1, "0000100000000000 00100000 00000000"));
        all.add(frame(0x41, POSTED, 0, "0000100000000000 0102030405060708"));
        all.add(frame(0x42, POSTED, 0, "0000000000000000"));
        all.add(frame(0x43, POSTED, 0, "05" + "00".repeat(23) + "0000"));
        all.add(frame(0x03, 0, 0, "0000010000000000".repeat(6)));
        all.add(frame(0x06, 0, 2, "0100000000000000"));
        all.add(frame(0x12, COMPLETION, 2, "0200 0100 78"));
        all.add(frame(0x04, 0, 0, "0300 0000"));
        return RawFrames.inSequence(all);
    }

    private static Map<String, Wrong> wrongForAClient() {
        Map<String, Wrong> all = new TreeMap<>();
        firstFrames(all, SERVER_HELLO);
        header(all, frames(SERVER_HELLO, BORROWED), DATA);
        borrowed(all, "DATA too short", BAD_FRAME, frame(0x23, COMPLETION, 2, "00000000"));
        borrowed(all, "DATA of 5 bytes", BAD_VALUE, frame(0x23, COMPLETION, 2, "00".repeat(13)));
        borrowed(all, "DATA of none", BAD_VALUE, frame(0x23, COMPLETION, 2, "00".repeat(8)));
        borrowed(
                all,
                "DATA of status 9",
                BAD_VALUE,
                frame(0x23, COMPLETION, 2, "09" + "00".repeat(7)));
        borrowed(all, "DATA nobody waits for", BAD_TAG, with(DATA, 12, 4, 9));
        borrowed(all, "DONE to a READ", OUT_OF_STATE, frame(0x25, COMPLETION, 2, "00".repeat(8)));
        borrowed(all, "DONE too long", BAD_FRAME, frame(0x25, COMPLETION, 2, "00".repeat(9)));
        borrowed(all, "READ to a client", OUT_OF_STATE, READ_ID);
        borrowed(all, "OBSERVED", OUT_OF_STATE, frame(0x65, POSTED, 0, "00".repeat(18)));
        borrowed(all, "DMA_READ of none", BAD_VALUE, frame(0x40, NON_POSTED, 1, "00".repeat(16)));
        borrowed(
                all,
                "DMA_READ of too much",
                BAD_VALUE,
                frame(0x40, NON_POSTED, 1, "0000100000000000 01001000 00000000"));
        borrowed(all, "DMA_WRITE of none", BAD_VALUE, frame(0x41, POSTED, 0, "00".repeat(8)));
        borrowed(
                all,
                "INTERRUPT of MSI-X",
                BAD_VALUE,
                frame(0x42, POSTED, 0, "0200" + "00".repeat(6)));
        borrowed(
                all,
                "INTERRUPT of vector 1",
                BAD_VALUE,
                frame(0x42, POSTED, 0, "01000100" + "00".repeat(4)));
        borrowed(
                all,
                "EVENT's reset kind",
                BAD_VALUE,
                frame(0x43, POSTED, 0, "0609" + "00".repeat(22) + "0000"));
        borrowed(
                all,
                "EVENT's text",
                BAD_FRAME,
                frame(0x43, POSTED, 0, "05" + "00".repeat(23) + "0900"));
        borrowed(
                all,
                "EVENT that is no text",
                BAD_FRAME,
                frame(0x43, POSTED, 0, "05" + "00".repeat(23) + "0300eda080"));
        borrowed(
                all,
                "EVENT of a long sentence",
                BAD_VALUE,
                frame(0x43, POSTED, 0, "05" + "00".repeat(23) + "0104" + "61".repeat(1025)));
        description(all, "no regions", with(BORROWED, 84, 2, 0));
        description(all, "nine regions", with(BORROWED, 84, 2, 9));
        description(all, "region 8", with(BORROWED, 96, 1, 8));
        description(all, "space 3", with(BORROWED, 97, 1, 3));
        description(all, "a size of 3", with(BORROWED, 104, 8, 3));
        description(all, "an endless access", with(BORROWED, 112, 4, -1));
        description(all, "one region twice", with(BORROWED, 96, 1, 7));
        description(all, "small configuration space", with(BORROWED, 128, 8, 64));
        all.put(
                "BORROWED: many capabilities",
                new Wrong(BAD_FRAME, frames(SERVER_HELLO, with(BORROWED, 86, 2, 0xffff))));
        all.put(
                "DMA_READ before BORROWED",
                new Wrong(
                        OUT_OF_STATE,
                        frames(SERVER_HELLO, frame(0x40, NON_POSTED, 1, "00".repeat(16)))));
        return all;
    }

    private static void borrowed(Map<String, Wrong> all, String what, int code, byte[] wrong) {
        all.put(what, new Wrong(code, frames(SERVER_HELLO, BORROWED, wrong)));
    }

    private static void description(Map<String, Wrong> all, String what, byte[] wrong) {
        all.put("BORROWED: " + what, new Wrong(BAD_VALUE, frames(SERVER_HELLO, wrong)));
    }

    /** How the client ended, and its last frame. */
    private record Met(Interop.Ended ended, List<byte[]> lastWords) {
        byte[] last() {
            return lastWords.isEmpty() ? new byte[0] : lastWords.getLast();
        }
    }

    /** Lets the client meet a lender that says this and closes. */
    private Met meet(Path client, byte[] stream) throws Exception {
        Path err = Files.createTempFile(folder, "err", "");
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            server.setSoTimeout((int) Interop.PATIENCE.toMillis());
            String address = "127.0.0.1:" + server.getLocalPort();
            ProcessBuilder builder =
                    new ProcessBuilder(client.toString(), "--insecure", address, "e0");
            builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(err.toFile());
            builder.environment().put("ASAN_OPTIONS", "detect_leaks=0");
            try (ChildProcess program = ChildProcess.start(builder);
                    Socket socket = server.accept()) {
                socket.setSoTimeout((int) Interop.PATIENCE.toMillis());
                List<byte[]> lastWords = new ArrayList<>();
                try {
                    OutputStream out = socket.getOutputStream();
                    out.write(stream);
                    socket.shutdownOutput();
                    byte[] last = lastFrame(socket.getInputStream());
                    if (last != null) {
                        lastWords.add(last);
                    }
                } catch (SocketException closed) {
                    // The client has ended before it read all.
                }
                boolean ended = program.await(Interop.PATIENCE);
                String said = Files.readString(err);
                assertTrue(ended, () -> "The client hangs: " + said);
                return new Met(
                        new Interop.Ended(program.process().exitValue(), "", said), lastWords);
            }
        } finally {
            Files.delete(err);
        }
    }

    /** It failed in its own words: neither by a signal nor by a sanitizer's finding. */
    private static void assertFailedWell(String what, Interop.Ended ended) {
        assertTrue(ended.code() >= 1 && ended.code() <= 4, () -> what + ": " + ended);
        assertTrue(ended.err().startsWith("edu_client: "), () -> what + ": " + ended);
        assertFalse(ended.err().contains("anitizer"), () -> what + ": " + ended);
        assertFalse(ended.err().contains("runtime error"), () -> what + ": " + ended);
    }

    /** Built with what finds memory errors, but where time is short. */
    private static synchronized Path client() throws Exception {
        if (client == null) {
            client =
                    ROUNDS.equals("few") ? Interop.client(shared) : Interop.sanitizedClient(shared);
        }
        return client;
    }

    @Test
    void shouldSayWhatIsWrongAndFailWhenALenderBreaksTheProtocol() throws Exception {
        Path client = client();
        for (Map.Entry<String, Wrong> each : wrongForAClient().entrySet()) {
            Wrong wrong = each.getValue();
            Met met = meet(client, RawFrames.stream(RawFrames.inSequence(wrong.frames())));
            assertFailedWell(each.getKey(), met.ended());
            assertEquals(PROTOCOL_BROKEN, met.ended().code(), each.getKey() + met.ended());
            assertTrue(met.ended().err().contains("broke the protocol"), met.ended().err());
            assertError(each.getKey(), wrong.code(), met.last());
        }
        for (long sequence : new long[] {0, 1, 4, -1}) {
            byte[] stream = outOfSequence(frames(SERVER_HELLO, BORROWED, DATA), sequence);
            assertError("frame " + sequence, BAD_SEQUENCE, meet(client, stream).last());
        }
        for (String stranger : List.of("HTTP/1.1 400\r\n\r\n", "SSH-2.0-x\r\n", "")) {
            Met met = meet(client, stranger.getBytes(StandardCharsets.UTF_8));
            assertFailedWell("stranger " + stranger, met.ended());
        }
    }

    @Test
    void shouldNeitherCrashNorHangWhenALenderSendsAnything() throws Exception {
        Path client = client();
        List<List<byte[]>> sessions = new ArrayList<>(List.of(aLendersFrames()));
        if (rounds(0, 1, 1) == 1) {
            sessions.add(recorded(client));
        }
        int count = rounds(10, 400, 20_000);
        for (int seed = 1; seed <= count; seed++) {
            byte[] stream = new Mutations(seed).of(sessions.get(seed % sessions.size()));
            Interop.Ended ended = meet(client, stream).ended();
            // Some change only what is ignored, of a session that is right to its end.
            if (ended.code() != 0) {
                assertFailedWell("seed " + seed, ended);
            }
        }
    }

    /** What the lender in Python says to the client in C in a whole session. */
    private List<byte[]> recorded(Path client) throws Exception {
        try (Interop.PythonLender lender = new Interop.PythonLender(folder);
                RecordingProxy proxy = new RecordingProxy(lender.port())) {
            String address = "127.0.0.1:" + proxy.port();
            Interop.Ended run = Interop.run(folder, client.toString(), "--insecure", address, "e0");
            assertEquals(0, run.code(), run.err());
            List<byte[]> frames = proxy.frames();
            assertTrue(frames.size() > 50, () -> frames.size() + " frames");
            return frames;
        }
    }
}
