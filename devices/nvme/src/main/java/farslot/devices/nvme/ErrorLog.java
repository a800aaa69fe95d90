package farslot.devices.nvme;

import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The error information log page (NVMe 1.4, 5.14.1.1): the latest errors, newest first. */
final class ErrorLog {
    static final int ENTRIES = 16;
    static final int ENTRY_BYTES = 64;

    private final byte[] entries = new byte[ENTRIES * ENTRY_BYTES];
    private long count;

    synchronized long count() {
        return count;
    }

    /** An error of a command. */
    synchronized void add(Command command, CommandException why) {
        MemorySegment entry = next();
        entry.set(LittleEndian.SHORT, 8, (short) command.queue().id());
        entry.set(LittleEndian.SHORT, 10, (short) command.identifier());
        entry.set(LittleEndian.SHORT, 12, (short) (why.status().field() << 1));
        entry.set(LittleEndian.SHORT, 14, (short) why.location());
        entry.set(LittleEndian.LONG, 16, lba(command, why));
        entry.set(LittleEndian.INT, 24, command.namespace());
    }

    private static long lba(Command command, CommandException why) {
        NvmOpcode opcode = NvmOpcode.ofCode(command.opcode());
        boolean namesBlocks = !command.queue().isAdmin() && opcode != null && opcode.namesBlocks();
        if (!namesBlocks) {
            return 0;
        }
        return why.lba() >= 0 ? why.lba() : command.startingLba();
    }

    /** An error that belongs to no command, such as a bad doorbell write. */
    synchronized void add() {
        MemorySegment entry = next();
        entry.set(LittleEndian.INT, 8, -1);
        entry.set(LittleEndian.SHORT, 14, (short) -1);
    }

    private MemorySegment next() {
        System.arraycopy(entries, 0, entries, ENTRY_BYTES, entries.length - ENTRY_BYTES);
        MemorySegment entry = MemorySegment.ofArray(entries).asSlice(0, ENTRY_BYTES);
        entry.fill((byte) 0);
        entry.set(LittleEndian.LONG, 0, ++count);
        return entry;
    }

    /** A reset of the controller: the entries go, the count goes on. */
    synchronized void clear() {
        Arrays.fill(entries, (byte) 0);
    }

    synchronized void save(StateWriter state) {
        state.put("entries", entries);
        state.put("count", count);
    }

    synchronized void load(StateReader state) throws StateException {
        byte[] saved = state.bytes("entries", entries.length);
        count = state.number("count", 0, Long.MAX_VALUE);
        System.arraycopy(saved, 0, entries, 0, entries.length);
    }

    synchronized byte[] page() {
        return entries.clone();
    }
}
