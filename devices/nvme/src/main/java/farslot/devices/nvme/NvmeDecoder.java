package farslot.devices.nvme;

import farslot.core.InterruptKind;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Observation.When;
import farslot.sdk.decode.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Finds the commands of an NVMe controller's trace (NVM Express 1.4): it follows the queues that
 * AQA, ASQ, ACQ and the admin commands make, and tells doorbells, fetched entries, data,
 * completions and interrupts which command they belong to. The stages of a command are doorbell,
 * fetch, data, completion, interrupt, and acknowledged by the driver's head doorbell.
 *
 * <p>Entries, PRP lists and completions are in DMA data: what a trace does not have of it, cannot
 * be said, and the remarks say so.
 */
final class NvmeDecoder implements Decoder {
    private static final int REGISTERS = 0;
    private static final int CC = 0x14;
    private static final int AQA = 0x24;
    private static final int ASQ = 0x28;
    private static final int ACQ = 0x30;
    private static final int SHADOWED_BYTES = 0x38;
    private static final int DOORBELLS = 0x1000;
    private static final int ENTRY_BYTES = Command.ENTRY_BYTES;
    private static final int COMPLETION_BYTES = CompletionQueue.ENTRY_BYTES;

    /** How many commands are followed at once; hardware has fewer under way. */
    private static final int MAX_UNDER_WAY = 1 << 17;

    /** Where Identify Namespace says FLBAS, and the formats (5.15.2.1). */
    private static final int FORMATTED_AT = 26;

    private static final int FORMATS_AT = 128;
    private static final int MAX_NAMESPACES = 1024;
    private static final int SMALLEST_BLOCK_SHIFT = 9;

    private final Consumer<Transaction> found;
    private final byte[] shadow = new byte[SHADOWED_BYTES];
    private final TracedQueues queues = new TracedQueues();
    private final TracedMemory memory = new TracedMemory();
    private final Map<Integer, Long> counts = new HashMap<>();
    private final Map<Integer, Integer> blockShifts = new HashMap<>();
    private int underWay;
    private boolean enabled;

    private long unknownDoorbells;
    private long entriesInPart;
    private long completionsInPart;
    private long strayCompletions;
    private long notFollowed;
    private long rung;
    private long fetched;

    NvmeDecoder(Consumer<Transaction> found) {
        this.found = found;
    }

    @Override
    public boolean observe(Observation observation) {
        return switch (observation) {
            case Observation.Access access -> access(access);
            case Observation.Dma dma -> dma(dma);
            case Observation.Interrupt interrupt -> interrupt(interrupt);
            case Observation.Reset reset -> {
                disable("the function was reset");
                yield false;
            }
        };
    }

    private boolean access(Observation.Access access) {
        boolean refused = access.status() != null && !access.status().isSuccess();
        if (access.region() != REGISTERS || refused || access.offset() < 0) {
            return false;
        }
        if (access.write() && access.offset() >= DOORBELLS) {
            return doorbell(access);
        }
        for (int i = 0; i < access.bytes().length; i++) {
            long at = access.offset() + i;
            boolean enables = i >= Long.SIZE || (access.byteEnables() >>> i & 1) != 0;
            if (at < SHADOWED_BYTES && enables) {
                shadow[(int) at] = access.bytes()[i];
            }
        }
        boolean reachesEnable =
                access.offset() <= CC && access.offset() + access.bytes().length > CC;
        if (access.write() && reachesEnable) {
            configure();
        }
        return false;
    }

    private long register(int offset, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | (shadow[offset + i] & 0xFF);
        }
        return value;
    }

    /** CC was written (3.1.5). */
    private void configure() {
        boolean wanted = configuration().isEnabled();
        if (wanted == enabled) {
            return;
        }
        disable("the controller was disabled");
        enabled = wanted;
        long submissions = register(ASQ, 8) & ~0xFFFL;
        long completions = register(ACQ, 8) & ~0xFFFL;
        if (wanted && register(AQA, 4) != 0) {
            int submissionEntries = (int) (register(AQA, 4) & 0xFFF) + 1;
            int completionEntries = (int) (register(AQA, 4) >>> 16 & 0xFFF) + 1;
            queues.add(new TracedQueues.Submission(0, submissions, submissionEntries, 0));
            queues.add(new TracedQueues.Completion(0, completions, completionEntries, true, 0));
        }
    }

    private ControllerConfiguration configuration() {
        return new ControllerConfiguration((int) register(CC, 4));
    }

    private int pageBytes() {
        return configuration().pageBytes();
    }

    /** 3.1.24 and 3.1.25; how far they stand apart is in CAP.DSTRD. */
    private boolean doorbell(Observation.Access access) {
        long stride = 4L << (shadow[4] & 0xF);
        long number = (access.offset() - DOORBELLS) / stride;
        if ((access.offset() - DOORBELLS) % stride != 0
                || number > 2 * 0xFFFF + 1
                || access.bytes().length < 2) {
            return false;
        }
        int id = (int) number / 2;
        int value = (int) (access.value() & 0xFFFF);
        if (number % 2 == 0) {
            TracedQueues.Submission queue = queues.submission(id);
            if (queue != null) {
                rung++;
                queue.ring(access.when(), value);
                return true;
            }
        } else {
            TracedQueues.Completion queue = queues.completion(id);
            if (queue != null) {
                acknowledge(access.when(), queue, value);
                return true;
            }
        }
        unknownDoorbells++;
        return false;
    }

    private void acknowledge(When when, TracedQueues.Completion queue, int newHead) {
        TracedCommand command = queue.acknowledged(newHead);
        while (command != null) {
            command.stage("acknowledged", when, when.nanos());
            give(command);
            command = queue.acknowledged(newHead);
        }
        queue.moveHead(newHead);
    }

    private void give(TracedCommand command) {
        underWay--;
        memory.remove(command);
        found.accept(command.transaction());
    }

    private boolean dma(Observation.Dma dma) {
        if (!dma.write()) {
            TracedQueues.Submission queue = queues.submissionAt(dma.address());
            if (queue != null) {
                fetch(queue, dma);
                return true;
            }
        } else {
            TracedQueues.Completion queue = queues.completionAt(dma.address());
            if (queue != null) {
                post(queue, dma);
                return true;
            }
        }
        TracedCommand command = memory.observe(dma, pageBytes(), this::dataBytes);
        if (command == null) {
            return false;
        }
        learnBlockSize(command, dma);
        return true;
    }

    private static boolean failed(Observation.Dma dma) {
        return dma.status() != null && !dma.status().isSuccess();
    }

    private void fetch(TracedQueues.Submission queue, Observation.Dma dma) {
        long from = dma.address() - queue.base;
        if (failed(dma) || from % ENTRY_BYTES != 0 || dma.length() % ENTRY_BYTES != 0) {
            entriesInPart += failed(dma) ? 0 : 1;
            return;
        }
        long count = Math.min(dma.length() / ENTRY_BYTES, queue.entries);
        for (int i = 0; i < count; i++) {
            int place = (int) ((from / ENTRY_BYTES + i) % queue.entries);
            int start = i * ENTRY_BYTES;
            int known = Math.clamp((long) dma.bytes().length - start, 0, ENTRY_BYTES);
            byte[] entry = new byte[known];
            System.arraycopy(dma.bytes(), known == 0 ? 0 : start, entry, 0, known);
            entriesInPart += known < ENTRY_BYTES ? 1 : 0;
            fetched++;
            begin(queue, place, entry, dma.when());
        }
    }

    private void begin(TracedQueues.Submission queue, int place, byte[] entry, When when) {
        When announced = queue.announced(place);
        long index = counts.merge(queue.id, 1L, Long::sum) - 1;
        if (underWay >= MAX_UNDER_WAY) {
            notFollowed++;
            return;
        }
        underWay++;
        TracedCommand command = new TracedCommand(queue.id, index, entry);
        if (announced != null) {
            command.stage("doorbell", announced, announced.nanos());
        }
        command.stage("fetch", when, when.endNanos());
        if (entry.length < ENTRY_BYTES) {
            command.remark("of its entry " + entry.length + " of 64 bytes were recorded");
        }
        if (command.identifier() < 0) {
            queue.unnamed.addLast(command);
        } else {
            TracedCommand same = queue.underWay.put(command.identifier(), command);
            if (same != null) {
                same.remark("another command took its identifier before it was completed");
                give(same);
            }
        }
        memory.add(command, pageBytes(), dataBytes(command));
    }

    /** How much data a command moves; -1 where that is not known. */
    private long dataBytes(TracedCommand command) {
        if (command.opcode() < 0) {
            return 0;
        }
        if (command.isAdmin()) {
            AdminOpcode opcode = AdminOpcode.ofCode(command.opcode());
            return switch (opcode) {
                case null -> -1;
                case IDENTIFY -> 4096;
                case GET_LOG_PAGE ->
                        4 * ((command.number(42, 2) | command.number(44, 2) << 16) + 1);
                case SET_FEATURES, GET_FEATURES -> -1;
                default -> 0;
            };
        }
        NvmOpcode opcode = NvmOpcode.ofCode(command.opcode());
        return switch (opcode) {
            case null -> -1;
            case READ, WRITE, COMPARE ->
                    (command.number(48, 2) + 1)
                            << blockShifts.getOrDefault(command.namespace(), SMALLEST_BLOCK_SHIFT);
            case DATASET_MANAGEMENT -> 16 * (command.number(40, 1) + 1);
            default -> 0;
        };
    }

    /** Identify Namespace says how large a block is. */
    private void learnBlockSize(TracedCommand command, Observation.Dma dma) {
        boolean identify =
                command.isAdmin()
                        && command.opcode() == AdminOpcode.IDENTIFY.code()
                        && command.number(40, 1) == 0;
        boolean begins = dma.write() && dma.address() == command.number(24, 8);
        if (!identify || !begins || dma.bytes().length < FORMATS_AT + 16 * 4) {
            return;
        }
        int format = (int) dma.number(FORMATTED_AT, 1) & 0xF;
        int shift = (int) dma.number(FORMATS_AT + 4 * format + 2, 1);
        boolean room = blockShifts.size() < MAX_NAMESPACES;
        if (shift >= SMALLEST_BLOCK_SHIFT && shift <= 20 && room) {
            blockShifts.put(command.namespace(), shift);
        }
    }

    private void post(TracedQueues.Completion queue, Observation.Dma dma) {
        long from = dma.address() - queue.base;
        if (failed(dma) || from % COMPLETION_BYTES != 0) {
            return;
        }
        for (int at = 0; at + COMPLETION_BYTES <= dma.length(); at += COMPLETION_BYTES) {
            if (at + COMPLETION_BYTES > dma.bytes().length) {
                completionsInPart++;
                return;
            }
            int place = (int) ((from + at) / COMPLETION_BYTES % queue.entries);
            complete(queue, place, dma, at);
        }
    }

    private void complete(TracedQueues.Completion queue, int place, Observation.Dma dma, int at) {
        int id = (int) dma.number(at + 10, 2);
        int identifier = (int) dma.number(at + 12, 2);
        TracedQueues.Submission submissions = queues.submission(id);
        TracedCommand command =
                submissions == null ? null : submissions.underWay.remove(identifier);
        if (command == null && submissions != null) {
            command = submissions.unnamed.pollFirst();
        }
        if (command == null) {
            strayCompletions++;
            return;
        }
        command.complete(dma.when(), (int) dma.number(at + 14, 2) >>> 1, (int) dma.number(at, 4));
        memory.remove(command);
        queue.posted.addLast(new TracedQueues.Posted(place, command));
        if (command.isAdmin() && command.succeeded()) {
            admin(command);
        }
    }

    /** What an admin command has made or removed (5.3 to 5.6). */
    private void admin(TracedCommand command) {
        AdminOpcode opcode = AdminOpcode.ofCode(command.opcode());
        int id = command.dword(10) & 0xFFFF;
        if (opcode == null || id == 0 || !command.knows(0, ENTRY_BYTES)) {
            return;
        }
        int entries = (command.dword(10) >>> 16) + 1;
        long base = command.number(24, 8);
        switch (opcode) {
            case CREATE_IO_SUBMISSION_QUEUE -> {
                end(queues.submission(id), "its queue was made anew");
                queues.add(
                        new TracedQueues.Submission(id, base, entries, command.dword(11) >>> 16));
            }
            case CREATE_IO_COMPLETION_QUEUE -> {
                end(queues.completion(id));
                boolean interrupts = (command.dword(11) & 2) != 0;
                queues.add(
                        new TracedQueues.Completion(
                                id, base, entries, interrupts, command.dword(11) >>> 16));
            }
            case DELETE_IO_SUBMISSION_QUEUE -> {
                end(queues.submission(id), "its queue was deleted");
                queues.remove(queues.submission(id));
            }
            case DELETE_IO_COMPLETION_QUEUE -> {
                end(queues.completion(id));
                queues.remove(queues.completion(id));
            }
            default -> {}
        }
    }

    private void end(TracedQueues.Submission queue, String why) {
        if (queue == null) {
            return;
        }
        List<TracedCommand> left = new ArrayList<>(queue.underWay.values());
        left.addAll(queue.unnamed);
        queue.underWay.clear();
        queue.unnamed.clear();
        for (TracedCommand command : left) {
            command.remark(why);
            give(command);
        }
    }

    private void end(TracedQueues.Completion queue) {
        while (queue != null && !queue.posted.isEmpty()) {
            give(queue.posted.removeFirst().command());
        }
    }

    private void disable(String why) {
        queues.completions().forEach(this::end);
        queues.submissions().forEach(queue -> end(queue, why));
        queues.clear();
        enabled = false;
        if (why.contains("reset")) {
            java.util.Arrays.fill(shadow, CC, SHADOWED_BYTES, (byte) 0);
        }
    }

    /** The pin, and a single message, serve all queues. */
    private boolean interrupt(Observation.Interrupt interrupt) {
        boolean known = false;
        for (TracedQueues.Completion queue : queues.completions()) {
            boolean its =
                    interrupt.kind() == InterruptKind.INTX || queue.vector == interrupt.vector();
            if (queue.interruptsEnabled && its) {
                known = true;
                queue.posted.forEach(posted -> posted.command().signal(interrupt.when()));
            }
        }
        return known;
    }

    @Override
    public void end() {
        queues.completions().forEach(this::end);
        queues.submissions().forEach(queue -> end(queue, "the trace ends before its completion"));
    }

    @Override
    public List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        if (rung > 0 && fetched == 0) {
            remarks.add(
                    rung
                            + " submission doorbells rang, and no DMA fetched what they announced:"
                            + " where this was recorded the function reaches the driver's memory"
                            + " itself. Record at the lender, with data of DMA.");
        }
        note(
                remarks,
                unknownDoorbells,
                "doorbells are of queues of which this trace does not show how they were made: it"
                        + " begins when the controller was enabled already, or lacks the admin"
                        + " commands.");
        note(
                remarks,
                entriesInPart,
                "entries of commands were not recorded whole: fields and I/O queues are missing."
                        + " Record at least the first 64 bytes of DMA.");
        note(remarks, completionsInPart, "completions were not recorded whole.");
        note(
                remarks,
                strayCompletions,
                "completions are of commands that this trace does not have.");
        note(remarks, notFollowed, "commands were not followed: too many were under way.");
        if (memory.isFull()) {
            remarks.add("The commands under way named too much memory: some data is not theirs.");
        }
        return remarks;
    }

    private static void note(List<String> remarks, long count, String what) {
        if (count > 0) {
            remarks.add(count + " " + what);
        }
    }
}
