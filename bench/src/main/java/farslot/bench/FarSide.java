package farslot.bench;

import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.devices.nvme.NvmeKind;
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
import farslot.recorder.TraceOptions;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceFunction;
import farslot.sdk.DeviceKind;
import farslot.sdk.Options;
import farslot.trust.TrustException;
import farslot.trust.TrustFolder;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The other process of a measurement. Says a line when it is ready, and ends when its standard
 * input does.
 *
 * <pre>
 * lender FOLDER         lends "edu", "edu-near", "dma" and "dma-near"; says the addresses of its
 *                       UNIX socket and its TCP port, a line each
 * proven FOLDER TRUST   lends "edu" and "dma" over TLS, by the identity in a folder
 * disks FOLDER IMAGE    lends "edu" and "nvme", the same way
 * slot SOCKET           the teaching device for an emulator
 * borrow SOCKET LENDER FUNCTION    a lent function for an emulator
 * recorder FILE         measures what recording costs, for each number of accesses on a line
 * recorded FOLDER N     lends a function of which N events are recorded, as "lender" does
 * follower LENDER FILE  measures how fast they are followed into a file, for each line
 * asker TRACE FOLDER    measures how soon a trace answers SQL, and how fast then
 * bare-asker FOLDER FOLDER   the same with what the asker kept and DuckDB alone
 * </pre>
 */
public final class FarSide {
    /** Kept, since java.util.logging forgets a logger that nobody holds, with its level. */
    private static final Logger LOG = Logger.getLogger("farslot");

    private FarSide() {}

    /** Does as the arguments say. */
    public static void main(String[] arguments) throws Exception {
        LOG.setLevel(Level.WARNING);
        if (arguments[0].equals("recorder")) {
            RecorderBench.answer(Path.of(arguments[1]), System.out);
            return;
        }
        if (arguments[0].equals("asker")) {
            QueryBench.ask(Path.of(arguments[1]), Path.of(arguments[2]), System.out);
            return;
        }
        if (arguments[0].equals("bare-asker")) {
            QueryBench.askBare(Path.of(arguments[1]), Path.of(arguments[2]), System.out);
            return;
        }
        if (arguments[0].equals("follower")) {
            TraceBench.answer(Address.parse(arguments[1]), Path.of(arguments[2]), System.out);
            return;
        }
        try (AutoCloseable _ = start(arguments)) {
            while (System.in.read() >= 0) {
                // Only the end counts.
            }
        }
    }

    private static AutoCloseable start(String[] arguments) throws Exception {
        return switch (arguments[0]) {
            case "lender" ->
                    lend(
                            Path.of(arguments[1]),
                            options(),
                            List.of(
                                    new Lendable("edu", edu()),
                                    new Lendable("edu-near", edu()),
                                    new Lendable("dma", dma()),
                                    new Lendable("dma-near", dma())));
            case "proven" ->
                    lend(
                            Path.of(arguments[1]),
                            proven(Path.of(arguments[2])),
                            List.of(new Lendable("edu", edu()), new Lendable("dma", dma())));
            case "disks" ->
                    lend(
                            Path.of(arguments[1]),
                            options(),
                            List.of(
                                    new Lendable("edu", edu()),
                                    new Lendable("nvme", nvme(arguments[2])),
                                    new Lendable(
                                            "recorded",
                                            RecorderTap.recording(
                                                    nvme(arguments[3]),
                                                    Path.of(arguments[4]),
                                                    TraceOptions.DEFAULT))));
            case "recorded" -> recorded(Path.of(arguments[1]), Integer.parseInt(arguments[2]));
            case "slot" -> serve(edu(), Path.of(arguments[1]));
            case "borrow" ->
                    serve(borrow(arguments[2], arguments[3], options()), Path.of(arguments[1]));
            default -> throw new IllegalArgumentException(arguments[0]);
        };
    }

    private static AutoCloseable recorded(Path folder, int events)
            throws LendingException, IOException {
        Lendable recorded = TraceBench.recorded(edu(), folder.resolve("traces"), events);
        return lend(folder, options(), List.of(recorded));
    }

    private static PciFunction edu() throws IOException {
        return device(new EduKind(), Map.of());
    }

    private static PciFunction nvme(String image) throws IOException {
        return device(new NvmeKind(), Map.of("image", image));
    }

    private static PciFunction dma() {
        return DeviceFunction.of("dma", new DmaEngine());
    }

    static DeviceFunction device(DeviceKind kind, Map<String, String> options) throws IOException {
        try {
            return DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, options)));
        } catch (DeviceCreationException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static AutoCloseable lend(Path folder, LinkOptions options, List<Lendable> lendables)
            throws LendingException, IOException {
        Lender lender =
                Lender.open(
                        RuntimeDirectory.at(folder),
                        lendables,
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        options,
                        sentence -> {},
                        () -> {});
        // Its control socket comes first.
        lender.addresses().forEach(System.out::println);
        return lender;
    }

    private static AutoCloseable serve(PciFunction function, Path socket) throws IOException {
        VfioUserServer server =
                VfioUserServer.start(function, socket, VfioUserServer.ClientListener.NONE);
        System.out.println("ready");
        return server;
    }

    /** Borrows from a lender whose address was said. */
    static RemoteFunction borrow(String address, String name, LinkOptions options)
            throws IOException {
        try {
            return RemoteFunction.borrow(
                    Address.parse(address), new Wish(name), options, why -> {});
        } catch (LinkException | RefusedException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    static LinkOptions options() {
        return LinkOptions.named("bench").withInsecure(true);
    }

    /** Over TLS, as who has this folder. */
    static LinkOptions proven(Path folder) throws TrustException {
        return LinkOptions.named("bench").withTrust(TrustFolder.open(folder));
    }
}
