package farslot.bench;

import farslot.core.PciFunction;
import farslot.lender.Lender;
import farslot.lender.Lender.Lendable;
import farslot.lender.LendingException;
import farslot.link.Address;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RemoteFunction;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import farslot.recorder.RecorderTap;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What measurements are made of: devices, a lender for some of them, and the links to it. All in
 * this process, each end of each link on threads of its own, as on two machines with no wire
 * between. {@link #close} closes everything, what was made last first.
 */
final class Workbench implements AutoCloseable {
    /** The two ways to the lender. */
    enum Way {
        UNIX,
        TCP
    }

    private final Path folder = Files.createTempDirectory("farslot-bench");
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private Lender lender;

    Workbench() throws IOException {}

    /** For files of the measurement; gone afterwards. */
    Path folder() {
        return folder;
    }

    /** Closes it too, before everything that was made before it. */
    <T extends AutoCloseable> T keep(T closeable) {
        open.push(closeable);
        return closeable;
    }

    DeviceFunction device(DeviceKind kind, Map<String, String> options) throws IOException {
        try {
            return keep(DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, options))));
        } catch (DeviceCreationException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    PciFunction recorded(String name, PciFunction function) throws IOException {
        try {
            return keep(
                    RecorderTap.recording(
                            function, folder.resolve(name + ".fst"), TraceOptions.DEFAULT));
        } catch (TraceException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** Lends these from now on; once. */
    void lend(List<Lendable> lendables) throws IOException {
        try {
            lender =
                    keep(
                            Lender.open(
                                    RuntimeDirectory.at(folder.resolve("run")),
                                    lendables,
                                    List.of(new Address.Tcp("127.0.0.1", 0)),
                                    options(),
                                    sentence -> {},
                                    () -> {}));
        } catch (LendingException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    PciFunction borrow(String name, Way way) throws IOException {
        return borrow(name, way, options());
    }

    PciFunction borrow(String name, Way way, LinkOptions options) throws IOException {
        // The lender's control socket comes first.
        Address address = lender.addresses().get(way == Way.UNIX ? 0 : 1);
        try {
            return keep(RemoteFunction.borrow(address, new Wish(name), options, why -> {}));
        } catch (LinkException | RefusedException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    static LinkOptions options() {
        return LinkOptions.named("bench").withInsecure(true);
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    @Override
    public void close() throws IOException {
        IOException failed = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                failed = failed == null ? new IOException(e.getMessage(), e) : failed;
            }
        }
        remove();
        if (failed != null) {
            throw failed;
        }
    }

    private void remove() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
