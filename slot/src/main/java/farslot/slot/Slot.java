package farslot.slot;

import farslot.core.PciFunction;
import farslot.link.Address;
import farslot.link.FollowRequest;
import farslot.link.FunctionActions;
import farslot.link.LinkOptions;
import farslot.link.LinkServer;
import farslot.link.ObservedEvent;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RecordFeed;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.watch.RecordStream;
import farslot.watch.Recordings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A place where a driver finds a borrowed function: borrows it, holds it ({@link HeldFunction}),
 * puts the taps around it and listens on a control socket.
 *
 * <p>Who has the driver's side (a vfio-user server, Java code) attaches itself to {@link #function}
 * and takes itself away when its driver goes: the lease ends with that, and begins anew with the
 * next. The slot itself stays until it is closed.
 *
 * <p>Actions for operators: "status", "stop", "return" (the same: a slot that has returned its
 * function has nothing left to do), "describe", "reset", "peek", "poke", "mark" (writes "text" into
 * the traces that are recorded here).
 *
 * <p>Any thread may call.
 */
public final class Slot implements AutoCloseable {
    private final String name;
    private final String address;
    private final HeldFunction held;
    private final Leases leases;
    private final Supervision supervision;
    private final PciFunction function;
    private final Consumer<String> talk;
    private final Runnable stop;
    private final Instant since = Instant.now();
    private final List<Consumer<ObservedEvent>> observers = new CopyOnWriteArrayList<>();
    private final Map<String, String> details = new LinkedHashMap<>();
    private volatile Recordings recordings;
    private volatile LinkServer control;

    private Slot(
            String name,
            String address,
            HeldFunction held,
            Leases leases,
            Supervision supervision,
            PciFunction function,
            Consumer<String> talk,
            Runnable stop) {
        this.name = name;
        this.address = address;
        this.held = held;
        this.leases = leases;
        this.supervision = supervision;
        this.function = function;
        this.talk = talk;
        this.stop = stop;
    }

    /** The same under the usual rules of holding. */
    public static Slot open(
            RuntimeDirectory directory,
            String name,
            FunctionAddress address,
            LinkOptions options,
            UnaryOperator<PciFunction> taps,
            Consumer<String> talk,
            Runnable stop)
            throws BorrowException, InterruptedException {
        return open(
                directory,
                name,
                address,
                Duration.ZERO,
                options,
                HeldFunction.Rules.DEFAULT,
                Supervision.none(),
                taps,
                talk,
                stop);
    }

    /**
     * Borrows and listens.
     *
     * @param name of the slot, which others see as the borrower's
     * @param patience how long to wait for the function where others have it; zero for not at all
     * @param options how links are made; its name is what the lender is told
     * @param supervision ends its sessions when this process is killed; closed with the slot
     * @param rules how accesses are held; they make the links' access time-out
     * @param taps puts what is to see everything around the function
     * @param talk is told in sentences what happens; must not block
     * @param stop is run, on a thread of its own, when an operator ends this slot, or when the
     *     function is lost and not to be borrowed again; it is to call {@link #close} and let the
     *     process end
     * @throws BorrowException when the function cannot be had, or the name is in use
     */
    public static Slot open(
            RuntimeDirectory directory,
            String name,
            FunctionAddress address,
            Duration patience,
            LinkOptions options,
            HeldFunction.Rules rules,
            Supervision supervision,
            UnaryOperator<PciFunction> taps,
            Consumer<String> talk,
            Runnable stop)
            throws BorrowException, InterruptedException {
        Path socket = directory.socket(name, RuntimeDirectory.Role.SLOT);
        checkFree(directory, name, socket);
        LenderSource source =
                new LenderSource(
                        address,
                        directory,
                        options.withAccessTimeout(Duration.ofMillis(rules.holdMillis())),
                        patience,
                        supervision,
                        talk);
        // The talk of the held function goes to observers too, once there is a slot.
        Slot[] slot = new Slot[1];
        Leases leases = new Leases(source, name);
        HeldFunction held =
                HeldFunction.borrow(
                        leases,
                        rules,
                        sentence -> {
                            talk.accept(sentence);
                            if (slot[0] != null) {
                                slot[0].observed(sentence);
                            }
                        },
                        () -> Thread.ofPlatform().name("stop").start(stop));
        try {
            slot[0] =
                    new Slot(
                            name,
                            address.toString(),
                            held,
                            leases,
                            supervision,
                            taps.apply(held),
                            talk,
                            stop);
            slot[0].control =
                    LinkServer.open(
                            options, slot[0].new Control(), List.of(new Address.Unix(socket)));
            return slot[0];
        } catch (RuntimeException e) {
            held.close();
            throw e;
        } catch (IOException e) {
            held.close();
            throw new BorrowException(BorrowException.Reason.FAILED, e.getMessage(), e);
        }
    }

    private static void checkFree(RuntimeDirectory directory, String name, Path socket)
            throws BorrowException {
        RuntimeDirectory.Place place =
                new RuntimeDirectory.Place(name, RuntimeDirectory.Role.SLOT, socket, false);
        if (directory.isAlive(place)) {
            throw new BorrowException(
                    BorrowException.Reason.BAD_INPUT,
                    "There is a slot named \""
                            + name
                            + "\" on this machine already. Choose another --name, or end that slot:"
                            + " farslot stop "
                            + name
                            + ".",
                    null);
        }
    }

    /** The function as the driver's side is to use it, taps included. */
    public PciFunction function() {
        return function;
    }

    public String name() {
        return name;
    }

    /** Where it listens for operators. */
    public Address address() {
        return control.addresses().getFirst();
    }

    public HeldFunction.Status status() {
        return held.status();
    }

    /** Adds a line to what "status" answers: what kind of driver's side there is, and where. */
    public void detail(String key, String value) {
        synchronized (details) {
            details.put(key, value);
        }
    }

    /**
     * Lets operators record and follow what passes here.
     *
     * @param of among the taps that were put around the function; who made them closes them
     */
    public void offer(Recordings of) {
        recordings = of;
        leases.tell(of);
    }

    /** Returns the function and stops listening. */
    @Override
    public void close() {
        held.close();
        supervision.close();
        LinkServer open = control;
        if (open != null) {
            open.close("The slot " + name + " ends.");
        }
    }

    private void observed(String sentence) {
        ObservedEvent event = new ObservedEvent(System.currentTimeMillis(), name, "slot", sentence);
        observers.forEach(observer -> observer.accept(event));
    }

    private Map<String, String> statusRow() {
        HeldFunction.Status now = held.status();
        Map<String, String> row = new LinkedHashMap<>();
        row.put("name", name);
        row.put("role", "slot");
        row.put("pid", Long.toString(ProcessHandle.current().pid()));
        row.put("since", Long.toString(since.toEpochMilli()));
        row.put("state", now.state());
        row.put("function", address);
        row.put("kind", function.describe().kind());
        row.put("generation", Integer.toString(now.generation()));
        row.put("attachments", Integer.toString(now.attachments()));
        row.put("resumes", Long.toString(now.resumes()));
        if (now.detachedSinceMillis() != 0) {
            row.put("detached-since", Long.toString(now.detachedSinceMillis()));
        }
        row.put("unanswered", Long.toString(now.unanswered()));
        row.put("dropped", Long.toString(now.dropped()));
        row.put("trouble", now.sentence());
        if (!now.held().isEmpty()) {
            row.put("held", now.held());
            row.put("held-since", Long.toString(now.heldSinceMillis()));
        }
        synchronized (details) {
            row.putAll(details);
        }
        return row;
    }

    /** What comes over the control socket. */
    private final class Control implements Offer {
        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) throws RefusedException {
            return switch (action) {
                case "status" -> List.of(statusRow());
                case "stop", "return" -> {
                    talk.accept("Asked to " + action + " by " + peer + ".");
                    Thread.ofPlatform().name("stop").start(stop);
                    yield List.of();
                }
                case "mark" -> traces(recordings().markBy(arguments.getOrDefault("text", "")));
                case "mode" -> traces(recordings().changeBy(arguments.getOrDefault("mode", "")));
                case "describe", "peek", "poke", "reset" ->
                        new FunctionActions(function).operate(action, arguments);
                default ->
                        throw new RefusedException(
                                RefusedException.Reason.NOT_FOUND,
                                "A slot has no action \""
                                        + action
                                        + "\"; it has status, stop, return, describe,"
                                        + " reset, peek, poke, mark and mode.");
            };
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer) {
            observers.add(observer);
            return () -> observers.remove(observer);
        }

        @Override
        public RecordFeed follow(Peer peer, FollowRequest request) throws RefusedException {
            RecordStream stream = recordings().follow(peer.toString(), request);
            if (request.record()) {
                String sentence = name + " is being recorded by " + peer + ".";
                talk.accept(sentence);
                observed(sentence);
            }
            return stream;
        }

        private List<Map<String, String>> traces(int count) {
            return List.of(Map.of("traces", Integer.toString(count)));
        }

        private Recordings recordings() throws RefusedException {
            Recordings now = recordings;
            if (now == null) {
                throw new RefusedException(
                        RefusedException.Reason.UNSUPPORTED, "Nothing can be recorded here.");
            }
            return now;
        }
    }
}
