package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;

/**
 * A row of the tables of what is checked: a command with one thing wrong, and how it ends.
 *
 * @param section of NVM Express 1.4 that asks for the check
 * @param wrong what is wrong
 * @param ends the status: type, code, and DNR where the command is not to be retried
 * @param location the byte of the command that is to blame, and the bit in it; "none" for none
 * @param entry the command
 */
record CheckedCommand(
        String section, String wrong, String ends, String location, NvmeDriver.Entry entry) {
    private static final int MORE = 1 << 13;
    private static final int DO_NOT_RETRY = 1 << 14;

    /** Sends it, and looks at the completion and at what the error log says of it (5.14.1.1). */
    void check(NvmeDriver driver, NvmeDriver.Queue queue) {
        NvmeDriver.Completion completion = queue.call(entry);
        assertEquals(ends, text(completion.status()), toString());
        assertEquals(MORE, completion.status() & MORE, "the error log knows more");
        MemorySegment log = newestError(driver);
        assertEquals(queue.id, log.get(LittleEndian.SHORT, 8), "SQID");
        assertEquals(completion.command(), log.get(LittleEndian.SHORT, 10), "CID");
        int logged = Short.toUnsignedInt(log.get(LittleEndian.SHORT, 12)) >>> 1;
        assertEquals(ends, text(logged), "the status in the log");
        assertEquals(location, place(log.get(LittleEndian.SHORT, 14)), "the location in the log");
        assertEquals(entry.dwords[1], log.get(LittleEndian.INT, 24), "NSID");
    }

    private static MemorySegment newestError(NvmeDriver driver) {
        long page = driver.allocate(1);
        driver.admin
                .call(
                        NvmeDriver.admin(AdminOpcode.GET_LOG_PAGE)
                                .prp(page, 0)
                                .dword(10, LogPages.ERROR_INFORMATION | 15 << 16))
                .ok();
        return driver.memory(page, 64);
    }

    private static String text(int status) {
        return String.format("%d/%02Xh", status >>> 8 & 7, status & 0xFF)
                + ((status & DO_NOT_RETRY) != 0 ? " DNR" : "");
    }

    private static String place(short location) {
        return location == -1 ? "none" : (location & 0xFF) + "." + (location >>> 8 & 7);
    }

    @Override
    public String toString() {
        return section + ", " + wrong + ": " + ends;
    }
}
