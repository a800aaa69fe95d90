package farslot.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The slot for emulators: a C program as the emulator, the teaching device in the slot's process.
 * Beside it the same C calls on a bare socket.
 */
final class SlotBench {
    // vfio-user: a header of 16 bytes, 16 of what is accessed, and the data.
    private static final int READ_BYTES = 32;
    private static final int WRITE_BYTES = 36;
    private static final int READ_REPLY_BYTES = 36;

    private static final int READS = 20_000;
    private static final int WRITES = 100_000;

    private SlotBench() {}

    static List<Row> run(Workbench bench, Rounds rounds) throws IOException {
        if (!bench.hasBaselines()) {
            bench.progress().accept("slot: skipped; its client is in C, and there is no gcc.");
            return List.of();
        }
        Path socket = bench.file();
        bench.keep(Peer.farSide("slot", socket.toString())).line();
        Peer client = bench.keep(Peer.program(bench.program("vfio-user"), socket));
        String ping = "ping " + rounds.of(READS);
        String post = "post " + rounds.of(WRITES);
        List<Row> rows = new ArrayList<>();
        rows.add(
                new Contest(
                                "slot.read4",
                                "us",
                                Target.ratioAtMost(1.5),
                                Contest.micros(() -> client.round(ping)),
                                Contest.micros(
                                        Workbench.turn(
                                                bench.unixSocket(READ_BYTES, READ_REPLY_BYTES),
                                                ping)))
                        .run(rounds, bench.progress()));
        rows.add(
                new Contest(
                                "slot.write4.posted",
                                "ns",
                                Target.ratioAtMost(1.3),
                                () -> client.round(post),
                                Workbench.turn(
                                        bench.unixSocket(WRITE_BYTES, READ_REPLY_BYTES),
                                        post + " 1"))
                        .run(rounds, bench.progress()));
        return rows;
    }
}
