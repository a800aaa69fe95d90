package farslot.lender;

import farslot.core.PciFunction;
import farslot.core.StateException;
import farslot.link.Address;
import farslot.link.Caller;
import farslot.link.Entry;
import farslot.link.FollowRequest;
import farslot.link.FunctionActions;
import farslot.link.Grant;
import farslot.link.Lease;
import farslot.link.LinkOptions;
import farslot.link.LinkServer;
import farslot.link.ObservedEvent;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RecordFeed;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.link.SavedSession;
import farslot.link.Standstill;
import farslot.link.Wish;
import farslot.posix.OwnProcess;
import farslot.recorder.TraceOrigin;
import farslot.registers.Nearest;
import farslot.watch.RecordStream;
import farslot.watch.Recordings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Lends functions: listens on its control socket and on the addresses it was given, and serves each
 * slot that borrows under a lease.
 *
 * <p>Actions for operators ({@link Offer#operate}): "status", "stop", "handover" (saves what is
 * lent for the next lender of this name, and stops by itself unless "stop" follows), "return"
 * (takes a function back from its slot), "reset", "peek", "poke", and "abandon", which needs a
 * session's secret and no right, "mark" (writes "text" into the traces that are recorded), and
 * "mode" (has the ranges of "mode" recorded in another way); those on a function take its name as
 * "function", which may be left out where there is only one. Operators are known by their UNIX
 * socket.
 *
 * <p>Any thread may call.
 */
public final class Lender implements AutoCloseable {
    /**
     * A function to be lent.
     *
     * @param name under which it is lent
     * @param bare the function itself, for what the lender looks at for itself
     * @param recordings of it, through which it is lent; they are told of its leases and of what
     *     operators do. Who makes them closes them
     */
    public record Lendable(String name, PciFunction bare, Recordings recordings) {
        /** One that nobody can record. */
        public Lendable(String name, PciFunction function) {
            this(
                    name,
                    function,
                    new Recordings(name, TraceOrigin.At.LENDER, function, null, sentence -> {}));
        }
    }

    private static final long RIGHTS_MILLIS = 250;
    private static final long STOP_MILLIS = 5000;

    /** How long accesses may take to end where a lender hands over. */
    private static final Duration STANDSTILL = Duration.ofSeconds(3);

    private final String name;
    private final RuntimeDirectory directory;
    private final Consumer<String> talk;
    private final Runnable stop;
    private final Instant since = Instant.now();
    private final Map<String, LentFunction> functions = new LinkedHashMap<>();
    private final Map<String, Recordings> recordings = new LinkedHashMap<>();
    private final List<Path> aliases = new ArrayList<>();
    private final List<Observer> observers = new CopyOnWriteArrayList<>();
    private final List<Follower> followers = new CopyOnWriteArrayList<>();
    private final Access access;

    /** While the server opens: what its sessions go on with, by function. */
    private final Map<String, Handover.Part> handedOver = new LinkedHashMap<>();

    private volatile LinkServer server;
    private volatile boolean closed;

    /** Somebody who is told what happens to the functions that he may observe. */
    private record Observer(Peer peer, Consumer<ObservedEvent> to) {}

    /** Somebody who records or follows, by this right. */
    private record Follower(Peer peer, Right right, String function, RecordStream stream) {}

    private Lender(
            RuntimeDirectory directory,
            List<Lendable> lendables,
            Access access,
            Consumer<String> talk,
            Runnable stop) {
        this.access = access;
        this.name = lendables.getFirst().name();
        this.directory = directory;
        this.talk = talk;
        this.stop = stop;
        for (Lendable lendable : lendables) {
            functions.put(
                    lendable.name(),
                    new LentFunction(
                            lendable.name(),
                            lendable.recordings().function(),
                            lendable.bare(),
                            new Told()));
            recordings.put(lendable.name(), lendable.recordings());
        }
    }

    /** Lends from now on, under no {@link Conditions} but the usual ones. */
    public static Lender open(
            RuntimeDirectory directory,
            List<Lendable> lendables,
            List<Address> addresses,
            LinkOptions options,
            Consumer<String> talk,
            Runnable stop)
            throws LendingException {
        return open(directory, lendables, addresses, options, Conditions.NONE, talk, stop);
    }

    /**
     * Lends from now on.
     *
     * @param lendables at least one; the first gives the process its name
     * @param addresses to listen on beside the control socket
     * @param options with trust or leave for TCP if there is any
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
            Conditions conditions,
            Consumer<String> talk,
            Runnable stop)
            throws LendingException {
        Access access =
                new Access(
                        OwnProcess.userId(),
                        conditions.policy(),
                        options.insecure(),
                        options.trust(),
                        conditions.audit(),
                        talk);
        Lender lender = new Lender(directory, lendables, access, talk, stop);
        try {
            lender.checkNames();
            List<Address> all = new ArrayList<>();
            all.add(new Address.Unix(directory.socket(lender.name, RuntimeDirectory.Role.LENDER)));
            all.addAll(addresses);
            lender.server =
                    LinkServer.open(
                            options, lender.offer(), all, lender.handedOver(options.grace()));
            lender.handedOver.clear();
            lender.makeAliases();
            Thread.ofPlatform().daemon().name("farslot-rights").start(lender::watchRights);
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
        closed = true;
        functions.values().forEach(LentFunction::close);
        recordings.values().forEach(Recordings::finish);
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

    /** Looks again and again whether the policy has changed, and who buffers too much. */
    private void watchRights() {
        while (!closed) {
            try {
                Thread.sleep(RIGHTS_MILLIS);
                lookAtRights();
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                talk.accept("Looking at the policy failed: " + e);
            }
        }
    }

    /** What is served to who connects. */
    Offer offer() {
        return new Lending();
    }

    /** Takes over a policy that has changed, and ends what it allows no more. */
    synchronized void lookAtRights() {
        if (access.policyChanged()) {
            for (LentFunction lent : functions.values()) {
                Peer borrower = lent.borrower();
                if (borrower != null
                        && access.allowing(borrower, Right.BORROW, lent.name()) == null) {
                    lent.revoke(borrower, "The policy has changed: you lack the right to borrow.");
                }
            }
            endFollowersWithoutRights();
            access.endLinksWithoutRights(List.copyOf(functions.keySet()));
        }
        access.endExcesses();
    }

    private void endFollowersWithoutRights() {
        for (Follower follower : followers) {
            if (access.allowing(follower.peer(), follower.right(), follower.function()) == null) {
                follower.stream()
                        .revoke(
                                "The policy has changed: you lack the right to "
                                        + follower.right().word()
                                        + " "
                                        + follower.function()
                                        + ".");
            }
        }
    }

    /**
     * The sessions that the last lender of this name has left to go on with; its file is gone then.
     *
     * @param grace for how long they are worth anything
     */
    private List<SavedSession> handedOver(Duration grace) {
        Path file = directory.handover(name);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return List.of();
        }
        try {
            Handover handover = Handover.read(file);
            Duration age = Duration.between(handover.written(), Instant.now());
            if (age.isNegative() || age.compareTo(grace) >= 0) {
                throw new StateException(
                        "It was written at "
                                + handover.written()
                                + ", and no session outlives the grace time of "
                                + grace.toSeconds()
                                + " s.");
            }
            handover.parts().forEach(part -> handedOver.put(part.function(), part));
        } catch (StateException e) {
            talk.accept(
                    "What the last lender of "
                            + name
                            + " has handed over is not used: "
                            + e.getMessage());
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            talk.accept("The file " + file + " could not be removed: " + e);
        }
        return handedOver.values().stream().map(Handover.Part::session).toList();
    }

    /** Saves what is lent, for the next lender of this name; nothing is changed where it fails. */
    private List<Map<String, String>> handOver() throws RefusedException {
        List<LentFunction> lent = functions.values().stream().filter(LentFunction::isLent).toList();
        for (LentFunction function : lent) {
            String why = function.whyNotSavable();
            if (why != null) {
                throw new RefusedException(RefusedException.Reason.UNSUPPORTED, why);
            }
        }
        Path file = directory.handover(name);
        List<LentFunction> atRest = new ArrayList<>();
        try (Standstill standstill = server.standStill(STANDSTILL)) {
            Map<String, byte[]> states = new HashMap<>();
            for (LentFunction function : lent) {
                states.put(function.name(), function.saveAtRest());
                atRest.add(function);
            }
            List<Handover.Part> parts = parts(standstill.sessions(), states);
            if (!parts.isEmpty()) {
                new Handover(Instant.now(), parts).write(file);
            }
            standstill.handOver("The lender of " + name + " hands over.");
            atRest.clear();
            for (Handover.Part part : parts) {
                happened(
                        part.function(),
                        "handed-over",
                        part.function() + " is handed over to its next lender.");
            }
            return parts.stream()
                    .map(part -> Map.of("function", part.function(), "file", file.toString()))
                    .toList();
        } catch (StateException | IOException | IllegalStateException e) {
            throw new RefusedException(
                    RefusedException.Reason.FAILED,
                    name + " is not handed over, and lends on: " + e.getMessage());
        } finally {
            atRest.forEach(LentFunction::goOn);
        }
    }

    /** Who has asked hears the answer first, and may stop it earlier. */
    private void stopSoon() {
        try {
            Thread.sleep(STOP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stop.run();
    }

    private List<Handover.Part> parts(List<SavedSession> sessions, Map<String, byte[]> states) {
        List<Handover.Part> parts = new ArrayList<>();
        for (SavedSession session : sessions) {
            byte[] state = states.get(session.function());
            GrantedLease lease = functions.get(session.function()).lease();
            if (state != null && lease != null && lease.epoch() == session.epoch()) {
                parts.add(new Handover.Part(session.function(), state, lease, session));
            }
        }
        return parts;
    }

    /** Passes on what the functions tell of themselves. */
    private final class Told implements LentFunction.Witness {
        @Override
        public void happened(String subject, String what, String sentence) {
            Lender.this.happened(subject, what, sentence);
        }

        @Override
        public void record(String what, Peer borrower, String function, long epoch, String why) {
            if (what.equals("ended")) {
                access.giveBack(borrower);
                recordings
                        .get(function)
                        .leaseEnded(borrower.name(), borrower.identity(), epoch, why);
            }
            access.record(what, borrower, "borrow", function, epoch, why);
        }
    }

    private void happened(String subject, String what, String sentence) {
        talk.accept(sentence);
        recordings.get(subject).mark(sentence);
        ObservedEvent event =
                new ObservedEvent(System.currentTimeMillis(), subject, what, sentence);
        for (Observer observer : observers) {
            if (access.allowing(observer.peer(), Right.OBSERVE, subject) != null) {
                observer.to().accept(event);
            }
        }
    }

    /** What comes over links. */
    private final class Lending implements Offer {
        @Override
        public void arrived(Caller caller) throws RefusedException {
            access.arrived(caller);
        }

        @Override
        public void left(Caller caller) {
            access.left(caller);
        }

        @Override
        public void turnedAway(Peer peer, String why) {
            access.record("refused", peer, "connect", "", 0, why);
        }

        @Override
        public List<Entry> list(Peer peer) throws RefusedException {
            access.request(peer, "list", "");
            List<String> visible = visible(peer);
            if (visible.isEmpty()) {
                access.demand(peer, Right.OBSERVE, name, "list");
            }
            return visible.stream().map(function -> shown(functions.get(function))).toList();
        }

        @Override
        public Grant borrow(Peer peer, Wish wish, Lease lease) throws RefusedException {
            String wanted = wish.function();
            access.request(peer, "borrow", wanted);
            access.demand(peer, Right.BORROW, wanted, "borrow");
            LentFunction lent = function(peer, wanted);
            access.take(peer, wanted);
            Grant grant;
            try {
                grant = lent.lend(peer, wish, lease);
            } catch (RefusedException e) {
                access.giveBack(peer);
                throw access.noted(peer, "borrow", wanted, e);
            }
            // The policy may have changed while it waited.
            String why = access.allowing(peer, Right.BORROW, wanted);
            if (why == null) {
                grant.ended(Grant.Ending.REVOKED, "The policy has changed.");
                access.demand(peer, Right.BORROW, wanted, "borrow");
            }
            access.record("granted", peer, "borrow", wanted, grant.epoch(), why);
            recordings
                    .get(wanted)
                    .leaseBegun(peer.name(), peer.identity(), grant.epoch(), lease::clock);
            return grant;
        }

        @Override
        public Grant adopt(Peer peer, SavedSession session, Lease lease) throws RefusedException {
            Handover.Part part = handedOver.get(session.function());
            LentFunction lent = functions.get(session.function());
            if (lent == null || part == null) {
                throw new RefusedException(
                        RefusedException.Reason.NOT_FOUND,
                        session.function() + " is not lent here any more.");
            }
            String why = access.demand(peer, Right.BORROW, lent.name(), "borrow");
            access.take(peer, lent.name());
            try {
                Grant grant = lent.adopt(part, lease);
                access.record("adopted", peer, "borrow", lent.name(), grant.epoch(), why);
                recordings
                        .get(lent.name())
                        .leaseBegun(peer.name(), peer.identity(), grant.epoch(), lease::clock);
                return grant;
            } catch (RefusedException e) {
                access.giveBack(peer);
                talk.accept(e.getMessage());
                throw access.noted(peer, "borrow", lent.name(), e);
            }
        }

        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) throws RefusedException {
            access.request(peer, action, arguments.getOrDefault("function", ""));
            if (action.equals("abandon")) {
                return abandon(peer, arguments.getOrDefault("session", ""));
            }
            if (action.equals("status")) {
                if (visible(peer).isEmpty()) {
                    access.demand(peer, Right.OBSERVE, name, "status");
                }
                return List.of(status(peer));
            }
            LentFunction about = null;
            String why;
            if (action.equals("stop") || action.equals("handover")) {
                why = "";
                for (String function : functions.keySet()) {
                    why = access.demand(peer, Right.OPERATE, function, action);
                }
            } else {
                why = access.demand(peer, Right.OPERATE, nameIn(arguments), action);
                about = named(peer, arguments);
            }
            List<Map<String, String>> result;
            try {
                result = operate(peer, action, about, arguments);
            } catch (RefusedException e) {
                throw access.noted(peer, action, about == null ? "" : about.name(), e);
            }
            access.record(
                    "operated",
                    peer,
                    arguments.isEmpty() ? action : action + " " + arguments,
                    about == null ? "" : about.name(),
                    0,
                    why);
            return result;
        }

        private List<Map<String, String>> operate(
                Peer peer, String action, LentFunction about, Map<String, String> arguments)
                throws RefusedException {
            return switch (action) {
                case "stop" -> {
                    talk.accept("Asked to stop by " + peer + ".");
                    Thread.ofPlatform().name("stop").start(stop);
                    yield List.of();
                }
                case "handover" -> {
                    talk.accept("Asked to hand over by " + peer + ".");
                    List<Map<String, String>> handedOver = handOver();
                    Thread.ofPlatform().daemon().name("stop").start(Lender.this::stopSoon);
                    yield handedOver;
                }
                case "return" -> takeBack(peer, about, arguments.getOrDefault("reason", ""));
                case "mark" -> {
                    String text = arguments.getOrDefault("text", "");
                    int traces = recordings.get(about.name()).markBy(text);
                    yield List.of(Map.of("traces", Integer.toString(traces)));
                }
                case "mode" -> {
                    String modes = arguments.getOrDefault("mode", "");
                    int traces = recordings.get(about.name()).changeBy(modes);
                    yield List.of(Map.of("traces", Integer.toString(traces)));
                }
                case "describe", "peek", "poke", "reset" -> {
                    if (action.equals("poke") || action.equals("reset")) {
                        happened(about.name(), action, peer + " does: " + action + " " + arguments);
                    }
                    yield new FunctionActions(about.function()).operate(action, arguments);
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
                                                        "handover",
                                                        "return",
                                                        "mark",
                                                        "mode",
                                                        "describe",
                                                        "reset",
                                                        "peek",
                                                        "poke")));
            };
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> to)
                throws RefusedException {
            access.request(peer, "observe", "");
            String why = null;
            for (String function : functions.keySet()) {
                why = why == null ? access.allowing(peer, Right.OBSERVE, function) : why;
            }
            if (why == null) {
                access.demand(peer, Right.OBSERVE, name, "observe");
            }
            access.record("observing", peer, "observe", "", 0, why);
            Observer observer = new Observer(peer, to);
            observers.add(observer);
            return () -> observers.remove(observer);
        }

        @Override
        public RecordFeed follow(Peer peer, FollowRequest request) throws RefusedException {
            String wanted = request.function().isEmpty() ? name : request.function();
            Right right = request.record() ? Right.OPERATE : Right.OBSERVE;
            String action = request.record() ? "record" : "follow";
            access.request(peer, action, wanted);
            String why = access.demand(peer, right, wanted, action);
            function(peer, wanted);
            RecordStream stream;
            try {
                stream = recordings.get(wanted).follow(peer.toString(), request);
            } catch (RefusedException e) {
                throw access.noted(peer, action, wanted, e);
            }
            Follower follower = new Follower(peer, right, wanted, stream);
            followers.add(follower);
            stream.whenClosed(() -> {
                followers.remove(follower);
                access.record("ended", peer, action, wanted, 0, "the link has ended");
            });
            access.record(
                    request.record() ? "recording" : "following",
                    peer,
                    request.arguments().isEmpty() ? action : action + " " + request.arguments(),
                    wanted,
                    0,
                    why);
            if (request.record()) {
                happened(wanted, "recording", wanted + " is being recorded by " + peer + ".");
            }
            return stream;
        }
    }

    /**
     * A slot's supervisor says that the slot is gone. Who knows the session's secret needs no other
     * right: the slot could as well have returned the function.
     */
    private List<Map<String, String>> abandon(Peer peer, String session) throws RefusedException {
        LinkServer open = server;
        boolean ended = false;
        if (open != null && session.matches("[0-9a-f]{32}")) {
            ended =
                    open.abandon(
                            HexFormat.of().parseHex(session),
                            peer,
                            "its process is gone, says its supervisor, " + peer + ".");
        }
        if (!ended) {
            throw new RefusedException(
                    RefusedException.Reason.NOT_FOUND,
                    "There is no such session of yours: it has ended, or never was.");
        }
        return List.of();
    }

    private List<Map<String, String>> takeBack(Peer peer, LentFunction lent, String reason)
            throws RefusedException {
        String borrower =
                lent.takeBack(
                        "The lender's operator took it back ("
                                + peer
                                + ")"
                                + (reason.isEmpty() ? "." : ": " + reason));
        if (borrower == null) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    lent.name() + " is not borrowed; there is nothing to take back.");
        }
        return List.of(Map.of("function", lent.name(), "borrower", borrower));
    }

    /** Whether anybody who reaches a port of this lender can read what passes, and pretend. */
    private boolean isInsecure() {
        return access.isInsecure()
                && addresses().stream().anyMatch(address -> address instanceof Address.Tcp);
    }

    private Entry shown(LentFunction lent) {
        Entry entry = lent.entry();
        Map<String, String> details = new LinkedHashMap<>(entry.details());
        List<String> recorders = recordings.get(lent.name()).by();
        if (!recorders.isEmpty()) {
            details.put("recorded-by", String.join("; ", recorders));
        }
        List<String> followers = recordings.get(lent.name()).followedBy();
        if (!followers.isEmpty()) {
            details.put("followed-by", String.join("; ", followers));
        }
        if (isInsecure()) {
            details.put("insecure", "yes");
        }
        return new Entry(
                entry.name(),
                entry.kind(),
                entry.summary(),
                entry.generation(),
                entry.borrower(),
                entry.sinceMillis(),
                details);
    }

    private Map<String, String> status(Peer peer) {
        List<LentFunction> visible = visible(peer).stream().map(functions::get).toList();
        Map<String, String> status = new LinkedHashMap<>();
        status.put("name", name);
        status.put("role", "lender");
        status.put("pid", Long.toString(ProcessHandle.current().pid()));
        status.put("since", Long.toString(since.toEpochMilli()));
        status.put("state", "lending");
        status.put(
                "functions", String.join(" ", visible.stream().map(LentFunction::name).toList()));
        if (!access.trouble().isEmpty()) {
            status.put("trouble", access.trouble());
        }
        for (LentFunction lent : visible) {
            LentFunction.Held held = lent.held();
            if (held != null) {
                status.put("held", held.what() + " of " + lent.name());
                status.put("held-since", Long.toString(held.since().toEpochMilli()));
            }
        }
        if (isInsecure()) {
            status.put("insecure", "yes");
        }
        status.put(
                "addresses",
                String.join(" ", addresses().stream().map(Address::toString).toList()));
        return status;
    }

    /** What an order is about: the function that it names, or the only one. */
    private String nameIn(Map<String, String> arguments) {
        return arguments.getOrDefault("function", name);
    }

    private LentFunction named(Peer peer, Map<String, String> arguments) throws RefusedException {
        if (!arguments.containsKey("function") && functions.size() > 1) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "This lender lends several functions; name one as \"function\": "
                            + String.join(", ", visible(peer))
                            + ".");
        }
        return function(peer, nameIn(arguments));
    }

    private LentFunction function(Peer peer, String wanted) throws RefusedException {
        LentFunction lent = functions.get(wanted);
        if (lent == null) {
            throw new RefusedException(
                    RefusedException.Reason.NOT_FOUND,
                    "No function \""
                            + wanted
                            + "\" is lent here"
                            + Nearest.questionOrAll(wanted, visible(peer)));
        }
        return lent;
    }

    /** The names that this peer may know. */
    private List<String> visible(Peer peer) {
        return functions.keySet().stream()
                .filter(function -> !access.rights(peer, function).isEmpty())
                .toList();
    }
}
