package farslot.lender;

import farslot.core.PciFunction;
import farslot.link.Address;
import farslot.link.Entry;
import farslot.link.FunctionActions;
import farslot.link.Grant;
import farslot.link.HeldAccess;
import farslot.link.Lease;
import farslot.link.LinkOptions;
import farslot.link.LinkServer;
import farslot.link.ObservedEvent;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import farslot.sdk.Nearest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Lends functions: listens on its control socket and on the addresses it was given, and serves each
 * slot that borrows under a lease.
 *
 * <p>Actions for operators ({@link Offer#operate}): "status", "stop", "return" (takes a function
 * back from its slot), "reset", "peek", "poke"; those on a function take its name as "function",
 * which may be left out where there is only one. Operators are known by their UNIX socket.
 *
 * <p>Any thread may call.
 */
public final class Lender implements AutoCloseable {
    /**
     * A function to be lent.
     *
     * @param name under which it is lent
     * @param function with the taps that see everything it does
     * @param notes is told in sentences of its leases and of what operators do, so that a trace can
     *     say it; must not block
     */
    public record Lendable(String name, PciFunction function, Consumer<String> notes) {
        /** One whose notes nobody wants. */
        public Lendable(String name, PciFunction function) {
            this(name, function, sentence -> {});
        }
    }

    private final String name;
    private final RuntimeDirectory directory;
    private final Consumer<String> talk;
    private final Runnable stop;
    private final Instant since = Instant.now();
    private final Map<String, LentFunction> functions = new LinkedHashMap<>();
    private final Map<String, Consumer<String>> notes = new LinkedHashMap<>();
    private final List<Path> aliases = new ArrayList<>();
    private final List<Consumer<ObservedEvent>> observers = new CopyOnWriteArrayList<>();
    private volatile LinkServer server;

    private Lender(
            RuntimeDirectory directory,
            List<Lendable> lendables,
            Consumer<String> talk,
            Runnable stop) {
        this.name = lendables.getFirst().name();
        this.directory = directory;
        this.talk = talk;
        this.stop = stop;
        for (Lendable lendable : lendables) {
            functions.put(
                    lendable.name(),
                    new LentFunction(lendable.name(), lendable.function(), this::happened));
            notes.put(lendable.name(), lendable.notes());
        }
    }

    /**
     * Lends from now on.
     *
     * @param lendables at least one; the first gives the process its name
     * @param addresses to listen on beside the control socket
     * @param options with leave for TCP if there is any
     * @param talk is told in sentences what happens; must not block
     * @param stop is run, on a thread of its own, when an operator ends this lender; it is to call
     *     {@link #close} and let the process end
     * @throws LendingException with the sentence: a name or an address is in use, TCP without leave
     */
    public static Lender open(
            RuntimeDirectory directory,
            List<Lendable> lendables,
            List<Address> addresses,
            LinkOptions options,
            Consumer<String> talk,
            Runnable stop)
            throws LendingException {
        Lender lender = new Lender(directory, lendables, talk, stop);
        try {
            lender.checkNames();
            List<Address> all = new ArrayList<>();
            all.add(new Address.Unix(directory.socket(lender.name, RuntimeDirectory.Role.LENDER)));
            all.addAll(addresses);
            lender.server = LinkServer.open(options, lender.new Lending(), all);
            lender.makeAliases();
            return lender;
        } catch (IOException e) {
            lender.close("The lender could not start.");
            throw LendingException.failed(e.getMessage(), e);
        }
    }

    /** The process's name: its first function's. */
    public String name() {
        return name;
    }

    /** Where it listens: the control socket first, then as they were given, with real ports. */
    public List<Address> addresses() {
        return server.addresses();
    }

    /** What is lent, and to whom. */
    public List<Entry> entries() {
        return functions.values().stream().map(LentFunction::entry).toList();
    }

    /** Says goodbye to all slots and ends every lease; returns when that is done. */
    @Override
    public void close() {
        close("The lender of " + name + " ends.");
    }

    private void close(String sentence) {
        functions.values().forEach(LentFunction::close);
        LinkServer open = server;
        if (open != null) {
            open.close(sentence);
        }
        for (Path alias : aliases) {
            try {
                Files.deleteIfExists(alias);
            } catch (IOException e) {
                talk.accept("The link " + alias + " could not be removed: " + e);
            }
        }
    }

    /** Two lenders of one name on one machine would hide each other. */
    private void checkNames() throws IOException, LendingException {
        for (RuntimeDirectory.Place place : directory.places()) {
            if (place.role() == RuntimeDirectory.Role.LENDER
                    && functions.containsKey(place.name())
                    && !directory.removeIfDead(place)
                    && directory.isAlive(place)) {
                throw LendingException.badInput(
                        "\""
                                + place.name()
                                + "\" is lent on this machine already. Choose another name=, or end"
                                + " that lender: farslot stop "
                                + place.name()
                                + ".");
            }
        }
    }

    private void makeAliases() throws IOException {
        Path target = directory.socket(name, RuntimeDirectory.Role.LENDER).getFileName();
        for (String function : functions.keySet()) {
            Path alias = directory.socket(function, RuntimeDirectory.Role.LENDER);
            if (!function.equals(name)) {
                if (Files.exists(alias, LinkOption.NOFOLLOW_LINKS)) {
                    Files.delete(alias);
                }
                Files.createSymbolicLink(alias, target);
                aliases.add(alias);
            }
        }
    }

    private void happened(String subject, String what, String sentence) {
        talk.accept(sentence);
        notes.get(subject).accept(sentence);
        ObservedEvent event =
                new ObservedEvent(System.currentTimeMillis(), subject, what, sentence);
        observers.forEach(observer -> observer.accept(event));
    }

    /** What comes over links. */
    private final class Lending implements Offer {
        @Override
        public List<Entry> list(Peer peer) {
            return entries();
        }

        @Override
        public Grant borrow(Peer peer, Wish wish, Lease lease) throws RefusedException {
            return function(wish.function()).lend(peer, lease);
        }

        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) throws RefusedException {
            if (!peer.known()) {
                throw new RefusedException(
                        RefusedException.Reason.NOT_ALLOWED,
                        "\""
                                + action
                                + "\" needs an operator who is known, and over plain TCP nobody is."
                                + " Do it on the lender's own machine.");
            }
            return switch (action) {
                case "status" -> List.of(status());
                case "stop" -> {
                    talk.accept("Asked to stop by " + peer + ".");
                    Thread.ofPlatform().name("stop").start(stop);
                    yield List.of();
                }
                case "return" -> takeBack(peer, named(arguments));
                case "describe", "peek", "poke", "reset" -> {
                    LentFunction lent = named(arguments);
                    if (action.equals("poke") || action.equals("reset")) {
                        happened(lent.name(), action, peer + " does: " + action + " " + arguments);
                    }
                    yield new FunctionActions(lent.function()).operate(action, arguments);
                }
                default ->
                        throw new RefusedException(
                                RefusedException.Reason.NOT_FOUND,
                                "A lender has no action \""
                                        + action
                                        + "\""
                                        + Nearest.questionOrAll(
                                                action,
                                                List.of(
                                                        "status",
                                                        "stop",
                                                        "return",
                                                        "describe",
                                                        "reset",
                                                        "peek",
                                                        "poke")));
            };
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer) {
            observers.add(observer);
            return () -> observers.remove(observer);
        }
    }

    private List<Map<String, String>> takeBack(Peer peer, LentFunction lent)
            throws RefusedException {
        String borrower = lent.revoke("The lender's operator took it back (" + peer + ").");
        if (borrower == null) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    lent.name() + " is not borrowed; there is nothing to take back.");
        }
        return List.of(Map.of("function", lent.name(), "borrower", borrower));
    }

    private Map<String, String> status() {
        Map<String, String> status = new LinkedHashMap<>();
        status.put("name", name);
        status.put("role", "lender");
        status.put("pid", Long.toString(ProcessHandle.current().pid()));
        status.put("since", Long.toString(since.toEpochMilli()));
        status.put("state", "lending");
        status.put("functions", String.join(" ", functions.keySet()));
        for (LentFunction lent : functions.values()) {
            HeldAccess access = lent.heldNow();
            if (access != null) {
                status.put("held", access.what() + " of " + lent.name());
                long since = System.currentTimeMillis() - access.millis();
                status.put("held-since", Long.toString(since));
            }
        }
        status.put(
                "addresses",
                String.join(" ", addresses().stream().map(Address::toString).toList()));
        return status;
    }

    private LentFunction named(Map<String, String> arguments) throws RefusedException {
        String wanted = arguments.get("function");
        if (wanted != null) {
            return function(wanted);
        }
        if (functions.size() == 1) {
            return functions.get(name);
        }
        throw new RefusedException(
                RefusedException.Reason.BAD_ARGUMENT,
                "This lender lends several functions; name one as \"function\": "
                        + String.join(", ", functions.keySet())
                        + ".");
    }

    private LentFunction function(String wanted) throws RefusedException {
        LentFunction lent = functions.get(wanted);
        if (lent == null) {
            throw new RefusedException(
                    RefusedException.Reason.NOT_FOUND,
                    "No function \""
                            + wanted
                            + "\" is lent here"
                            + Nearest.questionOrAll(wanted, functions.keySet()));
        }
        return lent;
    }
}
