package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import farslot.analysis.export.ExportedTrace;
import farslot.analysis.export.TraceExport;
import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.lab.Lab;
import farslot.lab.LabException;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.Options;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Wireshark's own tshark reads what {@code trace export --to pcapng} writes, by the dissector that
 * {@code trace dissector} prints. Where there is no tshark and none can be fetched, this is skipped
 * and says so.
 */
@Timeout(600)
class WiresharkTest {
    private static final int FACTORIAL = 0x08;
    private static final int STATUS = 0x20;

    @TempDir Path folder;

    private Path dissector;
    private List<String> tshark;

    @BeforeEach
    void findTshark() throws Exception {
        dissector = Files.writeString(folder.resolve("farslot.lua"), TraceExport.dissector());
        tshark = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            // Wireshark runs no scripts for root, so we are somebody else there.
            tshark.addAll(List.of("unshare", "--user"));
            if (Interop.run(folder, "unshare", "--user", "true").code() != 0) {
                abort("Wireshark is not tried: it reads no dissector in Lua for root.");
            }
        }
        tshark.addAll(List.of("env", "HOME=" + folder, "LC_ALL=C.UTF-8"));
        try {
            List<String> words = Lab.ofUser().prepareProgram("tshark", System.out::println);
            Path program = Path.of(words.getLast());
            tshark.add("WIRESHARK_DATA_DIR=" + program.resolve("../../share/wireshark"));
            tshark.addAll(words);
        } catch (LabException unavailable) {
            if (Interop.run(folder, "sh", "-c", "command -v tshark").code() != 0) {
                abort("Wireshark is not tried: " + unavailable.getMessage());
            }
            tshark.add("tshark");
        }
        tshark.addAll(List.of("-X", "lua_script:" + dissector));
    }

    private Path capture() throws Exception {
        Path trace = folder.resolve("edu.fst");
        DeviceKind kind = new EduKind();
        try (DeviceFunction edu =
                        DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())));
                RecorderTap tap = RecorderTap.recording(edu, trace, TraceOptions.DEFAULT)) {
            write(tap, 7, 4, 2, 6);
            tap.trace().mark("five!");
            write(tap, 0, STATUS, 4, 0x80);
            write(tap, 0, FACTORIAL, 4, 5);
        }
        Path capture = folder.resolve("edu.pcapng");
        try (TraceReader reader = TraceReader.open(trace);
                OutputStream out = Files.newOutputStream(capture)) {
            TraceNames names = TraceNames.of(reader.description());
            TraceExport.named("pcapng")
                    .orElseThrow()
                    .write(ExportedTrace.whole(reader, names, null), out);
        }
        return capture;
    }

    private static void write(PciFunction function, int region, long at, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new byte[8]);
        from.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        assertTrue(
                function.write(region, at, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES)
                        .isSuccess());
    }

    /** The lines that tshark prints of a capture. */
    private List<String> read(Path capture, String... options) throws Exception {
        List<String> words = new ArrayList<>(tshark);
        words.addAll(List.of("-r", capture.toString()));
        words.addAll(List.of(options));
        Interop.Ended ended = Interop.run(folder, words.toArray(String[]::new));
        assertEquals(0, ended.code(), ended.err());
        assertFalse(ended.err().contains("Lua"), ended.err());
        return ended.out().lines().toList();
    }

    @Test
    void shouldShowRegistersAndFieldsInColumns() throws Exception {
        List<String> lines =
                read(
                        capture(),
                        "-T",
                        "fields",
                        "-E",
                        "separator=|", //
                        "-e",
                        "_ws.col.Protocol",
                        "-e",
                        "_ws.col.Source",
                        "-e",
                        "_ws.col.Destination",
                        "-e",
                        "farslot.register",
                        "-e",
                        "farslot.value",
                        "-e",
                        "farslot.fields",
                        "-e",
                        "frame.comment");
        String command =
                "IO=0 MEM=1 MASTER=1 SPECIAL=0 MWI=0 VGA_SNOOP=0 PARITY=0 WAIT=0 SERR=0"
                        + " FAST_BACK=0 INTX_OFF=0";
        assertEquals(
                List.of(
                        "write|driver|CFG COMMAND|COMMAND|0x0000000000000006|" + command + "|",
                        "mark||||||five!",
                        "write|driver|BAR0 STATUS|STATUS|0x0000000000000080|COMPUTING=0 IRQ_WHEN_DONE=1|",
                        "write|driver|BAR0 FACTORIAL|FACTORIAL|0x0000000000000005|5|"),
                lines);
    }

    @Test
    void shouldFindEventsByRegisterAndValue() throws Exception {
        Path capture = capture();
        String filter = "farslot.register == \"FACTORIAL\" && farslot.value == 5";
        assertEquals(1, read(capture, "-Y", filter).size());
        assertEquals(0, read(capture, "-Y", "farslot.malformed || _ws.malformed").size());
        assertEquals(3, read(capture, "-Y", "farslot.by_driver && frame.p2p_dir == 0").size());
    }

    /** Packets of other programs come by the same number of a link layer. */
    @Test
    void shouldCallPacketsMalformedThatAreNone() throws Exception {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
        Path capture = capture();
        byte[] head = Arrays.copyOf(Files.readAllBytes(capture), interfaceEnd(capture));
        int packets = 200;
        try (OutputStream out = Files.newOutputStream(capture)) {
            out.write(head);
            for (int i = 0; i < packets; i++) {
                byte[] packet = new byte[random.nextInt(120)];
                random.nextBytes(packet);
                if (packet.length > 0) {
                    packet[0] = 1;
                }
                out.write(block(packet));
            }
        }
        assertEquals(packets, read(capture).size());
        assertEquals(packets, read(capture, "-Y", "farslot.malformed").size());
        assertEquals(0, read(capture, "-Y", "_ws.lua.error").size());
    }

    private static int interfaceEnd(Path capture) throws Exception {
        ByteBuffer bytes =
                ByteBuffer.wrap(Files.readAllBytes(capture)).order(ByteOrder.LITTLE_ENDIAN);
        int section = bytes.getInt(4);
        return section + bytes.getInt(section + 4);
    }

    /** An Enhanced Packet Block. */
    private static byte[] block(byte[] packet) {
        int length = 32 + (packet.length + 3) / 4 * 4;
        ByteBuffer block = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        block.putInt(6).putInt(length).putInt(0).putLong(0);
        block.putInt(packet.length).putInt(packet.length).put(packet);
        return block.putInt(length - 4, length).array();
    }
}
