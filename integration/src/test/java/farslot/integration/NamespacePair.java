package farslot.integration;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Two network namespaces with a cable between them (veth), as two machines on one network. Needs
 * root and iproute2; made and removed by the test.
 */
final class NamespacePair implements AutoCloseable {
    static final String FIRST_ADDRESS = "10.213.7.1";
    private static final String SECOND_ADDRESS = "10.213.7.2";
    private static final Path IP = Path.of("/usr/sbin/ip");
    private static final Path TC = Path.of("/usr/sbin/tc");

    private final String first = "farslot-a-" + ProcessHandle.current().pid();
    private final String second = "farslot-b-" + ProcessHandle.current().pid();

    private NamespacePair() {}

    static boolean isPossible() {
        return "root".equals(System.getProperty("user.name"))
                && Files.isExecutable(IP)
                && Files.isExecutable(TC);
    }

    static NamespacePair create() throws IOException {
        NamespacePair pair = new NamespacePair();
        boolean made = false;
        try {
            pair.ip("netns", "add", pair.first);
            pair.ip("netns", "add", pair.second);
            pair.ip(
                    "link",
                    "add",
                    "cable",
                    "netns",
                    pair.first,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    "cable",
                    "netns",
                    pair.second);
            pair.bringUp(pair.first, FIRST_ADDRESS);
            pair.bringUp(pair.second, SECOND_ADDRESS);
            made = true;
            return pair;
        } finally {
            if (!made) {
                pair.close();
            }
        }
    }

    /** The words that run a program in the first. */
    List<String> inFirst() {
        return List.of(IP.toString(), "netns", "exec", first);
    }

    List<String> inSecond() {
        return List.of(IP.toString(), "netns", "exec", second);
    }

    private void bringUp(String namespace, String address) throws IOException {
        ip("-n", namespace, "address", "add", address + "/24", "dev", "cable");
        ip("-n", namespace, "link", "set", "cable", "up");
        ip("-n", namespace, "link", "set", "lo", "up");
    }

    /** Lets no more than this pass from the first to the second, as in "8mbit". */
    void slowTheWayToSecond(String rate) throws IOException {
        run(
                TC, "-n", first, "qdisc", "add", "dev", "cable", "root", "tbf", "rate", rate,
                "burst", "32kbit", "latency", "400ms");
    }

    /** Lets pass what the cable can. */
    void letGo() throws IOException {
        run(TC, "-n", first, "qdisc", "delete", "dev", "cable", "root");
    }

    private void ip(String... words) throws IOException {
        run(IP, words);
    }

    private static void run(Path program, String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        // It has ended: its output has.
        if (process.onExit().join().exitValue() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said);
        }
    }

    /** The cable goes with the namespaces. */
    @Override
    public void close() throws IOException {
        for (String namespace : List.of(first, second)) {
            if (Files.exists(Path.of("/run/netns", namespace))) {
                ip("netns", "delete", namespace);
            }
        }
    }
}
