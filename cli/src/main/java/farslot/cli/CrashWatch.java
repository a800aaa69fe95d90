package farslot.cli;

import farslot.lab.Vm;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Looks whether the guest of a machine crashes, by QEMU's word of its pvpanic device and by the
 * lines of its console, and ends the machine then. One for each start of the machine.
 */
final class CrashWatch {
    /** More of one line is not looked at. */
    private static final int LONGEST_LINE = 4096;

    private final Pattern pattern;
    private final StringBuilder line = new StringBuilder();
    private Thread panics;
    private Vm vm;
    private String crash;

    /**
     * @param pattern of a line that tells of a crash; null where no line does
     */
    CrashWatch(Pattern pattern) {
        this.pattern = pattern;
    }

    /** The machine has been started. */
    void begin(Vm started) {
        synchronized (this) {
            vm = started;
        }
        panics =
                Thread.ofPlatform()
                        .daemon()
                        .name("watch " + started.name())
                        .start(() -> {
                            if (started.qmp().awaitEver("\"GUEST_PANICKED\"")) {
                                crashed("it panicked");
                            }
                        });
        synchronized (this) {
            if (crash != null) {
                end(started);
            }
        }
    }

    /** Once the machine has ended: why its guest crashed, or null where it did not. */
    String verdict() {
        try {
            panics.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            return crash;
        }
    }

    private synchronized void crashed(String how) {
        if (crash != null) {
            return;
        }
        crash = how;
        if (vm != null) {
            end(vm);
        }
    }

    /** Not on the thread that reads the console: the machine ends by writing to it. */
    private static void end(Vm crashed) {
        Thread.ofPlatform().name("end " + crashed.name()).start(crashed::close);
    }

    /** The console on this program's terminal, looked at on the way. */
    OutputStream console() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                System.out.write(bytes, offset, length);
                if (pattern != null) {
                    look(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
                }
            }

            @Override
            public void flush() {
                System.out.flush();
            }
        };
    }

    private void look(String text) {
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            boolean end = c == '\n' || c == '\r';
            if (!end && line.length() < LONGEST_LINE) {
                line.append(c);
            }
            if (end) {
                if (pattern.matcher(line).find()) {
                    crashed("its console says: " + line.toString().strip());
                }
                line.setLength(0);
            }
        }
    }
}
