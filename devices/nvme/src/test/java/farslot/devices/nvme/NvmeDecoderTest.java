package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Observation.When;
import farslot.sdk.decode.Transaction;
import farslot.sdk.decode.Transaction.Field;
import farslot.sdk.decode.Transaction.Stage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a trace of the device says of its commands, beside what the driver did. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class NvmeDecoderTest {
    private static final int WHOLE = Integer.MAX_VALUE;
    private static final int BLOCK = 512;

    @TempDir Path folder;

    private final List<Transaction> found = new ArrayList<>();
    private final List<Observation> notTaken = new ArrayList<>();
    private List<String> remarks;
    private ObservingTap tap;

    private FunctionSide side(int dmaBytes, String... more) throws Exception {
        List<String> options = new ArrayList<>(List.of(more));
        options.add("image=" + folder.resolve("d.img"));
        options.add("size=4M");
        return new FunctionSide(
                function -> tap = new ObservingTap(function, dmaBytes),
                options.toArray(String[]::new));
    }

    private void decode(List<Observation> observations) {
        found.clear();
        notTaken.clear();
        Decoder decoder = new NvmeDecoder(found::add);
        for (Observation observation : observations) {
            if (!decoder.observe(observation)) {
                notTaken.add(observation);
            }
        }
        decoder.end();
        remarks = decoder.remarks();
    }

    private List<Transaction> of(String stream) {
        return found.stream().filter(one -> one.stream().equals(stream)).toList();
    }

    private static String field(Transaction transaction, String name) {
        return transaction.fields().stream()
                .filter(field -> field.name().equals(name))
                .map(Field::text)
                .findFirst()
                .orElse("none");
    }

    private static String stages(Transaction transaction) {
        return String.join(" ", transaction.stages().stream().map(Stage::name).toList());
    }

    /** Submits, waits for the interrupt as a driver does, and then takes the completion. */
    private static NvmeDriver.Completion call(
            FunctionSide side, NvmeDriver.Queue queue, NvmeDriver.Entry entry) {
        int before = side.interrupts(InterruptKind.MSIX, queue.id);
        int command = queue.submit(entry);
        while (side.interrupts(InterruptKind.MSIX, queue.id) == before) {
            long seen = side.changes();
            if (side.interrupts(InterruptKind.MSIX, queue.id) == before) {
                side.awaitChange(seen);
            }
        }
        return queue.await(command);
    }

    private void writeAndRead(FunctionSide side, byte[] data, long seed) {
        NvmeDriver driver = new NvmeDriver(side).enable();
        driver.identify(1, 0);
        driver.identify(0, 1);
        NvmeDriver.Queue queue = driver.createQueue(1, 64, 1);
        Random random = new Random(seed);
        for (NvmOpcode opcode : List.of(NvmOpcode.WRITE, NvmOpcode.READ)) {
            long pages = driver.allocate(900);
            PrpLayout layout = new PrpLayout(random, data.length, pages, 900 * NvmeDriver.PAGE);
            layout.scatter(driver.memory(pages, 900L * NvmeDriver.PAGE), data);
            NvmeDriver.Entry entry =
                    NvmeDriver.transfer(opcode, 16, data.length / BLOCK, layout.prp1, layout.prp2);
            call(side, queue, entry).ok();
        }
    }

    @Test
    void shouldSayEachCommandWithItsFieldsAndStages() throws Exception {
        byte[] data = new byte[100 * BLOCK];
        new Random(1).nextBytes(data);
        try (FunctionSide side = side(WHOLE).use(InterruptKind.MSIX)) {
            writeAndRead(side, data, 1);
        }
        decode(tap.observations());
        assertEquals(List.of(), remarks);
        assertEquals(
                List.of("IDENTIFY", "IDENTIFY", "CREATE_IO_CQ", "CREATE_IO_SQ"),
                of("SQ0").stream().map(Transaction::title).toList());
        Transaction identify = of("SQ0").getFirst();
        assertEquals("CONTROLLER", field(identify, "CNS"));
        assertTrue(field(identify, "DATA").startsWith("4096 bytes "), identify.toString());
        Transaction create = of("SQ0").getLast();
        assertEquals("63", field(create, "QSIZE"));
        assertEquals("1", field(create, "CQID"));
        assertEquals("SUCCESS", create.status());

        List<Transaction> io = of("SQ1");
        assertEquals(List.of("WRITE", "READ"), io.stream().map(Transaction::title).toList());
        for (Transaction transaction : io) {
            assertEquals(
                    "doorbell fetch data completion interrupt acknowledged", stages(transaction));
            assertEquals("0x10", field(transaction, "SLBA"));
            assertEquals("99", field(transaction, "NLB"));
            assertEquals("1", field(transaction, "NSID"));
            assertEquals(List.of(), transaction.remarks());
        }
        assertEquals(field(io.getFirst(), "DATA"), field(io.getLast(), "DATA"), "one data");
        assertEquals(1, io.getLast().index());
        assertTrue(
                notTaken.stream().noneMatch(one -> one instanceof Observation.Dma),
                () -> "DMA of no command: " + notTaken);
        assertTrue(notTaken.stream().noneMatch(one -> one instanceof Observation.Interrupt));
    }

    @Property(tries = 10)
    void shouldTellDataApartHoweverItLies(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        byte[] data = new byte[(1 + random.nextInt(2000)) * BLOCK];
        random.nextBytes(data);
        Path own = Files.createTempDirectory("farslot-decoder");
        try (FunctionSide side =
                new FunctionSide(
                                function -> tap = new ObservingTap(function, WHOLE),
                                "image=" + own.resolve("d.img"),
                                "size=4M")
                        .use(InterruptKind.MSIX)) {
            writeAndRead(side, data, seed);
        } finally {
            Files.delete(own.resolve("d.img"));
            Files.delete(own);
        }
        decode(tap.observations());
        assertEquals(List.of(), remarks);
        List<Transaction> io = of("SQ1");
        assertEquals(2, io.size());
        assertTrue(field(io.getFirst(), "DATA").startsWith(data.length + " bytes"));
        assertEquals(field(io.getFirst(), "DATA"), field(io.getLast(), "DATA"));
        List<Observation> changed = new ArrayList<>(tap.observations());
        changeOneByteOfData(changed);
        decode(changed);
        io = of("SQ1");
        assertNotEquals(field(io.getFirst(), "DATA"), field(io.getLast(), "DATA"));
    }

    /** The last DMA write that is longer than a completion is the end of what was read. */
    private static void changeOneByteOfData(List<Observation> observations) {
        for (int at = observations.size() - 1; at >= 0; at--) {
            if (observations.get(at) instanceof Observation.Dma dma
                    && dma.write()
                    && dma.length() > 16) {
                byte[] bytes = dma.bytes().clone();
                bytes[bytes.length / 2] ^= 1;
                observations.set(
                        at,
                        new Observation.Dma(
                                dma.when(),
                                true,
                                dma.address(),
                                dma.length(),
                                dma.status(),
                                bytes));
                return;
            }
        }
    }

    @Test
    void shouldFollowManyCommandsAtOnceOnSeveralQueues() throws Exception {
        int rounds = 40;
        try (FunctionSide side = side(WHOLE, "queues=4").use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            driver.identify(0, 1);
            long page = driver.allocate(8);
            List<NvmeDriver.Queue> queues = new ArrayList<>();
            for (int id = 1; id <= 4; id++) {
                queues.add(driver.createQueue(id, 8 * id, id));
            }
            Random random = new Random(5);
            for (int round = 0; round < rounds; round++) {
                List<Integer> commands = new ArrayList<>();
                for (NvmeDriver.Queue queue : queues) {
                    queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
                    NvmOpcode opcode = random.nextBoolean() ? NvmOpcode.READ : NvmOpcode.WRITE;
                    long at = page + queue.id * 512L;
                    commands.add(
                            queue.submit(
                                    NvmeDriver.transfer(opcode, random.nextInt(99), 1, at, 0)));
                }
                for (int i = 0; i < queues.size(); i++) {
                    queues.get(i).await(commands.get(i)).ok();
                    queues.get(i).await(commands.get(i) - 1).ok();
                }
            }
        }
        decode(tap.observations());
        assertEquals(List.of(), remarks);
        for (int id = 1; id <= 4; id++) {
            List<Transaction> commands = of("SQ" + id);
            assertEquals(2 * rounds, commands.size());
            List<Long> indexes = commands.stream().map(Transaction::index).sorted().toList();
            for (int i = 0; i < indexes.size(); i++) {
                assertEquals(i, indexes.get(i));
            }
            for (Transaction command : commands) {
                assertEquals(Transaction.SUCCESS, command.status());
                assertTrue(stages(command).startsWith("doorbell fetch "), stages(command));
                assertTrue(stages(command).contains("completion"), stages(command));
                assertEquals(command.title().equals("FLUSH"), !stages(command).contains("data"));
            }
        }
        assertTrue(notTaken.stream().noneMatch(one -> one instanceof Observation.Dma));
    }

    @Test
    void shouldSayHowACommandEndedAndWhichNeverDid() throws Exception {
        try (FunctionSide side = side(WHOLE)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            driver.admin.submit(NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
            driver.admin.call(NvmeDriver.admin(AdminOpcode.IDENTIFY).dword(10, 0x77));
            driver.admin.call(
                    NvmeDriver.admin(AdminOpcode.SET_FEATURES).dword(10, 7).dword(11, 3 | 3 << 16));
            driver.admin.call(new NvmeDriver.Entry(0xC1).dword(12, 0x1234));
            side.reset();
        }
        decode(tap.observations());
        assertEquals(
                List.of(
                        "IDENTIFY INVALID_FIELD_IN_COMMAND",
                        "SET_FEATURES SUCCESS",
                        "0xc1 INVALID_COMMAND_OPCODE",
                        "ASYNC_EVENT_REQUEST "),
                found.stream().map(one -> one.title() + " " + one.status()).toList());
        assertEquals("NUMBER_OF_QUEUES", field(found.get(1), "FID"));
        assertEquals("3", field(found.get(1), "NSQ"));
        assertNotEquals("none", field(found.get(1), "DW0.NSQ"));
        assertEquals("0x1234", field(found.get(2), "CDW12"));
        assertEquals(List.of("the function was reset"), found.get(3).remarks());
        assertEquals("doorbell fetch", stages(found.get(3)));
    }

    @Test
    void shouldSayWhatWasNotRecorded() throws Exception {
        byte[] data = new byte[100 * BLOCK];
        try (FunctionSide side = side(64).use(InterruptKind.MSIX)) {
            writeAndRead(side, data, 1);
        }
        decode(tap.observations());
        Transaction write = of("SQ1").getFirst();
        assertEquals("WRITE", write.title());
        assertEquals("SUCCESS", write.status());
        assertEquals("none", field(write, "DATA"));
        assertTrue(write.remarks().getLast().contains("bytes of data"), write.remarks().toString());

        try (FunctionSide side = side(16).use(InterruptKind.MSIX)) {
            writeAndRead(side, data, 1);
        }
        decode(tap.observations());
        assertEquals(List.of(), of("SQ1"));
        Transaction identify = of("SQ0").getFirst();
        assertEquals("IDENTIFY", identify.title());
        assertEquals("SUCCESS", identify.status());
        assertEquals("none", field(identify, "CNS"));
        assertEquals(List.of("of its entry 16 of 64 bytes were recorded"), identify.remarks());
        assertTrue(remarks.toString().contains("entries of commands were not recorded whole"));
        assertTrue(remarks.toString().contains("does not show how they were made"));

        decode(
                tap.observations().stream()
                        .filter(one -> !(one instanceof Observation.Dma))
                        .toList());
        assertEquals(List.of(), found);
        assertTrue(remarks.getFirst().contains("no DMA fetched what they announced"));
    }

    @Test
    void shouldTakeATraceThatBeginsOrEndsAnywhere() throws Exception {
        try (FunctionSide side = side(WHOLE).use(InterruptKind.MSIX)) {
            writeAndRead(side, new byte[40 * BLOCK], 1);
        }
        List<Observation> all = tap.observations();
        decode(all);
        int whole = found.size();
        for (int cut = 0; cut <= all.size(); cut++) {
            decode(all.subList(0, cut));
            assertTrue(found.size() <= whole);
            decode(all.subList(cut, all.size()));
            assertTrue(found.size() <= whole);
        }
    }

    @Property(tries = 300)
    void shouldTakeNonsense(@ForAll long seed) {
        Random random = new Random(seed);
        List<Observation> nonsense = new ArrayList<>();
        nonsense.add(write(0x24, 4, 0x001F_001F));
        nonsense.add(write(0x28, 8, 0x1000));
        nonsense.add(write(0x30, 8, 0x2000));
        nonsense.add(write(0x14, 4, NvmeDriver.ENABLED));
        for (int i = 0; i < 400; i++) {
            nonsense.add(nonsense(random, i));
        }
        decode(nonsense);
        found.forEach(one -> assertFalse(one.stages().isEmpty()));
    }

    private static Observation write(long offset, int bytes, long value) {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            data[i] = (byte) (value >>> (8 * i));
        }
        return new Observation.Access(
                new When(0, 0, 0), true, 0, offset, bytes, -1, CompletionStatus.SUCCESS, data);
    }

    private static Observation nonsense(Random random, int number) {
        When when = new When(number, random.nextInt(), random.nextInt(9));
        byte[] bytes = new byte[random.nextInt(4) * 32 + random.nextInt(2)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(8));
        }
        long length = random.nextInt(4) == 0 ? random.nextLong() >>> 1 : bytes.length;
        CompletionStatus status = CompletionStatus.ofCode(random.nextInt(20) == 0 ? 4 : 0);
        long address =
                switch (random.nextInt(4)) {
                    case 0 -> 0x1000 + 64 * random.nextInt(33);
                    case 1 -> 0x2000 + 16 * random.nextInt(33);
                    case 2 -> random.nextInt(8) * 0x0101_0101L;
                    default -> random.nextLong();
                };
        return switch (random.nextInt(12)) {
            case 0 -> new Observation.Interrupt(when, InterruptKind.MSIX, random.nextInt(3));
            case 1 -> write(0x14, 4, random.nextInt(8) == 0 ? 0 : NvmeDriver.ENABLED);
            case 2 -> new Observation.Reset(when, ResetKind.FLR);
            case 3, 4, 5 -> write(0x1000 + random.nextInt(6) * 4L, 4, random.nextInt(34));
            case 6 -> write(random.nextInt(0x40), random.nextInt(9), random.nextLong());
            default ->
                    new Observation.Dma(
                            when,
                            random.nextBoolean(),
                            address,
                            Math.max(length, bytes.length),
                            status,
                            bytes);
        };
    }
}
