package farslot.slot;

import farslot.link.Address;
import farslot.link.LinkOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Sees to it that a slot's sessions end with the slot, {@code kill -9} included. A lender that
 * loses a TCP connection cannot tell a killed process from a cut cable, and keeps the lease for the
 * grace time; so a second small process, the {@link Supervisor}, waits for the end of this one and
 * tells the lender. It is started with the first session and ends with the slot.
 *
 * <p>What it must know goes through its standard input, never by its command line: who knows a
 * session's secret can end it. Where it cannot be started, grace applies; the user is told.
 *
 * <p>Any thread may call; nothing blocks.
 */
public final class Supervision implements AutoCloseable {
    private static final Path SETSID = Path.of("/usr/bin/setsid");

    private final List<String> command;
    private final Consumer<String> talk;

    /** One thread, so that orders stay in order; made with the first. */
    private final ExecutorService orders =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("supervision").factory());

    // The orders' thread's alone.
    private final Set<String> sessions = new LinkedHashSet<>();
    private Process process;
    private boolean told;

    /**
     * @param command starts a process that calls {@link Supervisor#run}; empty for none
     * @param talk is told in sentences; must not block
     */
    public Supervision(List<String> command, Consumer<String> talk) {
        this.command = List.copyOf(command);
        this.talk = talk;
    }

    /** No supervisor: a killed slot's leases end with the grace time. */
    public static Supervision none() {
        return new Supervision(List.of(), sentence -> {});
    }

    /**
     * A function was borrowed. Over a UNIX socket that needs no supervisor: the end of this process
     * is the end of the link.
     *
     * @param session its secret; null where it ends with its connection, and needs no supervisor
     */
    void begun(byte[] session, Address lender, LinkOptions options) {
        if (command.isEmpty() || session == null || lender instanceof Address.Unix) {
            return;
        }
        String line =
                String.join(
                        " ",
                        Supervisor.SESSION,
                        HexFormat.of().formatHex(session),
                        options.insecure() ? Supervisor.INSECURE : Supervisor.SECURE,
                        lender.toString());
        submit(() -> {
            sessions.add(line);
            say(line);
        });
    }

    /** The session is over; null and again do nothing. */
    void over(byte[] session) {
        if (command.isEmpty() || session == null) {
            return;
        }
        String prefix = Supervisor.SESSION + " " + HexFormat.of().formatHex(session) + " ";
        submit(() -> {
            if (sessions.removeIf(line -> line.startsWith(prefix))) {
                say(Supervisor.OVER + " " + HexFormat.of().formatHex(session));
            }
        });
    }

    /** The supervisor's process id, or -1; for tests and for "status". */
    public long pid() {
        try {
            return orders.submit(() -> process == null ? -1L : process.pid()).get();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    private void submit(Runnable order) {
        if (!orders.isShutdown()) {
            orders.execute(order);
        }
    }

    private void say(String line) {
        try {
            if (process == null || !process.isAlive()) {
                start();
            } else {
                write(line);
            }
        } catch (IOException e) {
            process = null;
            if (!told) {
                told = true;
                talk.accept(
                        "This slot has no supervisor ("
                                + e.getMessage()
                                + "): if it is killed, its lender keeps the function for the grace"
                                + " time.");
            }
        }
    }

    /** Starts the process and tells it of all sessions. */
    private void start() throws IOException {
        if (sessions.isEmpty()) {
            return;
        }
        List<String> words = new ArrayList<>();
        // A session of its own: what ends this process's group does not end it too.
        if (Files.isExecutable(SETSID)) {
            words.add(SETSID.toString());
        }
        words.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(words);
        // What reads this process's output is not to wait for the other's end.
        builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        process = builder.start();
        for (String line : sessions) {
            write(line);
        }
    }

    private void write(String line) throws IOException {
        OutputStream out = process.getOutputStream();
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    /** The slot ends in good order: its functions are returned. */
    @Override
    public void close() {
        submit(() -> {
            if (process == null) {
                return;
            }
            try {
                write(Supervisor.DONE);
                process.getOutputStream().close();
            } catch (IOException e) {
                // It has ended already.
            }
        });
        orders.shutdown();
        try {
            if (!orders.awaitTermination(2, TimeUnit.SECONDS)) {
                talk.accept("The supervisor of this slot takes nothing in; it is left behind.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
