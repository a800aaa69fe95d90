package farslot.devices.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** A random way to lay data and PRP lists into pages, as a driver may. */
final class PrpLayout {
    private static final int PAGE = 4096;

    final long prp1;
    final long prp2;
    private final long base;
    private final int firstBytes;
    private final int length;
    private final List<Long> pages = new ArrayList<>();
    private final List<long[]> listEntries = new ArrayList<>();

    /** Uses pages out of {@code ramBytes} bytes at {@code base}, which it has for itself. */
    PrpLayout(Random random, int length, long base, int ramBytes) {
        this.base = base;
        this.length = length;
        List<Long> free = new ArrayList<>();
        for (long page = 0; page + PAGE <= ramBytes; page += PAGE) {
            free.add(base + page);
        }
        Collections.shuffle(free, random);
        int offset = random.nextInt(PAGE / 4) * 4;
        firstBytes = Math.min(length, PAGE - offset);
        long first = free.removeLast();
        pages.add(first + offset);
        prp1 = first + offset;
        int left = (length - firstBytes + PAGE - 1) / PAGE;
        for (int i = 0; i < left; i++) {
            boolean next =
                    random.nextBoolean() && free.remove(pages.getLast() / PAGE * PAGE + PAGE);
            pages.add(next ? pages.getLast() / PAGE * PAGE + PAGE : free.removeLast());
        }
        if (left == 0) {
            prp2 = random.nextLong();
        } else if (left == 1) {
            prp2 = pages.get(1);
        } else {
            prp2 = layList(random, free);
        }
    }

    private long layList(Random random, List<Long> free) {
        int used = 1;
        long at = free.removeLast() + random.nextInt(PAGE / 8) * 8L;
        long start = at;
        while (used < pages.size()) {
            long room = (PAGE - at % PAGE) / 8;
            if (room == 1 && pages.size() - used > 1) {
                long next = free.removeLast();
                listEntries.add(new long[] {at, next});
                at = next;
            } else {
                listEntries.add(new long[] {at, pages.get(used++)});
                at += 8;
            }
        }
        return start;
    }

    /** Where the pages come from. */
    long base() {
        return base;
    }

    private void writeLists(MemorySegment ram) {
        for (long[] entry : listEntries) {
            ram.set(LittleEndian.LONG, entry[0] - base, entry[1]);
        }
    }

    /** Writes the lists, and data where the pages are. */
    void scatter(MemorySegment ram, byte[] data) {
        writeLists(ram);
        int done = 0;
        for (long page : pages) {
            int bytes = piece(done);
            MemorySegment.copy(data, done, ram, ValueLayout.JAVA_BYTE, page - base, bytes);
            done += bytes;
        }
    }

    /** What is in the pages now. */
    byte[] gather(MemorySegment ram) {
        byte[] data = new byte[length];
        int done = 0;
        for (long page : pages) {
            int bytes = piece(done);
            MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, page - base, data, done, bytes);
            done += bytes;
        }
        return data;
    }

    private int piece(int done) {
        return done == 0 ? firstBytes : Math.min(PAGE, length - done);
    }
}
