package farslot.integration;

import farslot.core.PciFunction;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.slot.FunctionAddress;
import farslot.slot.HeldFunction;
import farslot.slot.Slot;
import farslot.slot.Supervision;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;

/** A lender that lends one function, and a slot that borrowed it, both in this process. */
final class Linked implements AutoCloseable {
    /** A busy machine is no dead peer. */
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ofSeconds(60))
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60));

    private final Lender lender;
    private final Slot slot;

    /**
     * @param runtime a folder with a short path
     * @param byTcp or by a UNIX socket, over which the memory's descriptor passes
     * @param taps round what the slot gives its driver
     */
    Linked(PciFunction function, Path runtime, boolean byTcp, UnaryOperator<PciFunction> taps)
            throws Exception {
        this(
                function,
                runtime,
                OPTIONS,
                lender -> lender.addresses().get(byTcp ? 1 : 0),
                HeldFunction.Rules.DEFAULT,
                taps);
    }

    /** Finds where the slot connects to: the lender, or something before it. */
    interface Way {
        Address to(Lender lender) throws IOException;
    }

    /** The same over any way. */
    Linked(
            PciFunction function,
            Path runtime,
            LinkOptions options,
            Way way,
            HeldFunction.Rules rules,
            UnaryOperator<PciFunction> taps)
            throws Exception {
        RuntimeDirectory directory = RuntimeDirectory.at(runtime);
        lender =
                Lender.open(
                        directory,
                        List.of(new Lender.Lendable("n0", function)),
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        options,
                        sentence -> {},
                        () -> {});
        boolean opened = false;
        try {
            slot =
                    Slot.open(
                            directory,
                            "s0",
                            new FunctionAddress("n0", way.to(lender)),
                            Duration.ZERO,
                            options,
                            rules,
                            Supervision.none(),
                            taps,
                            sentence -> {},
                            () -> {});
            opened = true;
        } finally {
            if (!opened) {
                lender.close();
            }
        }
    }

    PciFunction function() {
        return slot.function();
    }

    HeldFunction.Status status() {
        return slot.status();
    }

    @Override
    public void close() {
        slot.close();
        lender.close();
    }
}
