package farslot.posix;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rights that a process gives up are gone, by the kernel's own word. */
class OwnProcessTest {
    private static final int PR_GET_DUMPABLE = 3;

    @TempDir Path folder;

    /** A line of this thread's status in /proc. */
    private static String status(String name) {
        try (var lines = Files.lines(Path.of("/proc/thread-self/status"))) {
            return lines.filter(line -> line.startsWith(name + ":"))
                    .findFirst()
                    .orElseThrow()
                    .substring(name.length() + 1)
                    .strip();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void shouldKnowItsUser() throws Exception {
        assertEquals(
                Files.getAttribute(Files.createFile(folder.resolve("own")), "unix:uid"),
                OwnProcess.userId());
    }

    @Test
    void shouldKeepItsFilesPrivate() throws Exception {
        int before = Libc.umask(0);
        try {
            OwnProcess.keepFilesPrivate();
            Path file = Files.writeString(folder.resolve("private"), "x");
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        } finally {
            Libc.umask(before);
        }
    }

    @Test
    void shouldHideItsMemory() throws Exception {
        int before = Libc.prctl(PR_GET_DUMPABLE, 0);
        OwnProcess.hideMemory();
        try {
            assertEquals(0, Libc.prctl(PR_GET_DUMPABLE, 0));
            // What a process looks up about itself it still finds.
            assertTrue(Files.readString(Path.of("/proc/self/status")).contains("Threads:"));
        } finally {
            assertEquals(0, Libc.prctl(Libc.PR_SET_DUMPABLE, before));
        }
    }

    @Test
    void shouldGainNoRightsOnThisThreadAndThoseItStarts() throws Exception {
        var seen = new CompletableFuture<String>();
        Thread.ofPlatform()
                .start(() -> {
                    try {
                        OwnProcess.gainNoRights();
                        String here = status("NoNewPrivs");
                        Thread.ofPlatform().start(() -> seen.complete(here + status("NoNewPrivs")));
                    } catch (IOException e) {
                        seen.completeExceptionally(e);
                    }
                });
        assertEquals("11", seen.get(50, TimeUnit.SECONDS));
    }

    @Test
    void shouldPassNoDescriptorToAChild() throws Exception {
        try (UnixListener listener = UnixListener.listen(folder.resolve("s"));
                UnixStream near = UnixStream.connect(folder.resolve("s"));
                UnixStream far = listener.accept();
                EventFd event = EventFd.create();
                MappedMemory memory = MappedMemory.create("farslot-test", 4096)) {
            assertTrue(memory.isOpen() && near != far);
            for (int descriptor :
                    new int[] {
                        event.descriptor().number(), memory.descriptor().number(),
                    }) {
                String info = Files.readString(Path.of("/proc/self/fdinfo/" + descriptor));
                int flags =
                        Integer.parseInt(info.replaceFirst("(?s).*flags:\\s*(\\d+).*", "$1"), 8);
                assertTrue((flags & 02000000) != 0, "close on exec: " + info);
            }
            Process child = new ProcessBuilder("sh", "-c", "ls -l /proc/self/fd").start();
            String held = new String(child.getInputStream().readAllBytes(), UTF_8);
            assertEquals(0, child.waitFor());
            assertTrue(!held.contains("memfd") && !held.contains("eventfd"), held);
        }
    }
}
