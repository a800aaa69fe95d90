package farslot.devices.nvme;

import farslot.sdk.decode.Completions;
import farslot.sdk.decode.Observation;
import java.util.HashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;

/**
 * Knows an NVMe function's completion queue entries among its DMA writes: the controller completes
 * commands in any order (NVM Express 1.4, 4.1), so an entry's place, its phase tag and the head of
 * its submission queue say nothing that another run would say again.
 *
 * <p>Queues are known by what the driver wrote: AQA, ASQ and ACQ (3.1.8 to 3.1.10), and Create and
 * Delete I/O Completion Queue among the admin commands (5.3, 5.5).
 */
final class NvmeCompletions implements Completions {
    private static final int CC = 0x14;
    private static final int AQA = 0x24;
    private static final int ASQ = 0x28;
    private static final int ACQ = 0x30;
    private static final int LAST = 0x37;

    private static final int COMMAND_BYTES = 64;
    private static final int ENTRY_BYTES = 16;
    private static final int DELETE_COMPLETION_QUEUE = 0x04;
    private static final int CREATE_COMPLETION_QUEUE = 0x05;

    /** More than a controller has (5.21.1.7). */
    private static final int MOST_QUEUES = 0x10000;

    /** Where a queue's entries are. */
    private record Place(long address, long sizeBytes, int queue) {
        boolean holds(long at) {
            return at - address >= 0 && at - address < sizeBytes;
        }
    }

    private final byte[] registers = new byte[LAST + 1];

    /** By address. */
    private final TreeMap<Long, Place> queues = new TreeMap<>();

    private final Map<Integer, Place> byNumber = new HashMap<>();

    @Override
    public void observe(Observation observation) {
        switch (observation) {
            case Observation.Access access when access.write() && access.region() == 0 ->
                    written(access);
            case Observation.Dma dma when !dma.write() -> fetched(dma);
            case Observation.Reset reset -> {
                queues.clear();
                byNumber.clear();
            }
            default -> {
                // Nothing that makes or ends a queue.
            }
        }
    }

    private void written(Observation.Access access) {
        if (access.offset() < 0 || access.offset() > LAST) {
            return;
        }
        for (int i = 0; i < access.bytes().length && access.offset() + i <= LAST; i++) {
            registers[(int) access.offset() + i] = access.bytes()[i];
        }
        if (access.offset() <= CC && access.offset() + access.length() > CC) {
            queues.clear();
            byNumber.clear();
            if ((number(CC, 4) & 1) != 0) {
                long entries = ((number(AQA, 4) >>> 16) & 0xfff) + 1;
                put(new Place(number(ACQ, 8) & ~0xfffL, entries * ENTRY_BYTES, 0));
            }
        }
    }

    private long number(int at, int bytes) {
        long number = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            number = (number << 8) | (registers[at + i] & 0xFF);
        }
        return number;
    }

    /** Commands are fetched one or several at a time. */
    private void fetched(Observation.Dma dma) {
        long admin = number(ASQ, 8) & ~0xfffL;
        long adminBytes = ((number(AQA, 4) & 0xfff) + 1) * COMMAND_BYTES;
        long into = dma.address() - admin;
        if (into < 0 || into >= adminBytes || into % COMMAND_BYTES != 0) {
            return;
        }
        for (int at = 0; at + COMMAND_BYTES <= dma.bytes().length; at += COMMAND_BYTES) {
            int opcode = (int) dma.number(at, 1);
            int queue = (int) dma.number(at + 40, 2);
            if (opcode == CREATE_COMPLETION_QUEUE && queue != 0) {
                long entries = dma.number(at + 42, 2) + 1;
                long address = dma.number(at + 24, 8) & ~0xfffL;
                put(new Place(address, entries * ENTRY_BYTES, queue));
            } else if (opcode == DELETE_COMPLETION_QUEUE && queue != 0) {
                remove(queue);
            }
        }
    }

    private void put(Place place) {
        remove(place.queue);
        if (queues.size() < MOST_QUEUES) {
            queues.put(place.address, place);
            byNumber.put(place.queue, place);
        }
    }

    private void remove(int queue) {
        Place before = byNumber.remove(queue);
        if (before != null) {
            queues.remove(before.address, before);
        }
    }

    /** {@inheritDoc} The layout of an entry: 4.6. */
    @Override
    public String meaning(long address, byte[] data) {
        Entry<Long, Place> at = queues.floorEntry(address);
        if (data.length != ENTRY_BYTES || at == null || !at.getValue().holds(address)) {
            return null;
        }
        Observation.Dma entry = new Observation.Dma(null, true, address, ENTRY_BYTES, null, data);
        return "CQ %d: SQ %d, CID 0x%x, status 0x%x, 0x%x"
                .formatted(
                        at.getValue().queue,
                        entry.number(10, 2),
                        entry.number(12, 2),
                        entry.number(14, 2) >>> 1,
                        entry.number(0, 4));
    }
}
