package farslot.link;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * What links hold at this moment, in this process and in the kernel.
 *
 * @param heapBytes of live objects
 * @param directBytes of native memory that Java allocated, garbage included
 * @param linkObjects how many live objects of the link's own classes there are
 * @param linkBytes their size on the heap
 * @param socketBytes in the send and receive queues of TCP connections with this port
 */
record Footprint(
        long heapBytes, long directBytes, long linkObjects, long linkBytes, long socketBytes) {
    private static final BufferPoolMXBean DIRECT =
            ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(pool -> pool.getName().equals("direct"))
                    .findFirst()
                    .orElseThrow();

    /** Looks, garbage collected before. */
    static Footprint now(Address address) throws IOException {
        long objects = 0;
        long bytes = 0;
        // The histogram collects garbage first.
        for (String line : histogram().lines().toList()) {
            String[] words = line.trim().split("\\s+", -1);
            if (words.length >= 4 && words[3].startsWith("farslot.link.")) {
                objects += Long.parseLong(words[1]);
                bytes += Long.parseLong(words[2]);
            }
        }
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        return new Footprint(heap, directBytesNow(), objects, bytes, socketBytes(address));
    }

    /** The native memory alone, nothing collected. */
    static long directBytesNow() {
        return DIRECT.getMemoryUsed();
    }

    private static String histogram() throws IOException {
        try {
            return (String)
                    ManagementFactory.getPlatformMBeanServer()
                            .invoke(
                                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                    "gcClassHistogram",
                                    new Object[] {new String[0]},
                                    new String[] {String[].class.getName()});
        } catch (JMException e) {
            throw new IOException("no class histogram", e);
        }
    }

    /** UNIX sockets do not say what they hold: the system's limit is for each of them. */
    private static long socketBytes(Address address) throws IOException {
        if (!(address instanceof Address.Tcp tcp)) {
            return 0;
        }
        String port = String.format(":%04X", tcp.port());
        long bytes = 0;
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] words = line.trim().split("\\s+", -1);
                if (words[1].endsWith(port) || words[2].endsWith(port)) {
                    String[] queues = words[4].split(":", -1);
                    bytes += Long.parseLong(queues[0], 16) + Long.parseLong(queues[1], 16);
                }
            }
        }
        return bytes;
    }
}
